//===--- Table.swift - typed access ----------------------------------------===//

import LogDBFormat

/// A table whose keys and documents have types: a view of a ``Database``, cheap to make and to copy.
///
/// ```swift
/// let actors = db.table("actors", String.self, Actor.self)
/// try actors.upsert(hero, forKey: "hero")
/// try actors.select { key, actor in … }
/// ```
public struct Table<Key: TableKey, Document: Codable>: Sendable {
    public let database: Database
    public let name: String

    /// Writes `document` under `key`; as ``Database/upsert(_:_:encoding:timeToLive:persistence:)``.
    @discardableResult
    public func upsert(
        _ document: Document, forKey key: Key, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try database.upsert(name, key.key, encoding: document, timeToLive: timeToLive, persistence: persistence)
    }

    /// Writes `document` under `key` without holding a thread while the disk works.
    @discardableResult
    public func upsert(
        _ document: Document, forKey key: Key, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) async throws(LogDBError) -> SequenceNumber {
        try await database.upsert(name, key.key, encoding: document, timeToLive: timeToLive, persistence: persistence)
    }

    /// Deletes `key`; as ``Database/delete(_:_:persistence:)``.
    @discardableResult
    public func delete(_ key: Key, persistence: Persistence? = nil) throws(LogDBError) -> SequenceNumber {
        try database.delete(name, key.key, persistence: persistence)
    }

    /// The live document of `key`, decoded; nil if it was deleted, has expired or was never written.
    public func get(_ key: Key) throws(LogDBError) -> Document? {
        try database.get(name, key.key, as: Document.self)
    }

    /// The live documents, decoded, in key order.
    ///
    /// Takes memory for all of them; ``results`` and ``documents`` take them one by one.
    public func all() throws -> [(key: Key, document: Document)] {
        var result: [(key: Key, document: Document)] = []
        try select { result.append(($0, $1)) }
        return result
    }

    /// Delivers the live documents, decoded, in key order; as ``Database/select(_:_:)``.
    ///
    /// - Throws: also `.keyMismatch` for a key of the other kind and `.codingFailed` for a document of another type.
    public func select(_ body: (Key, Document) throws -> Void) throws {
        try database.select(name) { operation in
            guard let document = try operation.decode(as: Document.self) else { return }
            try body(try key(of: operation), document)
        }
    }

    /// Delivers every operation on the table in order, decoded; nil for a delete. As ``Database/replay(_:)``.
    public func replay(_ body: (Key, Document?) throws -> Void) throws {
        try database.replay(name) { operation in
            try body(try key(of: operation), try operation.decode(as: Document.self))
        }
    }

    private func key(of operation: borrowing Operation) throws(LogDBError) -> Key { try typed(try operation.key) }

    func typed(_ key: LogDB.Key) throws(LogDBError) -> Key {
        guard let typed = Key(key: key) else { throw Database.keyMismatch(key, Key.self, in: name) }
        return typed
    }
}

extension Database {
    /// A typed view of table `name`, which need not exist yet.
    public func table<Key: TableKey, Document: Codable>(
        _ name: String, _ key: Key.Type = Key.self, _ document: Document.Type = Document.self
    ) -> Table<Key, Document> {
        Table(database: self, name: name)
    }

    /// A typed view of table `name`, whose schema is set to `schema`, and its kind of key to that of `Key`; as ``setSchema(_:keys:documents:persistence:)``, so
    /// it is created if need be, and nothing happens if that is its schema already.
    ///
    /// - Throws: as ``setSchema(_:keys:documents:persistence:)``: `.incompatibleSchema` if there are documents that break it.
    public func table<Key: TableKey, Document: Codable>(
        _ name: String, _ key: Key.Type = Key.self, _ document: Document.Type = Document.self, schema: Schema,
        persistence: Persistence? = nil
    ) throws(LogDBError) -> Table<Key, Document> {
        try setSchema(name, keys: Key.keyType, documents: schema, persistence: persistence)
        return Table(database: self, name: name)
    }
}
