//===--- Report.swift - figures, limits, verdicts --------------------------===//
//
// One line a figure, printed when it is known:
//
//      put at .process                  1.31 µs   p99 3.10 µs          pwrite 1.08 µs   1.21×   ≤ 1.6 µs  PASS
//      └ what                           └ figure  └ more               └ beside         └ ratio └ limit   └ verdict
//
// A limit is on the figure or on the ratio, and says which by its unit. A quick run judges nothing: its samples are too few and
// its database is too small.
//===-----------------------------------------------------------------------===//

import Foundation

enum Unit: String, Encodable {
    case nanoseconds, perSecond, bytes, share

    func format(_ value: Double) -> String {
        switch self {
        case .nanoseconds: Self.scaled(value, [("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)])
        case .perSecond: Self.scaled(value, [("/s", 1), ("k/s", 1e3), ("M/s", 1e6)])
        case .bytes: Self.scaled(value, [("B", 1), ("KiB", 1024), ("MiB", 1_048_576)])
        case .share: String(format: "%.4f", value)
        }
    }

    private static func scaled(_ value: Double, _ units: [(String, Double)]) -> String {
        let unit = units.last { abs(value) >= $0.1 } ?? units[0]
        let number = value / unit.1
        return String(format: number < 10 ? "%.2f" : number < 100 ? "%.1f" : "%.0f", number) + " " + unit.0
    }
}

enum Limit {
    case atMost(Double)
    case atLeast(Double)
    case ratioAtMost(Double)
}

struct Line {
    var what: String
    var value: Double
    var unit: Unit
    var more = ""
    var beside: (name: String, value: Double)?
    var limit: Limit?

    /// Figure over figure: times above 1 mean that LogDB takes longer, rates above 1 that it does more.
    var ratio: Double? { beside.map { value / $0.value } }

    var holds: Bool? {
        switch limit {
        case nil: nil
        case .atMost(let bound): value <= bound
        case .atLeast(let bound): value >= bound
        case .ratioAtMost(let bound): (ratio ?? .infinity) <= bound
        }
    }

    var limitText: String {
        switch limit {
        case nil: ""
        case .atMost(let bound): "≤ \(unit.format(bound))"
        case .atLeast(let bound): "≥ \(unit.format(bound))"
        case .ratioAtMost(let bound): String(format: "≤ %.2f×", bound)
        }
    }
}

final class Report {
    private let isJSON: Bool
    private let judges: Bool
    private(set) var missed = 0

    init(json: Bool, judges: Bool) {
        isJSON = json
        self.judges = judges
    }

    func title(_ text: String) { if !isJSON { print("\n\(text)") } }

    func note(_ text: String) { if !isJSON { print("  \(text)") } }

    func add(_ line: Line) {
        let holds = judges ? line.holds : nil
        if holds == false { missed += 1 }
        if isJSON { printJSON(line, holds) } else { printText(line, holds) }
        fflush(nil)
    }

    private func printText(_ line: Line, _ holds: Bool?) {
        let beside = line.beside.map { "\($0.name) \(line.unit.format($0.value))" } ?? ""
        let ratio = line.ratio.map { String(format: "%.2f×", $0) } ?? ""
        let verdict = holds.map { $0 ? "PASS" : "MISS" } ?? ""
        var text = "  " + pad(line.what, 46) + pad(line.unit.format(line.value), 11, right: true) + "  " + pad(line.more, 22)
        text += pad(beside, 40) + pad(ratio, 8, right: true) + "  " + pad(line.limitText, 12) + verdict
        while text.last == " " { text.removeLast() }
        print(text)
    }

    private func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(1, width - text.count))
        return right ? space + text : text + space
    }

    private struct JSONLine: Encodable {
        var what: String
        var value: Double
        var unit: Unit
        var more: String?
        var beside: String?
        var besideValue: Double?
        var ratio: Double?
        var limit: String?
        var holds: Bool?
    }

    private func printJSON(_ line: Line, _ holds: Bool?) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = JSONLine(
            what: line.what, value: line.value, unit: line.unit, more: line.more.isEmpty ? nil : line.more, beside: line.beside?.name,
            besideValue: line.beside?.value, ratio: line.ratio, limit: line.limit == nil ? nil : line.limitText, holds: holds)
        if let text = try? encoder.encode(object) { print(String(decoding: text, as: UTF8.self)) }
    }
}
