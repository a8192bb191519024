//===--- TableSchemaTests.swift - tables that ask something of their documents ---===//

import Foundation
import LogDB
import LogDBSimulation
import Testing

/// The schema of the examples: a creature with hit points.
let actorSchema = #"{"type":"object","properties":{"hp":{"type":"integer","minimum":0},"name":{"type":"string"}},"required":["hp"]}"#

private func code(_ body: () throws -> Void) -> LogDBError.Code? {
    do { try body() } catch { return (error as? LogDBError)?.code }
    return nil
}

@Suite struct TableSchemaTests {
    let folder = TemporaryFolder()

    private struct Actor: Codable {
        var hp: Int
    }

    // MARK: Writes

    @Test func `a document that breaks its table's schema is refused by every way of writing, and nothing is written`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.setSchema("actors", documents: try Schema(json: actorSchema))
        let before = try db.statistics().lastSequenceNumber
        let error = #expect(throws: LogDBError.self) { try db.upsert("actors", "goblin", json: #"{"hp":-3}"#) }
        #expect(error?.code == .schemaViolation)
        #expect(
            error?.message
                == #"/hp: -3 is below the minimum 0 (schema /properties/hp/minimum), under key "goblin" of table "actors""#)
        #expect(code { try db.upsert("actors", "a", json: Array(#"{"hp":1.5}"#.utf8).span) } == .schemaViolation)
        #expect(code { try db.upsert("actors", "a", ["name": "no hp"]) } == .schemaViolation)
        #expect(code { try db.upsert("actors", "a", encoding: Actor(hp: -1)) } == .schemaViolation)
        #expect(code { try db.table("actors", String.self, Actor.self).upsert(Actor(hp: -1), forKey: "a") } == .schemaViolation)
        var batch = Batch()
        try batch.upsert("actors", "good", json: #"{"hp":1}"#)
        try batch.upsert("other", "good", json: #"{"hp":-1}"#)
        try batch.upsert("actors", "bad", json: #"{"hp":-1}"#)
        #expect(code { try db.write(batch) } == .schemaViolation)
        #expect(code { _ = try db.transaction { try $0.upsert("actors", "a", json: #"{"hp":-1}"#) } } == .schemaViolation)
        // Not JSON is said as without a schema.
        let malformed = #expect(throws: LogDBError.self) { try db.upsert("actors", "a", json: #"{"hp":}"#) }
        #expect(malformed?.code == .invalidDocument)
        #expect(malformed?.offset == 6)
        #expect(try db.statistics().lastSequenceNumber == before)
        #expect(try contents(db) == [:])

        try db.upsert("actors", "a", json: #"{"hp":1}"#)
        try db.upsert("other", "a", json: #"{"hp":-1}"#)
        try db.delete("actors", "a")
        try db.upsert("actors", "a", .null)
        _ = try db.transaction { try $0.upsert("actors", "b", encoding: Actor(hp: 2)) }
        #expect(try contents(db) == ["actors": ["b": #"{"hp":2}"#], "other": ["a": #"{"hp":-1}"#]])
        try db.close()
    }

    @Test func `a document that breaks its table's schema is refused without holding a thread, too`() async throws {
        let db = try Database.open(at: folder(), options: small())
        try db.setSchema("actors", documents: try Schema(json: actorSchema))
        let error = await #expect(throws: LogDBError.self) { try await db.upsert("actors", "a", ["hp": "none"]) }
        #expect(error?.code == .schemaViolation)
        try await db.upsert("actors", "a", ["hp": 1])
        try db.close()
    }

    @Test func `a counter stops at the maximum of its schema and counts on from there`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.setSchema("counts", documents: try Schema(json: #"{"properties":{"n":{"maximum":2}}}"#))
        let counter = try db.counter("counts", "visits", field: "n")
        try counter.increment(by: 2)
        #expect(code { try counter.increment() } == .schemaViolation)
        #expect(counter.value == 2)
        #expect(try counter.increment(by: -1) == 1)
        try db.close()
    }

    @Test func `a table with a key type takes keys of that type only, and any delete`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.setSchema("rooms", keys: .integer, documents: nil)
        let error = #expect(throws: LogDBError.self) { try db.upsert("rooms", "seven", ["a": 1]) }
        #expect(error?.code == .keyMismatch)
        #expect(error?.message == #"the key is a string, and only integer keys are allowed, under key "seven" of table "rooms""#)
        var batch = Batch()
        try batch.upsert("rooms", "seven", ["a": 1])
        #expect(code { try db.write(batch) } == .keyMismatch)
        try db.upsert("rooms", 7, ["a": 1])
        try db.delete("rooms", "seven")
        #expect(code { try db.setSchema("rooms", keys: .string, documents: nil) } == .incompatibleSchema)
        try db.setSchema("rooms", keys: nil, documents: nil)
        try db.upsert("rooms", "seven", ["a": 1])
        #expect(try contents(db)["rooms"]?.count == 2)
        try db.close()
    }

    // MARK: Keeping

    @Test func `a schema and its history survive reopening, sealing, compaction and reading only`() throws {
        var db = try Database.open(at: folder(), options: small())
        try db.upsert("other", 1, ["a": 1])
        #expect(try db.setSchema("actors", keys: .string, documents: try Schema(json: actorSchema)).version == 1)
        try db.upsert("actors", "a", ["hp": 1])
        let dated = #"{"properties":{"born":{"format":"date"}}, "title":"\u00e9 😀"}"#
        #expect(try db.setSchema("actors", documents: try Schema(json: dated, assertsFormats: true)).version == 2)
        #expect(try db.setSchema("actors", documents: nil).version == 3)
        let last = try db.setSchema("actors", keys: .string, documents: try Schema(json: dated, assertsFormats: true))
        #expect(last.version == 4 && last.isNew && last.documentsChecked == 1)
        // What is set already is no new version.
        let again = try db.setSchema("actors", keys: .string, documents: try Schema(json: " \(dated)\n", assertsFormats: true))
        #expect(again.version == 4 && !again.isNew)
        for round in 0..<6 {
            let now = try #require(try db.schema(of: "actors"))
            #expect(now.number == 4 && now.keys == .string && now.assertsFormats && now.text == Array(dated.utf8))
            let history = try db.schemaHistory(of: "actors")
            #expect(history.map(\.number) == [1, 2, 3, 4])
            #expect(history.map(\.keys) == [.string, nil, nil, .string])
            #expect(history.map(\.text) == [Array(actorSchema.utf8), Array(dated.utf8), nil, Array(dated.utf8)])
            #expect(history.map(\.assertsFormats) == [false, true, false, true])
            #expect(history.allSatisfy { $0.milliseconds > 1_600_000_000_000 })
            #expect(try db.schema(of: "other") == nil)
            #expect(try db.schemaHistory(of: "other").isEmpty)
            if db.options.access == .readWrite {
                #expect(code { try db.upsert("actors", "b", ["born": "yesterday"]) } == .schemaViolation)
                try db.upsert("actors", "b", ["born": "2024-02-29"])
            } else {
                #expect(code { try db.setSchema("actors", documents: nil) } == .readOnly)
            }
            if round == 2 { try db.seal() }
            if round == 4 { try db.compact() }
            try db.close()
            db = try Database.open(at: folder(), options: Options { $0.access = round.isMultiple(of: 2) ? .readOnly : .readWrite })
        }
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
        try SecondReader.expectAgreement(on: folder())
    }

    @Test func `a dropped table takes its schema along`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.setSchema("actors", documents: try Schema(json: actorSchema))
        try db.dropTable("actors")
        #expect(code { _ = try db.schema(of: "actors") } == .noSuchTable)
        try db.upsert("actors", "a", ["hp": "none"])
        #expect(try db.schema(of: "actors") == nil)
        try db.seal()
        try db.compact()
        #expect(try db.schemaHistory(of: "actors").isEmpty)
        try db.close()
    }

    @Test func `of very many versions the oldest are forgotten`() throws {
        let db = try Database.open(at: folder(), options: small())
        let filler = String(repeating: "x", count: 900_000)
        for number in 1...8 {
            try db.setSchema("t", documents: try Schema(json: #"{"title":"\#(number)\#(filler)"}"#), persistence: .process)
        }
        #expect(try db.schemaHistory(of: "t").map(\.number) == [5, 6, 7, 8])
        try db.close()
        let again = try Database.open(at: folder())
        #expect(try again.schemaHistory(of: "t").map(\.number) == [5, 6, 7, 8])
        try again.close()
    }

    @Test func `a schema nested deeper than a document may be is refused when it is set`() throws {
        let db = try Database.open(at: folder(), options: small())
        let depth = 499
        let deep = String(repeating: #"{"not":"#, count: depth) + "true" + String(repeating: "}", count: depth)
        try db.setSchema("t", documents: try Schema(json: deep))
        #expect(try db.schemaHistory(of: "t").count == 1)
        let array = #"{"default":"# + String(repeating: "[", count: 999) + String(repeating: "]", count: 999) + "}"
        #expect(code { try db.setSchema("t", documents: try Schema(json: array)) } == .invalidSchema)
        #expect(try db.schemaHistory(of: "t").count == 1)
        try db.close()
    }

    // MARK: Change

    @Test func `a change that allows more is made at once, others after a look at the live documents`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.upsert("actors", "a", ["hp": 1])
        try db.upsert("actors", "b", ["hp": -2])
        try db.upsert("actors", "b", ["hp": 2])
        try db.upsert("actors", "c", ["hp": -3])
        try db.delete("actors", "c")
        // Of what is superseded or deleted nothing is asked.
        #expect(try db.setSchema("actors", documents: try Schema(json: actorSchema)).documentsChecked == 2)
        let wider = actorSchema.replacingOccurrences(of: "integer", with: "number")
        #expect(try db.setSchema("actors", documents: try Schema(json: wider)).documentsChecked == 0)
        #expect(try db.setSchema("actors", documents: try Schema(json: actorSchema)).documentsChecked == 2)
        try db.close()
    }

    @Test func `documents that break the new schema stop the change and are named, ten of them`() throws {
        let db = try Database.open(at: folder(), options: small())
        for number in 0..<1000 { try db.upsert("actors", .integer(Int64(number)), ["hp": .number(JSONNumber(number % 10))]) }
        let schema = try Schema(json: #"{"properties":{"hp":{"maximum":8}}}"#)
        let error = #expect(throws: LogDBError.self) { try db.setSchema("actors", documents: schema) }
        #expect(error?.code == .incompatibleSchema)
        let message = error?.message ?? ""
        #expect(
            message.hasPrefix(#"100 of 1000 documents of table "actors" break the new schema, so nothing was changed: 9 (/hp: 9 is above"#))
        #expect(message.contains("99 (") && !message.contains("109 (") && message.hasSuffix("; and 90 more"))
        #expect(try db.schema(of: "actors") == nil)
        try db.upsert("actors", 9, ["hp": 9])
        let report = try db.checkSchema("actors", documents: schema, limit: 3)
        #expect(report.documents == 1000 && report.broken == 100 && report.problems.map(\.key) == [9, 19, 29])
        try db.close()
    }

    @Test func `writers beside a change keep to the old rules and the new ones, and nothing slips through`() throws {
        for round in 0..<4 {
            let db = try Database.open(at: folder("race\(round)"), options: small())
            for number in 0..<300 { try db.upsert("t", .integer(Int64(number)), ["n": .number(JSONNumber(number))]) }
            let isOver = Flag()
            let refused = Flag()
            let writers = (0..<2).map { writer in
                Thread {
                    var number = 0
                    while !isOver.isSet {
                        number += 1
                        let document = number % 3 == 0 ? #"{"n":"text"}"# : #"{"n":\#(number)}"#
                        do {
                            switch (number + writer) % 3 {
                            case 0: try db.upsert("t", .integer(Int64(1000 + number)), json: document)
                            case 1: _ = try db.transaction { try $0.upsert("t", .integer(Int64(1000 + number)), json: document) }
                            default:
                                var batch = Batch()
                                try batch.upsert("t", .integer(Int64(1000 + number)), json: document)
                                try db.write(batch)
                            }
                            // Deleted again, so that the change has a chance.
                            if number % 3 == 0 { try db.delete("t", .integer(Int64(1000 + number))) }
                        } catch { refused.set() }
                    }
                    isOver.finish()
                }
            }
            for writer in writers { writer.start() }
            let schema = try Schema(json: #"{"properties":{"n":{"type":"integer"}}}"#)
            var hasChanged = false
            for _ in 0..<200 where !hasChanged { hasChanged = (try? db.setSchema("t", documents: schema)) != nil }
            #expect(hasChanged)
            Thread.sleep(forTimeInterval: 0.02)
            isOver.set()
            isOver.wait(for: writers.count)
            #expect(refused.isSet)
            #expect(try db.checkSchema("t", documents: schema).broken == 0)
            try db.close()
        }
    }

    @Test func `a change waits for transactions that were open before it`() throws {
        let db = try Database.open(at: folder(), options: small())
        let schema = try Schema(json: #"{"properties":{"n":{"type":"integer"}}}"#)
        let bad = try db.begin()
        try bad.upsert("t", "a", json: #"{"n":"text"}"#)
        let thread = Thread {
            Thread.sleep(forTimeInterval: 0.05)
            try? bad.commit(persistence: .process)
        }
        thread.start()
        let error = #expect(throws: LogDBError.self) { try db.setSchema("t", documents: schema) }
        #expect(error?.code == .incompatibleSchema)
        try db.delete("t", "a")

        let open = try db.begin()
        try open.upsert("t", "b", json: #"{"n":"text"}"#)
        #expect(code { try db.setSchema("t", documents: schema) } == .transactionOpen)
        try open.upsert("t", "c", json: #"{"n":"text"}"#)
        open.rollback()
        try db.setSchema("t", documents: schema)
        #expect(try contents(db) == [:])
        try db.close()
    }

    // MARK: Salvage

    @Test func `salvage carries schemas and their history, and says which documents break them`() throws {
        let disk = SimulatedDisk()
        let db = try Database.open(disk.directory(), path: "old", options: small())
        try db.setSchema("t", documents: try Schema(json: #"{"required":["n"]}"#))
        for number in 0..<40 {
            try db.upsert("t", .integer(Int64(number % 8)), json: #"{"n":1,"t":"\#(String(repeating: "x", count: 9000))"}"#)
        }
        try db.setSchema("t", keys: .integer, documents: try Schema(json: actorSchema.replacingOccurrences(of: "hp", with: "n")))
        try db.setSchema("gone", keys: .integer, documents: nil)
        try db.dropTable("gone")
        try db.seal()
        try db.upsert("t", 1, json: #"{"n":2}"#)
        try db.setSchema("u", keys: .string, documents: nil)
        try db.close()
        let target = SimulatedDisk()
        let report = try Database.salvage(disk.directory(), path: "old", into: target.directory(), newPath: "new", options: small())
        #expect(report.isComplete, "\(report.findings)")
        let new = try Database.open(target.directory(), path: "new", options: small())
        #expect(try new.tables == ["t", "u"])
        #expect(try new.schemaHistory(of: "t").map(\.number) == [1, 2])
        #expect(try new.schemaHistory(of: "t").map(\.keys) == [nil, .integer])
        #expect(try new.schema(of: "u")?.keys == .string)
        #expect(code { try new.upsert("t", 1, ["n": -1]) } == .schemaViolation)
        #expect(code { try new.upsert("u", 1, ["n": -1]) } == .keyMismatch)
        #expect(try new.document("t", 1) == Array(#"{"n":2}"#.utf8))
        try new.close()
    }
}

/// A flag that threads share.
final class Flag: @unchecked Sendable {
    // SAFETY: all access is under the condition's lock.
    private let condition = NSCondition()
    private var value = false
    private var finished = 0

    var isSet: Bool { condition.withLock { value } }
    func set() { condition.withLock { value = true } }
    func finish() {
        condition.withLock { finished += 1 }
        condition.broadcast()
    }
    func wait(for count: Int) { condition.withLock { while finished < count { condition.wait() } } }
}
