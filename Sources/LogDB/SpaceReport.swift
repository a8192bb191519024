//===--- SpaceReport.swift - why a database is as big as it is -------------===//

/// What ``Database/spaceReport(largest:)`` finds: which bytes are live, which could go, and what keeps them.
///
/// What pins old data stands in ``Statistics``: ``Statistics/openTransactions``, ``Statistics/waitingFiles`` and ``Statistics/readers``.
public struct SpaceReport: Sendable, Equatable {
    /// Operations, and the bytes of their keys and documents before compression.
    public struct Amount: Sendable, Equatable {
        public var operations: UInt64 = 0
        public var bytes: UInt64 = 0

        public init() {}
    }

    public struct Table: Sendable, Equatable {
        /// Nil for tables that were dropped, all of them together.
        public var name: String?
        /// What a select delivers.
        public var live = Amount()
        /// Upserts that a newer operation superseded, or whose table was dropped. Compaction removes them.
        public var dead = Amount()
        /// Deletes that are still in the log, to hide what is older. Compaction removes them.
        public var deletes = Amount()
        /// Older versions, deletes among them, that the table's retention or a savepoint keeps beside the live documents, as of the last compaction. Not part of the
        /// other three.
        public var retained = Amount()
    }

    public struct Entry: Sendable, Equatable {
        public var table: String
        public var key: Key
        public var operations: UInt64
        public var bytes: UInt64
    }

    /// Tables that take anything, in order of their names; behind them what is left of dropped ones.
    public var tables: [Table] = []
    /// The live documents with the most bytes, key included, the largest first.
    public var largest: [Entry] = []
    /// The keys whose operations take the most bytes of the log that is not compacted yet, the largest first: at least so many operations and bytes
    /// are theirs. A key that takes more than a thousandth of that log is not missed.
    public var busiest: [Entry] = []
    /// What a compaction would do and need now; nil where there is no room for one, as ``obstacle`` says.
    public var compaction: CompactionPlan?
    /// Why it cannot be compacted: an error with code `.insufficientSpace`.
    public var obstacle: LogDBError?

    public init() {}

    /// The share of all bytes that compaction would remove, 0 ... 1; counted, not estimated.
    public var garbage: Double {
        let live = tables.reduce(0) { $0 + $1.live.bytes }
        let all = tables.reduce(live) { $0 + $1.dead.bytes + $1.deletes.bytes }
        return all == 0 ? 0 : 1 - Double(live) / Double(all)
    }
}

extension Database {
    /// Finds out what of the database is live and what is not, table by table, and which documents and keys take the most.
    ///
    /// Reads the live documents once and the log that is not compacted yet twice; memory as ``select(_:_:)``. Counts what the call saw at its beginning;
    /// operations of open transactions are not counted.
    ///
    /// - Parameter largest: how many documents and keys to name, at most.
    /// - Throws: ``LogDBError`` `.corrupted` if damage is met.
    public func spaceReport(largest: Int = 10) throws -> SpaceReport {
        var report = try space(in: try log.snapshot(), largest: max(0, largest))
        do throws(LogDBError) { report.compaction = try log.planCompaction(CompactionOptions()) } catch {
            guard error.code == .insufficientSpace else { throw error }
            report.obstacle = error
        }
        return report
    }
}
