//===--- Batch.swift - operations that happen together ---------------------===//

import LogDBFormat

/// Operations for ``Database/write(_:persistence:)``: after a crash all of them are there, or none is.
///
/// A batch is encoded as it is filled, lives in memory until it is written, and is limited to ``Options/maximumDocumentBytes``
/// in all; transactions have no such limit. Later operations on a key stand over earlier ones, in the batch as everywhere.
public struct Batch: Sendable {
    struct Item: Sendable {
        /// Place in `tables`.
        var table: Int32
        var isDelete: Bool
        /// Places in `bytes`: the encoded key's, which is followed by the document.
        var start: Int
        var documentStart: Int
        var end: Int
        var timeToLive: TimeToLive?

        var key: Range<Int> { start..<documentStart }
        var document: Range<Int> { documentStart..<end }
    }

    private(set) var items: [Item] = []
    private(set) var bytes: [UInt8] = []
    /// Names of tables, in the order in which they came up.
    private(set) var tables: [String] = []
    private var places: [String: Int32] = [:]
    /// When all of it was made, where that is not now: for what is written once more somewhere else.
    package var milliseconds: Int64?
    /// Whether an item says itself when it expires.
    private(set) var hasTimesToLive = false

    public init() {}

    /// Number of operations.
    public var count: Int { items.count }
    public var isEmpty: Bool { items.isEmpty }

    /// Takes all operations out. Who writes batch after batch keeps the memory, and uses it again.
    public mutating func removeAll(keepingCapacity: Bool = false) {
        items.removeAll(keepingCapacity: keepingCapacity)
        bytes.removeAll(keepingCapacity: keepingCapacity)
        tables.removeAll(keepingCapacity: keepingCapacity)
        places.removeAll(keepingCapacity: keepingCapacity)
        milliseconds = nil
        hasTimesToLive = false
    }

    /// Adds an upsert of a document given as JSON text. The text is proven when the batch is written.
    ///
    /// - Parameter timeToLive: when it expires, counted from when the batch is written; nil: as the table says.
    /// - Throws: `.keyTooLarge`, `.invalidOption` for a time to live out of its range; the batch is as it was.
    public mutating func upsert(_ table: String, _ key: Key, json: Span<UInt8>, timeToLive: TimeToLive? = nil) throws(LogDBError) {
        try TimeToLive.validate(timeToLive)
        let start = try appendKey(key)
        let documentStart = bytes.count
        unsafe json.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        append(table, isDelete: false, start, documentStart, timeToLive)
        if timeToLive != nil { hasTimesToLive = true }
    }

    public mutating func upsert(_ table: String, _ key: Key, json: String, timeToLive: TimeToLive? = nil) throws(LogDBError) {
        try upsert(table, key, json: Array(json.utf8).span, timeToLive: timeToLive)
    }

    /// Adds a delete.
    public mutating func delete(_ table: String, _ key: Key) throws(LogDBError) {
        append(table, isDelete: true, try appendKey(key), bytes.count, nil)
    }

    private mutating func append(_ table: String, isDelete: Bool, _ start: Int, _ documentStart: Int, _ timeToLive: TimeToLive?) {
        items.append(
            Item(
                table: place(of: table), isDelete: isDelete, start: start, documentStart: documentStart, end: bytes.count,
                timeToLive: timeToLive))
    }

    /// Mostly they are for one table, or for few.
    @inline(__always)
    private mutating func place(of table: String) -> Int32 {
        if let last = items.last, tables[Int(last.table)] == table { return last.table }
        return findPlace(of: table)
    }

    @inline(never)
    private mutating func findPlace(of table: String) -> Int32 {
        if let place = places[table] { return place }
        let place = Int32(tables.count)
        tables.append(table)
        places[table] = place
        return place
    }

    private mutating func appendKey(_ key: Key) throws(LogDBError) -> Int {
        try key.checkLength()
        let start = bytes.count
        // SAFETY: as many bytes as the key takes.
        unsafe withUnsafeTemporaryAllocation(byteCount: key.encodedLength, alignment: 1) { room in
            unsafe key.encode(into: room)
            unsafe bytes.append(contentsOf: room)
        }
        return start
    }
}
