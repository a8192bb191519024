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
    var lastSequence: SequenceNumber

    /// The name of the table with this id; nil for the catalog itself and for tables that were dropped.
    @inline(__always)
    func tableName(_ id: UInt64) -> String? { tables.names[id] }
}

extension Log {
    func snapshot() throws(LogDBError) -> Snapshot {
        try monitor.withLock { state throws(LogDBError) in
            try state.checkUsable()
            return Snapshot(
                sealed: state.sealed, raw: state.raw.map { Snapshot.Raw(segment: $0.segment, end: $0.end) }, tables: state.catalog,
                lastSequence: state.nextSequence - 1)
        }
    }
}
