//===--- CompactionThreadsTests.swift - what a compaction does on several threads ---===//

import Foundation
import LogDB
import LogDBSimulation
import Testing

@Suite struct CompactionThreadsTests {
    let folder = TemporaryFolder()

    /// More than the two buffers hold that a large budget is shared by: one is sorted and written while the other fills.
    private func filled(_ scribe: inout Scribe) throws -> Database {
        var options = Options()
        options.segmentSizeBytes = 4 << 20
        options.codec = .lz4
        options.compaction = .manual
        options.persistence = .process
        options.sortBudgetBytes = 16 << 20
        let db = try Database.open(at: folder(), options: options)
        // Long enough that there are many megabytes of them, short enough to stand in blocks; some longer.
        try scribe.write(to: db, 2600, keys: 1 << 40, length: 13_000, deletesOneIn: 50, isNoise: false)
        try scribe.write(to: db, 60, keys: 1 << 40, length: 200_000, deletesOneIn: 50, isNoise: false)
        try scribe.write(to: db, 500, keys: 400, length: 13_000, isNoise: false)
        try scribe.write(to: db, 2000, keys: 1 << 40, length: 13_000, deletesOneIn: 50, isNoise: false)
        return db
    }

    @Test func `runs that are made beside the reading hold what a dictionary holds`() throws {
        var scribe = Scribe(seed: 50)
        let db = try filled(&scribe)
        // A selection sorts in the same way.
        #expect(try contents(db) == scribe.contents)
        let report = try db.compact()
        #expect(report.spilledBytes > 0)
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).damages == [])
    }

    @Test func `a compaction that is stopped while a run is being made lets go of all it used`() throws {
        struct Enough: Error {}
        var scribe = Scribe(seed: 51)
        let db = try filled(&scribe)
        for share in [5, 15, 30, 45] {
            #expect(throws: Enough.self) {
                try db.compact { progress in
                    if progress.bytesDone * 100 > progress.bytesPlanned * UInt64(share) { throw Enough() }
                }
            }
            #expect(folder.files().filter { $0.hasSuffix(".run") } == [])
        }
        #expect(try contents(db) == scribe.contents)
        try db.compact()
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).damages == [])
    }

    @Test func `progress is told on the caller's thread, which may write and read on the way`() throws {
        var scribe = Scribe(seed: 52)
        let db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 3000, keys: 900)
        let caller = pthread_self()
        var reports = 0
        try db.compact { _ in
            reports += 1
            #expect(pthread_equal(caller, pthread_self()) != 0)
            try scribe.write(to: db, 3, keys: 900)
            #expect(try db.document("a", "key-7") == (scribe.live["a"]?["key-7"]).map { Array($0.utf8) })
        }
        #expect(reports > 3)
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    // The key of a record that had been left behind, in a block that was given back, was looked at once more: under the address sanitizer.
    @Test func `documents that fill blocks of their own are selected in order`() throws {
        var options = Options()
        options.compaction = .manual
        options.persistence = .process
        let db = try Database.open(at: folder(), options: options)
        let keys = ["a", "ab", "b", "ba", "c", "d", ""].map { Key.string($0) }
        for key in keys { try db.upsert("t", key, json: #"{"x":"\#(String(repeating: "x", count: 3 << 20))"}"#) }
        try db.compact()
        for _ in 0..<2 {
            var found: [Key] = []
            try db.select("t") { found.append(try $0.key) }
            #expect(found == keys.sorted())
            try db.upsert("t", "ab", json: "{}")
        }
        try db.close()
    }

    // The opening's wait for a better moment missed the close that came before it.
    @Test func `a session that is over at once does not wait for what it did not begin`() throws {
        var scribe = Scribe(seed: 53)
        var db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 1500, keys: 100)
        try db.seal()
        try db.close()
        var options = small()
        options.compaction = .automatic(garbage: 0.1, segments: 1)
        let began = ContinuousClock.now
        for _ in 0..<20 {
            db = try Database.open(at: folder(), options: options)
            try db.close()
        }
        // Each would take a second.
        #expect(ContinuousClock.now - began < .seconds(15))
        #expect(folder.bases() == [])
    }
}
