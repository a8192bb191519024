//===--- leveldb.c - LevelDB --------------------------------------------------===//

#include "loading.h"
#include <stdlib.h>

#if __has_include(<leveldb/c.h>)
#include <leveldb/c.h>
#define HAS_HEADER 1
#else
typedef struct leveldb_t leveldb_t;
typedef struct leveldb_iterator_t leveldb_iterator_t;
typedef struct leveldb_options_t leveldb_options_t;
typedef struct leveldb_readoptions_t leveldb_readoptions_t;
typedef struct leveldb_writebatch_t leveldb_writebatch_t;
typedef struct leveldb_writeoptions_t leveldb_writeoptions_t;
#endif

static const char *const library_names[] = {"libleveldb.so", "libleveldb.so.1d", "libleveldb.so.1", "libleveldb.dylib", NULL};

#define PREFIX leveldb_
#define CALLS_OF_ITS_OWN(CALL)                   \
    CALL(int, leveldb_major_version, (void))     \
    CALL(int, leveldb_minor_version, (void))

static const char *version(void);

#include "log_structured.inc"

static const char *version(void) {
    static char text[32];
    snprintf(text, sizeof text, "%d.%d", api.leveldb_major_version(), api.leveldb_minor_version());
    return text;
}

// Snappy is the only compression it has, and its default.
static void configure(leveldb_options_t *options, peer_setting setting) {
    enum { none = 0, snappy = 1 };
    api.leveldb_options_set_compression(options, setting.compression == peer_compression_none ? none : snappy);
}

const peer_calls *leveldb_calls(void) { return &calls; }
