//===--- Chronicle.swift - all that is left, in the order in which it happened ----===//
//
//      base, history  ──by number──┐
//                                  ├─▶  definitions, operations, savepoints, drops, each with its time  ──▶  a ChronicleSink
//      sealed, raw    ─────────────┘
//
// Written into an empty database in the same order (HistoryWriter), what is told gives the same documents, histories, savepoints and past states. Numbers are
// new: the first thing told is operation 1 there, and each after it one more.
//
// Horizons go by numbers, so they are told in the new ones. A horizon H means: from operation H on all is there. Where H itself is not left (a delete that no
// older document needs), something that does nothing is told in its place, with its time: the state that was exact after H is exact after that, and neither the
// one before it nor the one behind it need be. Where nobody knows when H was made that time is the end of times, so that no time stands for it.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// Who is told.
package protocol ChronicleSink {
    /// An operation on a table that has been defined.
    mutating func tell(_ operation: borrowing Operation) throws
    /// A table is made, or what the catalog says of it changes.
    mutating func tell(definition document: Span<UInt8>, of table: String, id: UInt64, milliseconds: Int64) throws
    mutating func tell(dropOf table: String, milliseconds: Int64) throws
    mutating func tell(savepoint name: String, isReleased: Bool, milliseconds: Int64) throws
    mutating func tellNothing(milliseconds: Int64) throws
}

/// From when on what was told is complete, in the numbers of who was told.
package struct ChronicleEnd: Equatable {
    /// How many things were told: the last one's number.
    package var operations: UInt64 = 0
    package var all = HistoryHorizon()
    /// By the tables' ids; 0 stands for tables that were dropped.
    package var tables: [UInt64: HistoryHorizon] = [:]
    package var ladders: [UInt64: LadderRecord] = [:]
    /// What was cleared away because it had expired, by the tables' ids; nil: of all tables without a horizon of their own.
    package var expired: [UInt64?: ExpiryHorizon] = [:]

    package init() {}

    /// What the manifest says of it. A table's entry counts only where the table has a horizon of its own; else all such tables have one together.
    var edits: [ManifestEdit] {
        var edits = tables.sorted { $0.key < $1.key }.map { ManifestEdit.horizon(table: $0.key, $0.value) }
        if all.sequence > 0 { edits.append(.horizon(table: nil, all)) }
        edits += ladders.sorted { $0.key < $1.key }.map { .ladder(table: $0.key, $0.value) }
        var common = ExpiryHorizon()
        for (table, horizon) in expired.sorted(by: { ($0.key ?? 0) < ($1.key ?? 0) }) {
            if let table, tables[table].map({ $0.sequence > 0 }) ?? false {
                edits.append(.expired(table: table, horizon))
            } else {
                common = common.joined(horizon)
            }
        }
        if common != ExpiryHorizon() { edits.append(.expired(table: nil, common)) }
        return edits
    }
}

/// Finds the numbers that horizons have in a new log.
struct HorizonTranslation {
    /// nil: of all tables.
    private var pending: [(table: UInt64?, horizon: HistoryHorizon)] = []
    /// What has expired, by table, the one that comes first last.
    private var expired: [(table: UInt64?, horizon: ExpiryHorizon)] = []
    private(set) var end = ChronicleEnd()

    init(
        all: HistoryHorizon, tables: [UInt64: HistoryHorizon], ladders: [UInt64: LadderRecord], expired: [UInt64?: ExpiryHorizon]
    ) {
        end.ladders = ladders
        for (table, horizon) in expired where horizon.sequence > 0 { self.expired.append((table, horizon)) }
        self.expired.sort { $0.horizon.sequence > $1.horizon.sequence }
        for (table, horizon) in tables {
            // Before the first operation there is nothing that could be missing.
            if horizon.sequence <= 1 { end.tables[table] = horizon } else { pending.append((table, horizon)) }
        }
        if all.sequence > 1 { pending.append((nil, all)) }
        pending.sort { $0.horizon.sequence > $1.horizon.sequence }
    }

    /// Something with the old number `sequence` comes next. Returns the time of something that must be told before it; to be called again then.
    mutating func placeholder(before sequence: SequenceNumber) -> Int64? {
        while let last = expired.last, last.horizon.sequence < sequence {
            end.expired[last.table] = ExpiryHorizon(sequence: max(1, end.operations), milliseconds: last.horizon.milliseconds)
            expired.removeLast()
        }
        guard let first = pending.last, first.horizon.sequence < sequence else { return nil }
        let milliseconds = pending.filter { $0.horizon.sequence == first.horizon.sequence }.map(\.horizon.milliseconds).min()
        take(first.horizon.sequence, end.operations + 1)
        return milliseconds
    }

    /// It is the one with the number `sequence` that is told next.
    mutating func reach(_ sequence: SequenceNumber) { take(sequence, end.operations + 1) }

    private mutating func take(_ sequence: SequenceNumber, _ number: SequenceNumber) {
        while let last = pending.last, last.horizon.sequence == sequence {
            let horizon = HistoryHorizon(sequence: number, milliseconds: last.horizon.milliseconds)
            if let table = last.table { end.tables[table] = horizon } else { end.all = horizon }
            pending.removeLast()
        }
    }

    /// Something was told.
    mutating func count() { end.operations += 1 }
}

extension Database {
    /// Tells `sink` all that is left, in the order in which it happened.
    ///
    /// Sees the state at the moment of the call. What was compacted is sorted by number, as ``select(_:_:)`` sorts the log; memory: ``Options/memoryBudgetBytes`` and
    /// the largest document.
    package func chronicle(_ sink: inout some ChronicleSink) throws -> ChronicleEnd {
        let view = try PastView(self)
        let place = readingPlace
        var teller = ChronicleTeller(view.horizons, try view.snapshot.compactedNames(budget: place.budget / 4))
        try view.snapshot.forEachByNumber(in: place) { record, sequence, milliseconds in
            try teller.take(record, sequence, milliseconds, &sink)
        }
        return try teller.finish(&sink)
    }
}

private struct ChronicleTeller {
    private var translation: HorizonTranslation
    /// Names of tables of which there may be operations before their definition: the catalog's older entries need not be left.
    private let names: [UInt64: String]
    private var defined: [UInt64: String] = [:]

    init(_ horizons: Horizons, _ names: [UInt64: String]) {
        translation = HorizonTranslation(
            all: horizons.all, tables: horizons.ofTables, ladders: horizons.ladders,
            expired: horizons.allExpired)
        self.names = names
    }

    mutating func take(
        _ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64, _ sink: inout some ChronicleSink
    ) throws {
        try passHorizons(before: sequence, &sink)
        if record.table == 0 { return try takeCatalog(record, sequence, milliseconds, &sink) }
        let name: String
        if let known = defined[record.table] {
            name = known
        } else {
            // Of a table that nothing tells the name of nothing can be asked.
            guard let known = names[record.table] else { return }
            try sink.tell(definition: Catalog.document(name: known).span, of: known, id: record.table, milliseconds: milliseconds)
            translation.count()
            defined[record.table] = known
            name = known
        }
        translation.reach(sequence)
        let copy = Record(table: record.table, key: record.key, isDelete: record.isDelete, document: record.document)
        try sink.tell(Operation(copy, table: name, sequenceNumber: sequence, milliseconds: milliseconds))
        translation.count()
    }

    private mutating func takeCatalog(
        _ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64, _ sink: inout some ChronicleSink
    ) throws {
        let key: KeyCoding.Decoded
        do throws(FormatError) { key = try KeyCoding.decode(record.key) } catch { throw LogDBError(.corrupted, error.reason) }
        switch key {
        case .string(HistoryWriter.nothing):
            translation.reach(sequence)
            try sink.tellNothing(milliseconds: milliseconds)
        case .string(let name):
            translation.reach(sequence)
            try sink.tell(savepoint: name, isReleased: record.isDelete, milliseconds: milliseconds)
        case .integer(let number) where record.isDelete:
            guard let name = defined.removeValue(forKey: UInt64(clamping: number)) else { return }
            translation.reach(sequence)
            try sink.tell(dropOf: name, milliseconds: milliseconds)
        case .integer(let number):
            let id = UInt64(clamping: number)
            let name: String
            do throws(FormatError) { name = try CatalogEntry(decoding: record.document, of: id).name } catch {
                throw LogDBError(.corrupted, error.reason)
            }
            translation.reach(sequence)
            defined[id] = name
            try sink.tell(definition: record.document, of: name, id: id, milliseconds: milliseconds)
        }
        translation.count()
    }

    private mutating func passHorizons(before sequence: SequenceNumber, _ sink: inout some ChronicleSink) throws {
        while let milliseconds = translation.placeholder(before: sequence) {
            try sink.tellNothing(milliseconds: milliseconds)
            translation.count()
        }
    }

    mutating func finish(_ sink: inout some ChronicleSink) throws -> ChronicleEnd {
        try passHorizons(before: .max, &sink)
        return translation.end
    }
}
