//===--- Database+Retention.swift - what tables keep ------------------------===//

import LogDBFormat

extension Database {
    /// Sets which older versions of its documents `table` keeps, from now on. Creates the table if need be.
    ///
    /// Nothing is cleared away by this; the next compaction goes by it. What earlier ones have cleared away does not come back.
    ///
    /// - Parameter persistence: how far the change must have travelled before this returns.
    /// - Throws: ``LogDBError`` with code `.invalidOption` if the retention is out of its range; others as ``createTable(_:persistence:)``.
    public func setRetention(_ retention: Retention, of table: String, persistence: Persistence? = nil) throws(LogDBError) {
        try checkWritable()
        try Catalog.validate(name: table)
        try retention.validate()
        let level = try level(persistence)
        let position = try log.schemas.alone { () throws(LogDBError) in
            while true {
                let snapshot = try log.snapshot()
                let id = snapshot.tables.ids[table]
                if let id, snapshot.tables.retentions[id] ?? .latest == retention { return try end() }
                var entry = try id.map { id throws(LogDBError) in try catalogEntry(id, in: snapshot) } ?? CatalogEntry(name: table)
                entry.retention = retention
                let definition = id.flatMap { snapshot.tables.definitions[$0] }
                if let appended = try log.setDefinition(table, id, entry.document(), definition, retention, entry.timeToLive) {
                    return appended.position
                }
            }
        }
        try log.wait(for: position, level)
    }

    /// Which older versions of its documents `table` keeps.
    ///
    /// - Throws: `.noSuchTable`.
    public func retention(of table: String) throws(LogDBError) -> Retention {
        let snapshot = try log.snapshot()
        guard let id = snapshot.tables.ids[table] else {
            throw LogDBError(.noSuchTable, "there is no table \(TableDefinition.brief(.string(table)))")
        }
        return snapshot.tables.retentions[id] ?? .latest
    }
}
