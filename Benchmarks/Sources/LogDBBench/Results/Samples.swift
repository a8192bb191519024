//===--- Samples.swift - many calls, timed one by one, side by side --------===//
//
// A figure alone says more about the hour than about the code, so contenders run in turns, A B C C B A …, and every kind of noise
// falls on all of them alike, and who follows whom does not matter either. What is reported is the median; nothing is subtracted. What reading the clock twice costs is
// measured and printed as a line of its own: it is part of every figure.
//===-----------------------------------------------------------------------===//

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Monotonic nanoseconds.
@inline(__always)
func now() -> UInt64 {
    var time = timespec()
    // SAFETY: clock_gettime fills the structure it is given.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// How long one run of `body` takes, in nanoseconds.
func time(_ body: () throws -> Void) rethrows -> Double {
    let start = now()
    try body()
    return Double(now() - start)
}

/// Durations in nanoseconds.
struct Samples {
    private var durations: [UInt64] = []

    mutating func add(_ nanoseconds: UInt64) { durations.append(nanoseconds) }

    mutating func add(_ other: Samples) { durations += other.durations }

    var count: Int { durations.count }
    var median: Double { quantile(0.5) }
    var p99: Double { quantile(0.99) }
    var least: Double { quantile(0) }
    var first: UInt64 { durations.first ?? 0 }
    var sum: UInt64 { durations.reduce(0, &+) }
    var sorted: [UInt64] { durations.sorted() }

    /// Nearest rank.
    func quantile(_ share: Double) -> Double {
        guard !durations.isEmpty else { return .nan }
        let sorted = durations.sorted()
        return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
    }
}

/// One of several that take turns. `call` is given the number of its call, from 0 up.
struct Contender {
    var name: String
    var call: (Int) throws -> Void

    init(_ name: String, _ call: @escaping (Int) throws -> Void) {
        self.name = name
        self.call = call
    }
}

/// Lets the contenders take turns of `turn` calls each until each has had `calls`; the first `warmUp` calls of each are not counted.
func race(_ contenders: [Contender], calls: Int, turn: Int, warmUp: Int = 0) throws -> [Samples] {
    var samples = Array(repeating: Samples(), count: contenders.count)
    var done = 0
    while done < calls + warmUp {
        let order = (done / turn).isMultiple(of: 2) ? Array(contenders.indices) : contenders.indices.reversed()
        for index in order {
            let contender = contenders[index]
            for number in done..<(done + turn) {
                let start = now()
                try contender.call(number)
                let end = now()
                if number >= warmUp { samples[index].add(end - start) }
            }
        }
        done += turn
    }
    return samples
}

/// Runs whole passes of the contenders in turns and returns each one's median duration in nanoseconds.
func racePasses(_ contenders: [Contender], passes: Int) throws -> [Double] {
    try race(contenders, calls: passes, turn: 1).map(\.median)
}

/// What timing an empty call costs.
func clockCost() -> Samples {
    var samples = Samples()
    for _ in 0..<100_000 {
        let start = now()
        samples.add(now() - start)
    }
    return samples
}
