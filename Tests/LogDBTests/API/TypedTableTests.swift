//===--- TypedTableTests.swift - tables with types for keys and documents ----===//

import Foundation
import LogDB
import Testing

@Suite struct TypedTableTests {
    let folder = TemporaryFolder()

    private struct Actor: Codable, Equatable {
        var hp: Int
    }

    private enum Room: String, TableKey { case harbor, cellar }

    private struct Level: RawRepresentable, TableKey {
        var rawValue: Int64
    }

    // In asynchronous tests plain calls would be the asynchronous ones.

    private func write(_ table: Table<Int, Actor>, _ key: Int, _ hp: Int) throws { try table.upsert(Actor(hp: hp), forKey: key) }

    private func fill(_ table: Table<Int, Actor>, factor: Int) throws {
        for number in 0..<3000 { try write(table, number, number * factor) }
    }

    private func deleteThirds(of table: Table<Int, Actor>) throws {
        for number in stride(from: 0, to: 3000, by: 3) { try table.delete(number) }
    }

    private func writeMisfit(_ table: Table<Int, Actor>) throws {
        try write(table, 1, 1)
        try table.database.upsert(table.name, 2, ["hp": "many"])
        try write(table, 3, 3)
    }

    private func roundTrip<Key: TableKey>(_ db: Database, _ name: String, _ keys: [Key]) throws {
        let table = db.table(name, Key.self, Actor.self)
        for (number, key) in keys.enumerated() { try table.upsert(Actor(hp: number), forKey: key) }
        try table.upsert(Actor(hp: 99), forKey: keys[0])
        try table.delete(keys[1])
        var expected = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, Actor(hp: $0)) })
        expected[keys[0]] = Actor(hp: 99)
        expected[keys[1]] = nil
        var loaded: [Key: Actor] = [:]
        try table.load(into: &loaded)
        #expect(loaded == expected)
        #expect(Dictionary(uniqueKeysWithValues: try table.all().map { ($0.key, $0.document) }) == expected)
        #expect(try table.get(keys[0]) == Actor(hp: 99))
        #expect(try table.get(keys[1]) == nil)
    }

    @Test func `keys are strings, integers, UUIDs, or what has such a raw value`() throws {
        let db = try Database.open(at: folder(), options: small())
        try roundTrip(db, "strings", ["a", "é", ""])
        try roundTrip(db, "integers", [Int64.min, 0, 7])
        try roundTrip(db, "ints", [-1, 0, 7])
        try roundTrip(db, "uuids", (0..<9).map { _ in UUID() })
        try roundTrip(db, "rooms", [Room.harbor, .cellar])
        try roundTrip(db, "levels", [Level(rawValue: 3), Level(rawValue: -3)])
        // A key in lower case would be another key than the one that is asked for.
        try db.upsert("uuids", .string(UUID().uuidString.lowercased()), ["hp": 1])
        let error = #expect(throws: LogDBError.self) { try db.table("uuids", UUID.self, Actor.self).all() }
        #expect(error?.code == .keyMismatch)
        #expect(throws: LogDBError.self) { try db.table("strings", Room.self, Actor.self).all() }
        try db.close()
    }

    @Test func `a table opened with a schema holds everybody to it`() throws {
        let db = try Database.open(at: folder(), options: small())
        for _ in 0..<2 {
            let actors = try db.table("actors", UUID.self, Actor.self, schema: try Schema(json: #"{"properties":{"hp":{"minimum":0}}}"#))
            try actors.upsert(Actor(hp: 1), forKey: UUID())
            #expect(throws: LogDBError.self) { try actors.upsert(Actor(hp: -1), forKey: UUID()) }
        }
        #expect(try db.schema(of: "actors")?.number == 1)
        #expect(try db.schema(of: "actors")?.keys == .string)
        let error = #expect(throws: LogDBError.self) { try db.table("actors", Int.self, Actor.self, schema: try Schema(json: "true")) }
        #expect(error?.code == .incompatibleSchema)
        try db.close()
    }

    @Test func `plain and asynchronous loops deliver every live document in key order, as of their beginning`() async throws {
        let db = try Database.open(at: folder(), options: small())
        let table = db.table("t", Int.self, Actor.self)
        try fill(table, factor: 2)
        try deleteThirds(of: table)
        let expected = (0..<3000).filter { $0 % 3 != 0 }
        var seen: [Int] = []
        for result in table.results {
            let (key, actor) = try result.get()
            #expect(actor.hp == key * 2)
            if seen.isEmpty { try write(table, 5000, 0) }
            seen.append(key)
        }
        #expect(seen == expected)
        seen = []
        for try await (key, actor) in table.documents {
            #expect(actor.hp == (key == 5000 ? 0 : key * 2))
            seen.append(key)
        }
        #expect(seen == expected + [5000])
        #expect(Array(db.table("none", Int.self, Actor.self).results).isEmpty)
        try db.close()
    }

    @Test func `a loop that is left early lets the database go`() async throws {
        weak var left: Database?
        do {
            let db = try Database.open(at: folder(), options: small())
            left = db
            let table = db.table("t", Int.self, Actor.self)
            try fill(table, factor: 1)
            for _ in table.results { break }
            for try await _ in table.documents { break }
            for result in table.results.prefix(700) { _ = try result.get() }
        }
        for _ in 0..<500 where left != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(left == nil)
        try Database.open(at: folder(), options: small()).close()
    }

    @Test func `a document that is not of the type ends a loop with an error, not early`() async throws {
        let db = try Database.open(at: folder(), options: small())
        let table = db.table("t", Int.self, Actor.self)
        try writeMisfit(table)
        let results = Array(table.results)
        #expect(results.count == 2)
        #expect(throws: LogDBError.self) { try results[1].get() }
        var count = 0
        await #expect(throws: LogDBError.self) { for try await _ in table.documents { count += 1 } }
        #expect(count == 1)
        try db.close()
        #expect(throws: LogDBError.self) { for result in table.results { _ = try result.get() } }
    }
}
