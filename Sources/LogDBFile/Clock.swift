//===--- Clock.swift - what time it is -------------------------------------===//
//
// Wall-clock time is for people (timestamps in frames); it jumps. Monotonic time is for waiting; it means nothing after a restart.
// Code that must be tested takes one of these as a closure.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A clock that tests set. It may go back.
package final class WallClock: Sendable {
    private let time: Monitor<Int64>

    package init(milliseconds: Int64) { time = Monitor(milliseconds) }

    package var milliseconds: Int64 {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

package enum Clock {
    /// Returns milliseconds since 1970-01-01 UTC, leap seconds not counted. Negative before.
    package static func wallMilliseconds() -> Int64 {
        let time = read(CLOCK_REALTIME)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Returns milliseconds since 1970 as of the kernel's last tick, at most some milliseconds ago: a quarter of the cost, for
    /// timestamps on the path of every write.
    package static func coarseWallMilliseconds() -> Int64 {
        #if canImport(Darwin)
            return wallMilliseconds()
        #else
            let time = read(CLOCK_REALTIME_COARSE)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        #endif
    }

    /// Returns nanoseconds since some moment before this process started. Never goes back.
    package static func monotonicNanoseconds() -> UInt64 {
        let time = read(CLOCK_MONOTONIC)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Returns after about this long.
    package static func sleep(nanoseconds: UInt64) {
        var time = timespec()
        time.tv_sec = numericCast(nanoseconds / 1_000_000_000)
        time.tv_nsec = numericCast(nanoseconds % 1_000_000_000)
        // SAFETY: nanosleep reads the one structure. An early return by a signal is as good.
        _ = unsafe nanosleep(&time, nil)
    }

    /// Leaves the processor to another thread that wants it; returns at once where there is none.
    package static func yield() { _ = sched_yield() }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        // SAFETY: clock_gettime fills the structure it is given; with these two clocks it cannot fail.
        let result = unsafe clock_gettime(clock, &time)
        precondition(result == 0, "clock_gettime failed with \(result)")
        return time
    }
}
