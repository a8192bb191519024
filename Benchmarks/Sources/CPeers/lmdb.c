//===--- lmdb.c - LMDB --------------------------------------------------------===//
//
// Durable: its default, which syncs the pages and then the meta page. Else MDB_NOSYNC: a commit hands pages and meta page to the system, and
// a killed process loses nothing; a power cut may ruin the database, as its documentation says. MDB_WRITEMAP with it stores them into
// the mapped file without a call: as safe from a killed process, since the older of the two meta pages is the one overwritten, but a
// stray pointer of the application can write into the database. MDB_NOMETASYNC is measured nowhere: it still syncs the pages at each
// commit, so it costs what the disk costs, and after a power cut the last commit may be gone.
//===-----------------------------------------------------------------------===//

#include "loading.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if __has_include(<lmdb.h>)
#include <lmdb.h>
#define HAS_HEADER 1
#else
#include <sys/types.h>
typedef struct MDB_env MDB_env;
typedef struct MDB_txn MDB_txn;
typedef struct MDB_cursor MDB_cursor;
typedef unsigned int MDB_dbi;
typedef mode_t mdb_mode_t;
typedef struct MDB_val {
    size_t mv_size;
    void *mv_data;
} MDB_val;
typedef enum MDB_cursor_op { MDB_FIRST = 0, MDB_NEXT = 8 } MDB_cursor_op;
#define MDB_NOSYNC 0x10000
#define MDB_RDONLY 0x20000
#define MDB_WRITEMAP 0x80000
#define MDB_CP_COMPACT 0x01
#define MDB_NOTFOUND (-30798)
#endif

#define CALLS(CALL)                                                                   \
    CALL(char *, mdb_version, (int *, int *, int *))                                  \
    CALL(char *, mdb_strerror, (int))                                                 \
    CALL(int, mdb_env_create, (MDB_env **))                                           \
    CALL(int, mdb_env_set_mapsize, (MDB_env *, size_t))                               \
    CALL(int, mdb_env_open, (MDB_env *, const char *, unsigned int, mdb_mode_t))      \
    CALL(int, mdb_env_copy2, (MDB_env *, const char *, unsigned int))                 \
    CALL(void, mdb_env_close, (MDB_env *))                                            \
    CALL(int, mdb_txn_begin, (MDB_env *, MDB_txn *, unsigned int, MDB_txn **))        \
    CALL(int, mdb_txn_commit, (MDB_txn *))                                            \
    CALL(void, mdb_txn_abort, (MDB_txn *))                                            \
    CALL(int, mdb_dbi_open, (MDB_txn *, const char *, unsigned int, MDB_dbi *))       \
    CALL(int, mdb_put, (MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned int))      \
    CALL(int, mdb_del, (MDB_txn *, MDB_dbi, MDB_val *, MDB_val *))                    \
    CALL(int, mdb_cursor_open, (MDB_txn *, MDB_dbi, MDB_cursor **))                   \
    CALL(void, mdb_cursor_close, (MDB_cursor *))                                      \
    CALL(int, mdb_cursor_get, (MDB_cursor *, MDB_val *, MDB_val *, MDB_cursor_op))

static struct {
    CALLS(LOADING_MEMBER)
} api;

#if HAS_HEADER
CALLS(LOADING_CHECK)
#endif

// Address space, not memory and not disk: the file grows as it is filled.
static const size_t map_size = (size_t)16 << 30;

struct peer {
    MDB_env *environment;
    MDB_dbi table;
    MDB_txn *batch;
    peer_setting setting;
    char folder[4096];
};

struct peer_cursor {
    MDB_txn *transaction;
    MDB_cursor *cursor;
    bool began;
};

static const char *load(void) {
    static const char *const names[] = {"liblmdb.so", "liblmdb.so.0", "liblmdb.dylib", NULL};
    static bool loaded = false;
    if (loaded) return NULL;
    void *library = loading_open(names);
    if (library == NULL) return "its library is not installed";
    CALLS(LOADING_FIND)
    loaded = true;
    return NULL;
}

static const char *version(void) {
    static char text[32];
    int major, minor, patch;
    api.mdb_version(&major, &minor, &patch);
    snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

static int settle(int result, char *error) { return result == 0 ? 0 : loading_fail(error, api.mdb_strerror(result)); }

static MDB_val value_of(peer_bytes bytes) { return (MDB_val){.mv_size = bytes.count, .mv_data = (void *)bytes.start}; }

static int open_environment(peer *self, char *error) {
    if (settle(api.mdb_env_create(&self->environment), error)) return -1;
    if (settle(api.mdb_env_set_mapsize(self->environment, map_size), error)) return -1;
    unsigned int flags = (self->setting.durable ? 0 : MDB_NOSYNC) | (self->setting.write_map ? MDB_WRITEMAP : 0);
    if (settle(api.mdb_env_open(self->environment, self->folder, flags, 0644), error)) return -1;
    MDB_txn *transaction;
    if (settle(api.mdb_txn_begin(self->environment, NULL, 0, &transaction), error)) return -1;
    if (settle(api.mdb_dbi_open(transaction, NULL, 0, &self->table), error)) return -1;
    return settle(api.mdb_txn_commit(transaction), error);
}

static peer *open_database(const char *folder, peer_setting setting, char *error) {
    peer *self = calloc(1, sizeof(peer));
    if (self == NULL) abort();
    self->setting = setting;
    if (snprintf(self->folder, sizeof self->folder, "%s", folder) >= (int)sizeof self->folder) {
        loading_fail(error, "the path is too long");
        return NULL;
    }
    return open_environment(self, error) == 0 ? self : NULL;
}

static int put_in(peer *self, MDB_txn *transaction, peer_bytes key, peer_bytes value) {
    MDB_val k = value_of(key), v = value_of(value);
    return api.mdb_put(transaction, self->table, &k, &v, 0);
}

static int take_from(peer *self, MDB_txn *transaction, peer_bytes key) {
    MDB_val k = value_of(key);
    int result = api.mdb_del(transaction, self->table, &k, NULL);
    return result == MDB_NOTFOUND ? 0 : result;
}

static int commit(MDB_txn *transaction, int result, char *error) {
    if (result == 0) return settle(api.mdb_txn_commit(transaction), error);
    api.mdb_txn_abort(transaction);
    return settle(result, error);
}

static int put(peer *self, peer_bytes key, peer_bytes value, char *error) {
    MDB_txn *transaction;
    if (settle(api.mdb_txn_begin(self->environment, NULL, 0, &transaction), error)) return -1;
    return commit(transaction, put_in(self, transaction, key, value), error);
}

static int take(peer *self, peer_bytes key, char *error) {
    MDB_txn *transaction;
    if (settle(api.mdb_txn_begin(self->environment, NULL, 0, &transaction), error)) return -1;
    return commit(transaction, take_from(self, transaction, key), error);
}

static int batch_begin(peer *self, char *error) { return settle(api.mdb_txn_begin(self->environment, NULL, 0, &self->batch), error); }

static int batch_put(peer *self, peer_bytes key, peer_bytes value, char *error) {
    return settle(put_in(self, self->batch, key, value), error);
}

static int batch_remove(peer *self, peer_bytes key, char *error) { return settle(take_from(self, self->batch, key), error); }

static int batch_commit(peer *self, char *error) { return settle(api.mdb_txn_commit(self->batch), error); }

static peer_cursor *cursor_open(peer *self, char *error) {
    peer_cursor *cursor = calloc(1, sizeof(peer_cursor));
    if (cursor == NULL) abort();
    if (settle(api.mdb_txn_begin(self->environment, NULL, MDB_RDONLY, &cursor->transaction), error)) return NULL;
    if (settle(api.mdb_cursor_open(cursor->transaction, self->table, &cursor->cursor), error)) return NULL;
    return cursor;
}

static int cursor_next(peer_cursor *cursor, peer_bytes *key, peer_bytes *value, char *error) {
    MDB_val k, v;
    int result = api.mdb_cursor_get(cursor->cursor, &k, &v, cursor->began ? MDB_NEXT : MDB_FIRST);
    cursor->began = true;
    if (result == MDB_NOTFOUND) return 0;
    if (result != 0) return settle(result, error);
    *key = (peer_bytes){.start = k.mv_data, .count = k.mv_size};
    *value = (peer_bytes){.start = v.mv_data, .count = v.mv_size};
    return 1;
}

static void cursor_close(peer_cursor *cursor) {
    api.mdb_cursor_close(cursor->cursor);
    api.mdb_txn_abort(cursor->transaction);
    free(cursor);
}

// What its mdb_copy -c does: a copy without free pages, which then takes the place of the original. (The copy is synced by mdb_env_copy2.)
static int compact(peer *self, char *error) {
    char folder[4200], copy[4300], original[4200];
    snprintf(folder, sizeof folder, "%s/compacted", self->folder);
    snprintf(copy, sizeof copy, "%s/data.mdb", folder);
    snprintf(original, sizeof original, "%s/data.mdb", self->folder);
    if (mkdir(folder, 0755) != 0) return loading_fail(error, "no folder for the copy");
    if (settle(api.mdb_env_copy2(self->environment, folder, MDB_CP_COMPACT), error)) return -1;
    api.mdb_env_close(self->environment);
    if (rename(copy, original) != 0 || rmdir(folder) != 0) return loading_fail(error, "the copy could not take the place of the original");
    return open_environment(self, error);
}

static int close_database(peer *self, char *error) {
    api.mdb_env_close(self->environment);
    free(self);
    return 0;
}

static const peer_calls calls = {
    .load = load,
    .version = version,
    .open = open_database,
    .put = put,
    .remove = take,
    .batch_begin = batch_begin,
    .batch_put = batch_put,
    .batch_remove = batch_remove,
    .batch_commit = batch_commit,
    .cursor_open = cursor_open,
    .cursor_next = cursor_next,
    .cursor_close = cursor_close,
    .compact = compact,
    .close = close_database,
};

const peer_calls *lmdb_calls(void) { return &calls; }
