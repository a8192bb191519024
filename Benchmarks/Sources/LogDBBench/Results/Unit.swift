//===--- Unit.swift - figures as people read them --------------------------===//

import Foundation

enum Unit: String, Codable {
    case nanoseconds, perSecond, bytesPerSecond, bytes, share, count

    func format(_ value: Double) -> String {
        switch self {
        case .nanoseconds: Self.scaled(value, [("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)])
        case .perSecond: Self.scaled(value, [("/s", 1), ("k/s", 1e3), ("M/s", 1e6)])
        case .bytesPerSecond: Self.scaled(value, [("B/s", 1), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9)])
        case .bytes: Self.scaled(value, [("B", 1), ("KiB", 1024), ("MiB", 1_048_576)])
        case .share: String(format: value < 10 ? "%.3f" : "%.1f", value)
        case .count: String(Int(value))
        }
    }

    /// Whether more of it is better.
    var moreIsBetter: Bool { self == .perSecond || self == .bytesPerSecond }

    private static func scaled(_ value: Double, _ units: [(String, Double)]) -> String {
        let unit = units.last { abs(value) >= $0.1 } ?? units[0]
        let number = value / unit.1
        return String(format: number < 10 ? "%.2f" : number < 100 ? "%.1f" : "%.0f", number) + " " + unit.0
    }
}
