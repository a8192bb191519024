import Foundation
import LogDB
import Testing

@Suite struct WritingAndReadingTests {
    let folder = TemporaryFolder()

    @Test func `what was written is there after reopening, the last write of a key standing`() throws {
        var db = try Database.open(at: folder())
        #expect(db.recovery.created)
        let first = try db.upsert("actors", "hero", json: #"{"hp":12}"#)
        let second = try db.upsert("actors", "hero", ["hp": 11, "name": "Ann"])
        #expect(second > first)
        try db.upsert("actors", 7, json: #"{"hp":3}"#)
        try db.close()
        db = try Database.open(at: folder())
        #expect(db.recovery.wasClosed && !db.recovery.created)
        #expect(try contents(db) == ["actors": ["hero": #"{"hp":11,"name":"Ann"}"#, 7: #"{"hp":3}"#]])
        #expect(try db.get("actors", "hero")["name"] == "Ann")
        try db.close()
    }

    @Test func `deleted, null and never written read the same`() throws {
        let db = try Database.open(at: folder())
        try db.upsert("t", "deleted", json: #"{"a":1}"#)
        try db.delete("t", "deleted")
        try db.upsert("t", "null", json: #"{"a":1}"#)
        try db.upsert("t", "null", json: " null\n")
        try db.upsert("t", "nil", ["a": 1])
        try db.upsert("t", "nil", nil)
        for key in ["deleted", "null", "nil", "never"] as [Key] {
            #expect(try db.document("t", key) == nil)
            #expect(try db.get("t", key) == .null)
        }
        #expect(try contents(db).isEmpty)
        #expect(try db.get("no such table", "k") == .null)
        try db.close()
    }

    @Test func `replay delivers every operation in order, deletes too`() throws {
        let db = try Database.open(at: folder(), options: small())
        var expected: [String] = []
        for index in 0..<2000 {
            let key = Key.integer(Int64(index % 37))
            if index % 10 == 3 {
                let number = try db.delete("t", key)
                expected.append("\(number) \(key) -")
            } else {
                let document = #"{"n":\#(index),"text":"\#(String(repeating: "x", count: index % 300))"}"#
                let number = try db.upsert("t", key, json: document)
                expected.append("\(number) \(key) \(document)")
            }
        }
        func replayed(_ db: Database) throws -> [String] {
            var result: [String] = []
            try db.replay { operation in
                result.append("\(operation.sequenceNumber) \(try operation.key) \(operation.isDelete ? "-" : text(operation.document))")
            }
            return result
        }
        #expect(try replayed(db) == expected)
        try db.seal()
        #expect(try replayed(db) == expected)
        try db.close()
        let reopened = try Database.open(at: folder(), options: small())
        #expect(try replayed(reopened) == expected)
        try reopened.close()
    }

    @Test(arguments: [Codec.none, .lz4, .lz4HC(level: 9), .zlib(level: 6)])
    func `each codec keeps what a dictionary keeps, through rolls, seals and reopenings`(_ codec: Codec) throws {
        var model: [String: [Key: String]] = [:]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3 {
            let db = try Database.open(at: folder(), options: small(codec))
            for _ in 0..<1500 {
                let table = ["a", "b", "Größe"].randomElement(using: &generator)!
                let number = Int64.random(in: -50...50, using: &generator)
                let key: Key = Bool.random() ? .integer(number) : .string("ключ \(number)")
                if Int.random(in: 0..<8) == 0 {
                    try db.delete(table, key)
                    model[table]?[key] = nil
                } else {
                    let document = #"{"v":\#(Int.random(in: 0..<1_000_000)),"t":"\#(String(repeating: "é", count: .random(in: 0..<200)))"}"#
                    try db.upsert(table, key, json: document)
                    model[table, default: [:]][key] = document
                }
            }
            #expect(try contents(db) == model)
            for (table, documents) in model {
                for (key, document) in documents {
                    #expect(try db.document(table, key).map { String(decoding: $0, as: UTF8.self) } == document)
                }
            }
            try db.close()
        }
        let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        #expect(try contents(reader) == model)
        let report = try Database.verify(at: folder())
        #expect(report.isSound && report.operations > 0)
    }

    @Test func `select delivers tables in order of creation and keys in order, integers before strings`() throws {
        let db = try Database.open(at: folder())
        for key in ["b", "a", "é", "aa", "", 5, -1, 300] as [Key] { try db.upsert("second", key, ["k": 1]) }
        try db.upsert("first", "x", ["k": 1])
        var keys: [Key] = []
        try db.select("second") { keys.append(try $0.key) }
        #expect(keys == [-1, 5, 300, "", "a", "aa", "b", "é"])
        #expect(keys == keys.sorted())
        var tables: [String] = []
        try db.select { tables.append($0.table) }
        #expect(tables == Array(repeating: "second", count: 8) + ["first"])
        try db.close()
    }

    @Test func `select of more than the memory budget spills and is the same`() throws {
        let db = try Database.open(
            at: folder(),
            options: Options {
                $0.persistence = .process
                $0.memoryBudgetBytes = 4 << 20
            })
        var model: [Key: String] = [:]
        for index in 0..<3000 {
            let key = Key.integer(Int64(index * 7919 % 1000))
            let document = #"{"n":\#(index),"pad":"\#(String(repeating: "p", count: 8000))"}"#
            try db.upsert("t", key, json: document)
            model[key] = document
        }
        var keys: [Key] = []
        var found: [Key: String] = [:]
        try db.select("t") {
            keys.append(try $0.key)
            found[try $0.key] = text($0.document)
        }
        #expect(found == model)
        #expect(keys == keys.sorted())
        try db.close()
    }

    @Test func `documents keep their bytes: digits, order, white space, escapes`() throws {
        let document = "{ \"z\" : 1.000000000000000000000000001e+400,\n\t\"a\":[-0, 1E5,\"\\u00e9\\ud83d\\ude00\"], \"z\":{} }"
        let db = try Database.open(at: folder())
        try db.upsert("t", "k", json: document)
        #expect(try db.document("t", "k").map { String(decoding: $0, as: UTF8.self) } == document)
        try db.seal()
        #expect(try db.document("t", "k").map { String(decoding: $0, as: UTF8.self) } == document)
        try db.close()
    }

    struct Actor: Codable, Equatable {
        var name: String
        var hp: Int
        var position: [Double]
        var title: String?
    }

    @Test func `a typed table takes and gives Codable values`() throws {
        let db = try Database.open(at: folder())
        let actors = db.table("actors", String.self, Actor.self)
        let hero = Actor(name: "Ann", hp: 12, position: [1.5, -2], title: nil)
        try actors.upsert(hero, forKey: "hero")
        try actors.upsert(Actor(name: "Orc", hp: 7, position: [], title: "Chief"), forKey: "orc")
        #expect(try actors.get("hero") == hero)
        try actors.delete("orc")
        #expect(try actors.get("orc") == nil)
        var all: [String: Actor] = [:]
        try actors.select { all[$0] = $1 }
        #expect(all == ["hero": hero])
        try db.upsert("actors", 7, json: #"{"name":"x","hp":1,"position":[]}"#)
        #expect(throws: LogDBError.self) { try actors.select { _, _ in } }
        try db.upsert("actors", "odd", json: #"{"name":1}"#)
        #expect(throws: (any Error).self) { try actors.get("odd") }
        #expect(throws: (any Error).self) { try db.upsert("actors", "n", encoding: 5) }
        try db.upsert("actors", "hero", encoding: Actor?.none)
        #expect(try actors.get("hero") == nil)
        try db.close()
    }

    @Test func `update and insert are upserts`() throws {
        let db = try Database.open(at: folder())
        try db.insert("t", "k", ["v": 1])
        try db.insert("t", "k", ["v": 2])
        try db.update("t", "new", ["v": 3])
        #expect(try contents(db) == ["t": ["k": #"{"v":2}"#, "new": #"{"v":3}"#]])
        try db.close()
    }

    @Test func `a batch is written with consecutive numbers, tables created on the way`() throws {
        let db = try Database.open(at: folder())
        var batch = Batch()
        #expect(try db.write(batch) == nil)
        try batch.upsert("a", "x", ["v": 1])
        try batch.upsert("b", 2, json: #"{"v":2}"#)
        try batch.delete("a", "x")
        try batch.upsert("c", "y", nil)
        let numbers = try #require(try db.write(batch))
        #expect(numbers.count == 4)
        var seen: [SequenceNumber] = []
        try db.replay { seen.append($0.sequenceNumber) }
        #expect(seen == Array(numbers))
        #expect(try contents(db) == ["b": [2: #"{"v":2}"#]])
        #expect(try db.tables == ["a", "b", "c"])
        try db.close()
    }

    @Test func `a batch that is emptied is as a new one, whatever its tables were`() throws {
        let db = try Database.open(at: folder())
        var batch = Batch()
        for round in 0..<3 {
            for number in 0..<300 { try batch.upsert("t\(number % (7 + round))", .integer(Int64(number)), json: #"{"round":\#(round)}"#) }
            try batch.upsert("brief", .integer(Int64(round)), json: "{}", timeToLive: .until(milliseconds: 1))
            #expect(batch.count == 301)
            try db.write(batch)
            batch.removeAll(keepingCapacity: round == 0)
            #expect(batch.isEmpty)
            #expect(try db.write(batch) == nil)
        }
        let found = try contents(db)
        #expect(found.keys.sorted() == (0..<9).map { "t\($0)" })
        for table in 0..<9 {
            let expected = (0..<300).filter { $0 % 9 == table }
            for number in expected { #expect(found["t\(table)"]?[.integer(Int64(number))] == #"{"round":2}"#) }
        }
        try db.close()
    }

    @Test func `a batch with one bad document writes nothing`() throws {
        let db = try Database.open(at: folder())
        var batch = Batch()
        try batch.upsert("a", "x", ["v": 1])
        try batch.upsert("a", "y", json: "{")
        let error = #expect(throws: LogDBError.self) { try db.write(batch) }
        #expect(error?.code == .invalidDocument)
        #expect(try contents(db).isEmpty)
        #expect(try db.upsert("a", "z", ["v": 1]) > 0)
        try db.close()
    }

    @Test func `reading while writing in the same call sees the moment it began`() throws {
        let db = try Database.open(at: folder(), options: small())
        for index in 0..<500 { try db.upsert("t", .integer(Int64(index)), ["n": JSON(index)]) }
        var count = 0
        try db.replay { _ in
            count += 1
            try db.upsert("t", .integer(Int64(count + 10_000)), ["pad": JSON(String(repeating: "x", count: 500))])
        }
        #expect(count == 500)
        try db.seal()
        #expect(try contents(db)["t"]?.count == 1000)
        try db.close()
    }

    @Test func `many threads write, read and flush at once and nothing is lost`() async throws {
        let db = try Database.open(at: folder(), options: small(.lz4, .process))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for index in 0..<300 {
                        let key = Key.string("\(worker)-\(index)")
                        switch index % 50 {
                        case 0: try await db.upsert("t", key, ["w": JSON(worker), "i": JSON(index)], persistence: .disk)
                        case 1: try await db.upsert("t", key, ["w": JSON(worker)], persistence: .interval(.milliseconds(5)))
                        default: try await db.upsert("t", key, ["w": JSON(worker), "pad": JSON(String(repeating: "p", count: 400))])
                        }
                        if index % 100 == 99 { #expect(try db.document("t", key) != nil) }
                    }
                    try await db.flush()
                }
            }
            try await group.waitForAll()
        }
        #expect(try contents(db)["t"]?.count == 2400)
        try db.close()
        let reopened = try Database.open(at: folder())
        #expect(try contents(reopened)["t"]?.count == 2400)
        try reopened.close()
    }
}
