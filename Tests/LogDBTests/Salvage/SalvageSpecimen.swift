//===--- SalvageSpecimen.swift - databases to be damaged and salvaged -------===//
//
// Each knows every operation that was ever made in it and counted, and what the engine reads of it while it is sound: the first is what may be in a salvaged
// database, the second what must be, unless the report says that it is lost.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// A change that counts, and the table that it was made to: names come again, ids do not.
struct WrittenChange: Sendable {
    var sequence: UInt64
    var table: Int
    var change: Change
}

struct SalvageSpecimen: Sendable, CustomTestStringConvertible {
    var name: String
    var disk: SimulatedDisk
    /// Every change that counts, whether or not it is still in a file.
    var written: [WrittenChange]
    /// What replaying the sound database delivers.
    var readable: [Seen]
    /// What selecting from it delivers.
    var live: [Seen]
    var tables: [String]
    /// Names by id, in the order of creation.
    var names: [String]
    /// A compaction was under way: what two generations have is delivered twice, the older first.
    var mayRepeat = false
    var testDescription: String { name }

    /// How many accidents to try: in a debug build fewer with large databases, which take most of the time.
    func seeds(_ release: Int, debug: Int) -> Int {
        let size = disk.names.reduce(0) { $0 + disk.size(of: $1) }
        return Scale.seeds(release, debug: size > 2 << 20 ? max(1, debug / 6) : debug)
    }

    static let all: [SalvageSpecimen] = {
        do {
            return try [
                segments(.lz4), segments(.lz4HC(level: 9)), segments(.zlib(level: 6)), segments(.none), manyBlocks(.lz4),
                manyBlocks(.zlib(level: 1)), transactions(isClosed: true), transactions(isClosed: false), crashed(), compacted(),
                compacting(), twoGenerations(),
            ]
        } catch {
            Issue.record("a specimen could not be made: \(error)")
            return []
        }
    }()

    static func options(_ codec: Codec) -> Options {
        Options {
            $0.segmentSizeBytes = 64 << 10
            $0.codec = codec
            $0.compaction = .manual
        }
    }

    // MARK: - Making

    /// Sealed segments, a raw one, tables made, dropped and made again.
    static func segments(_ codec: Codec) throws -> SalvageSpecimen {
        let maker = try Maker(codec, seed: 41)
        for _ in 0..<30 { try maker.run(.write(maker.author.change(tables: ["a", "b", "c"], sizes: 2000..<20_000), .process)) }
        try maker.run(.dropTable("b", .process))
        for _ in 0..<12 { try maker.run(.write(maker.author.change(sizes: 2000..<20_000), .process)) }
        try maker.run(.seal)
        for _ in 0..<10 { try maker.run(.batch((0..<4).map { _ in maker.author.change(sizes: 40..<900) }, .process)) }
        return try maker.finish("segments, \(codec)", isClosed: true)
    }

    /// Few segments of many blocks.
    static func manyBlocks(_ codec: Codec) throws -> SalvageSpecimen {
        let maker = try Maker(codec, seed: 43, segmentSize: 4 << 20)
        for round in 0..<3 {
            for _ in 0..<60 { try maker.run(.write(maker.author.change(keys: 40, sizes: 30_000..<62_000), .process)) }
            try maker.run(.createTable("t\(round)", .process))
            for _ in 0..<20 { try maker.run(.write(maker.author.change(tables: ["t\(round)"], keys: 40, sizes: 30..<300), .process)) }
            try maker.run(.seal)
        }
        return try maker.finish("many blocks, \(codec)", isClosed: true)
    }

    /// Raw segments that an open transaction keeps from being sealed: committed over segments, rolled back, never ended.
    static func transactions(isClosed: Bool) throws -> SalvageSpecimen {
        let maker = try Maker(.lz4, seed: 47)
        func made(_ name: String) -> Step { .change(name, maker.author.change(tables: ["a"], sizes: 2000..<16_000)) }
        for _ in 0..<5 { try maker.run(.write(maker.author.change(sizes: 2000..<16_000), .process)) }
        try maker.run(.begin("never"))
        try maker.run(made("never"))
        for round in 0..<4 {
            try maker.run(.begin("x\(round)"))
            try maker.run(.begin("y\(round)"))
            for step in 0..<4 {
                try maker.run(made("x\(round)"))
                try maker.run(.write(maker.author.change(sizes: 2000..<12_000), step == 3 ? .disk : .process))
                try maker.run(made("y\(round)"))
            }
            try maker.run(.commit("x\(round)", .process))
            try maker.run(round % 2 == 0 ? .rollback("y\(round)") : .commit("y\(round)", .disk))
        }
        for _ in 0..<3 { try maker.run(.write(maker.author.change(sizes: 40..<900), .disk)) }
        return try maker.finish("transactions\(isClosed ? "" : ", crashed")", isClosed: isClosed)
    }

    /// Killed: sealed segments, full raw ones and one with a mark at its end.
    static func crashed() throws -> SalvageSpecimen {
        let maker = try Maker(.lz4, seed: 53)
        for number in 0..<24 { try maker.run(.write(maker.author.change(sizes: 2000..<16_000), number % 6 == 5 ? .disk : .process)) }
        try maker.run(.begin("x"))
        for _ in 0..<8 { try maker.run(.change("x", maker.author.change(tables: ["a"], sizes: 9000..<16_000))) }
        try maker.run(.write(maker.author.change(sizes: 40..<900), .disk))
        return try maker.finish("crashed", isClosed: false)
    }

    /// A base of several segments, and a log behind it.
    static func compacted() throws -> SalvageSpecimen {
        let maker = try Maker(.lz4, seed: 59)
        for _ in 0..<60 { try maker.run(.write(maker.author.change(tables: ["a", "b", "c"], keys: 40, sizes: 2000..<16_000), .process)) }
        try maker.run(.dropTable("c", .process))
        try maker.run(.seal)
        try maker.compact()
        for _ in 0..<14 { try maker.run(.write(maker.author.change(keys: 40, sizes: 2000..<12_000), .process)) }
        try maker.run(.seal)
        for _ in 0..<5 { try maker.run(.write(maker.author.change(keys: 40, sizes: 40..<900), .process)) }
        return try maker.finish("compacted", isClosed: true)
    }

    /// A compaction that a crash interrupted: segments of two generations, and the log that the newer one is taking in.
    static func compacting() throws -> SalvageSpecimen {
        let maker = try Maker(.zlib(level: 1), seed: 61)
        for _ in 0..<60 { try maker.run(.write(maker.author.change(keys: 60, sizes: 2000..<16_000), .process)) }
        try maker.run(.seal)
        try maker.compact()
        for _ in 0..<40 { try maker.run(.write(maker.author.change(keys: 60, sizes: 2000..<16_000), .process)) }
        try maker.run(.seal)
        return try maker.interruptCompaction("compacting")
    }

    /// Compacted twice, with little in the log.
    static func twoGenerations() throws -> SalvageSpecimen {
        let maker = try Maker(.none, seed: 67)
        for _ in 0..<2 {
            for _ in 0..<40 { try maker.run(.write(maker.author.change(tables: ["a", "b"], keys: 50, sizes: 2000..<9000), .process)) }
            try maker.run(.seal)
            try maker.compact()
        }
        return try maker.finish("compacted twice", isClosed: true)
    }
}

/// Drives a database and keeps account.
private final class Maker {
    let disk = SimulatedDisk()
    private let ledger = Ledger(Model())
    private let options: Options
    private let runner: Runner
    var author: Author

    init(_ codec: Codec, seed: UInt64, segmentSize: Int = 64 << 10) throws {
        var options = SalvageSpecimen.options(codec)
        options.segmentSizeBytes = segmentSize
        self.options = options
        author = Author(seed: seed)
        runner = Runner(disk, ledger, options)
        try runner.open()
    }

    func run(_ step: Step) throws { try runner.perform(step) }
    func compact() throws { try runner.db?.compact() }

    func finish(_ name: String, isClosed: Bool) throws -> SalvageSpecimen {
        let image: SimulatedDisk
        if isClosed {
            try runner.db?.close()
            image = disk.afterCrash(.pessimistic)
        } else {
            image = disk.afterCrash(.optimistic)
            runner.abandon()
        }
        return try make(name, image)
    }

    /// Crashes in the middle of a compaction, between two segments of the new generation.
    func interruptCompaction(_ name: String) throws -> SalvageSpecimen {
        let images = Monitor<[SimulatedDisk]>([])
        disk.onOperation { disk, _, operation, file in
            if operation == .sync, file.hasPrefix("MANIFEST") { images.withLock { $0.append(disk.afterCrash(.optimistic)) } }
        }
        try compact()
        disk.onOperation(nil)
        runner.abandon()
        let all = images.withLock { $0 }
        var specimen = try make(name, all[all.count / 2])
        specimen.mayRepeat = true
        return specimen
    }

    private func make(_ name: String, _ image: SimulatedDisk) throws -> SalvageSpecimen {
        let frames = ledger.withLock { $0.frames }
        let sound = image.afterCrash(.optimistic)
        var reading = options
        reading.access = .readOnly
        let db = try Database.open(sound.directory(), path: "simulated", options: reading)
        let contents = try Check.contents(of: db)
        try db.close()
        let names = frames.flatMap(\.effects).compactMap { effect in
            if case .createTable(let name) = effect { return name }
            return nil
        }
        return SalvageSpecimen(
            name: name, disk: image, written: written(frames), readable: contents.operations, live: contents.live, tables: contents.tables,
            names: names)
    }

    /// Every change of every table, dropped ones too, that was plain or whose transaction was committed.
    private func written(_ frames: [ModelFrame]) -> [WrittenChange] {
        var committed: Set<Int> = []
        for frame in frames { if case .commit(let transaction) = frame.role { committed.insert(transaction) } }
        var ids: [String: Int] = [:]
        var count = 0
        var result: [WrittenChange] = []
        for frame in frames {
            var counts = true
            if case .part(let transaction) = frame.role { counts = committed.contains(transaction) }
            for (index, effect) in frame.effects.enumerated() {
                switch effect {
                case .createTable(let name):
                    count += 1
                    ids[name] = count
                case .dropTable(let name): ids[name] = nil
                case .setSchema(let name, _), .retain(let name, _), .live(let name, _):
                    if ids[name] == nil {
                        count += 1
                        ids[name] = count
                    }
                case .change(let change) where counts:
                    result.append(WrittenChange(sequence: frame.firstSequence + UInt64(index), table: ids[change.table]!, change: change))
                case .change, .savepoint, .release: break
                }
            }
        }
        return result
    }
}
