//===--- FixturesReadingTests.swift - what was written once reads for ever ----===//

import Foundation
import LogDB
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
            let before = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(Set(["MANIFEST-000011", "MANIFEST-000013.tmp", "000001.log", "000002.seg.gz", "notes.txt"]).isSubset(of: before))
            let database = try Database.open(at: path)
            #expect(database.recovery.removedFiles == 4)
            try database.close()
            let after = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(after.contains("notes.txt"))
            #expect(Set(["MANIFEST-000011", "MANIFEST-000013.tmp", "000001.log", "000002.seg.gz"]).isDisjoint(with: after))
        }
    }
}
