//===--- LogDBEngine.swift - LogDB, by its front door ----------------------===//
//
// As an application uses it: strings for keys, JSON text for documents, default options but for codec and durability. Each call here has
// one counterpart in the public interface; a new one (a faster reload, a compaction) is plugged in here and nowhere else.
//===-----------------------------------------------------------------------===//

import LogDB
import Synchronization

final class LogDBEngine: Engine {
    static let table = "actors"
    private let database: Database

    init(_ setting: Setting, folder: String) throws { database = try Self.open(setting, folder) }

    static func open(_ setting: Setting, _ folder: String) throws -> Database {
        try Database.open(
            at: folder,
            options: Options { options in
                options.persistence = setting.durability == .disk ? .disk : .process
                if setting.manualCompaction { options.compaction = .manual }
                switch setting.variant {
                case "": break
                case "zlib:6": options.codec = .zlib(level: 6)
                case "lz4hc:9": options.codec = .lz4HC(level: 9)
                default: preconditionFailure("LogDB has no codec \(setting.variant)")
                }
            })
    }

    /// The others make their one table when they make the database.
    func prepare() throws { try database.createTable(Self.table) }

    func makeWriter() -> any Writer { LogDBWriter(database) }

    func reload(into destination: Destination) throws {
        switch destination.kind {
        case .dictionary: try destination.fill { dictionary in try database.load(Self.table, into: &dictionary) }
        case .loadAll: try loadAll(destination)
        case .map, .nowhere: try replay(into: destination)
        }
    }

    private func loadAll(_ destination: Destination) throws {
        let actors = try database.loadAll(Self.table)
        destination.delivered += actors.count
        destination.collection = {
            var contents = Contents()
            actors.forEachDocument { row in
                if case .string(let key) = row.key { contents.add(key.utf8.span, row.document) }
            }
            return contents
        }
    }

    /// Every operation, as an application fills a map that is not Swift's.
    private func replay(into destination: Destination) throws {
        try database.replay(Self.table) { operation in
            guard case .string(let key) = try operation.key else { throw SystemFailure(message: "a key that is no string") }
            if operation.isDelete { destination.remove(key) } else { destination.put(key, operation.document) }
        }
    }

    func compact() throws { try database.compact() }

    func close() throws { try database.close() }
}

final class LogDBWriter: AsynchronousWriter {
    private let database: Database
    /// Emptied and filled again, as the peers' are.
    private let batch = Mutex(Batch())

    init(_ database: Database) { self.database = database }

    func apply(_ slice: Slice, _ index: Int) throws {
        let key = Key.string(slice.keys[index])
        if slice.isDelete[index] {
            try database.delete(LogDBEngine.table, key)
        } else {
            try database.upsert(LogDBEngine.table, key, json: slice.document(index))
        }
    }

    func applyBatch(_ slice: Slice, _ range: Range<Int>) throws {
        try batch.withLock { batch in
            batch.removeAll(keepingCapacity: true)
            for index in range {
                let key = Key.string(slice.keys[index])
                if slice.isDelete[index] {
                    try batch.delete(LogDBEngine.table, key)
                } else {
                    try batch.upsert(LogDBEngine.table, key, json: slice.document(index))
                }
            }
            try database.write(batch)
        }
    }

    func applyAsynchronously(_ slice: Slice, _ index: Int) async throws {
        let key = Key.string(slice.keys[index])
        if slice.isDelete[index] {
            try await database.delete(LogDBEngine.table, key)
        } else {
            try await database.upsert(LogDBEngine.table, key, json: [UInt8](copying: slice.document(index)))
        }
    }
}

final class LogDBTypedEngine: TypedEngine {
    private let database: Database
    private let actors: Table<String, Actor>

    init(_ setting: Setting, folder: String) throws {
        database = try LogDBEngine.open(setting, folder)
        try database.createTable(LogDBEngine.table)
        actors = database.table(LogDBEngine.table)
    }

    func put(_ actor: Actor) throws { try actors.upsert(actor, forKey: actor.id) }

    func delete(_ id: String) throws { try actors.delete(id) }

    func reload() throws -> [String: Actor] {
        var dictionary: [String: Actor] = [:]
        try actors.load(into: &dictionary)
        return dictionary
    }

    func close() throws { try database.close() }
}
