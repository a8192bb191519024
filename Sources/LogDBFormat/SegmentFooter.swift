//===--- SegmentFooter.swift - what a sealed segment knows of itself -------===//
//
// Behind the blocks: an envelope with the body, then one with the trailer, which has a fixed length and so is found from the
// end of the file.
//
//      body      blocks        varint count, then for each:
//                                storedLength, rawLength, recordCount   varints
//                                checksum                               u32, CRC-32C of the stored bytes
//                                firstSequence, firstTime               signed varints, less the previous block's (at first, less 0)
//                                flags                                  u8: 1 holds operations on table 0
//                                key and version order: first key       table varint, varint length, bytes
//                tables        varint count, then for each, by rising id:
//                                id, upserts, deletes, keyBytes, documentBytes      varints
//                                least key, greatest key                            varint length, bytes each
//                                key and version order: digest of its documents      u64 (ContentDigest)
//                lastSequence  varint: the last sequence number this segment accounts for
//                sample        KeySample
//                log order only: hasIndex u8, and where it is 1 the KeyIndex
//                only where documents expire: how many, their bytes, when the first does and the last      varints
//                                varint count, then for each key of the sample that expires: its place less the one before, when     varints
//
//      trailer    0  8  "LogDBend"
//                 8  8  identity of the segment, as in its header
//                16  8  offset of the body's envelope in the file
//                24  4  length of the body
//                28  4  checksum of the body, CRC-32C seeded with the identity; also the segment's digest: it covers the
//                       checksums of all blocks, so it stands for all that is in the segment
//                32  4  CRC-32C of the trailer so far
//===-----------------------------------------------------------------------===//

package struct TableStatistics: Equatable, Sendable {
    package var table: UInt64
    package var upserts: UInt64 = 0
    package var deletes: UInt64 = 0
    package var keyBytes: UInt64 = 0
    package var documentBytes: UInt64 = 0
    package var leastKey: [UInt8] = []
    package var greatestKey: [UInt8] = []
    /// Key and version order only: the documents' digest.
    package var digest = ContentDigest()

    package init(table: UInt64) { self.table = table }

    /// Counts `record` in. The key bytes are those the user gave: without the tag.
    /// In key order the keys rise, and the documents' digest is kept.
    package mutating func add(_ record: Record, inKeyOrder: Bool = false) {
        guard !inKeyOrder else {
            return add(record, digestTerm: ContentDigest.term(key: record.key, document: record.document))
        }
        count(record)
        if leastKey.isEmpty || precedes(record.key, leastKey.span) { leastKey = Array(record.key) }
        if greatestKey.isEmpty || precedes(greatestKey.span, record.key) { greatestKey = Array(record.key) }
    }

    /// As above in key order, where it is known what the record adds to the digest.
    @inline(__always)
    package mutating func add(_ record: Record, digestTerm term: UInt64) {
        count(record)
        if leastKey.isEmpty { leastKey = Array(record.key) }
        digest.add(term)
        greatestKey.removeAll(keepingCapacity: true)
        unsafe record.key.withUnsafeBufferPointer { unsafe greatestKey.append(contentsOf: $0) }
    }

    @inline(__always)
    private mutating func count(_ record: Record) {
        if record.isDelete { deletes += 1 } else { upserts += 1 }
        keyBytes += UInt64(record.key.count - 1)
        documentBytes += UInt64(record.document.count)
    }
}

package struct SegmentFooter: Equatable, Sendable {
    package var blocks: [BlockEntry] = []
    /// Key and version order only: the first key of each block.
    package var firstKeys: [FullKey] = []
    package var tables: [TableStatistics] = []
    package var lastSequence: UInt64 = 0
    package var sample = KeySample()
    /// Log order only: which block holds a key last; nil where every block must be asked.
    package var keyIndex: KeyIndex?
    package var expiry = ExpiryStatistics()

    package init() {}

    /// What the segment knows of `table`, by binary search; nil if it has no operation on it.
    package func statistics(of table: UInt64) -> TableStatistics? {
        var low = 0
        var high = tables.count
        while low < high {
            let middle = (low + high) / 2
            if tables[middle].table < table { low = middle + 1 } else { high = middle }
        }
        return low < tables.count && tables[low].table == table ? tables[low] : nil
    }

    /// Bytes it takes in memory, about.
    package var byteCount: Int {
        blocks.count * MemoryLayout<BlockEntry>.stride + (keyIndex?.byteCount ?? 0) + firstKeys.reduce(0) { $0 + $1.key.count + 48 }
            + tables.reduce(0) { $0 + $1.leastKey.count + $1.greatestKey.count + 144 } + sample.entries.count * 32
    }

    package var recordCount: Int { blocks.reduce(0) { $0 + $1.recordCount } }
    package var rawLength: Int { blocks.reduce(0) { $0 + $1.rawLength } }

    private func appendBody(to buffer: inout ByteBuffer, order: SegmentHeader.Order) {
        buffer.append(varint: blocks.count)
        var sequence: UInt64 = 0
        var time: Int64 = 0
        for (number, block) in blocks.enumerated() {
            buffer.append(varint: block.storedLength)
            buffer.append(varint: block.rawLength)
            buffer.append(varint: block.recordCount)
            buffer.append(u32: block.checksum)
            buffer.append(signedVarint: Int64(bitPattern: block.firstSequence &- sequence))
            buffer.append(signedVarint: block.firstMilliseconds &- time)
            buffer.append(block.holdsCatalog ? 1 : 0 as UInt8)
            if order.isSorted { firstKeys[number].append(to: &buffer) }
            sequence = block.firstSequence
            time = block.firstMilliseconds
        }
        buffer.append(varint: tables.count)
        for table in tables {
            buffer.append(varint: table.table)
            buffer.append(varint: table.upserts)
            buffer.append(varint: table.deletes)
            buffer.append(varint: table.keyBytes)
            buffer.append(varint: table.documentBytes)
            buffer.append(varint: table.leastKey.count)
            buffer.append(table.leastKey)
            buffer.append(varint: table.greatestKey.count)
            buffer.append(table.greatestKey)
            if order.isSorted { buffer.append(u64: table.digest.value) }
        }
        buffer.append(varint: lastSequence)
        sample.append(to: &buffer)
        if order == .log {
            buffer.append(keyIndex == nil ? 0 : 1 as UInt8)
            keyIndex?.append(to: &buffer)
        }
        guard !expiry.isEmpty else { return }
        expiry.append(to: &buffer)
        sample.appendExpiries(to: &buffer)
    }

    /// Appends body and trailer in their envelopes; `offset` is where in the file they will stand. Returns the digest.
    package func append(
        to buffer: inout ByteBuffer, at offset: UInt64, identity: UInt64, order: SegmentHeader.Order, in container: Container
    ) -> UInt32 {
        var body = ByteBuffer(capacity: 4096 + byteCount)
        appendBody(to: &body, order: order)
        let digest = Checksum.crc32c(body.span, seed: Checksum.seed(identity: identity))
        Envelope.wrap(body.span, in: container, into: &buffer)
        SegmentTrailer(identity: identity, bodyOffset: offset, bodyLength: body.count, digest: digest).append(to: &buffer, in: container)
        return digest
    }

    /// Decodes a proven body. `firstBlock` is the offset at which the blocks begin, `end` the one at which they must end.
    package init(
        decoding body: Span<UInt8>, firstBlock: UInt64, end: UInt64, order: SegmentHeader.Order, container: Container
    ) throws(FormatError) {
        var reader = ByteReader(body)
        guard firstBlock <= end else { throw FormatError(.corrupted, "the index stands before the first block") }
        let blockCount = try reader.count(limit: reader.remaining / 9, of: "the number of blocks")
        blocks.reserveCapacity(blockCount)
        var offset = firstBlock
        var sequence: UInt64 = 0
        var time: Int64 = 0
        for _ in 0..<blockCount {
            let storedLength = try reader.count(limit: Int(clamping: end - offset), of: "a block's length")
            let rawLength = try reader.count(limit: container.maximumRawLength(storedLength: storedLength), of: "a block's raw length")
            let recordCount = try reader.count(limit: rawLength, of: "a block's number of records")
            let checksum = try reader.u32()
            sequence = sequence &+ UInt64(bitPattern: try reader.signedVarint())
            time = time &+ (try reader.signedVarint())
            let flags = try reader.u8()
            guard flags < 2 else { throw FormatError(.corrupted, "a block has unknown flags \(flags)", at: reader.position - 1) }
            if order.isSorted { firstKeys.append(try reader.fullKey()) }
            blocks.append(
                BlockEntry(
                    offset: offset, storedLength: storedLength, rawLength: rawLength, recordCount: recordCount, checksum: checksum,
                    firstSequence: sequence, firstMilliseconds: time, holdsCatalog: flags & 1 == 1))
            offset += UInt64(storedLength)
        }
        guard offset == end else { throw FormatError(.corrupted, "the blocks end at byte \(offset), the index begins at \(end)") }
        let tableCount = try reader.count(limit: reader.remaining / 7, of: "the number of tables")
        for _ in 0..<tableCount {
            var table = TableStatistics(table: try reader.varint())
            table.upserts = try reader.varint()
            table.deletes = try reader.varint()
            table.keyBytes = try reader.varint()
            table.documentBytes = try reader.varint()
            table.leastKey = Array(try reader.take(try reader.count(limit: Record.maximumKeyLength, of: "a key's length")))
            table.greatestKey = Array(try reader.take(try reader.count(limit: Record.maximumKeyLength, of: "a key's length")))
            if order.isSorted { table.digest = ContentDigest(value: try reader.u64()) }
            guard tables.last.map({ $0.table < table.table }) ?? true else {
                throw FormatError(.corrupted, "the segment's tables are out of order", at: reader.position)
            }
            tables.append(table)
        }
        lastSequence = try reader.varint()
        sample = try KeySample(&reader)
        if order == .log {
            let hasIndex = try reader.u8()
            guard hasIndex < 2 else { throw FormatError(.corrupted, "the segment has unknown flags \(hasIndex)", at: reader.position - 1) }
            if hasIndex == 1 { keyIndex = try KeyIndex(&reader, blockCount: blocks.count) }
        }
        if !reader.isAtEnd {
            expiry = try ExpiryStatistics(&reader)
            try sample.readExpiries(&reader)
        }
        guard reader.isAtEnd else { throw FormatError(.corrupted, "the segment's index is longer than its contents", at: reader.position) }
    }
}

package struct SegmentTrailer: Equatable, Sendable {
    package var identity: UInt64
    package var bodyOffset: UInt64
    package var bodyLength: Int
    package var digest: UInt32

    static let length = 36

    init(identity: UInt64, bodyOffset: UInt64, bodyLength: Int, digest: UInt32) {
        self.identity = identity
        self.bodyOffset = bodyOffset
        self.bodyLength = bodyLength
        self.digest = digest
    }

    private static let magic: [UInt8] = Array("LogDBend".utf8)

    /// Bytes at the end of a sealed file that hold the trailer.
    package static func envelopeLength(in container: Container) -> Int { Envelope.length(of: length, in: container) }

    func append(to buffer: inout ByteBuffer, in container: Container) {
        var content = ByteBuffer(capacity: Self.length)
        content.append(Self.magic)
        content.append(u64: identity)
        content.append(u64: bodyOffset)
        content.append(u32: UInt32(bodyLength))
        content.append(u32: digest)
        content.append(u32: Checksum.crc32c(content.span))
        Envelope.wrap(content.span, in: container, into: &buffer)
    }

    /// Decodes the trailer from the last `envelopeLength` bytes of a file of `fileLength` bytes.
    package init(decoding envelope: Span<UInt8>, fileLength: UInt64, in container: Container) throws(FormatError) {
        var content = ByteBuffer(capacity: Self.length)
        try Envelope.unwrap(envelope, contentLength: Self.length, in: container, into: &content)
        var reader = ByteReader(content.span)
        for byte in Self.magic where try reader.u8() != byte {
            throw FormatError(.corrupted, "the segment does not end with its trailer")
        }
        identity = try reader.u64()
        bodyOffset = try reader.u64()
        bodyLength = Int(try reader.u32())
        digest = try reader.u32()
        let stored = try reader.u32()
        let computed = Checksum.crc32c(content.span.extracting(0..<(Self.length - 4)))
        guard stored == computed else {
            throw FormatError(.corrupted, "trailer checksum is \(hexadecimal(computed)), stored \(hexadecimal(stored))")
        }
        let tail = UInt64(Envelope.length(of: bodyLength, in: container) + Self.envelopeLength(in: container))
        guard fileLength >= tail, bodyOffset == fileLength - tail else {
            throw FormatError(.corrupted, "the trailer places the index at byte \(bodyOffset) of \(fileLength)")
        }
    }
}
