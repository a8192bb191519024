//===--- KeySelection.swift - some keys of a table --------------------------===//

import LogDBFormat

/// Which keys of a table ``Database/select(_:_:_:)`` delivers, in which direction, and how many.
///
/// ```swift
/// try db.select("actors", .prefix("goblin-")) { print(try $0.key) }
/// try db.select("rooms", .range(from: 100, to: 200).limited(to: 10).backwards()) { print(try $0.key) }
/// ```
public struct KeySelection: Sendable, Hashable {
    /// The first key that may be delivered; nil from the first there is.
    public var from: Key?
    /// The first key that is not delivered any more; nil to the last there is.
    public var to: Key?
    /// What string keys must begin with; nil for any.
    public var prefix: String?
    /// The most documents to deliver.
    public var limit = Int.max
    /// Whether to begin with the greatest key.
    public var isReversed = false

    /// All keys, in order.
    public init() {}

    /// Keys from `from` on, to the one before `to`.
    public static func range(from: Key? = nil, to: Key? = nil) -> KeySelection {
        var selection = KeySelection()
        selection.from = from
        selection.to = to
        return selection
    }

    /// String keys whose UTF-8 begins with that of `prefix`.
    public static func prefix(_ prefix: String) -> KeySelection {
        var selection = KeySelection()
        selection.prefix = prefix
        return selection
    }

    /// At most `limit` of them, in the direction that is asked for.
    public func limited(to limit: Int) -> KeySelection {
        var selection = self
        selection.limit = max(0, limit)
        return selection
    }

    /// The same keys in the other direction.
    public func backwards() -> KeySelection {
        var selection = self
        selection.isReversed.toggle()
        return selection
    }

    /// The narrowest range of full keys that holds what is meant.
    func range(in table: UInt64) throws(LogDBError) -> KeyRange {
        var range = KeyRange(table: table)
        if let from { range.lower = FullKey(table: table, key: try Self.encoded(from)) }
        if let to { range.upper = min(range.upper!, FullKey(table: table, key: try Self.encoded(to))) }
        guard let prefix else { return range }
        let first = try Self.encoded(.string(prefix))
        range.lower = max(range.lower, FullKey(table: table, key: first))
        // The first run of bytes behind all that begin with it. The type's byte is not FF, so there is one.
        var behind = first
        while behind.last == 0xFF { behind.removeLast() }
        behind[behind.count - 1] += 1
        range.upper = min(range.upper!, FullKey(table: table, key: behind))
        return range
    }

    private static func encoded(_ key: Key) throws(LogDBError) -> [UInt8] {
        var buffer = ByteBuffer()
        try key.append(to: &buffer)
        return Array(buffer.span)
    }
}
