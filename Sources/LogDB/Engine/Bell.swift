//===--- Bell.swift - waking one thread, and only that one -----------------===//
//
// A background thread that finds nothing to do waits for its bell; who makes work for it rings. The bell counts, so a ring
// between looking for work and waiting is not lost: look at `count` first, then for work, then wait for the count to change.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class Bell: Sendable {
    private let rings = Monitor<UInt64>(0)

    init() {}

    var count: UInt64 { rings.withLock { $0 } }

    func ring() {
        rings.withLock { $0 &+= 1 }
        rings.signal()
    }

    /// Returns once the bell has rung since `count` was read, or the monotonic clock shows `deadline`.
    func wait(since count: UInt64, until deadline: UInt64? = nil) {
        var isOver = false
        while !isOver {
            isOver = rings.enter { lock -> Bool in
                if lock.state != count { return true }
                if let deadline { return !lock.wait(until: deadline) }
                lock.wait()
                return false
            }
        }
    }
}
