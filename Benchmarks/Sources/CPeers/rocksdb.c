//===--- rocksdb.c - RocksDB --------------------------------------------------===//

#include "loading.h"
#include <limits.h>
#include <stdlib.h>

#if __has_include(<rocksdb/c.h>)
#include <rocksdb/c.h>
#define HAS_HEADER 1
#else
typedef struct rocksdb_t rocksdb_t;
typedef struct rocksdb_iterator_t rocksdb_iterator_t;
typedef struct rocksdb_options_t rocksdb_options_t;
typedef struct rocksdb_readoptions_t rocksdb_readoptions_t;
typedef struct rocksdb_writebatch_t rocksdb_writebatch_t;
typedef struct rocksdb_writeoptions_t rocksdb_writeoptions_t;
#endif

static const char *const library_names[] = {"librocksdb.so", "librocksdb.so.7.8", "librocksdb.so.9", "librocksdb.dylib", NULL};

#define PREFIX rocksdb_
#define CALLS_OF_ITS_OWN(CALL)                                                              \
    CALL(void, rocksdb_options_set_disable_auto_compactions, (rocksdb_options_t *, int))    \
    CALL(void, rocksdb_options_increase_parallelism, (rocksdb_options_t *, int))

static const char *version(void);

#include "log_structured.inc"

// Its C interface has no call for the version; the library's file name has it.
static const char *version(void) {
    static char path[PATH_MAX];
    Dl_info information;
    if (dladdr((void *)api.rocksdb_open, &information) == 0 || realpath(information.dli_fname, path) == NULL) return "of unknown version";
    const char *name = strstr(path, ".so.");
    return name == NULL ? path : name + strlen(".so.");
}

static void configure(rocksdb_options_t *options, peer_setting setting) {
    enum { none = 0, lz4 = 4, zstd = 7 };
    const int compression[] = {[peer_compression_none] = none, [peer_compression_lz4] = lz4, [peer_compression_zstd] = zstd};
    api.rocksdb_options_set_compression(options, compression[setting.compression]);
    api.rocksdb_options_set_disable_auto_compactions(options, setting.manual_compaction);
    // As many background threads as there are processors; the default is two for everything.
    api.rocksdb_options_increase_parallelism(options, 2);
}

const peer_calls *rocksdb_calls(void) { return &calls; }
