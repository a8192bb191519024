#ifndef CLOGDB_H
#define CLOGDB_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, initial value and final exclusive-or 0xFFFFFFFF), continued from
/// `crc`; start with 0. `logdb_crc32c(logdb_crc32c(0, a), b)` is the checksum of a followed by b.
uint32_t logdb_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count);

/// The same without the processor's instruction, so that a test can hold the two against each other.
uint32_t logdb_crc32c_portable(uint32_t crc, const void *_Nullable bytes, size_t count);

/// Gives the blocks of `length` bytes at `offset` back to the disk (Linux: fallocate(2) with FALLOC_FL_PUNCH_HOLE, which the C library declares
/// only with _GNU_SOURCE; elsewhere it does nothing). Best effort: errors are not reported.
void logdb_punch_hole(int descriptor, int64_t offset, int64_t length);

/// 1 where the file system is known to write a block of a file back to where it was read from: ext2 to ext4, tmpfs. 0 where it is not, as on one that
/// writes copies and so needs room for a change to what is there.
int logdb_keeps_blocks_in_place(int descriptor);

/// Says that `length` bytes from `start` on are best served by huge pages (Linux: madvise(2) with MADV_HUGEPAGE; elsewhere it does nothing).
void logdb_advise_huge_pages(void *_Nonnull start, size_t length);

/// Has the processor fetch the line at `address`, which need not be valid, while it does other things.
static inline void logdb_prefetch(const void *_Nullable address) { __builtin_prefetch(address); }

#endif
