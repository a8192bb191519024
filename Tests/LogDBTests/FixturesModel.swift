//===--- FixturesModel.swift - what a database must hold, known beforehand ----===//
//
// Drives a database and keeps its own account of what it did: numbers, tables, newest documents, what is compacted. The expectations of the
// fixtures come from here and not from the engine. Only the times are taken from the database; nobody else knows them. And how far an
// interrupted compaction came is taken from the ranges of keys in the manifest.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat
import Testing

struct FixtureModel {
    private struct Entry {
        var sequence: UInt64
        var table: Int
        var key: Key
        var document: [UInt8]?
    }

    var database: Database
    private(set) var nextSequence: UInt64 = 1
    private var nextTable = 1
    private var ids: [String: Int] = [:]
    /// The log that is not compacted.
    private var entries: [Entry] = []
    /// What was compacted, by key.
    private var base: [Entry] = []
    /// What an interrupted compaction left: base segments, and of each key the newest operation that it knew.
    private var interrupted: (segments: [SealedSegmentEntry], newest: [FullKey: Entry])?

    init(_ database: Database) { self.database = database }

    mutating func upsert(_ table: String, _ key: Key, _ json: String, _ persistence: Persistence = .process) throws {
        enter(table)
        try note(table, key, json, database.upsert(table, key, json: json, persistence: persistence))
    }

    mutating func delete(_ table: String, _ key: Key) throws {
        enter(table)
        try note(table, key, nil, database.delete(table, key, persistence: .process))
    }

    mutating func drop(_ table: String) throws {
        ids[table] = nil
        #expect(try database.dropTable(table, persistence: .process) == nextSequence)
        nextSequence += 1
    }

    mutating func batch(_ operations: [(table: String, key: Key, json: String?)]) throws {
        var batch = Batch()
        for operation in operations {
            enter(operation.table)
            if let json = operation.json {
                try batch.upsert(operation.table, operation.key, json: json)
            } else {
                try batch.delete(operation.table, operation.key)
            }
        }
        let numbers = try #require(try database.write(batch, persistence: .process))
        for (sequence, operation) in zip(numbers, operations) { note(operation.table, operation.key, operation.json, sequence) }
    }

    /// A table that is not there costs an operation on the catalog.
    private mutating func enter(_ table: String) {
        guard ids[table] == nil else { return }
        ids[table] = nextTable
        nextTable += 1
        nextSequence += 1
    }

    private mutating func note(_ table: String, _ key: Key, _ json: String?, _ sequence: UInt64) {
        #expect(sequence == nextSequence)
        entries.append(Entry(sequence: nextSequence, table: ids[table]!, key: key, document: json.map { Array($0.utf8) }))
        nextSequence += 1
    }

    /// An operation of a transaction that never ends: a number, and nothing else.
    mutating func skip() { nextSequence += 1 }

    /// Forgets what the log lost: all from `sequence` on. No table may have been made or dropped there.
    mutating func cut(from sequence: UInt64) {
        entries.removeAll { $0.sequence >= sequence }
        nextSequence = sequence
    }

    /// Compacts all there is.
    mutating func compact() throws {
        try database.compact()
        base = sorted(newest()).filter { name($0.table) != nil && $0.document != nil }
        entries = []
        interrupted = nil
    }

    /// Starts to compact, and gives up when `isEnough` says so. `manifest` reads the manifest as it is then.
    mutating func interruptCompaction(_ isEnough: () throws -> Bool, manifest: () throws -> ManifestState) throws {
        struct Enough: Error {}
        try database.seal()
        #expect(throws: Enough.self) { try database.compact { _ in if try isEnough() { throw Enough() } } }
        let state = try manifest()
        // What was not sealed then is not taken in.
        interrupted = (state.base, newest(through: try #require(state.sealed.last).lastSequence))
    }

    private func fullKey(_ entry: Entry) -> FullKey { FullKey(table: UInt64(entry.table), key: bytes(entry.key)) }

    /// The newest operation of each key, of those up to `last`.
    private func newest(through last: UInt64 = .max) -> [FullKey: Entry] {
        // By bytes: as Swift strings, keys that differ only in their Unicode form would be the same.
        var newest: [FullKey: Entry] = [:]
        for entry in base + entries where entry.sequence <= last { newest[fullKey(entry)] = entry }
        return newest
    }

    private func sorted(_ entries: [FullKey: Entry]) -> [Entry] { entries.sorted { $0.key < $1.key }.map(\.value) }

    /// What the base tells of the operations. After a compaction that was interrupted less than it has: what the log has as well is told there.
    private var toldByBase: [Entry] {
        guard let (segments, newest) = interrupted, let generation = segments.first?.generation else { return base }
        return base.filter { entry in
            let key = fullKey(entry)
            let holders = segments.filter { $0.leastKey <= key && key <= $0.greatestKey }
            let isInOld = holders.contains { $0.generation < generation }
            guard holders.contains(where: { $0.generation == generation }), let known = newest[key], known.document != nil else {
                return isInOld
            }
            return known.sequence == entry.sequence
        }
    }

    /// Sorts as keys do: integers by value, then strings by their UTF-8.
    private func bytes(_ key: Key) -> [UInt8] {
        switch key {
        case .string(let text): return [2] + Array(text.utf8)
        case .integer(let number):
            return [1] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: (number ^ .min) >> Int64($0)) }
        }
    }

    private func name(_ table: Int) -> String? { ids.first { $0.value == table }?.key }

    var expectedDump: [UInt8] {
        var lines: [UInt8] = []
        for entry in sorted(newest()) {
            guard let name = name(entry.table), let document = entry.document else { continue }
            FixtureLines.append("{", name, entry.key, to: &lines)
            FixtureLines.append(document: document, to: &lines)
        }
        return lines
    }

    /// `times` holds the time of each operation by its number.
    func expectedOperations(times: [UInt64: Int64]) throws -> [UInt8] {
        var lines: [UInt8] = []
        for entry in toldByBase + entries {
            guard let name = name(entry.table) else { continue }
            let time = try #require(times[entry.sequence], "operation \(entry.sequence) is missing")
            FixtureLines.append(sequence: entry.sequence, time: time, name, entry.key, document: entry.document, to: &lines)
        }
        return lines
    }
}
