//===--- Block.swift - the unit of compression -----------------------------===//
//
// A block is a run of records in log order, about 1 MiB of them, compressed as one. It can be decoded on its own: its entry in
// the segment's index holds the number of records and the sequence number and time that the first one's deltas count from.
//
// Unpacked, it is seven columns, one after the other. The first six are preceded by their lengths:
//
//       0   4   length of the column of sequence numbers
//       4   4   … of times
//       8   4   … of tags
//      12   4   … of key lengths
//      16   4   … of document lengths
//      20   4   … of keys
//      24   …   sequence    signed varint each: this sequence number less the one expected (the previous + 1)
//               time        signed varint each: this time less the previous one, milliseconds
//               tag         varint each: table id × 2, plus 1 for a delete
//               key length  varint each
//               document length   varint each, none for a delete
//               keys        one after the other
//               documents   one after the other, to the end
//
// Columns, because what is alike then lies together: on a save history LZ4 needs 2 % less than for rows; and 1 MiB because that
// saves another 2 % over 256 KiB.
//===-----------------------------------------------------------------------===//

package struct BlockEntry: Equatable, Sendable {
    /// Where the block begins in the file; not stored, the blocks follow one another.
    package var offset: UInt64
    package var storedLength: Int
    package var rawLength: Int
    package var recordCount: Int
    /// CRC-32C of the stored bytes.
    package var checksum: UInt32
    /// Sequence number and time of the first record.
    package var firstSequence: UInt64
    package var firstMilliseconds: Int64
    /// Whether operations on table 0 are among the records, so that opening reads the catalog without reading the data.
    package var holdsCatalog: Bool

    package init(
        offset: UInt64, storedLength: Int, rawLength: Int, recordCount: Int, checksum: UInt32, firstSequence: UInt64,
        firstMilliseconds: Int64, holdsCatalog: Bool
    ) {
        self.offset = offset
        self.storedLength = storedLength
        self.rawLength = rawLength
        self.recordCount = recordCount
        self.checksum = checksum
        self.firstSequence = firstSequence
        self.firstMilliseconds = firstMilliseconds
        self.holdsCatalog = holdsCatalog
    }
}

/// Collects records until a block is full.
package struct BlockBuilder: ~Copyable {
    package static let targetRawLength = 1 << 20
    /// The largest document in a block of its own, with room for its key and the columns.
    package static let maximumRawLength = Record.maximumStoredLength + Record.maximumKeyLength + targetRawLength

    private var sequences = ByteBuffer(capacity: 4096)
    private var times = ByteBuffer(capacity: 4096)
    private var tags = ByteBuffer(capacity: 4096)
    private var keyLengths = ByteBuffer(capacity: 4096)
    private var documentLengths = ByteBuffer(capacity: 4096)
    private var keys = ByteBuffer(capacity: 64 << 10)
    private var documents = ByteBuffer(capacity: 64 << 10)

    package private(set) var recordCount = 0
    package private(set) var firstSequence: UInt64 = 0
    package private(set) var firstMilliseconds: Int64 = 0
    package private(set) var holdsCatalog = false
    private var expectedSequence: UInt64 = 0
    private var lastMilliseconds: Int64 = 0

    /// Raw bytes after which a block is full.
    private let target: Int

    package init(targetRawLength: Int = BlockBuilder.targetRawLength) { target = targetRawLength }

    package var isEmpty: Bool { recordCount == 0 }

    /// Whether a record of `length` bytes should start a new block rather than go into this one.
    package func isFull(before length: Int) -> Bool {
        recordCount > 0 && keys.count + documents.count + 6 * recordCount + length > target
    }

    package mutating func append(_ record: borrowing Record, sequence: UInt64, milliseconds: Int64) {
        if recordCount == 0 {
            firstSequence = sequence
            firstMilliseconds = milliseconds
            expectedSequence = sequence
            lastMilliseconds = milliseconds
        }
        sequences.append(signedVarint: Int64(bitPattern: sequence &- expectedSequence))
        times.append(signedVarint: milliseconds &- lastMilliseconds)
        tags.append(varint: record.tag)
        keyLengths.append(varint: record.key.count)
        keys.append(record.key)
        if !record.isDelete {
            documentLengths.append(varint: record.document.count)
            documents.append(record.document)
        }
        recordCount += 1
        expectedSequence = sequence &+ 1
        lastMilliseconds = milliseconds
        if record.table == 0 { holdsCatalog = true }
    }

    /// Appends the block's columns to `raw`.
    package func finish(into raw: inout ByteBuffer) {
        for length in [sequences.count, times.count, tags.count, keyLengths.count, documentLengths.count, keys.count] {
            raw.append(u32: UInt32(length))
        }
        raw.append(sequences.span)
        raw.append(times.span)
        raw.append(tags.span)
        raw.append(keyLengths.span)
        raw.append(documentLengths.span)
        raw.append(keys.span)
        raw.append(documents.span)
    }

    package mutating func removeAll() {
        sequences.removeAll()
        times.removeAll()
        tags.removeAll()
        keyLengths.removeAll()
        documentLengths.removeAll()
        keys.removeAll()
        documents.removeAll()
        documents.shrink(to: 2 * target)
        recordCount = 0
        holdsCatalog = false
    }
}

/// Walks the records of an unpacked block.
package struct BlockReader: ~Escapable {
    private var sequences: ByteReader
    private var times: ByteReader
    private var tags: ByteReader
    private var keyLengths: ByteReader
    private var documentLengths: ByteReader
    private var keys: ByteReader
    private var documents: ByteReader
    private var left: Int
    private var expectedSequence: UInt64
    private var lastMilliseconds: Int64

    @_lifetime(copy raw)
    package init(_ raw: Span<UInt8>, entry: BlockEntry) throws(FormatError) {
        var reader = ByteReader(raw)
        let lengths = [
            Int(try reader.u32()), Int(try reader.u32()), Int(try reader.u32()), Int(try reader.u32()), Int(try reader.u32()),
            Int(try reader.u32()),
        ]
        sequences = ByteReader(try reader.take(lengths[0]))
        times = ByteReader(try reader.take(lengths[1]))
        tags = ByteReader(try reader.take(lengths[2]))
        keyLengths = ByteReader(try reader.take(lengths[3]))
        documentLengths = ByteReader(try reader.take(lengths[4]))
        keys = ByteReader(try reader.take(lengths[5]))
        origins = (reader.position - lengths[5], reader.position)
        documents = ByteReader(try reader.take(reader.remaining))
        left = entry.recordCount
        expectedSequence = entry.firstSequence
        lastMilliseconds = entry.firstMilliseconds
    }

    /// Where in the block the columns of keys and documents begin.
    package let origins: (keys: Int, documents: Int)

    /// Sequence number and time of the record that `next` returned last.
    @inline(__always)
    package var sequence: UInt64 { expectedSequence &- 1 }
    @inline(__always)
    package var milliseconds: Int64 { lastMilliseconds }

    /// Whether there is another record. At the end, throws if the block holds more than its records.
    @inline(__always)
    package func hasNext() throws(FormatError) -> Bool {
        if left > 0 { return true }
        guard sequences.isAtEnd, times.isAtEnd, tags.isAtEnd, keyLengths.isAtEnd, documentLengths.isAtEnd, keys.isAtEnd, documents.isAtEnd
        else { throw FormatError(.corrupted, "a block holds bytes beyond its records") }
        return false
    }

    @inline(__always)
    @_lifetime(copy self)
    package mutating func next() throws(FormatError) -> Record {
        expectedSequence = expectedSequence &+ UInt64(bitPattern: try sequences.signedVarint()) &+ 1
        lastMilliseconds = lastMilliseconds &+ (try times.signedVarint())
        left -= 1
        let tag = try tags.varint()
        let keyLength = try keyLengths.count(limit: Record.maximumKeyLength, of: "a key's length")
        guard keyLength > 0 else { throw FormatError(.corrupted, "a key is empty") }
        let key = try keys.take(keyLength)
        guard tag & 1 == 0 else { return Record(table: tag >> 1, key: key, isDelete: true, document: Span()) }
        let length = try documentLengths.count(limit: Record.maximumStoredLength, of: "a document's length")
        let document = try documents.take(length)
        try Expiry.prove(document)
        return Record(table: tag >> 1, key: key, isDelete: false, document: document)
    }
}
