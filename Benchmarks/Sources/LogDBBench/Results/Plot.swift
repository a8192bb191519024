//===--- Plot.swift - the picture ------------------------------------------===//
//
// A panel a workload, a line an engine, a dot at its median on a logarithmic scale, a bar from the least to the greatest round. Dots, not
// bars from zero: a logarithmic scale has no zero. Plain SVG, written by hand; any browser and any converter draws it.
//===-----------------------------------------------------------------------===//

import Foundation

struct Plot {
    let figures: Figures
    let title: String

    private struct Panel {
        var title: String
        var hint: String
        var figures: [Figure]
    }

    private static let width = 1180.0
    private static let margin = 24.0
    private static let gap = 28.0
    private static let rowHeight = 21.0
    private static let headHeight = 52.0
    private static let footHeight = 30.0
    private static let labelWidth = 118.0
    private static let valueWidth = 92.0

    private var panels: [Panel] {
        var panels: [Panel] = []
        for workload in [Workload.putDisk, .batchDisk, .putProcess, .batchProcess] {
            panels.append(panel(workload, workload.title, Metric.rate, "operations a second, more is better"))
        }
        var waiting = panel(.threads, "64 threads, or tasks, waiting for durable puts", Metric.rate, "operations a second, more is better")
        waiting.figures += figures.of(.tasks).filter { $0.metric == Metric.rate }
        waiting.figures.sort { $0.value > $1.value }
        panels.append(waiting)
        panels.append(panel(.typed, "Codable put", "put", "operations a second, more is better"))
        panels.append(panel(.typed, "Codable reload", "reload", "time, less is better"))
        for (workload, when) in [(Workload.reload, "as it comes"), (.compaction, "after compaction")] {
            for warmth in ["warm", "cold"] {
                panels.append(
                    panel(
                        workload, "Reload into a Swift dictionary, \(when), \(warmth)", Metric.reload(warmth, .dictionary),
                        "time, less is better"))
            }
            panels.append(panel(workload, "Stored bytes per live byte, \(when)", Metric.stored, "less is better"))
        }
        panels.append(panel(.compaction, "Compaction", "compaction", "time, less is better"))
        panels.append(panel(.compaction, "Compaction: peak extra disk", "peak extra disk", "less is better"))
        panels.append(panel(.startup, "Opening a large database", Workload.startup.mainMetric, "time, less is better"))
        panels.append(panel(.growth, "Put, as the history grows", "put", "time per put, less is better", sorts: false))
        panels.append(panel(.growth, "Worst stall of a put", Metric.worst, "time, less is better", sorts: false))
        return panels.filter { !$0.figures.isEmpty }
    }

    private func panel(_ workload: Workload, _ title: String, _ metric: String, _ hint: String, sorts: Bool = true) -> Panel {
        var found = figures.of(workload).filter { $0.metric == metric && $0.value > 0 }
        if sorts { found.sort { $0.unit.moreIsBetter ? $0.value > $1.value : $0.value < $1.value } }
        return Panel(title: title, hint: hint, figures: found)
    }

    var svg: String {
        let panels = panels
        let columnWidth = (Self.width - 2 * Self.margin - Self.gap) / 2
        // Each panel goes to the column that is shorter.
        var heights = [64.0, 64.0]
        var body: [String] = []
        for panel in panels {
            let column = heights[0] <= heights[1] ? 0 : 1
            body.append(draw(panel, x: Self.margin + Double(column) * (columnWidth + Self.gap), y: heights[column], width: columnWidth))
            heights[column] += Self.headHeight + Double(panel.figures.count) * Self.rowHeight + Self.footHeight
        }
        let height = max(heights[0], heights[1]) + Self.margin
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(f(Self.width))" height="\(f(height))" \
            viewBox="0 0 \(f(Self.width)) \(f(height))" font-family="Helvetica, Arial, sans-serif">
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(text(Self.margin, 34, "LogDB beside its peers", size: 20, weight: "bold"))
            \(text(Self.margin, 53, "\(title). Dot: median; bar: least to greatest round; logarithmic scales.", size: 12, fill: "#666666"))
            \(body.joined(separator: "\n"))
            </svg>

            """
    }

    // MARK: - A panel

    private func draw(_ panel: Panel, x: Double, y: Double, width: Double) -> String {
        let left = x + Self.labelWidth + (panel.figures.contains { $0.subject.count > 13 } ? 52 : 0)
        let right = x + width - Self.valueWidth
        let top = y + Self.headHeight
        let bottom = top + Double(panel.figures.count) * Self.rowHeight
        let scale = Scale(panel.figures, left, right)
        var parts = [
            text(x, y + 24, panel.title, size: 14, weight: "bold"),
            text(x, y + 40, panel.hint, size: 11, fill: "#666666"),
        ]
        for tick in scale.ticks {
            let place = scale.place(tick)
            parts.append(line(place, top - 2, place, bottom, "#e2e2e2", 1))
            let unit = panel.figures[0].unit
            parts.append(text(place, bottom + 13, Self.short(unit, tick), size: 10, fill: "#888888", anchor: "middle"))
        }
        for (index, figure) in panel.figures.enumerated() {
            let middle = top + (Double(index) + 0.5) * Self.rowHeight
            let isOurs = figure.subject.hasPrefix("LogDB")
            let isBare = figure.subject.hasPrefix("bare")
            let color = isOurs ? "#c2410c" : isBare ? "#9a9a9a" : "#2f5f8f"
            let weight = isOurs ? "bold" : "normal"
            parts.append(line(left, middle, right, middle, "#f1f1f1", 1))
            if figure.values.count > 1, figure.least > 0 {
                parts.append(line(scale.place(figure.least), middle, scale.place(figure.greatest), middle, color, 4, opacity: 0.35))
            }
            parts.append(#"<circle cx="\#(f(scale.place(figure.value)))" cy="\#(f(middle))" r="4.5" fill="\#(color)"/>"#)
            parts.append(text(left - 8, middle + 4, figure.subject, size: 12, weight: weight, fill: color, anchor: "end"))
            parts.append(text(right + 10, middle + 4, figure.unit.format(figure.value), size: 12, weight: weight, fill: color))
        }
        return parts.joined(separator: "\n")
    }

    /// From values to places, by their logarithms, with room at both ends.
    private struct Scale {
        private let unit: Unit
        private let low: Double
        private let high: Double
        private let left: Double
        private let right: Double

        init(_ figures: [Figure], _ left: Double, _ right: Double) {
            let values = figures.flatMap { $0.values + [$0.value] }.filter { $0 > 0 }
            let least = log2(values.min() ?? 1)
            let greatest = log2(values.max() ?? 1)
            let room = max(0.25, (greatest - least) * 0.05)
            unit = figures.first?.unit ?? .share
            low = least - room
            high = greatest + room
            self.left = left
            self.right = right
        }

        func place(_ value: Double) -> Double { left + (log2(max(value, 1e-12)) - low) / (high - low) * (right - left) }

        /// Round numbers, more of them where the span is short. Sizes are round in powers of two.
        var ticks: [Double] {
            let span = high - low
            var found: [Double] = []
            if unit == .bytes {
                let step = max(1, Int((span / 5).rounded(.up)))
                for power in Int(low.rounded(.down))...Int(high.rounded(.up)) where power.isMultiple(of: step) {
                    found.append(pow(2, Double(power)))
                }
            } else {
                let digits: [Double] =
                    span < 1.3 ? [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8] : span < 4.3 ? [1, 2, 3, 5] : span < 8.3 ? [1, 3] : [1]
                for power in Int((low / log2(10)).rounded(.down))...Int((high / log2(10)).rounded(.up)) {
                    found += digits.map { $0 * pow(10, Double(power)) }
                }
            }
            return found.filter { log2($0) >= low && log2($0) <= high }
        }
    }

    /// "10 k/s" without what is the same on every tick.
    private static func short(_ unit: Unit, _ value: Double) -> String {
        if unit == .share { return value < 0.1 ? String(format: "%.2f", value) : String(format: "%.1f", value) }
        let words = unit.format(value).split(separator: " ", maxSplits: 1)
        guard words.count == 2, let number = Double(words[0]) else { return unit.format(value) }
        return String(format: "%g", number) + " " + words[1]
    }

    // MARK: - Elements

    private func text(
        _ x: Double, _ y: Double, _ content: String, size: Int, weight: String = "normal", fill: String = "#222222",
        anchor: String = "start"
    ) -> String {
        let escaped = content.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        return #"<text x="\#(f(x))" y="\#(f(y))" font-size="\#(size)" font-weight="\#(weight)" fill="\#(fill)" "#
            + #"text-anchor="\#(anchor)">\#(escaped)</text>"#
    }

    private func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, _ width: Double, opacity: Double = 1
    ) -> String {
        #"<line x1="\#(f(x1))" y1="\#(f(y1))" x2="\#(f(x2))" y2="\#(f(y2))" stroke="\#(color)" stroke-width="\#(f(width))" "#
            + #"stroke-opacity="\#(f(opacity))" stroke-linecap="round"/>"#
    }

    private func f(_ value: Double) -> String { String(format: "%g", (value * 100).rounded() / 100) }
}
