//===--- Puts.swift - one put, one thread ----------------------------------===//
//
// A document of 250 bytes under a key of 13: proven to be JSON, framed, checksummed, written. Beside it what the system charges for
// bytes of the same number, and SQLite. Every call is timed by itself; the cost of the clock is in every figure and is given.
//===-----------------------------------------------------------------------===//

import LogDB

extension Bench {
    func measurePuts() throws {
        report.title("put of a 250-byte document, one thread")
        report.add(Line(what: "reading the clock twice (in each figure)", value: clockCost().median, unit: .nanoseconds))

        let calls = calls(200_000, quick: 10_000)
        let inputs = inputs
        let length = try logBytes { try inputs.put(0, into: $0, .process) }
        let bytes = [UInt8](repeating: 0x5A, count: length)
        let total = (calls + 10_000) * length
        let prepared = try BareFile(fresh("bare.prepared"), .preallocated, byteCount: total)
        let growing = try BareFile(fresh("bare.growing"), .growing)
        let database = try Database.open(at: fresh("put"))
        let sharing = try Database.open(at: fresh("sharing"), options: Options { $0.appender = .sharedTail })
        let paced = try Database.open(at: fresh("paced"))
        let counting = try Database.open(at: fresh("counting"))
        let counter = try counting.counter("counters", "views", field: "count")
        let off = try SQLite(fresh("off.sqlite"), .off)
        let normal = try SQLite(fresh("normal.sqlite"), .normal)

        let results = try race(
            [
                Contender("put") { try inputs.put($0, into: database, .process) },
                Contender("pwrite") { _ in try prepared.append(bytes) },
                Contender("write") { _ in try growing.extend(bytes) },
                Contender("interval") { try inputs.put($0, into: paced, .interval(.milliseconds(100))) },
                Contender("count") { _ in try counter.increment(persistence: .process) },
                Contender("shared") { try inputs.put($0, into: sharing, .process) },
            ], calls: calls, turn: 500, warmUp: 2000)
        try database.close()
        let sharedAppender = try sharing.statistics().appender
        try sharing.close()
        try paced.close()
        try counting.close()
        // Fewer, and after the others: its checkpoints would fall on them.
        let peers = try race(
            [
                Contender("off") { try inputs.put($0, into: off) },
                Contender("normal") { try inputs.put($0, into: normal) },
            ], calls: calls / 4, turn: 500, warmUp: 2000)

        report.add(line("put at .process", results[0], ("pwrite, preallocated, \(length) B", results[1].median), .atMost(1600)))
        report.add(line("put at .process", results[0], ("write, growing, \(length) B", results[2].median)))
        report.add(line("put at .process", results[0], ("SQLite, synchronous=OFF", peers[0].median)))
        report.add(line("put at .process, \(sharedAppender)", results[5], ("pwrite, preallocated, \(length) B", results[1].median)))
        report.add(line("put at .interval(100 ms)", results[3], ("put at .process", results[0].median)))
        report.add(line("counter step at .process", results[4], ("put at .process", results[0].median), .ratioAtMost(1)))
        report.add(line("put at .interval(100 ms)", results[3], ("SQLite, synchronous=NORMAL", peers[1].median)))
    }

    /// Call by call in turns with a bare file, since the disk's mood changes from one second to the next.
    func measureDisk() throws {
        report.title("put of a 250-byte document at .disk, one thread")
        let calls = calls(3000, quick: 200)
        let inputs = inputs
        let length = try logBytes { try inputs.put(0, into: $0, .process) }
        let bytes = [UInt8](repeating: 0x5A, count: length)
        let database = try Database.open(at: fresh("disk"))
        let prepared = try BareFile(fresh("bare.prepared"), .preallocated, byteCount: 32 << 20)
        let put = Contender("put") { try inputs.put($0, into: database, .disk) }
        let bare = Contender("bare") { _ in
            try prepared.append(bytes)
            try prepared.sync()
        }
        let results = try race([put, bare], calls: calls, turn: 1, warmUp: 50)

        let zeroed = try BareFile(fresh("bare.zeroed"), .zeroed, byteCount: 32 << 20)
        let full = try SQLite(fresh("full.sqlite"), .full)
        let peers = try race(
            [
                put,
                Contender("zeroed") { _ in
                    try zeroed.append(bytes)
                    try zeroed.sync()
                },
                Contender("full") { try inputs.put($0, into: full) },
            ], calls: calls / 2, turn: 1, warmUp: 20)
        try database.close()

        report.add(line("put at .disk", results[0], ("pwrite+fdatasync, preallocated", results[1].median), .ratioAtMost(1.15)))
        report.add(line("put at .disk", peers[0], ("pwrite+fdatasync, filled with zeros", peers[1].median)))
        report.add(line("put at .disk", peers[0], ("SQLite, synchronous=FULL", peers[2].median)))
    }

    func line(_ what: String, _ samples: Samples, _ beside: (String, Double)?, _ limit: Limit? = nil) -> Line {
        Line(
            what: what, value: samples.median, unit: .nanoseconds, more: "p99 " + Unit.nanoseconds.format(samples.p99),
            beside: beside.map { (name: $0.0, value: $0.1) }, limit: limit)
    }
}
