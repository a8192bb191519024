//===--- Zipf.swift - which keys are popular -------------------------------===//
//
// Rank r of n is chosen with a probability in proportion to 1 / r^θ. Gray, Sundaresan, Englert, Baclawski, Weinberger: "Quickly generating
// billion-record synthetic databases" (SIGMOD 1994); YCSB, which most key-value stores are measured with, uses the same, with θ = 0.99.
//===-----------------------------------------------------------------------===//

import Foundation

struct Zipf: Sendable {
    static let theta = 0.99

    private let count: Int
    private let zeta: Double
    private let eta: Double
    private let alpha: Double

    init(_ count: Int) {
        self.count = count
        let theta = Self.theta
        zeta = (1...count).reduce(0) { $0 + pow(1 / Double($1), theta) }
        alpha = 1 / (1 - theta)
        let zetaOfTwo = 1 + pow(0.5, theta)
        eta = (1 - pow(2 / Double(count), 1 - theta)) / (1 - zetaOfTwo / zeta)
    }

    /// A rank from 0 up, 0 being the most popular, for a number from 0 up to, not including, 1.
    func rank(_ unit: Double) -> Int {
        let scaled = unit * zeta
        if scaled < 1 || count == 1 { return 0 }
        if scaled < 1 + pow(0.5, Self.theta) { return 1 }
        return min(count - 1, Int(Double(count) * pow(eta * unit - eta + 1, alpha)))
    }
}
