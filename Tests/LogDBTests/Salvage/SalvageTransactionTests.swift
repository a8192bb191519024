//===--- SalvageTransactionTests.swift - what damage does to transactions ----===//

import LogDB
import Testing

@Suite struct SalvageTransactionTests {
    typealias Written = SalvageScene.Written

    /// A transaction of three operations with others between them, so that it lies in several frames of one raw segment.
    private func scene(_ ending: (Transaction) throws -> Bool) throws -> (SalvageScene, [Written]) {
        var made: [Written] = []
        let scene = try SalvageScene { scene, db in
            for number in 0..<3 { try scene.put(db, "plain", .integer(Int64(number))) }
            let transaction = try db.begin()
            for number in 3..<6 {
                made.append(try scene.make(transaction, "trades", .integer(Int64(number))))
                try scene.put(db, "plain", .integer(Int64(number)))
            }
            made.append(try scene.make(transaction, "trades", "last"))
            if try ending(transaction) { for one in made { scene.note(one) } }
            for number in 6..<9 { try scene.put(db, "plain", .integer(Int64(number))) }
        }
        return (scene, made)
    }

    private func committed() throws -> (SalvageScene, [Written]) {
        try scene { transaction in
            try transaction.commit()
            return true
        }
    }

    @Test func `one that was committed is there, whole`() throws {
        let (scene, _) = try committed()
        let report = try scene.salvage()
        #expect(report.isComplete && report.findings.isEmpty)
    }

    @Test func `one whose commit is lost is not restored in part, and that is reported`() throws {
        let (scene, made) = try committed()
        let (file, offset) = try scene.place(of: made.last!)
        // The commit is the next frame, at a multiple of eight.
        let end = offset + made.last!.document!.utf8.count
        scene.flip((end + 7) & ~7 + 1, of: file)
        let own = Set(made.map(\.sequence))
        let report = try scene.salvage { own.contains($0.sequence) }
        try #require(report.uncertain.count == 1, "\(SalvageScene.lines(report))")
        #expect(report.uncertain[0].numbers == made.first!.sequence...made.last!.sequence)
        #expect(report.uncertain[0].operations == UInt64(made.count))
        #expect(report.uncertain[0].tables == ["trades"])
        #expect(report.findings.contains { $0.file == file && $0.bytes != nil })
    }

    @Test func `of one that was committed and lost an operation the others are restored, and that is reported`() throws {
        let (scene, made) = try committed()
        let (file, offset) = try scene.place(of: made[1])
        scene.flip(offset + 50, of: file)
        let report = try scene.salvage { $0.sequence == made[1].sequence }
        #expect(report.lost.map(\.numbers) == [made[1].sequence...made[1].sequence], "\(SalvageScene.lines(report))")
        #expect(report.uncertain.count == 1 && report.uncertain[0].tables == ["trades"])
    }

    @Test func `one that was rolled back stays so`() throws {
        let (scene, made) = try scene { transaction in
            transaction.rollback()
            return false
        }
        let (file, offset) = try scene.place(of: scene.written[1])
        scene.flip(offset + 50, of: file)
        let report = try scene.salvage { $0.sequence == scene.written[1].sequence }
        #expect(report.lost.count == 1 && report.uncertain.isEmpty, "\(SalvageScene.lines(report))")
        #expect(made.count == 4)
    }

    @Test(arguments: [false, true])
    func `one that was open when the database was closed or killed never happened, and is no loss`(_ isKilled: Bool) throws {
        var open: Transaction?
        let scene = try SalvageScene(isKilled: isKilled) { scene, db in
            let transaction = try db.begin()
            for number in 0..<3 {
                _ = try scene.make(transaction, "trades", .integer(Int64(number)))
                try scene.put(db, "plain", .integer(Int64(number)))
            }
            try db.flush()
            open = transaction
        }
        withExtendedLifetime(open) {}
        let report = try scene.salvage()
        #expect(report.isComplete && report.lost.isEmpty, "\(SalvageScene.lines(report))")
    }

    @Test func `one over several segments goes with the segment that has its commit`() throws {
        var made: [Written] = []
        // Open to the end, and so keeps all segments raw.
        var keeper: Transaction?
        var kept: SequenceNumber?
        let scene = try SalvageScene { scene, db in
            keeper = try db.begin()
            kept = try keeper?.upsert("never", 0, json: "{}")
            let transaction = try db.begin()
            for number in 0..<24 {
                made.append(try scene.make(transaction, "trades", .integer(Int64(number)), 6000))
                try scene.put(db, "plain", .integer(Int64(number)), 3000)
            }
            try transaction.commit()
            for one in made { scene.note(one) }
            try scene.put(db, "plain", 99)
        }
        withExtendedLifetime(keeper) {}
        try #require(scene.raw.count >= 3, "\(scene.files)")
        let last = scene.raw.last!
        let first = try #require(scene.numbers[last]).lowerBound
        try scene.delete(last)
        let own = Set(made.map(\.sequence))
        let report = try scene.salvage { own.contains($0.sequence) || $0.sequence >= first }
        #expect(report.lost.map(\.file) == [last], "\(SalvageScene.lines(report))")
        #expect(report.lost.first?.firstSequenceNumber == first)
        // Whether the other one was committed in the missing file nobody knows either.
        #expect(report.uncertain.map(\.firstSequenceNumber) == [kept, made[0].sequence], "\(SalvageScene.lines(report))")
    }
}
