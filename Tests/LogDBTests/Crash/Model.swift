//===--- Model.swift - what a database must hold ---------------------------===//
//
// Every frame that was attempted, in order, and how many of them were acknowledged. After a crash the contents must be exactly those
// after some first part of the frames, and that part at least as long as what was acknowledged for the kind of crash:
//
//      frames   f1  f2  f3  f4  f5  f6  f7
//      disk     ─────────┘           │   │      a power cut keeps at least these
//      process  ─────────────────────┘   │      the death of the process keeps at least these
//      attempted ────────────────────────┘      more than these cannot be there
//
//   * a frame is whole or not there, a batch is one frame. Operations of transactions are frames for themselves here, however the engine
//     groups them, and so is the commit.
//   * the marks are raised after the call returned, the frames added before it began. Whoever takes an image reads the marks before and
//     the frames after, so that both are on the safe side whatever other threads do meanwhile.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile

/// One operation that takes one sequence number.
enum Effect: Sendable {
    case createTable(String)
    case dropTable(String)
    /// Creates the table if need be.
    case setSchema(String, String)
    /// Creates the table if need be.
    case retain(String, Retention)
    /// Creates the table if need be.
    case live(String, Int64?)
    case savepoint(String)
    case release(String)
    case change(Change)
}

struct ModelFrame: Sendable {
    enum Role: Sendable, Equatable {
        case plain
        /// An operation of a transaction: it counts from the commit on, at its own place, and nobody was promised that it is kept before.
        case part(of: Int)
        /// Takes no number.
        case commit(of: Int)
    }

    var firstSequence: UInt64
    var effects: [Effect]
    var role = Role.plain
    /// When it was made, by a workload's own clock.
    var milliseconds: Int64 = 0
    var lastSequence: UInt64 { firstSequence + UInt64(effects.count) - 1 }
}

/// An operation as a reader sees it.
struct Seen: Sendable, Equatable {
    var sequence: UInt64
    var change: Change
}

/// What all the ways of reading must deliver.
struct Contents: Sendable, Equatable {
    var lastSequence: UInt64 = 0
    /// The last operation that compaction took in; 0 in what a model expects.
    var compactedSequence: UInt64 = 0
    /// In the order of tables' names.
    var tables: [String] = []
    /// All versions of the schema of each table that has one.
    var schemas: [String: [String]] = [:]
    var retentions: [String: Retention] = [:]
    var timesToLive: [String: Int64] = [:]
    var savepoints: [String: UInt64] = [:]
    /// What time it is for it, by a workload's own clock.
    var now: Int64 = 0
    /// Numbers of operations whose documents have expired by then; only of what a model expects.
    var expired: Set<UInt64> = []
    /// What replay delivers.
    var operations: [Seen] = []
    /// What select delivers.
    var live: [Seen] = []
}

struct Model: Sendable {
    struct Marks: Sendable, Equatable {
        var disk = 0
        var process = 0
    }

    private(set) var frames: [ModelFrame] = []
    private(set) var marks = Marks()

    init() {}

    /// The past as a crash left it: frames that may be there, and how many must be.
    init(frames: [ModelFrame], marks: Marks) {
        self.frames = frames
        self.marks = marks
    }

    // MARK: Recording

    /// Notes the frame that `step` is about to append; nil if it appends none.
    mutating func attempt(_ step: Step, at now: Int64 = 0) -> ModelFrame? {
        let known = tables
        var effects: [Effect] = []
        func create(_ names: [String]) {
            var seen = known
            for name in names where seen.insert(name).inserted { effects.append(.createTable(name)) }
        }
        switch step {
        case .write(let change, _):
            create([change.table])
            effects.append(.change(change))
        case .batch(let changes, _):
            create(changes.map(\.table))
            effects += changes.map(Effect.change)
        case .createTable(let name, _): create([name])
        case .dropTable(let name, _): if known.contains(name) { effects.append(.dropTable(name)) }
        case .setSchema(let name, let schema, _):
            if Self.contents(frames[...]).schemas[name]?.last != schema { effects.append(.setSchema(name, schema)) }
        case .retain(let name, let retention, _):
            if !known.contains(name) || (Self.contents(frames[...]).retentions[name] ?? .latest) != retention {
                effects.append(.retain(name, retention))
            }
        case .live(let name, let time, _):
            if !known.contains(name) || Self.contents(frames[...]).timesToLive[name] != time { effects.append(.live(name, time)) }
        case .savepoint(let name, _): if Self.contents(frames[...]).savepoints[name] == nil { effects.append(.savepoint(name)) }
        case .release(let name, _): if Self.contents(frames[...]).savepoints[name] != nil { effects.append(.release(name)) }
        case .tick, .flush, .seal, .compact, .reopen, .begin, .change, .commit, .rollback, .expired, .count: break
        }
        guard !effects.isEmpty else { return nil }
        let frame = ModelFrame(firstSequence: nextSequence, effects: effects, milliseconds: now)
        frames.append(frame)
        return frame
    }

    /// Notes an operation of a transaction. The table that it may create is there for good.
    mutating func attempt(_ change: Change, in transaction: Int, at now: Int64 = 0) -> ModelFrame {
        if !tables.contains(change.table) {
            frames.append(ModelFrame(firstSequence: nextSequence, effects: [.createTable(change.table)], milliseconds: now))
        }
        let frame = ModelFrame(
            firstSequence: nextSequence, effects: [.change(change)], role: .part(of: transaction), milliseconds: now)
        frames.append(frame)
        return frame
    }

    mutating func attemptCommit(of transaction: Int) {
        frames.append(ModelFrame(firstSequence: nextSequence, effects: [], role: .commit(of: transaction)))
    }

    /// The number of frames up to the last one that counts by itself.
    static func solidCount(_ frames: [ModelFrame]) -> Int {
        (frames.lastIndex { if case .part = $0.role { false } else { true } } ?? -1) + 1
    }

    /// Takes the frame attempted last back: it is certain not to be there.
    mutating func retract() { frames.removeLast() }

    /// All frames so far have reached `level`.
    mutating func acknowledge(_ level: Persistence) {
        marks.process = Self.solidCount(frames)
        if level == .disk { marks.disk = marks.process }
    }

    /// Opening found the first `count` frames and made them durable; the others never happened.
    mutating func resolve(to count: Int) {
        frames.removeLast(frames.count - count)
        let solid = Self.solidCount(frames)
        marks = Marks(disk: solid, process: solid)
    }

    // MARK: Asking

    var nextSequence: UInt64 { (frames.last?.lastSequence ?? 0) + 1 }

    /// The tables there are after all frames.
    var tables: Set<String> {
        var names: Set<String> = []
        for frame in frames {
            for effect in frame.effects {
                switch effect {
                case .createTable(let name), .setSchema(let name, _), .retain(let name, _), .live(let name, _): names.insert(name)
                case .dropTable(let name): names.remove(name)
                case .change, .savepoint, .release: break
                }
            }
        }
        return names
    }

    /// The contents after `frames`, or as they were after the operation `through`, as of a time.
    static func contents(_ frames: ArraySlice<ModelFrame>, through: UInt64 = .max, at now: Int64 = 0) -> Contents {
        struct Place: Hashable {
            var table: Int
            var key: Key
        }
        var ids: [String: Int] = [:]
        var nextID = 0
        var all: [(table: Int, seen: Seen)] = []
        var contents = Contents()
        var committed: Set<Int> = []
        for frame in frames { if case .commit(let transaction) = frame.role { committed.insert(transaction) } }
        for frame in frames {
            var sequence = frame.firstSequence
            var counts = true
            if case .part(let transaction) = frame.role { counts = committed.contains(transaction) }
            for effect in frame.effects where sequence <= through {
                switch effect {
                case .createTable(let name):
                    ids[name] = nextID
                    nextID += 1
                case .dropTable(let name):
                    ids[name] = nil
                    contents.schemas[name] = nil
                    contents.retentions[name] = nil
                    contents.timesToLive[name] = nil
                case .setSchema(let name, let schema):
                    if ids[name] == nil {
                        ids[name] = nextID
                        nextID += 1
                    }
                    contents.schemas[name, default: []].append(schema)
                case .retain(let name, let retention):
                    if ids[name] == nil {
                        ids[name] = nextID
                        nextID += 1
                    }
                    contents.retentions[name] = retention == .latest ? nil : retention
                case .live(let name, let time):
                    if ids[name] == nil {
                        ids[name] = nextID
                        nextID += 1
                    }
                    contents.timesToLive[name] = time
                case .savepoint(let name): contents.savepoints[name] = sequence
                case .release(let name): contents.savepoints[name] = nil
                case .change(let change) where counts:
                    let seen = change.seen(at: now)
                    if seen != change { contents.expired.insert(sequence) }
                    all.append((ids[change.table]!, Seen(sequence: sequence, change: seen)))
                case .change: break
                }
                sequence += 1
            }
            contents.lastSequence = sequence - 1
        }
        let existing = Set(ids.values)
        all.removeAll { !existing.contains($0.table) }
        var newest: [Place: (table: Int, seen: Seen)] = [:]
        for entry in all { newest[Place(table: entry.table, key: entry.seen.change.key)] = entry }
        contents.tables = ids.keys.sorted()
        contents.operations = all.map(\.seen)
        contents.live = newest.values.filter { $0.seen.change.document != nil }
            .sorted { ($0.table, $0.seen.change.key) < ($1.table, $1.seen.change.key) }.map(\.seen)
        return contents
    }
}

/// The model, shared between the thread that drives and those that take images.
typealias Ledger = Monitor<Model>
