//===--- FuzzFindingsTests.swift - what the fuzzers found ------------------===//
//
// A test and a story each. None could be met through the engine alone: it writes no empty block, no frame of nonsense. Bytes from the
// disk may be anything all the same.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat
import LogDBSimulation
import Testing

struct FuzzFindingsTests {
    // FuzzGzip. zlib's own bound for a stored block of fewer than eight bytes is a byte short, and packing failed.
    @Test(arguments: [BlockCodec.none, .zlib(level: 1), .zlib(level: 9), .lz4, .lz4HC(level: 9)])
    func `every short run of bytes is packed and unpacked`(codec: BlockCodec) throws {
        let compressor = codec.makeCompressor()
        let decompressor = codec.container.makeDecompressor()
        var stored = ByteBuffer()
        var output = ByteBuffer()
        for length in 0..<64 {
            let raw = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37) }
            stored.removeAll()
            try compressor.compress(raw.span, into: &stored)
            try decompressor.decompress(stored.span, rawLength: length, into: &output)
            #expect(Array(output.span) == raw)
        }
    }

    // FuzzLZ4. A broken frame left a length behind in the decompressor, which held it against the next frame that named none.
    @Test(arguments: [BlockCodec.lz4, .zlib(level: 6)]) func `a decompressor that met damage reads what is sound`(codec: BlockCodec) throws
    {
        let raw = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 * $0) }
        let decompressor = codec.container.makeDecompressor()
        let compressor = codec.makeCompressor()
        var stored = ByteBuffer()
        var empty = ByteBuffer()
        var output = ByteBuffer()
        try compressor.compress(raw.span, into: &stored)
        try compressor.compress([UInt8]().span, into: &empty)
        for cut in [1, 20, stored.count / 2, stored.count - 1] {
            var thrown: FormatError?
            do throws(FormatError) {
                try decompressor.decompress(stored.span.extracting(0..<cut), rawLength: raw.count, into: &output)
            } catch { thrown = error }
            #expect(thrown?.kind == .corrupted)
            try decompressor.decompress(empty.span, rawLength: 0, into: &output)
            #expect(Array(output.span) == [])
            try decompressor.decompress(stored.span, rawLength: raw.count, into: &output)
            #expect(Array(output.span) == raw)
        }
    }

    // FuzzManifest. The level of a codec that has none was dropped in silence, so one edit had 256 spellings.
    @Test func `a level of a codec without levels is damage`() throws {
        for method in [0, 1] as [UInt8] {
            #expect(throws: FormatError.self) { try BlockCodec(method: method, level: 1) }
            #expect(try BlockCodec(method: method, level: 0).code == (method, 0))
        }
    }

    // FuzzManifest. A raw segment could be added under the number of a sealed one: two segments, one name.
    @Test func `a raw segment is not added under the number of a sealed one`() throws {
        let sealed = SealedSegmentEntry(
            number: 4, identity: 9, codec: .lz4, fileLength: 300, rawLength: 10, records: 1, firstSequence: 1, lastSequence: 1,
            endPosition: 100, digest: 0, holdsCatalog: false)
        var state = ManifestState()
        try state.apply(.addSealed(sealed))
        #expect(throws: FormatError.self) { try state.apply(.addRaw(RawSegmentEntry(number: 4, identity: 9, allocated: 100))) }
        try state.apply(.addRaw(RawSegmentEntry(number: 5, identity: 9, allocated: 100)))
    }

    // FuzzManifest. A reopened segment kept the numbers of the end that it no longer has; the state, written anew, did not.
    @Test func `a state written anew is the same state`() throws {
        var state = ManifestState()
        for edit in [
            ManifestEdit.addRaw(RawSegmentEntry(number: 1, identity: 9, allocated: 100)),
            .closeRaw(number: 1, end: 96, endPosition: 96, lastSequence: 7), .reopenRaw(number: 1, allocated: 200),
        ] { try state.apply(edit) }
        var again = ManifestState()
        for edit in state.edits { try again.apply(edit) }
        #expect(again == state)
    }

    // FuzzDatabase. An operation for a table that was never made was passed over, until a table was made: then it was in that one.
    @Test func `an operation for a table that was never made is damage`() throws {
        let disk = Self.disk {
            $0.add(.operations, sequence: 2, durableEnd: 0) { buffer in Self.record(table: 2, to: &buffer) }
        }
        try Self.expectDamage(disk, "an operation is for table 2, which was never made")
    }

    // Found while reading on: what stood behind the number in a commit was counted as operations by recovery, and by nobody else.
    @Test(arguments: [FrameHeader.Kind.commit, .rollback])
    func `a frame that ends a transaction holds nothing but its number`(kind: FrameHeader.Kind) throws {
        let disk = Self.disk {
            $0.add(kind, sequence: 2, durableEnd: 0) { buffer in
                buffer.append(varint: 1)
                Self.record(table: 1, to: &buffer)
            }
        }
        try Self.expectDamage(disk, "a frame that ends a transaction holds more than its number")
    }

    // FuzzDatabase. Operations of a transaction behind its own commit counted, until a segment was sealed: then they were gone.
    @Test(arguments: [FrameHeader.Kind.commit, .rollback])
    func `operations of a transaction behind its end are damage`(kind: FrameHeader.Kind) throws {
        let disk = Self.disk {
            for isBehind in [false, true] {
                $0.add(.transactionOperations, sequence: isBehind ? 3 : 2, durableEnd: 0) { buffer in
                    buffer.append(varint: 2)
                    Self.record(table: 1, to: &buffer)
                }
                if !isBehind { $0.add(kind, sequence: 3, durableEnd: 0) { $0.append(varint: 2) } }
            }
        }
        try Self.expectDamage(disk, "transaction 2 goes on behind its end")
    }

    private static func record(table: UInt64, to buffer: inout ByteBuffer) {
        var key = ByteBuffer()
        KeyCoding.append(7, to: &key)
        Record(table: table, key: key.span, isDelete: true, document: Span()).append(to: &buffer)
    }

    /// A database whose log makes table 1 and goes on with `more`.
    private static func disk(_ more: (inout HandmadeDatabase.FrameFile) -> Void) -> SimulatedDisk {
        let header = RawSegmentHeader(
            file: FileHeader(kind: .rawSegment, database: HandmadeDatabase.database, number: 1, identity: 0x11), basePosition: 0,
            firstSequence: 1, predecessorNumber: 0, predecessorIdentity: 0)
        var log = HandmadeDatabase.FrameFile(raw: header)
        log.add(.operations, sequence: 1, durableEnd: 0) { buffer in
            var key = ByteBuffer()
            KeyCoding.append(1, to: &key)
            let document = Array(#"{"name":"t"}"#.utf8)
            Record(table: 0, key: key.span, isDelete: false, document: document.span).append(to: &buffer)
        }
        more(&log)
        var manifest = HandmadeDatabase.FrameFile(manifest: 1, identity: 0x1)
        manifest.add(.manifestEdits, sequence: 1, durableEnd: 0) {
            ManifestEdit.addRaw(RawSegmentEntry(number: 1, identity: 0x11, allocated: 4096)).append(to: &$0)
        }
        let disk = SimulatedDisk()
        disk.write("000001.log", log.bytes(allocated: 4096))
        disk.write("MANIFEST-000001", manifest.bytes(allocated: 4096))
        return disk
    }

    private static func expectDamage(_ disk: SimulatedDisk, _ message: String) throws {
        for access in [Options.Access.readOnly, .readWrite] {
            let error = #expect(throws: LogDBError.self) {
                _ = try Database.open(disk.directory(), path: "simulated", options: Options { $0.access = access })
            }
            #expect(error?.code == .corrupted && error?.message == message && error?.file == "000001.log", "\(String(describing: error))")
        }
    }

    // What went in was proven by a checksum of ours, so that of what comes out need not be: summing it up took longer than unpacking. The library writes
    // frames of four kinds, by size, and one was passed by: that a wrong sum is not noticed shows which way a frame of each size takes.
    @Test(arguments: [100, 64 << 10, 200_000, 256 << 10, 300_000, 1 << 20, 3_000_000, 5_000_000], [BlockCodec.lz4, .lz4HC(level: 9)])
    func `a frame that was proven is unpacked without its own checksum, whatever its size`(length: Int, codec: BlockCodec) throws {
        let raw = (0..<length).map { UInt8(truncatingIfNeeded: ($0 >> 4) &* ($0 >> 3)) }
        let decompressor = codec.container.makeDecompressor()
        var stored = ByteBuffer()
        var output = ByteBuffer()
        try codec.makeCompressor().compress(raw.span, into: &stored)
        var bytes = Array(stored.span)
        bytes[bytes.count - 1] ^= 1
        try decompressor.decompressProven(bytes.span, rawLength: length, into: &output)
        #expect(Array(output.span) == raw)
        #expect(throws: FormatError.self) { try decompressor.decompress(bytes.span, rawLength: length, into: &output) }
    }
}
