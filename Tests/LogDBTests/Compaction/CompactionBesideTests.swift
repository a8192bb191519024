//===--- CompactionBesideTests.swift - what goes on while a database is compacted ---===//

import Foundation
import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct CompactionBesideTests {
    let folder = TemporaryFolder()

    @Test func `close ends a compaction that is under way in another thread`() throws {
        var scribe = Scribe(seed: 20)
        var db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 3000, keys: 2000)
        let begun = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        let outcome = Monitor<LogDBError.Code?>(nil)
        let compacting = db
        Thread.detachNewThread {
            do {
                try compacting.compact { _ in
                    begun.signal()
                    // Goes on as soon as the close has begun.
                    while (try? compacting.flush(to: .process)) != nil { Thread.sleep(forTimeInterval: 0.001) }
                }
            } catch { outcome.withLock { $0 = (error as? LogDBError)?.code } }
            ended.signal()
        }
        begun.wait()
        try db.close()
        ended.wait()
        #expect(outcome.withLock { $0 } == .cancelled)
        #expect(try Database.verify(at: folder()).remarks == [])
        db = try Database.open(at: folder(), options: small())
        #expect(db.recovery.wasClosed)
        #expect(try contents(db) == scribe.contents)
        try db.compact()
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    @Test(arguments: [nil, 24 << 10]) func `writes, deletes, transactions, seals and readings go on in other threads`(_ sortBudget: Int?)
        throws
    {
        var options = small()
        options.sortBudgetBytes = sortBudget
        let db = try Database.open(at: folder(), options: options)
        let failures = Monitor<[String]>([])
        let isOver = Monitor(false)
        let models = Monitor<[String: [Key: String]]>([:])
        let group = DispatchGroup()
        func thread(_ body: @escaping @Sendable () throws -> Void) {
            group.enter()
            Thread.detachNewThread {
                do { try body() } catch { failures.withLock { $0.append("\(error)") } }
                group.leave()
            }
        }
        for writer in 0..<3 {
            thread {
                var scribe = Scribe(seed: UInt64(writer))
                let table = "t\(writer)"
                var random = SplitMix64(seed: UInt64(writer + 50))
                for round in 0..<60 {
                    try scribe.write(to: db, 20, tables: [table], keys: 150, deletesOneIn: 4)
                    if random.chance(1, in: 3) {
                        let commits = random.chance(1, in: 2)
                        let transaction = try db.begin()
                        for _ in 0..<12 {
                            let (key, document) = (scribe.key(150), scribe.document(900))
                            try transaction.upsert(table, key, json: document)
                            if commits { scribe.note(table, key, document) }
                        }
                        if commits { try transaction.commit() } else { transaction.rollback() }
                    }
                    if round % 9 == writer { try db.seal() }
                    // This thread's own table is what this thread made of it, whatever the others do.
                    if round % 5 == 0 {
                        var found: [Key: String] = [:]
                        try db.select(table) { found[try $0.key] = text($0.document) }
                        guard found == scribe.live[table]! else { throw Violation("\(table) is not as its writer knows it") }
                    }
                    for _ in 0..<5 {
                        let key = scribe.key(150)
                        let document = try db.document(table, key)
                        guard document == scribe.live[table]![key].map({ Array($0.utf8) }) else {
                            throw Violation("\(table)/\(key) is not as its writer knows it")
                        }
                    }
                }
                models.withLock { $0[table] = scribe.live[table] }
            }
        }
        let compactions = Monitor(0)
        let compactor = DispatchGroup()
        for _ in 0..<2 {
            compactor.enter()
            Thread.detachNewThread {
                do {
                    while !isOver.withLock({ $0 }) {
                        let report = try db.compact()
                        if report.steps > 0 { compactions.withLock { $0 += 1 } }
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
                compactor.leave()
            }
        }
        group.wait()
        isOver.withLock { $0 = true }
        compactor.wait()
        #expect(failures.withLock { $0 } == [])
        #expect(compactions.withLock { $0 } > 3)
        let expected = models.withLock { $0 }
        #expect(try contents(db) == expected)
        try db.compact()
        #expect(try contents(db) == expected)
        #expect(try db.statistics().waitingFiles == [])
        try db.close()
        #expect(try Database.verify(at: folder()).remarks == [])
    }

    @Test(arguments: [false, true]) func `a reading in whose middle everything is compacted goes on with what it began with`(
        _ replays: Bool
    ) throws {
        var scribe = Scribe(seed: 21)
        let db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 800, keys: 500)
        try db.compact()
        try scribe.write(to: db, 800, keys: 500)
        let before = scribe.contents
        var seen: [String: [Key: String]] = [:]
        var count = 0
        func body(_ operation: borrowing LogDB.Operation) throws {
            count += 1
            if operation.isDelete {
                seen[operation.table, default: [:]][try operation.key] = nil
            } else {
                seen[operation.table, default: [:]][try operation.key] = text(operation.document)
            }
            guard [3, 100, 250].contains(count) else { return }
            if count == 250 { try scribe.drop("b", of: db) }
            try scribe.write(to: db, 300, keys: 500)
            let report = try db.compact()
            #expect(report.steps == 1)
            #expect(try contents(db) == scribe.contents)
        }
        if replays { try db.replay(body) } else { try db.select(nil, body) }
        #expect(count > 250 && seen == before)
        // Nobody holds the old files any more.
        let listed = Set(try db.statistics().files.map(\.name) + ["LOCK", "READERS"])
        #expect(folder.files().filter { !listed.contains($0) } == [])
        #expect(try db.statistics().waitingFiles == [])
        try db.close()
    }

    // MARK: Readers

    @Test func `what a second opening reads stays until it is closed`() throws {
        var scribe = Scribe(seed: 22)
        let db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 900, keys: 500)
        try db.compact()
        try scribe.write(to: db, 900, keys: 500)
        try db.seal()
        let before = scribe.contents
        let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        let files = folder.files().filter { $0.contains(".base.") || $0.contains(".seg.") }
        try db.compact()
        try scribe.write(to: db, 300, keys: 500)
        try db.compact()
        #expect(Set(folder.files()).isSuperset(of: files))
        #expect(Set(try db.statistics().waitingFiles).isSuperset(of: files))
        #expect(try contents(reader) == before)
        for (key, document) in before["a"]!.prefix(50) { #expect(try reader.document("a", key) == Array(document.utf8)) }
        try reader.close()
        // The next compaction finds them free, even one that has nothing to do.
        try db.compact()
        #expect(Set(folder.files()).isDisjoint(with: files))
        #expect(try db.statistics().waitingFiles == [])
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    @Test func `what a reader kept goes with close, and at the next opening if the reader was still there`() throws {
        var scribe = Scribe(seed: 23)
        var db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 600, keys: 300)
        try db.seal()
        let files = folder.files().filter { $0.contains(".seg.") }
        let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        let before = scribe.contents
        try db.compact()
        try db.close()
        #expect(Set(folder.files()).isSuperset(of: files))
        // An opening beside the reader must leave them as well.
        db = try Database.open(at: folder(), options: small())
        #expect(Set(folder.files()).isSuperset(of: files))
        #expect(try contents(reader) == before)
        try reader.close()
        try db.close()
        #expect(Set(folder.files()).isDisjoint(with: files))
        db = try Database.open(at: folder(), options: small())
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).remarks == [])
    }

    #if os(Linux)
        // util-linux's flock takes the same kind of lock as a reader in another process; .ci/end-to-end does it with `logdb dump`.
        @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/flock")))
        func `what another process reads stays until that is over, or dead`() throws {
            var scribe = Scribe(seed: 24)
            let db = try Database.open(at: folder(), options: small())
            try scribe.write(to: db, 600, keys: 300)
            try db.seal()
            let files = folder.files().filter { $0.contains(".seg.") }
            let holder = Process()
            let pipe = Pipe()
            holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
            holder.arguments = ["--no-fork", "--shared", folder() + "/READERS", "/bin/sh", "-c", "echo ready; exec sleep 600"]
            holder.standardOutput = pipe
            try holder.run()
            #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self) == "ready\n")
            try db.compact()
            #expect(Set(folder.files()).isSuperset(of: files))
            kill(holder.processIdentifier, SIGKILL)
            holder.waitUntilExit()
            try db.compact()
            #expect(Set(folder.files()).isDisjoint(with: files))
            #expect(try contents(db) == scribe.contents)
            try db.close()
        }
    #endif

    // MARK: By itself

    /// Waits for what a thread of the database is about to do.
    private func eventually(_ what: String, _ holds: () throws -> Bool) throws {
        for _ in 0..<12_000 {
            if try holds() { return }
            Thread.sleep(forTimeInterval: 0.01)
        }
        Issue.record("\(what) does not happen")
    }

    @Test func `a database compacts itself once enough is superseded, and by default not when it is told not to`() throws {
        for isAutomatic in [true, false] {
            let name = "\(isAutomatic).logdb"
            var options = small()
            options.compaction = isAutomatic ? .automatic(garbage: 0.5, segments: 3) : .manual
            var scribe = Scribe(seed: 25)
            let db = try Database.open(at: folder(name), options: options)
            try scribe.write(to: db, 3000, keys: 100)
            try db.seal()
            if isAutomatic {
                try eventually("a compaction") { try db.statistics().compactedSequenceNumber > 0 }
                // Ends with less than half of it garbage, or too few segments to be worth it.
                try eventually("a compact database") {
                    let statistics = try db.statistics()
                    let plan = try db.compactionPlan()
                    return plan.estimatedGarbage < 0.5 || statistics.files.filter { $0.kind == "sealed" }.count < 3
                }
            } else {
                #expect(try db.statistics().compactedSequenceNumber == 0 && folder.bases(name) == [])
                #expect(try db.statistics().files.filter { $0.kind == "sealed" }.count > 10)
            }
            #expect(try db.statistics().compactionFailure == nil)
            #expect(try contents(db) == scribe.contents)
            try db.close()
            #expect(try Database.verify(at: folder(name)).remarks == [])
        }
    }

    // A game that was always over before the compaction was had a log that grew for ever.
    @Test func `what a short session left to clear away the next one clears away, though nothing is written in it`() throws {
        var scribe = Scribe(seed: 27)
        var db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 3000, keys: 100)
        try db.seal()
        try db.close()
        #expect(folder.bases() == [])
        var options = small()
        options.compaction = .automatic
        // Over at once: nothing is begun.
        try Database.open(at: folder(), options: options).close()
        #expect(folder.bases() == [])
        db = try Database.open(at: folder(), options: options)
        try eventually("a compaction") { try db.statistics().compactedSequenceNumber > 0 }
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    @Test func `who cannot wait for the background compacts when it is due, and only then`() throws {
        var options = small()
        options.compaction = .automatic(garbage: 0.5, segments: 1000)
        var scribe = Scribe(seed: 28)
        var db = try Database.open(at: folder(), options: options)
        try scribe.write(to: db, 1500, keys: 100)
        #expect(try db.compactIfDue() == nil)
        #expect(folder.bases() == [])
        try db.close()
        db = try Database.open(at: folder(), options: small())
        #expect(try db.compactIfDue() == nil)
        #expect(folder.bases() == [])
        try db.close()
        options.compaction = .automatic(garbage: 0.5, segments: 2)
        db = try Database.open(at: folder(), options: options)
        try #expect(#require(try db.compactIfDue()).steps == 1)
        #expect(try db.compactIfDue() == nil)
        #expect(!folder.bases().isEmpty)
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    @Test func `a database in which nothing is superseded is not compacted for it`() throws {
        var options = small()
        options.compaction = .automatic(garbage: 0.3, segments: 1)
        var scribe = Scribe(seed: 26)
        let db = try Database.open(at: folder(), options: options)
        try scribe.fill(db, "t", 1500)
        try db.seal()
        try db.close()
        #expect(folder.bases() == [])
    }

    @Test func `a database at which nothing is written does nothing`() throws {
        let disk = SimulatedDisk(model: .strictPOSIX)
        let options = Options {
            $0.segmentSizeBytes = 64 << 10
            $0.persistence = .process
            $0.compaction = .automatic(garbage: 0.2, segments: 1)
        }
        let db = try Database.open(disk.directory(), path: "simulated", options: options)
        for number in 0..<200 { try db.upsert("t", .integer(Int64(number % 7)), json: #"{"x":"\#(String(repeating: "x", count: 4000))"}"#) }
        try db.seal()
        // Until all of it is done.
        var (last, still) = (-1, 0)
        while still < 30 {
            let count = disk.operationCount
            still = count == last ? still + 1 : 0
            last = count
            Thread.sleep(forTimeInterval: 0.02)
        }
        let calls = disk.callCount
        Thread.sleep(forTimeInterval: 0.5)
        #expect(disk.callCount == calls)
        #expect(try db.statistics().compactedSequenceNumber > 0)
        try db.close()
    }
}
