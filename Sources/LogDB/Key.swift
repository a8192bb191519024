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

/// A type that can be a ``Table``'s key: `String`, `Int`, `Int64` or ``Key``, which takes both kinds.
public protocol TableKey: Hashable, Sendable {
    var key: Key { get }
    /// nil where `key` is of the other kind.
    init?(key: Key)
}

extension String: TableKey {
    public var key: Key { .string(self) }
    public init?(key: Key) {
        guard case .string(let text) = key else { return nil }
        self = text
    }
}

extension Int64: TableKey {
    public var key: Key { .integer(self) }
    public init?(key: Key) {
        guard case .integer(let value) = key else { return nil }
        self = value
    }
}

extension Int: TableKey {
    public var key: Key { .integer(Int64(self)) }
    public init?(key: Key) {
        guard case .integer(let value) = key, let exact = Int(exactly: value) else { return nil }
        self = exact
    }
}

extension Key: TableKey {
    public var key: Key { self }
    public init?(key: Key) { self = key }
}
