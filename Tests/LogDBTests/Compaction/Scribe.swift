//===--- Scribe.swift - writes what a game writes, and remembers it --------===//

import Foundation
import LogDB
import LogDBSimulation

/// Fills databases on real folders with documents from one seed, beside a dictionary.
struct Scribe {
    private var random: SplitMix64
    private(set) var live: [String: [Key: String]] = [:]
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// A document of about `length` bytes; noise compresses by a quarter at most.
    mutating func document(_ length: Int, isNoise: Bool = true) -> String {
        let text =
            isNoise
            ? String(decoding: (0..<length).map { _ in Self.letters[random.below(64)] }, as: UTF8.self)
            : String(repeating: "The quick brown fox \(random.below(10)). ", count: 1 + length / 24)
        return #"{"n":\#(random.below(1_000_000)),"t":"\#(text)"}"#
    }

    mutating func key(_ keys: Int) -> Key {
        let number = random.below(keys)
        return number.isMultiple(of: 3) ? .integer(Int64(number) - 50) : .string("key-\(number)")
    }

    /// Writes `count` operations on `keys` different keys of each table, one in `deletesOneIn` a delete.
    mutating func write(
        to db: Database, _ count: Int, tables: [String] = ["a", "b"], keys: Int, length: Int = 600, deletesOneIn: Int = 8,
        isNoise: Bool = true
    ) throws {
        for _ in 0..<count {
            let table = tables[random.below(tables.count)]
            let key = key(keys)
            if random.chance(1, in: deletesOneIn) {
                // Both ways to delete.
                if random.chance(1, in: 2) { try db.delete(table, key) } else { try db.upsert(table, key, json: "null") }
                live[table, default: [:]][key] = nil
            } else {
                let document = document(length / 2 + random.below(length), isNoise: isNoise)
                try db.upsert(table, key, json: document)
                live[table, default: [:]][key] = document
            }
        }
    }

    /// Writes `count` documents, each under a key of its own.
    mutating func fill(_ db: Database, _ table: String, _ count: Int, from first: Int = 0, length: Int = 600) throws {
        for number in first..<first + count {
            // Not in the order of keys.
            let key = Key.integer(Int64((number * 7919) % 1_000_003))
            let document = document(length)
            try db.upsert(table, key, json: document)
            live[table, default: [:]][key] = document
        }
    }

    mutating func note(_ table: String, _ key: Key, _ document: String?) { live[table, default: [:]][key] = document }

    mutating func drop(_ table: String, of db: Database) throws {
        try db.dropTable(table)
        live[table] = nil
    }

    /// What `contents` must return.
    var contents: [String: [Key: String]] { live.filter { !$0.value.isEmpty } }
}

extension TemporaryFolder {
    /// Bytes of the files of a database.
    func size(_ name: String = "test.logdb") -> UInt64 {
        files(name).reduce(0) { sum, file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: self(name) + "/" + file)
            return sum + ((attributes?[.size] as? NSNumber)?.uint64Value ?? 0)
        }
    }

    func bases(_ name: String = "test.logdb") -> [String] { files(name).filter { $0.contains(".base.") } }
}
