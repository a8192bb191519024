//===--- Throttle.swift - not more bytes a second than asked for ------------===//

import LogDBFile

/// Slows down whoever passes bytes through it. Without a rate it does nothing.
final class Throttle: Sendable {
    private let bytesPerSecond: Int?
    private struct State {
        var passed = 0
        var start: UInt64 = 0
    }
    private let state = Monitor(State())
    private let isOver: @Sendable () -> Bool

    /// - Parameter isOver: asked while somebody is held up: whether nobody should be any more.
    init(bytesPerSecond: Int? = nil, isOver: @escaping @Sendable () -> Bool = { false }) {
        self.bytesPerSecond = bytesPerSecond
        self.isOver = isOver
    }

    /// Returns when `count` more bytes are within the rate.
    func pass(_ count: Int) {
        guard let bytesPerSecond, bytesPerSecond > 0 else { return }
        let due = state.withLock { state -> UInt64 in
            if state.start == 0 { state.start = Clock.monotonicNanoseconds() }
            state.passed += count
            return state.start + UInt64(Double(state.passed) / Double(bytesPerSecond) * 1e9)
        }
        while !isOver() {
            let now = Clock.monotonicNanoseconds()
            guard now < due else { return }
            Clock.sleep(nanoseconds: min(50_000_000, due - now))
        }
    }
}
