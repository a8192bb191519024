//===--- LogState.swift - what the log's lock protects ---------------------===//
//
// One lock for the whole engine: appending, rolling, what is live, how far it is synced. Nothing here waits or calls out except
// to the disk, and that only for a write of the frame at hand or, once per segment, to make the next one.
//
// Invariants:
//   * `raw` and `sealed` are in log order; `raw.last` is the active segment where there is one.
//   * `nextSequence` counts what was appended; a failed append takes its numbers back.
//   * `durable` is a log position: everything before it is on the disk. It never goes back.
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
    /// The last sequence number in it, or the one before its first.
    var lastSequence: UInt64
    /// Log position behind the last frame.
    var endPosition: UInt64 { segment.header.basePosition + end }
}

final class LogState {
    var sealed: [SealedSegment]
    var raw: [RawProgress]
    /// Whether `raw.last` takes appends. Before the first write of a session nothing does.
    var isActive = false
    /// Whether the first append may go on in `raw.last`: it was not cut when this session opened it.
    var mayReopen: Bool
    var catalog: Catalog
    var nextSequence: UInt64
    var durable: UInt64
    /// End of the log.
    var position: UInt64
    var frame = FrameBuilder(capacity: 64 << 10)
    /// The table that was written to last: most writes name the same one as the write before.
    private var lastTable = (name: "", id: UInt64(0))

    var failure: LogDBError?
    var isClosed = false

    // Durability.
    var isSyncing = false
    /// When the flusher must have synced, in monotonic nanoseconds.
    var syncDeadline: UInt64?
    var waiters: [DurabilityWaiter] = []

    // Sealing.
    var isSealing = false
    var sealFailure: LogDBError?
    var isStopping = false

    init(
        sealed: [SealedSegment], raw: [RawProgress], mayReopen: Bool, catalog: Catalog, nextSequence: UInt64, position: UInt64
    ) {
        self.sealed = sealed
        self.raw = raw
        self.mayReopen = mayReopen
        self.catalog = catalog
        self.nextSequence = nextSequence
        self.position = position
        durable = position
    }

    /// Raw segments that are full and wait to be sealed.
    var sealableCount: Int { raw.count - (isActive ? 1 : 0) }

    func checkUsable() throws(LogDBError) {
        if isClosed { throw LogDBError(.closed, "the database was closed") }
    }

    func checkWritable() throws(LogDBError) {
        try checkUsable()
        if let failure { throw failure }
    }

    /// Refuses all further writes because of `cause`, unless they are refused already.
    func poison(_ cause: LogDBError) {
        guard failure == nil else { return }
        failure = LogDBError(
            .poisoned, "writing stopped after an earlier failure (\(cause.message)): close the database and open it again", file: cause.file,
            offset: cause.offset)
    }

    /// The id of table `name`, if it exists.
    @inline(__always)
    func tableID(_ name: String) -> UInt64? {
        if lastTable.id != 0, lastTable.name == name { return lastTable.id }
        guard let id = catalog.ids[name] else { return nil }
        lastTable = (name, id)
        return id
    }

    func forgetLastTable() { lastTable = ("", 0) }
}
