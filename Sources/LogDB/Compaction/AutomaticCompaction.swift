//===--- AutomaticCompaction.swift - compaction by itself -------------------===//
//
// After a segment was sealed a thread of its own asks whether it is time; and a second after an opening, for what the last session left to do. See
// CompactionPolicy for when it is time.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Segments of the log, and how many times the base, at which the log is compacted whatever garbage it holds: a `get` asks each of them, and a
    /// `select` sorts all of them.
    private static let manySegments = 64
    private static let timesBase: UInt64 = 4
    /// Segments' worth of free disk below which it is short, and the share of garbage that is worth clearing away then.
    private static let shortSegments: UInt64 = 8
    private static let shortGarbage = 0.1

    /// An opening that is over before that has something better to do than to begin a compaction.
    private static let openingNanoseconds: UInt64 = 1_000_000_000

    /// Tells the compactor that there is a new segment, or no room for one; or that the database was just opened.
    func considerCompaction(hasJustOpened: Bool = false) {
        guard case .automatic(_, let segments) = options.compaction, options.access == .readWrite else { return }
        let mayBeDue = monitor.withLock { state in
            (state.sealed.count >= segments || state.base.contains { $0.entry.holdsExpiring }) && state.failure == nil && !state.isStopping
        }
        guard mayBeDue else { return }
        _ = compactor.wake { [self] in
            if hasJustOpened {
                let rings = compactor.bell.count
                // Over already, and nobody rings again?
                if monitor.withLock({ $0.isStopping }) { return }
                compactor.bell.wait(since: rings, until: Clock.monotonicNanoseconds() + Self.openingNanoseconds)
            }
            runCompactor()
        }
    }

    /// Does now what the compactor would do, and returns when there is nothing left of it.
    func compactIfDue(_ progress: (CompactionProgress) throws -> Void) throws -> CompactionReport? {
        try waitUntilSealed()
        // Perhaps that is all there is to do.
        try waitForCompaction(progress)
        guard try isTimeToCompact() else { return nil }
        // Once: others may write on, and there would be no end.
        let report = try compact(CompactionOptions(), progress: progress)
        return report.steps > 0 ? report : nil
    }

    /// Returns when no compaction is under way; tells of one that another thread does.
    private func waitForCompaction(_ progress: (CompactionProgress) throws -> Void) throws {
        while true {
            let (isCompacting, last) = monitor.withLock { ($0.isCompacting, $0.compactionProgress) }
            guard isCompacting else { return }
            if let last { try progress(last) }
            monitor.enter { lock in
                if lock.state.isCompacting { _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000) }
            }
        }
    }

    /// The compactor's thread.
    private func runCompactor() {
        while true {
            let rings = compactor.bell.count
            if monitor.withLock({ $0.isStopping }) { return }
            do {
                if try isTimeToCompact() {
                    try _ = compactHere(CompactionOptions()) { _ in }
                    monitor.withLock { $0.compactionFailure = nil }
                }
            } catch {
                // Nothing is lost by it. The next segment is a new chance.
                let failure = (error as? LogDBError) ?? LogDBError(.inputOutput, "\(error)")
                if failure.code != .cancelled { monitor.withLock { $0.compactionFailure = failure } }
            }
            if monitor.withLock({ $0.isStopping }) { return }
            compactor.bell.wait(since: rings)
        }
    }

    private func isTimeToCompact() throws(LogDBError) -> Bool {
        guard case .automatic(let share, let segments) = options.compaction else { return false }
        let (base, history, tail, catalog, isUsable, pin) = monitor.withLock {
            ($0.base, $0.history, $0.sealed, $0.catalog, $0.failure == nil && !$0.holdsCompaction, reaper.pin())
        }
        defer { withExtendedLifetime(pin) {} }
        guard isUsable, tail.count >= segments || base.contains(where: { $0.entry.holdsExpiring }) else { return false }
        let estimate = try garbage.estimate(base: base, history: history, tail: tail, catalog, now: readingMilliseconds)
        let garbage = estimate.share
        func rawBytes(_ segments: [SealedSegment]) -> UInt64 { segments.reduce(0) { $0 + $1.entry.rawLength } }
        let (baseBytes, historyBytes, tailBytes) = (rawBytes(base), rawBytes(history), rawBytes(tail))
        // The history is written anew as well: what is cleared away must be worth that.
        let current = Double(baseBytes + tailBytes)
        // What expires does so without a segment being sealed.
        guard tail.count >= segments else { return estimate.expiredShare * current / max(1, current + Double(historyBytes)) >= share }
        if garbage * current / max(1, current + Double(historyBytes)) >= share { return true }
        if tail.count >= Self.manySegments, tailBytes >= Self.timesBase * (baseBytes + historyBytes) { return true }
        let free = try mapped { () throws(FileError) in try directory.freeBytes() }
        return garbage >= Self.shortGarbage && free < Self.shortSegments * UInt64(options.segmentSizeBytes)
    }
}
