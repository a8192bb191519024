//===--- Tally.swift - how much was tried ----------------------------------===//
//
// Counts over the whole run, printed at its end in one line, and the switch for more:
//
//      LOGDB_CRASH_SCALE=10 swift test -c release --filter Crash
//===-----------------------------------------------------------------------===//

import LogDBFile

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum Tally {
    enum Kind: String, CaseIterable {
        case crashPoints = "crash points"
        case crashImages = "crash images"
        case differentImages = "different ones"
        case concurrentImages = "of several threads"
        case lives = "lives after a crash"
        case faults
        case faultImages = "images after faults"
        case fullDisks = "full disks"
        case flips, truncations
        case randomDamages = "random damages"
        case salvages
        case sabotages
    }

    private struct State {
        var counts: [Kind: Int] = [:]
        var printsAtExit = false
    }

    private static let state = Monitor(State())

    static func count(_ kind: Kind, _ number: Int = 1) {
        state.withLock { state in
            if !state.printsAtExit {
                state.printsAtExit = true
                atexit { Tally.printTotals() }
            }
            state.counts[kind, default: 0] += number
        }
    }

    private static func printTotals() {
        let line = state.withLock { state in
            Kind.allCases.compactMap { kind in
                state.counts[kind].map { "\(kind.rawValue): \($0)" }
            }.joined(separator: ", ")
        }
        print(line)
    }
}

enum Scale {
    #if DEBUG
        static let isDebug = true
    #else
        static let isDebug = false
    #endif

    /// 1 unless LOGDB_CRASH_SCALE says otherwise.
    static let factor: Int = {
        guard let text = unsafe getenv("LOGDB_CRASH_SCALE"), let number = unsafe Int(String(cString: text)) else { return 1 }
        return max(1, number)
    }()

    /// Part of a workload's name, to look at one alone: LOGDB_CRASH_ONLY.
    static let only: String? = unsafe getenv("LOGDB_CRASH_ONLY").map { unsafe String(cString: $0) }

    /// When a test case must have ended, however slow the machine: what has not by then hangs, and fails.
    static func deadline() -> UInt64 { Clock.monotonicNanoseconds() + UInt64(1200 * factor) * 1_000_000_000 }

    /// A number of seeds: `release` times the factor, or a share of it in a debug build, which is many times slower.
    static func seeds(_ release: Int, debug: Int) -> Int { isDebug ? debug * factor : release * factor }
}
