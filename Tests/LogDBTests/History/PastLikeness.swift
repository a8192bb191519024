//===--- PastLikeness.swift - two databases with one past -------------------===//
//
// The documents, versions, savepoints and past states of two databases are compared; sequence numbers may differ.
//===-----------------------------------------------------------------------===//

import LogDB

struct PastLikeness {
    let original: Database
    let copy: Database

    /// What is told of a moment: the documents of each table, or nil where that is refused.
    private struct Told: Equatable {
        var all: [String: [Key: [UInt8]]]?
        var tables: [String: [Key: [UInt8]]?] = [:]
        var instants: [String: Int64] = [:]
    }

    /// Throws what is different.
    ///
    /// - Parameter times: of which states are compared.
    func check(tables: [String], times: [Int64]) throws {
        let (a, b) = (try Self.contents { try original.select(nil, $0) }, try Self.contents { try copy.select(nil, $0) })
        guard a == b else {
            let keys = Set(a.keys).union(b.keys).sorted().map { "\($0): \(a[$0]?.keys.sorted() ?? []) and \(b[$0]?.keys.sorted() ?? [])" }
            throw Violation("the copy has other documents: \(keys)")
        }
        guard try original.tables == copy.tables else { throw Violation("the copy has other tables") }
        for table in try original.tables {
            guard try original.retention(of: table) == copy.retention(of: table) else { throw Violation("\(table) retains something else") }
            let (a, b) = (try original.schemaHistory(of: table), try copy.schemaHistory(of: table))
            guard a.map(\.text) == b.map(\.text), a.map(\.milliseconds) == b.map(\.milliseconds) else {
                throw Violation("\(table) has other schemas")
            }
        }
        let savepoints = try original.savepoints
        guard try copy.savepoints.map(\.name) == savepoints.map(\.name),
            try copy.savepoints.map(\.milliseconds) == savepoints.map(\.milliseconds)
        else { throw Violation("the copy has other savepoints") }
        for savepoint in savepoints { try compare(.savepoint(savepoint.name), tables, mustBeTold: true) }
        for time in times { try compare(.time(milliseconds: time), tables, mustBeTold: false) }
        try compareHistories()
    }

    private func compare(_ moment: Moment, _ tables: [String], mustBeTold: Bool) throws {
        let (a, b) = (try Self.told(original, moment, tables), try Self.told(copy, moment, tables))
        guard !mustBeTold || a.all != nil else { throw Violation("\(moment) is not told") }
        if a == b { return }
        for table in tables where a.tables[table] != b.tables[table] {
            func described(_ told: [Key: [UInt8]]??) -> String {
                told.map { $0.map { "\($0.keys.sorted())" } ?? "refused" } ?? "nothing"
            }
            throw Violation("\(table) as of \(moment): \(described(a.tables[table])) became \(described(b.tables[table]))")
        }
        throw Violation("as of \(moment) the copy tells something else: \(a.all == nil) \(b.all == nil) \(a.instants) \(b.instants)")
    }

    private static func told(_ database: Database, _ moment: Moment, _ tables: [String]) throws -> Told {
        let state = try database.state(asOf: moment)
        var result = Told()
        result.all = try unlessRefused { try contents { try state.select(nil, $0) } }
        for table in tables {
            result.tables[table] = try unlessRefused { try contents { try state.select(table, $0) }[table] ?? [:] }
            result.instants[table] = try unlessRefused { try state.instant(of: table) } ?? nil
        }
        return result
    }

    private static func unlessRefused<Result>(_ body: () throws -> Result) throws -> Result? {
        do { return try body() } catch let error as LogDBError where error.code == .historyIncomplete { return nil }
    }

    private func compareHistories() throws {
        var keys: [String: Set<Key>] = [:]
        try original.replay { keys[$0.table, default: []].insert(try $0.key) }
        for (table, keys) in keys {
            for key in keys {
                let a = try original.history(of: key, in: table).map { ($0.milliseconds, $0.document) }
                let b = try copy.history(of: key, in: table).map { ($0.milliseconds, $0.document) }
                guard a.count == b.count, zip(a, b).allSatisfy({ $0 == $1 }) else {
                    throw Violation("\(table)/\(key) has the versions \(b.map(\.0)), not \(a.map(\.0))")
                }
            }
        }
    }

    static func contents(_ select: ((borrowing Operation) throws -> Void) throws -> Void) throws -> [String: [Key: [UInt8]]] {
        var result: [String: [Key: [UInt8]]] = [:]
        try select { operation in
            result[operation.table, default: [:]][try operation.key] = Array(operation.document)
        }
        return result
    }
}
