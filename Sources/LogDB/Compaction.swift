//===--- Compaction.swift - how superseded data is cleared away -------------===//

/// When a database compacts itself.
public enum CompactionPolicy: Sendable, Equatable {
    /// In the background, as soon as an estimate says that at least `garbage` (a share, 0.1 ... 0.95) of the sealed data is superseded, deleted, expired or
    /// dropped, and at least `segments` segments (1 or more) were sealed since the last time. Also when the disk is nearly full and there is
    /// something to gain, and when the log that is not compacted has grown to several times the rest, so that finding and selecting stay cheap; and
    /// without any segment when so large a share has expired. Looks
    /// when a segment was sealed, and a second after an opening: a database in which nothing is written does nothing more.
    case automatic(garbage: Double = 0.5, segments: Int = 2)
    /// Only when ``Database/compact(_:progress:)`` is called.
    case manual

    /// `.automatic()`.
    public static let automatic = CompactionPolicy.automatic()
}

/// Options of one compaction.
public struct CompactionOptions: Sendable, Equatable {
    /// The most disk that may be used beyond what the database takes now. Default nil: what the disk has free. A compaction that cannot be done
    /// in one go within that is done in several, each of which takes in some of the oldest segments of the log; it then writes more.
    public var maximumExtraBytes: UInt64?
    /// Bytes a second that may be read and written, for devices whose disk is slow; nil for as fast as it goes.
    public var bytesPerSecond: Int?
    /// Memory that may be used beyond the largest document, 4 MiB or more; nil for ``Options/memoryBudgetBytes``.
    public var memoryBudgetBytes: Int?

    public init() {}
}

/// What a compaction would do, and need.
public struct CompactionPlan: Sendable, Equatable {
    /// Segments of the log that it would take in, their bytes on the disk and uncompressed.
    public var logSegments = 0
    public var logBytes: UInt64 = 0
    public var logRawBytes: UInt64 = 0
    /// Bytes on the disk of what was compacted before, and would be written anew.
    public var baseBytes: UInt64 = 0
    /// How many times the base is gone through: 1 where there is room enough.
    public var steps = 0
    /// The most disk that it is expected to take beyond what is taken now, at any moment.
    public var peakExtraBytes: UInt64 = 0
    /// The least that any compaction of this database takes, with as many steps as that needs.
    public var minimumExtraBytes: UInt64 = 0
    /// The ceiling that was planned for: ``CompactionOptions/maximumExtraBytes``, or what the disk has free.
    public var availableBytes: UInt64 = 0
    /// Estimated share of the data that is superseded, deleted or dropped, 0 ... 1.
    public var estimatedGarbage = 0.0
    /// Estimated bytes on the disk that compaction would free in the end.
    public var estimatedGainBytes: UInt64 = 0

    public init() {}

    /// Whether there is anything to do.
    public var isEmpty: Bool { steps == 0 }
}

/// How far a compaction has come.
public struct CompactionProgress: Sendable, Equatable {
    /// Uncompressed bytes that were read, of those that will be.
    public var bytesDone: UInt64
    public var bytesPlanned: UInt64
    /// Estimated seconds to go; nil at the beginning.
    public var secondsLeft: Double?
}

/// What a compaction did.
public struct CompactionReport: Sendable, Equatable {
    public var steps = 0
    /// Live documents in the base, the catalog's entries included.
    public var documents: UInt64 = 0
    /// Documents that were the newest of their keys, and were left out because they had expired.
    public var expired: UInt64 = 0
    /// Bytes on the disk of what was compacted, before and after.
    public var bytesBefore: UInt64 = 0
    public var bytesAfter: UInt64 = 0
    /// Bytes written to new segments, and to runs in between.
    public var writtenBytes: UInt64 = 0
    public var spilledBytes: UInt64 = 0
    /// The most disk that it took beyond what was taken before, at any moment.
    public var peakExtraBytes: UInt64 = 0
    public var seconds = 0.0

    public init() {}
}

extension Database {
    /// Says what ``compact(_:progress:)`` would do now, and what it would need. Changes nothing.
    ///
    /// - Throws: ``LogDBError`` with code `.insufficientSpace` if it cannot be done with the room there is.
    public func compactionPlan(_ options: CompactionOptions = CompactionOptions()) throws(LogDBError) -> CompactionPlan {
        try log.planCompaction(options)
    }

    /// Clears away what is superseded, deleted, expired or dropped: seals what was written so far, and writes the live documents anew, sorted by key.
    ///
    /// Returns when it is done; the work is done on threads of low priority, so that who writes and reads meanwhile goes first. Reading, writing and transactions go on meanwhile; what a transaction that is open keeps from being sealed is left
    /// for the next time, and so is what is written from now on. Memory: the budget, plus the largest document. Disk: see ``CompactionPlan``. Another
    /// compaction under way is waited for.
    ///
    /// Whenever it ends, and however (an error, ``close()``, a crash), the database holds the same documents as before. What was finished stays
    /// finished, and starting again does the rest.
    ///
    /// - Parameter progress: called now and then, on the calling thread. What it throws stops the compaction, and is thrown on.
    /// - Throws: ``LogDBError`` with code
    ///   - `.insufficientSpace`, before anything is changed, if the room there is will not do even in small steps;
    ///   - `.diskFull` if the disk became full meanwhile;
    ///   - `.corrupted` if damage is met, `.cancelled` if the database is being closed, `.readOnly`, `.closed`, `.poisoned`, `.inputOutput`.
    @discardableResult
    public func compact(
        _ options: CompactionOptions = CompactionOptions(), progress: (CompactionProgress) throws -> Void = { _ in }
    ) throws -> CompactionReport {
        try checkWritable()
        try options.validate()
        try log.seal()
        return try log.compact(options, progress: progress)
    }

    /// Does now what automatic compaction has left to do, and waits for it: after a long load, say, or before the application ends. (``close()``
    /// waits for nothing: it stops a compaction.)
    ///
    /// - Returns: what was done; nil if there was nothing to do by ``Options/compaction``, as always with `.manual`, or if the background did it.
    /// - Throws: as ``compact(_:progress:)``.
    @discardableResult
    public func compactIfDue(progress: (CompactionProgress) throws -> Void = { _ in }) throws -> CompactionReport? {
        try checkWritable()
        guard case .automatic = self.options.compaction else { return nil }
        return try log.compactIfDue(progress)
    }
}

extension CompactionOptions {
    func validate() throws(LogDBError) {
        if let budget = memoryBudgetBytes, budget < 4 << 20 {
            throw LogDBError(.invalidOption, "memoryBudgetBytes is \(budget): choose 4,194,304 (4 MiB) or more")
        }
        if let rate = bytesPerSecond, rate < 1024 {
            throw LogDBError(.invalidOption, "bytesPerSecond is \(rate): choose 1,024 or more")
        }
    }
}

extension CompactionPolicy {
    func validate() throws(LogDBError) {
        guard case .automatic(let garbage, let segments) = self else { return }
        guard (0.1...0.95).contains(garbage), segments >= 1 else {
            throw LogDBError(
                .invalidOption, "compaction is .automatic(garbage: \(garbage), segments: \(segments)): choose 0.1 to 0.95, and 1 or more")
        }
    }
}
