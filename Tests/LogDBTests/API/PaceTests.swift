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

    extension Log {
        fileprivate var isAhead: Bool { monitor.enter { lock in isAheadOfSealer(lock.state) } }

        fileprivate func pretendSealed(half: Bool) {
            let sequence = monitor.withLock { ($0.raw[0].segment.header.firstSequence + $0.raw[0].lastSequence) / 2 }
            sealedThrough.store(half ? sequence : 0, ordering: .relaxed)
        }

        /// Sets where the active segment ends, a third of it for nil, and returns where it did.
        @discardableResult
        fileprivate func setActiveEnd(_ end: UInt64?) -> UInt64 {
            monitor.withLock { state in
                let active = state.raw.count - 1
                defer { state.raw[active].end = end ?? state.raw[active].allocated / 3 }
                return state.raw[active].end
            }
        }
    }

    @Suite struct PaceTests {
        private let disk = SimulatedDisk(model: .strictPOSIX)
        private let directory: HookedDirectory

        init() { directory = HookedDirectory(disk.directory()) }

        private func open(segmentSize: Int) throws -> Database {
            let options = Options {
                $0.segmentSizeBytes = segmentSize
                $0.persistence = .process
                $0.compaction = .manual
                $0.appender = .positional
            }
            return try Database.open(directory, path: "simulated", options: options)
        }

        private static func document(_ length: Int) -> String { #"{"x":"\#(String(repeating: "x", count: length))"}"# }

        /// As many full segments as may wait, and a sealer that is held up while `body` runs.
        private func withSealerHeldUp(_ body: (Database, _ document: String, _ count: inout Int64) throws -> Void) throws {
            /// 0 at first, 1 once the sealer stands there, 2 when it may go on.
            let gate = Monitor(0)
            func openGate() {
                gate.enter { lock in
                    lock.state = 2
                    lock.broadcast()
                }
            }
            defer { openGate() }
            directory.set {
                $0.beforeWrite = { name in
                    guard name.contains(".seg") else { return }
                    gate.enter { lock in
                        lock.state = max(1, lock.state)
                        lock.broadcast()
                        while lock.state < 2 { lock.wait() }
                    }
                }
            }
            let database = try open(segmentSize: 1 << 20)
            let document = Self.document(50_000)
            var count: Int64 = 0
            while database.log.monitor.withLock({ $0.sealableCount }) < Log.maximumBacklog {
                #expect(database.log.monitor.withLock { $0.paceAt } == .max)
                try database.upsert("a", .integer(count), json: document)
                count += 1
            }
            gate.enter { lock in while lock.state < 1 { lock.wait() } }
            try body(database, document, &count)
            openGate()
            try database.seal()
            try database.upsert("a", .integer(count), json: document)
            #expect(database.log.monitor.withLock { $0.paceAt } == .max)
            #expect(try database.loadAll("a").count == Int(count) + 1)
            try database.close()
        }

        @Test func `while the sealer has its fill, writers look for it in each part of a segment, and none is stopped before it ends`()
            throws
        {
            try withSealerHeldUp { database, document, count in
                let log = database.log
                // What is written now has to look for it, more than once, and gets to the end of the segment all the same.
                var looks: Set<UInt64> = []
                while log.monitor.withLock({ $0.raw.last!.end + 60_000 < $0.raw.last!.allocated - Log.reserve(of: $0.raw.last!.allocated) })
                {
                    try database.upsert("a", .integer(count), json: document)
                    count += 1
                    looks.insert(log.monitor.withLock { $0.paceAt })
                }
                #expect(looks.count > 5 && !looks.contains(.max))
                // Nearly full against half sealed, and a third full against half.
                log.pretendSealed(half: true)
                #expect(log.isAhead)
                let end = log.setActiveEnd(nil)
                #expect(!log.isAhead)
                log.setActiveEnd(end)
            }
        }

        // Both had found that there is no such table, waited for the sealer, and the second wrote a frame without an operation.
        @Test func `two that make a table at once, and wait for the sealer, make it once`() throws {
            try withSealerHeldUp { database, document, count in
                database.log.pretendSealed(half: false)
                var lengths: Set<UInt64> = []
                for round in 0..<5 {
                    // Up to where the next one has to wait.
                    while database.log.monitor.withLock({ $0.position < $0.paceAt }) {
                        try database.upsert("a", .integer(count), json: document)
                        count += 1
                    }
                    let before = database.log.monitor.withLock { $0.position }
                    DispatchQueue.concurrentPerform(iterations: 2) { _ in
                        #expect(throws: Never.self) { try database.createTable("table \(round)") }
                    }
                    lengths.insert(database.log.monitor.withLock { $0.position } - before)
                }
                #expect(lengths.count == 1)
            }
        }

        @Test(arguments: [false, true])
        func `a compaction syncs the log for what it says of tables, and not for its documents`(_ isDropped: Bool) throws {
            let database = try open(segmentSize: 64 << 10)
            try database.upsert("b", 1, json: "{}")
            for number in 0..<60 { try database.upsert("a", .integer(Int64(number % 3)), json: Self.document(10_000)) }
            try database.log.waitUntilSealed()
            if isDropped { try database.dropTable("b") }
            let synced = Monitor<[String]>([])
            directory.set {
                $0.afterSync = { name in
                    synced.withLock { $0.append(name.hasSuffix(".log") ? "log" : name.hasPrefix("MANIFEST") ? "manifest" : "") }
                }
            }
            let report = try database.log.compact(CompactionOptions()) { _ in }
            #expect(report.steps > 0)
            // If at all, before it says anything in the manifest.
            let order = synced.withLock { $0 }
            #expect(order.contains("log") == isDropped && order.contains("manifest"))
            if isDropped { #expect(order.firstIndex(of: "log")! < order.firstIndex(of: "manifest")!) }
            try database.close()
        }
    }
#endif
