//===--- SQLiteEngine.swift - SQLite as an engine --------------------------===//
//
// All threads share one connection behind a lock: connections of their own would wait for the one write lock by sleeping, which is slower.
//===-----------------------------------------------------------------------===//

import Foundation

final class SQLiteEngine: Engine {
    fileprivate let database: SQLite
    fileprivate let lock = NSLock()

    init(_ setting: Setting, folder: String) throws {
        guard let synchronous = SQLite.Synchronous(rawValue: setting.variant) else {
            throw SystemFailure(message: "SQLite has no synchronous=\(setting.variant)")
        }
        database = try SQLite(folder + "/database.sqlite", synchronous, cacheBytes: Setting.memoryBudget)
    }

    func makeWriter() -> any Writer { SQLiteWriter(self) }

    func reload(into destination: Destination) throws { try database.forEach { destination.put($0, $1) } }

    func compact() throws {
        try database.execute("VACUUM")
        try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    func close() throws { database.close() }
}

private final class SQLiteWriter: Writer {
    private let engine: SQLiteEngine

    init(_ engine: SQLiteEngine) { self.engine = engine }

    func apply(_ slice: Slice, _ index: Int) throws { try engine.lock.withLock { try applyUnlocked(slice, index) } }

    func applyBatch(_ slice: Slice, _ range: Range<Int>) throws {
        try engine.lock.withLock {
            try engine.database.begin()
            for index in range { try applyUnlocked(slice, index) }
            try engine.database.commit()
        }
    }

    private func applyUnlocked(_ slice: Slice, _ index: Int) throws {
        if slice.isDelete[index] {
            try engine.database.delete(slice.key(index))
        } else {
            try engine.database.upsert(slice.key(index), slice.document(index))
        }
    }
}
