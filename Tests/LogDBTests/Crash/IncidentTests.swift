//===--- IncidentTests.swift - what the explorer found, once each ----------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct Incidents {
        // The sealer took every raw segment of a database that had not been written to yet for full, the last one too, in which the first
        // write goes on. Sometimes the manifest refused the double use (a precondition failed), sometimes the sealed segment took the
        // place of the raw one and what was written in between, acknowledged, was gone.
        @Test func `the first write of a session and the sealer do not use the same segment`() throws {
            let options = Workload.all[0].options
            for _ in 0..<(Scale.isDebug ? 20 : 100) {
                let disk = SimulatedDisk()
                let ledger = Ledger(Model())
                let runner = Runner(disk, ledger, options)
                var author = Author(seed: 3)
                try runner.open()
                for _ in 0..<4 {
                    try runner.perform(author.put("t", 1, 5000, .disk))
                    try runner.perform(.reopen)
                }
                try runner.close()
                try Check.atRest(disk, ledger.withLock { $0.frames }, options)
            }
        }

        // Killed between writing an edit of the manifest and syncing it, the database was opened again: recovery read the edit from
        // the page cache, took it for durable and acted on it (removed and cut files). A power cut then took the edit, not the acts.
        @Test(arguments: DiskModel.allCases)
        func `an edit of the manifest that recovery acts on is on the disk before`(_ model: DiskModel) throws {
            let options = Workload.all[0].options
            let disk = SimulatedDisk(model: model)
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: 3)
            try runner.open()
            try runner.perform(author.put("t", 1, 3000, .disk))
            let killed = Monitor<[(SimulatedDisk, Model)]>([])
            disk.onOperation { disk, _, operation, name in
                guard operation == .sync, name.hasPrefix("MANIFEST") else { return }
                let marks = ledger.withLock { $0.marks }
                let image = disk.afterKill()
                killed.withLock { $0.append((image, Model(frames: ledger.withLock { $0.frames }, marks: marks))) }
            }
            try runner.perform(.seal)
            try runner.perform(author.put("t", 2, 3000, .disk))
            try runner.close()
            disk.onOperation(nil)
            let images = killed.withLock { $0 }
            #expect(images.count >= 3)
            var plan = Explorer.Plan()
            plan.laterSeeds = 4
            for (image, model) in images {
                let explorer = Explorer(options, plan, seed: 5)
                explorer.liveOn(image, model, depth: 0, "killed")
                #expect(explorer.violations.isEmpty, "\(explorer.violations.joined(separator: "\n"))")
            }
        }

        // A sync failed, the system dropped the pages and marked them clean ("fsyncgate"). Writing stopped, as it should. The next
        // opening read the bytes from the page cache, synced them, which now succeeds without doing anything, and recorded in the
        // manifest that they are on the disk. After a power cut the database could not be opened any more.
        @Test(arguments: ["000001.log", "MANIFEST-000001"])
        func `what recovery finds after a failed sync is on the disk when it says so`(_ name: String) throws {
            let options = Workload.all[0].options
            let disk = SimulatedDisk()
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: 3)
            try runner.open()
            // A manifest that was just created is open under its temporary name.
            try runner.perform(.reopen)
            try runner.perform(author.put("t", 1, 3000, .disk))
            disk.inject(Fault(.error(.inputOutput), on: .sync, name: name, times: 1))
            #expect(throws: LogDBError.self) {
                try runner.perform(author.put("t", 2, 3000, .disk))
                try runner.perform(.seal)
            }
            runner.abandon()
            try runner.open()
            let model = ledger.withLock { $0 }
            for mode in [CrashMode.pessimistic, .optimistic] {
                do { try Check.image(disk.afterCrash(mode), model.frames, floor: model.marks.disk, options) } catch {
                    Issue.record("\(mode): \(error)")
                }
            }
            runner.abandon()
        }

        // The manifest has no witness: cut off behind its first edit, or with zeros there, it is the manifest of an empty database. It
        // opened as such, and opening for writing removed every segment as left over.
        @Test(arguments: [true, false])
        func `a manifest that lost its end is not taken for an older one`(_ isCut: Bool) throws {
            let specimen = try #require(Specimen.all.first)
            let isNoticed = try specimen.suffers("manifest", writing: true) { disk in
                let size = disk.size(of: "MANIFEST-000001")
                if isCut { disk.truncate("MANIFEST-000001", to: 128) } else { disk.zero(128..<size, of: "MANIFEST-000001") }
            }
            #expect(isNoticed)
        }

        // The sealer took a transaction for committed as soon as its commit was written. It sealed the segment with the transaction's first
        // operations, durably and without their marks, while the commit, in the next segment, was still in the page cache. A power cut
        // left half of the transaction, as if committed.
        @Test(arguments: DiskModel.allCases)
        func `a segment is not sealed before the commits it relies on are on the disk`(_ model: DiskModel) throws {
            let options = Workload.random(seed: 0, count: 0).options
            let disk = SimulatedDisk(model: model)
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: 3)
            try runner.open()
            try runner.perform(.createTable("t", .disk))
            try runner.perform(.begin("x"))
            try runner.perform(.change("x", Change(table: "t", key: 1, document: author.document(5000))))
            for number in 0..<5 { try runner.perform(author.put("t", .integer(Int64(10 + number)), 14_000, .process)) }
            try runner.perform(.change("x", Change(table: "t", key: 2, document: author.document(500))))
            try runner.perform(.commit("x", .process))
            // Whether the sealer waits or syncs first is its own affair.
            for _ in 0..<100 where disk.exists("000001.log") { Check.pause() }
            let frames = ledger.withLock { $0.frames }
            #expect(throws: Never.self) { try Check.image(disk.afterCrash(.pessimistic), frames, floor: 1, options) }
            try runner.close()
        }

        // The disk was full in the middle of a frame, but all of the frame that is not padding had been stored. The write was reported as
        // failed and its number given back; closing recorded the end of the log before it. Opened again there was a whole frame behind
        // the recorded end: damage, for the manifest seemed to have lost its own end.
        @Test(arguments: DiskModel.allCases)
        func `a frame whose write found the disk full is not there`(_ model: DiskModel) throws {
            let options = Workload.all[0].options
            let disk = SimulatedDisk(model: model)
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: 3)
            try runner.open()
            try runner.perform(author.put("t", 1, 3000, .process))
            let acknowledged = ledger.withLock { $0 }
            disk.inject(Fault(.errorAfterWriting(.diskFull, bytes: 300), on: .write, name: "000001.log", times: 1))
            #expect(throws: LogDBError.self) { try runner.perform(.write(Change(table: "t", key: 1, document: nil), .process)) }
            // Closing syncs what came before, and with it what is behind the end.
            try runner.close()
            for mode in [CrashMode.pessimistic, .optimistic, .random(seed: 1), .random(seed: 2)] {
                try Check.image(disk.afterCrash(mode), acknowledged.frames, floor: acknowledged.frames.count, options)
            }
            try Check.atRest(disk, acknowledged.frames, options)
        }

        // The same in the manifest, where it was worse: the edit was whole in the file and taken for one that never happened, so the segment
        // that it named was removed again. Until the next edit went over it, a crash, and even closing, left a database that could not
        // be opened: "the file is listed in the manifest and missing".
        @Test(arguments: DiskModel.allCases)
        func `an edit of the manifest that found the disk full has not happened`(_ model: DiskModel) throws {
            let options = Workload.all[0].options
            let disk = SimulatedDisk(model: model)
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: 3)
            try runner.open()
            // A manifest that was just created is open under its temporary name.
            try runner.perform(.reopen)
            try runner.perform(author.put("t", 1, 3000, .disk))
            try runner.perform(.seal)
            let acknowledged = ledger.withLock { $0 }
            disk.inject(Fault(.errorAfterWriting(.diskFull, bytes: 300), on: .write, name: "MANIFEST-000001", times: 1))
            #expect(throws: LogDBError.self) { try runner.perform(author.put("t", 2, 3000, .disk)) }
            try Check.image(disk.afterKill(), acknowledged.frames, floor: acknowledged.marks.process, options)
            for mode in [CrashMode.pessimistic, .optimistic, .random(seed: 1), .random(seed: 2)] {
                try Check.image(disk.afterCrash(mode), acknowledged.frames, floor: acknowledged.marks.disk, options)
            }
            try runner.close()
            try Check.atRest(disk, acknowledged.frames, options)
        }

        // Asking for statistics while the sealer's edit had the manifest written anew failed with "No such file or directory": its size was
        // looked up by the name that it had a moment ago. A reader beside a writer could never ask again.
        @Test func `the manifest getting another name disturbs nobody who asks`() throws {
            let workload = Workload.manifestSwitches
            let disk = SimulatedDisk()
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, workload.options)
            try runner.open()
            try runner.perform(workload.steps[0])
            var reading = workload.options
            reading.access = .readOnly
            let reader = try Database.open(disk.directory(), path: "simulated", options: reading)
            for step in workload.steps.prefix(14) { try runner.perform(step) }
            #expect(!disk.exists("MANIFEST-000001"))
            #expect(throws: Never.self) { try reader.statistics() }
            try reader.close()
            try runner.close()
        }

        // The same in `verify`: between listing the folder and opening the manifest it was replaced, and verifying beside a writer ended.
        @Test func `verifying goes on when the manifest is replaced under it`() throws {
            let workload = Workload.manifestSwitches
            let disk = SimulatedDisk()
            let runner = Runner(disk, Ledger(Model()), workload.options)
            try runner.open()
            try runner.perform(workload.steps[0])
            let lists = Monitor(0)
            let directory = NosyDirectory(disk.directory()) {
                let count = lists.withLock { count in
                    count += 1
                    return count
                }
                // The first is the look at what there was before.
                if count == 2 { for step in workload.steps[1..<14] { try? runner.perform(step) } }
            }
            let report = try Database.verify(directory, path: "simulated")
            #expect(report.isSound)
            #expect(!disk.exists("MANIFEST-000001"))
            try runner.close()
        }
    }
}

/// A directory in which something happens each time it has been listed.
private final class NosyDirectory: Directory, @unchecked Sendable {
    // SAFETY: used by one thread.
    private let base: SimulatedDirectory
    private let listed: () -> Void

    init(_ base: SimulatedDirectory, listed: @escaping () -> Void) {
        self.base = base
        self.listed = listed
    }

    func list() throws(FileError) -> [String] {
        defer { listed() }
        return try base.list()
    }

    func open(_ name: String, for access: FileAccess) throws(FileError) -> any File { try base.open(name, for: access) }
    func create(_ name: String) throws(FileError) -> any File { try base.create(name) }
    func rename(_ source: String, to target: String) throws(FileError) { try base.rename(source, to: target) }
    func remove(_ name: String) throws(FileError) { try base.remove(name) }
    func sync() throws(FileError) { try base.sync() }
    func lock(_ name: String) throws(FileError) -> any DirectoryLock { try base.lock(name) }
    func lockShared(_ name: String) throws(FileError) -> any DirectoryLock { try base.lockShared(name) }
    func freeBytes() throws(FileError) -> UInt64 { try base.freeBytes() }
}
