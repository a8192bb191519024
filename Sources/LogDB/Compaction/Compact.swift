//===--- Compact.swift - a compaction from beginning to end -----------------===//
//
// One at a time. Each step takes its own cut: the base as it is then, the oldest segments of the log, and the tables there are, after all that is
// said of tables is on the disk. (A table whose drop a power cut takes back must still have its documents.)
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Compacts on a thread of low priority, while the caller waits: on a machine whose processors are all busy, who writes or reads goes first.
    /// `progress` is called on the caller's thread.
    func compact(
        _ compaction: CompactionOptions, progress: (CompactionProgress) throws -> Void
    ) throws -> CompactionReport {
        try Errand.run(reporting: progress) { report in try self.compactHere(compaction, progress: report) }
    }

    /// Compacts on this thread.
    func compactHere(
        _ compaction: CompactionOptions, progress: (CompactionProgress) throws -> Void
    ) throws -> CompactionReport {
        try beginCompaction()
        defer { endCompaction() }
        return try withoutActuallyEscaping(progress) { progress in
            try runCompaction(compaction) { now in
                self.monitor.withLock { $0.compactionProgress = now }
                try progress(now)
            }
        }
    }

    private func beginCompaction() throws(LogDBError) {
        try monitor.enter { lock throws(LogDBError) in
            while lock.state.isCompacting {
                try lock.state.checkWritable()
                _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000)
            }
            try lock.state.checkWritable()
            lock.state.isCompacting = true
        }
    }

    private func endCompaction() {
        monitor.withLock { state in
            state.isCompacting = false
            state.compactionProgress = nil
        }
        monitor.broadcast()
        reaper.reap()
    }

    /// Returns when no compaction is under way; one that is, in a call of another thread, stops by itself when the database is being closed.
    func waitForCompaction() {
        monitor.enter { lock in
            while lock.state.isCompacting { _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000) }
        }
    }

    private func runCompaction(
        _ compaction: CompactionOptions, _ progress: @escaping (CompactionProgress) throws -> Void
    ) throws -> CompactionReport {
        let began = Clock.monotonicNanoseconds()
        let budget = compaction.memoryBudgetBytes ?? options.memoryBudgetBytes
        let throttle = Throttle(bytesPerSecond: compaction.bytesPerSecond) { [monitor] in monitor.withLock { $0.isStopping } }
        let first = try takeCut()
        var report = CompactionReport()
        guard try !isCompact(base: first.base, history: first.history, tail: first.tail, first.catalog) else { return report }
        let steps = try steps(
            base: first.base + first.history, tail: first.tail, available: try availableBytes(compaction), budget: budget
        ).steps
        let baseRaw = (first.base + first.history).reduce(UInt64(0)) { $0 + $1.entry.rawLength }
        let tailRaw = first.tail.reduce(UInt64(0)) { $0 + $1.entry.rawLength }
        report.bytesBefore = (first.base + first.history + first.tail).reduce(0) { $0 + $1.entry.fileLength }
        // What is read of the log, and what is merged: at most all of it, less what earlier steps found superseded.
        let meter = ProgressMeter(planned: 2 * tailRaw + baseRaw * UInt64(steps.count), began: began, progress)
        var taken = Set<UInt64>()
        for step in steps {
            var cut = taken.isEmpty ? first : try takeCut()
            let numbers = Set(step.map(\.entry.number))
            cut.tail = cut.tail.filter { numbers.contains($0.entry.number) }
            taken.formUnion(numbers)
            let work = CompactionStep(self, cut, budget: budget, throttle: throttle) { [self] count throws(LogDBError) in
                throttle.pass(count)
                try monitor.withLock { state throws(LogDBError) in
                    if let failure = state.failure { throw failure }
                    if state.isStopping {
                        throw LogDBError(.cancelled, "compaction stopped, for the database is being closed: what it finished stays")
                    }
                }
                try meter.pass(count)
            }
            let done: CompactionReport
            do { done = try work.run() } catch {
                // What the caller's closure threw is the caller's.
                if let thrown = meter.thrown { throw thrown }
                throw error
            }
            report.steps += 1
            report.documents = done.documents
            report.expired += done.expired
            report.writtenBytes += done.writtenBytes
            report.spilledBytes += done.spilledBytes
            report.peakExtraBytes = max(report.peakExtraBytes, done.peakExtraBytes)
        }
        report.bytesAfter = monitor.withLock { ($0.base + $0.history).reduce(0) { $0 + $1.entry.fileLength } }
        report.seconds = Double(Clock.monotonicNanoseconds() - began) / 1e9
        return report
    }

    /// What is compacted now, and the catalog that says what of it counts. That must be on the disk: what it drops, lets expire or retains decides what goes for
    /// good. The documents that are only in the log do not matter here, and their segments are not synced for it: that would make the next put that begins a
    /// segment wait for the disk to take all of them.
    private func takeCut() throws(LogDBError) -> CompactionCut {
        let (cut, position) = try monitor.withLock { state throws(LogDBError) -> (CompactionCut, UInt64?) in
            try state.checkWritable()
            let generation = max(state.base.first?.entry.generation ?? 0, state.history.first?.entry.generation ?? 0) + 1
            let cut = CompactionCut(
                base: state.base, history: state.history, tail: state.sealed, catalog: state.catalog, generation: generation,
                compacted: state.compacted.lastSequence)
            return (cut, state.durable > state.catalogChangedAt ? nil : state.position)
        }
        if let position { try waitUntilDurable(position) }
        return cut
    }

    /// A number for a file of the base. None that a file in the folder has, listed or not.
    func takeBaseNumber() -> UInt64 {
        monitor.withLock { state in
            defer { state.nextBase += 1 }
            return state.nextBase
        }
    }
}

/// Counts bytes and reports them, not too often.
private final class ProgressMeter {
    private let planned: UInt64
    private let began: UInt64
    private let progress: (CompactionProgress) throws -> Void
    private var done: UInt64 = 0
    private var reported: UInt64 = 0
    private(set) var thrown: (any Error)?

    init(planned: UInt64, began: UInt64, _ progress: @escaping (CompactionProgress) throws -> Void) {
        self.planned = planned
        self.began = began
        self.progress = progress
    }

    func pass(_ count: Int) throws(LogDBError) {
        done += UInt64(count)
        guard done - reported >= min(1 << 20, planned / 64) else { return }
        reported = done
        let seconds = Double(Clock.monotonicNanoseconds() - began) / 1e9
        let share = Double(min(done, planned)) / Double(max(1, planned))
        do {
            try progress(
                CompactionProgress(
                    bytesDone: min(done, planned), bytesPlanned: planned, secondsLeft: share > 0.02 ? seconds / share * (1 - share) : nil))
        } catch {
            thrown = error
            throw LogDBError(.cancelled, "the progress closure stopped the compaction")
        }
    }
}
