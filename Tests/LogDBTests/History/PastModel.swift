//===--- PastModel.swift - all that ever happened, and what of it is kept ---===//
//
// The plainest way to say what retention means: every operation in a list, and a compaction that looks at whole lists. Written from HistoryAndRetention, not
// from the engine: policies are stated by other formulas there.
//===-----------------------------------------------------------------------===//

import LogDB

struct PastModel {
    struct Entry: Equatable {
        var sequence: UInt64
        var milliseconds: Int64
        var document: [UInt8]?
        var expires: Int64?
    }
    struct Address: Hashable {
        var table: Int
        var key: Key
    }

    /// Everything, oldest first.
    private(set) var all: [Address: [Entry]] = [:]
    /// What compactions have left, oldest first.
    private(set) var kept: [Address: [Entry]] = [:]
    /// Name, number of the creation, of the drop.
    private(set) var tables: [(name: String, created: UInt64, dropped: UInt64)] = []
    private(set) var retentions: [Int: Retention] = [:]
    private(set) var timesToLive: [Int: Int64] = [:]
    private(set) var savepoints: [String: UInt64] = [:]
    /// Number and time of every operation, those on the catalog too.
    private(set) var moments: [(sequence: UInt64, milliseconds: Int64)] = []
    /// From when on all can be told: of each table, and of dropped ones.
    private(set) var horizons: [Int: UInt64] = [:]
    private(set) var dropHorizon: UInt64 = 0
    private(set) var compacted: UInt64 = 0
    /// Newest operations that compactions have found expired, and the last number there was then: for the present they are gone for good.
    private(set) var gone: [UInt64: UInt64] = [:]
    /// Up to which time what had expired was cleared away: of tables with a horizon of their own, and of the others.
    private(set) var expiryHorizons: [Int: Int64] = [:]
    private(set) var expiryHorizon: Int64 = 0

    func table(_ name: String) -> Int? { tables.lastIndex { $0.name == name && $0.dropped == .max } }

    // MARK: What happens

    mutating func note(_ sequence: UInt64, _ milliseconds: Int64) { moments.append((sequence, milliseconds)) }

    mutating func create(_ name: String, _ sequence: UInt64) { tables.append((name, sequence, .max)) }

    mutating func write(_ table: Int, _ key: Key, _ document: [UInt8]?, _ sequence: UInt64, _ milliseconds: Int64, expires: Int64? = nil) {
        let entry = Entry(sequence: sequence, milliseconds: milliseconds, document: document, expires: document == nil ? nil : expires)
        all[Address(table: table, key: key), default: []].append(entry)
        kept[Address(table: table, key: key), default: []].append(entry)
    }

    mutating func drop(_ table: Int, _ sequence: UInt64) {
        tables[table].dropped = sequence
        retentions[table] = nil
        timesToLive[table] = nil
    }

    mutating func retain(_ table: Int, _ retention: Retention) { retentions[table] = retention == .latest ? nil : retention }
    mutating func live(_ table: Int, _ milliseconds: Int64?) { timesToLive[table] = milliseconds }
    mutating func save(_ name: String, _ sequence: UInt64) { savepoints[name] = sequence }
    mutating func release(_ name: String) { savepoints[name] = nil }

    // MARK: Compaction

    /// All operations up to `through` are taken in.
    mutating func compact(now: Int64, through: UInt64, last: UInt64) {
        let before = compacted
        let commonExpiry = expiryHorizon
        compacted = max(compacted, through)
        for table in tables.indices where tables[table].dropped == .max {
            guard retentions[table] != nil else {
                if horizons[table] != nil { expiryHorizon = max(expiryHorizon, expiryHorizons[table] ?? 0) }
                horizons[table] = nil
                continue
            }
        }
        for table in tables.indices where tables[table].dropped == .max && retentions[table] != nil && horizons[table] == nil {
            horizons[table] = before
            expiryHorizons[table] = commonExpiry
        }
        for (address, entries) in kept {
            let isThere = tables[address.table].dropped == .max
            let retention = isThere ? retentions[address.table] ?? .latest : .latest
            var entries = entries
            if retention == .latest {
                // Between two savepoints only the newest can be wanted.
                func epoch(_ entry: Entry) -> Int { savepoints.values.count { $0 < entry.sequence } }
                entries = entries.enumerated().filter { index, entry in
                    index + 1 == entries.count || epoch(entry) != epoch(entries[index + 1])
                }.map(\.element)
            }
            var result: [Entry] = []
            for (index, entry) in entries.enumerated() {
                let successor =
                    index + 1 < entries.count
                    ? entries[index + 1]
                    : isThere ? nil : Entry(sequence: tables[address.table].dropped, milliseconds: now, document: nil)
                if entry.document != nil, successor == nil, let expires = entry.expires, expires <= now || gone[entry.sequence] != nil {
                    // Its own expiry supersedes it, and it hides what is older all the same.
                    if gone[entry.sequence] == nil { gone[entry.sequence] = last }
                    if savepoints.values.contains(where: { $0 >= entry.sequence })
                        || Self.keeps(retention, entry.milliseconds, expires, 0, now)
                    {
                        result.append(entry)
                        continue
                    }
                    if retention == .latest {
                        expiryHorizon = max(expiryHorizon, expires)
                    } else {
                        expiryHorizons[address.table] = max(expiryHorizons[address.table] ?? 0, expires)
                    }
                    result.append(Entry(sequence: entry.sequence, milliseconds: entry.milliseconds, document: nil))
                    continue
                }
                guard entry.document != nil, let successor else {
                    result.append(entry)
                    continue
                }
                let isPinned = savepoints.values.contains { $0 >= entry.sequence && $0 < successor.sequence }
                let newer = entries[(index + 1)...].count { $0.document != nil }
                if isPinned || Self.keeps(retention, entry.milliseconds, successor.milliseconds, newer, now) {
                    result.append(entry)
                } else if isThere, retention != .latest {
                    horizons[address.table] = max(horizons[address.table] ?? 0, successor.sequence)
                }
            }
            if retention != .all {
                // A delete is needed only right behind a document that it deletes.
                result = result.enumerated().filter { index, entry in
                    entry.document != nil || index > 0 && result[index - 1].document != nil
                }.map(\.element)
            }
            kept[address] = result
        }
        for table in tables where table.dropped != .max {
            dropHorizon = max(dropHorizon, table.dropped)
        }
    }

    private static func keeps(_ retention: Retention, _ start: Int64, _ end: Int64, _ newer: Int, _ now: Int64) -> Bool {
        switch retention {
        case .latest: return false
        case .all: return true
        case .versions(let count): return newer + 1 <= count
        case .age(let duration): return now - end <= Int64(duration / .milliseconds(1))
        case .ladder(let rungs):
            return rungs.contains { rung in
                let oldest = now - Int64(rung.duration / .milliseconds(1))
                let spacing = Int64(rung.spacing / .milliseconds(1))
                if spacing == 0 { return end >= oldest }
                // The first instant that is late enough.
                let from = max(start, oldest)
                let first = (from + spacing - 1) / spacing * spacing
                return first < end
            }
        }
    }

    // MARK: Questions

    /// The documents of `table` after operation `sequence`, as of a time.
    func state(_ table: Int, _ sequence: UInt64, at time: Int64, isPresent: Bool = false) -> [Key: [UInt8]] {
        guard tables[table].created <= sequence, tables[table].dropped > sequence else { return [:] }
        var result: [Key: [UInt8]] = [:]
        for (address, entries) in all where address.table == table {
            guard let entry = entries.last(where: { $0.sequence <= sequence }), let document = entry.document,
                entry.expires.map({ $0 > time && !(isPresent && gone[entry.sequence] != nil) }) ?? true
            else { continue }
            result[address.key] = document
        }
        return result
    }

    func state(_ sequence: UInt64, at time: Int64, isPresent: Bool = false) -> [String: [Key: [UInt8]]] {
        var result: [String: [Key: [UInt8]]] = [:]
        for table in tables.indices {
            let state = state(table, sequence, at: time, isPresent: isPresent)
            if !state.isEmpty { result[tables[table].name] = state }
        }
        return result
    }

    /// A state without the documents of which nobody can say whether they were there: a compaction before that moment had found them expired, and then the clock went back.
    func certain(_ state: [String: [Key: [UInt8]]], _ sequence: UInt64) -> [String: [Key: [UInt8]]] {
        var result = state
        for (address, entries) in all {
            guard let entry = entries.last(where: { $0.sequence <= sequence }), let then = gone[entry.sequence], then <= sequence else {
                continue
            }
            let name = tables[address.table].name
            if result[name]?[address.key] == entry.document { result[name]?[address.key] = nil }
            if result[name]?.isEmpty == true { result[name] = nil }
        }
        return result
    }

    /// Whether the state of the table must be told.
    func isTold(_ table: Int, _ sequence: UInt64, at time: Int64) -> Bool {
        if savepoints.values.contains(sequence) { return true }
        return sequence >= (horizons[table] ?? compacted)
            && time >= (horizons[table] == nil ? expiryHorizon : expiryHorizons[table] ?? 0)
    }

    func isTold(_ sequence: UInt64, at time: Int64) -> Bool {
        if savepoints.values.contains(sequence) { return true }
        return sequence >= dropHorizon && tables.indices.allSatisfy { tables[$0].dropped <= sequence || isTold($0, sequence, at: time) }
    }

    /// The time of the state after an operation, where it is certain that the operation is left; else all that it may be.
    func times(of sequence: UInt64) -> [Int64] {
        let isLeft =
            savepoints.values.contains(sequence) || sequence > compacted
            || kept.contains { tables[$0.key.table].dropped == .max && $0.value.contains { $0.sequence == sequence } }
        if isLeft, let moment = moments.last(where: { $0.sequence == sequence }) { return [moment.milliseconds] }
        return [0] + moments.filter { $0.sequence <= sequence }.map(\.milliseconds)
    }
}
