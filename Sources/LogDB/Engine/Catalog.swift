//===--- Catalog.swift - table 0 ------------------------------------------===//
//
// The tables of a database are operations on table 0 like all others: key the table's id, document {"name":"actors"}, a delete
// where it was dropped. With a schema, a retention or a time to live the document has more, see TableDefinition.swift. String keys are savepoints. This is that
// table in memory. Ids are never reused, so a dropped table's operations, which stay in the log for a while, can never appear under another name.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct Catalog: Sendable {
    /// The catalog is in memory: a few hundred bytes a table, and the schemas in force.
    static let maximumTables = 262_144
    static let maximumNameBytes = 255
    /// What the texts of all schemas in force may have together.
    static let maximumSchemaBytes = 16 << 20

    private(set) var ids: [String: UInt64] = [:]
    private(set) var names: [UInt64: String] = [:]
    /// The schemas in force, of the tables that ever had one.
    private(set) var definitions: [UInt64: TableDefinition] = [:]
    private(set) var schemaBytes = 0
    /// Of the tables that keep more than the newest documents.
    private(set) var retentions: [UInt64: Retention] = [:]
    /// Of the tables whose documents expire, in milliseconds.
    private(set) var timesToLive: [UInt64: Int64] = [:]
    private(set) var savepoints: [String: Savepoint] = [:]
    /// When tables were dropped of which there may be documents: known for as long as the log or the history has the drop.
    private(set) var drops: [UInt64: SequenceNumber] = [:]
    var nextID: UInt64 = 1

    /// Applies an operation on table 0.
    mutating func apply(
        key: Span<UInt8>, isDelete: Bool, document: Span<UInt8>, sequence: SequenceNumber, _ milliseconds: Int64
    ) throws(FormatError) {
        switch try KeyCoding.decode(key) {
        case .string(let name):
            savepoints[name] = isDelete ? nil : Savepoint(name: name, sequenceNumber: sequence, milliseconds: milliseconds)
        case .integer(let number):
            guard number > 0 else { throw FormatError(.corrupted, "an operation on the catalog has a key that is no table id") }
            let id = UInt64(number)
            nextID = max(nextID, id + 1)
            if isDelete { return drop(id, sequence) }
            let entry = try CatalogEntry(decoding: document, of: id)
            enter(id, entry.name, try entry.definition(of: id), entry.retention, entry.timeToLive)
        }
    }

    /// Notes a drop that the history tells of.
    mutating func noteDrop(key: Span<UInt8>, sequence: SequenceNumber) throws(FormatError) {
        guard case .integer(let number) = try KeyCoding.decode(key), number > 0 else { return }
        drops[UInt64(number)] = max(sequence, drops[UInt64(number)] ?? 0)
    }

    /// Forgets the drops up to `sequence` but those of `kept` tables: nothing of the others is left.
    mutating func forgetDrops(through sequence: SequenceNumber, but kept: Set<UInt64>) {
        drops = drops.filter { $0.value > sequence || kept.contains($0.key) }
    }

    mutating func setSavepoint(_ savepoint: Savepoint) { savepoints[savepoint.name] = savepoint }
    mutating func removeSavepoint(_ name: String) { savepoints[name] = nil }

    mutating func enter(
        _ id: UInt64, _ name: String, _ definition: TableDefinition? = nil, _ retention: Retention = .latest, _ timeToLive: Int64? = nil
    ) {
        nextID = max(nextID, id + 1)
        remove(id)
        if retention != .latest { retentions[id] = retention }
        if let timeToLive { timesToLive[id] = timeToLive }
        ids[name] = id
        names[id] = name
        if let definition {
            definitions[id] = definition
            schemaBytes += definition.version.text?.count ?? 0
        }
    }

    mutating func drop(_ id: UInt64, _ sequence: SequenceNumber) {
        remove(id)
        drops[id] = sequence
    }

    private mutating func remove(_ id: UInt64) {
        retentions[id] = nil
        timesToLive[id] = nil
        if let definition = definitions.removeValue(forKey: id) { schemaBytes -= definition.version.text?.count ?? 0 }
        if let name = names.removeValue(forKey: id), ids[name] == id { ids[name] = nil }
    }

    /// Throws `.invalidTableName` unless `name` may name a table: 1 ... 255 bytes of UTF-8 without control characters.
    static func validate(name: String) throws(LogDBError) {
        let length = name.utf8.count
        guard (1...maximumNameBytes).contains(length) else {
            throw LogDBError(.invalidTableName, "a table name has \(length) bytes: choose 1 to \(maximumNameBytes)")
        }
        guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw LogDBError(.invalidTableName, "a table name holds a control character")
        }
    }

    /// The document that enters `name` into table 0.
    static func document(name: String) -> [UInt8] {
        JSON.object(["name": .string(name)]).serialized()
    }
}
