//===--- GroupCommitTests.swift - many who wait for one disk ----------------===//
//
// Threads and tasks that wait at once share syncs, and hand the lead to one another. Each must get its own answer, good or bad, and nobody may be
// forgotten.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct GroupCommitTests {
    private func options(_ appender: Appender) -> Options {
        Options {
            $0.appender = appender
            $0.ringBytes = 64 << 10
            $0.segmentSizeBytes = 256 << 10
        }
    }

    /// Every one of `threads` threads and `tasks` tasks writes `each` documents at `.disk`. Returns how many writes were acknowledged, and refused.
    private func write(_ db: Database, threads: Int, tasks: Int, each: Int) async throws -> (acknowledged: Set<Int64>, refused: Int) {
        let outcome = Monitor((acknowledged: Set<Int64>(), refused: 0))
        let workers = try (0..<threads).map { thread in
            try BackgroundThread(name: "writer \(thread)") {
                for index in 0..<each {
                    let key = Int64(thread * each + index)
                    let isDone = (try? db.upsert("t", .integer(key), json: #"{"n":1}"#, persistence: .disk)) != nil
                    outcome.withLock { if isDone { $0.acknowledged.insert(key) } else { $0.refused += 1 } }
                }
            }
        }
        await withTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    for index in 0..<each {
                        let key = Int64((threads + task) * each + index)
                        let isDone = (try? await db.upsert("t", .integer(key), json: Array(#"{"n":1}"#.utf8), persistence: .disk)) != nil
                        outcome.withLock { if isDone { $0.acknowledged.insert(key) } else { $0.refused += 1 } }
                    }
                }
            }
        }
        for worker in workers { worker.join() }
        return outcome.withLock { $0 }
    }

    private func keys(_ db: Database) throws -> Set<Int64> {
        var keys: Set<Int64> = []
        try db.select("t") { if case .integer(let key) = try $0.key { keys.insert(key) } }
        return keys
    }

    @Test(arguments: [Appender.positional, .sharedTail], [(24, 0), (0, 48), (12, 24), (1, 1)])
    func `threads and tasks that wait together are all told, and what they were told is on the disk`(
        _ appender: Appender, _ numbers: (threads: Int, tasks: Int)
    ) async throws {
        let disk = SimulatedDisk()
        let db = try Database.open(disk.directory(), path: "simulated", options: options(appender))
        let outcome = try await write(db, threads: numbers.threads, tasks: numbers.tasks, each: 25)
        #expect(outcome.refused == 0)
        #expect(outcome.acknowledged.count == (numbers.threads + numbers.tasks) * 25)
        let image = disk.afterCrash(.pessimistic)
        let again = try Database.open(image.directory(), path: "simulated", options: options(appender))
        #expect(try keys(again) == outcome.acknowledged)
        try again.close()
        try db.close()
    }

    @Test(arguments: [Appender.positional, .sharedTail])
    func `a sync that fails is told to all who waited for it, and to all who come later`(_ appender: Appender) async throws {
        let disk = SimulatedDisk()
        let db = try Database.open(disk.directory(), path: "simulated", options: options(appender))
        try db.upsert("t", -1, json: "{}", persistence: .disk)
        disk.inject(Fault(.error(.inputOutput), on: .sync, after: 9, times: 1))
        let outcome = try await write(db, threads: 12, tasks: 24, each: 20)
        #expect(outcome.refused > 0 && outcome.acknowledged.count + outcome.refused == 36 * 20)
        #expect(throws: LogDBError.self) { try db.close() }
        let image = disk.afterCrash(.pessimistic)
        let again = try Database.open(image.directory(), path: "simulated", options: options(appender))
        #expect(try keys(again).isSuperset(of: outcome.acknowledged))
        try again.close()
    }
}
