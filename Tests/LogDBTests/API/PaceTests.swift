//===--- PaceTests.swift - writers, the sealer and the compactor beside each other ---===//
//
// Whoever writes faster than segments are sealed is slowed down, bit by bit; and nobody syncs a segment for the sake of another one's files.
//===-----------------------------------------------------------------------===//

#if DEBUG  // It looks inside, which only a debug build lets it.
    import Foundation
    import LogDBFile
    import LogDBSimulation
    import Testing

    @testable import LogDB

    @Suite struct PaceTests {
        private let disk = SimulatedDisk(model: .strictPOSIX)
        private let directory: HookedDirectory

        init() { directory = HookedDirectory(disk.directory()) }

        private static func document(_ length: Int) -> String { #"{"x":"\#(String(repeating: "x", count: length))"}"# }

        @Test func `while the sealer has its fill, writers look for it in each part of a segment, and none is stopped before it ends`()
            throws
        {
            let gate = Monitor(false)
            directory.set {
                $0.beforeWrite = { name in
                    guard name.contains(".seg") else { return }
                    gate.enter { lock in while !lock.state { lock.wait() } }
                }
            }
            let options = Options {
                $0.segmentSizeBytes = 1 << 20
                $0.persistence = .process
                $0.compaction = .manual
                $0.appender = .positional
            }
            let database = try Database.open(directory, path: "simulated", options: options)
            let document = Self.document(50_000)
            var count: Int64 = 0
            while database.log.monitor.withLock({ $0.sealableCount }) < Log.maximumBacklog {
                #expect(database.log.monitor.withLock { $0.paceAt } == .max)
                try database.upsert("a", .integer(count), json: document)
                count += 1
            }
            // The sealer is held up. What is written now has to look for it, more than once, and gets to the end of the segment all the same.
            var looks: Set<UInt64> = []
            while database.log.monitor.withLock({
                $0.raw.last!.end + 60_000 < $0.raw.last!.allocated - Log.reserve(of: $0.raw.last!.allocated)
            }
            ) {
                try database.upsert("a", .integer(count), json: document)
                count += 1
                looks.insert(database.log.monitor.withLock { $0.paceAt })
            }
            #expect(looks.count > 5 && !looks.contains(.max))
            gate.enter { lock in
                lock.state = true
                lock.broadcast()
            }
            try database.seal()
            try database.upsert("a", .integer(count), json: document)
            #expect(database.log.monitor.withLock { $0.paceAt } == .max)
            #expect(try database.loadAll("a").count == Int(count) + 1)
            try database.close()
        }

        @Test(arguments: [false, true])
        func `a compaction syncs the log for what it says of tables, and not for its documents`(_ isDropped: Bool) throws {
            let options = Options {
                $0.segmentSizeBytes = 64 << 10
                $0.persistence = .process
                $0.compaction = .manual
                $0.appender = .positional
            }
            let database = try Database.open(directory, path: "simulated", options: options)
            try database.upsert("b", 1, json: "{}")
            for number in 0..<60 { try database.upsert("a", .integer(Int64(number % 3)), json: Self.document(10_000)) }
            try database.log.waitUntilSealed()
            if isDropped { try database.dropTable("b") }
            let synced = Monitor<[String]>([])
            directory.set { $0.afterSync = { name in synced.withLock { $0.append(name) } } }
            let report = try database.log.compact(CompactionOptions()) { _ in }
            #expect(report.steps > 0)
            #expect(synced.withLock { $0 }.contains { $0.hasSuffix(".log") } == isDropped)
            try database.close()
        }
    }
#endif
