//===--- TableKey.swift - types that can be keys ----------------------------===//

/// A type that can be a ``Table``'s key: `String`, `Int`, `Int64`, `UUID`, ``Key``, which takes both kinds, and types whose raw value is one of them,
/// which only need to say so:
///
/// ```swift
/// enum Room: String, TableKey { case harbor, cellar }
/// ```
public protocol TableKey: Hashable, Sendable {
    var key: Key { get }
    /// nil where `key` is no value of the type.
    init?(key: Key)
    /// The kind of key; nil where there may be both.
    static var keyType: KeyType? { get }
}

extension TableKey {
    public static var keyType: KeyType? { nil }
}

extension TableKey where Self: RawRepresentable, RawValue: TableKey {
    public var key: Key { rawValue.key }
    public init?(key: Key) {
        guard let raw = RawValue(key: key) else { return nil }
        self.init(rawValue: raw)
    }
    public static var keyType: KeyType? { RawValue.keyType }
}

extension String: TableKey {
    public var key: Key { .string(self) }
    public init?(key: Key) {
        guard case .string(let text) = key else { return nil }
        self = text
    }
    public static var keyType: KeyType? { .string }
}

extension Int64: TableKey {
    public var key: Key { .integer(self) }
    public init?(key: Key) {
        guard case .integer(let value) = key else { return nil }
        self = value
    }
    public static var keyType: KeyType? { .integer }
}

extension Int: TableKey {
    public var key: Key { .integer(Int64(self)) }
    public init?(key: Key) {
        guard case .integer(let value) = key, let exact = Int(exactly: value) else { return nil }
        self = exact
    }
    public static var keyType: KeyType? { .integer }
}

extension Key: TableKey {
    public var key: Key { self }
    public init?(key: Key) { self = key }
}
