//===--- Pace.swift - no faster than the sealer, and never stopped for long ---===//
//
// Where segments fill faster than the sealer empties them, whoever writes must wait for it in the end. At the end of a segment that would be for a whole one at
// once, tens of milliseconds in a single put. So while as many wait as may, the active segment fills no faster than the oldest of them is sealed: each part
// of it waits for a part.
//===-----------------------------------------------------------------------===//

import LogDBFile

extension Log {
    /// Parts of a segment between two looks at the sealer, and the least that a part has.
    private static let parts: UInt64 = 128
    private static let leastPart: UInt64 = 64 << 10
    /// How long one put waits at most, in nanoseconds.
    private static let longestWait: UInt64 = 2_000_000
    private static let look: UInt64 = 500_000

    /// Sees to it that writing is watched while the sealer has as much to do as may wait for it.
    func setPace(_ state: inout LogState) {
        guard mustWaitForSealer(state), let active = state.raw.last else { return state.paceAt = .max }
        state.paceAt = state.position + max(Self.leastPart, active.allocated / Self.parts)
    }

    /// Waits until the sealer has come as far as the writers, for a little while at most. Others append meanwhile.
    @inline(never)
    func keepPace(_ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        let end = Clock.monotonicNanoseconds() + Self.longestWait
        while mustWaitForSealer(lock.state), isAheadOfSealer(lock.state) {
            let now = Clock.monotonicNanoseconds()
            guard now < end else { break }
            _ = lock.wait(until: now + Self.look)
        }
        setPace(&lock.state)
        try lock.state.checkWritable()
    }

    /// Whether of the active segment more is filled than of the oldest is sealed.
    func isAheadOfSealer(_ state: borrowing LogState) -> Bool {
        guard let active = state.raw.last, let oldest = state.raw.first else { return false }
        let first = oldest.segment.header.firstSequence
        let reached = min(max(first, sealedThrough.load(ordering: .relaxed)), oldest.lastSequence)
        let filled = Double(active.end) / Double(active.allocated)
        let sealed = Double(reached - min(first, reached)) / Double(max(1, oldest.lastSequence - min(first, oldest.lastSequence)))
        // What it has read it has still to sync.
        return filled > sealed * 15 / 16
    }
}
