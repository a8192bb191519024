//===--- LadderPlot.swift - the year as a picture ---------------------------===//
//
// Two panels above each other, a year from left to right: bytes of the folder, with a ladder and without, and of the live documents; and versions kept.
//===-----------------------------------------------------------------------===//

import Foundation

struct LadderPlot {
    let ladder: [LadderSample]
    let latest: [LadderSample]
    /// Bytes of keys and documents that were written in all.
    let written: Int
    /// How many of the versions are live.
    let documents: Int

    private static let width = 900.0
    private static let height = 640.0
    private static let left = 86.0
    private static let right = 24.0

    private struct Curve {
        var name: String
        var color: String
        var values: [Double]
    }

    var svg: String {
        let bytes = [
            Curve(name: "folder, with the ladder", color: "#1f77b4", values: ladder.map { Double($0.folderBytes) }),
            Curve(name: "folder, without a retention", color: "#ff7f0e", values: latest.map { Double($0.folderBytes) }),
            Curve(name: "live documents, uncompressed", color: "#2ca02c", values: ladder.map { Double($0.liveBytes) }),
        ]
        let versions = [
            Curve(name: "in the files, with the ladder", color: "#1f77b4", values: ladder.map { Double($0.versions) }),
            Curve(name: "in the files, without a retention", color: "#ff7f0e", values: latest.map { Double($0.versions) }),
            Curve(name: "live", color: "#2ca02c", values: ladder.map { _ in Double(documents) }),
        ]
        let most = Double(ladder.map(\.folderBytes).max() ?? 0) / Double(max(1, ladder.last?.liveBytes ?? 1))
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(f(Self.width))" height="\(f(Self.height))" \
            viewBox="0 0 \(f(Self.width)) \(f(Self.height))" font-family="Helvetica, Arial, sans-serif">
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(text(24, 32, "\(ladder.count) days of autosaves with a ladder: everything for an hour, hourly for a day, daily for a month", size: 16, weight: "bold"))
            \(text(24, 52, "\(Unit.bytes.format(Double(written))) of documents written; the folder never had more than \(String(format: "%.1f", most)) times the live documents, uncompressed", size: 12))
            \(panel(bytes, "Bytes", top: 84, height: 250) { Unit.bytes.format($0) })
            \(panel(versions, "Versions", top: 384, height: 200) { Int($0) >= 1000 ? "\(Int($0) / 1000) k" : "\(Int($0))" })
            </svg>

            """
    }

    private func panel(_ curves: [Curve], _ title: String, top: Double, height: Double, _ format: (Double) -> String) -> String {
        let greatest = (curves.flatMap(\.values).max() ?? 1) * 1.05
        let step = Self.step(greatest, isBytes: title == "Bytes")
        let (left, right, bottom) = (Self.left, Self.width - Self.right, top + height)
        func x(_ day: Int) -> Double { left + (right - left) * Double(day) / Double(max(1, ladder.count - 1)) }
        func y(_ value: Double) -> Double { bottom - height * value / greatest }
        var parts = [text(24, top - 8, title, size: 13, weight: "bold")]
        for value in stride(from: 0, through: greatest, by: step) {
            parts.append(line(left, y(value), right, y(value), "#dddddd", 1))
            parts.append(text(left - 8, y(value) + 4, format(value), size: 11, anchor: "end"))
        }
        for day in stride(from: 0, to: ladder.count, by: max(1, ladder.count / 12)) {
            parts.append(text(x(day), bottom + 16, "day \(day)", size: 11, anchor: "middle"))
        }
        for (index, curve) in curves.enumerated() {
            let points = curve.values.enumerated().map { "\(f(x($0.offset))),\(f(y($0.element)))" }.joined(separator: " ")
            parts.append(#"<polyline points="\#(points)" fill="none" stroke="\#(curve.color)" stroke-width="1.6"/>"#)
            let place = left + 110 + Double(index) * 235
            parts.append(line(place, top - 12, place + 22, top - 12, curve.color, 3))
            parts.append(text(place + 28, top - 8, curve.name, size: 12, fill: curve.color))
        }
        return parts.joined(separator: "\n")
    }

    /// A round number of which about five fit.
    private static func step(_ greatest: Double, isBytes: Bool) -> Double {
        if isBytes { return pow(2, (log2(greatest / 4)).rounded(.down)) }
        let power = pow(10, (log10(greatest / 4)).rounded(.down))
        return [5, 2, 1].map { $0 * power }.first { greatest / $0 >= 4 } ?? power
    }

    private func text(
        _ x: Double, _ y: Double, _ content: String, size: Int, weight: String = "normal", fill: String = "#222222",
        anchor: String = "start"
    ) -> String {
        #"<text x="\#(f(x))" y="\#(f(y))" font-size="\#(size)" font-weight="\#(weight)" fill="\#(fill)" text-anchor="\#(anchor)">\#(content)</text>"#
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, _ width: Double) -> String {
        #"<line x1="\#(f(x1))" y1="\#(f(y1))" x2="\#(f(x2))" y2="\#(f(y2))" stroke="\#(color)" stroke-width="\#(f(width))"/>"#
    }

    private func f(_ value: Double) -> String { String(format: "%g", (value * 10).rounded() / 10) }
}
