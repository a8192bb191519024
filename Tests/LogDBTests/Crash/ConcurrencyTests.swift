//===--- ConcurrencyTests.swift - several writers, one crash ---------------===//
//
// Threads write to one database, each its own numbers, 1, 2, 3 …, some in batches, one of them in transactions. Which thread comes first is
// not known before, so there is no model of the whole; but the run itself goes on to its end, and says afterwards what the order was:
//
//      the run      a1 b1 b2 a2 [a3 a4 a5] b3 c1 …         in order of sequence numbers
//      an image     a1 b1 b2 a2 [a3 a4 a5]                 a beginning of it, of whole frames
//      thread a     acknowledged 4                         at least that is in it
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct Together {
        private struct Progress {
            var attempted = 0
            var process = 0
            var disk = 0
        }

        private struct Taken {
            var disk: SimulatedDisk
            var floors: [Int]
            var ceilings: [Int]
            var what: String
        }

        private struct Entry: Equatable {
            var sequence: UInt64
            var thread: Int
            var number: Int
            /// The last number of its frame.
            var last: Int
        }

        private static let threads = 4
        private static let writes = 60

        @Test(arguments: DiskModel.allCases, 0..<Scale.seeds(6, debug: 1))
        func `of several threads each keeps what it was acknowledged, in its order`(_ model: DiskModel, _ seed: Int) throws {
            let disk = SimulatedDisk(model: model)
            // With both appenders, the shared tail with its own thread.
            var options = Workload.all[0].by((model == .ext4Like) == seed.isMultiple(of: 2) ? .sharedTail : .positional).options
            options.drainsInBackground = true
            let db = try Database.open(disk.directory(), path: "simulated", options: options)
            let progress = Monitor([Progress](repeating: Progress(), count: Self.threads))
            let taken = Monitor<[Taken]>([])
            let failures = Monitor<[String]>([])
            let every = Scale.isDebug ? 17 : 3
            disk.onOperation { disk, index, operation, name in
                guard (index + seed).isMultiple(of: every) else { return }
                // Floors before the image, ceilings after it: both on the safe side.
                let before = progress.withLock { $0 }
                let isKill = index.isMultiple(of: 2)
                let mode = [CrashMode.pessimistic, .optimistic, .random(seed: UInt64(index))][index % 3]
                let image = isKill ? disk.afterKill() : disk.afterCrash(mode)
                let after = progress.withLock { $0 }
                let what = "\(index) before \(operation) \(name), \(isKill ? "killed" : "\(mode)")"
                taken.withLock {
                    $0.append(
                        Taken(
                            disk: image, floors: before.map { isKill ? $0.process : $0.disk }, ceilings: after.map(\.attempted),
                            what: what))
                }
            }
            let workers = try (0..<Self.threads).map { thread in
                try BackgroundThread(name: "writer \(thread)") {
                    do { try write(db, thread, seed, progress) } catch { failures.withLock { $0.append("thread \(thread): \(error)") } }
                }
            }
            for worker in workers { worker.join() }
            disk.onOperation(nil)
            try db.close()
            #expect(failures.withLock { $0 } == [])

            let whole = try reopened(disk, options) { try entries(of: $0) }
            #expect(whole.count == (Self.threads - 1) * Self.writes)
            for image in taken.withLock({ $0 }) {
                Tally.count(.crashImages)
                Tally.count(.concurrentImages)
                do { try check(image, whole, options) } catch { Issue.record("\(image.what): \(error)") }
            }
        }

        // MARK: Writing

        private func write(_ db: Database, _ thread: Int, _ seed: Int, _ progress: Monitor<[Progress]>) throws {
            var random = SplitMix64(seed: UInt64(seed * 100 + thread))
            var number = 1
            while number <= Self.writes {
                let level: Persistence = random.chance(1, in: 3) ? .disk : .process
                let last = random.chance(1, in: 4) ? min(number + 2, Self.writes) : number
                progress.withLock { $0[thread].attempted = last }
                let padding = String(repeating: "x", count: 200 + random.below(4000))
                func document(_ number: Int) -> String { #"{"n":\#(number),"last":\#(last),"t":"\#(padding)"}"# }
                let table = "t\(thread)"
                if thread == 0 {
                    try db.transaction(persistence: level) { transaction in
                        for key in ["a", "b", "c"] { try transaction.upsert(table, Key.string(key), json: document(last)) }
                    }
                } else if last > number {
                    var batch = Batch()
                    for number in number...last { try batch.upsert(table, .integer(Int64(number % 9)), json: document(number)) }
                    try db.write(batch, persistence: level)
                } else {
                    try db.upsert(table, .integer(Int64(number % 9)), json: document(number), persistence: level)
                }
                progress.withLock { progress in
                    progress[thread].process = last
                    if level == .disk { progress[thread].disk = last }
                }
                number = last + 1
            }
        }

        // MARK: Checking

        private func reopened<Result>(_ disk: SimulatedDisk, _ options: Options, _ body: (Database) throws -> Result) throws -> Result {
            let db = try Database.open(disk.directory(), path: "simulated", options: options)
            defer { try? db.close() }
            return try body(db)
        }

        /// What the writers of plain writes and batches wrote, in order.
        private func entries(of db: Database) throws -> [Entry] {
            var entries: [Entry] = []
            try db.replay { operation in
                guard let thread = Int(operation.table.dropFirst()), thread > 0 else { return }
                let (number, last) = try numbers(Array(operation.document))
                entries.append(Entry(sequence: operation.sequenceNumber, thread: thread, number: number, last: last))
            }
            return entries
        }

        private func numbers(_ document: [UInt8]) throws -> (Int, Int) {
            let json = try JSON(parsing: document.span)
            guard let number = json["n"].int64, let last = json["last"].int64 else { throw Violation("a document is not as written") }
            return (Int(number), Int(last))
        }

        private func check(_ image: Taken, _ whole: [Entry], _ options: Options) throws {
            try reopened(image.disk, options) { db in
                let entries = try entries(of: db)
                guard entries.elementsEqual(whole.prefix(entries.count)) else { throw Violation("not a beginning of what was written") }
                for thread in 1..<Self.threads {
                    let own = entries.last { $0.thread == thread }
                    let count = own?.number ?? 0
                    guard count >= image.floors[thread] else {
                        throw Violation("lost: thread \(thread) has \(count), \(image.floors[thread]) were acknowledged")
                    }
                    guard count <= image.ceilings[thread] else { throw Violation("thread \(thread) has more than it wrote") }
                    guard own == nil || own?.last == count else { throw Violation("half a batch of thread \(thread)") }
                }
                try checkTransactions(db, image)
                try db.upsert("after", "crash", json: "{}", persistence: .disk)
            }
            try Check.noLeaks(image.disk)
            let report = try Database.verify(image.disk.directory(), path: "simulated")
            guard report.isSound, report.remarks.isEmpty else { throw Violation("verify finds \(report.damages) \(report.remarks)") }
        }

        private func checkTransactions(_ db: Database, _ image: Taken) throws {
            let found = try ["a", "b", "c"].map { try db.document("t0", .string($0)).map { try numbers($0).0 } ?? 0 }
            guard Set(found).count == 1 else { throw Violation("half a transaction: \(found)") }
            guard found[0] >= image.floors[0], found[0] <= image.ceilings[0] else {
                throw Violation("transactions up to \(found[0]) are there, \(image.floors[0]) were acknowledged")
            }
        }
    }
}
