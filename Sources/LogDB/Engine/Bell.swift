//===--- Bell.swift - waking one thread, and only that one -----------------===//
//
// A background thread that finds nothing to do waits for its bell; who makes work for it rings. The bell counts, so a ring
// between looking for work and waiting is not lost: look at `count` first, then for work, then wait for the count to change.
//
// Ringing costs a call of the system only where somebody sleeps. Who rings counts first and then looks for a sleeper; who goes to sleep says so first and then
// looks at the count: one of the two sees the other.
//===-----------------------------------------------------------------------===//

import LogDBFile
import Synchronization

final class Bell: Sendable {
    private let rings = Atomic<UInt64>(0)
    private let isAsleep = Atomic<Bool>(false)
    private let bed = Monitor(())

    init() {}

    var count: UInt64 { rings.load(ordering: .sequentiallyConsistent) }

    func ring() {
        rings.wrappingAdd(1, ordering: .sequentiallyConsistent)
        guard isAsleep.load(ordering: .sequentiallyConsistent) else { return }
        // Between its look at the count and its sleep, a sleeper has the lock.
        bed.withLock { _ in }
        bed.signal()
    }

    /// Returns once the bell has rung since `count` was read, or the monotonic clock shows `deadline`.
    ///
    /// - Parameter patience: for how many nanoseconds to stay awake first, leaving the processor to whoever wants it: waking up takes tens of microseconds.
    func wait(since count: UInt64, until deadline: UInt64? = nil, awakeFor patience: UInt64 = 0) {
        if patience > 0 {
            let start = Clock.monotonicNanoseconds()
            let end = min(deadline ?? .max, start + patience)
            while self.count == count, Clock.monotonicNanoseconds() < end { Clock.yield() }
        }
        bed.enter { lock in
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            defer { isAsleep.store(false, ordering: .sequentiallyConsistent) }
            while self.count == count {
                if let deadline {
                    if !lock.wait(until: deadline) { return }
                } else {
                    lock.wait()
                }
            }
        }
    }
}
