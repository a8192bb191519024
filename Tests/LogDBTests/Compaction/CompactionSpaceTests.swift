//===--- CompactionSpaceTests.swift - disk: what was planned, and what was taken ---===//

import Foundation
import LogDB
import LogDBFile
import Testing

@Suite struct CompactionSpaceTests {
    let folder = TemporaryFolder()

    /// Compacts, and returns the report with the most that the folder's files had grown at any report of progress.
    private func measured(_ db: Database, _ options: CompactionOptions) throws -> (report: CompactionReport, growth: UInt64) {
        // What waits in the log is sealed before anything is planned.
        try db.seal()
        let before = folder.size()
        var most = before
        let report = try db.compact(options) { _ in most = max(most, folder.size()) }
        return (report, most - before)
    }

    @Test(arguments: [Codec.none, .lz4, .zlib(level: 6)], [true, false])
    func `no more is taken than was planned`(_ codec: Codec, _ isNoise: Bool) throws {
        for (round, sortBudget) in [nil, 24 << 10, 200 << 10].enumerated() {
            let name = "\(round).logdb"
            var options = small(codec)
            options.sortBudgetBytes = sortBudget
            // Planned for runs, as the real budget would have them for as much more data.
            var scribe = Scribe(seed: UInt64(round))
            let db = try Database.open(at: folder(name), options: options)
            for _ in 0..<3 {
                try scribe.write(to: db, 1500, keys: 1500, isNoise: isNoise)
                try db.seal()
                let before = folder.size(name)
                let plan = try db.compactionPlan()
                var most = before
                var sampled = 0
                let report = try db.compact { _ in
                    sampled += 1
                    most = max(most, folder.size(name))
                }
                #expect(sampled > 0 && plan.steps == report.steps && plan.steps == 1)
                #expect(plan.minimumExtraBytes <= plan.peakExtraBytes)
                #expect(report.peakExtraBytes <= plan.peakExtraBytes, "\(report), \(plan)")
                #expect(most - before <= plan.peakExtraBytes, "\(most - before) sampled, \(plan)")
            }
            #expect(try contents(db) == scribe.contents)
            try db.close()
        }
    }

    @Test func `with too little room it refuses before it begins`() throws {
        var scribe = Scribe(seed: 9)
        let db = try Database.open(at: folder(), options: small(.none))
        try scribe.fill(db, "t", 500)
        try db.compact()
        try scribe.write(to: db, 1000, tables: ["t", "u"], keys: 700)
        try db.seal()
        let plan = try db.compactionPlan()
        var options = CompactionOptions()
        for ceiling in [0, 1000, plan.minimumExtraBytes - 1] {
            options.maximumExtraBytes = ceiling
            let files = folder.files().filter { !$0.hasPrefix("MANIFEST") && !$0.hasSuffix(".log") }
            var reports = 0
            let error = #expect(throws: LogDBError.self) { try db.compact(options) { _ in reports += 1 } }
            #expect(error?.code == .insufficientSpace && reports == 0, "\(ceiling): \(String(describing: error))")
            let planned = #expect(throws: LogDBError.self) { try db.compactionPlan(options) }
            #expect(planned?.code == .insufficientSpace)
            #expect(folder.files().filter { !$0.hasPrefix("MANIFEST") && !$0.hasSuffix(".log") } == files)
            #expect(try contents(db) == scribe.contents)
        }
        // The least that it says is enough.
        options.maximumExtraBytes = plan.minimumExtraBytes
        let report = try db.compact(options)
        #expect(report.steps > 0 && report.peakExtraBytes <= plan.minimumExtraBytes)
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).remarks == [])
    }

    @Test(arguments: [Codec.none, .lz4]) func `a ceiling leads to several steps, and to the same`(_ codec: Codec) throws {
        var scribe = Scribe(seed: 10)
        let db = try Database.open(at: folder(), options: small(codec))
        try scribe.write(to: db, 6000, keys: 3000)
        try scribe.drop("b", of: db)
        try scribe.write(to: db, 300, keys: 3000)
        try db.seal()
        folder.copy(to: "other.logdb")
        let free = try db.compactionPlan()
        #expect(free.steps == 1)
        var options = CompactionOptions()
        options.maximumExtraBytes = free.minimumExtraBytes + (free.peakExtraBytes - free.minimumExtraBytes) / 4
        let plan = try db.compactionPlan(options)
        #expect(plan.steps > 2 && plan.peakExtraBytes <= options.maximumExtraBytes!)
        let (report, growth) = try measured(db, options)
        #expect(report.steps == plan.steps)
        #expect(report.peakExtraBytes <= plan.peakExtraBytes && growth <= plan.peakExtraBytes, "\(growth), \(report), \(plan)")
        #expect(try contents(db) == scribe.contents)
        try db.close()
        let other = try Database.open(at: folder("other.logdb"), options: small(codec))
        let whole = try other.compact()
        #expect(whole.steps == 1 && whole.documents == report.documents)
        #expect(report.writtenBytes > whole.writtenBytes)
        #expect(try contents(other) == scribe.contents)
        try other.close()
    }

    // A database of 8 MB in segments of 32 MiB, the default, was refused a compaction on a disk with 100 MB free: room for three segments was asked
    // for, of which there was not one.
    @Test func `a database smaller than a segment needs room for itself only`() throws {
        var scribe = Scribe(seed: 12)
        var options = small()
        options.segmentSizeBytes = 32 << 20
        let db = try Database.open(at: folder(), options: options)
        try scribe.fill(db, "t", 1500)
        try db.compact()
        try scribe.write(to: db, 300, keys: 200)
        try db.seal()
        let plan = try db.compactionPlan()
        let bytes = plan.baseBytes + plan.logBytes
        #expect(plan.peakExtraBytes < bytes * 2, "\(plan)")
        var compaction = CompactionOptions()
        compaction.maximumExtraBytes = plan.minimumExtraBytes
        let (report, growth) = try measured(db, compaction)
        #expect(report.steps == 1 && growth <= plan.peakExtraBytes && report.peakExtraBytes <= plan.peakExtraBytes)
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    // The room for the segment that is being written was that of the segment size, and a large document has a segment of its own, however large. So
    // had a database whose segments had been larger before.
    @Test(arguments: [false, true]) func `large segments are planned for, whatever the segment size is now`(_ isOneDocument: Bool) throws {
        var scribe = Scribe(seed: 13)
        var options = small(.none)
        if !isOneDocument { options.segmentSizeBytes = 4 << 20 }
        var db = try Database.open(at: folder(), options: options)
        for number in 0..<12 {
            for part in 0..<(isOneDocument ? 1 : 40) {
                let document = scribe.document(isOneDocument ? 600_000 : 15_000)
                let key = Key.integer(Int64(number * 100 + part))
                try db.upsert("t", key, json: document)
                scribe.note("t", key, document)
            }
        }
        try db.compact()
        try db.close()
        options.segmentSizeBytes = 64 << 10
        db = try Database.open(at: folder(), options: options)
        try scribe.write(to: db, 30, keys: 20)
        try db.seal()
        let plan = try db.compactionPlan()
        let (report, growth) = try measured(db, CompactionOptions())
        #expect(report.peakExtraBytes <= plan.peakExtraBytes && growth <= plan.peakExtraBytes, "\(growth), \(report), \(plan)")
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    // MARK: Progress

    private struct Enough: Error {}

    @Test(arguments: [nil, 24 << 10]) func `progress rises to all that was planned, and what it throws stops`(_ sortBudget: Int?) throws {
        var options = small()
        options.sortBudgetBytes = sortBudget
        var scribe = Scribe(seed: 11)
        let db = try Database.open(at: folder(), options: options)
        try scribe.write(to: db, 1500, keys: 600)
        try db.compact()
        try scribe.write(to: db, 1500, keys: 900)
        var stopped = 0
        while stopped < 500 {
            var reports = 0
            var last: CompactionProgress?
            do {
                try db.compact { progress in
                    #expect(progress.bytesDone >= last?.bytesDone ?? 0 && progress.bytesDone <= progress.bytesPlanned)
                    #expect(last == nil || last?.bytesPlanned == progress.bytesPlanned)
                    last = progress
                    reports += 1
                    if reports > stopped { throw Enough() }
                }
                #expect(reports > 0)
                break
            } catch is Enough {
                #expect(reports == stopped + 1)
                #expect(try contents(db) == scribe.contents)
                #expect(folder.files().filter { $0.hasSuffix(".run") } == [])
                stopped += 1
            }
        }
        #expect(stopped > 5 && stopped < 500)
        #expect(try contents(db) == scribe.contents && db.compactionPlan().isEmpty)
        try db.close()
        #expect(try Database.verify(at: folder()).remarks == [])
    }
}
