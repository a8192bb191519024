//===--- SalvageWriter.swift - operations into the new database -------------===//
//
// In batches, each of which is one frame: as fast as the log takes them. Keys and documents are proven once more, by the rules for everything that is
// written; what breaks them was no document when it was written either, and is reported.
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class SalvageWriter {
    private let database: Database
    private let names: [UInt64: String]
    private var batch = Batch()
    private var schemas: [UInt64: TableDefinition] = [:]
    private(set) var tables: [UInt64: SalvageReport.Table] = [:]
    private(set) var operations: UInt64 = 0
    private(set) var findings: [SalvageFinding] = []

    private static let batchBytes = 1 << 20
    private static let batchOperations = 10_000
    private static let maximumFindings = 1000

    /// - Parameter entries: what the catalog says of a table beside its name.
    init(_ database: Database, names: [UInt64: String], entries: (UInt64) -> CatalogEntry) throws(LogDBError) {
        self.database = database
        self.names = names
        // In the order of their ids, which is the order in which they were made.
        for (id, name) in names.sorted(by: { $0.key < $1.key }) {
            var entry = entries(id)
            entry.name = name
            try make(name, entry, id)
            tables[id] = SalvageReport.Table(name: name)
        }
    }

    private func make(_ name: String, _ entry: CatalogEntry, _ id: UInt64) throws(LogDBError) {
        var entry = entry
        let document = entry.document()
        let definition = try? entry.definition(of: id)
        if definition == nil, entry.retention == .latest, entry.timeToLive == nil {
            return try database.createTable(name, persistence: .process)
        }
        guard try database.log.setDefinition(name, nil, document, definition, entry.retention, entry.timeToLive) != nil else {
            throw LogDBError(.internalInconsistency, "table \(name) is there already")
        }
        if let definition, !definition.version.isWideOpen { schemas[id] = definition }
    }

    /// Says of which tables the documents that are left break the schema that is left: one of them is older than the other.
    func checkSchemas() throws {
        let snapshot = try database.log.snapshot()
        for (id, definition) in schemas.sorted(by: { $0.key < $1.key }) {
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

    func write(_ record: Record, _ sequence: SequenceNumber) throws {
        guard let name = names[record.table] else { return }
        let key: Key
        do throws(FormatError) { key = try Key(decoding: record.key) } catch {
            return refuse(record, sequence, "an operation's key cannot be read: \(error.reason)")
        }
        if record.isDelete {
            try batch.delete(name, key)
        } else {
            let json = Expiry.json(of: record.document)
            do throws(JSONError) { try JSONValidator.validateDocument(json) } catch {
                return refuse(record, sequence, "a document is no JSON object: \(error.reason.rawValue)")
            }
            // What has expired is written too: it hides what is older.
            let expires = Expiry.milliseconds(of: record.document)
            try batch.upsert(name, key, json: json, timeToLive: expires.map { .until(milliseconds: $0) } ?? .never)
        }
        operations += 1
        if record.isDelete { tables[record.table]?.deletes += 1 } else { tables[record.table]?.upserts += 1 }
        if batch.bytes.count >= Self.batchBytes || batch.count >= Self.batchOperations { try flush() }
    }

    private func refuse(_ record: borrowing Record, _ sequence: SequenceNumber, _ reason: String) {
        guard findings.count < Self.maximumFindings else { return }
        findings.append(
            SalvageFinding(.lost, file: nil, from: sequence, through: sequence, operations: 1, tables: [record.table], reason))
    }

    func flush() throws {
        guard !batch.isEmpty else { return }
        // Without the rules of schemas: what is superseded in the end may have kept to an older one.
        _ = try database.log.append(batch, epoch: nil)
        batch = Batch()
    }
}
