//===--- Snapshot.swift - one consistent cut -------------------------------===//
//
// What a reader sees: the segments there were at one moment and how far each was written. Taking one holds the log's lock for as
// long as it takes to copy two arrays; after that reader and writer have nothing to do with each other. Raw files stay open,
// so sealing can remove them meanwhile.
//===-----------------------------------------------------------------------===//

struct Snapshot: Sendable {
    struct Raw: Sendable {
        let segment: RawSegment
        let end: UInt64
    }

    /// Keeps the files of `base` and `sealed`.
    let pin: Reaper.Pin
    var base: [SealedSegment]
    /// Retained versions that are in neither base nor log. Who reads the live documents has no use for them.
    var history: [SealedSegment]
    /// The last sequence number that the base accounts for. What a compaction under way has added beyond it stands in the tail as well.
    var compactedSequence: SequenceNumber
    var sealed: [SealedSegment]
    var raw: [Raw]
    var tables: Catalog
    var fates: Fates
    var lastSequence: SequenceNumber
    /// Operations with greater numbers do not count: who looks back sets it.
    var ceiling = SequenceNumber.max
    /// What time it is for who reads it.
    var clock: ReadingClock

    /// The name of the table with this id; nil for the catalog itself and for tables that were dropped.
    @inline(__always)
    func tableName(_ id: UInt64) -> String? { tables.names[id] }
}

/// Which operations of transactions count.
struct Fates: Sendable {
    private var committed: [UInt64: UInt64]
    /// A transaction that sees its own operations.
    private let own: UInt64?

    init(_ committed: [UInt64: UInt64] = [:], own: UInt64? = nil) {
        self.committed = committed
        self.own = own
    }

    func isCommitted(_ transaction: UInt64) -> Bool { committed[transaction] != nil }

    /// Whether the operations of the transaction with this number count.
    func counts(_ transaction: UInt64) -> Bool { committed[transaction] != nil || transaction == own }
}

extension Log {
    /// What is visible now; with `transaction`, its own operations too.
    func snapshot(of transaction: OpenTransaction? = nil) throws(LogDBError) -> Snapshot {
        try monitor.withLock { state throws(LogDBError) in
            try state.checkUsable()
            var own: UInt64?
            if let transaction {
                try transaction.check()
                // After a failed commit its frame is still in the tail, and must not follow what it belongs to into the file.
                if let failure = state.failure { throw failure }
                try state.drain()
                own = transaction.number
            }
            // What readers read is the files.
            try? state.drainAppender()
            return Snapshot(
                pin: reaper.pin(), base: state.base, history: state.history, compactedSequence: state.compacted.lastSequence,
                sealed: state.sealed, raw: state.readableRaw(), tables: state.catalog,
                fates: Fates(state.transactions.committed, own: own), lastSequence: state.nextSequence - 1,
                clock: .at(readingMilliseconds))
        }
    }
}

extension LogState {
    /// The raw segments, each with a file that has it whole.
    fileprivate func readableRaw() -> [Snapshot.Raw] {
        var readable = raw.map { Snapshot.Raw(segment: $0.segment, end: $0.end) }
        // Where the file takes nothing any more the rest is read from memory.
        guard isActive, let last = raw.last, let drained = appender.drainedPosition, drained < last.endPosition else { return readable }
        let segment = last.segment
        let file = ContinuedFile(segment.file, at: drained - segment.header.basePosition, with: appender.undrained())
        readable[readable.count - 1] = Snapshot.Raw(
            segment: RawSegment(file: file, header: segment.header, waypoints: segment.waypoints), end: last.end)
        return readable
    }
}
