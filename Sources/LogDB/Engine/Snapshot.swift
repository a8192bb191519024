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

    var sealed: [SealedSegment]
    var raw: [Raw]
    var tables: Catalog
    var fates: Fates
    var lastSequence: SequenceNumber

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
                try state.drain()
                own = transaction.number
            }
            return Snapshot(
                sealed: state.sealed, raw: state.raw.map { Snapshot.Raw(segment: $0.segment, end: $0.end) }, tables: state.catalog,
                fates: Fates(state.transactions.committed, own: own), lastSequence: state.nextSequence - 1)
        }
    }
}
