//===--- Workload.swift - what is done to a database while it is made to suffer ---===//
//
// A list of steps, the same for the same seed. Documents are large for the smallest segment (64 KiB), so that a few steps roll, seal
// and switch.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

struct Workload: Sendable, CustomTestStringConvertible {
    var name: String
    var options: Options
    var steps: [Step]
    /// Steps before this one only prepare; no images are taken.
    var exploredFrom = 0
    /// Of so many crash points and faults one is tried, where there is no factor: compactions have many that are like one another.
    var stride = 1
    /// Whether it has a clock of its own, from Workload.start on.
    var hasClock = false
    static let start: Int64 = 1_790_000_000_000

    /// The options for one run.
    var freshOptions: Options {
        var options = options
        if hasClock { options.clock = WallClock(milliseconds: Self.start) }
        return options
    }

    /// Whether its database is so large that places are tried less densely.
    var isLarge: Bool { exploredFrom > 0 }

    var testDescription: String { options.appender == .sharedTail ? "\(name), shared tail" : name }

    init(_ name: String, codec: Codec = .lz4, exploredFrom: Int = 0, _ steps: [Step]) {
        self.name = name
        self.steps = steps
        self.exploredFrom = exploredFrom
        options = Options {
            $0.segmentSizeBytes = 64 << 10
            $0.codec = codec
            $0.compaction = .manual
            $0.appender = .positional
        }
    }

    /// The same with another appender. The ring is so small that a segment goes round it, and some frames do not fit.
    func by(_ appender: Appender) -> Workload {
        var workload = self
        workload.options.appender = appender
        workload.options.ringBytes = 48 << 10
        workload.options.drainsInBackground = false
        return workload
    }

    /// The written ones: each is about one thing.
    static let all: [Workload] = [
        plainWrites, batches, rolls, unsyncedRolls, recycled, tables, sessions, sealedAtOnce, zlib, manifestSwitches, counters,
        transactions, interleaved, tooLarge,
        compactions, spilledCompactions, steppedCompactions, compactedTables, schemas, histories, savepoints, expiries,
    ]

    /// Those that LOGDB_CRASH_ONLY leaves.
    static let named: [Workload] = all.filter { Scale.only.map($0.name.contains) ?? true }

    /// Each with either appender.
    static let appended: [Workload] = named.flatMap { [$0, $0.by(.sharedTail)] }

    static func random(seed: UInt64, count: Int = 30) -> Workload {
        var author = Author(seed: seed)
        return Workload("random \(seed)", (0..<count).map { _ in author.step() })
    }
}
