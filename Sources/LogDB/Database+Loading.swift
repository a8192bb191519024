//===--- Database+Loading.swift - everything at once, into memory -----------===//
//
// What an application does when it starts. `replay` delivers all operations, `select` the live documents in order; loading has neither duty, reads
// newest first, and so never touches what was overwritten. How: Loading/Loader.swift.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension Database {
    // MARK: - Into a collection

    /// Loads the live documents of `table` into memory, as a dictionary that cannot be changed. The quickest way to get everything back.
    ///
    /// A table that does not exist is empty. Sees the state at the moment of the call, as ``select(_:_:)`` does; what expires later stays in it. Reads all of the log that is not compacted,
    /// and of the base what is the table's. Memory: that of the result, and ``Options/memoryBudgetBytes`` at most while it is made.
    ///
    /// - Throws: ``LogDBError`` `.corrupted` if damage is met, `.closed`, `.inputOutput`.
    public func loadAll(_ table: String) throws(LogDBError) -> LoadedTable {
        let snapshot = try log.snapshot()
        guard let id = snapshot.tables.ids[table] else { return LoadedTable(name: table, store: .empty) }
        let loader = try Loader(snapshot, table: id, budget: options.memoryBudgetBytes)
        try loader.load()
        return LoadedTable(name: table, store: loader.stores[id] ?? .empty)
    }

    /// Loads the live documents of all tables, at one moment; as ``loadAll(_:)``.
    public func loadAll() throws(LogDBError) -> LoadedDatabase {
        let snapshot = try log.snapshot()
        let loader = try Loader(snapshot, table: nil, budget: options.memoryBudgetBytes)
        try loader.load()
        return LoadedDatabase(snapshot.tables.ids.mapValues { loader.stores[$0] ?? .empty }, none: .empty)
    }

    // MARK: - Into a dictionary

    /// Puts the live documents of `table` into `dictionary`, as bytes; its entries under other keys stay.
    ///
    /// A table that does not exist is empty. Sees the state at the moment of the call. Each key is entered once, whatever was overwritten. Memory:
    /// ``Options/memoryBudgetBytes`` at most, and the keys of what is not compacted, beside the dictionary.
    ///
    /// Swift takes strings for equal that Unicode does, LogDB only those with the same bytes: of keys that differ in nothing else a `[String: …]` has
    /// one. ``Key`` tells them apart.
    ///
    /// - Throws: ``LogDBError`` with code `.keyMismatch` for a key that `Key` has no place for, `.corrupted` if damage is met; `dictionary` then has some of
    ///   the documents.
    public func load<Key: TableKey>(_ table: String, into dictionary: inout [Key: [UInt8]]) throws(LogDBError) {
        do { try fill(&dictionary, from: table) { Array($0) } } catch { throw error as! LogDBError }
    }

    /// Puts the live documents of `table` into `dictionary`, as JSON values; as ``load(_:into:)-bytes``.
    public func load<Key: TableKey>(_ table: String, into dictionary: inout [Key: JSON]) throws(LogDBError) {
        do { try fill(&dictionary, from: table) { try JSON(parsing: $0) } } catch { throw error as! LogDBError }
    }

    /// Puts the live documents of `table` into `dictionary`, decoded; as ``load(_:into:)-bytes``.
    ///
    /// - Throws: also `.codingFailed` for a document that is not of the type.
    public func load<Key: TableKey, Document: Decodable>(
        _ table: String, into dictionary: inout [Key: Document]
    ) throws(LogDBError) {
        do { try fill(&dictionary, from: table) { try Self.decode($0) } } catch { throw error as! LogDBError }
    }

    @_specialize(where Key == String, Value == [UInt8])
    @_specialize(where Key == Int, Value == [UInt8])
    @_specialize(where Key == LogDB.Key, Value == [UInt8])
    private func fill<Key: TableKey, Value>(
        _ dictionary: inout [Key: Value], from table: String, _ value: (Span<UInt8>) throws -> Value
    ) throws {
        let snapshot = try log.snapshot()
        guard let id = snapshot.tables.ids[table] else { return }
        let loader = try Loader(snapshot, table: id, budget: options.memoryBudgetBytes)
        let expected = try loader.expect()
        if expected > 0 { dictionary.reserveCapacity(dictionary.count + expected) }
        try loader.deliver { key, document in
            dictionary[try Self.typed(key, in: table)] = try value(document)
        }
    }

    /// The key of a typed table.
    @inline(__always)
    static func typed<Key: TableKey>(_ encoded: Span<UInt8>, in table: String) throws(LogDBError) -> Key {
        // What nearly all are, without the way through a `Key`.
        if Key.self == String.self, let text = KeyCoding.text(encoded) as? Key { return text }
        let key: LogDB.Key
        do throws(FormatError) { key = try LogDB.Key(decoding: encoded) } catch { throw LogDBError(.corrupted, error.reason) }
        guard let typed = Key(key: key) else { throw keyMismatch(key, Key.self, in: table) }
        return typed
    }

    @inline(never)
    static func keyMismatch(_ key: Key, _ type: Any.Type, in table: String) -> LogDBError {
        LogDBError(.keyMismatch, "key \(key) of table \"\(table)\" is no \(type): use `Key` for a table that holds both kinds")
    }
}

extension Table {
    /// Loads the live documents into memory; as ``Database/loadAll(_:)``. They are decoded when they are asked for.
    public func loadAll() throws(LogDBError) -> LoadedDocuments<Key, Document> {
        LoadedDocuments(untyped: try database.loadAll(name))
    }

    /// Puts the live documents into `dictionary`, decoded; its entries under other keys stay. Each is decoded once, whatever was overwritten.
    ///
    /// - Throws: as ``Database/load(_:into:)-codable``.
    public func load(into dictionary: inout [Key: Document]) throws(LogDBError) {
        try database.load(name, into: &dictionary)
    }
}
