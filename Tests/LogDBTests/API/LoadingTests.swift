//===--- LoadingTests.swift - loadAll and load(into:) against a dictionary ---===//

import Foundation
import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct LoadingTests {
    let folder = TemporaryFolder()

    private struct Actor: Codable, Hashable { var n: Int, t: String }

    /// Every way of loading gives what `live` has.
    private func check(_ db: Database, _ live: [String: [Key: String]], _ state: String) throws {
        let all = try db.loadAll()
        #expect(all.tables == (try db.tables), "\(state)")
        #expect(all.count == live.values.reduce(0) { $0 + $1.count }, "\(state)")
        for table in try db.tables {
            let expected = live[table] ?? [:]
            let loaded = try db.loadAll(table)
            for collection in [loaded, all[table]] {
                #expect(collection.count == expected.count && collection.isEmpty == expected.isEmpty, "\(state): \(table)")
                var found: [Key: String] = [:]
                for (key, document) in collection { found[key] = text(document.bytes) }
                #expect(found == expected, "\(state): \(table) by its iterator")
                found = [:]
                collection.forEachDocument { found[$0.key] = text($0.document) }
                #expect(found == expected, "\(state): \(table) by its rows")
            }
            for (key, document) in expected where loaded[key]?.array != Array(document.utf8) {
                Issue.record("\(state): \(table)/\(key) is not found")
            }
            #expect(loaded["not there"] == nil && !loaded.contains(987_654_321), "\(state): \(table)")
            var bytes: [Key: [UInt8]] = ["stays": [1]]
            try db.load(table, into: &bytes)
            #expect(bytes.removeValue(forKey: "stays") == [1])
            #expect(bytes == expected.mapValues { Array($0.utf8) }, "\(state): \(table) into a dictionary of bytes")
            var values: [Key: JSON] = [:]
            try db.load(table, into: &values)
            #expect(values == (try expected.mapValues { try JSON(parsing: $0) }), "\(state): \(table) into a dictionary of JSON")
            var actors: [Key: Actor] = [:]
            try db.load(table, into: &actors)
            #expect(Set(actors.keys) == Set(expected.keys), "\(state): \(table) into a dictionary of values")
        }
        #expect(try db.loadAll("never made").isEmpty && all["never made"].isEmpty && all["never made", "a"] == nil)
    }

    @Test(arguments: [Codec.none, .lz4, .lz4HC(level: 4), .zlib(level: 3)])
    func `what is loaded is what a dictionary has, whatever was sealed and compacted`(_ codec: Codec) throws {
        var options = small(codec)
        options.memoryBudgetBytes = 4 << 20
        var scribe = Scribe(seed: 60)
        var db = try Database.open(at: folder(), options: options)
        try check(db, [:], "empty")
        try scribe.write(to: db, 60, keys: 200)
        try check(db, scribe.live, "raw")
        try scribe.write(to: db, 500, keys: 200)
        try check(db, scribe.live, "raw and sealed")
        try db.seal()
        try check(db, scribe.live, "sealed")
        try db.compact()
        try check(db, scribe.live, "base")
        try scribe.write(to: db, 200, keys: 260, deletesOneIn: 2)
        try check(db, scribe.live, "base, sealed and raw")
        struct Enough: Error {}
        do {
            try db.compact { progress in if progress.bytesDone > progress.bytesPlanned * 2 / 3 { throw Enough() } }
            Issue.record("the compaction was not stopped")
        } catch is Enough {}
        try check(db, scribe.live, "two generations")
        try scribe.drop("a", of: db)
        try scribe.write(to: db, 30, tables: ["a", "c"], keys: 20)
        try check(db, scribe.live, "a dropped and made again")
        try db.close()
        db = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        try check(db, scribe.live, "read only")
        try db.close()
    }

    @Test func `of transactions the committed ones count, each operation in its place`() throws {
        let db = try Database.open(at: folder(), options: small())
        var live: [Key: String] = [:]
        for number in 0..<40 {
            let padding = String(repeating: "x", count: 400)
            func document(_ n: Int) -> String { #"{"n":\#(n),"t":"\#(padding)"}"# }
            // Each overwrites keys of the others while it is open, so only the numbers say who was last.
            let transaction = try db.begin()
            for key in 0..<20 {
                try transaction.upsert("t", .integer(Int64(key)), json: document(number * 100 + key))
                if key.isMultiple(of: 3) {
                    try db.upsert("t", .integer(Int64(key + 1)), json: document(-number * 100 - key))
                    live[.integer(Int64(key + 1))] = document(-number * 100 - key)
                }
                if key.isMultiple(of: 5) { try transaction.delete("t", .integer(Int64(key + 2))) }
            }
            switch number % 3 {
            case 0:
                try transaction.commit()
                live = [:]
                try db.select("t") { live[try $0.key] = text($0.document) }
            case 1: transaction.rollback()
            default: break  // stays open
            }
            var found: [Key: String] = [:]
            for (key, document) in try db.loadAll("t") { found[key] = text(document.bytes) }
            #expect(found == live, "after transaction \(number)")
        }
        try db.close()
    }

    @Test func `keys and documents of every size are found again`() throws {
        let db = try Database.open(at: folder(), options: small(.lz4))
        let keys: [Key] =
            [
                .integer(.min), -1, 0, 1, .integer(.max), "", "\u{0}", "é", "e\u{301}", .string(String(repeating: "k", count: 65_535)),
                .string(String(repeating: "k", count: 65_534)), "\u{10FFFF}",
            ] + (0..<40).map { .string(String(repeating: "p", count: $0)) }
        var live: [Key: String] = [:]
        var size = 2
        for key in keys {
            // From {} to several times what a block or a run of frames holds.
            let document = size < 12 ? "{}" : #"{"n":1,"t":"\#(String(repeating: "d", count: size - 12))"}"#
            try db.upsert("t", key, json: document)
            live[key] = document
            size = size > 3_000_000 ? 2 : size * 5 / 2
        }
        for state in ["raw", "sealed", "base"] {
            if state == "sealed" { try db.seal() }
            if state == "base" { try db.compact() }
            let loaded = try db.loadAll("t")
            #expect(loaded.count == live.count)
            for (key, document) in live {
                #expect(loaded[key].map { text($0.bytes) == document } == true, "\(state): a key of \("\(key)".utf8.count) bytes")
            }
            var dictionary: [Key: [UInt8]] = [:]
            try db.load("t", into: &dictionary)
            #expect(dictionary == live.mapValues { Array($0.utf8) }, "\(state)")
        }
        try db.close()
    }

    // It is read in runs of frames, the last one first; where they begin is found out while the database is opened, and beside that when somebody asks.
    @Test(arguments: [Appender.positional, .automatic])
    func `a raw segment of many runs is loaded right, in its session and in the next`(_ appender: Appender) throws {
        var options = small()
        options.appender = appender
        options.segmentSizeBytes = 16 << 20
        options.memoryBudgetBytes = 4 << 20
        var db = try Database.open(at: folder(), options: options)
        var live: [Key: String] = [:]
        func write(_ range: Range<Int>) throws {
            for number in range {
                // Some are longer than a run is else.
                let length = number % 3500 == 3000 ? 1_500_000 : number % 1500
                let document = #"{"n":\#(number),"t":"\#(String(repeating: "r", count: length))"}"#
                let key = Key.integer(Int64(number * 7919 % 2000))
                if number % 600 == 599 {
                    let transaction = try db.begin()
                    try transaction.upsert("t", key, json: document)
                    try transaction.upsert("t", -1, json: document)
                    if number % 1200 == 599 { transaction.rollback() } else { try transaction.commit() }
                    if number % 1200 == 599 { continue }
                    live[-1] = document
                } else {
                    try db.upsert("t", key, json: document)
                }
                live[key] = document
            }
        }
        func check(_ state: String) throws {
            var found: [Key: String] = [:]
            for (key, document) in try db.loadAll("t") { found[key] = text(document.bytes) }
            #expect(found == live, "\(state)")
        }
        try write(0..<4000)
        #expect(try db.statistics().files.filter { $0.kind == "raw" }.map(\.rawBytes).max()! > 4 << 20)
        try check("as it was written")
        try check("once more")
        try write(4000..<7000)
        try check("with more behind it")
        try db.close()
        db = try Database.open(at: folder(), options: options)
        try check("opened again")
        try write(7000..<8000)
        try check("with more in the next session")
        try db.close()
        db = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        try check("for reading")
        try db.close()
    }

    @Test func `many keys and more deletes than documents`() throws {
        var options = small()
        options.segmentSizeBytes = 1 << 20
        let db = try Database.open(at: folder(), options: options)
        for start in stride(from: 0, to: 60_000, by: 1000) {
            var batch = Batch()
            for number in start..<start + 1000 { try batch.upsert("t", .string("key-\(number)"), json: "{\"n\":\(number)}") }
            try db.write(batch)
        }
        #expect(try db.loadAll("t").count == 60_000)
        for start in stride(from: 0, to: 60_000, by: 1000) {
            var batch = Batch()
            for number in start..<start + 1000 where number % 5 != 0 { try batch.delete("t", .string("key-\(number)")) }
            try db.write(batch)
        }
        let loaded = try db.loadAll("t")
        try db.close()
        // It stays when the database is closed.
        #expect(loaded.count == 12_000)
        for number in 0..<60_000 {
            let document = loaded[.string("key-\(number)")]
            if number % 5 == 0 {
                #expect(document?.array == Array("{\"n\":\(number)}".utf8))
            } else if document != nil {
                Issue.record("key-\(number) was deleted")
            }
        }
    }

    @Test func `typed tables are loaded typed, and say what does not fit`() throws {
        let db = try Database.open(at: folder(), options: small())
        let actors = db.table("actors", String.self, Actor.self)
        for number in 0..<300 { try actors.upsert(Actor(n: number, t: "x"), forKey: "actor-\(number % 100)") }
        try actors.delete("actor-7")
        let loaded = try actors.loadAll()
        #expect(loaded.count == 99 && !loaded.isEmpty && loaded.contains("actor-8") && !loaded.contains("actor-7"))
        #expect(try loaded["actor-8"] == Actor(n: 208, t: "x"))
        #expect(try loaded["actor-7"] == nil)
        #expect(try loaded.untyped["actor-8"]?.json()["n"].int == 208)
        #expect(try loaded.untyped.get("actor-8", as: Actor.self)?.n == 208)
        var dictionary: [String: Actor] = [:]
        try actors.load(into: &dictionary)
        var iterated: [String: Actor] = [:]
        try loaded.forEach { iterated[$0] = $1 }
        #expect(dictionary.count == 99 && iterated == dictionary && dictionary["actor-99"]?.n == 299)
        try db.upsert("actors", 5, json: #"{"n":1,"t":"y"}"#)
        func code(_ body: () throws -> Void) -> LogDBError.Code? {
            do { try body() } catch { return (error as? LogDBError)?.code }
            return nil
        }
        #expect(code { try actors.load(into: &dictionary) } == .keyMismatch)
        #expect(code { try actors.loadAll().forEach { _, _ in } } == .keyMismatch)
        try db.delete("actors", 5)
        try db.upsert("actors", "odd", json: #"{"n":"one"}"#)
        #expect(code { try actors.load(into: &dictionary) } == .codingFailed)
        #expect(code { _ = try actors.loadAll()["odd"] } == .codingFailed)
        try db.close()
        #expect(code { _ = try actors.loadAll() } == .closed)
    }

    @Test func `beside writers and compactions every loading sees one moment`() throws {
        var options = small()
        options.compaction = .automatic(garbage: 0.1, segments: 1)
        let db = try Database.open(at: folder(), options: options)
        let stop = Monitor(false)
        let failures = Monitor<[String]>([])
        let writer = try BackgroundThread(name: "writer") {
            do {
                var round = 0
                while !stop.withLock({ $0 }) {
                    round += 1
                    var batch = Batch()
                    let padding = String(repeating: "w", count: round % 700)
                    for key in 0..<30 { try batch.upsert("t", .integer(Int64(key)), json: #"{"round":\#(round),"t":"\#(padding)"}"#) }
                    // A key that comes and goes.
                    if round.isMultiple(of: 2) { try batch.upsert("t", "even", json: "{}") } else { try batch.delete("t", "even") }
                    try db.write(batch)
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }
        var last = 0
        var different = 0
        var attempt = 0
        let deadline = Clock.monotonicNanoseconds() + 60_000_000_000
        while different < 40, Clock.monotonicNanoseconds() < deadline {
            attempt += 1
            if different % 8 == 5 { try db.compact() }
            var documents: [Key: [UInt8]] = [:]
            if attempt.isMultiple(of: 2) {
                for (key, document) in try db.loadAll("t") { documents[key] = document.array }
            } else {
                try db.load("t", into: &documents)
            }
            if documents.isEmpty { continue }
            let even = documents.removeValue(forKey: "even") != nil
            let rounds = Set(try documents.values.map { try JSON(parsing: $0)["round"].int ?? -1 })
            #expect(documents.count == 30 && rounds.count == 1, "of rounds \(rounds.sorted())")
            let round = rounds.first ?? 0
            #expect(round >= last && round.isMultiple(of: 2) == even)
            if round > last { different += 1 }
            last = round
        }
        stop.withLock { $0 = true }
        writer.join()
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(different == 40)
        try db.close()
    }

    @Test func `damage is the same error as for select`() throws {
        var noticed = 0
        for codec in [Codec.none, .lz4, .zlib(level: 3)] {
            let disk = SimulatedDisk(model: .ext4Like)
            var scribe = Scribe(seed: 61)
            let db = try Database.open(disk.directory(), path: "simulated", options: small(codec))
            try scribe.write(to: db, 150, keys: 60)
            try db.compact()
            try scribe.write(to: db, 150, keys: 60)
            try db.seal()
            try scribe.write(to: db, 30, keys: 60)
            let names = disk.names.filter { $0.contains(".seg.") || $0.contains(".base.") || $0.hasSuffix(".log") }
            #expect(names.count >= 3)
            for name in names {
                let written = (disk.read(name).lastIndex { $0 != 0 } ?? 0) + 1
                for place in 1..<24 {
                    let offset = written * place / 24
                    let bit = place % 8
                    disk.flipBit(bit, at: offset, of: name)
                    defer { disk.flipBit(bit, at: offset, of: name) }
                    func message(_ body: () throws -> Void) -> String? {
                        do { try body() } catch { return "\(error)" }
                        return nil
                    }
                    let selected = message { try db.select { _ in } }
                    let loaded = message { _ = try db.loadAll() }
                    #expect(selected == loaded, "a bit of \(name) at \(offset)")
                    var dictionary: [Key: [UInt8]] = [:]
                    let filled = message { try db.load("a", into: &dictionary) }
                    // One table's blocks of the base may not have the damaged one among them.
                    #expect(filled == selected || (filled == nil && name.contains(".base.")), "a bit of \(name) at \(offset)")
                    if loaded != nil { noticed += 1 }
                }
            }
            try db.close()
        }
        #expect(noticed > 100)
    }
}
