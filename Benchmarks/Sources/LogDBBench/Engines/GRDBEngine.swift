//===--- GRDBEngine.swift - what a Swift programmer would use instead ------===//
//
// A `Codable` record in a table of its own, as GRDB's documentation shows it: a column for each member, JSON text for nested ones. A single
// connection with a WAL, so that no time goes into choosing one; `upsert` would need a statement of its own for each call, so the
// record's conflict policy replaces instead, with one cached statement.
//===-----------------------------------------------------------------------===//

import Foundation
import GRDB

extension Actor: FetchableRecord, PersistableRecord {
    static let databaseTableName = "actors"
    static let persistenceConflictPolicy = PersistenceConflictPolicy(insert: .replace, update: .replace)
}

final class GRDBEngine: TypedEngine {
    private let queue: DatabaseQueue

    init(_ setting: Setting, folder: String) throws {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = \(setting.variant)")
            try database.execute(sql: "PRAGMA cache_size = -\(Setting.memoryBudget / 1024)")
        }
        queue = try DatabaseQueue(path: folder + "/database.sqlite", configuration: configuration)
        try queue.write { database in
            try database.create(table: Actor.databaseTableName, options: [.ifNotExists, .withoutRowID]) { table in
                table.primaryKey("id", .text)
                for name in ["updated", "hp", "level"] { table.column(name, .integer).notNull() }
                for name in ["name", "position", "conditions", "inventory", "note"] { table.column(name, .text).notNull() }
            }
        }
    }

    func put(_ actor: Actor) throws { try queue.write { try actor.insert($0) } }

    func delete(_ id: String) throws { try queue.write { _ = try Actor.deleteOne($0, key: id) } }

    func reload() throws -> [String: Actor] {
        try queue.read { database in
            var dictionary: [String: Actor] = [:]
            let cursor = try Actor.fetchCursor(database)
            while let actor = try cursor.next() { dictionary[actor.id] = actor }
            return dictionary
        }
    }

    func close() throws { try queue.close() }
}
