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
    private let judges: Bool
    private(set) var missed = 0
    /// What was printed as text, for the written report.
    private(set) var text: [String] = []

    init(judges: Bool) { self.judges = judges }

    func title(_ text: String) { put("\n\(text)") }

    func note(_ text: String) { put("  \(text)") }

    private func put(_ line: String) {
        text.append(line)
        print(line)
    }

    func add(_ line: Line) {
        let holds = judges ? line.holds : nil
        if holds == false { missed += 1 }
        printText(line, holds)
        fflush(nil)
    }

    private func printText(_ line: Line, _ holds: Bool?) {
        let beside = line.beside.map { "\($0.name) \(line.unit.format($0.value))" } ?? ""
        let ratio = line.ratio.map { String(format: "%.2f×", $0) } ?? ""
        let verdict = holds.map { $0 ? "PASS" : "MISS" } ?? ""
        var text = "  " + pad(line.what, 46) + pad(line.unit.format(line.value), 11, right: true) + "  " + pad(line.more, 22)
        text += pad(beside, 40) + pad(ratio, 8, right: true) + "  " + pad(line.limitText, 12) + verdict
        while text.last == " " { text.removeLast() }
        put(text)
    }

    private func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(1, width - text.count))
        return right ? space + text : text + space
    }
}
