import Foundation
import LogDB
import Testing

/// Why a database is as big as it is.
@Suite struct SpaceReportTests {
    let folder = TemporaryFolder()

    private func small() -> Options {
        var options = Options()
        options.compaction = .manual
        options.segmentSizeBytes = 64 << 10
        return options
    }

    private func amount(_ operations: UInt64, _ bytes: UInt64) -> SpaceReport.Amount {
        var amount = SpaceReport.Amount()
        (amount.operations, amount.bytes) = (operations, bytes)
        return amount
    }

    /// Five-byte keys, documents of `{"n":` + digits + `}`.
    private func write(_ db: Database, _ table: String, keys: Int, rounds: Int) throws {
        for round in 0..<rounds {
            for key in 0..<keys { try db.upsert(table, .string("k\(1000 + key)"), json: #"{"n":\#(10_000 + round)}"#) }
        }
    }

    @Test(arguments: [false, true]) func `every operation is live, superseded or a delete`(_ isSealed: Bool) throws {
        let db = try Database.open(at: folder(), options: small())
        try write(db, "a", keys: 200, rounds: 10)
        try write(db, "b", keys: 50, rounds: 1)
        for key in 0..<30 { try db.delete("a", .string("k\(1000 + key)")) }
        try db.delete("b", "never written")
        if isSealed { try db.seal() }
        let report = try db.spaceReport()
        #expect(report.tables.map(\.name) == ["a", "b"])
        let (a, b) = (report.tables[0], report.tables[1])
        #expect(a.live == amount(170, 170 * 16) && a.dead == amount(1830, 1830 * 16) && a.deletes == amount(30, 30 * 5))
        #expect(b.live == amount(50, 50 * 16) && b.dead == amount(0, 0) && b.deletes == amount(1, 13))
        let garbage = Double(1830 * 16 + 163) / Double(2050 * 16 + 163)
        #expect(abs(report.garbage - garbage) < 1e-12)
        if isSealed { #expect(report.compaction?.isEmpty == false) }
        try db.close()
    }

    @Test func `after a compaction only what is live is left, and what came since counts as before`() throws {
        let db = try Database.open(at: folder(), options: small())
        try write(db, "a", keys: 200, rounds: 10)
        try write(db, "gone", keys: 20, rounds: 2)
        try db.compact()
        try db.dropTable("gone")
        try write(db, "a", keys: 10, rounds: 1)
        try db.delete("a", "k1199")
        let before = try db.spaceReport()
        #expect(before.tables.map(\.name) == ["a", nil])
        #expect(before.tables[0].live == amount(199, 199 * 16) && before.tables[0].dead == amount(11, 11 * 16))
        #expect(before.tables[0].deletes == amount(1, 5))
        #expect(before.tables[1].live == amount(0, 0) && before.tables[1].dead == amount(20, 20 * 16))
        try db.compact()
        let after = try db.spaceReport()
        #expect(after.tables.count == 1 && after.tables[0].live == amount(199, 199 * 16))
        #expect(after.garbage == 0 && after.busiest.isEmpty && after.compaction?.isEmpty == true)
        try db.close()
    }

    @Test func `the largest documents and the busiest keys are named`() throws {
        let db = try Database.open(at: folder(), options: small())
        try write(db, "a", keys: 9000, rounds: 1)
        for round in 0..<3000 { try db.upsert("a", "hot", json: #"{"n":\#(round % 10)}"#) }
        let text = String(repeating: "x", count: 5000)
        try db.upsert("a", "large", ["text": .string(text)])
        try db.upsert("b", 7, ["text": .string(text + text)])
        try db.upsert("a", "was large", ["text": .string(text + text + text)])
        try db.upsert("a", "was large", [:])
        let report = try db.spaceReport(largest: 3)
        #expect(report.largest.map(\.key) == [7, "large", "k1000"])
        #expect(report.largest[0].table == "b" && report.largest[0].bytes == 8 + 11 + 10_000 && report.largest[0].operations == 1)
        #expect(report.busiest.map(\.key) == ["hot", "was large", 7])
        #expect(report.busiest[0].operations == 3000 && report.busiest[0].bytes == 3000 * 10)
        #expect(try db.spaceReport(largest: 0).largest.isEmpty)
        try db.close()
    }

    @Test func `what an open transaction wrote is not counted, and it is named as what pins`() throws {
        let db = try Database.open(at: folder(), options: small())
        try write(db, "a", keys: 5, rounds: 1)
        let tx = try db.begin()
        try tx.upsert("a", "k1000", [:])
        let report = try db.spaceReport()
        #expect(report.tables.first?.live == amount(5, 5 * 16) && report.tables.first?.dead == amount(0, 0))
        #expect(try db.statistics().openTransactions.count == 1)
        tx.rollback()
        try db.close()
    }

    @Test func `readers that keep files are counted`() throws {
        let db = try Database.open(at: folder(), options: small())
        try write(db, "a", keys: 500, rounds: 20)
        try db.seal()
        #expect(try db.statistics().readers == 0)
        var isFirst = true
        try db.select("a") { _ in
            guard isFirst else { return }
            isFirst = false
            try db.compact()
            let statistics = try db.statistics()
            #expect(statistics.readers == 1 && !statistics.waitingFiles.isEmpty && statistics.waitingBytes > 1000)
        }
        let statistics = try db.statistics()
        #expect(statistics.readers == 0 && statistics.waitingFiles.isEmpty && statistics.waitingBytes == 0)
        try db.close()
    }
}
