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
        piece("filter of goblin-7 in table 3 and hash 1") { $0.append(KeyFilter.build([hash, 1])) }

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
        footer.filters = KeyFilter.build(builder.hashes)
        footer.blocks = [
            BlockEntry(
                offset: 104, storedLength: 60, rawLength: raw.count, recordCount: 2, checksum: 0xC0FFEE, firstSequence: 42,
                firstMilliseconds: 1000, holdsCatalog: false, filter: 0..<footer.filters.count)
        ]
        var table = TableStatistics(table: 3)
        table.add(Record(table: 3, key: key.span, isDelete: false, document: document.span))
        table.add(Record(table: 3, key: key.span, isDelete: true, document: Span()))
        footer.tables = [table]
        footer.lastSequence = 46
        for container in Container.allCases {
            piece("index and trailer, \(container)") { _ = footer.append(to: &$0, at: 164, identity: 0x99, in: container) }
        }
        return pieces
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
