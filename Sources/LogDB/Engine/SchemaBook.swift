//===--- SchemaBook.swift - what writers must keep to -----------------------===//
//
// A document is validated before the log's lock is taken, and the schema may change before it is appended. So a writer notes the epoch, looks
// up the table's rules, validates, and appends only if under the lock the epoch is still that one; else it begins again. Whoever changes
// rules raises the epoch, under the log's lock.
//
//      writer    epoch 7 ── rules ── validate ──────────────┐ lock: epoch is 8 → again
//      change                          lock: 8 ── append ───┘
//
// Most tables have no rules: a filter of 64 bits says so for a load and a comparison, without a lock.
//===-----------------------------------------------------------------------===//

import LogDBFile
import Synchronization

/// What is written to a table must keep to: its schema, and, while a change is being checked, the one that is to come.
struct WriteRules: Sendable {
    var current: TableDefinition?
    var next: TableDefinition?

    var isEmpty: Bool { current == nil && next == nil }

    /// Proves that `json` is a document that may be written under `key`.
    func check(_ key: Key, _ json: Span<UInt8>, _ table: String) throws(LogDBError) {
        if let problem = try current?.problem(key, json) { throw Self.error(problem, key, table) }
        if let problem = try next?.problem(key, json) { throw Self.error(problem, key, table, ", by the schema that is being set") }
    }

    private static func error(_ problem: LogDBError, _ key: Key, _ table: String, _ rest: String = "") -> LogDBError {
        // Not JSON at all: the offset says where, as it does without a schema.
        if problem.code == .invalidDocument { return problem }
        let place = "under key \(TableDefinition.brief(key)) of table \(TableDefinition.brief(.string(table)))"
        return LogDBError(problem.code, "\(problem.message), \(place)\(rest)")
    }
}

final class SchemaBook: Sendable {
    private let epochs = Atomic<UInt64>(1)
    /// A bit for each table with rules; other tables may share it.
    private let filter = Atomic<UInt64>(0)
    private let rules = Monitor<[String: WriteRules]>([:])
    /// Whether a schema is being changed: one at a time.
    private let isChanging = Monitor(false)

    init(_ catalog: borrowing Catalog) {
        var all: [String: WriteRules] = [:]
        for (id, definition) in catalog.definitions where !definition.version.isWideOpen {
            guard let name = catalog.names[id] else { continue }
            all[name] = WriteRules(current: definition)
            filter.bitwiseOr(Self.bit(name), ordering: .relaxed)
        }
        rules.withLock { $0 = all }
    }

    // MARK: - For writers

    @inline(__always)
    var epoch: UInt64 { epochs.load(ordering: .acquiring) }

    /// Whether what was validated in `epoch` may be appended. Under the log's lock.
    @inline(__always)
    func isCurrent(_ epoch: UInt64) -> Bool { epochs.load(ordering: .relaxed) == epoch }

    /// The rules of a table; nil, as a rule, if there are none.
    @inline(__always)
    func rules(of table: String) -> WriteRules? {
        let filter = filter.load(ordering: .acquiring)
        if filter == 0 || filter & Self.bit(table) == 0 { return nil }
        return lookUp(table)
    }

    @inline(never)
    private func lookUp(_ table: String) -> WriteRules? { rules.withLock { $0[table] } }

    @inline(__always)
    private static func bit(_ table: String) -> UInt64 {
        let name = table.utf8
        let mixed = name.count &* 7 &+ Int(name.first ?? 0) &* 31 &+ Int(name.last ?? 0)
        return 1 &<< UInt64(mixed & 63)
    }

    // MARK: - For who changes them

    /// Changes the rules of a table. Under the log's lock: writers that validated before begin again.
    func set(_ rules: WriteRules, of table: String) {
        var newRules = rules
        if newRules.current?.version.isWideOpen == true { newRules.current = nil }
        if newRules.next?.version.isWideOpen == true { newRules.next = nil }
        let isKnown = self.rules.withLock { rules in
            let isKnown = rules[table] != nil
            rules[table] = newRules.isEmpty ? nil : newRules
            return isKnown
        }
        if newRules.isEmpty, !isKnown { return }
        // Bits stay: a table without rules that has one costs its writers a look.
        if !newRules.isEmpty { filter.bitwiseOr(Self.bit(table), ordering: .releasing) }
        epochs.wrappingAdd(1, ordering: .releasing)
    }

    /// Runs `body` while nobody else changes a schema.
    func alone<Result>(_ body: () throws(LogDBError) -> Result) throws(LogDBError) -> Result {
        isChanging.enter { lock in
            while lock.state { lock.wait() }
            lock.state = true
        }
        defer {
            isChanging.withLock { $0 = false }
            isChanging.broadcast()
        }
        return try body()
    }
}
