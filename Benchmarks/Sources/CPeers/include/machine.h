//===--- machine.h - what the benchmarks ask of the machine itself ----------===//

#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__cplusplus)
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// CRC-32C with the processor's instruction where it has one: what a checksum costs at least.
uint32_t machine_crc32c(uint32_t seed, const uint8_t *bytes, size_t count);

/// LZ4, loaded at run time; false where it is not installed.
bool machine_has_lz4(void);
/// Bytes of the compressed form, which `target` must have room for: `count` and a hundredth more.
int machine_lz4_compress(const uint8_t *bytes, int count, uint8_t *target, int capacity);
int machine_lz4_decompress(const uint8_t *bytes, int count, uint8_t *target, int capacity);

/// Starts a program that dies with this one, its output going nowhere. `arguments` ends with null. Its process id, or -1.
pid_t machine_spawn(const char *const _Nullable *_Nonnull arguments);

/// Writes a file back and asks the system to forget its pages. 0, or -1.
int machine_evict(const char *path);
/// Copies a file with its holes, and syncs the copy. 0, or -1.
int machine_copy(const char *source, const char *target);
/// How many bytes of a file are in the page cache; -1 if it cannot be told.
ssize_t machine_cached_bytes(const char *path);

/// std::unordered_map<std::string, std::string>: the map that a C++ program would fill.
typedef struct machine_map machine_map;
machine_map *machine_map_create(void);
void machine_map_destroy(machine_map *map);
void machine_map_put(machine_map *map, const uint8_t *key, size_t key_count, const uint8_t *value, size_t value_count);
void machine_map_remove(machine_map *map, const uint8_t *key, size_t key_count);
size_t machine_map_count(const machine_map *map);
/// Sum of machine_digest over all entries, and of their bytes.
uint64_t machine_map_digest(const machine_map *map, uint64_t *byte_count);

/// A hash of one key with its value. The sum over a map tells maps apart whatever their order.
uint64_t machine_digest(const uint8_t *key, size_t key_count, const uint8_t *value, size_t value_count);

#pragma clang assume_nonnull end

#if defined(__cplusplus)
}
#endif

#endif
