//===--- Replay.swift - every operation there is ---------------------------===//
//
// The base, by key, then the log in its order: sealed segments, raw ones. Each operation once, straight from the engine's buffers. There is no
// index and nothing grows with the data. What has expired is delivered as a delete, so that who keeps the last one drops what is older. Operations of tables that were dropped are passed over, those of table 0 are not shown.
//
// While a compaction is under way the base holds operations that the log has as well. They are delivered where the log has them, so
// that what comes later is newer.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension Snapshot {
    /// Delivers every operation, those on `table` only where one is given.
    func replay(table: UInt64? = nil, budget: Int, _ body: (borrowing Operation) throws -> Void) throws {
        var lastID: UInt64 = 0
        var lastName = ""
        try forEachRecord(table: table, budget: budget) { record, sequence, milliseconds in
            if record.table != lastID || lastID == 0 {
                guard let name = tableName(record.table) else { return }
                lastID = record.table
                lastName = name
            }
            try body(
                Operation(
                    record, table: lastName, sequenceNumber: sequence, milliseconds: milliseconds, hasExpired: try hasExpired(record)))
        }
    }

    /// Walks all records that count, the catalog's and those of dropped tables included, or those of one table.
    func forEachRecord(table: UInt64? = nil, budget: Int, _ body: (Record, SequenceNumber, Int64) throws -> Void) throws {
        let range = table.map { KeyRange(table: $0) }
        let generations = generations
        if generations.count == 1 {
            try forEachRecord(of: generations[0], range, budget: budget / 2) { record, sequence, milliseconds in
                if sequence <= compactedSequence { try body(record, sequence, milliseconds) }
            }
        } else if generations.count > 1 {
            let merge = Merge(generations.map { SegmentCursor($0, range: range, budget: budget / 2 / generations.count) })
            while let cursor = try merge.next() {
                if cursor.sequence <= compactedSequence { try body(cursor.record, cursor.sequence, cursor.milliseconds) }
            }
        }
        try forEachInLog(table: table, budget: budget, body)
    }

    /// Walks the records that count of the log, in its order.
    func forEachInLog(table: UInt64? = nil, budget: Int, _ body: (Record, SequenceNumber, Int64) throws -> Void) throws {
        try forEachRecord(of: sealed, table.map { KeyRange(table: $0) }, budget: budget / 2, body)
        for raw in raw {
            try raw.segment.forEachRecord(until: raw.end, fates) { record, sequence, milliseconds in
                if table == nil || record.table == table { try body(record, sequence, milliseconds) }
            }
        }
    }

    private func forEachRecord(
        of segments: [SealedSegment], _ range: KeyRange?, budget: Int, _ body: (Record, SequenceNumber, Int64) throws -> Void
    ) throws {
        guard !segments.isEmpty else { return }
        let stream = BlockStream(segments, range: range, budget: budget)
        defer { stream.stop() }
        while let block = try stream.next() {
            try block.segment!.forEachRecord(in: block.raw, of: block.entry!) { record, sequence, milliseconds in
                if range == nil || record.table == range!.lower.table { try body(record, sequence, milliseconds) }
            }
        }
    }
}
