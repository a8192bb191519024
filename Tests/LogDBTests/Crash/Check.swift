//===--- Check.swift - is this database what it must be? -------------------===//
//
// Opens an image and compares everything that can be read with the model, then goes on using it: a recovered database must take
// writes, close, open for reading and verify as one that never crashed.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation

/// What is wrong, in one sentence.
struct Violation: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

enum Check {
    /// Proves an image of a crash.
    ///
    /// - Parameters:
    ///   - frames: those that were attempted; more cannot be there.
    ///   - floor: how many of them must be.
    /// - Returns: how many there are.
    @discardableResult
    static func image(_ disk: SimulatedDisk, _ frames: [ModelFrame], floor: Int, _ options: Options) throws -> Int {
        var model = Model(frames: frames, marks: Model.Marks(disk: floor, process: floor))
        do {
            let db = try open(disk, options)
            let count = try identify(db, frames, floor: floor)
            model.resolve(to: count)
            try noLeftovers(disk, db)
            try goOn(db, &model)
            try attempt("close") { try db.close() }
        }
        try noLeaks(disk)
        try atRest(disk, model.frames, options)
        return model.frames.count - 1
    }

    static func open(_ disk: SimulatedDisk, _ options: Options) throws -> Database {
        try attempt("open") { try Database.open(disk.directory(), path: "simulated", options: options) }
    }

    /// Writes one more document, which must be numbered as the next one.
    private static func goOn(_ db: Database, _ model: inout Model) throws {
        let document = Array(#"{"after":"the crash"}"#.utf8)
        let step = Step.write(Change(table: "after", key: "crash", document: document), .disk)
        let frame = model.attempt(step, at: db.options.clock?.milliseconds ?? 0)!
        let sequence = try attempt("a put after recovery") { try db.upsert("after", "crash", json: document.span, persistence: .disk) }
        guard sequence == frame.lastSequence else {
            throw Violation("a put after recovery got number \(sequence), \(frame.lastSequence) is next")
        }
    }

    /// A closed database: everything is there, nothing was recovered, every byte verifies.
    static func atRest(_ disk: SimulatedDisk, _ frames: [ModelFrame], _ options: Options, mayHaveLeftovers: Bool = false) throws {
        var reading = options
        reading.access = .readOnly
        do {
            let db = try attempt("open for reading") { try Database.open(disk.directory(), path: "simulated", options: reading) }
            guard db.recovery.wasClosed, db.recovery.tornBytes == 0 else {
                throw Violation("a closed database reports a recovery: \(db.recovery)")
            }
            try identify(db, frames, floor: Model.solidCount(frames))
            try attempt("close after reading") { try db.close() }
        }
        let report = try attempt("verify") { try Database.verify(disk.directory(), path: "simulated") }
        guard report.isSound, mayHaveLeftovers || report.remarks.isEmpty else {
            throw Violation("verify finds \(report.damages) \(report.remarks)")
        }
        if !mayHaveLeftovers, disk.exists("SPARE") { throw Violation("a closed database has a spare") }
        try noLeaks(disk)
    }

    /// Returns how many of `frames` are there, having compared all that can be read.
    @discardableResult
    static func identify(_ db: Database, _ frames: [ModelFrame], floor: Int) throws -> Int {
        let found = try contents(of: db)
        // Frames that append no operation leave the last number as it is: then several counts may be meant.
        let candidates = (0...frames.count).filter { ($0 == 0 ? 0 : frames[$0 - 1].lastSequence) == found.lastSequence }
        guard let last = candidates.last else {
            throw Violation("the log ends with number \(found.lastSequence), inside a frame or behind the last; frames: \(ends(frames))")
        }
        guard let count = candidates.last(where: { isExplained(found, by: Model.contents(frames[..<$0], at: found.now)) }) else {
            throw Violation("after \(last) frames: \(difference(found, Model.contents(frames[..<last], at: found.now)))")
        }
        guard count >= floor else {
            throw Violation(
                "lost: \(count) frames are there, \(floor) were acknowledged; frames: \(ends(frames)), recovery: \(db.recovery)")
        }
        try comparePast(db, frames[..<count], found)
        guard let live = Model.contents(frames[..<count], at: found.now).live.last else { return count }
        let document = try db.document(live.change.table, live.change.key)
        guard document == live.change.document else { throw Violation("get of \(live.change.key) finds something else than select") }
        return count
    }

    /// Everything that can be read. Where the database compacts itself meanwhile, once more.
    static func contents(of db: Database) throws -> Contents {
        while true {
            let result = try contentsNow(of: db)
            if try db.statistics().compactedSequenceNumber == result.compactedSequence { return result }
        }
    }

    private static func contentsNow(of db: Database) throws -> Contents {
        var result = Contents()
        let statistics = try db.statistics()
        result.now = db.options.clock?.milliseconds ?? 0
        result.lastSequence = statistics.lastSequenceNumber
        result.compactedSequence = statistics.compactedSequenceNumber
        result.tables = try db.tables
        for table in result.tables where try db.schema(of: table) != nil {
            result.schemas[table] = try db.schemaHistory(of: table).map { String(decoding: $0.text ?? [], as: UTF8.self) }
        }
        for table in result.tables {
            let retention = try db.retention(of: table)
            if retention != .latest { result.retentions[table] = retention }
        }
        for table in result.tables { result.timesToLive[table] = try db.timeToLive(of: table)?.milliseconds }
        for savepoint in try db.savepoints { result.savepoints[savepoint.name] = savepoint.sequenceNumber }
        // Of a share: it takes as long as the rest.
        let loaded = result.lastSequence % 4 == 0 ? Result { try db.loadAll() } : nil
        do {
            try db.replay { result.operations.append(try seen($0)) }
            try db.select { result.live.append(try seen($0)) }
        } catch let error as LogDBError where error.code == .corrupted {
            // What one way of reading finds damaged the other must not pass over.
            guard let loaded else { throw error }
            guard case .failure(let other as LogDBError) = loaded, other.code == error.code else {
                throw Violation("replay and select say \(error), loading says \(loaded)")
            }
            throw error
        }
        if let loaded { try compare(loaded.get(), with: result) }
        return result
    }

    /// Savepoints are exact; any other moment is told right or not at all, and told where a table keeps everything.
    private static func comparePast(_ db: Database, _ frames: ArraySlice<ModelFrame>, _ found: Contents) throws {
        guard !found.savepoints.isEmpty || !found.retentions.isEmpty else { return }
        for (name, sequence) in found.savepoints {
            var seen: [Seen] = []
            try db.state(asOf: .savepoint(name)).select { seen.append(try Self.seen($0)) }
            // It knows when it was made.
            let time = frames.first { $0.lastSequence >= sequence }?.milliseconds ?? 0
            guard seen == Model.contents(frames, through: sequence, at: time).live else {
                throw Violation("the savepoint \(name) has other documents")
            }
        }
        let last = found.lastSequence
        for sequence in Set([last / 3, last / 2, last * 3 / 4, last]).sorted() {
            let state = try db.state(asOf: .sequence(sequence))
            // The time is that of the last operation that is left: of a log that was never compacted, of the last one.
            let times = Set(frames.filter { $0.firstSequence <= sequence }.map(\.milliseconds)).union([0])
            let possible = times.map { Model.contents(frames, through: sequence, at: $0).live }
            do {
                var seen: [Seen] = []
                try state.select { seen.append(try Self.seen($0)) }
                guard possible.contains(seen) else { throw Violation("the state as of \(sequence) has other documents") }
            } catch let error as LogDBError where error.code == .historyIncomplete {}
            for (name, retention) in found.retentions where retention == .all {
                // From the last time on at which it was said, or the table made.
                let since = frames.last { frame in
                    frame.effects.contains { if case .retain(name, _) = $0 { true } else { false } }
                }
                guard let since, sequence >= since.firstSequence else { continue }
                var seen: [Seen] = []
                try state.select(name) { seen.append(try Self.seen($0)) }
                guard possible.contains(where: { seen == $0.filter { $0.change.table == name } }) else {
                    throw Violation("the state of \(name) as of \(sequence) has other documents")
                }
            }
        }
    }

    private static func compare(_ loaded: LoadedDatabase, with contents: Contents) throws {
        guard loaded.tables == contents.tables, loaded.count == contents.live.count else {
            throw Violation("\(loaded.count) documents are loaded of tables \(loaded.tables), selected \(contents.live.count)")
        }
        for seen in contents.live where loaded[seen.change.table, seen.change.key]?.array != seen.change.document {
            throw Violation("\(seen.change.table)/\(seen.change.key) is loaded otherwise than it is selected")
        }
    }

    /// Whether `found` is what there must be, of `expected`, what was never compacted.
    ///
    /// Of the operations that compaction took in, the newest of each key is there unless it is a delete, by table and key; and the log behind them is
    /// whole. While a compaction is under way one that the log supersedes may be missing already.
    static func isExplained(_ found: Contents, by expected: Contents) -> Bool {
        guard found.lastSequence == expected.lastSequence, found.tables == expected.tables, found.live == expected.live,
            found.schemas == expected.schemas, found.retentions == expected.retentions, found.timesToLive == expected.timesToLive,
            found.savepoints == expected.savepoints
        else {
            return false
        }
        let compacted = found.compactedSequence
        if compacted == 0 { return found.operations == expected.operations }
        struct Address: Hashable {
            var table: String
            var key: Key
        }
        func address(_ seen: Seen) -> Address { Address(table: seen.change.table, key: seen.change.key) }
        var newest: [Address: Seen] = [:]
        for seen in expected.operations where seen.sequence <= compacted { newest[address(seen)] = seen }
        let log = expected.operations.filter { $0.sequence > compacted }
        let superseded = Set(log.map(address))
        let base = found.operations.prefix { $0.sequence <= compacted }
        guard Array(found.operations[base.count...]) == log else { return false }
        for seen in base {
            guard let known = newest.removeValue(forKey: address(seen)), known == seen,
                seen.change.document != nil || expected.expired.contains(seen.sequence)
            else { return false }
        }
        return newest.allSatisfy { $0.value.change.document == nil || superseded.contains($0.key) }
    }

    private static func seen(_ operation: borrowing Operation) throws -> Seen {
        let document = operation.isDelete ? nil : Array(operation.document)
        return Seen(
            sequence: operation.sequenceNumber,
            change: Change(table: operation.table, key: try operation.key, document: document, expires: operation.expires))
    }

    // MARK: Files

    /// Every file is one that the database lists.
    static func noLeftovers(_ disk: SimulatedDisk, _ db: Database) throws {
        // Sealing may be going on in the background: what is left over must be gone in the end.
        var extra: [String] = []
        for attempt in 0..<200 {
            let listed = Set(try db.statistics().files.map(\.name) + ["LOCK", "READERS"])
            extra = disk.names.filter { !listed.contains($0) }
            if extra.isEmpty { return }
            if attempt > 3 { pause() }
        }
        throw Violation("left over: \(extra)")
    }

    /// Nothing is open or locked any more.
    static func noLeaks(_ disk: SimulatedDisk) throws {
        guard disk.openHandles.isEmpty else { throw Violation("left open: \(disk.openHandles)") }
        guard disk.heldLocks.isEmpty else { throw Violation("left locked: \(disk.heldLocks)") }
    }

    static func pause() {
        let lock = Monitor(())
        lock.enter { lock in while lock.wait(until: Clock.monotonicNanoseconds() + 1_000_000) {} }
    }

    // MARK: Telling

    static func attempt<Result>(_ what: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let violation as Violation { throw violation } catch { throw Violation("\(what) fails: \(error)") }
    }

    private static func ends(_ frames: [ModelFrame]) -> String { frames.suffix(6).map { "\($0.lastSequence)" }.joined(separator: " ") }

    static func difference(_ found: Contents, _ expected: Contents) -> String {
        if found.tables != expected.tables { return "tables are \(found.tables), not \(expected.tables)" }
        if found.schemas != expected.schemas { return "schemas are \(found.schemas), not \(expected.schemas)" }
        func first(_ what: String, _ a: [Seen], _ b: [Seen]) -> String? {
            guard a != b else { return nil }
            let index = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
            return "\(what) delivers \(a.count) operations, not \(b.count); number \(index) is \(brief(a, index)), not \(brief(b, index))"
        }
        return first("replay", found.operations, expected.operations) ?? first("select", found.live, expected.live)
            ?? "last number is \(found.lastSequence), not \(expected.lastSequence)"
    }

    private static func brief(_ list: [Seen], _ index: Int) -> String {
        guard index < list.count else { return "absent" }
        let seen = list[index]
        return "\(seen.sequence) \(seen.change.table)/\(seen.change.key) \(seen.change.document.map { "\($0.count) bytes" } ?? "deleted")"
    }
}
