//===--- ByteReader.swift - bytes being decoded ----------------------------===//
//
// Walks a span front to back. Every read is checked against what is left and throws with the offset where it stopped;
// nothing here can trap or allocate because of what the bytes say.
//===-----------------------------------------------------------------------===//

package struct ByteReader: ~Escapable {
    package let bytes: Span<UInt8>
    package private(set) var position = 0

    @_lifetime(copy bytes)
    @inline(__always)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    @inline(__always)
    package var remaining: Int { bytes.count - position }
    @inline(__always)
    package var isAtEnd: Bool { position == bytes.count }

    @inline(__always)
    package mutating func u8() throws(FormatError) -> UInt8 {
        guard position < bytes.count else { throw endedEarly() }
        let value = bytes[position]
        position += 1
        return value
    }

    @inline(__always)
    package mutating func u16() throws(FormatError) -> UInt16 { try integer() }
    @inline(__always)
    package mutating func u32() throws(FormatError) -> UInt32 { try integer() }
    @inline(__always)
    package mutating func u64() throws(FormatError) -> UInt64 { try integer() }

    @inline(__always)
    private mutating func integer<I: FixedWidthInteger & BitwiseCopyable>() throws(FormatError) -> I {
        guard remaining >= MemoryLayout<I>.size else { throw endedEarly() }
        // SAFETY: the bytes are there (above), and any bit pattern is an integer.
        let value = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: position, as: I.self) }
        position += MemoryLayout<I>.size
        return I(littleEndian: value)
    }

    @inline(__always)
    package mutating func varint() throws(FormatError) -> UInt64 {
        guard position < bytes.count else { throw endedEarly() }
        let first = bytes[position]
        if first < 0x80 {
            position += 1
            return UInt64(first)
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        let start = position
        while true {
            let byte = try u8()
            let bits = UInt64(byte & 0x7F)
            if shift == 63 && bits > 1 { throw FormatError(.corrupted, "a number is longer than 64 bits", at: start) }
            value |= bits << shift
            if byte < 0x80 {
                // One number, one spelling: a last byte of zero is padding.
                if byte == 0 { throw FormatError(.corrupted, "a number is padded with zeros", at: start) }
                return value
            }
            shift += 7
            if shift > 63 { throw FormatError(.corrupted, "a number is longer than 64 bits", at: start) }
        }
    }

    /// A varint that counts bytes or items still to come, so it cannot exceed `limit`.
    @inline(__always)
    package mutating func count(limit: Int, of what: @autoclosure () -> String) throws(FormatError) -> Int {
        let start = position
        let value = try varint()
        guard value <= UInt64(limit) else {
            throw FormatError(.corrupted, "\(what()) is \(value), more than the \(limit) possible here", at: start)
        }
        return Int(value)
    }

    @inline(__always)
    package mutating func signedVarint() throws(FormatError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
    }

    /// The next `count` bytes.
    @inline(__always)
    @_lifetime(copy self)
    package mutating func take(_ count: Int) throws(FormatError) -> Span<UInt8> {
        guard count >= 0, count <= remaining else { throw endedEarly() }
        let slice = bytes.extracting(position..<(position + count))
        position += count
        return slice
    }

    private func endedEarly() -> FormatError {
        FormatError(.corrupted, "the bytes end too early", at: position)
    }
}

/// The index of the last byte that is not zero.
package func lastNonZero(_ bytes: Span<UInt8>) -> Int? {
    var end = bytes.count
    while end >= 8 {
        // SAFETY: eight bytes before `end` are there, and any bit pattern is an integer.
        let word = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) }
        if word != 0 { break }
        end -= 8
    }
    while end > 0 {
        if bytes[end - 1] != 0 { return end - 1 }
        end -= 1
    }
    return nil
}
