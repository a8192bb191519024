#ifndef CLOGDB_H
#define CLOGDB_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, initial value and final exclusive-or 0xFFFFFFFF), continued from
/// `crc`; start with 0. `logdb_crc32c(logdb_crc32c(0, a), b)` is the checksum of a followed by b.
uint32_t logdb_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count);

/// The same without the processor's instruction, so that a test can hold the two against each other.
uint32_t logdb_crc32c_portable(uint32_t crc, const void *_Nullable bytes, size_t count);

#endif
