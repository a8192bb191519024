//===--- Groups.swift - many operations, one sync --------------------------===//
//
// Three ways to share a sync: a transaction or batch of one writer; threads that wait at the same time; tasks that wait without a thread.
// A transaction of 100 is compared with one write and one sync of as many bytes as it adds to the log.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

extension Bench {
    func measureTransactions() throws {
        report.title("100 operations at .disk, one thread")
        let calls = calls(1000, quick: 50)
        let inputs = inputs
        let length = try logBytes { try inputs.putHundred(0, inTransactionOf: $0, .process) }
        let bytes = [UInt8](repeating: 0x5A, count: length)
        let database = try Database.open(at: fresh("transactions"))
        let cheap = try Database.open(at: fresh("cheap"))
        let prepared = try BareFile(fresh("bare.prepared"), .preallocated, byteCount: (calls + 50) * length)
        let transaction = Contender("transaction") { try inputs.putHundred($0, inTransactionOf: database, .disk) }
        let results = try race(
            [
                transaction,
                Contender("bare") { _ in
                    try prepared.append(bytes)
                    try prepared.sync()
                },
                Contender("batch") { try inputs.putHundred($0, inBatchFor: database, .disk) },
            ], calls: calls, turn: 1, warmUp: 20)
        let unsynced = try race(
            [
                Contender("transaction") { try inputs.putHundred($0, inTransactionOf: cheap, .process) },
                Contender("batch") { try inputs.putHundred($0, inBatchFor: cheap, .process) },
            ], calls: calls, turn: 10, warmUp: 20)
        let full = try SQLite(fresh("full.sqlite"), .full)
        let peers = try race(
            [
                transaction,
                Contender("full") { try inputs.putHundred($0, into: full) },
            ], calls: calls / 2, turn: 1, warmUp: 20)
        try database.close()
        try cheap.close()

        let bare = ("one pwrite+fdatasync, \(length) B", results[1].median)
        report.add(line("transaction of 100 at .disk", results[0], bare, .ratioAtMost(1.2)))
        report.add(line("batch of 100 at .disk", results[2], bare, .ratioAtMost(1.2)))
        report.add(line("transaction of 100 at .disk", peers[0], ("SQLite, synchronous=FULL", peers[1].median)))
        report.add(line("transaction of 100 at .process", unsynced[0], nil))
        report.add(line("batch of 100 at .process", unsynced[1], nil))

        let many = self.calls(10_000_000, quick: 200_000)
        let path = fresh("long")
        guard let grown = Double(try Child.start(["write", path, String(many)])) else {
            throw SystemFailure(message: "the writing process gave no number")
        }
        report.add(
            Line(what: "peak memory growth, transaction of \(many)", value: grown, unit: .bytes, limit: .atMost(64 * 1_048_576)))
        let reader = try Database.open(at: path, options: Options { $0.access = .readOnly })
        var count = 0
        try reader.replay { _ in count += 1 }
        guard count == many else { throw SystemFailure(message: "\(count) of \(many) operations are there") }
        try reader.close()
    }

    @MainActor func measureThreads() async throws {
        report.title("puts a second at .disk, all together")
        let inputs = inputs
        let database = try Database.open(at: fresh("threads"))
        let prepared = try BareFile(fresh("bare.prepared"), .preallocated, byteCount: 32 << 20)
        let bytes = [UInt8](
            repeating: 0x5A, count: try logBytes { try inputs.put(0, into: $0, .process) })
        let total = calls(16_000, quick: 1000)
        let alone = try race(
            [
                Contender("put") { try inputs.put($0, into: database, .disk) },
                Contender("bare") { _ in
                    try prepared.append(bytes)
                    try prepared.sync()
                },
            ], calls: calls(1000, quick: 100), turn: 1)
        let bare = (name: "bare pwrite+fdatasync, one thread", value: 1e9 / alone[1].median)
        report.add(Line(what: "1 thread", value: 1e9 / alone[0].median, unit: .perSecond, beside: bare))
        for threads in [8, 64] {
            let each = total / threads
            let nanoseconds = try time {
                try inParallel(threads) { thread in
                    for index in 0..<each { try inputs.put(thread * each + index, into: database, .disk) }
                }
            }
            report.add(Line(what: "\(threads) threads", value: Double(each * threads) / nanoseconds * 1e9, unit: .perSecond, beside: bare))
        }
        for tasks in [64, 1000] {
            let each = max(1, total / tasks)
            let start = now()
            try await withThrowingTaskGroup { group in
                for task in 0..<tasks {
                    group.addTask {
                        for index in 0..<each { try await inputs.put(task * each + index, into: database, .disk) }
                    }
                }
                try await group.waitForAll()
            }
            let rate = Double(each * tasks) / Double(now() - start) * 1e9
            report.add(Line(what: "\(tasks) tasks, asynchronous", value: rate, unit: .perSecond, beside: bare))
        }
        try database.close()
    }

    /// Runs `body` on as many threads and waits for all of them; throws what the first of them threw.
    private func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let outcome = FirstFailure()
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            let thread = Thread {
                do { try body(number) } catch { outcome.fail(error) }
                group.leave()
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
        group.wait()
        try outcome.check()
    }
}

private final class FirstFailure: @unchecked Sendable {
    // SAFETY: touched under the lock only.
    private let lock = NSLock()
    private var failure: (any Error)?

    func fail(_ error: any Error) { lock.withLock { failure = failure ?? error } }
    func check() throws { if let failure = lock.withLock({ failure }) { throw failure } }
}
