//===--- DescriptorTests.swift - nothing stays open ------------------------===//
//
// On the real disk, asked of the system itself. (On the simulated one every workload, crash and fault ends with the same question.)
//===-----------------------------------------------------------------------===//

#if os(Linux)
    import Foundation
    import LogDB
    import Testing

    struct DescriptorTests {
        /// The files of `folder` that this process has open.
        private static func open(in folder: String) throws -> [String] {
            let own = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
            return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
                .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0) }
                .filter { $0.hasPrefix(own) }
        }

        @Test func `a database that was let go has nothing open, whatever was going on in it`() throws {
            let folder = TemporaryFolder()
            let path = folder()
            for round in 0..<5 {
                try Self.use(path, round)
                #expect(try Self.open(in: path) == [])
            }
            #expect(try Database.verify(at: path).isSound)
            do {
                let reading = try Database.open(at: path, options: Options { $0.access = .readOnly })
                try reading.replay { _ in }
                try reading.close()
            }
            #expect(try Self.open(in: path) == [])
        }

        private static func use(_ path: String, _ round: Int) throws {
            let document = #"{"text":"\#(String(repeating: "x", count: 9_000))"}"#
            let db = try Database.open(at: path, options: Options { $0.segmentSizeBytes = 64 << 10 })
            #expect(try !Self.open(in: path).isEmpty, "the question would find what it asks for")
            let transaction = try db.begin()
            try transaction.upsert("t", "open", json: document)
            for key in 0..<20 as Range<Int64> { try db.upsert("t", .integer(key), json: document, persistence: .process) }
            if round > 0 { transaction.rollback() }
            if round > 1 { try db.seal() }
            try db.select { _ in }
            #expect(try db.document("t", 7) != nil)
            struct Enough: Error {}
            #expect(throws: Enough.self) { try db.replay { _ in throw Enough() } }
            // The last one is just dropped.
            if round < 4 { try db.close() }
        }

        @Test(arguments: ["000001", "000003", "MANIFEST-000001", "LOCK"])
        func `a database that cannot be opened has nothing open`(damaged: String) throws {
            try Fixture(name: "closed-lz4").withCopy { path in
                for name in try FileManager.default.contentsOfDirectory(atPath: path) where name.hasPrefix(damaged) {
                    if damaged == "LOCK" {
                        try FileManager.default.removeItem(atPath: path + "/" + name)
                        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: false)
                    } else {
                        try Data(repeating: 7, count: 3_000).write(to: URL(fileURLWithPath: path + "/" + name))
                    }
                }
                for _ in 0..<3 {
                    #expect(throws: LogDBError.self) { try Database.open(at: path) }
                    if damaged != "LOCK" {
                        #expect(throws: LogDBError.self) { try Database.open(at: path, options: Options { $0.access = .readOnly }) }
                        #expect(try !Database.verify(at: path).isSound)
                    }
                    #expect(try Self.open(in: path) == [])
                }
            }
        }
    }
#endif
