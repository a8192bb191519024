//===--- Drainer.swift - the thread that empties the ring ------------------===//
//
// Sleeps until a chunk has gathered, or until what is less has waited for a while: what stays in the ring is safe from the process's death, but the
// system begins to write a segment to the disk only once it has it. A put wakes the thread once per chunk at most.
//
// Also here: when a session gets its ring.
//===-----------------------------------------------------------------------===//

import LogDBFile

extension Log {
    /// Bytes that a session has written beyond what was synced when it gets a ring by itself: less is not worth making one.
    static let unsyncedForRing: UInt64 = 512 << 10
    /// How long less than a chunk may wait.
    private static let patience: UInt64 = 50_000_000
    /// How long to leave a full disk alone.
    private static let pause: UInt64 = 100_000_000

    /// The active segment is another one.
    func beginAppending(_ state: inout LogState) {
        guard let active = state.raw.last else { return }
        if options.appender == .sharedTail, !state.hasTriedRing {
            state.hasTriedRing = true
            if let ring = makeRing() { state.appender = ring }
        }
        state.appender.begin(active.segment, at: active.end)
        if state.appender is SharedTail { startDraining() }
    }

    /// Makes the ring, in a thread; writers go over to it once it is there.
    func askForRing(_ state: inout LogState) {
        state.ringThreshold = .max
        startDraining()
    }

    private func makeRing() -> SharedTail? {
        // Not from what the next segments need.
        let wanted = UInt64(2 * options.ringBytes) + 2 * UInt64(options.segmentSizeBytes)
        guard let free = try? directory.freeBytes(), free >= wanted else { return nil }
        return RingFile.make(in: directory, database: manifest.database, capacity: options.ringBytes).map {
            SharedTail($0, capacity: UInt64(options.ringBytes), bell: drainer.bell)
        }
    }

    private func startDraining() {
        guard options.drainsInBackground else { return }
        // Without a thread, who writes drains.
        _ = drainer.wake { [self] in runDrainer() }
    }

    private func runDrainer() {
        guard let ring = ringToDrain() else { return }
        var waitingSince: UInt64?
        while true {
            let rings = drainer.bell.count
            if monitor.withLock({ $0.isStopping || $0.isClosed }) { return }
            let pending = ring.pending
            let now = Clock.monotonicNanoseconds()
            if pending >= ring.chunk || pending > 0 && now >= (waitingSince ?? now) + Self.patience {
                waitingSince = nil
                do throws(FileError) { try ring.drainChunk() } catch {
                    guard error.code == .diskFull else { return monitor.withLock { $0.poison(LogDBError(error)) } }
                    drainer.bell.wait(since: rings, until: now + Self.pause)
                }
            } else if pending > 0 {
                waitingSince = waitingSince ?? now
                if ring.setAlarm(pending: ring.chunk) { drainer.bell.wait(since: rings, until: waitingSince! + Self.patience) }
            } else {
                waitingSince = nil
                if ring.setAlarm(pending: 1) { drainer.bell.wait(since: rings) }
            }
        }
    }

    /// The ring that is in use, or the one that was asked for.
    private func ringToDrain() -> SharedTail? {
        if let ring = monitor.withLock({ $0.appender as? SharedTail }) { return ring }
        guard let ring = makeRing() else { return nil }
        let isUsed = monitor.withLock { state in
            guard state.failure == nil, !state.isStopping else { return false }
            state.appender = ring
            if state.isActive, let active = state.raw.last { ring.begin(active.segment, at: active.end) }
            return true
        }
        if isUsed { return ring }
        RingFile.remove(from: directory)
        return nil
    }
}
