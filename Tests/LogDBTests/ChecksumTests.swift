//===--- ChecksumTests.swift - one checksum, however it is computed --------===//

import CLogDB
import LogDBFormat
import Testing

@Suite struct ChecksumTests {
    private static func portable(_ bytes: Span<UInt8>, seed: UInt32) -> UInt32 {
        // SAFETY: the pointer does not outlive the closure and the count is the span's own.
        unsafe bytes.withUnsafeBufferPointer { unsafe logdb_crc32c_portable(seed, $0.baseAddress, $0.count) }
    }

    private let bytes: [UInt8] = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 167 &+ $0 >> 5) }

    // RFC 3720, B.4.
    @Test func `the checksum is CRC-32C`() {
        #expect(Checksum.crc32c(Array("123456789".utf8).span) == 0xE306_9283)
        #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32).span) == 0x8A91_36AA)
        #expect(Checksum.crc32c([UInt8](repeating: 0xFF, count: 32).span) == 0x62A8_AB43)
        #expect(Self.portable(Array("123456789".utf8).span, seed: 0) == 0xE306_9283)
    }

    @Test func `three lanes side by side give what one byte after the other gives, at every length`() {
        // Past two rounds of the long lanes (3 x 1024) and every remainder of the short ones (3 x 96).
        for length in 0...6_800 {
            let start = length % 9
            let part = bytes.span.extracting(start..<start + length)
            let seed = UInt32(truncatingIfNeeded: length) &* 0x9E37_79B9
            guard Checksum.crc32c(part, seed: seed) == Self.portable(part, seed: seed) else {
                Issue.record("differs at length \(length)")
                return
            }
        }
    }

    @Test func `a checksum may be continued at any byte`() {
        let whole = Checksum.crc32c(bytes.span)
        for cut in stride(from: 0, through: bytes.count, by: 61) {
            let first = Checksum.crc32c(bytes.span.extracting(0..<cut))
            #expect(Checksum.crc32c(bytes.span.extracting(cut..<bytes.count), seed: first) == whole)
        }
    }
}
