//===--- Frame.swift - one batch on its way to disk ------------------------===//
//
// A frame is the smallest thing recovery can trust. Raw segments and the manifest are made of them.
//
//       0   4  headerChecksum    CRC-32C of bytes 4 ..< 40, seeded with the file's identity
//       4   4  payloadChecksum   CRC-32C of the payload and its padding, seeded the same
//       8   4  payloadLength     without padding
//      12   1  kind
//      13   3  zero
//      16   8  sequence          of the first operation; for other kinds the next one to be given out
//      24   8  durableEnd        log position up to which the log was known to be synced when this frame was appended
//      32   8  time              milliseconds since 1970, UTC
//      40   …  payload, then zeros up to a multiple of 8
//
// Frames follow each other without gaps from the end of the file header, rounded up to 8. Behind the last one stand zeros
// (the file is preallocated) or the end of the file: a header that is all zero is never written.
//
// Two checksums rather than one: whoever looks for good frames behind a bad place proves 36 bytes at each step of 8, not
// whatever length the garbage there happens to spell, so the search is linear even in hostile bytes.
//===-----------------------------------------------------------------------===//

package struct FrameHeader: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// Records numbered in a row; applied when the frame is whole.
        case operations = 1
        /// Says how far the log is synced, nothing else. The next frame is written over it.
        case mark = 2
        /// Records that belong to a transaction; the payload begins with its number as a varint.
        case transactionOperations = 3
        /// The transaction whose number is the payload is committed.
        case commit = 4
        /// The transaction whose number is the payload never happened.
        case rollback = 5
        /// Edits of the manifest.
        case manifestEdits = 16
    }

    package static let length = 40
    /// A frame's payload fits a 32-bit length with room to spare: the largest document, the largest key and their lengths.
    package static let maximumPayloadLength = 3 << 29

    package var kind: Kind
    package var payloadLength: Int
    package var payloadChecksum: UInt32 = 0
    package var sequence: UInt64
    package var durableEnd: UInt64
    package var milliseconds: Int64

    package init(kind: Kind, payloadLength: Int = 0, sequence: UInt64, durableEnd: UInt64, milliseconds: Int64) {
        self.kind = kind
        self.payloadLength = payloadLength
        self.sequence = sequence
        self.durableEnd = durableEnd
        self.milliseconds = milliseconds
    }

    /// Bytes of the whole frame in the file.
    @inline(__always)
    package var frameLength: Int { Self.length + Self.padded(payloadLength) }

    @inline(__always)
    package static func padded(_ length: Int) -> Int { (length + 7) & ~7 }

    /// Decodes and proves a header; nil where the 40 bytes are not one. Does not look at the payload.
    package static func decode(_ bytes: Span<UInt8>, seed: UInt32) -> FrameHeader? {
        // Whoever looks for frames in bytes that are none comes here at each eighth of them: most show it before they are summed.
        guard bytes.count >= length, bytes[13] == 0, bytes[14] == 0, bytes[15] == 0, Kind(rawValue: bytes[12]) != nil else { return nil }
        var reader = ByteReader(bytes)
        guard let stored = try? reader.u32(), Checksum.crc32c(bytes.extracting(4..<length), seed: seed) == stored,
            let payloadChecksum = try? reader.u32(), let payloadLength = try? reader.u32(),
            let kindAndZeros = try? reader.u32(), kindAndZeros < 256, let kind = Kind(rawValue: UInt8(kindAndZeros)),
            let sequence = try? reader.u64(), let durableEnd = try? reader.u64(), let time = try? reader.u64(),
            payloadLength <= UInt32(maximumPayloadLength)
        else { return nil }
        var header = FrameHeader(
            kind: kind, payloadLength: Int(payloadLength), sequence: sequence, durableEnd: durableEnd,
            milliseconds: Int64(bitPattern: time))
        header.payloadChecksum = payloadChecksum
        return header
    }

    /// Whether `paddedPayload` is the payload this header was written with.
    @inline(__always)
    package func validates(_ paddedPayload: Span<UInt8>, seed: UInt32) -> Bool {
        paddedPayload.count == Self.padded(payloadLength) && Checksum.crc32c(paddedPayload, seed: seed) == payloadChecksum
    }
}

/// Builds frames in a buffer it reuses: `begin`, append the payload to `buffer`, `finish`.
package struct FrameBuilder: ~Copyable {
    package var buffer: ByteBuffer
    private var start = 0

    package init(capacity: Int = 4096) { buffer = ByteBuffer(capacity: capacity) }

    /// Starts a frame behind whatever the buffer holds.
    @inline(__always)
    package mutating func begin() {
        start = buffer.count
        buffer.reserve(FrameHeader.length + 64)
        buffer.append(zeros: FrameHeader.length)
    }

    @inline(__always)
    package var payloadLength: Int { buffer.count - start - FrameHeader.length }

    /// Takes the first `count` bytes out of the payload of the frame begun last.
    package mutating func removeFromPayload(first count: Int) {
        let payload = start + FrameHeader.length
        buffer.remove(payload..<(payload + count))
    }

    /// Pads the payload, fills in the header and seals both with their checksums.
    @inline(__always)
    package mutating func finish(
        _ kind: FrameHeader.Kind, sequence: UInt64, durableEnd: UInt64, milliseconds: Int64, seed: UInt32
    ) {
        let length = payloadLength
        precondition(length <= FrameHeader.maximumPayloadLength)
        buffer.append(zeros: FrameHeader.padded(length) - length)
        buffer.patch(u32: UInt32(truncatingIfNeeded: length), at: start + 8)
        buffer.patch(u32: UInt32(kind.rawValue), at: start + 12)
        buffer.patch(u64: sequence, at: start + 16)
        buffer.patch(u64: durableEnd, at: start + 24)
        buffer.patch(u64: UInt64(bitPattern: milliseconds), at: start + 32)
        let payload = Checksum.crc32c(buffer.span.extracting((start + FrameHeader.length)...), seed: seed)
        buffer.patch(u32: payload, at: start + 4)
        let header = Checksum.crc32c(buffer.span.extracting((start + 4)..<(start + FrameHeader.length)), seed: seed)
        buffer.patch(u32: header, at: start)
    }
}
