//===--- Workload.swift - what can be asked for by name --------------------===//

enum Workload: String, Codable, CaseIterable {
    case limits
    case putDisk = "put-disk"
    case batchDisk = "batch-disk"
    case putProcess = "put-process"
    case threads
    case tasks
    case batchProcess = "batch-process"
    case reload
    case compaction
    case startup
    case typed
    case growth
    /// LogDB beside the system's own calls, with limits of its own.
    case own

    var title: String {
        switch self {
        case .limits: "What the machine charges"
        case .putDisk: "Durable single put, one thread"
        case .batchDisk: "Durable batches of 100"
        case .putProcess: "Put that survives process death, one thread"
        case .threads: "64 threads, each waiting for its own durable put"
        case .tasks: "Tasks waiting for their own durable put, without a thread each"
        case .batchProcess: "Batches of 1,000 that survive process death"
        case .reload: "Reload of everything, history never compacted by hand"
        case .compaction: "Compaction, and reload after it"
        case .startup: "Opening"
        case .typed: "Swift values: Codable put and reload"
        case .growth: "Growth: cost of a put and of a reloaded document, and the worst stall"
        case .own: "LogDB by itself"
        }
    }

    /// What its main figure is.
    var mainMetric: String {
        switch self {
        case .reload: Metric.reload("warm", .dictionary)
        case .compaction: "compaction"
        case .startup: "large, first"
        case .typed: "put"
        default: Metric.rate
        }
    }
}

/// How much of everything is done.
struct Scale {
    var name: String
    var operations: Int
    var rounds: Int
    var diskPuts: Int
    var diskBatches: Int
    var processPuts: Int
    var threadPuts: Int
    var taskPuts: Int
    var typedPuts: Int
    var growth: [Int]
    /// Growth of more than this is measured once.
    var repeatsGrowthUpTo = 1_000_000

    static let full = Scale(
        name: "full", operations: 1_000_000, rounds: 3, diskPuts: 4000, diskBatches: 4000, processPuts: 300_000, threadPuts: 64 * 600,
        taskPuts: 512 * 800, typedPuts: 100_000, growth: [100_000, 1_000_000, 10_000_000])
    static let quick = Scale(
        name: "quick", operations: 100_000, rounds: 3, diskPuts: 500, diskBatches: 50, processPuts: 20_000, threadPuts: 64 * 50,
        taskPuts: 512 * 20, typedPuts: 10_000, growth: [10_000, 100_000], repeatsGrowthUpTo: 10_000)
    static let smoke = Scale(
        name: "smoke", operations: 10_000, rounds: 1, diskPuts: 100, diskBatches: 10, processPuts: 5000, threadPuts: 64 * 10,
        taskPuts: 512 * 4, typedPuts: 2000, growth: [1000, 10_000], repeatsGrowthUpTo: 0)
}
