//===--- FixturesLiesTests.swift - segments whose checksums hold and that are wrong ----===//
//
// Checksums notice what happened to a file afterwards. What a writer got wrong they cover like anything else, and a wrong index hides documents:
// so `verify` and the second reader prove each segment against itself. Here are databases made byte by byte, the first of them sound, the others
// with one thing wrong each.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

/// What is wrong.
private enum Lie: String, CaseIterable {
    case nothing
    // In the base segment.
    case keysDoNotRise, keyTwice, aDelete, firstKey, digest, leastKey, greatestKey, firstSequence, baseSample, basePredecessor
    case baseBeforeItsTime
    // In the segment of the log.
    case keyIndex, sequencesDoNotRise, sequenceBeyond, sampleBytes, sampleKeys
    // In either.
    case tableCount, catalogFlag, catalogFlagOfManifest, records
}

/// Table 1 with six documents in the base and four operations in the log behind it.
private struct LyingDatabase {
    private(set) var files: [String: [UInt8]] = [:]
    let lie: Lie

    struct Row {
        var table: UInt64 = 1
        var key: String?
        var document: String?
        var sequence: UInt64

        var encodedKey: [UInt8] {
            guard let key else { return [KeyCoding.integerTag, 0x80, 0, 0, 0, 0, 0, 0, 1] }
            return [KeyCoding.stringTag] + Array(key.utf8)
        }
        var bytes: [UInt8] { Array((document ?? "").utf8) }
    }

    private static func database() -> FileHeader.DatabaseIdentity { HandmadeDatabase.database }

    /// By block.
    private var baseRows: [[Row]] {
        var rows: [[Row]] = [
            [
                Row(table: 0, key: nil, document: #"{"name":"t"}"#, sequence: 1), Row(key: "a", document: #"{"n":1}"#, sequence: 2),
                Row(key: "b", document: #"{"n":2}"#, sequence: 7), Row(key: "c", document: #"{"n":3}"#, sequence: 4),
            ], [Row(key: "d", document: #"{"n":4}"#, sequence: 5), Row(key: "e", document: #"{"n":5}"#, sequence: 6)],
        ]
        switch lie {
        case .keysDoNotRise: rows[0].swapAt(1, 2)
        case .keyTwice: rows[1][0].key = "c"
        case .aDelete: rows[1][0].document = nil
        case .baseBeforeItsTime: rows[1][1].sequence = 9
        default: break
        }
        return rows
    }

    private var logRows: [[Row]] {
        var rows: [[Row]] = [
            [Row(key: "a", document: #"{"n":8}"#, sequence: 8), Row(key: "x", document: #"{"n":9}"#, sequence: 9)],
            [Row(key: "b", document: nil, sequence: 10), Row(key: "x", document: #"{"n":11}"#, sequence: 11)],
        ]
        switch lie {
        case .sequencesDoNotRise: rows[0][1].sequence = 8
        case .sequenceBeyond: rows[1][1].sequence = 13
        default: break
        }
        return rows
    }

    init(_ lie: Lie) throws {
        self.lie = lie
        var compacted = CompactedLog()
        compacted.number = 1
        compacted.identity = 0x51
        compacted.lastSequence = 7
        compacted.endPosition = 500
        compacted.digest = 0xD16E57
        var base = try segment(baseRows, order: .key)
        var log = try segment(logRows, order: .log, after: compacted)
        func key(_ text: String) -> FullKey { FullKey(table: 1, key: [KeyCoding.stringTag] + Array(text.utf8)) }
        base.leastKey = FullKey(table: 0, key: [KeyCoding.integerTag, 0x80, 0, 0, 0, 0, 0, 0, lie == .leastKey ? 0 : 1])
        base.greatestKey = key(lie == .greatestKey ? "f" : "e")
        if lie == .firstSequence { base.firstSequence = 2 }
        if lie == .records { base.records += 1 }
        if lie == .catalogFlagOfManifest { log.holdsCatalog = true }
        var manifest = HandmadeDatabase.FrameFile(manifest: 1, identity: 0x1)
        manifest.add(.manifestEdits, sequence: 1, durableEnd: 0) {
            for edit in [
                ManifestEdit.addBase(base), .compacted(compacted), .addSealed(log),
                .counters(nextSegment: 3, nextTable: 2, lastSequence: 12, endPosition: 900),
            ] { edit.append(to: &$0) }
        }
        files["MANIFEST-000001"] = manifest.bytes(allocated: 4096)
    }

    /// Writes a segment, number 3 of the base or 2 of the log, and returns what the manifest should say of it.
    private mutating func segment(
        _ rows: [[Row]], order: SegmentHeader.Order, after: CompactedLog = CompactedLog()
    ) throws -> SealedSegmentEntry {
        let isBase = order == .key
        let (number, identity): (UInt64, UInt64) = isBase ? (3, 0xB3) : (2, 0x52)
        var output = ByteBuffer()
        SegmentHeader(
            file: FileHeader(kind: .sealedSegment, database: Self.database(), number: number, identity: identity), codec: .lz4,
            order: order,
            generation: isBase ? 1 : 0, predecessorNumber: lie == .basePredecessor && isBase ? 1 : after.number,
            predecessorIdentity: after.identity, predecessorLastSequence: after.lastSequence, predecessorDigest: after.digest
        ).append(to: &output)
        var footer = SegmentFooter()
        var census = KeyCensus()
        var tables: [UInt64: TableStatistics] = [:]
        let compressor = BlockCodec.lz4.makeCompressor()
        for (block, rows) in rows.enumerated() {
            var builder = BlockBuilder()
            if isBase { footer.firstKeys.append(FullKey(table: rows[0].table, key: rows[0].encodedKey)) }
            for row in rows {
                let (key, document) = (row.encodedKey, row.bytes)
                let record = Record(table: row.table, key: key.span, isDelete: row.document == nil, document: document.span)
                builder.append(record, sequence: row.sequence, milliseconds: HandmadeDatabase.time)
                census.add(record, block: lie == .keyIndex && row.sequence == 11 ? 0 : block)
                tables[row.table, default: TableStatistics(table: row.table)].add(record, inKeyOrder: isBase)
                if isBase || lie != .sampleKeys || row.key != "b" {
                    footer.sample.add(
                        hash: KeyCoding.hash(table: row.table, key: key.span), table: row.table,
                        bytes: (row.document == nil ? 0 : UInt64(key.count + document.count))
                            + (lie == (isBase ? .baseSample : .sampleBytes) && row.sequence > 5 ? 1 : 0))
                }
            }
            var raw = ByteBuffer()
            builder.finish(into: &raw)
            let start = output.count
            try compressor.compress(raw.span, into: &output)
            footer.blocks.append(
                BlockEntry(
                    offset: UInt64(start), storedLength: output.count - start, rawLength: raw.count, recordCount: rows.count,
                    checksum: Checksum.crc32c(output.span.extracting(start...)), firstSequence: rows[0].sequence,
                    firstMilliseconds: HandmadeDatabase.time, holdsCatalog: builder.holdsCatalog != (lie == .catalogFlag && block == 1)))
        }
        if lie == .firstKey, isBase { footer.firstKeys[1].key[1] = UInt8(ascii: "e") }
        footer.tables = tables.values.sorted { $0.table < $1.table }
        if lie == .digest, isBase { footer.tables[1].digest.add(1) }
        if lie == .tableCount { footer.tables[footer.tables.count - 1].documentBytes += 1 }
        footer.lastSequence = isBase ? rows.joined().map(\.sequence).max()! : 12
        if !isBase { footer.keyIndex = census.index(blockCount: rows.count) }
        let digest = footer.append(to: &output, at: UInt64(output.count), identity: identity, order: order, in: .lz4)
        files["00000\(number).\(isBase ? "base" : "seg").lz4"] = Array(output.span)
        return SealedSegmentEntry(
            number: number, identity: identity, codec: .lz4, order: order, generation: isBase ? 1 : 0, fileLength: UInt64(output.count),
            rawLength: UInt64(footer.rawLength), records: UInt64(footer.recordCount),
            firstSequence: isBase ? 1 : after.lastSequence + 1, lastSequence: footer.lastSequence, endPosition: isBase ? 0 : 900,
            digest: digest, holdsCatalog: footer.blocks.contains { $0.holdsCatalog })
    }

    func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        try withFixtureFolder { folder in
            for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name)) }
            return try body(folder)
        }
    }
}

@Suite struct FixturesLiesTests {
    @Test func `the sound one is read by both readers`() throws {
        try LyingDatabase(.nothing).withFolder { path in
            #expect(try Database.verify(at: path).damages == [])
            try SecondReader.expectAgreement(on: path)
            let database = try Database.openFixture(path)
            defer { try? database.close() }
            let expected = [("a", 8), ("c", 3), ("d", 4), ("e", 5), ("x", 11)].map {
                #"{"table":"t","key":"\#($0)","value":{"n":\#($1)}}"# + "\n"
            }
            #expect(String(decoding: try FixtureLines.dump(database), as: UTF8.self) == expected.joined())
            for (key, number) in [("a", 8), ("c", 3), ("e", 5), ("x", 11)] {
                #expect(try database.document("t", .string(key)) == Array(#"{"n":\#(number)}"#.utf8))
            }
            #expect(try database.document("t", "b") == nil)
        }
    }

    @Test(arguments: Lie.allCases.filter { $0 != .nothing }.map(\.rawValue))
    func `verify and the second reader notice a segment that is wrong under sound checksums`(_ name: String) throws {
        let lie = try #require(Lie(rawValue: name))
        try LyingDatabase(lie).withFolder { path in
            let report = try Database.verify(at: path)
            let isSeen = report.damages.contains { $0.code == .corrupted && $0.file?.hasSuffix(".lz4") == true }
            // That what the base has early is in the log as well is for the second reader, which has both in memory.
            #expect(isSeen == (lie != .baseBeforeItsTime), "\(report.damages)")
            let second = try SecondReader(path)
            #expect(second.status == 1 && second.output == [])
            #expect(second.error.hasPrefix("corrupted: ") && second.error.contains(".lz4 at byte "), "\(second.error)")
        }
    }
}
