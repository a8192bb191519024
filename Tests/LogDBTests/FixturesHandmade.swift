//===--- FixturesHandmade.swift - two databases made byte by byte ----------===//
//
// With fixed identities and times, from the encoders alone: whatever the encoders make of the same values ten versions from now must be
// these bytes. And they hold what the engine rarely writes: several unclosed raw segments, a hole in the log with good frames
// behind it, every kind of edit, transactions in every state.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

struct HandmadeDatabase {
    private(set) var files: [String: [UInt8]] = [:]
    /// The expectations, in order.
    private(set) var operations: [UInt8] = []

    static let database = FileHeader.DatabaseIdentity(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210)
    static let time: Int64 = 1_790_000_000_000

    // MARK: - Frames and files

    /// A file of frames, while it is made.
    struct FrameFile: ~Copyable {
        var builder = FrameBuilder()
        let seed: UInt32
        /// Where the frame added last begins.
        private(set) var lastFrame = 0

        init(manifest number: UInt64, identity: UInt64) {
            seed = Checksum.seed(identity: identity)
            FileHeader(kind: .manifest, database: HandmadeDatabase.database, number: number, identity: identity).append(to: &builder.buffer)
            builder.buffer.append(zeros: 4)
        }

        init(raw header: RawSegmentHeader) {
            seed = Checksum.seed(identity: header.file.identity)
            header.append(to: &builder.buffer)
        }

        var length: UInt64 { UInt64(builder.buffer.count) }

        mutating func add(
            _ kind: FrameHeader.Kind, sequence: UInt64, durableEnd: UInt64, time: Int64 = HandmadeDatabase.time,
            _ payload: (inout ByteBuffer) throws -> Void
        ) rethrows {
            lastFrame = builder.buffer.count
            builder.begin()
            try payload(&builder.buffer)
            builder.finish(kind, sequence: sequence, durableEnd: durableEnd, milliseconds: time, seed: seed)
        }

        /// The file's bytes, `allocated` of them.
        func bytes(allocated: Int) -> [UInt8] {
            let bytes = Array(builder.buffer.span)
            return bytes + [UInt8](repeating: 0, count: max(0, allocated - bytes.count))
        }
    }

    private static func header(
        _ number: UInt64, identity: UInt64, base: UInt64, first: UInt64, after: (UInt64, UInt64) = (0, 0)
    ) -> RawSegmentHeader {
        RawSegmentHeader(
            file: FileHeader(kind: .rawSegment, database: database, number: number, identity: identity), basePosition: base,
            firstSequence: first, predecessorNumber: after.0, predecessorIdentity: after.1)
    }

    private static func record(_ table: UInt64, _ key: Key, _ document: String?, _ buffer: inout ByteBuffer) throws {
        var encoded = ByteBuffer()
        try key.append(to: &encoded)
        let bytes = Array((document ?? "").utf8)
        Record(table: table, key: encoded.span, isDelete: document == nil, document: bytes.span).append(to: &buffer)
    }

    private mutating func expect(_ sequence: UInt64, _ table: String, _ key: Key, _ document: String?) {
        FixtureLines.append(
            sequence: sequence, time: Self.time, table, key, document: document.map { Array($0.utf8) }, to: &operations)
    }

    private static func lines(_ live: [(String, Key, String)]) -> [UInt8] {
        var lines: [UInt8] = []
        for (table, key, document) in live {
            FixtureLines.append("{", table, key, to: &lines)
            FixtureLines.append(document: Array(document.utf8), to: &lines)
        }
        return lines
    }

    // MARK: - handmade

    static let holedDump = lines([
        ("héros", -1, #"{"n":-1}"#), ("héros", "a", #"{"n":2}"#), ("héros", "b", "{\"line\":\r\n1}"),
    ])

    /// Names of ours that the manifest does not list. That of the base is greater than all that it lists.
    static let leftovers = [
        "MANIFEST-000011", "MANIFEST-000013.tmp", "000001.log", "000002.seg.gz", "000077.base.lz4", "4611686018427387903.run",
    ]

    /// Two unclosed raw segments, the second with a hole; a manifest with each kind of edit; leftovers.
    static func holed() throws -> HandmadeDatabase {
        var result = HandmadeDatabase()
        let first = header(3, identity: 0x33, base: 0, first: 1)
        var raw = FrameFile(raw: first)
        try raw.add(.operations, sequence: 1, durableEnd: 0) {
            try record(0, 1, #"{"name":"héros"}"#, &$0)
            try record(1, "a", #"{"n":1}"#, &$0)
        }
        try raw.add(.operations, sequence: 3, durableEnd: 88) {
            try record(1, -1, #"{"n":-1}"#, &$0)
            try record(1, "", #"{"gone":true}"#, &$0)
            try record(1, "", nil, &$0)
        }
        let end = raw.length
        result.files["000003.log"] = raw.bytes(allocated: 4096)
        result.expect(2, "héros", "a", #"{"n":1}"#)
        result.expect(3, "héros", -1, #"{"n":-1}"#)
        result.expect(4, "héros", "", #"{"gone":true}"#)
        result.expect(5, "héros", "", nil)

        var second = FrameFile(raw: header(4, identity: 0x44, base: end, first: 6, after: (3, 0x33)))
        try second.add(.operations, sequence: 6, durableEnd: end) { try record(1, "a", #"{"n":2}"#, &$0) }
        try second.add(.operations, sequence: 7, durableEnd: end) { try record(1, "b", "{\"line\":\r\n1}", &$0) }
        result.expect(6, "héros", "a", #"{"n":2}"#)
        result.expect(7, "héros", "b", "{\"line\":\r\n1}")
        try second.add(.operations, sequence: 8, durableEnd: end) { try record(1, "a", #"{"n":"in the hole"}"#, &$0) }
        let hole = second.lastFrame
        try second.add(.operations, sequence: 9, durableEnd: end) { try record(1, "a", #"{"n":"behind the hole"}"#, &$0) }
        var bytes = second.bytes(allocated: 4096)
        bytes[hole + 45] ^= 0x40
        result.files["000004.log"] = bytes

        result.files["MANIFEST-000012"] = holedManifest(end: end)
        for leftover in leftovers + ["notes.txt"] {
            result.files[leftover] = Array("not part of the database\n".utf8)
        }
        return result
    }

    private static func holedManifest(end: UInt64) -> [UInt8] {
        var manifest = FrameFile(manifest: 12, identity: 0x12)
        func add(_ edits: [ManifestEdit], _ number: UInt64, _ manifest: inout FrameFile) {
            manifest.add(.manifestEdits, sequence: number, durableEnd: number == 1 ? 0 : manifest.length) {
                for edit in edits { edit.append(to: &$0) }
            }
        }
        let sealed = SealedSegmentEntry(
            number: 1, identity: 0x11, codec: .zlib(level: 6), fileLength: 300, rawLength: 0, records: 0, firstSequence: 1,
            lastSequence: 0, endPosition: 0, digest: 0x5EED, holdsCatalog: false)
        func base(_ number: UInt64, _ generation: UInt64, _ least: String, _ greatest: String) -> SealedSegmentEntry {
            func key(_ text: String) -> FullKey { FullKey(table: 1, key: [KeyCoding.stringTag] + Array(text.utf8)) }
            var entry = SealedSegmentEntry(
                number: number, identity: 0xBA5E + number, codec: .lz4HC(level: 12), order: .key, generation: generation, fileLength: 4000,
                rawLength: 5000, records: 60, firstSequence: 1, lastSequence: 300, endPosition: 0, digest: 0xD16E57, holdsCatalog: false)
            entry.leastKey = key(least)
            entry.greatestKey = key(greatest)
            return entry
        }
        add(
            [
                .addBase(base(5, 2, "a", "m")), .addBase(base(1, 2, "n", "z")), .addBase(base(2, 1, "", "zz")),
                .addSealed(sealed), .addRaw(RawSegmentEntry(number: 2, identity: 0x22, allocated: 4096)),
                .counters(nextSegment: 3, nextTable: 1, lastSequence: 0, endPosition: 0),
            ], 1, &manifest)
        add(
            [
                .removeBase(number: 2), .addBase(base(3, 3, "b", "b")), .removeBase(number: 1), .removeBase(number: 5),
                .removeBase(number: 3),
                .removeSealed(number: 1), .compacted(CompactedLog(sealed)), .removeRaw(number: 2),
                .addRaw(RawSegmentEntry(number: 3, identity: 0x33, allocated: 4096)),
            ], 2, &manifest)
        add([.closeRaw(number: 3, end: 88, endPosition: 88, lastSequence: 0)], 3, &manifest)
        add(
            [
                .reopenRaw(number: 3, allocated: 4096),
                .recovered(RecoverySummary(milliseconds: time, tornBytes: 40, segment: 3, offset: 88, removedFiles: 1)),
            ], 4, &manifest)
        add([.addRaw(RawSegmentEntry(number: 4, identity: 0x44, allocated: 4096))], 5, &manifest)
        manifest.add(.mark, sequence: 6, durableEnd: manifest.length, time: 0) { _ in }
        return manifest.bytes(allocated: 4096)
    }

    // MARK: - transactions

    static let transactionsDump = lines([
        ("t", "b", #"{"by":3}"#), ("t", "k", #"{"by":"nobody"}"#), ("t", "new", #"{"by":3}"#), ("t", "z", #"{"by":12}"#),
    ])

    /// Transactions 3 (committed in the segment after it began), 6 (never ended), 7 (rolled back) and 12 (committed).
    static func transactional() throws -> HandmadeDatabase {
        var result = HandmadeDatabase()
        var raw = FrameFile(raw: header(1, identity: 0x101, base: 0, first: 1))
        func add(_ transaction: UInt64?, _ first: UInt64, _ records: [(Key, String?)], _ raw: inout FrameFile) throws {
            try raw.add(transaction == nil ? .operations : .transactionOperations, sequence: first, durableEnd: 88) {
                if let transaction { $0.append(varint: transaction) }
                for (key, document) in records { try record(1, key, document, &$0) }
            }
        }
        func end(_ kind: FrameHeader.Kind, _ transaction: UInt64, _ next: UInt64, _ raw: inout FrameFile) {
            raw.add(kind, sequence: next, durableEnd: 88) { $0.append(varint: transaction) }
        }
        try raw.add(.operations, sequence: 1, durableEnd: 88) {
            try record(0, 1, #"{"name":"t"}"#, &$0)
            try record(1, "k", #"{"by":"nobody, before"}"#, &$0)
        }
        try add(3, 3, [("k", #"{"by":3}"#), ("new", #"{"by":3}"#)], &raw)
        // Made after the transaction's write, before its commit: this one stands.
        try add(nil, 5, [("k", #"{"by":"nobody"}"#)], &raw)
        try add(6, 6, [("k", #"{"by":6}"#)], &raw)
        try add(7, 7, [("k", nil), ("new", nil)], &raw)
        end(.rollback, 7, 9, &raw)
        let base = raw.length
        result.files["000001.log"] = raw.bytes(allocated: 4096)

        var second = FrameFile(raw: header(2, identity: 0x202, base: base, first: 9, after: (1, 0x101)))
        try add(6, 9, [("lost", #"{"by":6}"#)], &second)
        try add(3, 10, [("b", #"{"by":3}"#), ("gone", nil)], &second)
        try add(12, 12, [("z", #"{"by":12}"#)], &second)
        end(.commit, 12, 13, &second)
        end(.commit, 3, 13, &second)
        try add(6, 13, [("lost", #"{"by":6}"#)], &second)
        result.files["000002.log"] = second.bytes(allocated: 4096)

        result.expect(2, "t", "k", #"{"by":"nobody, before"}"#)
        result.expect(3, "t", "k", #"{"by":3}"#)
        result.expect(4, "t", "new", #"{"by":3}"#)
        result.expect(5, "t", "k", #"{"by":"nobody"}"#)
        result.expect(10, "t", "b", #"{"by":3}"#)
        result.expect(11, "t", "gone", nil)
        result.expect(12, "t", "z", #"{"by":12}"#)

        var manifest = FrameFile(manifest: 1, identity: 0x1)
        manifest.add(.manifestEdits, sequence: 1, durableEnd: 0) {
            for edit in [
                ManifestEdit.addRaw(RawSegmentEntry(number: 1, identity: 0x101, allocated: 4096)),
                .addRaw(RawSegmentEntry(number: 2, identity: 0x202, allocated: 4096)),
            ] { edit.append(to: &$0) }
        }
        result.files["MANIFEST-000001"] = manifest.bytes(allocated: 4096)
        return result
    }
}
