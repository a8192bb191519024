#define _GNU_SOURCE
#include "CLogDB.h"

#ifdef __linux__
#include <fcntl.h>
#include <linux/falloc.h>

void logdb_punch_hole(int descriptor, int64_t offset, int64_t length) {
    (void)fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}
#else
void logdb_punch_hole(int descriptor, int64_t offset, int64_t length) {
    (void)descriptor, (void)offset, (void)length;
}
#endif
