//===--- Select.swift - the live documents, each key once, in key order ----===//
//
//      raw, tail  ──sort──▶  the newest operation of each key  ──┐
//                                                                ├─ merge ──▶  live documents
//      base, one source a generation  ───────────────────────────┘
//
// The log is sorted within the memory budget, in runs on the disk where it does not fit, or, where nothing can be spilled, in
// several readings. The base is sorted already. All of it sees one snapshot.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// What a reading may use.
struct ReadingPlace {
    var budget: Int
    /// The part of it that is for sorting.
    var sortBudget: Int
    /// Where runs may be spilled to; nil where nowhere.
    var spillDirectory: (any Directory)?
}

extension Snapshot {
    /// Delivers the live documents with keys in `range`, in order or backwards, at most `limit` of them.
    func select(
        _ range: KeyRange, isReversed: Bool = false, limit: Int = .max, in place: ReadingPlace, _ body: (borrowing Operation) throws -> Void
    ) throws {
        guard limit > 0, !range.isEmpty else { return }
        var left = limit
        // What is read backwards or up to a limit is mostly small, and runs are read forwards and to their end.
        guard let directory = place.spillDirectory, !isReversed, limit == .max else {
            return try selectNarrowing(range, isReversed: isReversed, &left, in: place, body)
        }
        let sorter = Sorter(
            range: range, budget: place.sortBudget, filterBudget: Sorter.filterBudget(place.sortBudget),
            overflow: spilling(into: directory, place))
        defer { sorter.close() }
        let sources: [RecordCursor]
        do {
            try sort(into: sorter, budget: place.budget / 8)
            sources = try sorter.finish().sources
        } catch let error as LogDBError
            where error.code == .diskFull || error.code == .readOnlyFileSystem || error.code == .permissionDenied
        {
            sorter.close()
            return try selectNarrowing(range, isReversed: isReversed, &left, in: place, body)
        }
        try merge(sources, range, isReversed: isReversed, &left, budget: place.budget / 4, body)
    }

    private func spilling(into directory: any Directory, _ place: ReadingPlace) -> Sorter.Overflow {
        spilling(
            into: directory, place, records: sealed.reduce(0) { $0 + $1.entry.records },
            rawLength: sealed.reduce(0) { $0 + $1.entry.rawLength })
    }

    /// What a sorter of so much does with what has no room.
    func overflow(in place: ReadingPlace, records: UInt64, rawLength: UInt64) -> Sorter.Overflow {
        place.spillDirectory.map { spilling(into: $0, place, records: records, rawLength: rawLength) } ?? .narrow
    }

    private func spilling(
        into directory: any Directory, _ place: ReadingPlace, records: UInt64, rawLength: UInt64
    ) -> Sorter.Overflow {
        let blockLength = Sorter.blockLength(budget: place.sortBudget, records: records, rawLength: rawLength)
        return .spill { () throws(LogDBError) in
            try SpillFile.make(in: directory, number: .random(in: 0 ... .max >> 1), blockLength: blockLength, throttle: Throttle())
        }
    }

    private func selectNarrowing(
        _ range: KeyRange, isReversed: Bool, _ left: inout Int, in place: ReadingPlace, _ body: (borrowing Operation) throws -> Void
    ) throws {
        var range = range
        while left > 0, !range.isEmpty {
            let sorter = Sorter(range: range, budget: place.sortBudget, isReversed: isReversed, overflow: .narrow)
            try sort(into: sorter, budget: place.budget / 4)
            try merge(sorter.finish().sources, sorter.range, isReversed: isReversed, &left, budget: place.budget / 4, body)
            guard let rest = sorter.rest else { return }
            if isReversed { range.upper = FullKey(table: rest.table, key: rest.key + [0]) } else { range.lower = rest }
        }
    }

    /// Feeds the log's operations, newest first, to `sorter`.
    func sort(into sorter: Sorter, budget: Int) throws {
        for raw in raw.reversed() {
            try raw.segment.forEachRecord(until: raw.end, fates) { record, sequence, milliseconds in
                guard tableName(record.table) != nil, sequence <= ceiling else { return }
                try sorter.add(record, sequence: sequence, milliseconds: milliseconds)
            }
        }
        try sortLog(sealed.filter { $0.entry.firstSequence <= ceiling }, into: sorter, budget: budget, through: ceiling) {
            tableName($0) != nil
        }
    }

    /// Delivers the operations with keys in `range` that `versions` tells apart, by key and then newest first.
    func forEachVersion(
        _ range: KeyRange, _ versions: VersionRule, in place: ReadingPlace, _ body: (RecordCursor) throws -> Void
    ) throws {
        var range = range
        while !range.isEmpty {
            let overflow = place.spillDirectory.map { spilling(into: $0, place) } ?? .narrow
            let sorter = Sorter(
                range: range, budget: place.sortBudget, filterBudget: Sorter.filterBudget(place.sortBudget), overflow: overflow,
                versions: versions)
            defer { sorter.close() }
            try sort(into: sorter, budget: place.budget / 8)
            let generations = generations + LogDB.generations(of: history)
            let merge = Merge(
                try sorter.finish().sources
                    + generations.map {
                        SegmentCursor($0, range: sorter.range, budget: place.budget / 4 / generations.count, ceiling: ceiling)
                    })
            merge.versions = versions
            while let cursor = try merge.next() { try body(cursor) }
            guard let rest = sorter.rest else { return }
            range.lower = rest
        }
    }

    private func merge(
        _ sorted: [RecordCursor], _ range: KeyRange, isReversed: Bool, _ left: inout Int, budget: Int,
        _ body: (borrowing Operation) throws -> Void
    ) throws {
        // Only who looks back needs the history.
        let generations = generations + (ceiling < .max ? LogDB.generations(of: history) : [])
        let merge = Merge(
            sorted
                + generations.map {
                    SegmentCursor(
                        $0, range: range, isReversed: isReversed, budget: budget / max(1, generations.count), ceiling: ceiling)
                },
            isReversed: isReversed)
        var last = (id: UInt64.max, name: String?.none)
        while left > 0, let cursor = try merge.next() {
            if cursor.isDelete { continue }
            if cursor.table != last.id { last = (cursor.table, tableName(cursor.table)) }
            guard let name = last.name else { continue }
            try cursor.loadDocument()
            if try hasExpired(cursor.record) { continue }
            try body(Operation(cursor.record, table: name, sequenceNumber: cursor.sequence, milliseconds: cursor.milliseconds))
            left -= 1
        }
    }
}

/// Feeds the operations of log-ordered segments, the newest first, to `sorter`; those of `isWanted` tables only. Threads unpack blocks ahead, and find and
/// hash their records; the one that sorts does nothing else.
func sortLog(
    _ segments: [SealedSegment], into sorter: Sorter, budget: Int, through ceiling: SequenceNumber = .max,
    passing pass: (Int) throws(LogDBError) -> Void = { _ in },
    _ isWanted: (UInt64) -> Bool
) throws {
    let stream = BlockStream(
        segments, range: sorter.range, isReversed: true, budget: budget, view: LoadView(seed: sorter.hashSeed, now: nil, keepsStamps: true))
    defer { stream.stop() }
    var last = (id: UInt64.max, isWanted: false)
    while let block = try stream.next() {
        try pass(block.entry!.rawLength)
        try sorter.add(block.records!, in: block.raw) { table, sequence in
            if table != last.id { last = (table, isWanted(table)) }
            return last.isWanted && sequence <= ceiling
        }
    }
}
