//===--- SalvageWriter.swift - operations into the new database -------------===//
//
// One after the other, with the times they had, those on the catalog among them: so tables keep their ids, and savepoints their places. What is said of tables
// must fit what the census found: a table that is there in the end has the name that it has then, from the beginning; of others the names that they had.
//
// Keys and documents are proven once more, by the rules for everything that is written; what breaks them was no document when it was written either, and is
// reported. The rules of schemas are left aside: what is superseded in the end may have kept to an older one.
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class SalvageWriter {
    private let database: Database
    /// The tables that there will be.
    private let names: [UInt64: String]
    private let census: SalvageCensus
    private var batch = PastBatch()
    private var translation: HorizonTranslation
    /// The tables that there are at the moment.
    private var defined: [UInt64: String] = [:]
    private var holders: [String: UInt64] = [:]
    /// When the last operation was made.
    private var milliseconds: Int64 = 0
    /// Old numbers of the savepoints that there are.
    private(set) var savepoints: [String: SequenceNumber] = [:]
    private(set) var tables: [UInt64: SalvageReport.Table] = [:]
    private(set) var operations: UInt64 = 0
    private(set) var findings: [SalvageFinding] = []

    private static let batchBytes = 1 << 20
    private static let batchOperations = 10_000
    private static let maximumFindings = 1000

    /// - Parameter translation: of the old database's horizons.
    init(_ database: Database, names: [UInt64: String], _ census: SalvageCensus, _ translation: HorizonTranslation) {
        self.database = database
        self.names = names
        self.census = census
        self.translation = translation
        for (id, name) in names { tables[id] = SalvageReport.Table(name: name) }
    }

    func write(_ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64) throws {
        if sequence > 0 {
            while let time = translation.placeholder(before: sequence) { try appendNothing(time) }
        }
        if record.table == 0 { return try writeCatalog(record, sequence, milliseconds) }
        if defined[record.table] == nil {
            // Of a table whose name is not known, and that was dropped, nothing can be asked.
            guard let name = names[record.table] ?? census.everNamed[record.table] else { return }
            try define(record.table, CatalogEntry(name: name), milliseconds)
        }
        let key: Key
        do throws(FormatError) { key = try Key(decoding: record.key) } catch {
            return refuse(record, sequence, "an operation's key cannot be read: \(error.reason)")
        }
        do throws(LogDBError) { try key.checkLength() } catch { return refuse(record, sequence, error.message) }
        if !record.isDelete {
            do throws(JSONError) { try JSONValidator.validateDocument(Expiry.json(of: record.document)) } catch {
                return refuse(record, sequence, "a document is no JSON object: \(error.reason.rawValue)")
            }
        }
        try append(record, sequence, milliseconds)
        guard tables[record.table] != nil else { return }
        operations += 1
        if record.isDelete { tables[record.table]?.deletes += 1 } else { tables[record.table]?.upserts += 1 }
    }

    // MARK: - The catalog

    private func writeCatalog(_ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64) throws {
        guard let key = try? KeyCoding.decode(record.key) else { return }
        switch key {
        case .string(let name):
            if record.isDelete {
                savepoints[name] = nil
            } else {
                guard (try? Savepoint.validate(name: name)) != nil, savepoints.count < Savepoint.maximumCount else { return }
                savepoints[name] = sequence
            }
            try append(record, sequence, milliseconds)
        case .integer(let number):
            guard number > 0 else { return }
            let id = UInt64(number)
            if record.isDelete {
                // By what is left it is there in the end.
                guard names[id] == nil, let name = defined.removeValue(forKey: id) else { return }
                holders[name] = nil
                return try append(record, sequence, milliseconds)
            }
            guard let operation = CatalogOperation(record, sequence), operation.name != nil else { return }
            var entry = operation.entry
            entry.name = names[id] ?? entry.name
            if sequence > 0 { translation.reach(sequence) }
            try define(id, entry, milliseconds)
        }
    }

    private func define(_ id: UInt64, _ entry: CatalogEntry, _ milliseconds: Int64) throws {
        var entry = entry
        if let holder = holders[entry.name], holder != id {
            if names[id] == nil {
                entry.name = spare(id)
            } else {
                // That one was dropped, and when is not known any more.
                try define(holder, CatalogEntry(name: spare(holder)), milliseconds)
            }
        }
        if (try? Catalog.validate(name: entry.name)) == nil { entry.name = spare(id) }
        if let old = defined[id] { holders[old] = nil }
        defined[id] = entry.name
        holders[entry.name] = id
        var key = ByteBuffer(capacity: 16)
        try Key.integer(Int64(id)).append(to: &key)
        let document = entry.document()
        try append(Record(table: 0, key: key.span, isDelete: false, document: document.span), 0, milliseconds)
    }

    /// A name that nobody has.
    private func spare(_ id: UInt64) -> String {
        var name = "salvaged-table-\(id)"
        while holders[name] != nil || names.values.contains(name) { name += "-2" }
        return name
    }

    // MARK: - Appending

    private func appendNothing(_ milliseconds: Int64) throws {
        var key = ByteBuffer(capacity: 16)
        try Key.string(HistoryWriter.nothing).append(to: &key)
        try append(Record(table: 0, key: key.span, isDelete: true, document: Span()), 0, milliseconds)
    }

    private func append(_ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64) throws {
        if sequence > 0 { translation.reach(sequence) }
        self.milliseconds = milliseconds
        try batch.append(record, milliseconds: milliseconds)
        translation.count()
        if batch.bytes.count >= Self.batchBytes || batch.count >= Self.batchOperations { try flush() }
    }

    private func refuse(_ record: borrowing Record, _ sequence: SequenceNumber, _ reason: String) {
        guard findings.count < Self.maximumFindings else { return }
        findings.append(
            SalvageFinding(
                .lost, file: nil, from: sequence > 0 ? sequence : nil, through: sequence > 0 ? sequence : nil, operations: 1,
                tables: [record.table], reason))
    }

    private func flush() throws {
        guard !batch.isEmpty else { return }
        _ = try database.log.append(batch)
        batch.removeAll()
    }

    // MARK: - The end

    /// Everything was written.
    ///
    /// - Parameter isComplete: whether nothing was lost, and numbers were those of old: then what could be told of the past still can be. Else
    ///   nothing but the present and savepoints.
    func finish(isComplete: Bool) throws {
        while let time = translation.placeholder(before: .max) { try appendNothing(time) }
        for (id, _) in names.sorted(by: { $0.key < $1.key }) where defined[id] == nil {
            var entry = census.entry(of: id)
            entry.name = names[id] ?? entry.name
            try define(id, entry, milliseconds)
        }
        // What the history has of other tables is the past: the drop that goes with it is lost.
        for id in defined.keys.sorted() where names[id] == nil {
            var key = ByteBuffer(capacity: 16)
            try Key.integer(Int64(id)).append(to: &key)
            try append(Record(table: 0, key: key.span, isDelete: true, document: Span()), 0, milliseconds)
        }
        let isWhole = isComplete && !findings.contains { $0.severity == .lost }
        // What was lost may have been the last that there was, too: so no number and no time that was is told, but one behind them.
        if !isWhole { try appendNothing(.max) }
        try flush()
        try database.flush(to: .disk)
        var end = translation.end
        if !isWhole {
            let horizon = HistoryHorizon(sequence: end.operations, milliseconds: .max)
            end.all = horizon
            end.tables = [0: horizon]
            end.ladders = [:]
        }
        let edits = end.edits
        if !edits.isEmpty { try database.log.manifest.append(edits) }
    }

    /// Says of which tables the documents that are left break the schema that is left: one of them is older than the other.
    func checkSchemas() throws {
        let snapshot = try database.log.snapshot()
        for (id, definition) in snapshot.tables.definitions.sorted(by: { $0.key < $1.key }) where !definition.version.isWideOpen {
            guard let name = names[id] else { continue }
            let reason: String
            do throws(LogDBError) {
                let report = try database.check(name, definition, limit: 1, in: snapshot)
                guard let first = report.problems.first else { continue }
                reason =
                    "\(report.broken) of \(report.documents) documents break the table's schema, such as \(TableDefinition.brief(first.key)) (\(first.reason)): newer documents, or a newer schema, are lost"
            } catch {
                guard error.code == .unsupportedFormat else { throw error }
                reason = "whether documents keep to the table's schema is not known: \(error.message)"
            }
            findings.append(SalvageFinding(.uncertain, file: nil, tables: [id], reason))
        }
    }
}
