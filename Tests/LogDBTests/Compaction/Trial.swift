//===--- Trial.swift - random acts against a dictionary --------------------===//
//
// One thread, a simulated disk that never crashes, and a model that says after each act what there must be (see Model.swift).
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation

struct Trial {
    let options: Options
    let acts: [Act]

    init(seed: UInt64) {
        var inventor = Inventor(seed: seed)
        options = inventor.options()
        acts = inventor.acts()
    }

    /// What is wrong; nil if nothing is.
    func failure() -> String? { Self.failure(of: acts, options) }

    /// The fewest and simplest of the acts that still fail.
    func shrunk() -> [Act] {
        LogDBTests.shrunk(acts, simpler: \.simpler) { Self.failure(of: $0, options) != nil }
    }

    static func failure(of acts: [Act], _ options: Options) -> String? {
        let performance = Performance(options)
        var number = 0
        do {
            try performance.runner.open()
            for act in acts {
                try performance.perform(act)
                number += 1
            }
            try performance.end()
            return nil
        } catch {
            performance.runner.abandon()
            return "act \(number)\(number < acts.count ? " (\(acts[number]))" : ""): \(error)"
        }
    }
}

private final class Performance {
    private let disk = SimulatedDisk(model: .ext4Like)
    private let directory: HookedDirectory
    private let ledger = Ledger(Model())
    private let options: Options
    let runner: Runner

    init(_ options: Options) {
        self.options = options
        directory = HookedDirectory(disk.directory())
        runner = Runner(disk, ledger, options, directory: directory)
    }

    func perform(_ act: Act) throws {
        guard let db = runner.db else { return }
        switch act {
        case .step(let step): try runner.perform(step)
        case .compact(let ceiling, let stopAfter, let meanwhile): try compact(db, ceiling, stopAfter, meanwhile)
        case .select, .get, .load, .check: try Self.ask(act, db, ledger)
        }
    }

    /// Closes; what is there then must be the same for the next opening, and for one that only reads.
    func end() throws {
        try runner.close()
        try runner.open()
        try Check.attempt("a last look") { try Self.ask(.check, runner.db!, ledger) }
        try Check.noLeftovers(disk, runner.db!)
        try runner.close()
        try Check.atRest(disk, ledger.withLock { $0.frames }, options)
    }

    private struct Stopped: Error {}

    private func compact(_ db: Database, _ ceiling: UInt64?, _ stopAfter: Int?, _ meanwhile: [Act]) throws {
        var compaction = CompactionOptions()
        compaction.maximumExtraBytes = ceiling
        let questions = meanwhile.filter { if case .step = $0 { false } else { true } }
        let wrong = Monitor<(any Error)?>(nil)
        // One that compacts by itself writes segments in a thread of its own, where the model may be ahead.
        if !questions.isEmpty, options.compaction == .manual {
            let asked = Monitor(0)
            directory.set {
                $0.beforeWrite = { [ledger] name in
                    guard name.contains(".base.") else { return }
                    let number = asked.withLock { asked in
                        asked += 1
                        return asked
                    }
                    do { try Self.ask(questions[number % questions.count], db, ledger) } catch { wrong.withLock { $0 = error } }
                }
            }
        }
        defer { directory.set { $0.beforeWrite = nil } }
        var reports = 0
        var rest = meanwhile[...]
        var done: UInt64 = 0
        do {
            let report = try db.compact(compaction) { progress in
                guard progress.bytesDone >= done, progress.bytesDone <= progress.bytesPlanned else {
                    throw Violation("progress goes from \(done) to \(progress.bytesDone) of \(progress.bytesPlanned)")
                }
                done = progress.bytesDone
                reports += 1
                if let stopAfter, reports > stopAfter { throw Stopped() }
                if let act = rest.popFirst() { try perform(act) }
            }
            if let ceiling, report.peakExtraBytes > ceiling {
                throw Violation("\(report.peakExtraBytes) bytes more were taken, \(ceiling) were allowed")
            }
        } catch is Stopped {
        } catch let error as LogDBError where error.code == .insufficientSpace && ceiling != nil {}
        if let error = wrong.withLock({ $0 }) { throw Violation("while a segment was written: \(error)") }
        for act in rest { try perform(act) }
    }

    /// Asks the database and the model.
    private static func ask(_ act: Act, _ db: Database, _ ledger: Ledger) throws {
        let frames = ledger.withLock { $0.frames }
        switch act {
        case .check:
            try Check.identify(db, frames, floor: frames.count)
        case .get(let table, let key):
            let expected = Model.contents(frames[...]).live.first { $0.change.table == table && $0.change.key == key }
            guard try db.document(table, key) == expected?.change.document else { throw Violation("another document") }
        case .select(let table, let keys):
            let expected = selected(keys, of: Model.contents(frames[...]).live.filter { $0.change.table == table })
            var found: [Seen] = []
            try db.select(table, keys) { operation in
                let change = Change(table: operation.table, key: try operation.key, document: Array(operation.document))
                found.append(Seen(sequence: operation.sequenceNumber, change: change))
            }
            guard found == expected else {
                throw Violation("\(found.map(\.change.key)) are selected, expected \(expected.map(\.change.key)), or other documents")
            }
        case .load(let table): try load(table, db, frames)
        case .step, .compact: preconditionFailure("no question")
        }
    }

    /// Loads a table in both ways.
    private static func load(_ table: String, _ db: Database, _ frames: [ModelFrame]) throws {
        var expected: [Key: [UInt8]] = [:]
        for seen in Model.contents(frames[...]).live where seen.change.table == table { expected[seen.change.key] = seen.change.document }
        var found: [Key: [UInt8]] = [:]
        for (key, document) in try db.loadAll(table) { found[key] = document.array }
        var filled: [Key: [UInt8]] = [:]
        try db.load(table, into: &filled)
        for (found, way) in [(found, "loaded"), (filled, "in the dictionary")] where found != expected {
            throw Violation("\(found.keys.sorted()) are \(way), expected \(expected.keys.sorted()), or other documents")
        }
    }

    /// What `keys` means, said as plainly as possible.
    private static func selected(_ keys: KeySelection, of live: [Seen]) -> [Seen] {
        let inRange = live.filter { seen in
            let key = seen.change.key
            if let from = keys.from, key < from { return false }
            if let to = keys.to, key >= to { return false }
            guard let prefix = keys.prefix else { return true }
            guard case .string(let text) = key else { return false }
            return text.utf8.starts(with: prefix.utf8)
        }
        let sorted = inRange.sorted { $0.change.key < $1.change.key }
        return Array((keys.isReversed ? sorted.reversed() : sorted).prefix(keys.limit))
    }
}
