//===--- FixturesDocumentTests.swift - the articles keep up with the code ----===//

import Foundation
import LogDB
import LogDBFormat
import Testing

@Suite struct FixturesDocumentTests {
    private static let sources = Fixture.root.deletingLastPathComponent().appendingPathComponent("Sources")

    private func article(_ name: String) throws -> String {
        try String(contentsOf: Self.sources.appendingPathComponent("LogDB/LogDB.docc/\(name).md"), encoding: .utf8)
    }

    @Test func `every file that the architecture names exists`() throws {
        let text = try article("Architecture")
        let enumerator = try #require(FileManager.default.enumerator(atPath: Self.sources.path))
        let files = Set(enumerator.compactMap { ($0 as? String)?.split(separator: "/").last.map(String.init) })
        let named = text.matches(of: /`([A-Za-z+]+\.swift)`/).map { String($0.output.1) }
        #expect(named.count > 20)
        for name in named { #expect(files.contains(name), "\(name)") }
    }

    @Test func `every error has its place in the limits`() throws {
        let text = try article("Limits")
        for code in LogDBError.Code.allCases { #expect(text.contains("`\(code.rawValue)`"), "\(code) is not in Limits.md") }
    }

    @Test func `the numbers in Limits.md are those of the code`() throws {
        #expect(Key.maximumBytes == 65_535)
        #expect(Options().maximumDocumentBytes == 64 << 20)
        #expect(Options().maximumOpenTransactionBytes == 4 << 30)
        #expect(Options().segmentSizeBytes == 32 << 20)
        #expect(Options().memoryBudgetBytes == 64 << 20)
        #expect(Options.segmentSizeRange == (64 << 10)...(1 << 30))
        let beyond: [(inout Options) -> Void] = [
            { $0.maximumDocumentBytes = (1 << 30) + 1 },
            { $0.maximumOpenTransactionBytes = (1 << 20) - 1 },
            { $0.segmentSizeBytes = (1 << 30) + 1 },
            { $0.segmentSizeBytes = (64 << 10) - 1 },
            { $0.memoryBudgetBytes = (1 << 20) - 1 },
            { $0.persistence = .interval(.microseconds(999)) },
            { $0.persistence = .interval(.seconds(3601)) },
            { $0.codec = .lz4HC(level: 2) },
            { $0.codec = .lz4HC(level: 13) },
            { $0.codec = .zlib(level: 0) },
            { $0.codec = .zlib(level: 10) },
        ]
        for change in beyond {
            let error = #expect(throws: LogDBError.self) { try Options(change).validate() }
            #expect(error?.code == .invalidOption)
        }
        let within: [(inout Options) -> Void] = [
            { $0.maximumDocumentBytes = 1 << 30 },
            { $0.maximumOpenTransactionBytes = 1 << 20 },
            { $0.segmentSizeBytes = 64 << 10 },
            { $0.persistence = .interval(.milliseconds(1)) },
            { $0.persistence = .interval(.seconds(3600)) },
            { $0.codec = .lz4HC(level: 12) },
            { $0.codec = .zlib(level: 9) },
        ]
        for change in within { try Options(change).validate() }
        #expect(JSONGrammar.maximumNestingDepth == 1000)
    }

    @Test func `the bounds of names and keys in Limits.md hold`() throws {
        try withFixtureFolder { folder in
            let database = try Database.open(at: folder + "/db", options: Options { $0.persistence = .process })
            defer { try? database.close() }
            try database.upsert(String(repeating: "t", count: 255), .string(String(repeating: "k", count: 65_535)), json: "{}")
            func code(_ body: () throws(LogDBError) -> Void) -> LogDBError.Code? {
                do throws(LogDBError) { try body() } catch { return error.code }
                return nil
            }
            let tooLong = Key.string(String(repeating: "k", count: 65_536))
            #expect(code { () throws(LogDBError) in try database.upsert("t", tooLong, json: "{}") } == .keyTooLarge)
            for name in ["", String(repeating: "t", count: 256), "a\u{7}b"] {
                #expect(code { () throws(LogDBError) in try database.upsert(name, "k", json: "{}") } == .invalidTableName)
            }
            let deep = String(repeating: #"{"a":"#, count: 1000) + "1" + String(repeating: "}", count: 1000)
            try database.upsert("t", "deep", json: deep)
            #expect(code { () throws(LogDBError) in try database.upsert("t", "deeper", json: "{\"a\":\(deep)}") } == .invalidDocument)
            // As Limits.md says of Unicode: keys by bytes, tables by Swift's equality.
            try database.upsert("caf\u{e9}", "\u{e9}", json: #"{"form":"C"}"#)
            try database.upsert("cafe\u{301}", "e\u{301}", json: #"{"form":"D"}"#)
            #expect(try database.tables.filter { $0.hasPrefix("caf") }.count == 1)
            #expect(try database.document("caf\u{e9}", "\u{e9}") == Array(#"{"form":"C"}"#.utf8))
            #expect(try database.document("caf\u{e9}", "e\u{301}") == Array(#"{"form":"D"}"#.utf8))
        }
    }
}
