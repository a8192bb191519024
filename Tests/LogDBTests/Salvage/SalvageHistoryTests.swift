//===--- SalvageHistoryTests.swift - accidents to what is retained ----------===//
//
// Random histories without damage are salvaged in RetentionTests. Here the files with retained versions are hurt: the present must not change, and the report must say what may
// be missing of the past.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct SalvageHistoryTests {
    private typealias Contents = [String: [Key: [UInt8]]]

    private func present(_ db: Database) throws -> Contents { try PastLikeness.contents { try db.select(nil, $0) } }
    private func middle(_ db: Database) throws -> Contents {
        try PastLikeness.contents { try db.state(asOf: .savepoint("middle")).select(nil, $0) }
    }

    /// A compacted database with some files of history, and what it held.
    private struct Scene {
        let disk = SimulatedDisk(model: .ext4Like)
        var options = Options()
        let clock = WallClock(milliseconds: 1_790_000_000_000)
        var present: Contents = [:]
        var then: Contents = [:]
        var histories: [String] { disk.names.filter { $0.contains(".hist.") } }

        init(_ codec: Codec = .lz4) throws {
            options.segmentSizeBytes = 64 << 10
            options.memoryBudgetBytes = 4 << 20
            options.compaction = .manual
            options.codec = codec
            options.clock = clock
            var author = Author(seed: 5)
            let db = try Database.open(disk.directory(), path: "simulated", options: options)
            try db.setRetention(.versions(3), of: "docs")
            for round in 0..<5 {
                for number in 0..<40 {
                    clock.milliseconds += 1000
                    // Of every other key nothing but the past is left.
                    if round == 4, number % 2 == 0 {
                        try db.delete("docs", .integer(Int64(number)))
                    } else {
                        try db.upsert("docs", .integer(Int64(number)), json: author.document(700).span)
                    }
                }
                try db.upsert("gone", .integer(Int64(round)), json: author.document(500).span)
                if round == 2 { try db.savepoint("middle") }
            }
            try db.dropTable("gone")
            try db.compact()
            present = try PastLikeness.contents { try db.select(nil, $0) }
            then = try PastLikeness.contents { try db.state(asOf: .savepoint("middle")).select(nil, $0) }
            try db.close()
        }

        func salvage(_ body: (Database, SalvageReport) throws -> Void) throws {
            let other = SimulatedDisk(model: .ext4Like)
            let report = try Database.salvage(
                disk.directory(), path: "simulated", into: other.directory(), newPath: "salvaged", options: options)
            let db = try Database.open(other.directory(), path: "salvaged", options: options)
            try body(db, report)
            try db.close()
            #expect(try Database.verify(other.directory(), path: "salvaged").isSound)
        }
    }

    @Test func `without damage the past is told as before`() throws {
        let scene = try Scene()
        try #require(scene.histories.count >= 2)
        try scene.salvage { db, report in
            #expect(report.findings.isEmpty && report.remarks.isEmpty, "\(report.findings) \(report.remarks)")
            #expect(try present(db) == scene.present)
            #expect(scene.then["gone"]?.count == 3 && scene.then["docs"]?.count == 40)
            #expect(try middle(db) == scene.then)
            let deletes = try db.history(of: 0, in: "docs").map { $0.document == nil }
            #expect(deletes.prefix(2) == [true, false])
            #expect(try db.retention(of: "docs") == .versions(3))
        }
    }

    @Test(arguments: [Codec.none, .lz4, .zlib(level: 2)])
    func `a hurt file of history takes nothing of the present along, and is named`(_ codec: Codec) throws {
        for file in try Scene(codec).histories {
            for share in [0.02, 0.3, 0.5, 0.7, 0.99] {
                let scene = try Scene(codec)
                scene.disk.flipBit(3, at: Int(Double(scene.disk.size(of: file)) * share), of: file)
                try scene.salvage { db, report in
                    #expect(try present(db) == scene.present, "\(file) at \(share)")
                    let isLost = report.findings.contains { $0.severity == .lost }
                    #expect(report.findings.contains { $0.file == file }, "\(file) at \(share): \(report.findings)")
                    if isLost { try check(db, report) }
                }
            }
        }
    }

    @Test func `a missing file of history is a loss, and closes the past`() throws {
        for file in try Scene().histories {
            let scene = try Scene()
            scene.disk.delete(file)
            try scene.salvage { db, report in
                #expect(try present(db) == scene.present)
                let finding = try #require(report.findings.first { $0.severity == .lost })
                #expect(finding.file == file && finding.operations ?? 0 > 0)
                try check(db, report)
            }
        }
    }

    /// Of the past nothing is told but the savepoint, and of that the report says that it may lack something.
    private func check(_ db: Database, _ report: SalvageReport) throws {
        #expect(report.findings.contains { $0.severity == .uncertain && $0.reason.contains(#"savepoint "middle" may lack"#) })
        _ = try middle(db)
        let last = try db.statistics().lastSequenceNumber
        let error = try #require(throws: LogDBError.self) { try db.state(asOf: .sequence(last - 1)).select(nil) { _ in } }
        #expect(error.code == .historyIncomplete)
        // The present is a past state like any other.
        _ = try PastLikeness.contents { try db.state(asOf: .sequence(last)).select(nil, $0) }
    }
}
