//===--- VersionKeeper.swift - which versions a compaction keeps ------------===//
//
// Sees the operations of each key newest first, one at a time, and says what becomes of each. It remembers the operation before and a delete that
// may be needed, so a key may have any number of versions.
//
//   * the newest operation of a key, if it is a document of a table that is there, is the live one. All else is superseded, by the operation after it or by
//     the drop of its table, and is kept only where someone wants it: a savepoint, or the table's retention.
//   * a savepoint with number s wants the version with number v, superseded by w, if v <= s < w.
//   * a delete is kept if an older document of its key is: without it that one would be back. It is held until that is known. (`.all` keeps every delete.)
//   * a newest document that has expired is superseded by its own expiry, of which no operation tells: it is kept, or else stands for a delete with its number, held as any.
//     What is not kept raises the horizon of expiry: states of before that time can not be told any more.
//   * what is not kept raises the horizon to the operation that superseded it: states before that one can not be told any more.
//
// Order is by number alone. Times only choose among versions, so a clock that goes back may make the choice a poor one, but never a wrong answer: what was
// dropped is behind the horizon.
//
// The catalog keeps what savepoints want, and all entries of tables that retain versions. Of savepoints it keeps none that was released.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// Which operations on one key may not be taken together.
struct VersionRule: Sendable {
    /// Numbers of the savepoints, rising.
    let savepoints: [SequenceNumber]
    private let retained: Set<UInt64>
    private let isOfAll: Bool
    /// Whether every operation on the catalog is looked at.
    private let hasCatalog: Bool

    /// Tells all operations apart.
    static let all = VersionRule()

    /// Tells what is up to an operation from what is newer.
    init(savepoint: SequenceNumber) {
        savepoints = [savepoint]
        retained = []
        isOfAll = false
        hasCatalog = false
    }

    private init() {
        hasCatalog = true
        savepoints = []
        retained = []
        isOfAll = true
    }

    /// nil where only the newest operation of each key counts: nothing is retained.
    init?(_ catalog: borrowing Catalog, hasHistory: Bool) {
        guard hasHistory || !catalog.savepoints.isEmpty || !catalog.retentions.isEmpty else { return nil }
        savepoints = catalog.savepoints.values.map(\.sequenceNumber).sorted()
        retained = Set(catalog.retentions.keys)
        isOfAll = false
        hasCatalog = true
    }

    /// How many savepoints are older than the operation with this number.
    @inline(__always)
    private func epoch(_ sequence: SequenceNumber) -> Int { savepoints.isEmpty ? 0 : countSavepoints(before: sequence) }

    private func countSavepoints(before sequence: SequenceNumber) -> Int {
        var low = 0
        var high = savepoints.count
        while low < high {
            let middle = (low + high) / 2
            if savepoints[middle] < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether every operation on the table is looked at.
    func keepsAll(_ table: UInt64) -> Bool { isOfAll || table == 0 && hasCatalog || retained.contains(table) }

    /// Of two operations on a key with equal stamps only the newer one is looked at: nobody can want the older one.
    @inline(__always)
    func stamp(_ sequence: SequenceNumber, keepsAll: Bool) -> UInt64 { keepsAll ? sequence : UInt64(epoch(sequence)) }

    func areDistinct(_ table: UInt64, _ newer: SequenceNumber, _ older: SequenceNumber) -> Bool {
        newer != older && (keepsAll(table) || epoch(newer) != epoch(older))
    }

    /// Whether a savepoint wants what was valid from one operation to before another.
    func isPinned(from sequence: SequenceNumber, before successor: SequenceNumber) -> Bool {
        !savepoints.isEmpty && countSavepoints(before: sequence) < countSavepoints(before: successor)
    }
}

struct VersionKeeper {
    enum Verdict {
        case live
        /// Kept as history; before it, the delete that was held, if there is one.
        case history
        /// A delete that is held until it is known whether an older document stays.
        case held
        case dropped
        /// The newest, and has expired: dropped, with a delete in its place that is held.
        case expired
    }

    private enum Keeping {
        case pinned
        case retained(Retention)
        case nothing
    }

    private struct Newer {
        var sequence: SequenceNumber
        var milliseconds: Int64
    }

    let rule: VersionRule
    private let catalog: Catalog
    private let now: Int64
    // The key at hand.
    private var isStarted = false
    private var table: UInt64 = 0
    private var key: [UInt8] = []
    private var keeping = Keeping.nothing
    private var isCurrent = true
    private var newer: Newer?
    private var documents = 0
    /// The delete that is held, and where it came from.
    private(set) var held: (sequence: SequenceNumber, milliseconds: Int64)?
    private var heldSource: RecordCursor?

    /// What the horizon of tables that retain something was raised to since the last look.
    private var raised: [UInt64: HistoryHorizon] = [:]
    /// What has expired and was dropped since the last look: of tables that retain something, and of all others.
    private var expired: [UInt64?: ExpiryHorizon] = [:]
    /// Tables whose drop is kept.
    private(set) var keptDrops: Set<UInt64> = []

    /// - Parameter now: the time that retention is measured from.
    init(_ rule: VersionRule, _ catalog: Catalog, now: Int64) {
        self.rule = rule
        self.catalog = catalog
        self.now = now
    }

    /// Whether something of a table that was dropped may be kept.
    func mayKeep(dropped table: UInt64) -> Bool {
        guard let drop = catalog.drops[table], let first = rule.savepoints.first else { return false }
        return first < drop
    }

    /// Whether operations on `table` are looked at at all.
    func wants(_ table: UInt64) -> Bool { table == 0 || catalog.names[table] != nil || mayKeep(dropped: table) }

    /// What becomes of the cursor's operation, which is older than the one before it or of a greater key. The document must be there.
    mutating func judge(_ cursor: RecordCursor) -> Verdict {
        if !isStarted || cursor.table != table || !equal(cursor.key, key.span) { begin(cursor) }
        defer { newer = Newer(sequence: cursor.sequence, milliseconds: cursor.milliseconds) }
        if cursor.isDelete {
            if case .retained(.all) = keeping {
                note(dropOf: cursor)
                return .history
            }
            hold(cursor)
            return .held
        }
        defer { documents += 1 }
        guard let newer else {
            // What a compaction has taken out of the base stays out, should the clock have gone back since.
            if isCurrent, table != 0, let expires = Expiry.milliseconds(of: cursor.record.document),
                expires <= now || cursor.isHistory
            {
                return judge(cursor, expired: expires)
            }
            if isCurrent { return .live }
            // Of a dropped table nobody knows when: nothing of it is kept.
            return .dropped
        }
        if isWanted(cursor, newer) {
            if held != nil { note(dropOf: cursor) }
            return .history
        }
        drop(newer)
        return .dropped
    }

    private mutating func judge(_ cursor: RecordCursor, expired expires: Int64) -> Verdict {
        var isWanted = rule.isPinned(from: cursor.sequence, before: .max)
        if !isWanted, case .retained(let retention) = keeping {
            isWanted = retention.keeps(from: cursor.milliseconds, before: expires, newerDocuments: 0, now: now)
        }
        if isWanted { return .history }
        note(expired: cursor, at: expires)
        hold(cursor)
        return .expired
    }

    /// Notes that a document goes which has expired.
    mutating func note(expired cursor: RecordCursor, at expires: Int64) {
        let scope = catalog.retentions[cursor.table] == nil ? nil : cursor.table
        let horizon = ExpiryHorizon(sequence: cursor.sequence, milliseconds: expires)
        expired[scope] = expired[scope]?.joined(horizon) ?? horizon
    }

    private mutating func hold(_ cursor: RecordCursor) {
        held = (cursor.sequence, cursor.milliseconds)
        heldSource = cursor
    }

    /// The delete that hides `cursor`'s document, which goes, and must be kept as well until the next time: it comes from a segment that may be off the manifest
    /// before the one that the document comes from, and would not hide it in between, nor after a crash.
    mutating func takeHeld(hiding cursor: RecordCursor) -> (sequence: SequenceNumber, milliseconds: Int64)? {
        guard held != nil, let heldSource, heldSource !== cursor, heldSource.isBase, cursor.isBase else { return nil }
        return takeHeld()
    }

    mutating func takeHeld() -> (sequence: SequenceNumber, milliseconds: Int64)? {
        defer { held = nil }
        return held
    }

    /// What has expired and was dropped since the last call; nil stands for the tables that retain nothing.
    mutating func takeExpired() -> [UInt64?: ExpiryHorizon] {
        defer { expired = [:] }
        return expired
    }

    /// What the horizons were raised to since the last call.
    mutating func takeRaised() -> [UInt64: HistoryHorizon] {
        defer { raised = [:] }
        return raised
    }

    private mutating func begin(_ cursor: RecordCursor) {
        isStarted = true
        table = cursor.table
        key.removeAll(keepingCapacity: true)
        unsafe key.append(contentsOf: cursor.keyBytes)
        newer = nil
        documents = 0
        held = nil
        heldSource = nil
        isCurrent = true
        keeping = .pinned
        if table == 0 {
            keeping = .nothing
            if let id = Self.tableID(key) { keeping = catalog.retentions[id] == nil ? .pinned : .retained(.all) }
        } else if catalog.names[table] == nil {
            isCurrent = false
            if let drop = catalog.drops[table] { newer = Newer(sequence: drop, milliseconds: now) } else { keeping = .nothing }
        } else if let retention = catalog.retentions[table] {
            keeping = .retained(retention)
        }
    }

    private static func tableID(_ key: [UInt8]) -> UInt64? {
        guard case .integer(let number)? = try? KeyCoding.decode(key.span), number > 0 else { return nil }
        return UInt64(number)
    }

    private func isWanted(_ cursor: RecordCursor, _ newer: Newer) -> Bool {
        if case .nothing = keeping { return false }
        if rule.isPinned(from: cursor.sequence, before: newer.sequence) { return true }
        guard case .retained(let retention) = keeping else { return false }
        return retention.keeps(from: cursor.milliseconds, before: newer.milliseconds, newerDocuments: documents, now: now)
    }

    /// A drop of a table that stays known.
    private mutating func note(dropOf cursor: RecordCursor) {
        if table == 0, let id = Self.tableID(key), catalog.names[id] == nil { keptDrops.insert(id) }
    }

    private mutating func drop(_ newer: Newer) {
        // Of other tables all is taken for lost, see Compactor.
        guard catalog.retentions[table] != nil, newer.sequence > raised[table]?.sequence ?? 0 else { return }
        raised[table] = HistoryHorizon(sequence: newer.sequence, milliseconds: newer.milliseconds)
    }
}

extension Retention {
    /// Whether a document is kept that was valid from one moment to before another.
    ///
    /// - Parameter newerDocuments: how many documents of its key are newer.
    func keeps(from start: Int64, before end: Int64, newerDocuments: Int, now: Int64) -> Bool {
        switch self {
        case .latest: return false
        case .all: return true
        case .versions(let count): return newerDocuments < count
        case .age(let duration): return end >= now.subtracting(duration.milliseconds)
        case .ladder(let rungs):
            return rungs.contains { rung in
                let oldest = now.subtracting(rung.duration.milliseconds)
                let spacing = rung.spacing.milliseconds
                if spacing == 0 { return end >= oldest }
                // The last instant before it was superseded.
                let instant = end.subtracting(1).roundedDown(to: spacing)
                return instant >= start && instant >= oldest
            }
        }
    }
}

extension Int64 {
    /// The difference, or the least number there is.
    func subtracting(_ other: Int64) -> Int64 {
        let (result, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : result
    }

    /// The greatest multiple of `step` that is not greater.
    func roundedDown(to step: Int64) -> Int64 {
        let rest = self % step
        return rest < 0 ? subtracting(rest + step) : self - rest
    }
}
