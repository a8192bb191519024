//===--- PastState.swift - the database as it was ---------------------------===//
//
// A snapshot with a ceiling: operations with greater numbers do not count, and the history is merged with base and log, so that below the ceiling the newest
// operation of each key is the one that stood then. It costs what a select costs.
//
//      raw, tail  ──sort, numbers up to s──▶  ──┐
//      base       ──numbers up to s──────────▶  ├─ merge ──▶  the documents as of s
//      history    ──numbers up to s──────────▶  ┘
//
// Documents that expire are judged by the time of that state: see PastState.Place.
//
// That is the truth wherever nothing was dropped that stood at s: behind the horizon of the table, and at savepoints. Of a table with a ladder the instants of
// its rungs can be told as well, so for a time there that has the last instant before it is taken. Elsewhere it is refused.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A moment in a database's history.
public enum Moment: Sendable, Hashable {
    /// After the operation with this number, and all before it, at the time at which it was made (or, where it has been cleared away, the last one before it that is left).
    /// A number that is not given out yet is the present.
    case sequence(SequenceNumber)
    /// In milliseconds since 1970 UTC: after the last operation, in the order of their numbers, that was not made later. What a savepoint has kept is told by its name
    /// only: whether something else happened between it and the time is not known any more.
    case time(milliseconds: Int64)
    case savepoint(String)
}

/// The documents of a database as they were at some moment, see ``Database/state(asOf:)``. Holds on to the files that it needs.
public struct PastState: Sendable {
    /// The last operation that counts.
    public let sequenceNumber: SequenceNumber
    /// The time that was asked for.
    private let milliseconds: Int64?
    /// What time it was then.
    private let clock: ReadingClock
    /// Whether it is the present, of which nothing is ever missing, and for which the history has nothing to say.
    let isPresent: Bool
    let database: Database
    /// Of the present, and with the tables of then.
    let snapshot: Snapshot
    private let horizons: Horizons

    /// What of a table is told: up to which operation, and as of an instant of a ladder, where that is another time than that of the state.
    struct Place: Hashable {
        var sequence: SequenceNumber
        var instant: Int64?
    }

    init(
        _ database: Database, _ snapshot: Snapshot, _ sequence: SequenceNumber, _ milliseconds: Int64?, _ horizons: Horizons,
        _ clock: ReadingClock, isPresent: Bool
    ) throws {
        self.milliseconds = milliseconds
        self.clock = clock
        self.isPresent = isPresent
        self.database = database
        self.horizons = horizons
        sequenceNumber = sequence
        var past = snapshot
        past.ceiling = isPresent ? .max : sequence
        past.clock = clock
        past.tables = try past.pastCatalog(in: database.readingPlace)
        self.snapshot = past
    }

    /// Names of the tables that there were, sorted.
    ///
    /// - Throws: `.historyIncomplete` if that cannot be told.
    public var tables: [String] {
        get throws(LogDBError) {
            try horizons.checkDropped(at: sequenceNumber, snapshot.tables)
            return snapshot.tables.ids.keys.sorted()
        }
    }

    /// Delivers the documents of `table`, or of all tables, as they were, each once, sorted by table and key.
    ///
    /// Cost and memory: as ``Database/select(_:_:)``, and what is retained of the tables is read as well.
    ///
    /// - Throws: what `body` throws; ``LogDBError`` with code `.historyIncomplete`, before anything is delivered, if something that stood then has been cleared
    ///   away: the message says from when on history is complete. Savepoints are exact always.
    public func select(_ table: String? = nil, _ body: (borrowing Operation) throws -> Void) throws {
        if let table { return try select(table, KeySelection(), body) }
        try checkAll()
        let tables = snapshot.tables.ids.sorted { $0.value < $1.value }
        let places = try tables.map { try place($0.key, $0.value) }
        if places.allSatisfy({ $0 == Place(sequence: sequenceNumber) }) {
            return try snapshot.select(.allTables, in: database.readingPlace, body)
        }
        // Tables of which different moments are told are read one by one.
        for (table, place) in zip(tables, places) {
            try snapshot(at: place).select(KeyRange(table: table.value), in: database.readingPlace, body)
        }
    }

    /// Proves that all tables can be told.
    func checkAll() throws(LogDBError) {
        try horizons.checkDropped(at: sequenceNumber, snapshot.tables)
        for (name, id) in snapshot.tables.ids.sorted(by: { $0.value < $1.value }) { _ = try place(name, id) }
        // Whether tables of now were there then must be known too.
        for (name, id) in horizons.current.ids.sorted(by: { $0.value < $1.value }) where snapshot.tables.names[id] == nil {
            try horizons.check(name, id, at: sequenceNumber)
        }
    }

    /// Delivers the documents of `table` that `keys` names; as ``select(_:_:)``. Forwards only: `.invalidOption` for a selection that is reversed.
    public func select(_ table: String, _ keys: KeySelection, _ body: (borrowing Operation) throws -> Void) throws {
        guard !keys.isReversed else { throw LogDBError(.invalidOption, "past states are read forwards only: leave out backwards()") }
        guard let (id, place) = try id(of: table) else { return }
        try snapshot(at: place).select(try keys.range(in: id), limit: keys.limit, in: database.readingPlace, body)
    }

    /// The document that `key` had, byte for byte; nil if it had none. Reads all of the log that is not compacted, and a block or two of the rest.
    ///
    /// - Throws: as ``select(_:_:)``.
    public func document(_ table: String, _ key: Key) throws(LogDBError) -> [UInt8]? {
        var found: [UInt8]?
        do {
            guard let (id, place) = try id(of: table) else { return nil }
            var range = try KeySelection.range(from: key).range(in: id)
            range.upper = FullKey(table: id, key: range.lower.key + [0])
            try snapshot(at: place).select(range, in: database.readingPlace) { found = Array($0.document) }
        } catch { throw error as! LogDBError }
        return found
    }

    /// The document that `key` had; ``JSON/null`` if it had none.
    public func get(_ table: String, _ key: Key) throws(LogDBError) -> JSON { try Database.json(try document(table, key)) }

    /// The time of which `table` is told, in milliseconds since 1970 UTC: an instant of its ladder, where that is older than what is complete. nil where it is told as of the
    /// moment itself.
    ///
    /// - Throws: `.historyIncomplete`.
    public func instant(of table: String) throws(LogDBError) -> Int64? {
        guard let id = snapshot.tables.ids[table] else { return nil }
        return try place(table, id).instant
    }

    func snapshot(at place: Place) -> Snapshot {
        var snapshot = snapshot
        snapshot.ceiling = isPresent && place.instant == nil ? .max : place.sequence
        snapshot.clock = clock(at: place)
        return snapshot
    }

    /// What time it is for what is told of a table.
    func clock(at place: Place) -> ReadingClock { place.instant.map { .at($0) } ?? clock }

    /// The last operation that counts for a table.
    private func place(_ name: String, _ id: UInt64) throws(LogDBError) -> Place {
        do throws(LogDBError) {
            try horizons.check(name, id, at: sequenceNumber)
            if !isPresent { try horizons.checkExpired(name, id, at: sequenceNumber, clock) }
        } catch {
            guard error.code == .historyIncomplete, let milliseconds, let instant = horizons.instant(of: id, before: milliseconds) else {
                throw error
            }
            var all = snapshot
            all.ceiling = .max
            do {
                return Place(sequence: try all.sequence(at: instant, nil, budget: database.options.memoryBudgetBytes), instant: instant)
            } catch { throw error as! LogDBError }
        }
        return Place(sequence: sequenceNumber)
    }

    /// The id that `table` had, and the last operation that counts for it; nil if there was none of that name.
    func id(of table: String) throws(LogDBError) -> (UInt64, Place)? {
        if let id = snapshot.tables.ids[table] { return (id, try place(table, id)) }
        // Whether today's was there, and whether another one was that is gone, must be known.
        if let id = horizons.current.ids[table] { try horizons.check(table, id, at: sequenceNumber) }
        try horizons.checkDropped(at: sequenceNumber, snapshot.tables)
        return nil
    }
}

/// From when on history is complete.
struct Horizons: Sendable {
    let all: HistoryHorizon
    let ofTables: [UInt64: HistoryHorizon]
    private let expired: ExpiryHorizon
    private let expiries: [UInt64: ExpiryHorizon]
    let ladders: [UInt64: LadderRecord]
    /// The tables of the present.
    let current: Catalog
    /// What is exact whatever was cleared away.
    private let savepoints: Set<SequenceNumber>

    init(_ state: ManifestState, _ snapshot: Snapshot) {
        let compacted = max(snapshot.compactedSequence, state.compacted.lastSequence)
        all = compacted > state.horizon.sequence ? HistoryHorizon(sequence: compacted, milliseconds: .max) : state.horizon
        ofTables = state.horizons
        expired = state.expired
        expiries = state.expiries
        ladders = state.ladders
        current = snapshot.tables
        savepoints = Set(snapshot.tables.savepoints.values.map(\.sequenceNumber))
    }

    /// That of a table that is there.
    func horizon(_ table: UInt64) -> HistoryHorizon { ofTables[table] ?? all }

    /// What of such a table was cleared away because it had expired.
    func expiry(_ table: UInt64) -> ExpiryHorizon { ofTables[table] == nil ? expired : expiries[table] ?? ExpiryHorizon() }

    /// Of all tables, those that were dropped since among them; nil stands for those without a horizon of their own.
    var allExpired: [UInt64?: ExpiryHorizon] {
        var all = [UInt64?: ExpiryHorizon](uniqueKeysWithValues: expiries.map { ($0.key, $0.value) })
        all[nil] = expired
        return all
    }

    /// Whether what was there at that time, and has been cleared away because it had expired, may be part of the state.
    func checkExpired(_ name: String, _ table: UInt64, at sequence: SequenceNumber, _ clock: ReadingClock) throws(LogDBError) {
        let expiry = expiry(table)
        guard expiry.sequence > 0, !isSavepoint(sequence), try clock.milliseconds() < expiry.milliseconds else { return }
        throw LogDBError(
            .historyIncomplete,
            "documents of \(ofTables[table] == nil ? "tables that retain nothing, such as" : "table") \(TableDefinition.brief(.string(name))), that expired up to \(CalendarTime.text(expiry.milliseconds)), have been cleared away, and the state after operation \(sequence), before that time, is asked for: choose a later moment or a savepoint, or let the table retain more"
        )
    }

    /// The last instant of a rung that is not later and can be told.
    func instant(of table: UInt64, before milliseconds: Int64) -> Int64? {
        guard let record = ladders[table], let retention = current.retentions[table], case .ladder(let rungs) = retention,
            retention.ladderChecksum == record.checksum
        else { return nil }
        return rungs.compactMap { rung in
            let spacing = rung.spacing.milliseconds
            guard spacing > 0 else { return nil }
            let instant = milliseconds.roundedDown(to: spacing)
            return instant >= record.since && instant >= record.now.subtracting(rung.duration.milliseconds) ? instant : nil
        }.max()
    }

    /// Whether the operation asked for is one that a savepoint names. A time is not: it may be that of an operation behind the savepoint that was cleared away, and
    /// then the savepoint is only the last one that is left before it.
    private var admitsSavepoints = true

    func withoutSavepoints() -> Horizons {
        var copy = self
        copy.admitsSavepoints = false
        return copy
    }

    private func isSavepoint(_ sequence: SequenceNumber) -> Bool { admitsSavepoints && savepoints.contains(sequence) }

    func check(_ name: String, _ table: UInt64, at sequence: SequenceNumber) throws(LogDBError) {
        var horizon = horizon(table)
        // Of a table that is gone the drop has a say as well, and is noted with those of the others.
        if current.names[table] == nil, let dropped = ofTables[0], dropped.sequence > horizon.sequence { horizon = dropped }
        // Before the first operation there is nothing that could have been cleared away.
        guard horizon.sequence > 1, sequence < horizon.sequence, !isSavepoint(sequence) else { return }
        throw Self.incomplete("the history of table \(TableDefinition.brief(.string(name)))", horizon, sequence)
    }

    /// Whether all is there of tables that were dropped since, those that `catalog` has of then not looked at.
    func checkDropped(at sequence: SequenceNumber, _ catalog: Catalog) throws(LogDBError) {
        guard !isSavepoint(sequence) else { return }
        var horizon = ofTables[0] ?? HistoryHorizon()
        for (id, drop) in current.drops where drop > sequence && catalog.names[id] == nil && self.horizon(id).sequence > horizon.sequence {
            horizon = self.horizon(id)
        }
        guard horizon.sequence > 1, sequence < horizon.sequence else { return }
        throw Self.incomplete("the history of tables that were dropped", horizon, sequence)
    }

    private static func incomplete(_ what: String, _ horizon: HistoryHorizon, _ sequence: SequenceNumber) -> LogDBError {
        if horizon.sequence >= HistoryWriter.unfinished.sequence {
            return LogDBError(
                .historyIncomplete, "\(what) was loaded in part only: load it again, into a new database, or ask for a savepoint")
        }
        let time = horizon.milliseconds == .max || horizon.milliseconds == 0 ? "" : " (\(CalendarTime.text(horizon.milliseconds)))"
        return LogDBError(
            .historyIncomplete,
            "\(what) is complete from operation \(horizon.sequence)\(time) on, and the state after operation \(sequence) is asked for: choose a later moment or a savepoint, or let the table retain more"
        )
    }
}

extension Database {
    /// The database as it was at `moment`: for its documents of then, see ``PastState``.
    ///
    /// Finds the moment and the tables of then; documents are read when they are asked for. A moment in the future is the present. Writing goes on and is not
    /// seen. For a time the log is searched from its end, and where it does not reach back so far everything that is retained.
    ///
    /// - Throws: `.noSuchSavepoint`; ``LogDBError`` `.corrupted` if damage is met.
    public func state(asOf moment: Moment) throws(LogDBError) -> PastState {
        try PastView(self).state(moment)
    }
}

/// What states are told from: a snapshot, and from when on it is complete.
struct PastView {
    private let database: Database
    let snapshot: Snapshot
    let horizons: Horizons

    init(_ database: Database) throws(LogDBError) {
        self.database = database
        // In this order: what is cleared away meanwhile is still in the snapshot, and refused.
        snapshot = try database.log.snapshot()
        horizons = Horizons(database.log.manifest.state, snapshot)
    }

    func state(_ moment: Moment) throws(LogDBError) -> PastState {
        do {
            let sequence: SequenceNumber
            var time: Int64?
            let budget = database.options.memoryBudgetBytes
            let now = try snapshot.clock.milliseconds()
            var clock = ReadingClock.at(now)
            var isPresent = false
            switch moment {
            case .sequence(let number):
                sequence = min(number, snapshot.lastSequence)
                isPresent = number > snapshot.lastSequence
                if !isPresent { clock = .of(OperationTime(sequence, snapshot, budget: budget)) }
            case .time(let milliseconds):
                time = milliseconds
                clock = .at(min(milliseconds, now))
                sequence = try snapshot.sequence(at: milliseconds, horizons, budget: budget)
                isPresent = milliseconds >= now && (sequence == snapshot.lastSequence || milliseconds == .max)
            case .savepoint(let name):
                guard let savepoint = snapshot.tables.savepoints[name] else {
                    throw LogDBError(.noSuchSavepoint, "there is no savepoint \(TableDefinition.brief(.string(name)))")
                }
                sequence = savepoint.sequenceNumber
                clock = .at(savepoint.milliseconds)
            }
            return try PastState(
                database, snapshot, sequence, time, time == nil ? horizons : horizons.withoutSavepoints(), clock, isPresent: isPresent)
        } catch { throw error as! LogDBError }
    }
}

extension Snapshot {
    /// The tables as of the ceiling, as far as that is known.
    fileprivate func pastCatalog(in place: ReadingPlace) throws -> Catalog {
        var catalog = Catalog()
        var past = self
        past.tables = Catalog()
        // Its own name, so that its records are delivered.
        past.tables.enter(0, "")
        try past.select(KeyRange(table: 0), in: place) { operation in
            do throws(FormatError) {
                try catalog.apply(
                    key: operation.encodedKey, isDelete: false, document: operation.document, sequence: operation.sequenceNumber,
                    operation.milliseconds)
            } catch { throw LogDBError(.corrupted, error.reason) }
        }
        return catalog
    }

    /// The greatest number of an operation that was made at `milliseconds` or before.
    fileprivate func sequence(at milliseconds: Int64, _ horizons: Horizons?, budget: Int) throws -> SequenceNumber {
        var found: SequenceNumber = 0
        // What was dropped may have been newer than what is found; it is known not to be newer than this.
        for horizon in horizons.map({ [$0.all] + $0.ofTables.values }) ?? []
        where horizon.sequence > 1 && horizon.milliseconds <= milliseconds {
            found = max(found, horizon.sequence)
        }
        for raw in raw.reversed() {
            try raw.segment.forEachRecord(until: raw.end, fates) { _, sequence, time in
                if time <= milliseconds { found = max(found, sequence) }
            }
            if found >= raw.segment.header.firstSequence { return found }
        }
        let tail = BlockStream(sealed, isReversed: true, budget: budget)
        defer { tail.stop() }
        while let block = try tail.next() {
            try block.segment!.forEachRecord(in: block.raw, of: block.entry!) { _, sequence, time in
                if time <= milliseconds { found = max(found, sequence) }
            }
            if found >= block.entry!.firstSequence { return found }
        }
        tail.stop()
        let stream = BlockStream(base + history, budget: budget)
        defer { stream.stop() }
        while let block = try stream.next() {
            try block.segment!.forEachRecord(in: block.raw, of: block.entry!) { _, sequence, time in
                if time <= milliseconds { found = max(found, sequence) }
            }
        }
        return found
    }
}
