//===--- LogState.swift - what the log's lock protects ---------------------===//
//
// One lock for the whole engine: appending, rolling, what is live, how far it is synced. Nothing here waits or calls out except
// to the disk, and that only for a write of the frames at hand or, once per segment, to make the next one.
//
// Invariants:
//   * `raw` and `sealed` are in log order; `raw.last` is the active segment where `isActive`.
//   * `tail` holds frames in log order that belong behind `raw.last.end`. Outside of an append it holds nothing but operations of
//     open transactions and their endings: everything else is written before its call returns.
//   * `nextSequence` counts what was encoded, in `tail` too; `raw.last.lastSequence` what was written.
//   * `durable` is a log position: everything before it is on the disk. It never goes back.
//
// A value, not an object: it is reached only through the monitor, and the optimizer need not check every field access again.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// A raw segment and how far it has come.
struct RawProgress {
    let segment: RawSegment
    /// Offset behind the last whole frame.
    var end: UInt64
    /// Bytes reserved; the file's size.
    var allocated: UInt64
    /// Seeds of the segments that the file was before.
    var staleSeeds: Set<UInt32> = []
    /// Whether the file may become another segment's: this session has made it, so that it knows all who may read it and all that was in it, and it is
    /// on a file system that writes a block back to where it is.
    var isRecyclable = false
    /// The last sequence number in it, or the one before its first.
    var lastSequence: UInt64
    /// Log position behind the last frame.
    var endPosition: UInt64 { segment.header.basePosition + end }
}

struct LogState: ~Copyable {
    /// The key-ordered segments, by generation, newest first, and then by key.
    var base: [SealedSegment]
    /// Retained versions, in the same order.
    var history: [SealedSegment] = []
    /// Where the log begins that is not in the base.
    var compacted: CompactedLog
    /// The tail: sealed segments in log order.
    var sealed: [SealedSegment]
    var raw: [RawProgress]
    /// Whether `raw.last` takes appends. Before the first write of a session nothing does.
    var isActive = false
    /// Whether the first append may go on in `raw.last`: it was not cut when this session opened it.
    var mayReopen: Bool
    var catalog: Catalog { didSet { catalogChangedAt = position } }
    /// How far the log went when the catalog was changed last, just before that was written or just after it. A log that is on the disk further than that has it.
    private(set) var catalogChangedAt: UInt64
    var nextSequence: UInt64
    var durable: UInt64 { didSet { if isSyncing { noteSync(of: durable - oldValue) } } }
    /// End of what was written.
    var position: UInt64
    /// Where writers look how far the sealer is; see Pace.swift.
    var paceAt: UInt64 = .max
    /// The table that was written to last: most writes name the same one as the write before.
    private var lastTable = (name: "", id: UInt64(0))

    /// Frames that are encoded and not yet written.
    var tail = FrameBuilder(capacity: 64 << 10)
    /// The transaction whose frame stands open at the end of `tail`, and the sequence number of the frame's first operation.
    var openFrame: (transaction: UInt64, sequence: UInt64)?
    /// The time of the last frame that was finished.
    private(set) var lastFrameMilliseconds: Int64 = 0
    /// What tells the time of operations, where it is not the system's clock.
    var clock: WallClock?
    private var mark = FrameBuilder(capacity: 64)
    var transactions = TransactionTable()
    /// How what is written reaches `raw.last`, where `isActive`.
    var appender: any SegmentAppender = PositionalAppender()
    /// Bytes beyond what is synced with which a session gets a ring; the greatest number where it is not to have one, or has been given it.
    var ringThreshold: UInt64 = .max
    /// Whether one was made, or could not be.
    var hasTriedRing = false
    /// In an opening for reading: whether the writer has a ring.
    var isBesideRing = false

    var failure: LogDBError?
    var isClosed = false

    // Durability.
    var isSyncing = false
    /// When the flusher must have synced, in monotonic nanoseconds.
    var syncDeadline: UInt64?
    var waiters: [DurabilityWaiter] = []
    var gathering = Gathering()
    /// Parking places that nobody is in.
    var freePlaces: [ParkingPlace] = []

    // Sealing.
    var sealFailure: LogDBError?
    var isStopping = false

    // Compaction.
    var isCompacting = false
    /// Whether a history is being written, which is not to be compacted by itself before it is whole.
    var holdsCompaction = false
    /// The number of the next file of the base.
    var nextBase: UInt64 = 1
    /// Why the last automatic compaction did not come to its end.
    /// How far the compaction is that is under way, as far as it has said.
    var compactionProgress: CompactionProgress?
    var compactionFailure: LogDBError?

    init(
        base: [SealedSegment] = [], compacted: CompactedLog = CompactedLog(), sealed: [SealedSegment], raw: [RawProgress], mayReopen: Bool,
        catalog: Catalog, nextSequence: UInt64, position: UInt64,
        committed: [UInt64: UInt64] = [:]
    ) {
        self.base = base
        self.compacted = compacted
        self.sealed = sealed
        self.raw = raw
        self.mayReopen = mayReopen
        self.catalog = catalog
        self.nextSequence = nextSequence
        self.position = position
        catalogChangedAt = position
        durable = position
        transactions.committed = committed
    }

    func checkUsable() throws(LogDBError) {
        if isClosed { throw LogDBError(.closed, "the database was closed") }
    }

    @inline(__always)
    func checkWritable() throws(LogDBError) {
        // What is appended after a close has begun would not be in what it syncs, and would be in what it records as synced.
        if isStopping { throw LogDBError(.closed, "the database was closed") }
        try checkUsable()
        if let failure { throw failure }
    }

    /// The sealed segment that the next one to be sealed follows: the last of the tail, or the last that the base took in.
    var lastSealed: CompactedLog { sealed.last.map { CompactedLog($0.entry) } ?? compacted }

    /// Refuses all further writes because of `cause`, unless they are refused already.
    mutating func poison(_ cause: LogDBError) {
        guard failure == nil else { return }
        failure = LogDBError(
            .poisoned, "writing stopped after an earlier failure (\(cause.message)): close the database and open it again",
            file: cause.file,
            offset: cause.offset)
    }

    /// Whether the sealer holds a segment, and takes room for another one beside it.
    var isSealing: Bool { sealing != nil }
    /// The number of that segment. Past the moment when it counts as sealed, until its raw file is gone.
    var sealing: UInt64?

    /// Bytes that a sync carries, lately and on average.
    private var syncedBytes: UInt64 = 0
    private var syncCount = 0
    /// Whether syncs carry enough for a spare to be made; not again once it was asked for.
    var wantsSpare = false
    var hasAskedForSpare = false
    var sparesAskedFor = 0
    /// Whether the next write begins a new segment although this one has room: a spare was made, and syncs into it cost half.
    var movesToSpare = false
    /// Whether the file system writes blocks back to where they are; nil: not asked yet. Elsewhere a file that is written over gains nothing, and may need room.
    var keepsBlocksInPlace: Bool?

    private mutating func noteSync(of bytes: UInt64) {
        syncedBytes += bytes / 8
        syncedBytes -= syncedBytes / 8
        syncCount += 1
        if !hasAskedForSpare, syncCount >= Spare.syncsToMake, syncedBytes >= Spare.syncedBytesToMake { wantsSpare = true }
    }

    /// Raw segments that are full, not pinned by an open transaction, and so may be sealed.
    var sealableCount: Int {
        // The last one may take appends yet: now, or at the first write of the session.
        let full = raw.count - (isActive || mayReopen ? 1 : 0)
        guard let pinned = transactions.firstPinnedSegment else { return full }
        return raw[..<full].count { $0.segment.number < pinned }
    }

    /// The id of table `name`, if it exists.
    @inline(__always)
    mutating func tableID(_ name: String) -> UInt64? {
        if lastTable.id != 0, lastTable.name == name { return lastTable.id }
        guard let id = catalog.ids[name] else { return nil }
        lastTable = (name, id)
        return id
    }

    mutating func forgetLastTable() { lastTable = ("", 0) }

    // MARK: - Encoding

    /// Starts a plain frame at the end of the tail. Nobody may wait before it is finished.
    @inline(__always)
    mutating func beginFrame() {
        if openFrame != nil { finishOpenFrame() }
        tail.begin()
    }

    @inline(__always)
    mutating func finishFrame(_ kind: FrameHeader.Kind, sequence: UInt64) {
        finishFrame(kind, sequence: sequence, milliseconds: clock?.milliseconds ?? Clock.coarseWallMilliseconds())
    }

    /// Finishes a frame of operations that were made at `milliseconds`.
    @inline(__always)
    mutating func finishFrame(_ kind: FrameHeader.Kind, sequence: UInt64, milliseconds: Int64) {
        lastFrameMilliseconds = milliseconds
        tail.finish(
            kind, sequence: sequence, durableEnd: durable, milliseconds: lastFrameMilliseconds,
            seed: raw[raw.count - 1].segment.seed)
    }

    /// Ends the frame that a transaction is still adding to.
    mutating func finishOpenFrame() {
        guard let open = openFrame else { return }
        finishFrame(.transactionOperations, sequence: open.sequence)
        openFrame = nil
    }

    // MARK: - Writing

    /// Bytes that the tail will take in the file.
    @inline(__always)
    var tailLength: UInt64 { UInt64(FrameHeader.padded(tail.buffer.count)) }

    /// Appends the tail to the active segment. After an error the tail is as it was, and nothing of it counts.
    @inline(__always)
    mutating func drain() throws(LogDBError) {
        guard !tail.buffer.isEmpty else { return }
        finishOpenFrame()
        let active = raw.count - 1
        do throws(FileError) {
            try appender.append(tail.buffer.span, to: raw[active].segment, at: raw[active].end)
        } catch {
            // What was written is behind the end of the log and is taken back. Where that cannot be done, or the disk is not just full,
            // it is anyone's guess what the file holds, and only reopening can tell.
            let failure = LogDBError(error)
            if failure.code == .diskFull, raw[active].segment.file.takeBack(tail.buffer.span, at: raw[active].end) {
                writeMark()
            } else {
                poison(failure)
            }
            throw failure
        }
        raw[active].end += UInt64(tail.buffer.count)
        raw[active].lastSequence = nextSequence - 1
        position = raw[active].endPosition
        tail.buffer.removeAll()
        tail.buffer.shrink(to: 1 << 20)
    }

    /// Sees to it that the active segment's file has all that was appended to it.
    mutating func drainAppender() throws(LogDBError) {
        do throws(FileError) { try appender.drain() } catch {
            let failure = LogDBError(error)
            // What met a full disk waits where it is, and nothing is lost.
            if failure.code != .diskFull { poison(failure) }
            throw failure
        }
    }

    /// Says in the log that it is synced to its very end, so that damage to its last frames can be told from a tear. The mark is not
    /// part of the log: the next frame is written over it. Not being able to write it costs only that knowledge.
    mutating func writeMark() {
        guard isActive, durable == position, let active = raw.last, active.end + UInt64(FrameHeader.length) <= active.allocated else {
            return
        }
        mark.buffer.removeAll()
        mark.begin()
        mark.finish(.mark, sequence: active.lastSequence + 1, durableEnd: durable, milliseconds: 0, seed: active.segment.seed)
        mark.write(to: active.segment.file, at: active.end)
    }
}

extension FrameBuilder {
    /// Writes what may get lost without harm.
    fileprivate borrowing func write(to file: any File, at offset: UInt64) {
        try? file.writeFully(buffer.span, at: offset)
    }
}
