//===--- SalvageSchemaTests.swift - what is left of schemas after damage -----===//

import LogDB
import Testing

@Suite struct SalvageSchemaTests {
    let folder = TemporaryFolder()

    private static func schema(minimum: Int) throws -> Schema {
        try Schema(json: #"{"type":"object","properties":{"hp":{"type":"integer","minimum":\#(minimum)}},"required":["hp"]}"#)
    }

    /// Makes a database of three segments, each by one of `parts`, and breaks the middle one.
    private func salvaged(_ parts: [(Database) throws -> Void]) throws -> (report: SalvageReport, new: Database) {
        let db = try Database.open(at: folder(), options: small())
        for part in parts {
            try part(db)
            try db.seal()
        }
        try db.close()
        let segments = folder.files().filter { $0.contains(".seg.") }
        try #require(segments.count == 3)
        var bytes = folder.bytes(segments[1])
        // In the block: header and index stay whole.
        bytes[bytes.count / 3] ^= 0xFF
        folder.write(bytes, to: segments[1])
        let report = try Database.salvage(at: folder(), into: folder("new.logdb"))
        return (report, try Database.open(at: folder("new.logdb")))
    }

    private func fill(_ db: Database, _ keys: Range<Int>, hp: Int) throws {
        for key in keys {
            try db.upsert("actors", .integer(Int64(key)), ["hp": JSON(hp), "noise": .string(String(repeating: "\(key)", count: 50))])
        }
    }

    private func refuses(_ db: Database, hp: Int) -> Bool {
        do { try db.upsert("actors", 1000, ["hp": JSON(hp)]) } catch { return error.code == .schemaViolation }
        return false
    }

    @Test func `a schema outlives the documents that were written by it, and the report says which older ones break it`() throws {
        let (report, new) = try salvaged([
            { db in
                try db.setSchema("actors", keys: .integer, documents: try Self.schema(minimum: 0))
                try self.fill(db, 0..<50, hp: 1)
            },
            { db in try self.fill(db, 0..<50, hp: 200) },
            { db in
                #expect(try db.setSchema("actors", keys: .integer, documents: try Self.schema(minimum: 100)).documentsChecked == 50)
                try self.fill(db, 50..<60, hp: 300)
            },
        ])
        #expect(!report.isComplete)
        let reason = try #require(report.findings.first { $0.severity == .uncertain }?.reason)
        #expect(reason.hasPrefix("50 of 60 documents break the table's schema, such as 0 (/hp: 1 is below the minimum 100"), "\(reason)")
        #expect(try new.schema(of: "actors")?.number == 2)
        #expect(try new.schemaHistory(of: "actors").count == 2)
        #expect(refuses(new, hp: 99) && !refuses(new, hp: 100))
        #expect(try new.checkSchema("actors", documents: try Self.schema(minimum: 100)).broken == 50)
    }

    @Test func `where the newest schema is lost the one before it is in force again`() throws {
        let (report, new) = try salvaged([
            { db in
                try db.setSchema("actors", keys: .integer, documents: try Self.schema(minimum: 0))
                try self.fill(db, 0..<50, hp: 200)
            },
            { db in
                try db.setSchema("actors", keys: .integer, documents: try Self.schema(minimum: 100))
                try self.fill(db, 20..<40, hp: 250)
            },
            { db in try self.fill(db, 50..<60, hp: 300) },
        ])
        #expect(!report.isComplete)
        #expect(!report.findings.contains { $0.reason.contains("break the table's schema") })
        #expect(try new.schemaHistory(of: "actors").map(\.number) == [1])
        #expect(!refuses(new, hp: 99) && refuses(new, hp: -1))
        #expect(throws: LogDBError.self) { try new.upsert("actors", "a string", ["hp": 1]) }
        #expect(try contents(new)["actors"]?.count == 61)
    }
}
