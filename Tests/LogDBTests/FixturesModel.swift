//===--- FixturesModel.swift - what a database must hold, known beforehand ----===//
//
// Drives a database and keeps its own account of what it did: numbers, tables, newest documents. The expectations of the fixtures
// come from here and not from the engine. Only the times are taken from the database; nobody else knows them.
//===-----------------------------------------------------------------------===//

import LogDB
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
    private var entries: [Entry] = []

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

    /// Forgets what the log lost: all from `sequence` on. No table may have been made or dropped there.
    mutating func cut(from sequence: UInt64) {
        entries.removeAll { $0.sequence >= sequence }
        nextSequence = sequence
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
        // By bytes: as Swift strings, keys that differ only in their Unicode form would be the same.
        var newest: [Int: [[UInt8]: Entry]] = [:]
        for entry in entries { newest[entry.table, default: [:]][bytes(entry.key)] = entry }
        var lines: [UInt8] = []
        for (table, keys) in newest.sorted(by: { $0.key < $1.key }) {
            guard let name = name(table) else { continue }
            for (_, entry) in keys.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                guard let document = entry.document else { continue }
                FixtureLines.append("{", name, entry.key, to: &lines)
                FixtureLines.append(document: document, to: &lines)
            }
        }
        return lines
    }

    /// `times` holds the time of each operation by its number.
    func expectedOperations(times: [UInt64: Int64]) throws -> [UInt8] {
        var lines: [UInt8] = []
        for entry in entries {
            guard let name = name(entry.table) else { continue }
            let time = try #require(times[entry.sequence], "operation \(entry.sequence) is missing")
            FixtureLines.append(sequence: entry.sequence, time: time, name, entry.key, document: entry.document, to: &lines)
        }
        return lines
    }
}
