//===--- Database+Schema.swift - schemas of tables ---------------------------===//

import LogDBFormat

extension Database {
    /// Sets what `table` asks of all that is written to it from now on: the kind of key, and a schema for documents. Creates the table if need be.
    ///
    /// The schema is kept in the database. Each change is a new version; earlier ones are kept, see ``schemaHistory(of:)``. Setting what is set already
    /// changes nothing.
    ///
    /// Where it is certain that no document there can break the new rules, because they allow all that the old ones did, the change is made at once. Otherwise
    /// every live document is checked first, within the memory budget of ``select(_:_:)``. Writing goes on meanwhile, and must keep to the old rules and to the
    /// new ones. Transactions that were open before are waited for, up to five seconds.
    ///
    /// Deletes are always allowed. Of documents that were superseded or deleted nothing is asked.
    ///
    /// - Parameters:
    ///   - keys: the kind of key; nil allows both.
    ///   - documents: the schema; nil allows any document.
    ///   - persistence: how far the change must have travelled before this returns.
    /// - Throws: ``LogDBError``, with nothing changed, with code
    ///   - `.incompatibleSchema` if documents break the new rules; the message says how many, and names the first ten and what is wrong with them;
    ///   - `.transactionOpen` if a transaction that was open before does not end;
    ///   - `.invalidSchema` if it is too large to be kept, or nested too deep;
    ///   - others as ``createTable(_:persistence:)`` and ``select(_:_:)``.
    @discardableResult
    public func setSchema(
        _ table: String, keys: KeyType? = nil, documents: Schema?, persistence: Persistence? = nil
    ) throws(LogDBError) -> SchemaChange {
        try checkWritable()
        try Catalog.validate(name: table)
        let level = try level(persistence)
        let changed = try log.schemas.alone { () throws(LogDBError) in
            while true {
                if let changed = try changeSchema(table, keys, documents) { return changed }
            }
        }
        try log.wait(for: changed.position, level)
        return changed.change
    }

    /// The version of the schema of `table` that is in force; nil if it never had one.
    ///
    /// - Throws: `.noSuchTable`.
    public func schema(of table: String) throws(LogDBError) -> SchemaVersion? {
        let snapshot = try log.snapshot()
        return snapshot.tables.definitions[try id(of: table, in: snapshot)]?.version
    }

    /// All versions of the schema of `table`, the oldest first. Of very many, or very large ones, the oldest are forgotten: together they have
    /// at most 4 MiB.
    ///
    /// - Throws: `.noSuchTable`.
    public func schemaHistory(of table: String) throws(LogDBError) -> [SchemaVersion] {
        let snapshot = try log.snapshot()
        let id = try id(of: table, in: snapshot)
        guard snapshot.tables.definitions[id] != nil else { return [] }
        var versions: [SchemaVersion] = []
        for bytes in try catalogEntry(id, in: snapshot).versions {
            do throws(FormatError) { versions.append(try SchemaVersion(decoding: bytes.span, of: id)) } catch {
                throw LogDBError(.corrupted, error.reason)
            }
        }
        return versions
    }

    /// Checks every live document of `table` against rules that need not be its own. Changes nothing.
    ///
    /// - Parameter limit: how many problems to list.
    /// - Throws: `.noSuchTable`; as ``select(_:_:)``.
    public func checkSchema(
        _ table: String, keys: KeyType? = nil, documents: Schema?, limit: Int = 100
    ) throws(LogDBError) -> SchemaReport {
        let snapshot = try log.snapshot()
        _ = try id(of: table, in: snapshot)
        let version = SchemaVersion(
            number: 1, milliseconds: 0, keys: keys, text: documents?.text, assertsFormats: documents?.assertsFormats ?? false)
        return try check(table, TableDefinition(version, documents), limit: limit, in: snapshot)
    }

    private func id(of table: String, in snapshot: Snapshot) throws(LogDBError) -> UInt64 {
        guard let id = snapshot.tables.ids[table] else {
            throw LogDBError(.noSuchTable, "there is no table \(TableDefinition.brief(.string(table)))")
        }
        return id
    }
}
