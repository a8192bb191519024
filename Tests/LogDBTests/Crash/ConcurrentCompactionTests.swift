//===--- ConcurrentCompactionTests.swift - writers, a compactor, one crash ---===//
//
// As in ConcurrencyTests, but what compaction has cleared away cannot be compared operation by operation. Instead each thread writes to a table of its
// own, so what that holds after its k-th operation is known; and which k an image must hold, its last sequence number says:
//
//      the run      a1 b1 b2 a2 [a3 a4 a5] b3 c1 …         in order of sequence numbers, of which every writer notes its own
//      an image     ends with the number of a5              so it holds table a after 5, b after 2, c after 0 operations
//      thread a     acknowledged 4, had begun 6             5 lies in between, at the end of a batch
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct TogetherWithCompaction {
        private struct Progress {
            var attempted = 0
            var process = 0
            var disk = 0
        }

        private struct Entry {
            var sequence: UInt64
            var number: Int
            /// The last number of its frame, or transaction.
            var last: Int
            var key: Key
            /// nil for a delete.
            var document: [UInt8]?
        }

        private struct Taken {
            var disk: SimulatedDisk
            var floors: [Int]
            var ceilings: [Int]
            var what: String
        }

        private static let writers = 3
        private static let writes = 70
        private static let options: Options = {
            var options = Workload.all[0].options
            options.sortBudgetBytes = 10 << 10
            return options
        }()

        @Test(arguments: DiskModel.allCases, 0..<Scale.seeds(6, debug: 1))
        func `while one thread compacts, each of the others keeps what it was acknowledged`(_ model: DiskModel, _ seed: Int) throws {
            let disk = SimulatedDisk(model: model)
            let db = try Database.open(disk.directory(), path: "simulated", options: Self.options)
            let progress = Monitor([Progress](repeating: Progress(), count: Self.writers))
            let written = Monitor([[Entry]](repeating: [], count: Self.writers))
            let taken = Monitor<[Taken]>([])
            let failures = Monitor<[String]>([])
            let every = Scale.isDebug ? 23 : 4
            disk.onOperation { disk, index, operation, name in
                guard (index + seed).isMultiple(of: every) else { return }
                // Floors before the image, ceilings after it: both on the safe side.
                let before = progress.withLock { $0 }
                let isKill = index.isMultiple(of: 3)
                let mode = [CrashMode.pessimistic, .optimistic, .random(seed: UInt64(index))][index / 3 % 3]
                let image = isKill ? disk.afterKill() : disk.afterCrash(mode)
                let after = progress.withLock { $0 }
                let floors = before.map { isKill ? $0.process : $0.disk }
                let what = "\(index) before \(operation) \(name), \(isKill ? "killed" : "\(mode)")"
                taken.withLock { $0.append(Taken(disk: image, floors: floors, ceilings: after.map(\.attempted), what: what)) }
            }
            let workers = try (0..<Self.writers).map { thread in
                try BackgroundThread(name: "writer \(thread)") {
                    do { try write(db, thread, seed, progress, written) } catch {
                        failures.withLock { $0.append("thread \(thread): \(error)") }
                    }
                }
            }
            let isOver = Monitor(false)
            let compactions = Monitor(0)
            let compactor = try BackgroundThread(name: "compactor") {
                do {
                    // The last round begins when all is written.
                    var isLast = false
                    while !isLast {
                        isLast = isOver.withLock { $0 }
                        if try db.compact().steps > 0 { compactions.withLock { $0 += 1 } }
                    }
                } catch { failures.withLock { $0.append("the compactor: \(error)") } }
            }
            for worker in workers { worker.join() }
            isOver.withLock { $0 = true }
            compactor.join()
            disk.onOperation(nil)
            try db.close()
            #expect(failures.withLock { $0 } == [])
            #expect(compactions.withLock { $0 } > 0)

            // Which thread came first is told by the numbers.
            let entries = written.withLock { $0 }
            let end = Taken(
                disk: disk.afterCrash(.pessimistic), floors: entries.map(\.count), ceilings: entries.map(\.count), what: "the end")
            for image in taken.withLock({ $0 }) + [end] {
                Tally.count(.crashImages)
                Tally.count(.concurrentImages)
                do { try check(image, entries) } catch { Issue.record("\(image.what): \(error)") }
            }
        }

        private func write(
            _ db: Database, _ thread: Int, _ seed: Int, _ progress: Monitor<[Progress]>, _ written: Monitor<[[Entry]]>
        ) throws {
            var random = SplitMix64(seed: UInt64(seed * 100 + thread))
            let table = "t\(thread)"
            var number = 1
            while number <= Self.writes {
                let level: Persistence = random.chance(1, in: 3) ? .disk : .process
                let last = random.chance(1, in: 3) ? min(number + 3, Self.writes) : number
                var entries = (number...last).map { number in
                    let padding = String(repeating: "x", count: 200 + random.below(5000))
                    let document = random.chance(1, in: 5) ? nil : Array(#"{"n":\#(number),"t":"\#(padding)"}"#.utf8)
                    return Entry(sequence: 0, number: number, last: last, key: .integer(Int64(random.below(12))), document: document)
                }
                progress.withLock { $0[thread].attempted = last }
                if thread == 0, last > number {
                    let transaction = try db.begin()
                    for index in entries.indices {
                        let entry = entries[index]
                        if let document = entry.document {
                            entries[index].sequence = try transaction.upsert(table, entry.key, json: document.span)
                        } else {
                            entries[index].sequence = try transaction.delete(table, entry.key)
                        }
                    }
                    try transaction.commit(persistence: level)
                } else {
                    var batch = Batch()
                    for entry in entries {
                        if let document = entry.document {
                            try batch.upsert(table, entry.key, json: document.span)
                        } else {
                            try batch.delete(table, entry.key)
                        }
                    }
                    let range = try db.write(batch, persistence: level)!
                    // Creating the table takes a number before them.
                    for index in entries.indices { entries[index].sequence = range.upperBound - UInt64(entries.count - 1 - index) }
                }
                written.withLock { $0[thread] += entries }
                progress.withLock { progress in
                    progress[thread].process = last
                    if level == .disk { progress[thread].disk = last }
                }
                number = last + 1
            }
        }

        private func check(_ image: Taken, _ entries: [[Entry]]) throws {
            do {
                let db = try Database.open(image.disk.directory(), path: "simulated", options: Self.options)
                defer { try? db.close() }
                let end = try db.statistics().lastSequenceNumber
                for thread in 0..<Self.writers {
                    var count = entries[thread].count { $0.sequence <= end }
                    var found: [Key: [UInt8]] = [:]
                    try db.select("t\(thread)") { found[try $0.key] = Array($0.document) }
                    // Of a transaction that was not committed the operations have numbers, and do not count. The last one may be such.
                    if thread == 0, count > 0, entries[0][count - 1].last != count || found != Self.contents(entries[0].prefix(count)) {
                        let last = entries[0][count - 1].last
                        while count > 0, entries[0][count - 1].last == last { count -= 1 }
                    }
                    guard found == Self.contents(entries[thread].prefix(count)) else {
                        throw Violation("table t\(thread) is not as after \(count) operations: \(Self.told(found))")
                    }
                    guard count >= image.floors[thread] else {
                        throw Violation("lost: thread \(thread) has \(count), \(image.floors[thread]) were acknowledged")
                    }
                    guard count <= image.ceilings[thread] else { throw Violation("thread \(thread) has more than it wrote") }
                    guard count == 0 || entries[thread][count - 1].last == count else {
                        throw Violation("half a batch of thread \(thread)")
                    }
                    for (key, document) in found {
                        guard try db.document("t\(thread)", key) == document else { throw Violation("get of \(key) finds something else") }
                    }
                }
                try db.upsert("after", "crash", json: "{}", persistence: .disk)
                // What was left half-way is gone on with.
                let before = try Check.contents(of: db).live
                try db.compact()
                guard try Check.contents(of: db).live == before else { throw Violation("compaction after the crash changes the contents") }
                try Check.noLeftovers(image.disk, db)
            }
            try Check.noLeaks(image.disk)
            let report = try Database.verify(image.disk.directory(), path: "simulated")
            guard report.isSound, report.remarks.isEmpty else { throw Violation("verify finds \(report.damages) \(report.remarks)") }
        }

        private static func contents(_ entries: some Sequence<Entry>) -> [Key: [UInt8]] {
            var result: [Key: [UInt8]] = [:]
            for entry in entries { result[entry.key] = entry.document }
            return result
        }

        private static func told(_ contents: [Key: [UInt8]]) -> String {
            contents.sorted { $0.key < $1.key }.map { "\($0.key): \(String(decoding: $0.value.prefix(9), as: UTF8.self))" }
                .joined(separator: ", ")
        }
    }
}
