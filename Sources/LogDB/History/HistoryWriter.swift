//===--- HistoryWriter.swift - a history into a new database ----------------===//
//
// The other end of a Chronicle: what is told goes into an empty log, one after the other, with the times it had. So operation n of the new database is what was
// told as the n-th.
//
// Until the end has come the new database does not know from when on it can tell its past. As long as it is not known, nothing of it is told: the horizon of each table is
// set behind all numbers before the first operation on it is written, and put right by one edit of the manifest at the end, when everything is on the disk.
// (Savepoints are exact all the same.) Nothing is compacted by itself meanwhile.
//===-----------------------------------------------------------------------===//

import LogDBFormat

package final class HistoryWriter {
    private let database: Database
    private var batch = PastBatch()
    /// The tables that there are at the moment.
    private var ids: [String: UInt64] = [:]
    private var names: [UInt64: String] = [:]
    private var savepoints: Set<String> = []
    /// Tables whose horizon is to be set before what waits is written.
    private var newIDs: [UInt64] = []
    private var allIDs: Set<UInt64> = []
    /// How many operations there are, those that wait included: the last one's number.
    package private(set) var count: UInt64 = 0
    private var position: UInt64 = 0
    package private(set) var hasEnded = false

    /// The savepoint that nobody has: its release stands for something that is gone.
    static let nothing = ""
    /// Behind all numbers that are given out.
    static let unfinished = HistoryHorizon(sequence: (1 << 62) - 1, milliseconds: .max)
    private static let batchBytes = 1 << 20
    private static let batchOperations = 10_000

    /// - Throws: `.alreadyExists` unless the database is as new; `.readOnly` ….
    package init(_ database: Database) throws(LogDBError) {
        try database.checkWritable()
        self.database = database
        let isNew = try database.log.monitor.withLock { state throws(LogDBError) in
            try state.checkWritable()
            guard state.nextSequence == 1 else { return false }
            state.holdsCompaction = true
            return true
        }
        guard isNew else {
            throw LogDBError(.alreadyExists, "the database has operations already, and a history must be its first: load it into a new one")
        }
        try database.log.manifest.append([.horizon(table: 0, Self.unfinished)])
    }

    // MARK: - What happened

    /// - Parameter expires: when the document expires, in milliseconds since 1970; nil: never, whatever the table says.
    package func upsert(
        _ table: String, _ key: Key, json: Span<UInt8>, expires: Int64?, milliseconds: Int64
    ) throws(LogDBError) {
        let id = try id(of: table)
        guard json.count <= database.options.maximumDocumentBytes else {
            throw LogDBError(
                .documentTooLarge, "the document has \(json.count) bytes; the limit is \(database.options.maximumDocumentBytes)")
        }
        do throws(JSONError) { try JSONValidator.validateDocument(json) } catch {
            throw LogDBError(.invalidDocument, error.reason.rawValue, offset: UInt64(error.offset))
        }
        guard let expires else { return try append(id, key, json, isDelete: false, milliseconds) }
        var document = ByteBuffer(capacity: Expiry.length + json.count)
        Expiry.append(expires, to: &document)
        document.append(json)
        try append(id, key, document.span, isDelete: false, milliseconds)
    }

    package func delete(_ table: String, _ key: Key, milliseconds: Int64) throws(LogDBError) {
        try append(try id(of: table), key, Span(), isDelete: true, milliseconds)
    }

    private func id(of table: String) throws(LogDBError) -> UInt64 {
        if let id = ids[table] { return id }
        throw LogDBError(.noSuchTable, "table \(TableDefinition.brief(.string(table))) is not defined before its first operation")
    }

    /// - Parameter document: what the catalog says of the table.
    package func define(_ table: String, id: UInt64, _ document: Span<UInt8>, milliseconds: Int64) throws(LogDBError) {
        try Catalog.validate(name: table)
        guard (1..<1 << 62).contains(id) else { throw LogDBError(.invalidOption, "a table's id is 1 or more, and not \(id)") }
        let entry: CatalogEntry
        do throws(FormatError) {
            entry = try CatalogEntry(decoding: document, of: id)
            _ = try entry.definition(of: id)
        } catch { throw LogDBError(.invalidDocument, error.reason) }
        guard entry.name == table, names[id] == nil || names[id] == table, ids[table] == nil || ids[table] == id,
            names[id] != nil || !allIDs.contains(id)
        else {
            throw LogDBError(
                .invalidOption,
                "the definition of table \(TableDefinition.brief(.string(table))) does not fit what was said of it, or of table \(id), before"
            )
        }
        guard ids.count < Catalog.maximumTables || ids[table] != nil else {
            throw LogDBError(.tooManyTables, "there are \(Catalog.maximumTables) tables already")
        }
        if allIDs.insert(id).inserted { newIDs.append(id) }
        ids[table] = id
        names[id] = table
        try append(0, .integer(Int64(id)), document, isDelete: false, milliseconds)
    }

    package func drop(_ table: String, milliseconds: Int64) throws(LogDBError) {
        guard let id = ids.removeValue(forKey: table) else {
            throw LogDBError(.noSuchTable, "there is no table \(TableDefinition.brief(.string(table))) to be dropped")
        }
        names[id] = nil
        try append(0, .integer(Int64(id)), Span(), isDelete: true, milliseconds)
    }

    package func savepoint(_ name: String, isReleased: Bool, milliseconds: Int64) throws(LogDBError) {
        try Savepoint.validate(name: name)
        if isReleased {
            savepoints.remove(name)
        } else {
            guard savepoints.insert(name).inserted else { throw LogDBError(.savepointExists, "there is a savepoint of that name already") }
            guard savepoints.count <= Savepoint.maximumCount else {
                throw LogDBError(.invalidOption, "there are more than \(Savepoint.maximumCount) savepoints")
            }
        }
        let document = Array("{}".utf8)
        try append(0, .string(name), isReleased ? Span() : document.span, isDelete: isReleased, milliseconds)
    }

    /// Something happened that left nothing but its place in the order.
    package func skip(milliseconds: Int64) throws(LogDBError) {
        try append(0, .string(Self.nothing), Span(), isDelete: true, milliseconds)
    }

    private func append(
        _ table: UInt64, _ key: Key, _ document: Span<UInt8>, isDelete: Bool, _ milliseconds: Int64
    ) throws(LogDBError) {
        var encoded = ByteBuffer(capacity: 64)
        try key.append(to: &encoded)
        do throws(FormatError) {
            try batch.append(Record(table: table, key: encoded.span, isDelete: isDelete, document: document), milliseconds: milliseconds)
        } catch { throw LogDBError(.invalidDocument, error.reason) }
        count += 1
        if batch.bytes.count >= Self.batchBytes || batch.count >= Self.batchOperations { try write() }
    }

    // MARK: - To the disk

    private func write() throws(LogDBError) {
        if !newIDs.isEmpty {
            try database.log.manifest.append(newIDs.map { .horizon(table: $0, Self.unfinished) })
            newIDs = []
        }
        guard !batch.isEmpty else { return }
        position = try database.log.append(batch).position
        batch.removeAll()
    }

    /// Brings everything up to now to `level`.
    package func flush(to level: Persistence) throws(LogDBError) {
        try write()
        try database.log.wait(for: position, try database.level(level))
    }

    /// All has been told. When this returns it is on the disk, and can be asked for.
    ///
    /// - Throws: `.invalidOption` if `end` does not fit what was told; `.diskFull` ….
    package func end(_ end: ChronicleEnd) throws(LogDBError) {
        guard end.operations == count else {
            throw LogDBError(.invalidOption, "the history has \(end.operations) operations, and \(count) of them are here")
        }
        let horizons = end.tables.values.map(\.sequence) + [end.all.sequence]
        guard horizons.allSatisfy({ $0 <= max(1, count) }), end.tables.keys.allSatisfy({ $0 < 1 << 62 }),
            end.ladders.keys.allSatisfy({ $0 < 1 << 62 }),
            end.expired.allSatisfy({
                ($0.key ?? 0) < 1 << 62 && $0.value.sequence <= max(1, count) && Expiry.range.contains($0.value.milliseconds)
            })
        else { throw LogDBError(.invalidOption, "the history is said to be complete from an operation on that it does not have") }
        try flush(to: .disk)
        // What was set behind all numbers meanwhile is taken away.
        let edits =
            allIDs.union([0]).subtracting(end.tables.keys).sorted().map { ManifestEdit.horizon(table: $0, HistoryHorizon()) } + end.edits
        try database.log.manifest.append(edits)
        hasEnded = true
    }
}

extension HistoryWriter: ChronicleSink {
    package func tell(_ operation: borrowing Operation) throws {
        let key = try operation.key
        if operation.isDelete {
            try delete(operation.table, key, milliseconds: operation.milliseconds)
        } else {
            try upsert(operation.table, key, json: operation.document, expires: operation.expires, milliseconds: operation.milliseconds)
        }
    }

    package func tell(definition document: Span<UInt8>, of table: String, id: UInt64, milliseconds: Int64) throws {
        try define(table, id: id, document, milliseconds: milliseconds)
    }

    package func tell(dropOf table: String, milliseconds: Int64) throws { try drop(table, milliseconds: milliseconds) }

    package func tell(savepoint name: String, isReleased: Bool, milliseconds: Int64) throws {
        try savepoint(name, isReleased: isReleased, milliseconds: milliseconds)
    }

    package func tellNothing(milliseconds: Int64) throws { try skip(milliseconds: milliseconds) }
}
