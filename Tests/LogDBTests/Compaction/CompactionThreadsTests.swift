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
}
