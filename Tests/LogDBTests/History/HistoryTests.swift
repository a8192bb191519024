//===--- HistoryTests.swift - savepoints, histories and past states, one by one ---===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct HistoryTests {
    let folder = TemporaryFolder()

    private func texts(_ versions: [Version]) -> [String?] { versions.map { $0.document.map { String(decoding: $0, as: UTF8.self) } } }

    @Test func `a savepoint keeps a dropped table whatever comes, and lets go of it when it is released`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.upsert("a", "k", json: #"{"n":1}"#)
        try db.savepoint("s")
        try db.dropTable("a")
        try db.upsert("a", "k", json: #"{"n":2}"#)
        try db.compact()
        try db.compact()
        let then = try db.state(asOf: .savepoint("s"))
        #expect(try then.get("a", "k") == ["n": 1])
        #expect(try then.tables == ["a"])
        #expect(try db.get("a", "k") == ["n": 2])
        #expect(throws: LogDBError.self) { try db.savepoint("s") }
        try db.releaseSavepoint("s")
        #expect(throws: LogDBError.self) { try db.releaseSavepoint("s") }
        try db.compact()
        #expect(try db.statistics().files.filter { $0.kind == "history" }.isEmpty)
        try db.close()
    }

    // The savepoint was the last operation left before the time, and was taken for what there was then.
    @Test func `a time behind a savepoint is not told by it once what came between was cleared away`() throws {
        let hour: Int64 = 3_600_000
        let clock = WallClock(milliseconds: 1_790_000_000_000)
        let start = clock.milliseconds
        var options = small()
        options.clock = clock
        let db = try Database.open(at: folder(), options: options)
        try db.upsert("a", "k", json: #"{"n":1}"#)
        try db.savepoint("s")
        clock.milliseconds = start + hour
        try db.upsert("a", "k", json: #"{"n":2}"#)
        clock.milliseconds = start + 4 * hour
        try db.upsert("a", "k", json: #"{"n":3}"#)
        #expect(try db.state(asOf: .time(milliseconds: start + 2 * hour)).get("a", "k") == ["n": 2])
        clock.milliseconds = start + 5 * hour
        try db.compact()
        for read in [
            { try db.state(asOf: $0).get("a", "k") },
            {
                try db.revert(to: $0); return .null
            },
        ] as [(Moment) throws -> JSON] {
            #expect { _ = try read(.time(milliseconds: start + 2 * hour)) } throws: { ($0 as? LogDBError)?.code == .historyIncomplete }
        }
        #expect(try db.state(asOf: .savepoint("s")).get("a", "k") == ["n": 1])
        #expect(try db.state(asOf: .time(milliseconds: start + 5 * hour)).get("a", "k") == ["n": 3])
        try db.close()
    }

    // A table that keeps everything made every two segments of another one rewrite all that was kept.
    @Test func `a large history is not written anew for a little garbage beside it`() throws {
        var options = small(.none)
        options.compaction = .automatic(garbage: 0.5, segments: 2)
        let db = try Database.open(at: folder(), options: options)
        try db.setRetention(.all, of: "kept")
        let filler = String(repeating: "x", count: 4000)
        for number in 0..<1500 { try db.upsert("kept", .integer(Int64(number % 10)), json: #"{"n":\#(number),"t":"\#(filler)"}"#) }
        try db.compact()
        let before = folder.files().filter { $0.contains(".hist.") }
        #expect(before.count > 40)
        for number in 0..<300 { try db.upsert("hot", 1, json: #"{"n":\#(number),"t":"\#(filler)"}"#) }
        try db.compactIfDue()
        #expect(folder.files().filter { $0.contains(".hist.") } == before)
        try db.close()
    }

    @Test func `a past state holds on to what it reads while compaction clears it away`() throws {
        let db = try Database.open(at: folder(), options: small())
        for number in 0..<100 { try db.upsert("a", .integer(Int64(number % 10)), json: #"{"n":\#(number)}"#) }
        let before = try db.state(asOf: .sequence(51))
        for number in 0..<10 { try db.delete("a", .integer(Int64(number))) }
        try db.compact()
        var seen: [String] = []
        try before.select("a") { seen.append(text($0.document)) }
        #expect(seen == (40..<50).map { #"{"n":\#($0)}"# })
        #expect { try db.state(asOf: .sequence(51)).select("a") { _ in } } throws: {
            ($0 as? LogDBError)?.code == .historyIncomplete
        }
        try db.close()
    }

    @Test func `a key with very many versions goes through segments, and its delete stays with them`() throws {
        var options = small(.none)
        options.memoryBudgetBytes = 4 << 20
        options.sortBudgetBytes = 64 << 10
        let db = try Database.open(at: folder(), options: options)
        try db.setRetention(.all, of: "a")
        let filler = String(repeating: "x", count: 900)
        for round in 0..<2 {
            for number in 0..<300 { try db.upsert("a", "k", json: #"{"n":\#(round * 300 + number),"t":"\#(filler)"}"#) }
            try db.delete("a", "k")
            try db.compact()
        }
        #expect(folder.files().filter { $0.contains(".hist.") }.count > 4)
        let versions = try db.history(of: "k", in: "a")
        #expect(versions.count == 602 && versions.first?.document == nil)
        #expect(versions.map(\.sequenceNumber) == versions.map(\.sequenceNumber).sorted(by: >))
        #expect(try db.history(of: "k", in: "a", limit: 3).count == 3)
        #expect(try db.document("a", "k") == nil)
        #expect(try db.state(asOf: .sequence(versions[5].sequenceNumber)).document("a", "k") == versions[5].document)
        try db.setRetention(.latest, of: "a")
        try db.compact()
        #expect(try db.history(of: "k", in: "a").isEmpty)
        try db.close()
        #expect(try Database.verify(at: folder()).damages == [])
    }

    /// The delete of a key stands in another segment of the history than what it deletes, which goes on with other keys.
    @Test func `while a history is cleared away no document is there without the delete that hides it`() throws {
        let db = try Database.open(at: folder(), options: small(.none))
        try db.setRetention(.all, of: "a")
        let filler = String(repeating: "x", count: 900)
        // Progress is reported each 1,024 keys: then the merge stands behind k, and before the end of the segment with the last of k's versions.
        for number in 0..<900 { try db.upsert("a", .string("b\(number)"), json: "{}") }
        for number in 0..<145 { try db.upsert("a", "k", json: #"{"n":\#(number),"t":"\#(filler)"}"#) }
        try db.delete("a", "k")
        for number in 1000..<2000 { try db.upsert("a", .string("z\(number)"), json: "{}") }
        for number in 1000..<2000 { try db.upsert("a", .string("z\(number)"), json: #"{"n":1}"#) }
        try db.compact()
        #expect(folder.files().filter { $0.contains(".hist.") }.count > 2)
        for number in 1000..<2000 { try db.upsert("a", .string("z\(number)"), json: #"{"t":"\#(filler)"}"#) }
        try db.setRetention(.latest, of: "a")
        var states = Set<Int>()
        try db.compact { _ in
            states.insert(try db.statistics().files.count { $0.kind == "history" })
            #expect(try db.state(asOf: .sequence(.max)).document("a", "k") == nil)
        }
        #expect(!states.isEmpty)
        try db.close()
    }

    @Test func `a revert makes dropped tables again, and is taken back as a whole where a schema forbids it`() throws {
        let db = try Database.open(at: folder(), options: small())
        for number in 0..<500 { try db.upsert("a", .integer(Int64(number)), json: #"{"n":\#(number)}"#) }
        try db.upsert("gone", "k", json: #"{"was":"here"}"#)
        try db.savepoint("s")
        let before = try db.digest()
        try db.dropTable("gone")
        for number in 0..<500 where number % 3 > 0 { try db.delete("a", .integer(Int64(number))) }
        try db.upsert("new", "k", json: "{}")
        try db.compact()
        let changed = try db.digest()
        try db.setSchema("gone", keys: .integer, documents: nil)
        #expect { try db.revert(to: .savepoint("s")) } throws: { ($0 as? LogDBError)?.code == .keyMismatch }
        #expect(try db.digest() == changed)
        try db.setSchema("gone", keys: nil, documents: nil)
        let report = try db.revert(to: .savepoint("s"))
        #expect(report.upserts == 334 && report.deletes == 1)
        #expect(try db.digest() == before)
        try db.close()
    }

    @Test func `a difference that nothing can be spilled for is told in several readings`() throws {
        let disk = SimulatedDisk(model: .ext4Like)
        var options = small()
        options.sortBudgetBytes = 8 << 10
        var db = try Database.open(disk.directory(), path: "simulated", options: options)
        for round in 0..<4 {
            for number in 0..<80 { try db.upsert("a", .integer(Int64(number)), json: #"{"n":\#(number),"round":\#(round)}"#) }
        }
        try db.close()
        options.access = .readOnly
        db = try Database.open(disk.directory(), path: "simulated", options: options)
        var keys: [Key] = []
        try db.diff(from: .sequence(121), to: .sequence(.max)) { operation in
            keys.append(try operation.key)
            #expect(text(operation.document).contains(#""round":3"#))
        }
        #expect(keys == (0..<80).map { .integer(Int64($0)) })
        keys = []
        try db.diff(from: .sequence(.max), to: .sequence(41)) { operation in
            let key = try operation.key
            keys.append(key)
            #expect(operation.isDelete == (key >= 40))
        }
        #expect(keys == (0..<80).map { .integer(Int64($0)) })
        try db.close()
    }

    @Test func `a batch that writes a key very often is told newest first, in bounded memory and time`() throws {
        let db = try Database.open(at: folder(), options: small())
        var batch = Batch()
        for number in 0..<40_000 {
            try batch.upsert(
                "a", number % 2 == 0 ? "k" : "other", json: #"{"n":\#(number),"t":"0123456789012345678901234567890123456789"}"#)
        }
        try db.write(batch)
        var last = 40_000
        try db.history("a", "k") { operation in
            last -= 2
            #expect(text(operation.document).hasPrefix(#"{"n":\#(last),"#))
        }
        #expect(last == 0)
        try db.close()
    }

    @Test func `what is retained does not make a database compact itself for ever`() throws {
        var options = small()
        options.compaction = .automatic(garbage: 0.3, segments: 1)
        let db = try Database.open(at: folder(), options: options)
        try db.setRetention(.all, of: "a")
        for number in 0..<3000 { try db.upsert("a", "k", json: #"{"n":\#(number),"t":"some text to fill segments"}"#) }
        try db.seal()
        #expect(try db.compactionPlan().estimatedGarbage < 0.05)
        try db.compact()
        #expect(try db.compactionPlan().estimatedGarbage < 0.05)
        #expect(try db.history(of: "k", in: "a").count == 3000)
        let table = try #require(try db.spaceReport().tables.first)
        #expect(table.live.operations == 1 && table.dead.operations == 0 && table.retained.operations == 2999)
        try db.close()
    }

    @Test func `a retention goes with the table's schema, and both survive changes of the other`() throws {
        var db = try Database.open(at: folder(), options: small())
        try db.setSchema("a", documents: try Schema(json: #"{"type":"object"}"#))
        try db.setRetention(.age(.seconds(90)), of: "a")
        try db.setSchema("a", keys: .string, documents: try Schema(json: #"{"type":"object"}"#))
        try db.close()
        db = try Database.open(at: folder(), options: small())
        #expect(try db.retention(of: "a") == .age(.seconds(90)))
        #expect(try db.schema(of: "a")?.number == 2)
        try db.compact()
        #expect(try db.retention(of: "a") == .age(.seconds(90)))
        try db.close()
        _ = try Database.salvage(at: folder(), into: folder("new"))
        db = try Database.open(at: folder("new"), options: small())
        #expect(try db.retention(of: "a") == .age(.seconds(90)))
        #expect(try db.schema(of: "a")?.number == 2)
        #expect(throws: LogDBError.self) { try db.setRetention(.versions(1), of: "a") }
        #expect(throws: LogDBError.self) { try db.setRetention(.ladder([]), of: "a") }
        try db.close()
    }

    @Test func `times are told and read as ISO 8601, in any year and time zone`() {
        for (text, milliseconds) in [
            ("1970-01-01", 0), ("1970-01-01T00:00:00.001Z", 1), ("2026-11-26 20:15", 1_795_724_100_000),
            ("2026-11-26T20:15:07.042+01:00", 1_795_720_507_042), ("2000-02-29", 951_782_400_000), ("1969-12-31T23:59:59.999Z", -1),
            ("2026-11-26T20:15:07-0030", 1_795_725_907_000),
        ] as [(String, Int64)] {
            #expect(CalendarTime.milliseconds(text) == milliseconds, "\(text)")
            #expect(CalendarTime.milliseconds(CalendarTime.text(milliseconds)) == milliseconds)
        }
        for text in ["", "2026", "2026-13-01", "2026-02-29", "2026-01-01T", "2026-01-01 24:00", "2026-01-01 10", "2026-01-01 10:00+", "x"] {
            #expect(CalendarTime.milliseconds(text) == nil, "\(text)")
        }
        #expect(CalendarTime.text(1_795_724_107_042) == "2026-11-26T20:15:07.042Z")
    }
}
