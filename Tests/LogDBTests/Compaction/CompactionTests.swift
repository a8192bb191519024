//===--- CompactionTests.swift - what is cleared away, and what must not be ---===//

import Foundation
import LogDB
import LogDBFile
import LogDBFormat
import LogDBSimulation
import Testing

@Suite struct CompactionTests {
    let folder = TemporaryFolder()

    // MARK: The contents

    @Test(arguments: [Codec.none, .lz4, .lz4HC(level: 5), .zlib(level: 6)], [64 << 10, 1 << 20, 32 << 20])
    func `a database holds the same before and after, with every codec and segment size`(_ codec: Codec, _ segmentSize: Int) throws {
        var options = small(codec)
        options.segmentSizeBytes = segmentSize
        var scribe = Scribe(seed: UInt64(segmentSize))
        var db = try Database.open(at: folder(), options: options)
        for round in 0..<3 {
            try scribe.write(to: db, 700, keys: 150 + 40 * round)
            let report = try db.compact()
            #expect(report.steps == 1)
            let after = try contents(db)
            #expect(after == scribe.contents)
            // What is compact already stays as it is.
            let files = folder.bases()
            let again = try db.compact()
            #expect(again.steps == 0 && folder.bases() == files && !files.isEmpty)
            #expect(try db.compactionPlan().isEmpty)
        }
        try db.close()
        #expect(try Database.verify(at: folder()).damages == [])
        #expect(try Database.verify(at: folder()).remarks == [])
        db = try Database.open(at: folder(), options: options)
        #expect(try contents(db) == scribe.contents)
        for (key, document) in scribe.contents["a"]! { #expect(try db.document("a", key) == Array(document.utf8)) }
        try db.close()
    }

    @Test func `the newest operation keeps its number and its time`() throws {
        let db = try Database.open(at: folder(), options: small())
        var numbers: [Key: UInt64] = [:]
        for number in 0..<300 {
            let key = Key.integer(Int64(number % 40))
            numbers[key] = try db.upsert("t", key, json: #"{"n":\#(number)}"#)
        }
        var times: [Key: Int64] = [:]
        try db.select { times[try $0.key] = $0.milliseconds }
        try db.compact()
        var count = 0
        try db.replay { operation in
            count += 1
            let key = try operation.key
            let (number, time, isDelete) = (operation.sequenceNumber, operation.milliseconds, operation.isDelete)
            #expect(number == numbers[key] && time == times[key] && !isDelete)
        }
        #expect(count == 40)
        let next = try db.upsert("t", 1, json: "{}")
        #expect(next > numbers.values.max()!)
        try db.close()
    }

    // MARK: What goes

    @Test func `superseded documents, deletes, nulls and dropped tables give their bytes back`() throws {
        var scribe = Scribe(seed: 1)
        let db = try Database.open(at: folder(), options: small())
        try scribe.fill(db, "kept", 100)
        try scribe.fill(db, "deleted", 800)
        try scribe.fill(db, "nulled", 800)
        try scribe.fill(db, "dropped", 800)
        try db.compact()
        let full = folder.size()
        for number in 0..<800 {
            let key = Key.integer(Int64((number * 7919) % 1_000_003))
            try db.delete("deleted", key)
            try db.upsert("nulled", key, json: "null")
        }
        try db.dropTable("dropped")
        let report = try db.compact()
        #expect(report.bytesAfter < report.bytesBefore / 8, "\(report)")
        // The log's own reserve is in both.
        #expect(full - folder.size() > 1_000_000)
        // 100 documents, and the tables there are: of deletes nothing is left.
        #expect(report.documents == 100 + 3)
        #expect(try contents(db) == ["kept": scribe.live["kept"]!])
        let tables = try db.tables
        #expect(tables == ["deleted", "kept", "nulled"])
        var (operations, deletes) = (0, 0)
        try db.replay { operation in
            operations += 1
            if operation.isDelete { deletes += 1 }
        }
        #expect(operations == 100 && deletes == 0)
        try db.close()
    }

    @Test func `a table that was only dropped is cleared away too, with nothing in the log but the drop`() throws {
        var scribe = Scribe(seed: 2)
        let db = try Database.open(at: folder(), options: small())
        try scribe.fill(db, "a", 300)
        try scribe.fill(db, "b", 300)
        try db.compact()
        try scribe.drop("b", of: db)
        let report = try db.compact()
        #expect(report.bytesAfter < report.bytesBefore * 6 / 10, "\(report)")
        #expect(try contents(db) == scribe.contents)
        try db.close()
    }

    // The drop went with the log, and with it all that said that the id had been used.
    @Test(arguments: [false, true]) func `a dropped table's id is never used again`(_ hasOthers: Bool) throws {
        let ids = { [folder] in
            var ids: Set<UInt64> = []
            let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
            for file in try reader.statistics().files where file.kind == "base" { ids.formUnion(try tableIDs(folder(), file.name)) }
            try reader.close()
            return ids
        }
        var used: Set<UInt64> = []
        for round in 0..<4 {
            let db = try Database.open(at: folder(), options: small())
            if hasOthers { try db.upsert("other \(round)", 1, json: "{}") }
            try db.upsert("t", 1, json: #"{"round":\#(round)}"#)
            try db.compact()
            let now = try ids()
            let fresh = now.subtracting(used).subtracting([0])
            #expect(fresh.count == (hasOthers ? 2 : 1), "of \(now), \(used) were used before round \(round)")
            used.formUnion(now)
            try db.dropTable("t")
            try db.compact()
            #expect(try contents(db)["t"] == nil)
            try db.close()
        }
    }

    // MARK: Runs

    @Test func `what memory has no room for is sorted in runs, and runs of runs`() throws {
        var options = small(.none)
        options.sortBudgetBytes = 16 << 10
        var scribe = Scribe(seed: 3)
        let db = try Database.open(at: folder(), options: options)
        try scribe.fill(db, "t", 1500)
        // Large ones stand beside the runs.
        for number in 0..<12 {
            let document = scribe.document(30_000)
            try db.upsert("large", .integer(Int64(number)), json: document)
            scribe.note("large", .integer(Int64(number)), document)
        }
        let plan = try db.compactionPlan()
        let report = try db.compact()
        #expect(report.documents == 1500 + 12 + 2)
        // Noise of 64 letters does not get smaller in LZ4: with one pass what is spilled would be as much as the log.
        #expect(report.spilledBytes > 2 * plan.logRawBytes, "\(report)")
        #expect(try contents(db) == scribe.contents)
        #expect(folder.files().filter { $0.hasSuffix(".run") } == [])
        // Merged with a base, of which some keys are deleted.
        try scribe.write(to: db, 800, tables: ["t"], keys: 300, deletesOneIn: 2)
        let second = try db.compact()
        #expect(second.spilledBytes > 0)
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
    }

    @Test func `what fits in memory is not spilled`() throws {
        var scribe = Scribe(seed: 4)
        let db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 1000, keys: 300)
        let report = try db.compact()
        #expect(report.spilledBytes == 0 && report.steps == 1)
        try db.close()
    }

    // MARK: Damage

    @Test func `damage in what was compacted is an error that names the file, and changes nothing`() throws {
        var scribe = Scribe(seed: 5)
        var db = try Database.open(at: folder(), options: small())
        try scribe.fill(db, "t", 900)
        try db.compact()
        try db.close()
        let bases = folder.bases()
        let victim = bases[bases.count / 2]
        let whole = folder.bytes(victim)
        var damaged = whole
        damaged[damaged.count / 2] ^= 0x10
        folder.write(damaged, to: victim)
        db = try Database.open(at: folder(), options: small())
        try scribe.write(to: db, 50, tables: ["u"], keys: 50)
        try db.seal()
        for _ in 0..<2 {
            let error = #expect(throws: LogDBError.self) { try db.compact() }
            #expect(error?.code == .corrupted && error?.file == victim, "\(String(describing: error))")
            let found = #expect(throws: LogDBError.self) { try db.select("t") { _ in } }
            #expect(found?.code == .corrupted && found?.file == victim)
        }
        #expect(Set(folder.bases()).contains(victim) && folder.bytes(victim) == damaged)
        // Writing goes on, and once the bytes are back so does everything.
        try scribe.write(to: db, 50, tables: ["u"], keys: 50)
        try db.close()
        folder.write(whole, to: victim)
        db = try Database.open(at: folder(), options: small())
        #expect(try contents(db) == scribe.contents)
        try db.compact()
        #expect(try contents(db) == scribe.contents)
        try db.close()
        #expect(try Database.verify(at: folder()).remarks == [])
    }

    // MARK: Options

    @Test func `what cannot be meant is refused`() throws {
        for policy in [
            CompactionPolicy.automatic(garbage: 0), .automatic(garbage: 0.05), .automatic(garbage: 0.96), .automatic(garbage: .nan),
            .automatic(garbage: -1), .automatic(segments: 0), .automatic(segments: -3),
        ] {
            let error = #expect(throws: LogDBError.self) { try Database.open(at: folder(), options: Options { $0.compaction = policy }) }
            #expect(error?.code == .invalidOption, "\(policy)")
        }
        #expect(folder.files() == [])
        let error = #expect(throws: LogDBError.self) {
            try Database.open(at: folder(), options: Options { $0.memoryBudgetBytes = 4 << 20 - 1 })
        }
        #expect(error?.code == .invalidOption)
        let db = try Database.open(at: folder(), options: small())
        try db.upsert("t", 1, json: "{}")
        func refused(_ change: (inout CompactionOptions) -> Void) {
            var options = CompactionOptions()
            change(&options)
            let error = #expect(throws: LogDBError.self) { try db.compact(options) }
            #expect(error?.code == .invalidOption)
            let planned = #expect(throws: LogDBError.self) { try db.compactionPlan(options) }
            #expect(planned?.code == .invalidOption)
        }
        refused { $0.memoryBudgetBytes = (4 << 20) - 1 }
        refused { $0.memoryBudgetBytes = -1 }
        refused { $0.bytesPerSecond = 1023 }
        refused { $0.bytesPerSecond = 0 }
        refused { $0.bytesPerSecond = -7 }
        #expect(folder.bases() == [])
        try db.close()
        let closed = #expect(throws: LogDBError.self) { try db.compact() }
        #expect(closed?.code == .closed)
        let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        let readOnly = #expect(throws: LogDBError.self) { try reader.compact() }
        #expect(readOnly?.code == .readOnly)
        try reader.close()
    }

    @Test func `nothing is nothing to compact`() throws {
        let db = try Database.open(at: folder(), options: small())
        #expect(try db.compact() == CompactionReport())
        #expect(try db.compactionPlan().isEmpty)
        try db.upsert("t", 1, json: "{}")
        try db.delete("t", 1)
        try db.dropTable("t")
        let report = try db.compact()
        #expect(report.documents == 0 && folder.bases() == [])
        #expect(try contents(db) == [:])
        try db.close()
        #expect(try Database.verify(at: folder()).remarks == [])
    }
}

/// Ids of the tables whose records a base segment holds, as its index says.
private func tableIDs(_ folder: String, _ file: String) throws -> Set<UInt64> {
    let directory = try POSIXDirectory.open(path: folder, create: false)
    let bytes = try directory.open(file, for: .reading).readAll()
    let span = bytes.span
    let container: Container = file.hasSuffix(".lz4") ? .lz4 : .gzip
    let trailerStart = span.count - SegmentTrailer.envelopeLength(in: container)
    let trailer = try SegmentTrailer(decoding: span.extracting(trailerStart...), fileLength: UInt64(span.count), in: container)
    let start = Int(trailer.bodyOffset)
    var body = ByteBuffer(capacity: trailer.bodyLength)
    let end = start + Envelope.length(of: trailer.bodyLength, in: container)
    try Envelope.unwrap(span.extracting(start..<end), contentLength: trailer.bodyLength, in: container, into: &body)
    let footer = try SegmentFooter(
        decoding: body.span, firstBlock: UInt64(SegmentHeader.envelopeLength(in: container)), end: trailer.bodyOffset, order: .key,
        container: container)
    return Set(footer.tables.map(\.table))
}
