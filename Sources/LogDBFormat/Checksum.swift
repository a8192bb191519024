//===--- Checksum.swift - CRC-32C, seeded ----------------------------------===//
//
// Every byte that LogDB returns lies under one of these. Frames seed it with the identity of the file they were written
// to: what an earlier file left on the same blocks, or a frame copied from another segment, can never validate. (CRC is
// linear and its state transition is a bijection, so a frame intact under one seed fails under every other.)
//===-----------------------------------------------------------------------===//

import CLogDB

package enum Checksum {
    /// The CRC-32C of `bytes`, continued from `seed`; pass an earlier checksum to continue it over more bytes.
    @inline(__always)
    package static func crc32c(_ bytes: Span<UInt8>, seed: UInt32 = 0) -> UInt32 {
        // SAFETY: the pointer does not outlive the closure and the count is the span's own.
        unsafe bytes.withUnsafeBufferPointer { unsafe logdb_crc32c(seed, $0.baseAddress, $0.count) }
    }

    /// The seed that a file's identity gives its frames: the CRC-32C of its eight little-endian bytes.
    package static func seed(identity: UInt64) -> UInt32 {
        var bytes = ByteBuffer(capacity: 8)
        bytes.append(u64: identity)
        return crc32c(bytes.span)
    }
}
