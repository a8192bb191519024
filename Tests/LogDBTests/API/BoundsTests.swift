import Foundation
import LogDB
import Testing

@Suite struct BoundsTests {
    let folder = TemporaryFolder()

    @Test func `the longest key is kept and a longer one refused`() throws {
        let db = try Database.open(at: folder())
        let longest = String(repeating: "k", count: Key.maximumBytes)
        try db.upsert("t", .string(longest), ["v": 1])
        let error = #expect(throws: LogDBError.self) { try db.upsert("t", .string(longest + "k"), ["v": 1]) }
        #expect(error?.code == .keyTooLarge)
        var batch = Batch()
        #expect(throws: LogDBError.self) { try batch.upsert("t", .string(longest + "k"), ["v": 1]) }
        #expect(throws: LogDBError.self) { try db.document("t", .string(longest + "k")) }
        try db.seal()
        #expect(try db.document("t", .string(longest)) != nil)
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
    }

    @Test func `a document larger than a segment is kept, one beyond the limit refused`() throws {
        let db = try Database.open(
            at: folder(),
            options: Options {
                $0.segmentSizeBytes = 64 << 10
                $0.maximumDocumentBytes = 3 << 20
                $0.persistence = .process
            })
        let large = "{\"v\":\"" + String(repeating: "x", count: (3 << 20) - 8) + "\"}"
        try db.upsert("t", "large", json: large)
        try db.upsert("t", "small", ["v": 1])
        let error = #expect(throws: LogDBError.self) { try db.upsert("t", "k", json: large + " ") }
        #expect(error?.code == .documentTooLarge)
        try db.upsert("t", "large 2", json: large)
        for _ in 0..<2 {
            #expect(try db.document("t", "large")?.count == large.utf8.count)
            #expect(try db.document("t", "large 2")?.count == large.utf8.count)
            #expect(try contents(db)["t"]?.count == 3)
            try db.seal()
        }
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
    }

    @Test func `a batch beyond the limit is refused whole`() throws {
        let db = try Database.open(at: folder(), options: Options { $0.maximumDocumentBytes = 1 << 20 })
        var batch = Batch()
        let half = "{\"v\":\"" + String(repeating: "x", count: 600_000) + "\"}"
        for index in 0..<3 { try batch.upsert("t", .integer(Int64(index)), json: half) }
        let error = #expect(throws: LogDBError.self) { try db.write(batch) }
        #expect(error?.code == .batchTooLarge)
        #expect(try contents(db).isEmpty)
        try db.close()
    }

    @Test(arguments: ["", "{", "[]", "1", "\"text\"", "{\"a\":1}x", "{\"a\":01}", "{\"a\":\"\u{1}\"}", "nul", "{'a':1}"])
    func `a text that is no JSON object is refused with the place of the fault`(_ document: String) throws {
        let db = try Database.open(at: folder())
        let error = #expect(throws: LogDBError.self) { try db.upsert("t", "k", json: document) }
        #expect(error?.code == .invalidDocument)
        #expect(error?.offset != nil)
        #expect(try db.tables == [])
        try db.close()
    }

    @Test func `nesting to 512 is kept`() throws {
        let db = try Database.open(at: folder())
        let deep = String(repeating: "{\"a\":", count: 512) + "1" + String(repeating: "}", count: 512)
        try db.upsert("t", "k", json: deep)
        #expect(try db.document("t", "k")?.count == deep.utf8.count)
        try db.close()
    }

    @Test func `options out of range are refused before anything is touched`() throws {
        let wrong: [(inout Options) -> Void] = [
            { $0.segmentSizeBytes = 65_535 }, { $0.segmentSizeBytes = (1 << 30) + 1 }, { $0.codec = .zlib(level: 10) },
            { $0.codec = .lz4HC(level: 2) }, { $0.persistence = .interval(.zero) }, { $0.maximumDocumentBytes = 0 },
            { $0.memoryBudgetBytes = 1 }, { $0.maximumOpenTransactionBytes = 0 },
        ]
        for change in wrong {
            let error = #expect(throws: LogDBError.self) { try Database.open(at: folder(), options: Options(change)) }
            #expect(error?.code == .invalidOption)
        }
        #expect(!FileManager.default.fileExists(atPath: folder()))
    }

    @Test func `a path that cannot be a database says why`() throws {
        func code(_ path: String, _ options: Options = Options()) -> LogDBError.Code? {
            do {
                _ = try Database.open(at: path, options: options)
                return nil
            } catch { return error.code }
        }
        #expect(code(folder("none"), Options { $0.createIfMissing = false }) == .notFound)
        #expect(code(folder("none"), Options { $0.access = .readOnly }) == .notFound)
        #expect(code(folder("no/such/parent")) == .invalidPath)
        #expect(code("") == .invalidPath)
        #expect(code(folder(String(repeating: "n", count: 300))) == .invalidPath)
        _ = FileManager.default.createFile(atPath: folder("file"), contents: Data([1]))
        #expect(code(folder("file")) == .notADatabase)
        try FileManager.default.createDirectory(atPath: folder("stranger"), withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: folder("stranger/photo.jpg"), contents: Data([1]))
        #expect(code(folder("stranger")) == .notADatabase)
        #expect(folder.files("stranger") == ["photo.jpg"])
    }

    @Test func `a second writer is refused naming the process, a reader is not`() throws {
        let db = try Database.open(at: folder())
        try db.upsert("t", "k", ["v": 1])
        let error = #expect(throws: LogDBError.self) { try Database.open(at: folder()) }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("\(ProcessInfo.processInfo.processIdentifier)") == true)
        let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        #expect(try contents(reader) == ["t": ["k": #"{"v":1}"#]])
        try db.upsert("t", "k", ["v": 2])
        #expect(try contents(reader) == ["t": ["k": #"{"v":1}"#]])
        let refused = #expect(throws: LogDBError.self) { try reader.upsert("t", "k", ["v": 3]) }
        #expect(refused?.code == .readOnly)
        try db.close()
        try db.close()
        let closed = #expect(throws: LogDBError.self) { try db.upsert("t", "k", ["v": 3]) }
        #expect(closed?.code == .closed)
        #expect(throws: LogDBError.self) { try db.document("t", "k") }
        try Database.open(at: folder()).close()
    }

    @Test func `segments of several codecs live side by side`() throws {
        for codec in [Codec.none, .lz4, .lz4HC(level: 12), .zlib(level: 1)] {
            let db = try Database.open(at: folder(), options: small(codec))
            for index in 0..<300 {
                try db.upsert("\(codec)", .integer(Int64(index)), ["v": JSON(index), "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"])
            }
            try db.seal()
            try db.close()
        }
        let db = try Database.open(at: folder())
        #expect(try contents(db).values.map(\.count) == [300, 300, 300, 300])
        #expect(Set(try db.statistics().files.compactMap(\.codec)) == ["none", "lz4", "lz4hc:12", "zlib:1"])
        try db.close()
    }
}
