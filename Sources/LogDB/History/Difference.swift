//===--- Difference.swift - from one moment to another ----------------------===//
//
// Two moments lo < hi are compared in one pass. Of each key it needs two operations at most, the newest up to hi, and, if that one is newer than lo, the newest up to lo:
// just what a VersionRule leaves that has lo for a savepoint.
//
//      numbers      ……… o ……… lo ……… n ……… hi ………
//      forwards             from o's document to n's
//      backwards            from n's document to o's, or to none
//
// A document that has expired at its moment is not there: also one that is the newest at both moments may be there at one of them only.
//
// Tables are the same if their ids are. One that was dropped and made anew in between is emptied, and filled again.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension Database {
    /// Delivers the operations that turn the documents as they were at one moment into those of another, whichever is earlier: upserts with the document of then, and
    /// deletes. First the tables that were there both times, by table and key; then those that only one of the moments has. A table that was dropped and made anew in between
    /// is among these: it is emptied, and filled again.
    ///
    /// Keys whose document is byte for byte the same are left out. Cost and memory: as ``PastState/select(_:_:)``, and twice the largest document.
    ///
    /// - Parameter table: the only table that is looked at; nil for all.
    /// - Throws: what `body` throws; `.noSuchSavepoint`, `.historyIncomplete` if one of the states cannot be told.
    public func diff(from: Moment, to: Moment, table: String? = nil, _ body: (borrowing Operation) throws -> Void) throws {
        let view = try PastView(self)
        try Difference(try view.state(from), try view.state(to)).forEach(table: table, key: nil, body)
    }
}

struct Difference {
    private let old: PastState
    private let new: PastState
    private let snapshot: Snapshot
    private let place: ReadingPlace

    /// Two states of one view.
    /// What is to have expired of the documents of the new state, beside what had then.
    private let alsoExpired: Int64

    init(_ old: PastState, _ new: PastState, alsoExpiredAt time: Int64 = .min) {
        alsoExpired = time
        self.old = old
        self.new = new
        snapshot = new.snapshot
        place = new.database.readingPlace
    }

    private struct Places: Hashable {
        var old: PastState.Place
        var new: PastState.Place
    }

    func forEach(table: String?, key: Key?, _ body: (borrowing Operation) throws -> Void) throws {
        if table == nil {
            try old.checkAll()
            try new.checkAll()
        }
        var common: [Places: Set<UInt64>] = [:]
        /// Tables that only one of the two has, or that are others there.
        var others: [(name: String, old: (UInt64, PastState.Place)?, new: (UInt64, PastState.Place)?)] = []
        var names = Set(old.snapshot.tables.ids.keys).union(new.snapshot.tables.ids.keys)
        if let table { names = [table] }
        for name in names.sorted() {
            let (before, after) = (try old.id(of: name), try new.id(of: name))
            if let before, let after, before.0 == after.0 {
                common[Places(old: before.1, new: after.1), default: []].insert(after.0)
                continue
            }
            others.append((name, before, after))
        }
        let ordered = common.sorted { ($0.key.old.sequence, $0.key.new.sequence) < ($1.key.old.sequence, $1.key.new.sequence) }
        for (places, ids) in ordered {
            // With the same operations only time can make a difference.
            if places.old.sequence == places.new.sequence, alsoExpired == .min,
                try old.clock(at: places.old).milliseconds() == new.clock(at: places.new).milliseconds()
            {
                continue
            }
            var range = KeyRange.allTables
            if ids.count == 1, let id = ids.first { range = try Self.range(id, key) }
            try forEachChange(ids, range, places, body)
        }
        for (name, before, after) in others {
            if let before { try forEachDocument(of: before.0, name, old, before.1, key, isDelete: true, body) }
            if let after { try forEachDocument(of: after.0, name, new, after.1, key, isDelete: false, body) }
        }
    }

    private static func range(_ table: UInt64, _ key: Key?) throws(LogDBError) -> KeyRange {
        guard let key else { return KeyRange(table: table) }
        var range = try KeySelection.range(from: key).range(in: table)
        range.upper = FullKey(table: table, key: range.lower.key + [0])
        return range
    }

    private func forEachDocument(
        of id: UInt64, _ name: String, _ state: PastState, _ place: PastState.Place, _ key: Key?, isDelete: Bool,
        _ body: (borrowing Operation) throws -> Void
    ) throws {
        try state.snapshot(at: place).select(try Self.range(id, key), in: self.place) { operation in
            if !isDelete, Expiry.isExpired(operation.stored, at: alsoExpired) { return }
            let record = Record(table: id, key: operation.encodedKey, isDelete: isDelete, document: isDelete ? Span() : operation.stored)
            try body(
                Operation(
                    record, table: name, sequenceNumber: isDelete ? new.sequenceNumber : operation.sequenceNumber,
                    milliseconds: operation.milliseconds))
        }
    }

    /// One pass for all tables that are compared between the same two operations.
    private func forEachChange(
        _ ids: Set<UInt64>, _ range: KeyRange, _ places: Places, _ body: (borrowing Operation) throws -> Void
    ) throws {
        let isBackwards = places.new.sequence < places.old.sequence
        let (lower, upper) = isBackwards ? (places.new, places.old) : (places.old, places.new)
        var both = snapshot
        both.ceiling = upper.sequence
        var names = Catalog()
        for id in ids { names.enter(id, snapshot.tables.names[id] ?? "") }
        both.tables = names
        let (oldClock, newClock) = (old.clock(at: places.old), new.clock(at: places.new))
        func isThere(_ document: Span<UInt8>, _ isDelete: Bool, _ isHistory: Bool, inNew: Bool) throws(LogDBError) -> Bool {
            // What is the newest and in the history has expired, whatever the clock says by now.
            if isDelete || isHistory && (inNew ? new : old).isPresent { return false }
            guard let expires = Expiry.milliseconds(of: document) else { return true }
            if inNew, expires <= alsoExpired { return false }
            return try (inNew ? newClock : oldClock).milliseconds() < expires
        }
        // The newer operation of the key at hand, as long as the older one has not come.
        var newer = HeldOperation()
        /// The documents of the key at both moments are known: that of the newer operation, and that of the older one.
        func settle(_ older: RecordCursor?) throws {
            if let older, !older.isDelete { try older.loadDocument() }
            defer { newer.isHeld = false }
            guard newer.isHeld else {
                // The same operation at both moments.
                guard let older, Expiry.milliseconds(of: older.record.document) != nil else { return }
                let was = try isThere(older.record.document, older.isDelete, older.isHistory, inNew: false)
                let isNow = try isThere(older.record.document, older.isDelete, older.isHistory, inNew: true)
                if was == isNow { return }
                return try deliver(older.record, older.sequence, older.milliseconds, isDelete: was)
            }
            let olderIsThere = try older.map { try isThere($0.record.document, $0.isDelete, $0.isHistory, inNew: isBackwards) } ?? false
            let newerIsThere = try isThere(newer.document.span, newer.isDelete, newer.isHistory, inNew: !isBackwards)
            // A delete of nothing changes nothing.
            if !olderIsThere, !newerIsThere { return }
            if olderIsThere, newerIsThere, equal(older!.record.document, newer.document.span) { return }
            let record = Record(table: newer.table, key: newer.key.span, isDelete: newer.isDelete, document: newer.document.span)
            if !isBackwards {
                try deliver(record, newer.sequence, newer.milliseconds, isDelete: !newerIsThere)
            } else if let older, olderIsThere {
                try deliver(older.record, older.sequence, older.milliseconds, isDelete: false)
            } else {
                try deliver(record, places.new.sequence, newer.milliseconds, isDelete: true)
            }
        }
        func deliver(_ record: Record, _ sequence: SequenceNumber, _ milliseconds: Int64, isDelete: Bool) throws {
            try body(
                Operation(
                    record, table: names.names[record.table] ?? "", sequenceNumber: sequence, milliseconds: milliseconds,
                    hasExpired: isDelete))
        }
        try both.forEachVersion(range, VersionRule(savepoint: lower.sequence), in: place) { cursor in
            if newer.isHeld, newer.table != cursor.table || !equal(newer.key.span, cursor.key) { try settle(nil) }
            guard ids.contains(cursor.table) else { return }
            if cursor.sequence > lower.sequence {
                try newer.hold(cursor)
            } else {
                try settle(cursor)
            }
        }
        try settle(nil)
    }
}

private struct HeldOperation {
    var isHeld = false
    var table: UInt64 = 0
    var sequence: SequenceNumber = 0
    var milliseconds: Int64 = 0
    var isDelete = false
    var isHistory = false
    var key: [UInt8] = []
    var document: [UInt8] = []

    mutating func hold(_ cursor: RecordCursor) throws(LogDBError) {
        try cursor.loadDocument()
        isHeld = true
        (table, sequence, milliseconds, isDelete) = (cursor.table, cursor.sequence, cursor.milliseconds, cursor.isDelete)
        isHistory = cursor.isHistory
        key.removeAll(keepingCapacity: true)
        unsafe key.append(contentsOf: cursor.keyBytes)
        document.removeAll(keepingCapacity: true)
        unsafe document.append(contentsOf: cursor.documentBytes)
    }
}
