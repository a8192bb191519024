//===--- BlockStream.swift - blocks unpacked ahead, delivered in order ------===//
//
// Reading, proving and unpacking take more time than handing records over, so threads do that ahead of the reader: each claims
// the next block, unpacks it into a buffer of a small pool and puts it in its place in the queue; the reader takes the places in
// order.
//
// What comes in runs of frames, not blocks, goes the same way.
//
// Memory: at most `window` blocks are unpacked and not yet delivered, and their bytes stay below `budget`, except that the
// block that the reader waits for is always admitted: one document may be larger than any budget.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// An unpacked block. Handed from a worker to the reader and back, never held by both.
final class UnpackedBlock: @unchecked Sendable {
    // SAFETY: see above; whoever holds it has it alone.
    var raw = ByteBuffer()
    /// nil for a run of a raw segment.
    var segment: SealedSegment?
    var entry: BlockEntry?
    /// What the segment knows of its tables, with its last block; only where all its blocks are read, in order.
    var tables: [TableStatistics]?
    /// Its records, where they are asked for.
    var records: LoadRecords?

    /// Bytes that it was let in with.
    fileprivate var charge = 0
    /// As it lies in the file, where the memory is used again.
    private var stored = ByteBuffer()

    /// Reads, proves and unpacks; finds the records as well, where they are wanted.
    fileprivate func read(_ job: Job, with decompressors: inout [Container: any BlockDecompressor], view: LoadView?) throws(LogDBError) {
        if let view, records == nil { records = LoadRecords(view) }
        switch job {
        case .run(let run):
            (segment, entry, tables) = (nil, nil, nil)
            try run.read(into: &raw, &records!)
        case .block(let block):
            (segment, entry, tables) = (block.segment, block.entry, block.tables)
            let decompressor = decompressors[block.segment.container] ?? block.segment.container.makeDecompressor()
            decompressors[block.segment.container] = decompressor
            try block.segment.unpack(block.entry, of: block.file, with: decompressor, by: &stored, into: &raw)
            stored.removeAll()
            stored.shrink(to: 2 * BlockBuilder.targetRawLength)
            guard view != nil else { return }
            do throws(FormatError) { try records!.read(raw, entry: block.entry) } catch {
                throw LogDBError(error, in: block.segment.name, at: block.entry.offset)
            }
        }
    }
}

/// The blocks of some segments, in their order or backwards. For one thread that asks.
final class BlockStream {
    private let pipeline: Pipeline?
    private var threads: [BackgroundThread] = []
    private var current: UnpackedBlock?
    private let view: LoadView?
    // Without threads.
    private var plan: Plan
    private let only = UnpackedBlock()
    private var decompressors: [Container: any BlockDecompressor] = [:]

    /// Raw bytes up to which starting a thread costs more than it saves.
    private static let smallLength: UInt64 = 1 << 20

    /// The blocks of `segments`, as far as keys of `range` may be in them.
    ///
    /// - Parameters:
    ///   - runs: what is to come before them, in this order; for those with a view that wants no stamps.
    ///   - view: where there is one, each block comes with its records, as that loading or sort sees them.
    init(
        _ segments: [SealedSegment], after runs: [RawRun] = [], range: KeyRange? = nil, isReversed: Bool = false, budget: Int,
        view: LoadView? = nil,
        workers: Int = min(4, max(1, CurrentProcess.processorCount)), window: Int? = nil
    ) {
        self.view = view
        plan = Plan(runs: runs, segments: isReversed ? segments.reversed() : segments, range: range, isReversed: isReversed)
        let length = segments.reduce(0) { $0 &+ $1.entry.rawLength } &+ runs.reduce(0) { $0 + UInt64($1.range.count) }
        guard length > Self.smallLength else {
            pipeline = nil
            return
        }
        let pipeline = Pipeline(plan, window: window ?? workers * 2 + 2, budget: budget, view: view)
        // Where the system has no room for all of them, fewer do.
        for _ in 0..<workers {
            guard let thread = try? BackgroundThread(name: "logdb-unpack", { pipeline.work() }) else { break }
            threads.append(thread)
        }
        self.pipeline = threads.isEmpty ? nil : pipeline
    }

    deinit { stop() }

    /// Lets go of threads and buffers.
    func stop() {
        guard let pipeline else { return }
        pipeline.cancel()
        for thread in threads { thread.join() }
        threads = []
    }

    /// The next block, which is valid until the next call; nil at the end.
    func next() throws(LogDBError) -> UnpackedBlock? {
        if let pipeline {
            if let current { pipeline.giveBack(current) }
            current = nil
            current = try pipeline.take()
            return current
        }
        guard let job = try plan.next() else { return nil }
        only.raw.shrink(to: 2 * BlockBuilder.targetRawLength)
        try only.read(job, with: &decompressors, view: view)
        return only
    }
}

private enum Job {
    struct Block {
        var segment: SealedSegment
        var file: any File
        var entry: BlockEntry
        var tables: [TableStatistics]?
    }

    case run(RawRun)
    case block(Block)

    /// What it takes, with its records where they are wanted.
    func byteCount(withRecords: Bool) -> Int {
        switch self {
        case .run(let run): 2 * run.range.count
        case .block(let block):
            block.entry.rawLength + block.entry.storedLength + (withRecords ? block.entry.recordCount * LoadRecords.bytesEach : 0)
        }
    }
}

/// Which blocks, in which order. Reads a segment's index when its turn comes.
private struct Plan {
    private let runs: [RawRun]
    private let segments: [SealedSegment]
    private let range: KeyRange?
    private let isReversed: Bool
    private var nextRun = 0
    private var nextSegment = 0
    private var file: (any File)?
    private var blocks: [BlockEntry] = []
    private var nextBlock = 0
    private var tables: [TableStatistics]?

    init(runs: [RawRun], segments: [SealedSegment], range: KeyRange?, isReversed: Bool) {
        self.runs = runs
        self.segments = segments
        self.range = range
        self.isReversed = isReversed
    }

    mutating func next() throws(LogDBError) -> Job? {
        if nextRun < runs.count {
            defer { nextRun += 1 }
            return .run(runs[nextRun])
        }
        while nextBlock == blocks.count {
            file = nil
            guard nextSegment < segments.count else { return nil }
            let segment = segments[nextSegment]
            nextSegment += 1
            if let range, segment.entry.order.isSorted, !range.overlaps(segment.entry.leastKey, segment.entry.greatestKey) { continue }
            let (file, _) = try segment.open()
            let footer = try segment.footer(of: file)
            let chosen = range.map { footer.blocks(in: $0, isVersioned: segment.entry.order == .version) } ?? footer.blocks[...]
            blocks = isReversed ? chosen.reversed() : Array(chosen)
            nextBlock = 0
            tables = range == nil && !isReversed && segment.entry.order.isSorted ? footer.tables : nil
            self.file = file
        }
        defer { nextBlock += 1 }
        return .block(
            Job.Block(
                segment: segments[nextSegment - 1], file: file!, entry: blocks[nextBlock],
                tables: nextBlock == blocks.count - 1 ? tables : nil))
    }
}

private final class Pipeline: Sendable {
    private struct State {
        var plan: Plan
        /// Blocks claimed and blocks delivered; a block's number is its place in the stream.
        var claimed = 0
        var delivered = 0
        var bytes = 0
        var ready: [Int: Result<UnpackedBlock, LogDBError>] = [:]
        var pool: [UnpackedBlock] = []
        var isPlanned = false
        var isCancelled = false
    }

    private let monitor: Monitor<State>
    private let window: Int
    private let budget: Int
    private let view: LoadView?

    init(_ plan: Plan, window: Int, budget: Int, view: LoadView?) {
        monitor = Monitor(State(plan: plan))
        self.window = window
        self.budget = budget
        self.view = view
    }

    func work() {
        var decompressors: [Container: any BlockDecompressor] = [:]
        while let (number, claim, block) = claim() {
            let result: Result<UnpackedBlock, LogDBError>
            switch claim {
            case .failure(let error): result = .failure(error)
            case .success(let job):
                do throws(LogDBError) {
                    try block.read(job, with: &decompressors, view: view)
                    result = .success(block)
                } catch { result = .failure(error) }
            }
            monitor.withLock { $0.ready[number] = result }
            monitor.broadcast()
        }
    }

    /// Waits until another block may be unpacked and claims it; nil at the end.
    private func claim() -> (Int, Result<Job, LogDBError>, UnpackedBlock)? {
        monitor.enter { lock in
            while true {
                if lock.state.isCancelled || lock.state.isPlanned { return nil }
                let isNext = lock.state.claimed == lock.state.delivered
                if isNext || lock.state.claimed - lock.state.delivered < window && lock.state.bytes < budget { break }
                lock.wait()
            }
            let job: Result<Job, LogDBError>
            let block = lock.state.pool.popLast() ?? UnpackedBlock()
            block.charge = 0
            do throws(LogDBError) {
                guard let next = try lock.state.plan.next() else {
                    lock.state.isPlanned = true
                    monitor.broadcast()
                    return nil
                }
                job = .success(next)
                block.charge = next.byteCount(withRecords: view != nil)
                lock.state.bytes += block.charge
            } catch {
                lock.state.isPlanned = true
                job = .failure(error)
            }
            let number = lock.state.claimed
            lock.state.claimed += 1
            return (number, job, block)
        }
    }

    /// Waits for the next block in order; nil at the end.
    func take() throws(LogDBError) -> UnpackedBlock? {
        try monitor.enter { lock throws(LogDBError) in
            while true {
                let number = lock.state.delivered
                if let result = lock.state.ready.removeValue(forKey: number) {
                    switch result {
                    case .success(let block): return block
                    case .failure(let error): throw error
                    }
                }
                if lock.state.isPlanned, number == lock.state.claimed { return nil }
                lock.wait()
            }
        }
    }

    func giveBack(_ block: UnpackedBlock) {
        monitor.withLock { state in
            state.delivered += 1
            state.bytes -= block.charge
            block.raw.removeAll()
            block.raw.shrink(to: 2 * BlockBuilder.targetRawLength)
            state.pool.append(block)
        }
        monitor.broadcast()
    }

    func cancel() {
        monitor.withLock { $0.isCancelled = true }
        monitor.broadcast()
    }
}
