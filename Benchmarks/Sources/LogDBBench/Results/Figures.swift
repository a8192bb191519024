//===--- Figures.swift - everything that was measured ----------------------===//
//
// A figure is one number of one engine in one workload, once for each round. What is reported is the median of the rounds with the least
// and the greatest; of worst stalls the greatest.
//===-----------------------------------------------------------------------===//

struct Figure: Codable {
    var workload: Workload
    /// Name of the engine with its setting.
    var subject: String
    var metric: String
    var unit: Unit
    /// One for each round.
    var values: [Double]

    var median: Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
    var least: Double { values.min() ?? 0 }
    var greatest: Double { values.max() ?? 0 }

    /// What stands for all rounds.
    var value: Double { metric == Metric.worst ? greatest : median }

    enum CodingKeys: String, CodingKey { case workload, subject, metric, unit, values, median, least, greatest }

    init(workload: Workload, subject: String, metric: String, unit: Unit, values: [Double]) {
        self.workload = workload
        self.subject = subject
        self.metric = metric
        self.unit = unit
        self.values = values
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        workload = try container.decode(Workload.self, forKey: .workload)
        subject = try container.decode(String.self, forKey: .subject)
        metric = try container.decode(String.self, forKey: .metric)
        unit = try container.decode(Unit.self, forKey: .unit)
        values = try container.decode([Double].self, forKey: .values)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(workload, forKey: .workload)
        try container.encode(subject, forKey: .subject)
        try container.encode(metric, forKey: .metric)
        try container.encode(unit, forKey: .unit)
        try container.encode(values, forKey: .values)
        try container.encode(median, forKey: .median)
        try container.encode(least, forKey: .least)
        try container.encode(greatest, forKey: .greatest)
    }
}

/// Names of metrics that several places speak of.
enum Metric {
    static let rate = "operations"
    static let typical = "p50"
    static let worst = "worst"
    static let written = "written per logical byte"
    static let peakMemory = "peak memory"
    /// Less what the program that measures takes by itself.
    static let engineMemory = "of that the engine"
    static let stored = "stored per live byte"

    static func reload(_ warmth: String, _ destination: Destination.Kind) -> String { "\(warmth), \(title(destination))" }

    static func title(_ destination: Destination.Kind) -> String {
        switch destination {
        case .dictionary: "Swift dictionary"
        case .map: "unordered_map"
        case .nowhere: "kept nowhere"
        case .loadAll: "loadAll"
        }
    }
}

final class Figures {
    private(set) var all: [Figure] = []

    func add(_ workload: Workload, _ subject: String, _ metric: String, _ unit: Unit, _ value: Double) {
        if let index = all.firstIndex(where: { $0.workload == workload && $0.subject == subject && $0.metric == metric }) {
            all[index].values.append(value)
        } else {
            all.append(Figure(workload: workload, subject: subject, metric: metric, unit: unit, values: [value]))
        }
    }

    func figure(_ workload: Workload, _ subject: String, _ metric: String) -> Figure? {
        all.first { $0.workload == workload && $0.subject == subject && $0.metric == metric }
    }

    func value(_ workload: Workload, _ subject: String, _ metric: String) -> Double? { figure(workload, subject, metric)?.value }

    func of(_ workload: Workload) -> [Figure] { all.filter { $0.workload == workload } }

    /// In the order in which they came.
    func subjects(_ workload: Workload) -> [String] { distinct(of(workload).map(\.subject)) }

    func metrics(_ workload: Workload) -> [String] { distinct(of(workload).map(\.metric)) }

    private func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

/// Under this ratio two figures are one.
let tieRatio = 1.3
