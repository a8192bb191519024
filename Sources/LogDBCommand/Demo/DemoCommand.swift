//===--- DemoCommand.swift - logdb demo ------------------------------------===//
//
// The promise, seen. Nothing here takes the child's word for anything but its acknowledgements: what must be in the database
// is worked out again from the seed.
//===-----------------------------------------------------------------------===//

import ArgumentParser
import LogDB
import LogDBFile
import LogDBFormat

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See it survive: kill a game while it saves, and look what is left.",
        discussion: """
            Starts a process that plays a generated game and autosaves it at --persistence disk, kills that process with SIGKILL at a \
            random moment, opens the database again and compares every operation in it with the game played once more from the same \
            seed. Every save that was acknowledged must be there, and no save half. Then it shows what sealing does to the size, and \
            how long loading everything again takes. All of it happens in a temporary folder, which is removed.

            Exit status 0 only if everything was as it must be.

            Examples:

              logdb demo
              logdb demo --seed 7 --keep
            """)

    @Option(help: ArgumentHelp("What the game is made from. (default: random)", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Operations to add before sealing.", valueName: "n"))
    var bulk = 150_000

    @Flag(help: "Leave the database where it is, and say where.")
    var keep = false

    func run() throws {
        let folder = try TemporaryFolder.create("logdb-demo")
        var demo = Demo(path: "\(folder)/game.logdb", seed: seed ?? UInt64.random(in: 1...999_999))
        defer {
            if !keep { Self.remove(demo.path, folder) }
        }
        Interruption.catchSignals()
        try demo.killWhileSaving()
        try demo.proveEverySave()
        try demo.addBulk(bulk)
        try demo.seal()
        try demo.reload()
        try demo.say("")
        try demo.say(keep ? "The database is at \(demo.path)." : "All as it must be. The database is removed; --keep keeps it.")
    }

    private static func remove(_ path: String, _ folder: String) {
        if let directory = try? POSIXDirectory.open(path: path, create: false), let names = try? directory.list() {
            for name in names { try? directory.remove(name) }
        }
        TemporaryFolder.remove(path)
        TemporaryFolder.remove(folder)
    }
}

private struct Demo {
    let path: String
    let seed: UInt64
    private var output = OutputBuffer()
    /// The last save that the child said was safe.
    private var acknowledgedSaves = 0
    /// The game as the database must hold it, and how many operations that is.
    private var world: GameWorld
    private var operations = 0
    private var state: [String: [Key: [UInt8]]] = [:]

    init(path: String, seed: UInt64) {
        self.path = path
        self.seed = seed
        world = GameWorld(seed: seed)
    }

    mutating func say(_ line: String) throws { try output.say(line) }

    private mutating func report(_ what: String, _ value: String) throws { try say("  \(what.padded(to: 34))\(value)") }

    /// Lets the child save for half a second to two, then kills it in the middle of whatever it is doing.
    mutating func killWhileSaving() throws {
        try say("A game autosaves at 'disk' in \(path) (seed \(seed)).")
        var child = try ChildProcess(arguments: ["demo-child", path, String(seed)])
        let lifetime = UInt64.random(in: 500_000_000...2_000_000_000)
        var pending = InputBuffer(capacity: 64 << 10)
        var deadline: UInt64?
        try say("")
        while true {
            let now = Clock.monotonicNanoseconds()
            if let deadline, now >= deadline { break }
            let patience = deadline.map { Int32(clamping: ($0 - now) / 1_000_000 + 1) } ?? 10_000
            switch try Descriptors.wait(for: child.output, milliseconds: patience) {
            case .ready:
                guard try readAcknowledgements(child.output, &pending) else { throw CommandFailure("the game ended by itself") }
                // The clock starts with the first save that is safe.
                if deadline == nil { deadline = Clock.monotonicNanoseconds() + lifetime }
            case .idle:
                if deadline == nil { throw CommandFailure("the game did not save within ten seconds") }
            case .interrupted: throw Interruption.failure(Interruption.signal ?? 2, "The demonstration was not finished.")
            }
        }
        child.killAndWait()
        while try readAcknowledgements(child.output, &pending) {}
        try report("killed with SIGKILL after", "\((Double(lifetime) / 1e9).rounded(to: 2)) s")
        try report("saves acknowledged by then", acknowledgedSaves.grouped)
    }

    /// Notes the numbers that came through the pipe; false at its end. A number without its newline was never acknowledged.
    private mutating func readAcknowledgements(_ descriptor: Int32, _ pending: inout InputBuffer) throws -> Bool {
        let count = try pending.read(from: descriptor, room: 64 << 10, name: "the game's acknowledgements")
        var start = 0
        while let end = pending.span.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            let line = [UInt8](pending.span.extracting(start..<end))
            guard let number = Int(String(decoding: line, as: UTF8.self)) else { throw CommandFailure("the game says nonsense") }
            acknowledgedSaves = number
            start = end + 1
        }
        pending.removeFirst(start, keepingAtMost: 1 << 20)
        return count > 0
    }

    /// Opens what the dead process left and compares it with the game played again.
    mutating func proveEverySave() throws {
        let began = Clock.monotonicNanoseconds()
        let database = try Database.open(at: path)
        let milliseconds = Double(Clock.monotonicNanoseconds() - began) / 1e6
        try report("reopened in", "\(milliseconds.rounded(to: 1)) ms; \(database.recovery.description)")

        var save: [GameWorld.Change] = []
        var inSave = 0
        try database.replay { operation in
            if inSave == save.count {
                save = world.nextSave()
                inSave = 0
            }
            let expected = save[inSave]
            let document = operation.isDelete ? nil : Array(operation.document)
            let found = GameWorld.Change(table: operation.table, key: try operation.key, document: document)
            guard found == expected else {
                throw CommandFailure("save \(world.saves) is not what the game wrote, at operation \(operation.sequenceNumber)")
            }
            apply(expected)
            inSave += 1
            operations += 1
        }
        guard inSave == save.count else {
            throw CommandFailure("save \(world.saves) is there by half: \(inSave) of \(save.count) operations")
        }
        guard world.saves >= acknowledgedSaves else {
            throw CommandFailure("save \(acknowledgedSaves) was acknowledged, and the last one there is \(world.saves)")
        }
        try database.close()
        let beyond = world.saves - acknowledgedSaves
        try report("saves found, all complete", "\(world.saves.grouped) (\(operations.grouped) operations)")
        try report("acknowledged saves lost", "0")
        try report("saved but not yet acknowledged", beyond.grouped)
    }

    private mutating func apply(_ change: GameWorld.Change) { state[change.table, default: [:]][change.key] = change.document }

    /// Plays on without waiting for the disk at each save, until there is something worth compressing.
    mutating func addBulk(_ count: Int) throws {
        let database = try Database.open(at: path)
        var added = 0
        while added < count {
            let save = world.nextSave()
            try database.write(Batch(save), persistence: .process)
            for change in save { apply(change) }
            added += save.count
        }
        try database.flush(to: .disk)
        operations += added
        try say("")
        try report("the game goes on for", "\(added.grouped) operations, at 'process' and one flush")
        try report("log before sealing", try size(database))
        try database.close()
    }

    mutating func seal() throws {
        let database = try Database.open(at: path)
        let began = Clock.monotonicNanoseconds()
        try database.seal()
        let seconds = Double(Clock.monotonicNanoseconds() - began) / 1e9
        let statistics = try database.statistics()
        try database.close()
        let ratio = Double(statistics.sealedStoredBytes) / Double(max(1, statistics.sealedRawBytes))
        try report(
            "sealed with lz4", "\(statistics.sealedStoredBytes.asBytes), ratio \(ratio.rounded(to: 3)), in \(seconds.rounded(to: 2)) s")
    }

    private func size(_ database: Database) throws -> String {
        let statistics = try database.statistics()
        let logBytes = statistics.files.filter { $0.kind != "manifest" }.reduce(0) { $0 + $1.bytes }
        return "\(logBytes.asBytes) reserved for \(statistics.rawBytes.asBytes) of keys and documents"
    }

    /// Loads everything, as the game would at its start, and compares the result with the game itself.
    mutating func reload() throws {
        let began = Clock.monotonicNanoseconds()
        let database = try Database.open(at: path, options: .toRead)
        var loaded: [String: [Key: [UInt8]]] = [:]
        var count = 0
        try database.replay { operation in
            loaded[operation.table, default: [:]][try operation.key] = operation.isDelete ? nil : Array(operation.document)
            count += 1
        }
        let seconds = Double(Clock.monotonicNanoseconds() - began) / 1e9
        try database.close()
        guard count == operations, loaded == state else { throw CommandFailure("what was loaded is not what the game holds") }
        let rate = Int(Double(count) / seconds).grouped
        let documents = loaded.values.reduce(0) { $0 + $1.count }
        try report("everything loaded again in", "\(seconds.rounded(to: 2)) s: \(count.grouped) operations, \(rate) a second")
        try report("live documents, all equal", documents.grouped)
    }
}
