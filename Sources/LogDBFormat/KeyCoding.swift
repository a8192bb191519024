//===--- KeyCoding.swift - keys as bytes that sort like keys ---------------===//
//
//      integer   01  eight bytes, big-endian, sign bit flipped
//      string    02  UTF-8
//
// Compared as bytes, encoded keys sort as keys do: integers by value before strings by code point. A table may hold both.
//===-----------------------------------------------------------------------===//

package enum KeyCoding {
    package static let integerTag: UInt8 = 1
    package static let stringTag: UInt8 = 2

    @inline(__always)
    package static func append(_ value: Int64, to buffer: inout ByteBuffer) {
        buffer.append(integerTag)
        buffer.append(u64: (UInt64(bitPattern: value) ^ (1 << 63)).bigEndian)
    }

    @inline(__always)
    package static func append(_ text: String, to buffer: inout ByteBuffer) {
        buffer.append(stringTag)
        buffer.append(utf8: text)
    }

    package enum Decoded {
        case integer(Int64)
        case string(String)
    }

    package static func decode(_ bytes: Span<UInt8>) throws(FormatError) -> Decoded {
        var reader = ByteReader(bytes)
        switch try reader.u8() {
        case integerTag:
            guard bytes.count == 9 else { throw FormatError(.corrupted, "an integer key has \(bytes.count - 1) bytes, not 8") }
            return .integer(Int64(bitPattern: UInt64(bigEndian: try reader.u64()) ^ (1 << 63)))
        case stringTag:
            guard let text = string(bytes.extracting(1...)) else { throw FormatError(.corrupted, "a string key is not UTF-8", at: 1) }
            return .string(text)
        case let tag:
            throw FormatError(.corrupted, "a key has the unknown type \(tag)")
        }
    }

    /// Throws what `decode` throws, without making the key.
    @inline(__always)
    package static func validate(_ bytes: Span<UInt8>) throws(FormatError) {
        guard bytes.count > 0, bytes[0] == stringTag, isASCII(bytes) else { return try validateAny(bytes) }
    }

    @inline(never)
    private static func validateAny(_ bytes: Span<UInt8>) throws(FormatError) { _ = try decode(bytes) }

    @inline(__always)
    private static func isASCII(_ bytes: Span<UInt8>) -> Bool {
        // SAFETY: all loads lie within the span.
        unsafe bytes.withUnsafeBytes { bytes in
            var bits: UInt64 = 0
            var index = 0
            while index + 8 <= bytes.count {
                bits |= unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                bits |= UInt64(unsafe bytes[index])
                index += 1
            }
            return bits & 0x8080_8080_8080_8080 == 0
        }
    }

    /// The text of a string key; nil for any other.
    package static func text(_ bytes: Span<UInt8>) -> String? {
        bytes.count > 0 && bytes[0] == stringTag ? string(bytes.extracting(1...)) : nil
    }

    /// The text of `bytes`, or nil where they are not UTF-8.
    package static func string(_ bytes: Span<UInt8>) -> String? {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(validating: $0, as: UTF8.self) }
    }

    /// A 64-bit hash of table and key, for the indexes and samples of segments: FNV-1a, then MurmurHash3's finaliser.
    package static func hash(table: UInt64, key: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (table &* 0x9E37_79B9_7F4A_7C15)
        for index in 0..<key.count { hash = (hash ^ UInt64(key[index])) &* 0x0000_0100_0000_01B3 }
        return mix(hash)
    }

    /// MurmurHash3's finaliser: every bit of the result depends on every bit of `hash`.
    @inline(__always)
    package static func mix(_ hash: UInt64) -> UInt64 {
        var hash = hash
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}
