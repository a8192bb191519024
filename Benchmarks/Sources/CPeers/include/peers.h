//===--- peers.h - embedded key-value stores behind one set of calls --------===//
//
// RocksDB, LevelDB and LMDB through their own C interfaces. Their libraries are loaded when asked for (dlopen), not linked: this package
// builds and runs where none of them is installed, and says which is missing. Where a library's header is there while this is compiled,
// every declaration of ours is checked against it.
//
//   * a call that can fail gives 0 or a negative number and leaves a sentence in `error`, which has room for PEER_ERROR_LENGTH bytes.
//   * `put` and `remove` may be called from several threads at once; everything else belongs to one thread.
//===-----------------------------------------------------------------------===//

#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_ERROR_LENGTH 512

#if defined(__cplusplus)
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// Bytes that somebody else owns.
typedef struct peer_bytes {
    const uint8_t *_Nullable start;
    size_t count;
} peer_bytes;

typedef enum peer_compression { peer_compression_none, peer_compression_lz4, peer_compression_zstd } peer_compression;

typedef struct peer_setting {
    /// On the disk when a write returns; else in the system's hands.
    bool durable;
    peer_compression compression;
    /// Compacts only when it is told to.
    bool manual_compaction;
    /// Stores into the mapped file instead of calling the system.
    bool write_map;
    /// For buffers of what is not sorted yet.
    size_t memory_budget;
} peer_setting;

typedef struct peer peer;
typedef struct peer_cursor peer_cursor;

typedef struct peer_calls {
    /// Loads the library: null, or why it is not to be had.
    const char *_Nullable (*_Nonnull load)(void);
    const char *_Nonnull (*_Nonnull version)(void);

    /// Opens the database in a folder that exists, and makes it if there is none; null is a failure.
    peer *_Nullable (*_Nonnull open)(const char *folder, peer_setting setting, char *error);
    int (*_Nonnull put)(peer *database, peer_bytes key, peer_bytes value, char *error);
    int (*_Nonnull remove)(peer *database, peer_bytes key, char *error);

    /// A batch: all of it is there after a crash, or nothing.
    int (*_Nonnull batch_begin)(peer *database, char *error);
    int (*_Nonnull batch_put)(peer *database, peer_bytes key, peer_bytes value, char *error);
    int (*_Nonnull batch_remove)(peer *database, peer_bytes key, char *error);
    int (*_Nonnull batch_commit)(peer *database, char *error);

    /// Everything, in the order of keys. `cursor_next` gives 1 with a row, which is valid until the next call, and 0 behind the last.
    peer_cursor *_Nullable (*_Nonnull cursor_open)(peer *database, char *error);
    int (*_Nonnull cursor_next)(peer_cursor *cursor, peer_bytes *key, peer_bytes *value, char *error);
    void (*_Nonnull cursor_close)(peer_cursor *cursor);

    int (*_Nonnull compact)(peer *database, char *error);
    int (*_Nonnull close)(peer *database, char *error);
} peer_calls;

const peer_calls *rocksdb_calls(void);
const peer_calls *leveldb_calls(void);
const peer_calls *lmdb_calls(void);

#pragma clang assume_nonnull end

#if defined(__cplusplus)
}
#endif

#endif
