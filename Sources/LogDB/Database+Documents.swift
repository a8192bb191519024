//===--- Database+Documents.swift - documents as values --------------------===//
//
// The forms a document comes in: text, a JSON value, a Codable type. All of them end in the one form that takes UTF-8 bytes.
// `insert` and `update` are `upsert` by other names: every write is a last-write-wins upsert.
//===-----------------------------------------------------------------------===//

extension Database {
    /// Writes a document given as JSON text; as ``upsert(_:_:json:timeToLive:persistence:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, json: String, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let text = Array(json.utf8)
        return try upsert(table, key, json: text.span, timeToLive: timeToLive, persistence: persistence)
    }

    /// Writes a JSON value, an object; ``JSON/null`` deletes. As ``upsert(_:_:json:timeToLive:persistence:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, _ document: JSON, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let text = document.serialized()
        return try upsert(table, key, json: text.span, timeToLive: timeToLive, persistence: persistence)
    }

    /// Writes a value that encodes as a JSON object; nil deletes. As ``upsert(_:_:json:timeToLive:persistence:)``.
    ///
    /// - Throws: also `.codingFailed` if the value cannot be encoded, or not as an object; nothing was written.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, encoding document: some Encodable, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let text = try Self.encode(document)
        return try upsert(table, key, json: text.span, timeToLive: timeToLive, persistence: persistence)
    }

    /// ``upsert(_:_:json:timeToLive:persistence:)`` by another name.
    @discardableResult
    public func insert(
        _ table: String, _ key: Key, json: Span<UInt8>, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try upsert(table, key, json: json, timeToLive: timeToLive, persistence: persistence)
    }

    /// ``upsert(_:_:_:timeToLive:persistence:)`` by another name.
    @discardableResult
    public func insert(
        _ table: String, _ key: Key, _ document: JSON, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try upsert(table, key, document, timeToLive: timeToLive, persistence: persistence)
    }

    /// ``upsert(_:_:encoding:timeToLive:persistence:)`` by another name.
    @discardableResult
    public func insert(
        _ table: String, _ key: Key, encoding document: some Encodable, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try upsert(table, key, encoding: document, timeToLive: timeToLive, persistence: persistence)
    }

    /// ``upsert(_:_:json:timeToLive:persistence:)`` by another name.
    @discardableResult
    public func update(
        _ table: String, _ key: Key, json: Span<UInt8>, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try upsert(table, key, json: json, timeToLive: timeToLive, persistence: persistence)
    }

    /// ``upsert(_:_:_:timeToLive:persistence:)`` by another name.
    @discardableResult
    public func update(
        _ table: String, _ key: Key, _ document: JSON, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try upsert(table, key, document, timeToLive: timeToLive, persistence: persistence)
    }

    /// ``upsert(_:_:encoding:timeToLive:persistence:)`` by another name.
    @discardableResult
    public func update(
        _ table: String, _ key: Key, encoding document: some Encodable, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try upsert(table, key, encoding: document, timeToLive: timeToLive, persistence: persistence)
    }

    /// The live document of `key` as a JSON value; ``JSON/null`` if it was deleted, has expired or was never written.
    public func get(_ table: String, _ key: Key) throws(LogDBError) -> JSON {
        try Self.json(try document(table, key))
    }

    static func json(_ text: [UInt8]?) throws(LogDBError) -> JSON {
        guard let text else { return .null }
        return try JSON(parsing: text)
    }

    /// The live document of `key`, decoded; nil if it was deleted, has expired or was never written.
    ///
    /// - Throws: also `.codingFailed` if the document is not of the type.
    public func get<Document: Decodable>(
        _ table: String, _ key: Key, as type: Document.Type = Document.self
    ) throws(LogDBError) -> Document? {
        guard let text = try document(table, key) else { return nil }
        return try Self.decode(text.span)
    }

    static func encode(_ document: some Encodable) throws(LogDBError) -> [UInt8] {
        do { return try DocumentEncoder().encode(document) } catch {
            throw LogDBError(.codingFailed, "the value could not be encoded as a document: \(error)")
        }
    }

    static func decode<Document: Decodable>(_ text: Span<UInt8>) throws(LogDBError) -> Document {
        do { return try DocumentDecoder().decode(Document.self, from: text) } catch {
            throw LogDBError(.codingFailed, "the document could not be decoded as \(Document.self): \(error)")
        }
    }
}

extension Operation {
    /// The document as a JSON value; ``JSON/null`` for a delete.
    public func json() throws(LogDBError) -> JSON {
        if isDelete { return .null }
        return try JSON(parsing: document)
    }

    /// The document, decoded; nil for a delete.
    public func decode<Document: Decodable>(as type: Document.Type = Document.self) throws(LogDBError) -> Document? {
        if isDelete { return nil }
        return try Database.decode(document)
    }
}

extension Batch {
    /// Adds an upsert of a JSON value; ``JSON/null`` adds a delete.
    public mutating func upsert(_ table: String, _ key: Key, _ document: JSON, timeToLive: TimeToLive? = nil) throws(LogDBError) {
        if document.isNull { return try delete(table, key) }
        try upsert(table, key, json: document.serialized().span, timeToLive: timeToLive)
    }

    /// Adds an upsert of a value that encodes as a JSON object; nil adds a delete.
    public mutating func upsert(
        _ table: String, _ key: Key, encoding document: some Encodable, timeToLive: TimeToLive? = nil
    ) throws(LogDBError) {
        let text = try Database.encode(document)
        if text.first == UInt8(ascii: "n") { return try delete(table, key) }
        try upsert(table, key, json: text.span, timeToLive: timeToLive)
    }
}
