#include "CLogDB.h"

#ifdef __linux__
#include <sys/vfs.h>

// EXT4_SUPER_MAGIC (of ext2 and ext3 too) and TMPFS_MAGIC: statfs(2).
int logdb_keeps_blocks_in_place(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return 0;
    return status.f_type == 0xEF53 || status.f_type == 0x01021994;
}
#else
int logdb_keeps_blocks_in_place(int descriptor) {
    (void)descriptor;
    return 0;
}
#endif
