//===--- BlockPipeline.swift - blocks unpacked ahead, delivered in order ---===//
//
// Reading, proving and unpacking take more time than handing records over, so threads do that ahead of the reader: each claims
// the next block of the log, unpacks it into a buffer of a small pool and puts it in its place in the queue; the reader takes
// the places in order.
//
// Memory: at most `window` blocks are unpacked and not yet delivered, and their bytes stay below `budget`, except that the
// block that the reader waits for is always admitted: one document may be larger than any budget.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// An unpacked block. Handed from a worker to the reader and back, never held by both.
private final class UnpackedBlock: @unchecked Sendable {
    var raw = ByteBuffer()
    var segment: SealedSegment?
    var entry: BlockEntry?
}

final class BlockPipeline: Sendable {
    private struct Job {
        var segment: SealedSegment
        var file: any File
        var entry: BlockEntry
    }

    private struct State {
        var segments: [SealedSegment]
        var nextSegment = 0
        var file: (any File)?
        var blocks: [BlockEntry] = []
        var nextBlock = 0
        /// Blocks claimed and blocks delivered; a block's number is its place in the log.
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

    private init(_ segments: [SealedSegment], workers: Int, budget: Int) {
        monitor = Monitor(State(segments: segments))
        window = workers * 2 + 2
        self.budget = budget
    }

    /// Calls `body` with each block of `segments`, unpacked, in order.
    static func forEachBlock(
        of segments: [SealedSegment], budget: Int, workers: Int = min(4, max(1, CurrentProcess.processorCount)),
        _ body: (SealedSegment, BlockEntry, Span<UInt8>) throws -> Void
    ) throws {
        guard !segments.isEmpty else { return }
        if segments.reduce(0, { $0 + $1.entry.rawLength }) <= smallLength { return try forEachBlockHere(of: segments, body) }
        let pipeline = BlockPipeline(segments, workers: workers, budget: budget)
        var threads: [BackgroundThread] = []
        defer {
            pipeline.cancel()
            for thread in threads { thread.join() }
        }
        for _ in 0..<workers {
            threads.append(try mapped { () throws(FileError) in try BackgroundThread(name: "logdb-unpack") { pipeline.work() } })
        }
        while let block = try pipeline.take() {
            try body(block.segment!, block.entry!, block.raw.span)
            pipeline.giveBack(block)
        }
    }

    /// Raw bytes up to which starting a thread costs more than it saves.
    private static let smallLength: UInt64 = 1 << 20

    private static func forEachBlockHere(
        of segments: [SealedSegment], _ body: (SealedSegment, BlockEntry, Span<UInt8>) throws -> Void
    ) throws {
        var raw = ByteBuffer()
        for segment in segments {
            let (file, _) = try segment.open()
            let decompressor = segment.container.makeDecompressor()
            for block in try segment.footer(of: file).blocks {
                try segment.unpack(block, of: file, with: decompressor, into: &raw)
                try body(segment, block, raw.span)
            }
        }
    }

    private func work() {
        var decompressors: [Container: any BlockDecompressor] = [:]
        while let (number, claim, block) = claim() {
            let result: Result<UnpackedBlock, LogDBError>
            switch claim {
            case .failure(let error): result = .failure(error)
            case .success(let job):
                let container = job.segment.container
                let decompressor = decompressors[container] ?? container.makeDecompressor()
                decompressors[container] = decompressor
                do throws(LogDBError) {
                    try job.segment.unpack(job.entry, of: job.file, with: decompressor, into: &block.raw)
                    block.segment = job.segment
                    block.entry = job.entry
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
            guard let job = plan(&lock.state) else { return nil }
            let number = lock.state.claimed
            lock.state.claimed += 1
            if case .success(let job) = job { lock.state.bytes += job.entry.rawLength + job.entry.storedLength }
            return (number, job, lock.state.pool.popLast() ?? UnpackedBlock())
        }
    }

    /// The next block of the log. Reads a segment's index when its turn comes.
    private func plan(_ state: inout State) -> Result<Job, LogDBError>? {
        while state.nextBlock == state.blocks.count {
            guard state.nextSegment < state.segments.count else {
                state.isPlanned = true
                monitor.broadcast()
                return nil
            }
            let segment = state.segments[state.nextSegment]
            state.nextSegment += 1
            do throws(LogDBError) {
                let (file, _) = try segment.open()
                state.file = file
                state.blocks = try segment.footer(of: file).blocks
                state.nextBlock = 0
            } catch {
                state.isPlanned = true
                return .failure(error)
            }
        }
        let job = Job(segment: state.segments[state.nextSegment - 1], file: state.file!, entry: state.blocks[state.nextBlock])
        state.nextBlock += 1
        return .success(job)
    }

    /// Waits for the next block in order; nil at the end.
    private func take() throws(LogDBError) -> UnpackedBlock? {
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

    private func giveBack(_ block: UnpackedBlock) {
        monitor.withLock { state in
            state.delivered += 1
            if let entry = block.entry { state.bytes -= entry.rawLength + entry.storedLength }
            block.raw.removeAll()
            block.raw.shrink(to: 2 * BlockBuilder.targetRawLength)
            state.pool.append(block)
        }
        monitor.broadcast()
    }

    private func cancel() {
        monitor.withLock { $0.isCancelled = true }
        monitor.broadcast()
    }
}
