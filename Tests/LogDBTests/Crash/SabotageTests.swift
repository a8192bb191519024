//===--- SabotageTests.swift - does the harness see? -----------------------===//
//
// Tests that must find something. A suite that stays green on a disk that lies would prove nothing by being green on one that does not.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBFormat
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct Sabotage {
        private var plan: Explorer.Plan {
            var plan = Explorer.Plan()
            plan.seeds = 1
            plan.depth = 0
            return plan
        }

        private func isCaught(_ model: DiskModel, _ change: (inout SimulatedDisk.Settings) -> Void) -> Bool {
            var settings = SimulatedDisk().settings
            change(&settings)
            Tally.count(.sabotages)
            return !explore(Workload.random(seed: 5, count: 12), model, plan, settings: settings).isEmpty
        }

        @Test(arguments: DiskModel.allCases)
        func `a disk that does not sync files is caught`(_ model: DiskModel) {
            #expect(isCaught(model) { $0.liesAboutSync = true })
        }

        // Where syncing a new file keeps its name as well, only renames and removals depend on the directory's sync.
        @Test func `a directory that is not synced is caught`() {
            #expect(isCaught(.strictPOSIX) { $0.skipsDirectorySync = true })
        }

        @Test(arguments: DiskModel.allCases)
        func `an acknowledgement before the sync is caught`(_ model: DiskModel) throws {
            let options = Workload.random(seed: 1, count: 0).options
            let disk = SimulatedDisk(model: model)
            let ledger = Ledger(Model())
            let explorer = Explorer(options, plan, seed: 1)
            let runner = Runner(disk, ledger, options)
            runner.takesProcessForDisk = true
            var author = Author(seed: 1)
            try runner.open()
            explorer.watch(disk, ledger)
            for number in 0..<4 { try runner.perform(author.put("t", .integer(Int64(number)), 3000, .process)) }
            disk.onOperation(nil)
            try runner.close()
            Tally.count(.sabotages)
            #expect(explorer.violations.contains { $0.contains("lost") })
        }

        @Test func `a wrong byte with right checksums is caught`() throws {
            let options = Workload.random(seed: 1, count: 0).options
            let disk = SimulatedDisk()
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, options)
            var author = Author(seed: 1)
            try runner.open()
            try runner.perform(author.put("t", 1, 300, .disk))
            try runner.close()
            let frames = ledger.withLock { $0.frames }
            try Check.atRest(disk.afterKill(), frames, options)

            let name = try #require(disk.names.first { $0.hasSuffix(".log") })
            var bytes = disk.read(name)
            let seed = Checksum.seed(identity: try RawSegmentHeader(decoding: bytes.span).file.identity)
            let start = RawSegmentHeader.frameOrigin
            let decoded = FrameHeader.decode(bytes.span.extracting(start..<start + FrameHeader.length), seed: seed)
            let frame = try #require(decoded)
            let payload = start + FrameHeader.length
            // A digit of the document's number.
            let digit = try #require(bytes[payload...].lastIndex(of: UInt8(ascii: ":"))) - 5
            bytes[digit] ^= 1
            func patch(_ value: UInt32, at offset: Int) {
                for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
            }
            patch(Checksum.crc32c(bytes.span.extracting(payload..<start + frame.frameLength), seed: seed), at: start + 4)
            patch(Checksum.crc32c(bytes.span.extracting(start + 4..<payload), seed: seed), at: start)
            disk.write(name, bytes)
            Tally.count(.sabotages)
            #expect(throws: Violation.self) { try Check.atRest(disk, frames, options) }
        }
    }
}
