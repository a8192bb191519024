//===--- Batch.swift - operations that happen together ---------------------===//

import LogDBFormat

/// Operations for ``Database/write(_:persistence:)``: after a crash all of them are there, or none is.
///
/// A batch is encoded as it is filled, lives in memory until it is written, and is limited to ``Options/maximumDocumentBytes``
/// in all; transactions have no such limit. Later operations on a key stand over earlier ones, in the batch as everywhere.
public struct Batch: Sendable {
    struct Item: Sendable {
        var table: String
        var isDelete: Bool
        /// Encoded key, then document, in `bytes`.
        var key: Range<Int>
        var document: Range<Int>
        var timeToLive: TimeToLive?
    }

    private(set) var items: [Item] = []
    private(set) var bytes: [UInt8] = []
    /// When all of it was made, where that is not now: for what is written once more somewhere else.
    package var milliseconds: Int64?
    /// Whether an item says itself when it expires.
    private(set) var hasTimesToLive = false

    public init() {}

    /// Number of operations.
    public var count: Int { items.count }
    public var isEmpty: Bool { items.isEmpty }

    /// Adds an upsert of a document given as JSON text. The text is proven when the batch is written.
    ///
    /// - Parameter timeToLive: when it expires, counted from when the batch is written; nil: as the table says.
    /// - Throws: `.keyTooLarge`, `.invalidOption` for a time to live out of its range; the batch is as it was.
    public mutating func upsert(_ table: String, _ key: Key, json: Span<UInt8>, timeToLive: TimeToLive? = nil) throws(LogDBError) {
        try TimeToLive.validate(timeToLive)
        let start = try appendKey(key)
        let middle = bytes.count
        unsafe json.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        items.append(
            Item(table: table, isDelete: false, key: start..<middle, document: middle..<bytes.count, timeToLive: timeToLive))
        if timeToLive != nil { hasTimesToLive = true }
    }

    public mutating func upsert(_ table: String, _ key: Key, json: String, timeToLive: TimeToLive? = nil) throws(LogDBError) {
        try upsert(table, key, json: Array(json.utf8).span, timeToLive: timeToLive)
    }

    /// Adds a delete.
    public mutating func delete(_ table: String, _ key: Key) throws(LogDBError) {
        let start = try appendKey(key)
        items.append(Item(table: table, isDelete: true, key: start..<bytes.count, document: bytes.count..<bytes.count))
    }

    private mutating func appendKey(_ key: Key) throws(LogDBError) -> Int {
        let start = bytes.count
        var encoded = ByteBuffer(capacity: 64)
        try key.append(to: &encoded)
        unsafe encoded.span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        return start
    }
}
