//===--- Runner.swift - carries out a workload and keeps the model true ----===//

import LogDB
import LogDBFile
import LogDBSimulation
import Synchronization

/// Drives one database through steps, from one thread.
final class Runner {
    private static let numbers = Atomic<Int>(0)

    let disk: SimulatedDisk
    /// The disk's, or one that tells of what is done to it.
    let directory: any Directory
    let ledger: Ledger
    let options: Options
    private(set) var db: Database?
    /// Whether the last step was a commit.
    private(set) var hasAttemptedCommit = false
    private var transactions: [String: (transaction: Transaction, number: Int)] = [:]
    private var counters: [Key: Counter] = [:]
    /// For the test of tests: writes at `.process` are taken for writes at `.disk`.
    var takesProcessForDisk = false

    init(_ disk: SimulatedDisk, _ ledger: Ledger, _ options: Options, directory: (any Directory)? = nil) {
        self.disk = disk
        self.directory = directory ?? disk.directory()
        self.ledger = ledger
        self.options = options
    }

    /// Opens the database, which must hold what the model says, and tells the model which of the possible pasts it was.
    func open() throws {
        let db = try Database.open(directory, path: "simulated", options: options)
        self.db = db
        let (frames, floor) = ledger.withLock { ($0.frames, $0.marks.process) }
        let count = try Check.identify(db, frames, floor: floor)
        ledger.withLock { $0.resolve(to: count) }
    }

    /// Carries out one step. A thrown `LogDBError` is the engine's; a `Violation` says that it did what it must not.
    func perform(_ step: Step) throws {
        guard let db else { return }
        // Dropping a table that a crash has taken, or that never was, is refused.
        if case .dropTable(let name, _) = step, !ledger.withLock({ $0.tables.contains(name) }) { return }
        // So is releasing a savepoint that is not there, and making one twice.
        switch step {
        case .savepoint(let name, _) where ledger.withLock({ Model.contents($0.frames[...]).savepoints[name] != nil }): return
        case .release(let name, _) where ledger.withLock({ Model.contents($0.frames[...]).savepoints[name] == nil }): return
        default: break
        }
        hasAttemptedCommit = false
        let now = options.clock?.milliseconds ?? 0
        let frame = ledger.withLock { $0.attempt(step, at: now) }
        var sequence: UInt64?
        var level = Persistence.disk
        switch step {
        case .write(let change, let persistence):
            level = persistence
            if let document = change.document {
                sequence = try db.upsert(
                    change.table, change.key, json: document.span, timeToLive: change.timeToLive, persistence: persistence)
            } else {
                sequence = try db.delete(change.table, change.key, persistence: persistence)
            }
        case .batch(let changes, let persistence):
            level = persistence
            var batch = Batch()
            for change in changes {
                if let document = change.document {
                    try batch.upsert(change.table, change.key, json: document.span, timeToLive: change.timeToLive)
                } else {
                    try batch.delete(change.table, change.key)
                }
            }
            sequence = try db.write(batch, persistence: persistence)?.upperBound
        case .createTable(let name, let persistence):
            level = frame == nil ? .process : persistence
            try db.createTable(name, persistence: persistence)
        case .dropTable(let name, let persistence):
            level = persistence
            sequence = try db.dropTable(name, persistence: persistence)
        case .setSchema(let name, let schema, let persistence):
            level = persistence
            let change = try db.setSchema(name, documents: try Schema(json: schema), persistence: persistence)
            guard change.isNew == (frame != nil) else { throw Violation("\(step) says \(change)") }
        case .savepoint(let name, let persistence):
            level = persistence
            sequence = try db.savepoint(name, persistence: persistence).sequenceNumber
        case .release(let name, let persistence):
            level = persistence
            sequence = try db.releaseSavepoint(name, persistence: persistence)
        case .retain(let name, let retention, let persistence):
            level = persistence
            try db.setRetention(retention, of: name, persistence: persistence)
        case .live(let name, let time, let persistence):
            level = persistence
            try db.setTimeToLive(time.map { .milliseconds($0) }, of: name, persistence: persistence)
        case .tick(let milliseconds):
            try db.seal()
            options.clock?.milliseconds += milliseconds
        case .flush: try db.flush(to: .disk)
        case .seal: try db.seal()
        case .compact(let ceiling, let stopAfter): try compact(db, ceiling, stopAfter)
        case .reopen:
            try close()
            try open()
            return
        case .begin(let name):
            if transactions[name] == nil { transactions[name] = (try db.begin(), Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue) }
            return
        case .change(let name, let change): return try perform(change, in: name)
        case .commit(let name, let persistence):
            guard let open = transactions.removeValue(forKey: name) else { return }
            level = persistence
            hasAttemptedCommit = true
            ledger.withLock { $0.attemptCommit(of: open.number) }
            try open.transaction.commit(persistence: persistence)
        case .rollback(let name):
            transactions.removeValue(forKey: name)?.transaction.rollback()
            return
        case .expired(let name): return try checkExpired(name)
        case .count(let key, let persistence): return try count(key, persistence)
        }
        if takesProcessForDisk { level = .disk }
        if let frame, let sequence, sequence != frame.lastSequence {
            throw Violation("\(step) returned number \(sequence), not \(frame.lastSequence)")
        }
        ledger.withLock { $0.acknowledge(level) }
    }

    private struct Stopped: Error {}

    private func compact(_ db: Database, _ ceiling: UInt64?, _ stopAfter: Int?) throws {
        var compaction = CompactionOptions()
        compaction.maximumExtraBytes = ceiling
        var reports = 0
        do {
            try db.compact(compaction) { _ in
                reports += 1
                if let stopAfter, reports > stopAfter { throw Stopped() }
            }
        } catch is Stopped {
        } catch let error as LogDBError where error.code == .insufficientSpace && ceiling != nil {}
    }

    /// A step of a counter, which goes on where the model says that it stood.
    private func count(_ key: Key, _ persistence: Persistence) throws {
        guard let db else { return }
        let counter = try counters[key] ?? db.counter("counters", key, field: "n")
        let document = Array(#"{"n":\#(counter.value + 1)}"#.utf8)
        if counters[key] == nil {
            let now = options.clock?.milliseconds ?? 0
            let stood = ledger.withLock {
                Model.contents($0.frames[...], at: now).live.last { $0.change.table == "counters" && $0.change.key == key }
            }
            let expected = Array(#"{"n":\#(counter.value)}"#.utf8)
            guard stood.map({ $0.change.document == expected }) ?? (counter.value == 0) else {
                throw Violation("the counter \(key) goes on at \(counter.value)")
            }
        }
        counters[key] = counter
        _ = ledger.withLock { $0.attempt(.write(Change(table: "counters", key: key, document: document), persistence)) }
        try counter.increment(persistence: persistence)
        ledger.withLock { $0.acknowledge(takesProcessForDisk ? .disk : persistence) }
    }

    private func checkExpired(_ name: String) throws {
        guard let open = transactions.removeValue(forKey: name) else { return }
        do {
            try open.transaction.commit(persistence: .process)
            throw Violation("a transaction that grew too large commits")
        } catch let error as LogDBError {
            guard error.code == .transactionTooLarge else { throw error }
        }
    }

    private func perform(_ change: Change, in name: String) throws {
        guard let open = transactions[name] else { return }
        let now = options.clock?.milliseconds ?? 0
        let frame = ledger.withLock { $0.attempt(change, in: open.number, at: now) }
        let sequence: UInt64
        if let document = change.document {
            sequence = try open.transaction.upsert(change.table, change.key, json: document.span, timeToLive: change.timeToLive)
        } else {
            sequence = try open.transaction.delete(change.table, change.key)
        }
        guard sequence == frame.lastSequence else { throw Violation("in a transaction: number \(sequence), not \(frame.lastSequence)") }
        // Reads inside see the transaction's own operations.
        let seen = try open.transaction.document(change.table, change.key)
        guard seen == change.seen(at: now).document else { throw Violation("a transaction does not see what it wrote to \(change.key)") }
    }

    /// A transaction that a failure met is of no use any more.
    func rollBackAll() {
        for open in transactions.values { open.transaction.rollback() }
        transactions = [:]
    }

    /// Closes the database. When it says it could, everything is on the disk.
    func close() throws {
        guard let db else { return }
        defer {
            self.db = nil
            transactions = [:]
            counters = [:]
        }
        try db.close()
        ledger.withLock { $0.acknowledge(.disk) }
    }

    /// Lets go of the database whatever it says.
    func abandon() {
        try? db?.close()
        transactions = [:]
        counters = [:]
        db = nil
    }
}
