//===--- LoadedTable.swift - a table that is in memory ---------------------===//

import LogDBFormat

/// The live documents of a table at one moment, in memory: a dictionary that cannot be changed.
///
/// ```swift
/// let actors = try db.loadAll("actors")
/// actors.count
/// let hp = try actors["goblin-7"]?.json()["hp"].int           // the text is parsed when it is asked for
/// for (key, document) in actors { … }
/// ```
///
/// It does not change when the database does, nor when a document expires, and stays after that was closed. Copies share the memory, which is given back when the last one
/// and the last ``LoadedDocument`` of it are gone; any number of threads may read. The order of the documents has no meaning.
///
/// Memory: keys and documents as they are written, and 32 to 52 bytes for each, with those of keys that were deleted since the last compaction
/// where they are the fewer. Looking a key up is O(1) and takes no memory.
public struct LoadedTable: Sendable {
    /// The table's name when it was loaded.
    public let name: String
    let store: LoadStore

    /// How many documents there are.
    public var count: Int { store.count }
    public var isEmpty: Bool { store.count == 0 }

    /// The document of `key`, where it lies in memory; nil if there is none.
    public subscript(key: Key) -> LoadedDocument? { store.find(key).map { LoadedDocument(store, $0) } }

    /// Whether there is a document of `key`.
    public func contains(_ key: Key) -> Bool { store.find(key) != nil }

    /// The document of `key`, decoded; nil if there is none.
    ///
    /// - Throws: ``LogDBError`` `.codingFailed` if the document is not of the type.
    public func get<Document: Decodable>(_ key: Key, as type: Document.Type = Document.self) throws(LogDBError) -> Document? {
        try self[key]?.decode()
    }

    /// Shows every document, in no order, without copying and without counting references: the quickest way to see all of them.
    ///
    /// - Throws: what `body` throws.
    public func forEachDocument(_ body: (borrowing Row) throws -> Void) rethrows {
        for number in 0..<store.table.count {
            let entry = store.table[number]
            if entry.isDelete { continue }
            // SAFETY: the store, which is kept until the loop is over, holds the bytes, and the row does not leave the call.
            let key = unsafe Span<UInt8>(_unsafeStart: entry.key.assumingMemoryBound(to: UInt8.self), count: Int(entry.keyLength))
            let document = unsafe Span<UInt8>(
                _unsafeStart: entry.document.assumingMemoryBound(to: UInt8.self), count: Int(entry.documentLength))
            try body(Row(encodedKey: key, document: document))
        }
    }

    /// A document with its key, valid only during the call. Copy out what you keep.
    public struct Row: ~Escapable {
        let encodedKey: Span<UInt8>
        /// The document, UTF-8 JSON text, byte for byte as written.
        public let document: Span<UInt8>

        @_lifetime(copy encodedKey, copy document)
        init(encodedKey: Span<UInt8>, document: Span<UInt8>) {
            self.encodedKey = encodedKey
            self.document = document
        }

        /// The key. Makes a `String` where it is one.
        public var key: Key {
            do throws(FormatError) { return try Key(decoding: encodedKey) } catch {
                preconditionFailure("a key that was proven is none: \(error)")
            }
        }

        /// The document as a JSON value.
        public func json() throws(LogDBError) -> JSON { try JSON(parsing: document) }

        /// The document, decoded.
        ///
        /// - Throws: ``LogDBError`` `.codingFailed` if the document is not of the type.
        public func decode<Document: Decodable>(as type: Document.Type = Document.self) throws(LogDBError) -> Document {
            try Database.decode(document)
        }
    }
}

extension LoadedTable: Sequence {
    public struct Iterator: IteratorProtocol {
        private let store: LoadStore
        private var number = 0

        init(_ store: LoadStore) { self.store = store }

        public mutating func next() -> (key: Key, document: LoadedDocument)? {
            while number < store.table.count {
                defer { number += 1 }
                if !store.table[number].isDelete { return (store.key(at: number), LoadedDocument(store, number)) }
            }
            return nil
        }
    }

    public func makeIterator() -> Iterator { Iterator(store) }

    public var underestimatedCount: Int { count }
}

/// A document of a ``LoadedTable``, where it lies in memory. Keeps all of the table's memory as long as it is there.
@safe
public struct LoadedDocument: @unchecked Sendable {
    private let store: LoadStore
    // SAFETY: the store holds the bytes and does not change.
    private let start: UnsafeRawPointer
    /// Bytes of the document.
    public let byteCount: Int

    init(_ store: LoadStore, _ number: Int) {
        self.store = store
        let entry = store.table[number]
        unsafe start = entry.document
        byteCount = Int(entry.documentLength)
    }

    /// The document, UTF-8 JSON text, byte for byte as written.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span<UInt8>(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A copy of ``bytes``.
    public var array: [UInt8] { Array(bytes) }

    /// The document as a JSON value.
    public func json() throws(LogDBError) -> JSON { try JSON(parsing: bytes) }

    /// The document, decoded.
    ///
    /// - Throws: ``LogDBError`` `.codingFailed` if the document is not of the type.
    public func decode<Document: Decodable>(as type: Document.Type = Document.self) throws(LogDBError) -> Document {
        try Database.decode(bytes)
    }
}

/// The live documents of all tables at one moment, in memory. What is said of ``LoadedTable`` holds for each.
public struct LoadedDatabase: Sendable {
    private let stores: [String: LoadStore]
    /// Stands for a table that has no documents.
    private let none: LoadStore

    init(_ stores: [String: LoadStore], none: LoadStore) {
        self.stores = stores
        self.none = none
    }

    /// Names of the tables there were, sorted.
    public var tables: [String] { stores.keys.sorted() }

    /// How many documents there are in all tables.
    public var count: Int { stores.values.reduce(0) { $0 + $1.count } }
    public var isEmpty: Bool { count == 0 }

    /// The documents of `table`; a table that does not exist is empty.
    public subscript(table: String) -> LoadedTable { LoadedTable(name: table, store: stores[table] ?? none) }

    /// The document of `key` in `table`; nil if there is none.
    public subscript(table: String, key: Key) -> LoadedDocument? { self[table][key] }
}

/// A ``LoadedTable`` whose keys and documents have types. Documents are decoded each time they are asked for.
public struct LoadedDocuments<Key: TableKey, Document: Codable>: Sendable {
    /// The same without types.
    public let untyped: LoadedTable

    /// How many documents there are.
    public var count: Int { untyped.count }
    public var isEmpty: Bool { untyped.isEmpty }

    /// Whether there is a document of `key`.
    public func contains(_ key: Key) -> Bool { untyped.contains(key.key) }

    /// The document of `key`, decoded; nil if there is none.
    ///
    /// - Throws: ``LogDBError`` `.codingFailed` if it is of another type.
    public subscript(key: Key) -> Document? {
        get throws(LogDBError) { try untyped[key.key]?.decode() }
    }

    /// Decodes every document, in no order.
    ///
    /// - Throws: what `body` throws; ``LogDBError`` `.keyMismatch` for a key of the other kind and `.codingFailed` for a document of another type.
    public func forEach(_ body: (Key, Document) throws -> Void) throws {
        try untyped.forEachDocument { row in
            try body(try Database.typed(row.encodedKey, in: untyped.name), try row.decode())
        }
    }
}
