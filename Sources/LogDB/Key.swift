//===--- Key.swift - what a document is filed under ------------------------===//

import LogDBFormat

/// A key: a string or a 64-bit integer. A table may hold both; `"7"` and `7` are different keys.
///
/// A string key has at most 65,535 bytes of UTF-8. Keys sort integers first, by value, then strings, by their UTF-8 bytes; that is
/// the order in which ``Database/select(_:_:)`` delivers them.
public enum Key: Hashable, Sendable {
    case integer(Int64)
    case string(String)
}

// Keys are bytes on the disk, so they are here: "é" in one code point and in two are different keys, although Swift's strings are equal.
extension Key {
    public static func == (a: Key, b: Key) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): a == b
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .integer(let value): hasher.combine(value)
        case .string(let text):
            for byte in text.utf8 { hasher.combine(byte) }
            hasher.combine(0xFF as UInt8)
        }
    }
}

extension Key: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension Key: Comparable {
    public static func < (a: Key, b: Key) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): a < b
        case (.integer, .string): true
        case (.string, .integer): false
        case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        }
    }
}

extension Key: CustomStringConvertible {
    public var description: String {
        switch self {
        case .integer(let value): String(value)
        case .string(let value): value
        }
    }
}

extension Key {
    /// The largest string key, in bytes of UTF-8.
    public static let maximumBytes = 65_535

    /// Bytes of the encoded key.
    var encodedLength: Int {
        switch self {
        case .integer: 9
        case .string(let text): text.utf8.count + 1
        }
    }

    @inline(__always)
    func checkLength() throws(LogDBError) {
        guard case .string(let text) = self, text.utf8.count > Self.maximumBytes else { return }
        throw LogDBError(
            .keyTooLarge, "the key has \(text.utf8.count) bytes, more than the \(Self.maximumBytes) allowed: use a shorter key")
    }

    @inline(__always)
    func encode(to buffer: inout ByteBuffer) {
        switch self {
        case .integer(let value): KeyCoding.append(value, to: &buffer)
        case .string(let text): KeyCoding.append(text, to: &buffer)
        }
    }

    /// Writes the encoded key into `room`, which has exactly as many bytes.
    func encode(into room: UnsafeMutableRawBufferPointer) {
        switch self {
        case .integer(let value):
            unsafe room[0] = KeyCoding.integerTag
            unsafe room.storeBytes(of: (UInt64(bitPattern: value) ^ (1 << 63)).bigEndian, toByteOffset: 1, as: UInt64.self)
        case .string(var text):
            unsafe room[0] = KeyCoding.stringTag
            // SAFETY: the room has a byte for the tag and one for each of the text's.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[1...])
            text.withUTF8 { utf8 in unsafe rest.copyMemory(from: UnsafeRawBufferPointer(utf8)) }
        }
    }

    package func append(to buffer: inout ByteBuffer) throws(LogDBError) {
        try checkLength()
        encode(to: &buffer)
    }

    package init(decoding bytes: Span<UInt8>) throws(FormatError) {
        switch try KeyCoding.decode(bytes) {
        case .integer(let value): self = .integer(value)
        case .string(let text): self = .string(text)
        }
    }
}
