//===--- Goals.swift - what LogDB is to reach ------------------------------===//
//
// Each goal is a ratio of two figures of the same run, or a bound on one. Said of "no slower", a ratio within 1.3 of 1 is a tie: figures
// that close change places from run to run.
//===-----------------------------------------------------------------------===//

struct Goal: Codable {
    enum Verdict: String, Codable {
        case reached, tie, missed
        /// LogDB has nothing to be measured yet, or the peer is not here.
        case open
    }

    var workload: Workload
    var text: String
    /// What was measured, to be compared with the bound.
    var value: Double?
    var bound: Double
    var isAtLeast: Bool
    var unit: Unit?
    var note: String?

    var verdict: Verdict {
        guard let value else { return .open }
        if isAtLeast ? value >= bound : value <= bound { return .reached }
        return unit == nil && bound == 1 && isAtLeast && value >= 1 / tieRatio ? .tie : .missed
    }

    var valueText: String { value.map { unit?.format($0) ?? Unit.share.format($0) + "×" } ?? "–" }
    var boundText: String { (isAtLeast ? "≥ " : "≤ ") + (unit?.format(bound) ?? "\(bound)×") }
}

struct Goals {
    let figures: Figures
    let largest: Int
    private static let ours = "LogDB"
    private static let peers = ["SQLite", "RocksDB", "LevelDB", "LMDB", "Redis"]

    var all: [Goal] {
        puts + shared + reloads + typed + compactions + growth
    }

    // MARK: - Writing

    private func rate(_ workload: Workload, _ text: String, _ peer: String, _ bound: Double) -> Goal {
        Goal(
            workload: workload, text: text,
            value: ratio(figures.value(workload, Self.ours, Metric.rate), figures.value(workload, peer, Metric.rate)), bound: bound,
            isAtLeast: true)
    }

    private func ratio(_ a: Double?, _ b: Double?) -> Double? {
        guard let a, let b, b > 0 else { return nil }
        return a / b
    }

    private var puts: [Goal] {
        [
            rate(.putDisk, "no slower than SQLite", "SQLite FULL", 1),
            rate(.putDisk, "of RocksDB's rate", "RocksDB", 1.2),
            rate(.putDisk, "of LevelDB's rate", "LevelDB", 1.2),
            Goal(
                workload: .putDisk, text: "of a bare log's time, preallocated fdatasync",
                value: ratio(
                    figures.value(.putDisk, Self.ours, Metric.typical), figures.value(.putDisk, "bare log", Metric.typical)),
                bound: 1.1, isAtLeast: false),
            rate(.batchDisk, "of LevelDB's rate", "LevelDB", 1.3),
            rate(.putProcess, "of LevelDB's rate", "LevelDB", 4),
            rate(.putProcess, "of RocksDB's rate", "RocksDB", 10),
            rate(.putProcess, "of SQLite's rate, OFF", "SQLite OFF", 25),
            rate(.batchProcess, "of LevelDB's rate", "LevelDB", 4),
        ]
    }

    private var shared: [Goal] {
        let best = Self.best(figures, .threads, Metric.rate)
        func goal(_ workload: Workload, _ subject: String, _ text: String, _ bound: Double) -> Goal {
            Goal(
                workload: workload, text: text, value: ratio(figures.value(workload, subject, Metric.rate), best?.value), bound: bound,
                isAtLeast: true, note: best.map { "best peer: \($0.name)" })
        }
        return [
            goal(.threads, Self.ours, "of the best peer's rate", 1),
            goal(.tasks, Rivalry.tasks(64), "64 tasks, of the best peer's 64 threads", 4),
            goal(.tasks, Rivalry.tasks(512), "512 tasks, of the best peer's 64 threads", 10),
        ]
    }

    /// The best peer's figure; a bare log is no peer.
    private static func best(_ figures: Figures, _ workload: Workload, _ metric: String) -> (name: String, value: Double)? {
        let found = figures.of(workload).filter { figure in
            figure.metric == metric && peers.contains { figure.subject.hasPrefix($0) }
        }
        let sorted = found.sorted { $0.value < $1.value }
        let best = found.first?.unit.moreIsBetter == true ? sorted.last : sorted.first
        return best.map { ($0.subject, $0.value) }
    }

    // MARK: - Reading

    private var reloads: [Goal] {
        var goals: [Goal] = []
        for warmth in ["warm", "cold"] {
            // Peers have the choice of settings and of maps.
            func theirs(_ workload: Workload, _ peer: String) -> Double? {
                let names = figures.subjects(workload).filter { $0.hasPrefix(peer) }
                return names.flatMap { name in
                    [Destination.Kind.dictionary, .map].compactMap { figures.value(workload, name, Metric.reload(warmth, $0)) }
                }.min()
            }
            func goal(_ workload: Workload, _ text: String, ours: Double?, theirs: Double?, _ bound: Double, note: String?) -> Goal {
                Goal(
                    workload: workload, text: "\(warmth): \(text)", value: ratio(theirs, ours), bound: bound, isAtLeast: true, note: note)
            }
            let everything = figures.value(.reload, Self.ours, "\(warmth), loadAll")
            let missing = everything == nil ? "loadAll was not measured" : nil
            for (peer, bound) in [("LMDB", 1.0), ("RocksDB", 5), ("LevelDB", 5)] {
                goals.append(
                    goal(
                        .reload, "loadAll as fast as \(peer) fills its map, or so many times as fast", ours: everything,
                        theirs: theirs(.reload, peer), bound, note: missing))
            }
            let best = Self.peers.compactMap { theirs(.compaction, $0) }.min()
            let compacted = figures.value(.compaction, Self.ours, "\(warmth), loadAll")
            goals.append(
                goal(
                    .compaction, "loadAll after compaction, of the best peer's", ours: compacted, theirs: best, 2,
                    note: compacted == nil ? "loadAll was not measured" : nil))
            let dictionary = figures.value(.compaction, Self.ours, Metric.reload(warmth, .dictionary))
            goals.append(
                goal(.compaction, "a Swift dictionary after compaction, of the best peer's", ours: dictionary, theirs: best, 1, note: nil))
        }
        return goals
    }

    private var typed: [Goal] {
        let rates = figures.of(.typed).filter { $0.subject.hasPrefix("GRDB") && $0.metric == "put" }.map(\.value)
        let reloads = figures.of(.typed).filter { $0.subject.hasPrefix("GRDB") && $0.metric == "reload" }.map(\.value)
        return [
            Goal(
                workload: .typed, text: "put, of GRDB's rate", value: ratio(figures.value(.typed, Self.ours, "put"), rates.max()), bound: 5,
                isAtLeast: true),
            Goal(
                workload: .typed, text: "reload, of GRDB's speed",
                value: ratio(reloads.min(), figures.value(.typed, Self.ours, "reload")), bound: 5, isAtLeast: true),
        ]
    }

    // MARK: - Compaction and growth

    private var compactions: [Goal] {
        func ours(_ metric: String) -> Double? { figures.value(.compaction, Self.ours, metric) }
        func best(_ metric: String) -> Double? {
            let names = figures.subjects(.compaction).filter { name in ["SQLite", "LMDB", "Redis"].contains { name.hasPrefix($0) } }
            return names.compactMap { figures.value(.compaction, $0, metric) }.min()
        }
        func goal(_ text: String, _ value: Double?, _ bound: Double) -> Goal {
            Goal(workload: .compaction, text: text, value: value, bound: bound, isAtLeast: false)
        }
        return [
            goal(
                "stored after compaction, of RocksDB with LZ4",
                ratio(ours(Metric.stored), figures.value(.compaction, "RocksDB", Metric.stored)), 0.75),
            goal(
                "stored after compaction at the best codec, of RocksDB with zstd",
                ratio(
                    figures.of(.compaction).filter { $0.subject.hasPrefix(Self.ours) && $0.metric == Metric.stored }.map(\.value).min(),
                    figures.value(.compaction, "RocksDB zstd", Metric.stored)), 0.9),
            goal("time, of RocksDB's CompactRange", ratio(ours("compaction"), figures.value(.compaction, "RocksDB", "compaction")), 1.5),
            goal("peak extra disk, of the least of SQLite, LMDB, Redis", ratio(ours("peak extra disk"), best("peak extra disk")), 0.5),
            goal("peak memory, of the least of SQLite, LMDB, Redis", ratio(ours(Metric.engineMemory), best(Metric.engineMemory)), 0.5),
        ]
    }

    private var growth: [Goal] {
        let subjects = figures.subjects(.growth)
        let ours = subjects.filter { $0.hasPrefix(Self.ours) }
        func spread(_ metric: String) -> Double? {
            let values = ours.compactMap { figures.value(.growth, $0, metric) }
            return values.count > 1 ? ratio(values.max(), values.min()) : nil
        }
        let ending = ", \(largest.grouped)"
        let worst = figures.value(.growth, Self.ours + ending, Metric.worst)
        let peers = subjects.filter { name in name.hasSuffix(ending) && Self.peers.contains { name.hasPrefix($0) } }
            .compactMap { figures.value(.growth, $0, Metric.worst) }
        return [
            Goal(
                workload: .growth, text: "worst stall of a put over \(largest.grouped)", value: worst, bound: 10e6, isAtLeast: false,
                unit: .nanoseconds),
            Goal(
                workload: .growth, text: "worst stall of a put, of the best peer's", value: ratio(worst, peers.min()), bound: 1,
                isAtLeast: false),
            Goal(
                workload: .growth, text: "cost of a put, most over least of all sizes", value: spread("put"), bound: 1.3, isAtLeast: false),
            Goal(
                workload: .growth, text: "cost of a reloaded document, most over least of all sizes",
                value: spread("reload, per live document"), bound: 1.3, isAtLeast: false),
        ]
    }
}
