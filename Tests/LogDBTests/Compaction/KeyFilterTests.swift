//===--- KeyFilterTests.swift - keys that change again and again, sorted on little memory ---===//

import Foundation
import LogDB
import LogDBSimulation
import Testing

#if DEBUG  // Some of it looks inside, which only a debug build lets it.
    import LogDBFormat

    @testable import LogDB
#endif

@Suite struct KeyFilterTests {
    let folder = TemporaryFolder()
    private static let keys = 400
    private static let rounds = 20

    /// Room for about 200 of the documents, and a filter that knows of all keys.
    private func open(segment: Int = 64 << 10) throws -> Database {
        var options = small(.none)
        options.segmentSizeBytes = segment
        options.sortBudgetBytes = 96 << 10
        return try Database.open(at: folder(), options: options)
    }

    /// Every key in turn, so that no buffer has one twice.
    private func write(_ db: Database, _ scribe: inout Scribe, rounds: Range<Int>) throws {
        for round in rounds {
            for number in 0..<Self.keys {
                let key = Key.integer(Int64((number * 7919) % 1_000_003))
                // Some are deleted, in the last round too.
                if (number + round) % 9 == 0 {
                    try db.delete("a", key)
                    scribe.note("a", key, nil)
                } else {
                    let document = scribe.document(300)
                    try db.upsert("a", key, json: document)
                    scribe.note("a", key, document)
                }
            }
        }
    }

    @Test func `what changes in every round is spilled once, not once a round`() throws {
        var scribe = Scribe(seed: 80)
        let db = try open()
        try write(db, &scribe, rounds: 0..<Self.rounds)
        try db.seal()
        let raw = try db.compactionPlan().logRawBytes
        #expect(try contents(db) == scribe.contents)
        let report = try db.compact()
        #expect(report.spilledBytes > 0 && report.spilledBytes < raw / UInt64(Self.rounds) * 3 / 2, "\(report), of \(raw)")
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
    }

    // A raw segment is read from its front: what comes later is newer, though its key is known.
    @Test func `a selection of what is not sealed takes the newest, which comes last`() throws {
        var scribe = Scribe(seed: 81)
        let db = try open(segment: 16 << 20)
        try write(db, &scribe, rounds: 0..<Self.rounds)
        #expect(try contents(db) == scribe.contents)
        // The same behind what is sealed, which is read after it.
        try db.seal()
        try write(db, &scribe, rounds: 0..<3)
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    @Test func `a savepoint's versions are told from newer ones, and they too are spilled once`() throws {
        var scribe = Scribe(seed: 82)
        let db = try open()
        try write(db, &scribe, rounds: 0..<Self.rounds / 2)
        try db.savepoint("half")
        let half = scribe.contents
        try write(db, &scribe, rounds: 0..<Self.rounds / 2)
        try db.seal()
        let raw = try db.compactionPlan().logRawBytes
        let report = try db.compact()
        #expect(report.spilledBytes < raw / UInt64(Self.rounds) * 5 / 2, "\(report), of \(raw)")
        #expect(try contents(db) == scribe.contents)
        var then: [Key: String] = [:]
        try db.state(asOf: .savepoint("half")).select("a") { then[try $0.key] = text($0.document) }
        #expect(then == half["a"])
        try db.close()
    }

    @Test func `a table that keeps all versions keeps them, beside one that does not`() throws {
        var scribe = Scribe(seed: 83)
        let db = try open()
        try db.upsert("kept", "x", json: #"{"n":0}"#)
        try db.setRetention(.all, of: "kept")
        for round in 0..<Self.rounds {
            for number in 0..<50 { try db.upsert("kept", .integer(Int64(number)), json: #"{"n":\#(round)}"#) }
            try write(db, &scribe, rounds: round..<round + 1)
        }
        try db.seal()
        try db.compact()
        for number in [0, 17, 49] {
            var versions: [String] = []
            try db.history("kept", .integer(Int64(number))) { versions.append(text($0.document)) }
            #expect(versions.count == Self.rounds)
        }
        #expect(try contents(db)["a"] == scribe.contents["a"])
        try db.close()
    }

    #if DEBUG
        private func ask(_ filter: KeyFilter, _ number: Int, _ sequence: SequenceNumber, table: UInt64 = 1, stamp: UInt64 = 0) -> Bool {
            var key = ByteBuffer(capacity: 8)
            key.append(u64: UInt64(number))
            // All in a few rows: the marks have to tell them apart.
            return filter.supersedes(table, key.span, stamp: stamp, hash: UInt64(number % 7) << 61, sequence: sequence)
        }

        @Test func `a filter knows the last keys of a row, and forgets those before them`() {
            let filter = KeyFilter(budget: 64)
            for number in 0..<5 { #expect(!ask(filter, number, 100)) }
            for number in 0..<5 { #expect(ask(filter, number, 99 - UInt64(number))) }
            // 0 was asked about longest ago.
            #expect(!ask(filter, 5, 90))
            for number in 1..<6 { #expect(ask(filter, number, 80 - UInt64(number))) }
            #expect(!ask(filter, 0, 70))
        }

        @Test func `a filter tells tables and stamps apart, and what is not older than all`() {
            let filter = KeyFilter(budget: 4096)
            #expect(!ask(filter, 1, 100))
            #expect(!ask(filter, 1, 99, table: 2))
            #expect(!ask(filter, 1, 98, stamp: 3))
            #expect(!ask(filter, 1, 101))
            #expect(!ask(filter, 1, 98))
            #expect(ask(filter, 1, 97))
            #expect(ask(filter, 1, 96, table: 2))
            #expect(ask(filter, 1, 95, stamp: 3))
        }

        @Test func `a filter that finds nothing says so`() {
            let (idle, busy) = (KeyFilter(budget: 1 << 20), KeyFilter(budget: 1 << 20))
            for number in 0..<100_000 {
                _ = ask(idle, number, 1_000_000 - UInt64(number))
                _ = ask(busy, number / 8, 1_000_000 - UInt64(number))
            }
            #expect(!idle.isWorthwhile() && busy.isWorthwhile())
        }

        // It was given up when what the first buffer had held was counted as asked about in vain.
        @Test func `a filter is not judged before it has had the time to fill`() {
            let filter = KeyFilter(budget: 1 << 20)
            for number in 0..<80_000 { _ = ask(filter, number, 1_000_000 - UInt64(number)) }
            filter.beginVerdicts()
            for number in 100_000..<134_000 { _ = ask(filter, number % 10 == 0 ? number - 50_000 : number, 900_000 - UInt64(number)) }
            #expect(filter.isWorthwhile())
        }

        // A long last frame was walked again by each load: the waypoint behind it was not looked at.
        @Test func `waypoints tell how far somebody has walked`() {
            let waypoints = Waypoints()
            #expect(!waypoints.reach(5 << 20))
            waypoints.note(1 << 21)
            waypoints.note(5 << 20)
            #expect(waypoints.reach(5 << 20) && !waypoints.reach(6 << 20))
            #expect(waypoints.before(5 << 20) == [1 << 21])
        }

        // A constant factor in a product can be made 0 by whoever knows it, and then nothing else of the key counts.
        @Test func `no constant in a key makes others of its bytes not count`() {
            let constants: [UInt64] = [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0]
            for length in [16, 17, 24, 32, 40] {
                for constant in constants {
                    for place in stride(from: 0, through: length - 8, by: 1) {
                        var hashes: Set<UInt64> = []
                        for number in 0..<100 {
                            var key = [UInt8](repeating: UInt8(number), count: length)
                            for byte in 0..<8 { key[place + byte] = UInt8(truncatingIfNeeded: constant >> (8 * UInt64(byte))) }
                            hashes.insert(unsafe key.withUnsafeBytes { unsafe KeyHash.hash($0.baseAddress!, length, seed: 42) })
                        }
                        #expect(hashes.count == 100, "\(length) bytes, \(constant) at \(place)")
                    }
                }
            }
        }
    #endif
}
