//===--- FullDiskTests.swift - nothing is lost where nothing fits ----------===//
//
// A disk of so many kilobytes, for many numbers of kilobytes, so that each kind of file is the one that finds it full. Promise 8: a clear
// error, nothing lost, deletes and reading go on, opening works, and once there is space again so does writing.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct FullDisk {
        static let kilobytes = Array(stride(from: 160, through: 800, by: Scale.isDebug ? 160 : max(4, 8 / Scale.factor)))

        @Test(arguments: kilobytes, DiskModel.allCases)
        func `a full disk refuses and loses nothing, and goes on when there is space`(_ kilobytes: Int, _ model: DiskModel) throws {
            let disk = SimulatedDisk(model: model, capacityBytes: UInt64(kilobytes) << 10)
            let ledger = Ledger(Model())
            var options = Options { $0.segmentSizeBytes = 64 << 10 }
            options.manifestGrowthBytes = 600
            // Small enough that there is room for it at first.
            options.appender = (kilobytes / 8).isMultiple(of: 2) ? .sharedTail : .positional
            options.ringBytes = 8 << 10
            options.drainsInBackground = false
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: UInt64(kilobytes))
            try runner.open()
            try runner.perform(author.put("t", "first", 300, .disk))
            // A segment's last bytes are for deletes, so the puts go first: sealing gives the segment away, and the bytes with it.
            let puts = { author.put("t", .integer(Int64(kilobytes % 7)), 9000, .process) }
            let batches = { Step.batch((0..<4).map { _ in author.change(sizes: 40..<5000) }, .disk) }
            try fill(runner, puts)
            try runner.perform(.write(Change(table: "t", key: "first", document: nil), .disk))
            try prove(disk, ledger, options)
            try fill(runner, batches)
            try prove(disk, ledger, options)
            try fill(runner, { .seal }, most: 1)
            try fill(runner, puts)
            try prove(disk, ledger, options)
            try Check.identify(try #require(runner.db), ledger.withLock { $0.frames }, floor: ledger.withLock { $0.frames.count })
            try runner.perform(.reopen)
            try prove(disk, ledger, options)
            disk.settings.capacityBytes = nil
            for level in [Persistence.process, .disk] { try runner.perform(author.put("t", 1, 30_000, level)) }
            try runner.perform(.seal)
            try runner.close()
            try Check.atRest(disk, ledger.withLock { $0.frames }, options)
            Tally.count(.fullDisks)
        }

        // The command deletes from a database that another process filled and closed. A segment reserved its room by halves of its whole length,
        // so one of a mebibyte, nearly full, went on with a mebibyte more or not at all: on a full disk no delete was possible.
        @Test(arguments: [160, 400, 1024]) func `a database closed on a full disk takes deletes from whoever opens it next`(kilobytes: Int)
            throws
        {
            let disk = SimulatedDisk(capacityBytes: 3 << 20)
            var options = Options { $0.segmentSizeBytes = kilobytes << 10 }
            var author = Author(seed: 1)
            var filled = try Database.open(disk.directory(), path: "simulated", options: options)
            var keys: Int64 = 0
            let document = author.document(9_000)
            let refusal = #expect(throws: LogDBError.self) {
                while true {
                    try filled.upsert("t", .integer(keys), json: document.span, persistence: .process)
                    keys += 1
                }
            }
            #expect(refusal?.code == .diskFull)
            try filled.close()
            // Others take what is left, but for two pages.
            let free = try disk.directory().freeBytes()
            disk.settings.capacityBytes = (3 << 20) - free + 2 * 4096
            options.segmentSizeBytes = Options().segmentSizeBytes
            for key in 0..<8 as Range<Int64> {
                filled = try Database.open(disk.directory(), path: "simulated", options: options)
                try filled.delete("t", .integer(key))
                try filled.close()
            }
            filled = try Database.open(disk.directory(), path: "simulated", options: options)
            var live: [Key] = []
            try filled.select("t") { operation in live.append(try operation.key) }
            #expect(live == (8..<keys).map { .integer($0) })
            try filled.close()
        }

        /// Repeats a step until it is refused, which may be for one reason only and leaves nothing of it.
        private func fill(_ runner: Runner, _ step: () -> Step, most: Int = 1000) throws {
            for _ in 0..<most {
                let step = step()
                do { try runner.perform(step) } catch let error as LogDBError where error.code == .diskFull {
                    if case .seal = step { return }
                    return runner.ledger.withLock { $0.retract() }
                }
            }
        }

        private func prove(_ disk: SimulatedDisk, _ ledger: Ledger, _ options: Options) throws {
            let model = ledger.withLock { $0 }
            var images = [CrashMode.pessimistic, .optimistic, .random(seed: 1), .random(seed: 2)].map {
                (disk.afterCrash($0), model.marks.disk)
            }
            images.append((disk.afterKill(), model.marks.process))
            for (image, floor) in images {
                Tally.count(.crashImages)
                // Still full: it opens, or says that it is full, and reads in any case.
                let full = image.afterKill()
                for access in [Options.Access.readOnly, .readWrite] {
                    var options = options
                    options.access = access
                    do {
                        let db = try Database.open(full.directory(), path: "simulated", options: options)
                        try Check.identify(db, model.frames, floor: floor)
                        try db.close()
                    } catch let error as LogDBError where error.code == .diskFull && access == .readWrite {}
                }
                try Check.noLeaks(full)
                image.settings.capacityBytes = nil
                try Check.image(image, model.frames, floor: floor, options)
            }
        }
    }
}
