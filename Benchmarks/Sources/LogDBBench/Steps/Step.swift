//===--- Step.swift - one thing done in a process of its own ---------------===//
//
// The parent says what to do as JSON on the command line, the child does it and prints the outcome as JSON. A step opens a database,
// does one thing and closes it again, so no engine profits from what an earlier step left in its caches, and peaks of memory and bytes
// written are its own.
//===-----------------------------------------------------------------------===//

struct Step: Codable {
    enum Action: String, Codable {
        /// Single operations, one thread.
        case put
        /// Batches of `size`, one thread.
        case batch
        /// Single operations of `size` threads at once.
        case threads
        /// Single operations of `size` tasks at once, without a thread each.
        case tasks
        /// Opens and fills the application's map.
        case reload
        case compact
        /// Opens and closes, `size` times.
        case open
        case typedPut
        case typedReload
        /// What the machine's own calls take.
        case limits
    }

    var action: Action
    var setting: Setting
    var folder: String
    /// Of the history: its length, and which part of it.
    var history = 0
    var range = 0..<0
    var size = 1
    var destination = Destination.Kind.dictionary
    /// Times every operation, not every other block of them.
    var timesEach = false
}

struct Outcome: Codable {
    var operations = 0
    /// Of the operations that were timed as a whole.
    var seconds = 0.0
    var perSecond = 0.0
    /// Of those timed one by one, in nanoseconds.
    var percentiles: Percentiles?
    /// Until the database was open, where that was timed by itself.
    var openSeconds = 0.0
    /// What a reload found.
    var contents: Contents?
    /// Rows the engine delivered, superseded ones included.
    var delivered = 0
    /// Of this process and the engine's server, in bytes.
    var peakMemory = 0
    var memoryBefore = 0
    /// The peak, less what this process had before it opened anything; a server's is all its own.
    var engineMemory = 0
    /// Handed to the block layer by this process and the engine's server, until everything was closed.
    var bytesWritten = 0
    /// Named figures of the machine, and the median durations of openings.
    var figures: [String: Double] = [:]
}

struct Percentiles: Codable {
    var p50 = 0.0
    var p90 = 0.0
    var p99 = 0.0
    var p999 = 0.0
    var p9999 = 0.0
    var worst = 0.0
    /// Longer than 1 and 10 ms: how many of how many.
    var over1ms = 0
    var over10ms = 0
    var count = 0

    init(_ samples: Samples) {
        let sorted = samples.sorted
        count = sorted.count
        guard count > 0 else { return }
        func quantile(_ share: Double) -> Double { Double(sorted[min(count - 1, Int(Double(count) * share))]) }
        p50 = quantile(0.5)
        p90 = quantile(0.9)
        p99 = quantile(0.99)
        p999 = quantile(0.999)
        p9999 = quantile(0.9999)
        worst = Double(sorted[count - 1])
        over1ms = sorted.reversed().prefix { $0 > 1_000_000 }.count
        over10ms = sorted.reversed().prefix { $0 > 10_000_000 }.count
    }
}
