//===--- Rivalry.swift - all engines, in turns -----------------------------===//
//
// A round takes every engine once; the next round takes them in the opposite order. So whatever the machine does meanwhile falls on all
// of them. Every step is a process of its own, and whatever was written is read back by yet another process and compared with
// what the generator says must be there.
//===-----------------------------------------------------------------------===//

import Foundation

final class Rivalry {
    let scale: Scale
    let figures = Figures()
    /// What was left out, and why.
    private(set) var notes: [String] = []
    /// The greatest load average that was seen at the beginning of a round.
    private(set) var greatestLoad = 0.0
    private let chosen: Set<Workload>
    private let engines: Set<Setting.Engine>
    private let folder: String
    private let history: History
    private var expected: [[Int]: Contents] = [:]

    init(_ scale: Scale, _ chosen: Set<Workload>, _ engines: Set<Setting.Engine>, folder: String) throws {
        self.engines = engines
        self.scale = scale
        self.chosen = chosen
        self.folder = folder
        history = History(count: scale.operations)
        let settings = Setting.disk + Setting.process + Setting.keepers
        var seen: Set<Setting.Engine> = []
        for setting in settings where seen.insert(setting.engine).inserted {
            if let reason = setting.unavailable { note("\(setting.engine) was left out: \(reason)") }
        }
    }

    func run() throws {
        if chosen.contains(.limits) { try limits() }
        if chosen.contains(.putDisk) { try put(.putDisk, Setting.disk, scale.diskPuts) }
        if chosen.contains(.batchDisk) { try batchDisk() }
        if chosen.contains(.putProcess) { try put(.putProcess, Setting.process, scale.processPuts) }
        if chosen.contains(.threads) { try threads() }
        if chosen.contains(.tasks) { try tasks() }
        if !chosen.isDisjoint(with: [.batchProcess, .reload, .compaction, .startup]) { try keepers() }
        if chosen.contains(.typed) { try typed() }
        if chosen.contains(.growth) { try growth() }
    }

    // MARK: - Turns

    private func note(_ text: String) {
        if notes.contains(text) { return }
        notes.append(text)
        say("  \(text)")
    }

    private func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Each engine once a round, forth and back.
    private func rounds(
        _ workload: Workload, _ settings: [Setting], count: Int? = nil, _ body: (Setting, String) throws -> Void
    ) throws {
        let settings = settings.filter { $0.unavailable == nil && engines.contains($0.engine) }
        for round in 0..<(count ?? scale.rounds) {
            greatestLoad = max(greatestLoad, Surroundings.load)
            say("\(workload.rawValue), round \(round + 1)")
            for setting in round.isMultiple(of: 2) ? settings : settings.reversed() {
                try fresh { try body(setting, $0) }
                try? FileManager.default.removeItem(atPath: folder + "/database-copy")
            }
        }
    }

    /// An empty folder for one database, removed afterwards.
    private func fresh(_ body: (String) throws -> Void) throws {
        let path = folder + "/database"
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try body(path)
        try FileManager.default.removeItem(atPath: path)
    }

    private func step(_ action: Step.Action, _ setting: Setting, _ folder: String, _ operations: Int, size: Int = 1) -> Step {
        Step(action: action, setting: setting, folder: folder, history: scale.operations, range: 0..<operations, size: size)
    }

    // MARK: - Answers

    /// What must be there after the first operations of a history of that length.
    private func contents(_ length: Int, _ operations: Int, typed: Bool = false) -> Contents {
        let name = [length, operations, typed ? 1 : 0]
        if let known = expected[name] { return known }
        let history = length == history.count ? history : History(count: length)
        let contents = typed ? history.typedContents(after: operations) : history.contents(after: operations)
        expected[name] = contents
        return contents
    }

    private func check(_ found: Contents?, _ expected: Contents, _ setting: Setting, _ where: String) throws {
        guard let found, found == expected else {
            let text = found.map { "\($0.count) documents with digest \($0.digest)" } ?? "nothing"
            throw SystemFailure(
                message: "\(setting.name) gave back \(text) instead of \(expected.count) with digest \(expected.digest) (\(`where`))")
        }
    }

    /// Reads everything back in another process.
    private func verify(_ setting: Setting, _ folder: String, _ operations: Int, _ workload: Workload) throws {
        let outcome = try StepProcess.run(step(.reload, setting, folder, 0)).outcome
        try check(outcome.contents, contents(scale.operations, operations), setting, workload.rawValue)
    }

    // MARK: - Figures

    private func add(_ workload: Workload, _ subject: String, _ outcome: Outcome, logicalBytes: Double) {
        figures.add(workload, subject, Metric.rate, .perSecond, outcome.perSecond)
        add(workload, subject, outcome.percentiles)
        if outcome.bytesWritten > 0 {
            figures.add(workload, subject, Metric.written, .share, Double(outcome.bytesWritten) / logicalBytes)
        }
        if outcome.peakMemory > 0 { figures.add(workload, subject, Metric.peakMemory, .bytes, Double(outcome.peakMemory)) }
    }

    private func add(_ workload: Workload, _ subject: String, _ percentiles: Percentiles?) {
        guard let percentiles else { return }
        figures.add(workload, subject, Metric.typical, .nanoseconds, percentiles.p50)
        figures.add(workload, subject, "p90", .nanoseconds, percentiles.p90)
        figures.add(workload, subject, "p99", .nanoseconds, percentiles.p99)
        figures.add(workload, subject, "p99.9", .nanoseconds, percentiles.p999)
        figures.add(workload, subject, "p99.99", .nanoseconds, percentiles.p9999)
        figures.add(workload, subject, Metric.worst, .nanoseconds, percentiles.worst)
    }

    /// Bytes of keys and documents in the first operations of a history.
    private func logicalBytes(_ history: History, _ operations: Int) -> Double {
        let upserts = (0..<operations).count { !history.operation($0).isDelete }
        return Double(operations * Actors.keyBytes + upserts * Actors.documentBytes)
    }

    // MARK: - Workloads

    private func limits() throws {
        try rounds(.limits, [Setting(engine: .bare, durability: .disk)]) { setting, folder in
            let outcome = try StepProcess.run(step(.limits, setting, folder, 0)).outcome
            for (name, value) in outcome.figures.sorted(by: { $0.key < $1.key }) {
                let isRate = ["copy", "CRC-32C", "LZ4 decoding"].contains(name)
                figures.add(.limits, name, isRate ? "rate" : "median", isRate ? .bytesPerSecond : .nanoseconds, value)
            }
        }
    }

    private func put(_ workload: Workload, _ settings: [Setting], _ count: Int) throws {
        let logical = logicalBytes(history, count)
        try rounds(workload, settings) { setting, folder in
            var step = step(.put, setting, folder, count)
            step.timesEach = setting.durability == .disk
            add(workload, setting.name, try StepProcess.run(step).outcome, logicalBytes: logical)
            try verify(setting, folder, count, workload)
        }
    }

    private func batchDisk() throws {
        let count = scale.diskBatches * 100
        let logical = logicalBytes(history, count)
        try rounds(.batchDisk, Setting.disk) { setting, folder in
            let outcome = try StepProcess.run(step(.batch, setting, folder, count, size: 100)).outcome
            add(.batchDisk, setting.name, outcome, logicalBytes: logical)
            try verify(setting, folder, count, .batchDisk)
        }
    }

    private func threads() throws {
        let logical = logicalBytes(history, scale.threadPuts)
        try rounds(.threads, Setting.disk) { setting, folder in
            let outcome = try StepProcess.run(step(.threads, setting, folder, scale.threadPuts, size: 64)).outcome
            add(.threads, setting.name, outcome, logicalBytes: logical)
            try verify(setting, folder, scale.threadPuts, .threads)
        }
    }

    private func tasks() throws {
        let logical = logicalBytes(history, scale.taskPuts)
        let setting = Setting(engine: .logdb, durability: .disk)
        for size in [64, 512] {
            try rounds(.tasks, [setting]) { setting, folder in
                let outcome = try StepProcess.run(step(.tasks, setting, folder, scale.taskPuts, size: size)).outcome
                add(.tasks, Self.tasks(size), outcome, logicalBytes: logical)
                try verify(setting, folder, scale.taskPuts, .tasks)
            }
        }
    }

    static func tasks(_ count: Int) -> String { "LogDB, \(count) tasks" }

    private func typed() throws {
        let expected = contents(scale.operations, scale.typedPuts, typed: true)
        try rounds(.typed, Setting.typed) { setting, folder in
            let outcome = try StepProcess.run(step(.typedPut, setting, folder, scale.typedPuts)).outcome
            figures.add(.typed, setting.name, "put", .perSecond, outcome.perSecond)
            add(.typed, setting.name, outcome.percentiles)
            let reloaded = try StepProcess.run(step(.typedReload, setting, folder, 0)).outcome
            try check(reloaded.contents, expected, setting, "typed")
            figures.add(.typed, setting.name, "reload", .nanoseconds, reloaded.seconds * 1e9)
            figures.add(
                .typed, setting.name, "reload, per live document", .nanoseconds, reloaded.seconds * 1e9 / Double(expected.count))
        }
    }

    // MARK: - A whole history

    /// Load, size, opening, reload; compaction, size, reload.
    private func keepers() throws {
        let count = scale.operations
        let logical = logicalBytes(history, count)
        try rounds(.batchProcess, Setting.keepers) { setting, folder in
            if chosen.contains(.startup) { try openEmpty(setting, folder) }
            let loaded = try StepProcess.run(step(.batch, setting, folder, count, size: 1000)).outcome
            if chosen.contains(.batchProcess) { add(.batchProcess, setting.name, loaded, logicalBytes: logical) }
            if chosen.contains(.startup) { try openLarge(setting, try copied(folder)) }
            if chosen.contains(.reload) { try reload(.reload, setting, folder, changes: true) }
            if chosen.contains(.compaction) { try compact(setting, folder) }
            if chosen.isDisjoint(with: [.reload, .compaction]) { try verify(setting, folder, count, .batchProcess) }
        }
    }

    /// Opening changes some databases: RocksDB and LevelDB replay and sort what was not sorted yet, and the next opening is spared that. So each
    /// reload has a copy of what the load left; after a compaction there is nothing left to do, and all reload the same.
    private func reload(_ workload: Workload, _ setting: Setting, _ folder: String, changes: Bool) throws {
        let expected = contents(scale.operations, scale.operations)
        figures.add(workload, setting.name, Metric.stored, .share, Double(Disk.usedBytes(folder)) / Double(expected.bytes))
        var kept = 0
        var ways = [
            ("warm", Destination.Kind.dictionary), ("warm", .map), ("warm", .nowhere), ("cold", .dictionary), ("cold", .map),
        ]
        if setting.engine == .logdb { ways += [("warm", .loadAll), ("cold", .loadAll)] }
        for (warmth, destination) in ways {
            let place = changes ? try copied(folder) : folder
            var step = step(.reload, setting, place, 0)
            step.destination = destination
            if warmth == "cold" { kept += Disk.evict(place) }
            let outcome = try StepProcess.run(step).outcome
            if destination != .nowhere { try check(outcome.contents, expected, setting, workload.rawValue) }
            figures.add(workload, setting.name, Metric.reload(warmth, destination), .nanoseconds, outcome.seconds * 1e9)
            if warmth == "warm", destination == .dictionary {
                figures.add(workload, setting.name, "rows delivered", .count, Double(outcome.delivered))
                figures.add(workload, setting.name, "peak memory of it", .bytes, Double(outcome.peakMemory))
            }
        }
        if kept > 0 { note("\(Unit.bytes.format(Double(kept))) of \(setting.name) stayed in the page cache before a cold reload") }
    }

    private func copied(_ folder: String) throws -> String {
        let copy = folder + "-copy"
        try Disk.copy(folder, to: copy)
        return copy
    }

    private func compact(_ setting: Setting, _ folder: String) throws {
        if setting.engine == .bare { return }
        guard [.rocksdb, .logdb, .redis].contains(setting.engine) else { return try compact(setting, as: setting, folder) }
        // The work of a compaction is the same for all only where nothing was compacted before.
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var manual = setting
        manual.manualCompaction = true
        _ = try StepProcess.run(step(.batch, manual, folder, scale.operations, size: 1000))
        try compact(setting, as: manual, folder)
    }

    private func compact(_ setting: Setting, as opened: Setting, _ folder: String) throws {
        let result = try StepProcess.run(step(.compact, opened, folder, 0), watchesDisk: true)
        let outcome = result.outcome
        figures.add(.compaction, setting.name, "compaction", .nanoseconds, outcome.seconds * 1e9)
        figures.add(.compaction, setting.name, Metric.peakMemory, .bytes, Double(outcome.peakMemory))
        figures.add(.compaction, setting.name, Metric.engineMemory, .bytes, Double(outcome.engineMemory))
        figures.add(.compaction, setting.name, "peak extra disk", .bytes, Double(result.extraDiskBytes))
        try reload(.compaction, setting, folder, changes: false)
    }

    // MARK: - Opening

    private func openEmpty(_ setting: Setting, _ folder: String) throws {
        let made = try StepProcess.run(step(.open, setting, folder, 0)).outcome
        figures.add(.startup, setting.name, "made", .nanoseconds, made.openSeconds * 1e9)
        let empty = try StepProcess.run(step(.open, setting, folder, 0)).outcome
        figures.add(.startup, setting.name, "empty", .nanoseconds, empty.openSeconds * 1e9)
    }

    private func openLarge(_ setting: Setting, _ folder: String) throws {
        let outcome = try StepProcess.run(step(.open, setting, folder, 0, size: 3)).outcome
        figures.add(.startup, setting.name, Workload.startup.mainMetric, .nanoseconds, outcome.openSeconds * 1e9)
        figures.add(.startup, setting.name, "large, again", .nanoseconds, (outcome.figures["again"] ?? 0) * 1e9)
        figures.add(.startup, setting.name, "close", .nanoseconds, (outcome.figures["close"] ?? 0) * 1e9)
        figures.add(.startup, setting.name, Metric.peakMemory, .bytes, Double(outcome.peakMemory))
    }

    // MARK: - Growth

    static let growing = Setting.process.filter { ["", "OFF", "NOSYNC+WRITEMAP"].contains($0.variant) }

    static func growth(_ setting: Setting, _ size: Int) -> String { "\(setting.name), \(size.grouped)" }

    private func growth() throws {
        for size in scale.growth {
            let history = History(count: size)
            let logical = logicalBytes(history, size)
            let expected = contents(size, size)
            try rounds(.growth, Self.growing, count: size > scale.repeatsGrowthUpTo ? 1 : nil) { setting, folder in
                let subject = Self.growth(setting, size)
                var step = step(.put, setting, folder, size)
                step.history = size
                step.timesEach = true
                let outcome = try StepProcess.run(step).outcome
                figures.add(.growth, subject, "put", .nanoseconds, outcome.seconds * 1e9 / Double(size))
                add(.growth, subject, outcome.percentiles)
                figures.add(.growth, subject, "over 1 ms", .count, Double(outcome.percentiles?.over1ms ?? 0))
                figures.add(.growth, subject, "over 10 ms", .count, Double(outcome.percentiles?.over10ms ?? 0))
                figures.add(.growth, subject, Metric.written, .share, Double(outcome.bytesWritten) / logical)
                let reloaded = try StepProcess.run(self.step(.reload, setting, folder, 0)).outcome
                try check(reloaded.contents, expected, setting, "growth")
                figures.add(.growth, subject, "reload, per live document", .nanoseconds, reloaded.seconds * 1e9 / Double(expected.count))
                figures.add(.growth, subject, "reload peak memory", .bytes, Double(reloaded.peakMemory))
                figures.add(.growth, subject, Metric.stored, .share, Double(Disk.usedBytes(folder)) / Double(expected.bytes))
            }
        }
    }
}

extension Int {
    /// 1,000,000
    var grouped: String {
        var text = ""
        for (index, digit) in String(self).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
