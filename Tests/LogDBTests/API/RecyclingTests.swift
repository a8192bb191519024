//===--- RecyclingTests.swift - the file of one segment becomes the next one's ---===//
//
// What a file held before must never be seen again: not by readers, not by recovery, not by salvage; and nobody may see it being written over.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFile
import LogDBFormat
import LogDBSimulation
import Testing

@Suite struct RecyclingTests {
    private static let padding = String(repeating: "x", count: 900)

    private func document(_ number: Int) -> String { #"{"n":\#(number),"t":"\#(Self.padding)"}"# }

    private func put(_ db: Database, _ numbers: Range<Int>, _ level: Persistence = .process) throws {
        for number in numbers { try db.upsert("t", .integer(Int64(number)), json: document(number), persistence: level) }
    }

    private func expect(_ count: Int, in db: Database) throws {
        var next = 0
        try db.replay("t") { operation in
            let (key, text) = (try operation.key, text(operation.document))
            #expect(key == .integer(Int64(next)) && text == document(next))
            next += 1
        }
        #expect(next == count)
    }

    private func inode(_ folder: TemporaryFolder, _ file: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder() + "/" + file)
        return try #require(attributes[.systemFileNumber] as? Int)
    }

    private func raw(_ folder: TemporaryFolder) -> [String] { folder.files().filter { $0.hasSuffix(".log") } }

    private func spare(_ db: Database) throws -> Statistics.File? { try db.statistics().files.first { $0.kind == "spare" } }

    @Test func `a sealed segment's file is the next one's, is counted meanwhile, and goes with the session`() throws {
        let folder = TemporaryFolder()
        let db = try Database.open(at: folder(), options: small())
        try put(db, 0..<40, .disk)
        let file = try inode(folder, try #require(raw(folder).first))
        for round in 1...5 {
            try db.seal()
            #expect(raw(folder).isEmpty)
            #expect(try inode(folder, "SPARE") == file)
            #expect(try #require(try spare(db)).bytes >= 64 << 10)
            #expect(try Database.verify(at: folder()).remarks.isEmpty)
            try put(db, 40 * round..<40 * round + 40, .disk)
            #expect(!folder.files().contains("SPARE"))
            #expect(try spare(db) == nil)
            #expect(try inode(folder, try #require(raw(folder).first)) == file)
            try expect(40 * round + 40, in: db)
        }
        try db.seal()
        try db.close()
        #expect(!folder.files().contains("SPARE"))
        let again = try Database.open(at: folder(), options: small())
        try expect(240, in: again)
        try again.close()
    }

    @Test(arguments: Appender.allCases)
    func `a killed writer's recycled segment ends where it ended, and what lies behind is no tear`(_ appender: Appender) throws {
        let folder = TemporaryFolder()
        var options = small()
        options.appender = appender
        let db = try Database.open(at: folder(), options: options)
        var count = 0
        for round in 0..<12 {
            try put(db, count..<count + 50, round.isMultiple(of: 2) ? .disk : .process)
            try db.flush()
            try db.seal()
            // Shorter and longer than what lies there, by whole frames and not.
            count += 50
            try put(db, count..<count + 1 + round * 3)
            count += 1 + round * 3
            folder.copy(to: "killed")
            if round == 5 { try FileManager.default.copyItem(atPath: folder() + "/LOCK", toPath: folder("killed") + "/SPARE") }
            #expect(try Database.verify(at: folder("killed")).isSound)
            let again = try Database.open(at: folder("killed"), options: options)
            #expect(again.recovery.tornBytes == 0 && again.recovery.cutFile == nil && !again.recovery.wasClosed)
            #expect(!folder.files("killed").contains("SPARE"))
            try expect(count, in: again)
            try put(again, count..<count + 3)
            try expect(count + 3, in: again)
            try again.close()
            let salvaged = folder("salvaged")
            try? FileManager.default.removeItem(atPath: salvaged)
        }
        try db.close()
    }

    @Test func `a snapshot that is being read keeps its segment's file from being written over`() throws {
        let folder = TemporaryFolder()
        var options = small()
        options.segmentSizeBytes = 8 << 20
        options.memoryBudgetBytes = 4 << 20
        let db = try Database.open(at: folder(), options: options)
        let text = String(repeating: "y", count: 30_000)
        func fill(_ round: Int) throws {
            for number in 0..<250 { try db.upsert("t", .integer(Int64(number)), json: #"{"r":\#(round),"t":"\#(text)"}"#) }
            try db.flush()
        }
        try fill(0)
        var seen = 0
        try db.replay("t") { operation in
            seen += 1
            guard seen == 1 else { return }
            try db.seal()
            #expect(!folder.files().contains("SPARE"))
            try fill(1)
        }
        #expect(seen == 250)
        // Nobody reads now.
        try db.seal()
        #expect(folder.files().contains("SPARE"))
        try db.close()
    }

    @Test func `another opening that reads keeps all files from being written over`() throws {
        let folder = TemporaryFolder()
        let db = try Database.open(at: folder(), options: small())
        try put(db, 0..<40, .disk)
        var reading = small()
        reading.access = .readOnly
        let reader = try Database.open(at: folder(), options: reading)
        try db.seal()
        #expect(!folder.files().contains("SPARE"))
        try put(db, 40..<80, .disk)
        try expect(40, in: reader)
        try reader.close()
        try db.seal()
        #expect(folder.files().contains("SPARE"))
        try expect(80, in: db)
        try db.close()
    }

    @Test func `what was synced into a recycled file and is damaged is noticed`() throws {
        let folder = TemporaryFolder()
        let db = try Database.open(at: folder(), options: small())
        try put(db, 0..<40, .disk)
        try db.seal()
        try put(db, 40..<60, .disk)
        folder.copy(to: "killed")
        try db.close()
        let name = try #require(folder.files("killed").first { $0.hasSuffix(".log") })
        let bytes = folder.bytes(name, in: "killed")
        for place in [100, 5000, 12_000] {
            for damage in 0..<2 {
                folder.copy("killed", to: "damaged")
                var damaged = bytes
                for offset in place..<place + 512 { damaged[offset] = damage == 0 ? 0 : damaged[offset] ^ 1 }
                folder.write(damaged, to: name, in: "damaged")
                let error = #expect(throws: LogDBError.self) { try Database.open(at: folder("damaged"), options: small()) }
                #expect(error?.code == .corrupted && error?.file == name)
            }
        }
    }

    @Test(arguments: [false, true]) func `salvage takes each operation once, whatever the files held before`(
        _ isWithoutManifest: Bool
    ) throws {
        let scene = try SalvageScene(small(), isKilled: true) { scene, db in
            for round in 0..<4 {
                for number in 0..<30 { try scene.put(db, "t", .integer(Int64(number % 20)), 1500, .disk) }
                try scene.remove(db, "t", .integer(Int64(round)))
                try db.seal()
            }
            for number in 0..<7 { try scene.put(db, "t", .integer(Int64(number)), 700, .disk) }
        }
        // A spare with all that its segment held, as a power cut may leave it.
        scene.write(scene.bytes(try #require(scene.files.first { $0.hasSuffix(".log") })), to: "SPARE")
        if isWithoutManifest { try scene.delete(try #require(scene.files.first { $0.hasPrefix("MANIFEST") })) }
        let report = try scene.salvage()
        #expect(report.lost.isEmpty && report.operations == UInt64(scene.written.count), "\(SalvageScene.lines(report))")
    }

    // Its seed is then that of the first frame that holds, which may be one of an earlier life.
    @Test(arguments: [false, true]) func `where a header is gone, nothing that the file held before is taken for the segment's`(
        _ isWithoutManifest: Bool
    ) throws {
        var last: [SalvageScene.Written] = []
        let scene = try SalvageScene(small(), isKilled: true) { scene, db in
            for round in 0..<3 {
                for number in 0..<30 { try scene.put(db, "t", .integer(Int64(30 * round + number)), 1500, .disk) }
                // Its older documents must not come back.
                for number in 0..<10 { try scene.remove(db, "t", .integer(Int64(30 * round + number))) }
                try db.flush()
                try db.seal()
            }
            for number in 0..<3 { last.append(try scene.put(db, "t", .integer(Int64(1000 + number)), 700, .disk)) }
        }
        let name = try #require(scene.files.first { $0.hasSuffix(".log") })
        var bytes = scene.bytes(name)
        for offset in 0..<4000 { bytes[offset] = 0 }
        scene.write(bytes, to: name)
        if isWithoutManifest { try scene.delete(try #require(scene.files.first { $0.hasPrefix("MANIFEST") })) }
        let lost = Set(last.map(\.sequence))
        let report = try scene.salvage(without: { lost.contains($0.sequence) })
        #expect(report.operations == UInt64(scene.written.count - last.count), "\(SalvageScene.lines(report))")
        #expect(!report.findings.isEmpty)
    }

    @Test(arguments: DiskModel.allCases) func `a full disk takes the spare before it refuses anything`(_ model: DiskModel) throws {
        let disk = SimulatedDisk(model: model)
        let db = try Database.open(disk.directory(), path: "simulated", options: small())
        try put(db, 0..<40, .disk)
        try db.seal()
        try put(db, 40..<80, .disk)
        #expect(!disk.exists("SPARE"))
        try db.seal()
        #expect(disk.exists("SPARE"))
        // Full to the last block, but for what the spare takes. A batch too large for it has to have a segment of its own.
        disk.settings.capacityBytes = 1 << 30
        let free = try disk.directory().freeBytes()
        disk.settings.capacityBytes = (1 << 30) - free
        #expect(try disk.directory().freeBytes() == 0)
        try db.upsert("t", 80, json: #"{"n":80,"t":"\#(String(repeating: "z", count: 40_000))"}"#, persistence: .disk)
        #expect(!disk.exists("SPARE"))
        #expect(try db.document("t", 80)?.count ?? 0 > 40_000)
        // The next has none, and is refused.
        let refusal = #expect(throws: LogDBError.self) {
            for number in 100..<200 { try db.upsert("t", .integer(Int64(number)), json: document(number), persistence: .disk) }
        }
        #expect(refusal?.code == .diskFull)
        disk.settings.capacityBytes = nil
        try db.close()
    }

    @Test func `compaction gets the spare's room`() throws {
        let disk = SimulatedDisk()
        let db = try Database.open(disk.directory(), path: "simulated", options: small())
        for round in 0..<3 {
            try put(db, 0..<40, .disk)
            try db.seal()
            if round == 1 { try put(db, 0..<10, .disk) }
        }
        #expect(disk.exists("SPARE"))
        disk.settings.capacityBytes = 1 << 30
        let free = try disk.directory().freeBytes()
        disk.settings.capacityBytes = (1 << 30) - free + (32 << 10)
        try db.compact()
        try expect(40, in: db)
        disk.settings.capacityBytes = nil
        try db.close()
    }

    @Test func `a spare is made where syncs carry much, and only there`() throws {
        let folder = TemporaryFolder()
        var options = small(.lz4, .disk)
        options.segmentSizeBytes = 4 << 20
        let db = try Database.open(at: folder(), options: options)
        let text = String(repeating: "z", count: 20_000)
        try put(db, 0..<50, .disk)
        Clock.sleep(nanoseconds: 20_000_000)
        #expect(try spare(db) == nil)
        // It is made in a thread of its own, and used as soon as it is there.
        var file: Int?
        var number = 0
        while number < 1500 {
            try db.upsert("large", .integer(Int64(number)), json: #"{"t":"\#(text)"}"#)
            number += 1
            if file == nil { file = try? inode(folder, "SPARE") }
            if let file, raw(folder).contains(where: { (try? inode(folder, $0)) == file }) { break }
        }
        #expect(number < 1500)
        folder.copy(to: "killed")
        try db.close()
        #expect(!folder.files().contains("SPARE"))
        let again = try Database.open(at: folder("killed"), options: options)
        var count = 0
        try again.select("large") { _ in count += 1 }
        #expect(count == number)
        try again.close()
    }

    @Test func `an identity is told from others, and makes other frames than those that lie in its file`() {
        var seeds: Set<UInt32> = []
        for _ in 0..<200 {
            let identity = RawSegmentHeader.drawIdentity(staleSeeds: seeds)
            let header = RawSegmentHeader(
                file: FileHeader(kind: .rawSegment, database: [1, 2], number: 1, identity: identity), basePosition: 0, firstSequence: 1,
                predecessorNumber: 0, predecessorIdentity: 0)
            #expect(header.isRecycled == !seeds.isEmpty)
            #expect(seeds.insert(Checksum.seed(identity: identity)).inserted)
        }
    }
}
