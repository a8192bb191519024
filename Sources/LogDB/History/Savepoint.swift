//===--- Savepoint.swift - a moment with a name -----------------------------===//
//
// An operation on table 0 like those that name tables: its key is the savepoint's name, a string, its document says nothing, and its number is the
// moment. A delete releases it. So savepoints are there after a crash or not like any write, and move with the catalog.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A named moment in the database's history, see ``Database/savepoint(_:persistence:)``.
public struct Savepoint: Sendable, Hashable {
    public let name: String
    /// The moment: all operations up to this number belong to it.
    public let sequenceNumber: SequenceNumber
    /// When it was made, in milliseconds since 1970 UTC, by the writer's clock.
    public let milliseconds: Int64
}

extension Database {
    /// Gives this moment a name. Until it is released, the state of every table as of now stays readable, whatever is written, deleted, dropped or
    /// compacted later: see ``state(asOf:)``.
    ///
    /// Costs one operation now, and later the disk that the documents take which are superseded since. What a transaction has written before this
    /// moment belongs to it once the transaction commits, be that later: operations have their place where they were made.
    ///
    /// - Parameter name: 1 ... 255 bytes of UTF-8, without control characters.
    /// - Throws: ``LogDBError`` with code `.savepointExists` if there is one of that name: release it first; `.invalidOption` for a name that cannot
    ///   be one, or if there are 65,536 already; others as ``delete(_:_:persistence:)``.
    @discardableResult
    public func savepoint(_ name: String, persistence: Persistence? = nil) throws(LogDBError) -> Savepoint {
        try checkWritable()
        let level = try level(persistence)
        let (savepoint, position) = try log.makeSavepoint(name)
        try log.wait(for: position, level)
        return savepoint
    }

    /// Lets go of a savepoint. The next compaction may clear away what only it has kept.
    ///
    /// - Throws: `.noSuchSavepoint` if it is not there, and as ``delete(_:_:persistence:)``.
    @discardableResult
    public func releaseSavepoint(_ name: String, persistence: Persistence? = nil) throws(LogDBError) -> SequenceNumber {
        try checkWritable()
        let level = try level(persistence)
        let appended = try log.releaseSavepoint(name)
        try log.wait(for: appended.position, level)
        return appended.sequence
    }

    /// The savepoints, the oldest first.
    public var savepoints: [Savepoint] {
        get throws(LogDBError) { try log.snapshot().tables.savepoints.values.sorted { $0.sequenceNumber < $1.sequenceNumber } }
    }
}

extension Savepoint {
    static let maximumCount = 65_536

    static func validate(name: String) throws(LogDBError) {
        let length = name.utf8.count
        guard (1...Catalog.maximumNameBytes).contains(length), name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw LogDBError(
                .invalidOption,
                "the name of a savepoint has \(length) bytes, or a control character: choose 1 to \(Catalog.maximumNameBytes), without")
        }
    }
}

extension Log {
    func makeSavepoint(_ name: String) throws(LogDBError) -> (Savepoint, position: UInt64) {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try Savepoint.validate(name: name)
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: false, lock)
            return try lock.state.appendSavepoint(name)
        }
    }

    func releaseSavepoint(_ name: String) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: true, lock)
            return try lock.state.appendRelease(name)
        }
    }
}
