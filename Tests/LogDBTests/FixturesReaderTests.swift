//===--- FixturesReaderTests.swift - the format page is true ---------------===//
//
// A second reader, Fixtures/reader/logdb_read.py, knows the format from the FileFormat article alone. It must read what the engine
// reads, on every fixture and on databases written a moment ago. Where they part, the article or one of them is wrong.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import Testing

/// What the second reader said.
struct SecondReader {
    var status: Int32
    var output: [UInt8]
    var error: String

    /// Runs it. Without Python the test fails: that the two agree is then unknown.
    init(_ path: String, operations: Bool = false, asOf: UInt64? = nil) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = Fixture.root.appendingPathComponent("reader/logdb_read.py").path
        process.arguments = ["python3", "-B", script, path] + (operations ? ["--operations"] : []) + (asOf.map { ["--as-of=\($0)"] } ?? [])
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        try process.run()
        self.output = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        self.error = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
        if status == 127 { Issue.record("python3 is not installed, so nobody knows whether FileFormat.md is true") }
    }

    /// Expects it to read the database at `path` as the engine does.
    static func expectAgreement(on path: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let database = try Database.openFixture(path)
        defer { try? database.close() }
        for operations in [false, true] {
            let second = try SecondReader(path, operations: operations)
            #expect(second.status == 0, "\(second.error)", sourceLocation: sourceLocation)
            let first = operations ? try FixtureLines.operations(database) : try FixtureLines.dump(database)
            FixtureLines.expectSame(second.output, first, operations ? "operations" : "dump", sourceLocation: sourceLocation)
        }
    }
}

@Suite struct FixturesReaderTests {
    /// Some documents have expired when they are written, some will not before both readers are done.
    private static func timeToLive() -> TimeToLive? {
        [
            nil, nil, nil, .until(milliseconds: .random(in: 0...1_000_000)),
            .until(milliseconds: 4_102_444_800_000 + .random(in: 0...1_000_000)),
        ][
            Int.random(in: 0..<5)]
    }

    @Test func `both readers tell the savepoint of the fixture that has one`() throws {
        let fixture = Fixture(name: "history")
        let database = try Database.openFixture(fixture.path)
        defer { try? database.close() }
        let savepoint = try #require(try database.savepoints.first)
        let second = try SecondReader(fixture.path, asOf: savepoint.sequenceNumber)
        #expect(second.status == 0, "\(second.error)")
        FixtureLines.expectSame(second.output, try fixture.expected(.savepoint), "second reader")
        var lines: [UInt8] = []
        try database.state(asOf: .savepoint(savepoint.name)).select { operation in
            FixtureLines.append("{", operation.table, try operation.key, to: &lines)
            FixtureLines.append(document: Array(operation.document), to: &lines)
        }
        FixtureLines.expectSame(lines, try fixture.expected(.savepoint), "engine")
        #expect(try database.history(of: "goblin-1", in: "actors").count > 5)
    }

    @Test(arguments: Fixture.all) func `the second reader reads each fixture as expected`(_ fixture: Fixture) throws {
        let dump = try SecondReader(fixture.path)
        #expect(dump.status == 0, "\(dump.error)")
        FixtureLines.expectSame(dump.output, try fixture.expected(.dump), "dump")
        let operations = try SecondReader(fixture.path, operations: true)
        FixtureLines.expectSame(operations.output, try fixture.expected(.operations), "operations")
    }

    @Test(arguments: [Codec.none, .lz4, .lz4HC(level: 9), .zlib(level: 6)])
    func `the second reader reads a fresh database of each codec as the engine does`(_ codec: Codec) throws {
        try withFixtureFolder { folder in
            let path = folder + "/db"
            let options = Options {
                $0.codec = codec
                $0.segmentSizeBytes = 64 << 10
                $0.compaction = .manual
                $0.persistence = .process
            }
            var random = SystemRandomNumberGenerator()
            let database = try Database.open(at: path, options: options)
            for round in 0..<1500 {
                let key: Key = Bool.random() ? .integer(.random(in: -50...50)) : .string("key \(Int.random(in: 0..<50))")
                let table = ["actors", "Möbel", "📦"].randomElement(using: &random)!
                if Int.random(in: 0..<5) == 0 {
                    try database.delete(table, key)
                } else {
                    let filler = String(repeating: "save game \(Int.random(in: 0..<100)) ", count: .random(in: 0..<40))
                    try database.upsert(table, key, json: #"{"round":\#(round),"text":"\#(filler)"}"#, timeToLive: Self.timeToLive())
                }
                if round == 700 { try database.dropTable("actors") }
            }
            // Open, as a killed process would have left it.
            try SecondReader.expectAgreement(on: path)
            try database.flush(to: .disk)
            try SecondReader.expectAgreement(on: path)
            try database.close()
            try SecondReader.expectAgreement(on: path)
        }
    }

    @Test(arguments: [Codec.none, .lz4, .lz4HC(level: 9), .zlib(level: 6)])
    func `the second reader reads a compacted database of each codec, and one in the middle of it, as the engine does`(
        _ codec: Codec
    ) throws {
        try withFixtureFolder { folder in
            let path = folder + "/db"
            let options = Options {
                $0.codec = codec
                $0.segmentSizeBytes = 64 << 10
                $0.compaction = .manual
                $0.persistence = .process
            }
            let database = try Database.open(at: path, options: options)
            func write(_ count: Int) throws {
                for _ in 0..<count {
                    let number = Int.random(in: 0..<4000)
                    let key: Key = number % 2 == 0 ? .integer(Int64(number - 700)) : .string("key \(number)")
                    let table = ["actors", "Möbel"][number % 5 / 4]
                    if Int.random(in: 0..<8) == 0 {
                        try database.delete(table, key)
                    } else {
                        let filler = String(repeating: "save game \(Int.random(in: 0..<100)) ", count: .random(in: 0..<12))
                        try database.upsert(table, key, json: #"{"text":"\#(filler)"}"#, timeToLive: Self.timeToLive())
                    }
                }
            }
            struct Enough: Error {}
            func segments(of generation: UInt64) throws -> Int {
                try FixtureFrames.manifest(in: path).base.count { $0.generation == generation }
            }
            func generations() throws -> [UInt64] { Set(try FixtureFrames.manifest(in: path).base.map(\.generation)).sorted() }
            try write(9000)
            try database.compact()
            #expect(try generations() == [1])
            try SecondReader.expectAgreement(on: path)
            // Given up twice, the second time earlier: three generations are left.
            for (newest, enough) in [(UInt64(2), 3), (3, 1)] {
                try write(2000)
                if newest == 3 { try database.dropTable("Möbel") }
                #expect(throws: Enough.self) {
                    try database.compact { _ in if try segments(of: newest) >= enough { throw Enough() } }
                }
                #expect(try generations() == Array(1...newest))
                try write(100)
                try SecondReader.expectAgreement(on: path)
            }
            try database.compact()
            #expect(try generations() == [4])
            try SecondReader.expectAgreement(on: path)
            try write(50)
            try database.close()
            try SecondReader.expectAgreement(on: path)
            #expect(try Database.verify(at: path).damages == [])
        }
    }

    // An index of more than 65,024 bytes takes several gzip members.
    @Test func `the second reader reads a segment with an index of several members`() throws {
        try withFixtureFolder { folder in
            let path = folder + "/db"
            let options = Options {
                $0.codec = .zlib(level: 1)
                $0.persistence = .process
            }
            let database = try Database.open(at: path, options: options)
            for start in stride(from: 0, to: 70_000, by: 1000) {
                var batch = Batch()
                for number in start..<(start + 1000) { try batch.upsert("numbers", .integer(Int64(number)), json: "{}") }
                try database.write(batch)
            }
            try database.seal()
            try database.close()
            let second = try SecondReader(path)
            #expect(second.status == 0, "\(second.error)")
            let again = try Database.openFixture(path)
            defer { try? again.close() }
            FixtureLines.expectSame(second.output, try FixtureLines.dump(again), "dump")
        }
    }
}
