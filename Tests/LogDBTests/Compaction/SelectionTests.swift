//===--- SelectionTests.swift - ranges, prefixes, limits, and what a get costs ---===//

import Foundation
import LogDB
import LogDBSimulation
import Testing

@Suite struct SelectionTests {
    let folder = TemporaryFolder()

    private static let edges: [Key?] = [
        nil, .integer(.min), -1, 0, 40, 100_000, .integer(.max), "", "key-", "key-1", "key-199", "key-2", "kez", "\u{10FFFF}",
    ]

    /// Every combination of edges, prefixes, limits and directions delivers what a sorted dictionary has.
    private func check(_ db: Database, _ documents: [Key: String], _ state: String) throws {
        let sorted = documents.sorted { $0.key < $1.key }
        for (number, from) in Self.edges.enumerated() {
            for to in Self.edges {
                let prefix = [nil, "", "key-1", "key-19", nil, "z"][number % 6]
                let limit = [Int.max, 3, 0, 1, 50][number % 5]
                var keys = KeySelection.range(from: from, to: to).limited(to: limit)
                keys.prefix = prefix
                let range = sorted.filter { key, _ in
                    if let from, key < from { return false }
                    if let to, key >= to { return false }
                    guard let prefix else { return true }
                    guard case .string(let text) = key else { return false }
                    return text.hasPrefix(prefix)
                }
                for (keys, expected) in [(keys, Array(range.prefix(limit))), (keys.backwards(), Array(range.reversed().prefix(limit)))] {
                    var found: [(Key, String)] = []
                    try db.select("a", keys) { found.append((try $0.key, text($0.document))) }
                    #expect(
                        found.map(\.0) == expected.map(\.key) && found.map(\.1) == expected.map(\.value),
                        "\(state): \(keys) delivers \(found.map(\.0)), expected \(expected.map(\.key))")
                }
            }
        }
    }

    @Test(arguments: [nil, 16 << 10]) func `a selection is what a sorted dictionary has, whatever was compacted`(_ sortBudget: Int?) throws
    {
        var options = small()
        options.sortBudgetBytes = sortBudget
        var scribe = Scribe(seed: 30)
        var db = try Database.open(at: folder(), options: options)
        try scribe.write(to: db, 60, keys: 200)
        try check(db, scribe.live["a"]!, "raw")
        try scribe.write(to: db, 700, keys: 200)
        try check(db, scribe.live["a"]!, "raw and sealed")
        try db.seal()
        try check(db, scribe.live["a"]!, "sealed")
        try db.compact()
        try check(db, scribe.live["a"]!, "base")
        try scribe.write(to: db, 300, keys: 260)
        try check(db, scribe.live["a"]!, "base, sealed and raw")
        // Stopped half-way: two generations, where there are several segments.
        struct Enough: Error {}
        var reports = 0
        do {
            try db.compact { progress in
                reports += 1
                if progress.bytesDone > progress.bytesPlanned * 2 / 3 { throw Enough() }
            }
        } catch is Enough {}
        #expect(reports > 0)
        try check(db, scribe.live["a"]!, "stopped")
        try db.close()
        db = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        try check(db, scribe.live["a"]!, "read only")
        try db.close()
    }

    @Test func `after compaction a get reads one block, and none for a key outside all ranges`() throws {
        var options = small(.none)
        var scribe = Scribe(seed: 31)
        var db = try Database.open(at: folder(), options: options)
        try scribe.fill(db, "t", 1200)
        try db.compact()
        let documents = scribe.live["t"]!
        let segments = try db.statistics().files.filter { $0.kind == "base" }.count
        #expect(segments > 8)
        func reads(_ key: Key, _ expected: String?) throws -> UInt64 {
            let before = db.blocksRead
            #expect(try db.document("t", key) == expected.map { Array($0.utf8) })
            return db.blocksRead - before
        }
        for (key, document) in documents { #expect(try reads(key, document) == 1) }
        for number in 0..<300 { #expect(try reads(.integer(Int64(number) * 997 + 1), documents[.integer(Int64(number) * 997 + 1)]) <= 1) }
        #expect(try reads("a string", nil) == 0)
        #expect(try reads(.integer(.min), nil) <= 1)
        // With a tail: a block for the segment that has the key, and for the others hardly ever one.
        try scribe.write(to: db, 900, tables: ["t"], keys: 4000)
        try db.seal()
        let tail = UInt64(try db.statistics().files.filter { $0.kind == "sealed" }.count)
        #expect(tail > 4)
        var total: UInt64 = 0
        for (key, document) in scribe.live["t"]! {
            let count = try reads(key, document)
            #expect(count <= tail + 1)
            total += count
        }
        #expect(Double(total) / Double(scribe.live["t"]!.count) < 1.5, "\(total) blocks for \(scribe.live["t"]!.count) documents")
        try db.close()
        // As well through a fresh opening, with compression.
        options.codec = .lz4
        db = try Database.open(at: folder(), options: options)
        try db.compact()
        for (key, document) in scribe.live["t"]!.prefix(200) { #expect(try reads(key, document) == 1) }
        try db.close()
    }

    @Test func `an empty table and one that is not there have nothing`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.createTable("empty")
        for _ in 0..<2 {
            for table in ["empty", "absent"] {
                try db.select(table, .prefix("a").backwards()) { _ in Issue.record("a document") }
                try db.select(table) { _ in Issue.record("a document") }
                #expect(try db.document(table, 1) == nil)
            }
            try db.compact()
        }
        #expect(try db.tables == ["empty"])
        try db.close()
    }
}
