//===--- ExpiryTests.swift - documents that expire, one by one --------------===//

import LogDB
import LogDBFile
import LogDBFormat
import Testing

@Suite struct ExpiryTests {
    private let folder = TemporaryFolder()
    private static let start: Int64 = 1_790_000_000_000
    private let clock = WallClock(milliseconds: ExpiryTests.start)

    private func options(_ configure: (inout Options) -> Void = { _ in }) -> Options {
        var options = small()
        options.clock = clock
        configure(&options)
        return options
    }

    private struct Session: Codable, Equatable { var user: Int }

    /// What every way of reading says of the keys of a table.
    private func everyReading(_ db: Database, _ table: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> [Key: String] {
        let selected = try contents(db)[table] ?? [:]
        var replayed: [Key: String] = [:]
        try db.replay(table) { replayed[try $0.key] = $0.isDelete ? nil : text($0.document) }
        var loaded: [Key: String] = [:]
        for (key, document) in try db.loadAll(table) { loaded[key] = text(document.bytes) }
        var filled: [Key: [UInt8]] = [:]
        try db.load(table, into: &filled)
        var backwards: [Key: String] = [:]
        try db.select(table, KeySelection().backwards()) { backwards[try $0.key] = text($0.document) }
        #expect(replayed == selected && loaded == selected && backwards == selected, sourceLocation: sourceLocation)
        #expect(filled.mapValues { String(decoding: $0, as: UTF8.self) } == selected, sourceLocation: sourceLocation)
        for key in [.string("a"), .string("b"), .string("c"), .string("never")] as [Key] {
            #expect(
                try db.document(table, key).map { String(decoding: $0, as: UTF8.self) } == selected[key], sourceLocation: sourceLocation)
        }
        #expect(try db.digest().documents == UInt64(selected.count), sourceLocation: sourceLocation)
        return selected
    }

    @Test(arguments: ["raw", "sealed", "compacted", "overwritten", "read-only"])
    func `what has expired is absent at once in every reading, and hides what is older`(_ place: String) throws {
        var db = try Database.open(at: folder(), options: options())
        try db.upsert("t", "a", json: #"{"older":1}"#)
        try db.upsert("t", "b", json: #"{"older":1}"#)
        if place == "overwritten" { try db.compact() }
        try db.upsert("t", "a", json: #"{"n":1}"#, timeToLive: .after(.seconds(10)))
        try db.upsert("t", "b", json: #"{"n":2}"#, timeToLive: .until(milliseconds: Self.start + 20_000))
        try db.upsert("t", "never", json: #"{"n":3}"#)
        if place == "sealed" { try db.seal() }
        if place == "compacted" { try db.compact() }
        if place == "read-only" {
            try db.seal()
            try db.upsert("t", "never", json: #"{"n":3}"#)
            try db.close()
            db = try Database.open(at: folder(), options: options { $0.access = .readOnly })
        }
        #expect(try everyReading(db, "t") == ["a": #"{"n":1}"#, "b": #"{"n":2}"#, "never": #"{"n":3}"#])
        clock.milliseconds = Self.start + 9_999
        #expect(try everyReading(db, "t").count == 3)
        clock.milliseconds = Self.start + 10_000
        #expect(try everyReading(db, "t") == ["b": #"{"n":2}"#, "never": #"{"n":3}"#])
        clock.milliseconds = Self.start + 20_000
        #expect(try everyReading(db, "t") == ["never": #"{"n":3}"#])
        // A clock that goes back shows again what was not reclaimed.
        clock.milliseconds = Self.start + 19_999
        #expect(try everyReading(db, "t").count == 2)
        guard place != "read-only" else { return try db.close() }
        clock.milliseconds = Self.start + 20_000
        let digest = try db.digest()
        let report = try db.compact()
        #expect(report.expired == 2)
        #expect(try db.digest() == digest && db.statistics().digest == digest)
        // And what was is gone for good.
        clock.milliseconds = Self.start
        #expect(try everyReading(db, "t") == ["never": #"{"n":3}"#])
        try db.close()
        #expect(try Database.verify(at: folder()).damages == [])
    }

    @Test func `a table's time to live is stamped at the write, a write may say otherwise, and changing it changes nothing written`() throws
    {
        var db = try Database.open(at: folder(), options: options())
        try db.setTimeToLive(.seconds(60), of: "sessions")
        try db.upsert("sessions", "a", json: #"{"user":1}"#)
        try db.upsert("sessions", "b", json: #"{"user":2}"#, timeToLive: .after(.seconds(600)))
        try db.upsert("sessions", "c", json: #"{"user":3}"#, timeToLive: .never)
        try db.setTimeToLive(nil, of: "sessions")
        try db.upsert("sessions", "d", json: #"{"user":4}"#)
        try db.setTimeToLive(.milliseconds(1), of: "sessions")
        try db.upsert("sessions", "e", json: #"{"user":5}"#)
        try db.close()
        db = try Database.open(at: folder(), options: options())
        #expect(try db.timeToLive(of: "sessions") == .milliseconds(1))
        let expiries = try ["a", "b", "c", "d", "e"].map {
            try db.history(of: .string($0), in: "sessions")[0].expires.map { $0 - Self.start }
        }
        #expect(expiries == [60_000, 600_000, nil, nil, 1])
        clock.milliseconds += 1
        #expect(try contents(db)["sessions"]?.count == 4)
        clock.milliseconds += 600_000
        #expect(try contents(db)["sessions"]?.keys.sorted() == ["c", "d"])
        #expect { try db.timeToLive(of: "nothing") } throws: { ($0 as? LogDBError)?.code == .noSuchTable }
        try db.close()
    }

    @Test func `every way of writing takes a time to live`() async throws {
        let db = try Database.open(at: folder(), options: options())
        let life = TimeToLive.after(.seconds(5))
        let text = Array(#"{"user":1}"#.utf8)
        try await db.upsert("t", 5, json: text, timeToLive: life)
        try await db.upsert("t", 6, ["user": 1], timeToLive: life)
        try await db.upsert("t", 7, encoding: Session(user: 1), timeToLive: life)
        try await db.table("t", Int.self, Session.self).upsert(Session(user: 1), forKey: 17, timeToLive: life)
        try writeWithoutWaiting(db, life, text)
    }

    private func writeWithoutWaiting(_ db: Database, _ life: TimeToLive, _ text: [UInt8]) throws {
        try db.upsert("t", 1, json: text.span, timeToLive: life)
        try db.upsert("t", 2, json: #"{"user":1}"#, timeToLive: life)
        try db.upsert("t", 3, ["user": 1], timeToLive: life)
        try db.upsert("t", 4, encoding: Session(user: 1), timeToLive: life)
        var batch = Batch()
        try batch.upsert("t", 8, json: text.span, timeToLive: life)
        try batch.upsert("t", 9, json: #"{"user":1}"#, timeToLive: life)
        try batch.upsert("t", 10, ["user": 1], timeToLive: life)
        try batch.upsert("t", 11, encoding: Session(user: 1), timeToLive: life)
        try batch.upsert("t", 100, ["user": 1])
        try db.write(batch)
        try db.transaction { transaction in
            try transaction.upsert("t", 12, json: text.span, timeToLive: life)
            try transaction.upsert("t", 13, json: #"{"user":1}"#, timeToLive: life)
            try transaction.upsert("t", 14, ["user": 1], timeToLive: life)
            try transaction.upsert("t", 15, encoding: Session(user: 1), timeToLive: life)
            try transaction.upsert("t", 101, ["user": 1])
        }
        let sessions = db.table("t", Int.self, Session.self)
        try sessions.upsert(Session(user: 1), forKey: 16, timeToLive: life)
        try db.insert("t", 18, ["user": 1], timeToLive: life)
        try db.update("t", 19, json: text.span, timeToLive: life)
        #expect(try sessions.all().count == 21)
        clock.milliseconds += 4_999
        #expect(try sessions.all().count == 21)
        #expect(try sessions.get(12) == Session(user: 1))
        // A loop sees what there was at its beginning, and so does what was loaded.
        var results = sessions.results.makeIterator()
        let loaded = try sessions.loadAll()
        #expect(try results.next()?.get().key == 1)
        clock.milliseconds += 1
        var count = 1
        while let next = results.next() { count += try next.get().document == Session(user: 1) ? 1 : 0 }
        #expect(count == 21 && loaded.count == 21)
        #expect(try sessions.all().map(\.key) == [100, 101])
        #expect(try sessions.get(12) == nil)
        // A delete says nothing of time, and one of null neither.
        try db.upsert("t", 100, json: "null", timeToLive: life)
        #expect(try db.history(of: 100, in: "t").first?.document == nil)
        try db.close()
    }

    @Test func `a time to live out of its range is refused, and nothing is written`() throws {
        let db = try Database.open(at: folder(), options: options())
        for wrong in [
            TimeToLive.after(.zero), .after(.seconds(-1)), .after(.microseconds(999)), .after(.seconds(4_000_000_000)),
            .after(.seconds(Int64.max)), .until(milliseconds: -1), .until(milliseconds: 1 << 48),
        ] {
            #expect { try db.upsert("t", "a", json: "{}", timeToLive: wrong) } throws: { ($0 as? LogDBError)?.code == .invalidOption }
            var batch = Batch()
            #expect { try batch.upsert("t", "a", json: "{}", timeToLive: wrong) } throws: { ($0 as? LogDBError)?.code == .invalidOption }
            #expect(batch.isEmpty)
            _ = try db.transaction { transaction in
                #expect { try transaction.upsert("t", "a", json: "{}", timeToLive: wrong) } throws: {
                    ($0 as? LogDBError)?.code == .invalidOption
                }
            }
        }
        for wrong in [Duration.zero, .seconds(-5), .seconds(4_000_000_000)] {
            #expect { try db.setTimeToLive(wrong, of: "t") } throws: {
                "\($0)".contains("invalidOption: the time to live is \(wrong): choose 1 millisecond to 100 years, or never")
            }
        }
        #expect(try db.tables.isEmpty)
        // A clock that is far off makes no number overflow.
        clock.milliseconds = .max
        try db.upsert("t", "a", json: "{}", timeToLive: .after(.seconds(1)))
        clock.milliseconds = .min
        try db.upsert("t", "b", json: "{}", timeToLive: .after(.seconds(1)))
        #expect(try db.history(of: "a", in: "t")[0].expires == 1 << 48 - 1 && db.history(of: "b", in: "t")[0].expires == 0)
        try db.close()
    }

    @Test func `histories show what was, past states go by the time of then, and a revert brings back no document that has expired by now`()
        throws
    {
        let db = try Database.open(at: folder(), options: options())
        try db.setRetention(.all, of: "t")
        let first = try db.upsert("t", "a", json: #"{"n":1}"#, timeToLive: .after(.seconds(10)))
        try db.upsert("t", "b", json: #"{"n":2}"#, timeToLive: .after(.seconds(100)))
        let saved = try db.savepoint("s")
        clock.milliseconds += 20_000
        let late = try db.upsert("t", "c", json: #"{"n":3}"#)
        for _ in 0..<2 {
            func state(_ moment: Moment) throws -> [Key] {
                var keys: [Key] = []
                try db.state(asOf: moment).select("t") { keys.append(try $0.key) }
                return keys
            }
            #expect(try state(.sequence(first)) == ["a"])
            #expect(try state(.savepoint("s")) == ["a", "b"] && state(.sequence(saved.sequenceNumber)) == ["a", "b"])
            #expect(try state(.sequence(late)) == ["b", "c"])
            #expect(try state(.time(milliseconds: Self.start + 9_999)) == ["a", "b"])
            #expect(try state(.time(milliseconds: Self.start + 10_000)) == ["b"])
            let versions = try db.history(of: "a", in: "t")
            #expect(versions.count == 1 && versions[0].expires == Self.start + 10_000)
            #expect(versions[0].document.map { String(decoding: $0, as: UTF8.self) } == #"{"n":1}"#)
            var changes: [String] = []
            try db.diff(from: .savepoint("s"), to: .sequence(late)) { changes.append("\(try $0.key) \($0.isDelete)") }
            #expect(changes == ["a true", "c false"])
            changes = []
            try db.diff(from: .sequence(late), to: .savepoint("s")) {
                changes.append("\(try $0.key) \($0.isDelete) \($0.expires.map { $0 - Self.start } ?? 0)")
            }
            #expect(changes == ["a false 10000", "c true 0"])
            try db.compact()
        }
        try db.delete("t", "b")
        let report = try db.revert(to: .savepoint("s"))
        // b comes back, with the expiry it had; a does not, and c goes.
        #expect(report.upserts == 1 && report.deletes == 1)
        #expect(try contents(db)["t"] == ["b": #"{"n":2}"#])
        #expect(try db.history(of: "b", in: "t")[0].expires == Self.start + 100_000)
        try db.setTimeToLive(.seconds(1), of: "t")
        try db.revert(to: .sequence(late))
        // What never expired does not now, whatever the table says by now.
        #expect(try db.history(of: "c", in: "t")[0].expires == nil)
        try db.close()
    }

    @Test func `what retention does not keep of expired documents is refused, not told wrong`() throws {
        let db = try Database.open(at: folder(), options: options())
        try db.upsert("t", "a", json: #"{"n":1}"#, timeToLive: .after(.seconds(10)))
        let last = try db.upsert("t", "b", json: #"{"n":2}"#)
        clock.milliseconds += 20_000
        #expect(try db.compact().expired == 1)
        // At the end of what was compacted, but before a expired.
        #expect { try db.state(asOf: .sequence(last)).select("t") { _ in } } throws: { ($0 as? LogDBError)?.code == .historyIncomplete }
        #expect(try db.state(asOf: .time(milliseconds: Self.start + 15_000)).get("t", "b") == ["n": 2])
        #expect(try db.state(asOf: .sequence(.max)).get("t", "b") == ["n": 2])
        #expect(try db.history("t", "a") { _ in }.sequenceNumber == 3)
        // A table that retains its own past has lost what all had lost before.
        try db.setRetention(.all, of: "t")
        try db.compact()
        #expect(throws: LogDBError.self) { try db.state(asOf: .sequence(last)).select("t") { _ in } }
        try db.close()
    }

    // The delete that hides an older version would have gone with the segment it was in, before the older version's segment.
    @Test func `while what has expired is cleared away, however it is stopped, nothing older comes back`() throws {
        let filler = String(repeating: "x", count: 900)
        var db = try Database.open(at: folder(), options: options { $0.codec = .none })
        try db.setRetention(.versions(50), of: "t")
        for round in 0..<3 {
            for number in 0..<400 {
                let life = round == 2 && number % 3 == 0 ? TimeToLive.after(.seconds(10)) : nil
                try db.upsert("t", .integer(Int64(number)), json: #"{"n":\#(round),"t":"\#(filler)"}"#, timeToLive: life)
            }
            try db.compact()
        }
        clock.milliseconds += 10_000
        let expected = try contents(db)
        #expect(expected["t"]?.count == 266)
        try db.setRetention(.latest, of: "t")
        for stop in [3, 9, 20, 40, 70, .max] {
            var reports = 0
            struct Stop: Error {}
            do {
                try db.compact { _ in
                    reports += 1
                    #expect(try db.state(asOf: .sequence(.max)).document("t", 0) == nil)
                    if reports > stop { throw Stop() }
                }
            } catch is Stop {}
            #expect(try contents(db) == expected)
            try db.close()
            db = try Database.open(at: folder(), options: options { $0.codec = .none })
            #expect(try contents(db) == expected)
            var past: [Key: String] = [:]
            try db.state(asOf: .time(milliseconds: .max)).select("t") { past[try $0.key] = text($0.document) }
            #expect(past == expected["t"])
        }
        try db.compact()
        #expect(try contents(db) == expected && db.statistics().files.filter { $0.kind == "history" }.isEmpty)
        try db.close()
        #expect(try Database.verify(at: folder()).damages == [])
    }

    /// The versions of a key go on from one segment of the history to the next, which stays listed longer than the segment of the base with the newest one, which has expired.
    @Test func `while a history is cleared away no version is there without the expired document that hid it`() throws {
        let options = options { $0.codec = .none }
        var db = try Database.open(at: folder(), options: options)
        try db.setRetention(.all, of: "a")
        let filler = String(repeating: "x", count: 900)
        // Progress is reported each 1,024 keys: then the merge stands behind k, and before the end of the segment with the last of k's versions.
        for number in 0..<900 { try db.upsert("a", .string("b\(number)"), json: "{}") }
        for number in 0..<145 { try db.upsert("a", "k", json: #"{"n":\#(number),"t":"\#(filler)"}"#) }
        try db.upsert("a", "k", json: #"{"n":"newest"}"#, timeToLive: .after(.seconds(10)))
        for number in 1000..<2000 { try db.upsert("a", .string("z\(number)"), json: "{}") }
        for number in 1000..<2000 { try db.upsert("a", .string("z\(number)"), json: #"{"n":1}"#) }
        try db.compact()
        #expect(folder.files().filter { $0.contains(".hist.") }.count > 2)
        clock.milliseconds += 10_000
        for number in 1000..<2000 { try db.upsert("a", .string("z\(number)"), json: #"{"t":"\#(filler)"}"#) }
        try db.setRetention(.latest, of: "a")
        let last = try db.statistics().lastSequenceNumber
        try db.seal()
        try db.close()
        struct Stop: Error {}
        var total = 0
        // All of it first, then stopped at each of its last reports: those before are of sorting.
        for back in -1..<8 {
            let stop = back < 0 ? .max : total - back
            folder.copy(to: "copy.logdb")
            db = try Database.open(at: folder("copy.logdb"), options: options)
            var reports = 0
            do {
                try db.compact { _ in
                    reports += 1
                    #expect(try db.state(asOf: .sequence(last)).document("a", "k") == nil, "report \(reports)")
                    if reports == stop { throw Stop() }
                }
            } catch is Stop {}
            total = max(total, reports)
            try db.close()
            db = try Database.open(at: folder("copy.logdb"), options: options)
            try db.compact()
            #expect(try db.document("a", "k") == nil && contents(db)["a"]?.count == 1900, "stopped at \(stop)")
            try db.close()
        }
    }

    @Test(arguments: [false, true]) func `what has expired and was cleared away is not told by a copy either, of dropped tables neither`(
        bySalvage: Bool
    ) throws {
        let db = try Database.open(at: folder(), options: options { $0.compaction = .manual })
        for table in ["s", "kept"] {
            try db.upsert(table, "k", json: "{}", timeToLive: .after(.seconds(1)))
            try db.upsert(table, "y", json: "{}")
        }
        let then = clock.milliseconds
        clock.milliseconds += 5000
        try db.compact()
        clock.milliseconds += 5000
        try db.dropTable("s")
        if !bySalvage {
            let copy = try Database.open(at: folder("copy.logdb"), options: options { $0.compaction = .manual })
            var writer = try HistoryWriter(copy)
            try writer.end(try db.chronicle(&writer))
            try copy.close()
        }
        try db.close()
        if bySalvage { try Database.salvage(at: folder(), into: folder("copy.logdb"), options: options { $0.compaction = .manual }) }
        for name in ["test.logdb", "copy.logdb"] {
            let db = try Database.open(at: folder(name), options: options { $0.compaction = .manual })
            for table in ["s", "kept"] {
                #expect { try db.state(asOf: .time(milliseconds: then)).select(table) { _ in } } throws: {
                    ($0 as? LogDBError)?.code == .historyIncomplete
                }
            }
            try db.close()
        }
    }

    @Test func `a batch that was made at another time lives from then on`() throws {
        let db = try Database.open(at: folder(), options: options())
        try db.setTimeToLive(.seconds(60), of: "t")
        var batch = Batch()
        try batch.upsert("t", "k", json: "{}")
        batch.milliseconds = clock.milliseconds - 59_000
        try db.write(batch)
        #expect(try db.document("t", "k") != nil)
        clock.milliseconds += 1000
        #expect(try db.document("t", "k") == nil)
        try db.close()
    }

    @Test func `a database of documents that expire compacts itself when half of it has`() throws {
        let db = try Database.open(at: folder(), options: options { $0.compaction = .automatic(garbage: 0.5, segments: 2) })
        try db.setTimeToLive(.seconds(60), of: "t")
        for number in 0..<4000 {
            try db.upsert("t", .integer(Int64(number)), json: #"{"n":\#(number),"t":"some text that fills segments"}"#)
        }
        for number in 0..<1000 { try db.upsert("kept", .integer(Int64(number)), json: #"{"n":\#(number),"t":"some text that fills"}"#) }
        try db.seal()
        #expect(try db.compactionPlan().estimatedGarbage < 0.1)
        try db.compact()
        #expect(try db.compactIfDue() == nil)
        let before = try db.statistics()
        #expect(before.digest?.documents == 5000)
        clock.milliseconds += 60_000
        // What was added up is of documents that are not there any more.
        #expect(try db.statistics().digest == nil)
        #expect(try (0.7...0.9).contains(db.compactionPlan().estimatedGarbage))
        // The base alone, without a segment of the log.
        let report = try #require(try db.compactIfDue())
        #expect(report.expired == 4000)
        #expect(try db.statistics().digest?.documents == 1000)
        // Beside the file that waits for the next segment.
        func stored(_ statistics: Statistics) -> UInt64 { statistics.files.filter { $0.kind != "spare" }.reduce(0) { $0 + $1.bytes } }
        #expect(try stored(db.statistics()) < stored(before) / 2)
        #expect(try db.compactIfDue() == nil && db.compactionPlan().isEmpty)
        try db.close()
    }

    @Test func `the largest document that is allowed may expire, through every form it takes`() throws {
        let limit = 300_000
        var db = try Database.open(at: folder(), options: options { ($0.maximumDocumentBytes, $0.sortBudgetBytes) = (limit, 16 << 10) })
        let json = #"{"t":"\#(String(repeating: "x", count: limit - 8))"}"#
        #expect(json.utf8.count == limit)
        for key in 0..<3 { try db.upsert("t", .integer(Int64(key)), json: json, timeToLive: .after(.seconds(5))) }
        #expect { try db.upsert("t", 9, json: json + " ", timeToLive: .never) } throws: { ($0 as? LogDBError)?.code == .documentTooLarge }
        try db.seal()
        try db.compact()
        #expect(try db.document("t", 1)?.count == limit && db.loadAll("t")[2]?.byteCount == limit)
        try db.close()
        _ = try Database.salvage(at: folder(), into: folder("new"))
        db = try Database.open(at: folder("new"), options: options())
        #expect(try db.document("t", 1)?.count == limit)
        try db.close()
    }

    @Test func `salvage keeps expiries, times to live and what expired documents hide`() throws {
        var db = try Database.open(at: folder(), options: options())
        try db.setTimeToLive(.seconds(3600), of: "t")
        try db.upsert("t", "a", json: #"{"n":1}"#, timeToLive: .never)
        try db.compact()
        try db.upsert("t", "a", json: #"{"n":2}"#, timeToLive: .after(.seconds(1)))
        try db.upsert("t", "b", json: #"{"n":3}"#)
        try db.seal()
        try db.upsert("t", "c", json: #"{"n":4}"#, timeToLive: .never)
        clock.milliseconds += 5_000
        try db.close()
        _ = try Database.salvage(at: folder(), into: folder("new"))
        db = try Database.open(at: folder("new"), options: options())
        #expect(try everyReading(db, "t") == ["b": #"{"n":3}"#, "c": #"{"n":4}"#])
        #expect(try db.timeToLive(of: "t") == .seconds(3600))
        #expect(try db.history(of: "b", in: "t")[0].expires == Self.start + 3_600_000)
        #expect(try db.history(of: "c", in: "t")[0].expires == nil)
        try db.close()
    }

    @Test func `schemas, retentions and times to live of a table do not disturb each other, and schemas ask nothing of what has expired`()
        throws
    {
        var db = try Database.open(at: folder(), options: options())
        try db.upsert("t", "a", json: #"{"n":"wrong"}"#, timeToLive: .after(.seconds(10)))
        try db.setTimeToLive(.seconds(9), of: "t")
        let schema = try Schema(json: #"{"properties":{"n":{"type":"integer"}}}"#)
        #expect { try db.setSchema("t", documents: schema) } throws: { ($0 as? LogDBError)?.code == .incompatibleSchema }
        clock.milliseconds += 10_000
        try db.setSchema("t", documents: schema)
        try db.setRetention(.versions(3), of: "t")
        #expect(try db.inferSchema(of: "t").documents == 0)
        try db.compact()
        try db.close()
        db = try Database.open(at: folder(), options: options())
        #expect(try db.timeToLive(of: "t") == .seconds(9) && db.retention(of: "t") == .versions(3) && db.schema(of: "t")?.number == 1)
        try db.setTimeToLive(nil, of: "t")
        #expect(try db.timeToLive(of: "t") == nil && db.retention(of: "t") == .versions(3) && db.schema(of: "t")?.number == 1)
        try db.dropTable("t")
        try db.createTable("t")
        #expect(try db.timeToLive(of: "t") == nil)
        try db.close()
    }

    @Test func `a document that a later version has written is told by the file and the place`() throws {
        let db = try Database.open(at: folder(), options: options())
        try db.upsert("t", "a", json: #"{"n":1}"#)
        try db.close()
        // As format 1 knows them: JSON text, white space before it, an expiry. Others are another version's.
        for (bytes, code) in [([0x01, 1, 2, 3], "corrupted"), ([0x02, 0x7B, 0x7D], "unsupportedFormat"), ([0x1F], "unsupportedFormat")]
            as [([UInt8], String)]
        {
            let key: [UInt8] = [2, 0x61]
            var buffer = ByteBuffer()
            Record(table: 1, key: key.span, isDelete: false, document: bytes.span).append(to: &buffer)
            var found: FormatError?
            do throws(FormatError) {
                var reader = ByteReader(buffer.span)
                _ = try reader.record()
            } catch { found = error }
            #expect(found.map { "\($0.kind)" } == code && found?.offset == 5)
        }
        for bytes in [
            [0x20, 0x7B, 0x7D], [0x0A, 0x7B, 0x7D], [0x09, 0x7B, 0x7D], [0x0D, 0x7B, 0x7D], [1, 1, 2, 3, 4, 5, 6, 0x7B, 0x7D],
        ]
            as [[UInt8]]
        {
            try Expiry.prove(bytes.span)
            #expect(Expiry.json(of: bytes.span).count == (bytes[0] == 1 ? 2 : 3))
        }
        let expiring: [UInt8] = [1, 1, 2, 3, 4, 5, 6, 0x7B, 0x7D]
        #expect(Expiry.milliseconds(of: expiring.span) == 0x0605_0403_0201)
    }

    @Test func `a counter and a space report in a table with a time to live`() throws {
        let db = try Database.open(at: folder(), options: options())
        try db.setTimeToLive(.seconds(10), of: "t")
        let counter = try db.counter("t", "a", field: "n")
        for _ in 0..<3 { try counter.increment() }
        var table = try #require(try db.spaceReport().tables.first)
        #expect(table.live.operations == 1 && table.dead.operations == 2)
        clock.milliseconds += 10_000
        #expect(try db.get("t", "a") == .null)
        table = try #require(try db.spaceReport().tables.first)
        #expect(table.live.operations == 0 && table.live.bytes == 0 && table.dead.operations == 3)
        // Its hand is still on it; who makes one anew begins anew.
        #expect(try counter.increment() == 4)
        clock.milliseconds += 10_000
        #expect(try db.counter("t", "a", field: "n").value == 0)
        try db.close()
    }
}
