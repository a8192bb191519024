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
        let frame = model.attempt(step)!
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
        guard let count = candidates.last(where: { Model.contents(frames[..<$0]) == found }) else {
            throw Violation("after \(last) frames: \(difference(found, Model.contents(frames[..<last])))")
        }
        guard count >= floor else {
            throw Violation(
                "lost: \(count) frames are there, \(floor) were acknowledged; frames: \(ends(frames)), recovery: \(db.recovery)")
        }
        guard let live = Model.contents(frames[..<count]).live.last else { return count }
        let document = try db.document(live.change.table, live.change.key)
        guard document == live.change.document else { throw Violation("get of \(live.change.key) finds something else than select") }
        return count
    }

    /// Everything that can be read.
    static func contents(of db: Database) throws -> Contents {
        var result = Contents()
        result.lastSequence = try db.statistics().lastSequenceNumber
        result.tables = try db.tables
        try db.replay { result.operations.append(try seen($0)) }
        try db.select { result.live.append(try seen($0)) }
        return result
    }

    private static func seen(_ operation: borrowing Operation) throws -> Seen {
        let document = operation.isDelete ? nil : Array(operation.document)
        return Seen(sequence: operation.sequenceNumber, change: Change(table: operation.table, key: try operation.key, document: document))
    }

    // MARK: Files

    /// Every file is one that the database lists.
    static func noLeftovers(_ disk: SimulatedDisk, _ db: Database) throws {
        // Sealing may be going on in the background: what is left over must be gone in the end.
        var extra: [String] = []
        for attempt in 0..<200 {
            let listed = Set(try db.statistics().files.map(\.name) + ["LOCK"])
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
