//===--- FixturesReadingTests.swift - what was written once reads for ever ----===//

import Foundation
import LogDB
import LogDBFormat
import Testing

@Suite struct FixturesReadingTests {
    @Test(arguments: Fixture.all) func `a fixture opens for reading and holds what it held when it was made`(_ fixture: Fixture) throws {
        let database = try Database.openFixture(fixture.path)
        defer { try? database.close() }
        FixtureLines.expectSame(try FixtureLines.dump(database), try fixture.expected(.dump), "dump")
        FixtureLines.expectSame(try FixtureLines.operations(database), try fixture.expected(.operations), "operations")
    }

    @Test(arguments: Fixture.all) func `a fixture is sound to the last byte`(_ fixture: Fixture) throws {
        let report = try Database.verify(at: fixture.path)
        #expect(report.damages == [])
        #expect(report.files > 1)
    }

    @Test(arguments: Fixture.all) func `opening a fixture for writing recovers it and loses nothing`(_ fixture: Fixture) throws {
        try fixture.withCopy { path in
            let database = try Database.open(at: path)
            FixtureLines.expectSame(try FixtureLines.dump(database), try fixture.expected(.dump), "dump")
            FixtureLines.expectSame(try FixtureLines.operations(database), try fixture.expected(.operations), "operations")
            try database.close()
            let again = try Database.openFixture(path)
            #expect(again.recovery.wasClosed)
            FixtureLines.expectSame(try FixtureLines.operations(again), try fixture.expected(.operations), "operations after closing")
        }
    }

    @Test func `of a fixture with a ring the segment alone has less`() throws {
        try Fixture(name: "killed-ring").withCopy { path in
            try FileManager.default.removeItem(atPath: path + "/RING")
            let database = try Database.openFixture(path)
            defer { try? database.close() }
            let all = try Fixture(name: "killed-ring").expected(.operations).count { $0 == 0x0A }
            #expect(try FixtureLines.operations(database).count { $0 == 0x0A } == all - 40)
        }
    }

    @Test(arguments: Fixture.all) func `sealing a fixture and writing to it changes nothing that was there`(_ fixture: Fixture) throws {
        try fixture.withCopy { path in
            let database = try Database.open(at: path)
            try database.seal()
            try database.upsert("fixtures: one more", "key", json: "{}")
            try database.close()
            let again = try Database.openFixture(path)
            defer { try? again.close() }
            var lines = try FixtureLines.dump(again)
            let added = Array(#"{"table":"fixtures: one more","key":"key","value":{}}"#.utf8) + [0x0A]
            #expect(lines.suffix(added.count) == added[...])
            lines.removeLast(added.count)
            FixtureLines.expectSame(lines, try fixture.expected(.dump), "dump")
        }
    }

    @Test func `each document of a fixture is found by its key`() throws {
        for fixture in Fixture.all {
            let database = try Database.openFixture(fixture.path)
            defer { try? database.close() }
            try database.select { operation in
                let found = try database.document(operation.table, try operation.key)
                let expected = Array(operation.document)
                #expect(found == expected)
            }
        }
    }

    // The sealer once took the segment that an earlier session had left unsealed while the first write of a new session went on in it:
    // what was appended after the sealer had begun was in neither file.
    @Test(arguments: ["closed-lz4", "killed", "recovered", "large-document"])
    func `what is written at once after opening is kept`(_ name: String) throws {
        for _ in 0..<10 {
            try Fixture(name: name).withCopy { path in
                let before = try Database.openFixture(path)
                let lines = try FixtureLines.operations(before).count { $0 == 0x0A }
                try before.close()
                let database = try Database.open(at: path, options: Options { $0.persistence = .process })
                for number in 0..<200 { try database.upsert("fixtures: one more", .integer(Int64(number)), json: "{}") }
                try database.close()
                let after = try Database.openFixture(path)
                #expect(try FixtureLines.operations(after).count { $0 == 0x0A } == lines + 200)
                try after.close()
            }
        }
    }

    @Test func `recovery reports what it cut off, and where`() throws {
        let cases: [(String, String?, Bool)] = [("killed", nil, false), ("torn", "000002.log", true), ("handmade", "000004.log", true)]
        for (name, file, isTorn) in cases {
            try Fixture(name: name).withCopy { path in
                let database = try Database.open(at: path)
                #expect(!database.recovery.wasClosed)
                #expect(database.recovery.cutFile == file, "\(name)")
                #expect((database.recovery.tornBytes > 0) == isTorn, "\(name)")
                try database.close()
            }
        }
    }

    @Test func `leftovers are removed, the files of strangers are not`() throws {
        try Fixture(name: "handmade").withCopy { path in
            let leftovers = Set(HandmadeDatabase.leftovers)
            #expect(leftovers.isSubset(of: try FileManager.default.contentsOfDirectory(atPath: path)))
            let database = try Database.open(at: path)
            #expect(database.recovery.removedFiles == leftovers.count)
            try database.close()
            let after = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(after.contains("notes.txt"))
            #expect(leftovers.isDisjoint(with: after))
        }
    }

    @Test func `base segments that nothing lists are removed, those that are listed stay`() throws {
        try Fixture(name: "compacting-killed").withCopy { path in
            func baseFiles() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".base.lz4") }.sorted()
            }
            let before = try baseFiles()
            let listed = try FixtureFrames.manifest(in: path).base.map { "00000\($0.number).base.lz4" }.sorted()
            #expect(Set(listed).isStrictSubset(of: before))
            let database = try Database.open(at: path)
            #expect(database.recovery.removedFiles == before.count - listed.count)
            try database.close()
            #expect(try baseFiles() == listed)
        }
    }

    @Test(arguments: Fixture.all) func `a fixture can be compacted, and holds what it held`(_ fixture: Fixture) throws {
        try fixture.withCopy { path in
            let options = Options { $0.segmentSizeBytes = 64 << 10 }
            let database = try Database.open(at: path, options: options)
            for _ in 0..<2 {
                try database.compact()
                FixtureLines.expectSame(try FixtureLines.dump(database), try fixture.expected(.dump), "dump")
            }
            try database.close()
            let state = try FixtureFrames.manifest(in: path)
            #expect(state.sealed.isEmpty && state.raw.isEmpty && !state.base.isEmpty)
            #expect(Set(state.base.map(\.generation)).count == 1)
            #expect(try Database.verify(at: path).damages == [])
            let again = try Database.openFixture(path)
            defer { try? again.close() }
            FixtureLines.expectSame(try FixtureLines.dump(again), try fixture.expected(.dump), "dump after opening")
        }
    }

    // The id of a dropped table lives on in the manifest only, once compaction has cleared away the drop.
    @Test func `the id of a dropped table is not used again`() throws {
        let fixture = Fixture(name: "compacted-dropped")
        let listed = try FixtureFrames.manifest(in: fixture.path)
        let lines = String(decoding: try fixture.expected(.dump), as: UTF8.self)
        #expect(!lines.contains("the last one"))
        for isCompactedAgain in [false, true] {
            try fixture.withCopy { path in
                let database = try Database.open(at: path)
                if isCompactedAgain { try database.compact() }
                try database.upsert("a new one", "key", json: "{}")
                try database.close()
                let state = try FixtureFrames.manifest(in: path)
                let name = "00000\(try #require(state.raw.last).number).log"
                let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
                let payload = try FixtureFrames.payload(at: try #require(FixtureFrames.offsets(in: bytes).first), in: bytes)
                var reader = ByteReader(payload.span)
                let record = try reader.record()
                #expect(record.table == 0)
                guard case .integer(let id) = try Key(decoding: record.key) else { return #expect(Bool(false), "the key is no table id") }
                // Six tables have been made; the last of them is the one that is gone.
                #expect(id == 7 && listed.nextTable == 7)
            }
        }
    }
}
