//===--- ManualClock.swift - a year in a minute ------------------------------===//
//
// The clock of a database, set by hand: for simulations in other packages, such as Benchmarks. No part of the public interface.
//===-----------------------------------------------------------------------===//

import LogDBFile

@_spi(Simulation) public final class ManualClock: Sendable {
    let clock: WallClock

    /// - Parameter milliseconds: since 1970 UTC.
    public init(milliseconds: Int64) { clock = WallClock(milliseconds: milliseconds) }

    public var milliseconds: Int64 {
        get { clock.milliseconds }
        set { clock.milliseconds = newValue }
    }
}

extension Options {
    /// Lets operations and retention go by `clock`.
    @_spi(Simulation) public mutating func follow(_ clock: ManualClock) { self.clock = clock.clock }
}
