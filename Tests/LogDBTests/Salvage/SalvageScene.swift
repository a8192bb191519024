//===--- SalvageScene.swift - a database in a folder, damaged and salvaged ----===//
//
// Written through the API with a model beside it, hurt as files are hurt, salvaged through the API. A test says which operations its damage took along; all
// else must be in the new database, and it must be a database like any other.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import Testing

final class SalvageScene {
    struct Written {
        var sequence: SequenceNumber
        var table: String
        var key: Key
        /// nil: deleted.
        var document: String?
    }

    let folder = TemporaryFolder()
    /// Operations that count, on tables that are there in the end.
    private(set) var written: [Written] = []
    private(set) var tables: Set<String> = []
    /// Numbers of the operations that each file accounts for, as the sound database said.
    private(set) var numbers: [String: ClosedRange<SequenceNumber>] = [:]
    /// How many there are in it.
    private(set) var counts: [String: UInt64] = [:]
    private var author = Author(seed: 71)

    var old: String { folder("old") }
    var new: String { folder("new") }

    /// Fills a database, and closes it or leaves it as it is when its writer is killed.
    init(_ options: Options = small(), isKilled: Bool = false, _ fill: (SalvageScene, Database) throws -> Void) throws {
        var db = try Database.open(at: old, options: options)
        try fill(self, db)
        if isKilled {
            folder.copy("old", to: "killed")
            try db.close()
            folder.copy("killed", to: "old")
        } else {
            try db.close()
        }
        var reading = options
        reading.access = .readOnly
        db = try Database.open(at: old, options: reading)
        for file in try db.statistics().files where file.operations > 0 {
            numbers[file.name] = file.firstSequenceNumber...file.lastSequenceNumber
            counts[file.name] = file.operations
        }
        try db.close()
    }

    // MARK: - Writing

    private func document(_ byteCount: Int) -> String { String(decoding: author.document(byteCount), as: UTF8.self) }

    @discardableResult
    func put(_ db: Database, _ table: String, _ key: Key, _ byteCount: Int = 2000, _ level: Persistence? = nil) throws -> Written {
        let document = document(byteCount)
        let sequence = try db.upsert(table, key, json: document, persistence: level)
        return note(Written(sequence: sequence, table: table, key: key, document: document))
    }

    @discardableResult
    func remove(_ db: Database, _ table: String, _ key: Key) throws -> Written {
        note(Written(sequence: try db.delete(table, key), table: table, key: key))
    }

    /// An operation of a transaction: counts once it is noted.
    func make(_ transaction: Transaction, _ table: String, _ key: Key, _ byteCount: Int = 2000) throws -> Written {
        let document = document(byteCount)
        return Written(sequence: try transaction.upsert(table, key, json: document), table: table, key: key, document: document)
    }

    @discardableResult
    func note(_ one: Written) -> Written {
        written.append(one)
        tables.insert(one.table)
        return one
    }

    func drop(_ db: Database, _ table: String) throws {
        try db.dropTable(table)
        written.removeAll { $0.table == table }
        tables.remove(table)
    }

    /// What a database without the operations that `isLost` names holds.
    func expected(without isLost: (Written) -> Bool = { _ in false }) -> [String: [Key: String]] {
        var result: [String: [Key: String]] = [:]
        for one in written.sorted(by: { $0.sequence < $1.sequence }) where !isLost(one) {
            result[one.table, default: [:]][one.key] = one.document
        }
        return result.filter { !$0.value.isEmpty }
    }

    // MARK: - Files

    var files: [String] { folder.files("old") }
    var sealed: [String] { files.filter { $0.contains(".seg.") } }
    var raw: [String] { files.filter { $0.hasSuffix(".log") } }
    var bases: [String] { files.filter { $0.contains(".base.") } }
    var manifest: String { files.last { $0.hasPrefix("MANIFEST") }! }

    func bytes(_ file: String) -> [UInt8] { folder.bytes(file, in: "old") }
    func write(_ bytes: [UInt8], to file: String) { folder.write(bytes, to: file, in: "old") }
    func delete(_ file: String) throws { try FileManager.default.removeItem(atPath: old + "/" + file) }
    func flip(_ offset: Int, of file: String) {
        var bytes = bytes(file)
        bytes[offset] ^= 0x10
        write(bytes, to: file)
    }
    func truncate(_ file: String, to byteCount: Int) { write(Array(bytes(file).prefix(byteCount)), to: file) }

    /// The raw file in which an operation lies, and where its document begins there.
    func place(of one: Written) throws -> (file: String, offset: Int) {
        let pattern = Data(one.document!.utf8)
        for file in raw {
            if let range = Data(bytes(file)).range(of: pattern) { return (file, range.lowerBound) }
        }
        throw SalvageSceneError("operation \(one.sequence) is in no raw file")
    }

    // MARK: - Salvaging

    /// Salvages, and checks all that must hold of any salvage.
    ///
    /// - Parameter isLost: which operations the new database must not have; it must have all others.
    @discardableResult
    func salvage(without isLost: (Written) -> Bool = { _ in false }) throws -> SalvageReport {
        try salvage(expecting: expected(without: isLost))
    }

    @discardableResult
    func salvage(expecting expected: [String: [Key: String]]) throws -> SalvageReport {
        let before = Dictionary(uniqueKeysWithValues: files.map { ($0, bytes($0)) })
        let report = try Database.salvage(at: old, into: new, options: small())
        let after = Dictionary(uniqueKeysWithValues: files.map { ($0, bytes($0)) })
        #expect(before == after, "the old folder was changed")

        #expect(try verification(), "the new database is not sound")
        var db = try Database.open(at: new, options: small())
        #expect(db.recovery.wasClosed)
        var contents = try contents(db)
        let difference = Self.difference(contents, expected)
        #expect(difference.isEmpty, "\(difference.prefix(10).joined(separator: ", "))\n\(Self.lines(report))")
        #expect(try report.tables.map(\.name) == db.tables.sorted())
        // A database like any other.
        try db.upsert("written later", "k", json: #"{"later":true}"#)
        contents["written later"] = ["k": #"{"later":true}"#]
        try db.close()
        db = try Database.open(at: new, options: small())
        #expect(try LogDBTests.contents(db) == contents)
        try db.close()
        #expect(try verification())
        return report
    }

    private func verification() throws -> Bool {
        let report = try Database.verify(at: new)
        return report.isSound && report.remarks.isEmpty
    }

    private static func difference(_ contents: [String: [Key: String]], _ expected: [String: [Key: String]]) -> [String] {
        var result: [String] = []
        for table in Set(contents.keys).union(expected.keys).sorted() {
            let (a, b) = (contents[table] ?? [:], expected[table] ?? [:])
            for key in Set(a.keys).union(b.keys).sorted() where a[key] != b[key] {
                result.append("\(table)/\(key) is \(a[key]?.prefix(12) ?? "absent"), not \(b[key]?.prefix(12) ?? "absent")")
            }
        }
        return result
    }

    static func lines(_ report: SalvageReport) -> String {
        (report.findings.map(\.description) + report.remarks.map { "remark: \($0)" }).joined(separator: "\n")
    }
}

struct SalvageSceneError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

extension SalvageReport {
    var lost: [SalvageFinding] { findings.filter { $0.severity == .lost } }
    var uncertain: [SalvageFinding] { findings.filter { $0.severity == .uncertain } }
}

extension SalvageFinding {
    var numbers: ClosedRange<SequenceNumber>? {
        guard let first = firstSequenceNumber, let last = lastSequenceNumber, first <= last else { return nil }
        return first...last
    }
}
