//===--- FixturesPiecesTests.swift - the smallest pieces, byte for byte ----===//
//
// Fixtures/v1/pieces.json: values with fixed identities, and the bytes the FileFormat article makes of them. The handmade databases do the
// same for whole files of frames.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

@Suite struct FixturesPiecesTests {
    private struct Piece {
        var name: String
        var bytes: [UInt8]
    }

    @Test func `single pieces encode to their golden bytes`() throws {
        let file = Fixture.v1.appendingPathComponent("pieces.json")
        let pieces = try Self.pieces()
        if ProcessInfo.processInfo.environment["LOGDB_REGENERATE_FIXTURES"] != nil {
            let lines = pieces.map { "  \"\($0.name)\": \"\(hexadecimal($0.bytes))\"" }.joined(separator: ",\n")
            try Data("{\n\(lines)\n}\n".utf8).write(to: file)
        }
        let golden = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: file))
        #expect(golden.count == pieces.count)
        for piece in pieces { #expect(hexadecimal(piece.bytes) == golden[piece.name], "\(piece.name)") }
    }

    @Test func `the numbers in FileFormat.md are those of the code`() throws {
        #expect(Checksum.crc32c(Array("123456789".utf8).span) == 0xE306_9283)
        #expect(FileHeader.plainLength == 52)
        #expect(RawSegmentHeader.length == 84)
        #expect(SegmentHeader.length == 96)
        #expect(FileHeader.maximumLength == 4096)
        #expect(RawSegmentHeader.frameOrigin == 88)
        #expect(FrameHeader.length == 40)
        #expect(FrameHeader.maximumPayloadLength == 1_610_612_736)
        #expect(Record.maximumKeyLength == 65_536)
        #expect(Record.maximumDocumentLength == 1_073_741_824)
        #expect(SegmentTrailer.envelopeLength(in: .lz4) == 44)
        #expect(SegmentTrailer.envelopeLength(in: .gzip) == 62)
        #expect(SegmentHeader.envelopeLength(in: .lz4) == 104)
        #expect(SegmentHeader.envelopeLength(in: .gzip) == 122)
        #expect(Container.lz4.maximumRawLength(storedLength: 1) == 255)
        #expect(Container.gzip.maximumRawLength(storedLength: 1) == 1032)
        #expect(BlockBuilder.targetRawLength == 1 << 20)
        #expect(KeySample.size == 128)
    }

    @Test(arguments: [(HandmadeDatabase.holed, "handmade"), (HandmadeDatabase.transactional, "transactions")])
    func `the handmade databases are what the encoders make`(_ make: @Sendable () throws -> HandmadeDatabase, _ name: String) throws {
        for (file, bytes) in try make().files {
            let golden = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Fixture(name: name).path + "/" + file)))
            #expect(bytes == golden, "\(file)")
        }
    }

    private static func pieces() throws -> [Piece] {
        var pieces: [Piece] = []
        func piece(_ name: String, _ encode: (inout ByteBuffer) throws -> Void) rethrows {
            var buffer = ByteBuffer()
            try encode(&buffer)
            pieces.append(Piece(name: name, bytes: Array(buffer.span)))
        }
        for value: UInt64 in [0, 127, 128, 300, .max] { piece("varint \(value)") { $0.append(varint: value) } }
        for value: Int64 in [0, -1, 1, 150, .max, .min] { piece("signed varint \(value)") { $0.append(signedVarint: value) } }
        for key: Key in [0, -1, 7, .integer(.min), .integer(.max), "", "7", "日本"] {
            try piece("key \(key)\(key == .string("7") ? " (string)" : "")") { try key.append(to: &$0) }
        }
        piece("seed of identity 1") { $0.append(u32: Checksum.seed(identity: 1)) }
        var key = ByteBuffer()
        try Key.string("goblin-7").append(to: &key)
        let hash = KeyCoding.hash(table: 3, key: key.span)
        piece("hash of goblin-7 in table 3") { $0.append(u64: hash) }

        let header = SegmentHeader(
            file: FileHeader(kind: .sealedSegment, database: HandmadeDatabase.database, number: 9, identity: 0x99), codec: .lz4HC(level: 9),
            predecessorNumber: 7, predecessorIdentity: 0x77, predecessorLastSequence: 41, predecessorDigest: 0xD16E57)
        piece("sealed header, lz4") { header.append(to: &$0) }
        var zlib = header
        zlib.codec = .zlib(level: 6)
        piece("sealed header, gzip") { zlib.append(to: &$0) }

        var builder = BlockBuilder()
        let document = Array(#"{"hp":7}"#.utf8)
        builder.append(Record(table: 3, key: key.span, isDelete: false, document: document.span), sequence: 42, milliseconds: 1000)
        builder.append(Record(table: 3, key: key.span, isDelete: true, document: Span()), sequence: 45, milliseconds: 990)
        var raw = ByteBuffer()
        builder.finish(into: &raw)
        pieces.append(Piece(name: "block, unpacked", bytes: Array(raw.span)))

        var footer = SegmentFooter()
        footer.blocks = [
            BlockEntry(
                offset: 104, storedLength: 60, rawLength: raw.count, recordCount: 2, checksum: 0xC0FFEE, firstSequence: 42,
                firstMilliseconds: 1000, holdsCatalog: false)
        ]
        var census = KeyCensus()
        census.add(Record(table: 3, key: key.span, isDelete: false, document: document.span), block: 0)
        census.add(Record(table: 3, key: key.span, isDelete: true, document: Span()), block: 0)
        footer.keyIndex = census.index(blockCount: 1)
        footer.sample = census.sample()
        var table = TableStatistics(table: 3)
        table.add(Record(table: 3, key: key.span, isDelete: false, document: document.span))
        table.add(Record(table: 3, key: key.span, isDelete: true, document: Span()))
        footer.tables = [table]
        footer.lastSequence = 46
        for container in Container.allCases {
            piece("index and trailer, \(container)") { _ = footer.append(to: &$0, at: 164, identity: 0x99, order: .log, in: container) }
        }
        // Key order: a first key, a digest, no key index. And a key index of more than one block.
        var base = footer
        base.keyIndex = nil
        base.firstKeys = [FullKey(table: 3, key: Array(key.span))]
        base.tables = [TableStatistics(table: 3)]
        base.tables[0].add(Record(table: 3, key: key.span, isDelete: false, document: document.span), inKeyOrder: true)
        base.sample = KeySample()
        base.sample.add(hash: hash, table: 3, bytes: UInt64(key.count + document.count))
        piece("index and trailer in key order, lz4") { _ = base.append(to: &$0, at: 164, identity: 0x99, order: .key, in: .lz4) }
        let term = ContentDigest.term(key: key.span, document: document.span)
        piece("digest of goblin-7") { $0.append(u64: term) }
        census = KeyCensus()
        for number in 0..<3 {
            var key = ByteBuffer()
            try Key.integer(Int64(number)).append(to: &key)
            census.add(Record(table: 3, key: key.span, isDelete: true, document: Span()), block: 2 - number)
        }
        footer.blocks = (0..<3).map {
            BlockEntry(
                offset: 104 + 20 * UInt64($0), storedLength: 20, rawLength: raw.count, recordCount: 1, checksum: 0xC0FFEE,
                firstSequence: UInt64(42 + $0), firstMilliseconds: 1000, holdsCatalog: false)
        }
        footer.keyIndex = census.index(blockCount: 3)
        footer.sample = census.sample()
        piece("index of three blocks and trailer, lz4") { _ = footer.append(to: &$0, at: 164, identity: 0x99, order: .log, in: .lz4) }
        let least = FullKey(table: 3, key: Array(key.span))
        var entry = SealedSegmentEntry(
            number: 9, identity: 0x99, codec: .zlib(level: 6), order: .key, generation: 4, fileLength: 500, rawLength: UInt64(raw.count),
            records: 1, firstSequence: 42, lastSequence: 42, endPosition: 0, digest: 0xD16E57, holdsCatalog: false)
        entry.leastKey = least
        entry.greatestKey = least
        for (name, edit): (String, ManifestEdit) in [
            ("add base", .addBase(entry)), ("remove base", .removeBase(number: 9)), ("compacted", .compacted(CompactedLog(entry))),
        ] { piece("edit: \(name)") { edit.append(to: &$0) } }
        return pieces
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
