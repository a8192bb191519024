//===--- SchemaChange.swift - from one schema to the next -------------------===//
//
//      nothing in the table can break the new one            append to the catalog, done
//      else    1  from now on writers keep to the old schema and to the new one
//              2  transactions that wrote before that are waited for
//              3  every live document of a snapshot is checked
//              4  none breaks the new one: append to the catalog. Else: as if nothing had been asked
//
// Why no document that breaks the new schema can be left: what is older than 1 was committed by the end of 2, or never, so it is in the
// snapshot; what is younger kept to both. A crash before 4 leaves the old schema, which everything keeps to; the log has the operation on the
// catalog before all that was written by its rules.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// How long a change waits for transactions that were open before it.
    static let transactionPatienceNanoseconds: UInt64 = 5_000_000_000

    /// Gives table `name`, whose id is `id`, or which does not exist, a schema. Returns nil if that is not so any more.
    func setDefinition(
        _ name: String, _ id: UInt64?, _ document: [UInt8], _ definition: TableDefinition?, _ retention: Retention,
        _ timeToLive: Int64?
    ) throws(LogDBError) -> Appended? {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            if id == nil { try lock.state.check(name) }
            try makeRoom(for: Record.encodedBound(keyLength: 9, documentLength: document.count), onlyDeletes: false, lock)
            guard lock.state.tableID(name) == id else { return nil }
            let catalog = lock.state.catalog
            let others = catalog.schemaBytes - (id.flatMap { catalog.definitions[$0]?.version.text?.count } ?? 0)
            guard others + (definition?.version.text?.count ?? 0) <= Catalog.maximumSchemaBytes else {
                throw LogDBError(
                    .invalidSchema, "the schemas of all tables would have more than \(Catalog.maximumSchemaBytes) bytes: make them shorter")
            }
            let appended = try lock.state.appendDefinition(name, document, definition, retention, timeToLive)
            if let definition { schemas.set(WriteRules(current: definition), of: name) }
            return appended
        }
    }

    /// From now on writers keep to `next` as well. Returns the transactions that may have written before; nil if the table is another one now.
    func announce(_ next: TableDefinition, of name: String, _ id: UInt64) throws(LogDBError) -> [OpenTransaction]? {
        try monitor.withLock { state throws(LogDBError) in
            try state.checkWritable()
            guard state.tableID(name) == id else { return nil }
            schemas.set(WriteRules(current: state.catalog.definitions[id], next: next), of: name)
            return state.transactions.pinning
        }
    }

    /// Takes `announce` back.
    func withdraw(_ name: String, _ id: UInt64) {
        monitor.withLock { state in
            // A table that was dropped has no rules any more, and one that was made since may have its own.
            guard state.tableID(name) == id else { return }
            schemas.set(WriteRules(current: state.catalog.definitions[id]), of: name)
        }
    }

    /// Returns when `transactions` have ended.
    func waitForEnd(of transactions: [OpenTransaction]) throws(LogDBError) {
        let deadline = Clock.monotonicNanoseconds() + Self.transactionPatienceNanoseconds
        try monitor.enter { lock throws(LogDBError) in
            while lock.state.transactions.pinning.contains(where: { open in transactions.contains { $0 === open } }) {
                try lock.state.checkWritable()
                let now = Clock.monotonicNanoseconds()
                guard now < deadline else {
                    throw LogDBError(
                        .transactionOpen, "a transaction has been open since before the schema was to be changed: end it and try again")
                }
                _ = lock.wait(until: now + 2_000_000)
            }
        }
    }
}

extension Database {
    /// What the catalog says of a table, all versions of its schema included.
    func catalogEntry(_ id: UInt64, in snapshot: Snapshot) throws(LogDBError) -> CatalogEntry {
        var key = ByteBuffer()
        try Key.integer(Int64(id)).append(to: &key)
        let document: [UInt8]?
        do { document = try find.document(table: 0, key: key.span, in: snapshot) } catch { throw error as! LogDBError }
        guard let document else { throw LogDBError(.internalInconsistency, "table \(id) is not in the catalog") }
        do throws(FormatError) { return try CatalogEntry(decoding: document.span, of: id) } catch {
            throw LogDBError(.corrupted, error.reason)
        }
    }

    /// Changes a table's schema; nil if the table became another one meanwhile.
    func changeSchema(
        _ table: String, _ keys: KeyType?, _ documents: Schema?
    ) throws(LogDBError) -> (change: SchemaChange, position: UInt64)? {
        let snapshot = try log.snapshot()
        let id = snapshot.tables.ids[table]
        let old = id.flatMap { snapshot.tables.definitions[$0] }
        let text = documents.map { Self.trimmed($0.text) }
        if keys == old?.version.keys, text == old?.version.text,
            documents == nil || documents?.assertsFormats == old?.version.assertsFormats
        {
            let position = id == nil ? try log.createTable(table).position : try end()
            return (SchemaChange(version: old?.version.number ?? 0, isNew: false, documentsChecked: 0), position)
        }
        let version = SchemaVersion(
            number: (old?.version.number ?? 0) + 1, milliseconds: Clock.wallMilliseconds(), keys: keys, text: text,
            assertsFormats: documents?.assertsFormats ?? false)
        let next = TableDefinition(version, documents)
        var entry = try id.map { id throws(LogDBError) in try catalogEntry(id, in: snapshot) } ?? CatalogEntry(name: table)
        entry.versions.append(version.encoded())
        let document = entry.document()
        do throws(JSONError) { try JSONValidator.validateDocument(document.span) } catch {
            throw LogDBError(.invalidSchema, "the schema cannot be kept: \(error.reason.rawValue)")
        }
        guard let id, try !isCertain(old, next) else {
            guard let appended = try log.setDefinition(table, id, document, next, entry.retention, entry.timeToLive) else { return nil }
            return (SchemaChange(version: version.number, isNew: true, documentsChecked: 0), appended.position)
        }
        guard let open = try log.announce(next, of: table, id) else { return nil }
        do throws(LogDBError) {
            try log.waitForEnd(of: open)
            let report = try check(table, next, limit: 10, in: try log.snapshot())
            guard report.broken == 0 else { throw LogDBError(.incompatibleSchema, report.refusal(of: table)) }
            if let appended = try log.setDefinition(table, id, document, next, entry.retention, entry.timeToLive) {
                return (SchemaChange(version: version.number, isNew: true, documentsChecked: report.documents), appended.position)
            }
        } catch {
            log.withdraw(table, id)
            throw error
        }
        log.withdraw(table, id)
        return nil
    }

    /// The text of a schema without the white space around it, which does not come back from the catalog's document.
    private static func trimmed(_ text: [UInt8]) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) }) else { return text }
        return Array(text[first...last])
    }

    /// Whether everything that `old` admits is certain to be admitted by `new`.
    private func isCertain(_ old: TableDefinition?, _ new: TableDefinition) throws(LogDBError) -> Bool {
        guard new.version.keys == nil || new.version.keys == old?.version.keys else { return false }
        guard let schema = try new.schema() else { return true }
        // A schema that cannot be used any more says nothing.
        guard let known = try? old?.schema() else { return false }
        return SchemaContainment.proves(
            that: schema.program, assertingFormats: schema.assertsFormats, admitsAllOf: known.program,
            assertingFormats: known.assertsFormats)
    }

    /// Checks every live document of a table.
    func check(_ table: String, _ definition: TableDefinition, limit: Int, in snapshot: Snapshot) throws(LogDBError) -> SchemaReport {
        var report = SchemaReport()
        do {
            try select(table, in: snapshot) { operation in
                report.documents += 1
                let key = try operation.key
                guard let problem = try definition.problem(key, operation.document) else { return }
                report.broken += 1
                if report.problems.count < limit { report.problems.append(SchemaProblem(key: key, reason: problem.message)) }
            }
        } catch { throw error as! LogDBError }
        return report
    }
}

extension SchemaReport {
    fileprivate func refusal(of table: String) -> String {
        let listed = problems.map { "\(TableDefinition.brief($0.key)) (\($0.reason))" }.joined(separator: "; ")
        let rest = broken > UInt64(problems.count) ? "; and \(broken - UInt64(problems.count)) more" : ""
        return
            "\(broken) of \(documents) documents of table \(TableDefinition.brief(.string(table))) break the new schema, so nothing was changed: \(listed)\(rest)"
    }
}
