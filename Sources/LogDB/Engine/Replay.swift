//===--- Replay.swift - every operation, in order --------------------------===//
//
// Sealed segments, then raw ones, in log order: each operation once, straight from the engine's buffers. There is no index
// and nothing grows with the data. Operations of tables that were dropped are passed over, those of table 0 are not shown.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension Snapshot {
    /// Delivers every operation, those on `table` only where one is given.
    func replay(table: UInt64? = nil, budget: Int, _ body: (borrowing Operation) throws -> Void) throws {
        var lastID: UInt64 = 0
        var lastName = ""
        try forEachRecord(budget: budget) { record, sequence, milliseconds in
            if let table, record.table != table { return }
            if record.table != lastID || lastID == 0 {
                guard let name = tableName(record.table) else { return }
                lastID = record.table
                lastName = name
            }
            try body(Operation(record, table: lastName, sequenceNumber: sequence, milliseconds: milliseconds))
        }
    }

    /// Walks all records that count, the catalog's and those of dropped tables included.
    func forEachRecord(budget: Int, _ body: (Record, SequenceNumber, Int64) throws -> Void) throws {
        try BlockPipeline.forEachBlock(of: sealed, budget: budget / 2) { segment, entry, raw in
            try segment.forEachRecord(in: raw, of: entry, body)
        }
        for raw in raw {
            try raw.segment.forEachRecord(until: raw.end, fates, body)
        }
    }
}
