//===--- FixturesFolder.swift - the golden databases, and what they say ----===//
//
//      Fixtures/v1/NAME/db/…                       a database as an earlier build of LogDB left it
//      Fixtures/v1/NAME/expected.ndjson            what `logdb dump` must print
//      Fixtures/v1/NAME/expected-operations.ndjson what `logdb dump --operations` must print
//      Fixtures/v1/NAME/*.ndjson.gz                the same, where they are large
//      Fixtures/v1/damaged.json                    damage, and the error that each must give
//
// Nothing here changes a fixture: whoever needs to write works on a copy.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct Fixture: Sendable, CustomTestStringConvertible {
    let name: String

    static let all = [
        "closed-none", "closed-lz4", "closed-lz4hc-9", "closed-zlib-6", "codecs", "killed", "killed-ring", "torn", "recovered",
        "large-document", "handmade", "transactions", "compacted-none", "compacted-lz4", "compacted-lz4hc-9", "compacted-zlib-6",
        "compacted-tail",
        "compacted-dropped", "compacted-large", "compacting", "compacting-killed", "history",
    ].map(Fixture.init)

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures")
    static let v1 = root.appendingPathComponent("v1")

    var testDescription: String { name }
    var folder: URL { Self.v1.appendingPathComponent(name) }
    var path: String { folder.appendingPathComponent("db").path }

    enum Expectation: String {
        case dump = "expected.ndjson"
        case operations = "expected-operations.ndjson"
        /// At the savepoint of the fixture that has one.
        case savepoint = "expected-savepoint.ndjson"
    }

    /// What the fixture must read as.
    func expected(_ expectation: Expectation) throws -> [UInt8] {
        let plain = folder.appendingPathComponent(expectation.rawValue)
        if FileManager.default.fileExists(atPath: plain.path) { return [UInt8](try Data(contentsOf: plain)) }
        let packed = [UInt8](try Data(contentsOf: plain.appendingPathExtension("gz")))
        var end = ByteReader(packed.span.extracting((packed.count - 4)...))
        var output = ByteBuffer()
        try Container.gzip.makeDecompressor().decompress(packed.span, rawLength: Int(try end.u32()), into: &output)
        return Array(output.span)
    }

    /// Runs `body` with the path of a copy that may be changed.
    func withCopy<Result>(_ body: (String) throws -> Result) throws -> Result {
        try withFixtureFolder { folder in
            try FileManager.default.copyItem(atPath: path, toPath: folder + "/db")
            return try body(folder + "/db")
        }
    }
}

/// Runs `body` with a new empty folder, and removes it afterwards.
func withFixtureFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "logdb-fixtures-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

/// A database as lines, exactly as the command prints them.
enum FixtureLines {
    static func dump(_ database: Database) throws -> [UInt8] {
        var lines: [UInt8] = []
        var waiting = Set(try database.tables)
        try database.select { operation in
            if waiting.remove(operation.table) != nil { try appendTable(operation.table, database, to: &lines) }
            append("{", operation.table, try operation.key, to: &lines)
            append(document: Array(operation.document), expires: operation.expires, to: &lines)
        }
        for table in waiting.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            try appendTable(table, database, to: &lines)
        }
        return lines
    }

    private static func appendTable(_ table: String, _ database: Database, to lines: inout [UInt8]) throws {
        try appendSchema(of: table, database, to: &lines)
        let rule: String
        switch try database.retention(of: table) {
        case .latest: return
        case .all: rule = "\"all\""
        case .versions(let count): rule = "\"versions\",\"count\":\(count)"
        case let other:
            Issue.record("no fixture has a table that retains \(other)")
            return
        }
        lines += Array("{\"table\":".utf8)
        JSONText.append(table, to: &lines)
        lines += Array(",\"retention\":{\"keep\":\(rule)}}\n".utf8)
    }

    /// The line of a table's schema, if it asks anything.
    private static func appendSchema(of table: String, _ database: Database, to lines: inout [UInt8]) throws {
        guard let schema = try database.schema(of: table), !schema.isWideOpen else { return }
        lines += Array("{\"table\":".utf8)
        JSONText.append(table, to: &lines)
        if let keys = schema.keys { lines += Array(",\"keys\":\"\(keys.rawValue)\"".utf8) }
        if schema.assertsFormats { lines += Array(",\"formats\":true".utf8) }
        lines += Array(",\"schema\":".utf8) + (schema.text ?? Array("null".utf8)).map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        lines += Array("}\n".utf8)
    }

    static func operations(_ database: Database) throws -> [UInt8] {
        var lines: [UInt8] = []
        try database.replay { operation in
            append(
                sequence: operation.sequenceNumber, time: operation.milliseconds, operation.table, try operation.key,
                document: operation.isDelete ? nil : Array(operation.document), expires: operation.expires, to: &lines)
        }
        return lines
    }

    static func append(
        sequence: UInt64, time: Int64, _ table: String, _ key: Key, document: [UInt8]?, expires: Int64? = nil, to lines: inout [UInt8]
    ) {
        append("{\"sequence\":\(sequence),\"time\":\(time),", table, key, to: &lines)
        if let document { append(document: document, expires: expires, to: &lines) } else { lines += Array(",\"delete\":true}\n".utf8) }
    }

    static func append(_ start: String, _ table: String, _ key: Key, to lines: inout [UInt8]) {
        lines += Array("\(start)\"table\":".utf8)
        JSONText.append(table, to: &lines)
        lines += Array(",\"key\":".utf8)
        switch key {
        case .integer(let number): lines += Array(String(number).utf8)
        case .string(let text): JSONText.append(text, to: &lines)
        }
    }

    static func append(document: [UInt8], expires: Int64? = nil, to lines: inout [UInt8]) {
        lines += Array(",\"value\":".utf8)
        lines += document.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        if let expires { lines += Array(",\"expires\":\(expires)".utf8) }
        lines += Array("}\n".utf8)
    }

    /// Says where two runs of lines part, instead of printing both.
    static func expectSame(_ found: [UInt8], _ expected: [UInt8], _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard found != expected else { return }
        let pairs = zip(found.split(separator: 0x0A), expected.split(separator: 0x0A)).enumerated()
        let first = pairs.first { $0.element.0 != $0.element.1 }
        let lines = first.map { "line \($0.offset + 1) is \(excerpt($0.element.0)), expected \(excerpt($0.element.1))" }
        Issue.record(
            "\(what): \(lines ?? "\(found.count) bytes instead of \(expected.count), one a beginning of the other")",
            sourceLocation: sourceLocation)
    }

    private static func excerpt(_ line: ArraySlice<UInt8>) -> String { String(decoding: line.prefix(300), as: UTF8.self) }
}

extension Database {
    static func openFixture(_ path: String) throws -> Database {
        try Database.open(at: path, options: Options { $0.access = .readOnly })
    }
}
