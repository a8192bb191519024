//===--- NumberSorter.swift - what is sorted by key, by number again --------===//
//
// Base and history lie in the order of keys. Who wants to tell what happened in the order in which it did has it sorted anew: an operation becomes the document
// of a record whose key is its number, eight bytes, big-endian, and those go through a Sorter, within its budget and with its runs.
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class NumberSorter {
    private let sorter: Sorter
    private var packed = ByteBuffer()
    private var key = ByteBuffer(capacity: 8)
    private var merge: Merge?

    /// - Parameter range: of the numbers; what a narrowing sorter left over in `rest`.
    init(range: KeyRange = KeyRange(table: 1), budget: Int, overflow: Sorter.Overflow) {
        sorter = Sorter(range: range, budget: budget, overflow: overflow)
    }

    /// Where to begin another time, where nothing could be spilled.
    var rest: FullKey? { sorter.rest }

    func add(_ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64) throws(LogDBError) {
        key.removeAll()
        key.append(u64: sequence.bigEndian)
        packed.removeAll()
        packed.shrink(to: 1 << 20)
        // So that it begins as a document may.
        packed.append(UInt8(ascii: " "))
        record.append(to: &packed)
        try Self.add(key, packed, to: sorter, sequence, milliseconds)
    }

    private static func add(
        _ key: borrowing ByteBuffer, _ packed: borrowing ByteBuffer, to sorter: Sorter, _ sequence: SequenceNumber, _ milliseconds: Int64
    ) throws(LogDBError) {
        try sorter.add(
            Record(table: 1, key: key.span, isDelete: false, document: packed.span), sequence: sequence, milliseconds: milliseconds)
    }

    /// Ends the adding.
    func sort() throws(LogDBError) {
        packed.removeAll()
        packed.shrink(to: 1 << 20)
        merge = Merge(try sorter.finish().sources)
    }

    /// Moves to the next operation; nil behind the last.
    func next() throws(LogDBError) -> RecordCursor? {
        guard let cursor = try merge?.next() else { return nil }
        try cursor.loadDocument()
        return cursor
    }

    /// Calls `body` with the operation that `cursor`, which `next` has returned, stands for.
    static func unpack(_ cursor: RecordCursor, _ body: (Record, SequenceNumber, Int64) throws -> Void) throws {
        var reader = ByteReader(cursor.record.document.extracting(1...))
        try body(try reader.record(), cursor.sequence, cursor.milliseconds)
    }

    func close() { sorter.close() }
}

extension Snapshot {
    /// Delivers every operation that is left, those on the catalog too, in the order of their numbers.
    func forEachByNumber(in place: ReadingPlace, _ body: (Record, SequenceNumber, Int64) throws -> Void) throws {
        try forEachCompactedByNumber(in: place, body)
        try forEachInLog(budget: place.budget, body)
    }

    private func forEachCompactedByNumber(in place: ReadingPlace, _ body: (Record, SequenceNumber, Int64) throws -> Void) throws {
        let generations = generations + LogDB.generations(of: history)
        guard !generations.isEmpty else { return }
        let segments = base + history
        let (records, rawLength) = segments.reduce((UInt64(0), UInt64(0))) { ($0.0 + $1.entry.records, $0.1 + $1.entry.rawLength) }
        var range = KeyRange(table: 1)
        while !range.isEmpty {
            let sorter = NumberSorter(
                range: range, budget: place.sortBudget, overflow: overflow(in: place, records: records, rawLength: rawLength))
            defer { sorter.close() }
            // What a compaction under way has added beyond is told by the log.
            let merge = Merge(
                generations.map { SegmentCursor($0, budget: place.budget / 4 / generations.count, ceiling: compactedSequence) })
            merge.versions = .all
            while let cursor = try merge.next() {
                try cursor.loadDocument()
                try sorter.add(cursor.record, cursor.sequence, cursor.milliseconds)
            }
            try sorter.sort()
            while let cursor = try sorter.next() { try NumberSorter.unpack(cursor, body) }
            guard let rest = sorter.rest else { return }
            range.lower = rest
        }
    }

    /// What the compacted part says of tables, that of earlier ones included.
    func compactedNames(budget: Int) throws -> [UInt64: String] {
        let generations = generations + LogDB.generations(of: history)
        var names: [UInt64: String] = [:]
        guard !generations.isEmpty else { return names }
        let merge = Merge(generations.map { SegmentCursor($0, range: KeyRange(table: 0), budget: budget / 2 / generations.count) })
        merge.versions = .all
        while let cursor = try merge.next() {
            guard !cursor.isDelete, case .integer(let number)? = try? KeyCoding.decode(cursor.key), number > 0 else { continue }
            try cursor.loadDocument()
            do throws(FormatError) {
                names[UInt64(number)] = try CatalogEntry(decoding: cursor.record.document, of: UInt64(number)).name
            } catch { throw LogDBError(.corrupted, error.reason) }
        }
        return names
    }
}
