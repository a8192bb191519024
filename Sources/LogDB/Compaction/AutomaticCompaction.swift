//===--- AutomaticCompaction.swift - compaction by itself -------------------===//
//
// After a segment was sealed, and only then, a thread of its own asks whether it is time. See CompactionPolicy for when it is.
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

    /// Tells the compactor that there is a new segment, or no room for one.
    func considerCompaction() {
        guard case .automatic(_, let segments) = options.compaction, options.access == .readWrite else { return }
        guard monitor.withLock({ $0.sealed.count >= segments && $0.failure == nil && !$0.isStopping }) else { return }
        _ = compactor.wake { [self] in runCompactor() }
    }

    /// The compactor's thread.
    private func runCompactor() {
        while true {
            let rings = compactor.bell.count
            if monitor.withLock({ $0.isStopping }) { return }
            do {
                if try isTimeToCompact() {
                    try _ = compact(CompactionOptions()) { _ in }
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
            ($0.base, $0.history, $0.sealed, $0.catalog, $0.failure == nil, reaper.pin())
        }
        defer { withExtendedLifetime(pin) {} }
        guard isUsable, tail.count >= segments else { return false }
        let garbage = try garbage.estimate(base: base, history: history, tail: tail, catalog).share
        if garbage >= share { return true }
        let (baseBytes, tailBytes) = ((base + history).reduce(0) { $0 + $1.entry.rawLength }, tail.reduce(0) { $0 + $1.entry.rawLength })
        if tail.count >= Self.manySegments, tailBytes >= Self.timesBase * baseBytes { return true }
        let free = try mapped { () throws(FileError) in try directory.freeBytes() }
        return garbage >= Self.shortGarbage && free < Self.shortSegments * UInt64(options.segmentSizeBytes)
    }
}
