//===--- CompactionPlanning.swift - what a compaction needs ------------------===//
//
// Before a compaction begins it is known what it will take, at most, beyond what the database takes now. For a step that takes in segments of the log
// with F bytes on the disk, at any moment:
//
//      runs     what of them is sorted on the disk: nothing if it fits in memory, else about F, in LZ4
//      growth   new base segments, less the old ones that they replaced: about F, in the codec of the database
//      slack    the segment being written, and the one of each kind that is being read and not yet gone: 3 segments
//
// Runs are given back as they are read, and the new segments grow by what was read, so a step takes max(runs, growth) + slack. If that is more than
// there is, the log is taken in by several steps, the oldest segments first, each as large as there is room for. Working through the log, and not
// through ranges of keys, has this reason: after a step the segments it took in are gone, while of a range of keys nothing but the base could go.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Splits `tail` into steps that need at most `available` bytes each.
    func steps(
        base: [SealedSegment], tail: [SealedSegment], available: UInt64, budget: Int
    ) throws(LogDBError) -> (steps: [ArraySlice<SealedSegment>], peak: UInt64, minimum: UInt64) {
        let slack = 3 * segmentBytes(base + tail) + (64 << 10)
        let output = BlockCost(options.codec.blockCodec)
        let everything = (base + tail).reduce(UInt64(0)) { $0 + output.bound(of: $1.entry) }
        // What is written is never more than everything there is, however large a segment may be: a small database needs little.
        func room(_ segments: some Sequence<SealedSegment>) -> UInt64 {
            let (runs, growth) = need(of: segments, budget: budget)
            return min(max(runs, growth) + slack, runs + everything + (64 << 10))
        }
        let minimum = tail.map { room([$0]) }.max() ?? 0
        var steps: [ArraySlice<SealedSegment>] = []
        var peak: UInt64 = 0
        var start = 0
        while start < tail.count {
            var end = start + 1
            while end < tail.count, room(tail[start...end]) <= available { end += 1 }
            let need = room(tail[start..<end])
            guard need <= available else {
                throw LogDBError(
                    .insufficientSpace,
                    "compaction needs \(need) bytes of disk beyond what is taken, and has \(available): free some, or allow it more. Nothing was changed"
                )
            }
            peak = max(peak, need)
            steps.append(tail[start..<end])
            start = end
        }
        if tail.isEmpty, !base.isEmpty {
            let need = room([])
            guard need <= available else {
                throw LogDBError(
                    .insufficientSpace,
                    "compaction needs \(need) bytes of disk beyond what is taken, and has \(available). Nothing was changed")
            }
            return ([[]], need, need)
        }
        return (steps, peak, minimum)
    }

    /// Bytes of runs, and of growth, that taking in `segments` of the log needs at most.
    private func need(of segments: some Sequence<SealedSegment>, budget: Int) -> (runs: UInt64, growth: UInt64) {
        var raw: UInt64 = 0
        var runs: UInt64 = 0
        var growth: UInt64 = 0
        let output = BlockCost(options.codec.blockCodec)
        for segment in segments {
            raw += segment.entry.rawLength
            runs += BlockCost(.lz4).bound(of: segment.entry)
            growth += output.bound(of: segment.entry)
        }
        // Every record takes some bytes more in memory than in a block.
        let fits = raw + raw / 2 <= UInt64(CompactionStep.sortBudget(budget))
        return (fits ? 0 : runs, growth)
    }

    /// The most that a segment of this database takes on the disk, about: as the others do, with a quarter more, and never more than its raw size. One
    /// with a document that is larger than a segment should be, or of a time when segments were larger, is larger itself.
    private func segmentBytes(_ segments: [SealedSegment]) -> UInt64 {
        let size = max(UInt64(options.segmentSizeBytes), segments.map(\.entry.rawLength).max() ?? 0)
        let raw = segments.reduce(UInt64(1)) { $0 + $1.entry.rawLength }
        let stored = segments.reduce(UInt64(0)) { $0 + BlockCost(options.codec.blockCodec).bound(of: $1.entry) }
        let share = min(1, Double(stored) / Double(raw) * 1.25)
        return UInt64(Double(size) * share) + (64 << 10)
    }

    func planCompaction(_ compaction: CompactionOptions) throws(LogDBError) -> CompactionPlan {
        try compaction.validate()
        let budget = compaction.memoryBudgetBytes ?? options.memoryBudgetBytes
        let (base, history, tail, catalog, pin) = try monitor.withLock { state throws(LogDBError) in
            try state.checkUsable()
            return (state.base, state.history, state.sealed, state.catalog, reaper.pin())
        }
        defer { withExtendedLifetime(pin) {} }
        var plan = CompactionPlan()
        plan.logSegments = tail.count
        plan.logBytes = tail.reduce(0) { $0 + $1.entry.fileLength }
        plan.logRawBytes = tail.reduce(0) { $0 + $1.entry.rawLength }
        plan.baseBytes = (base + history).reduce(0) { $0 + $1.entry.fileLength }
        plan.availableBytes = try availableBytes(compaction)
        let estimate = try garbage.estimate(base: base, history: history, tail: tail, catalog, now: readingMilliseconds)
        plan.estimatedGarbage = estimate.share
        // What is retained stays.
        let gainable = (base + tail).reduce(0) { $0 + $1.entry.fileLength }
        plan.estimatedGainBytes = UInt64(Double(gainable) * estimate.share)
        guard try !isCompact(base: base, history: history, tail: tail, catalog) else { return plan }
        let steps = try steps(base: base + history, tail: tail, available: plan.availableBytes, budget: budget)
        plan.steps = steps.steps.count
        plan.peakExtraBytes = steps.peak
        plan.minimumExtraBytes = steps.minimum
        return plan
    }

    /// The ceiling, or what the disk has free.
    func availableBytes(_ compaction: CompactionOptions) throws(LogDBError) -> UInt64 {
        let free = try mapped { () throws(FileError) in try directory.freeBytes() }
        return min(compaction.maximumExtraBytes ?? .max, free)
    }

    /// Whether compaction would change nothing: nothing of the log, one generation, no table of it dropped, no document expired. What of a history is still wanted only
    /// a look at it tells.
    func isCompact(base: [SealedSegment], history: [SealedSegment], tail: [SealedSegment], _ catalog: Catalog) throws(LogDBError) -> Bool {
        guard tail.isEmpty, history.isEmpty, generations(of: base).count <= 1 else { return false }
        let now = readingMilliseconds
        for segment in base {
            let footer = try segment.footer(of: try segment.open().0)
            if !footer.expiry.isEmpty, footer.expiry.least <= now { return false }
            if footer.tables.contains(where: { $0.table != 0 && catalog.names[$0.table] == nil }) { return false }
        }
        return true
    }
}

/// What a segment's records may take in another codec than its own. LZ4 rarely needs twice what a thorough codec does.
private struct BlockCost {
    private let weight: Double

    init(_ codec: BlockCodec) { weight = Self.weight(codec) }

    private static func weight(_ codec: BlockCodec) -> Double {
        switch codec {
        case .none: 8
        case .lz4: 2
        case .lz4HC: 1.25
        case .zlib: 1
        }
    }

    /// Sorted by key instead of by time the same records compress a little better or worse: a fifth more is allowed for.
    func bound(of entry: SealedSegmentEntry) -> UInt64 {
        let ratio = max(1, weight / Self.weight(entry.codec))
        return min(entry.rawLength + entry.rawLength / 64, UInt64(Double(entry.fileLength) * ratio * 1.2)) + 4096
    }
}
