import LogDB
import Testing

@Suite struct TableTests {
    let folder = TemporaryFolder()

    @Test func `a dropped table's documents are gone at once, and a new one of its name is empty`() throws {
        var db = try Database.open(at: folder())
        try db.upsert("saves", "a", ["v": 1])
        try db.upsert("other", "b", ["v": 2])
        try db.seal()
        try db.upsert("saves", "c", ["v": 3])
        try db.dropTable("saves")
        #expect(try contents(db) == ["other": ["b": #"{"v":2}"#]])
        #expect(try db.tables == ["other"])
        #expect(try db.document("saves", "a") == nil)
        try db.upsert("saves", "d", ["v": 4])
        #expect(try contents(db)["saves"] == ["d": #"{"v":4}"#])
        var replayed: [Key] = []
        try db.replay { replayed.append(try $0.key) }
        #expect(replayed == ["b", "d"])
        try db.close()
        db = try Database.open(at: folder())
        #expect(try contents(db) == ["other": ["b": #"{"v":2}"#], "saves": ["d": #"{"v":4}"#]])
        let error = #expect(throws: LogDBError.self) { try db.dropTable("never") }
        #expect(error?.code == .noSuchTable)
        try db.close()
    }

    @Test func `a table dropped in one session stays dropped after seals and reopenings`() throws {
        for round in 0..<4 {
            let db = try Database.open(at: folder(), options: small())
            #expect(try db.tables == [])
            try db.upsert("t", .integer(Int64(round)), ["v": 1])
            #expect(try contents(db)["t"]?.count == 1)
            try db.dropTable("t")
            if round % 2 == 0 { try db.seal() }
            try db.close()
        }
    }

    @Test func `an explicitly created table is there without documents`() throws {
        let db = try Database.open(at: folder())
        try db.createTable("empty")
        try db.createTable("empty")
        #expect(try db.tables == ["empty"])
        try db.close()
        #expect(try Database.open(at: folder(), options: Options { $0.access = .readOnly }).tables == ["empty"])
    }

    @Test(arguments: ["", "line\nbreak", "nul\0", String(repeating: "x", count: 256)])
    func `a name that breaks the rules is refused and nothing is written`(_ name: String) throws {
        let db = try Database.open(at: folder())
        let error = #expect(throws: LogDBError.self) { try db.upsert(name, "k", ["v": 1]) }
        #expect(error?.code == .invalidTableName)
        #expect(try db.tables == [])
        let next = try db.upsert(String(repeating: "y", count: 255), "k", ["v": 1])
        #expect(next == 2)
        try db.close()
    }
}
