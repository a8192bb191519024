//===--- Block.swift - the unit of compression -----------------------------===//
//
// A block is a run of records in log order, about 256 KiB of them, compressed as one. It can be decoded on its own: its entry
// in the segment's index holds the sequence number and time that its first record's deltas count from.
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
    /// Where in the segment's filters this block's begins, and its length.
    package var filter: Range<Int>

    package init(
        offset: UInt64, storedLength: Int, rawLength: Int, recordCount: Int, checksum: UInt32, firstSequence: UInt64,
        firstMilliseconds: Int64, holdsCatalog: Bool, filter: Range<Int>
    ) {
        self.offset = offset
        self.storedLength = storedLength
        self.rawLength = rawLength
        self.recordCount = recordCount
        self.checksum = checksum
        self.firstSequence = firstSequence
        self.firstMilliseconds = firstMilliseconds
        self.holdsCatalog = holdsCatalog
        self.filter = filter
    }
}

/// Collects records until a block is full.
package struct BlockBuilder: ~Copyable {
    package static let targetRawLength = 256 << 10

    package private(set) var raw = ByteBuffer(capacity: targetRawLength + 4096)
    package private(set) var recordCount = 0
    package private(set) var firstSequence: UInt64 = 0
    package private(set) var firstMilliseconds: Int64 = 0
    package private(set) var holdsCatalog = false
    package private(set) var hashes: Set<UInt64> = []
    private var expectedSequence: UInt64 = 0
    private var lastMilliseconds: Int64 = 0

    package init() {}

    /// Whether a record of `length` bytes should start a new block rather than go into this one.
    package func isFull(before length: Int) -> Bool { recordCount > 0 && raw.count + length > Self.targetRawLength }

    package mutating func append(_ record: Record, sequence: UInt64, milliseconds: Int64) {
        if recordCount == 0 {
            firstSequence = sequence
            firstMilliseconds = milliseconds
            expectedSequence = sequence
            lastMilliseconds = milliseconds
        }
        raw.append(signedVarint: Int64(bitPattern: sequence &- expectedSequence))
        raw.append(signedVarint: milliseconds &- lastMilliseconds)
        record.append(to: &raw)
        recordCount += 1
        expectedSequence = sequence &+ 1
        lastMilliseconds = milliseconds
        if record.table == 0 { holdsCatalog = true }
        hashes.insert(KeyCoding.hash(table: record.table, key: record.key))
    }

    package mutating func removeAll() {
        raw.removeAll()
        raw.shrink(to: Self.targetRawLength + 4096)
        recordCount = 0
        holdsCatalog = false
        hashes.removeAll(keepingCapacity: true)
    }
}

/// Walks the records of an unpacked block.
package struct BlockReader: ~Escapable {
    private var reader: ByteReader
    private var left: Int
    private var expectedSequence: UInt64
    private var lastMilliseconds: Int64

    @_lifetime(copy raw)
    package init(_ raw: Span<UInt8>, entry: BlockEntry) {
        reader = ByteReader(raw)
        left = entry.recordCount
        expectedSequence = entry.firstSequence
        lastMilliseconds = entry.firstMilliseconds
    }

    /// Sequence number and time of the record that `next` returned last.
    @inline(__always)
    package var sequence: UInt64 { expectedSequence &- 1 }
    @inline(__always)
    package var milliseconds: Int64 { lastMilliseconds }

    /// Whether there is another record. At the end, throws if the block holds more or fewer bytes than its records.
    @inline(__always)
    package func hasNext() throws(FormatError) -> Bool {
        if left > 0 { return true }
        guard reader.isAtEnd else { throw FormatError(.corrupted, "a block holds bytes beyond its records", at: reader.position) }
        return false
    }

    @inline(__always)
    @_lifetime(copy self)
    package mutating func next() throws(FormatError) -> Record {
        let delta = try reader.signedVarint()
        let time = try reader.signedVarint()
        expectedSequence = expectedSequence &+ UInt64(bitPattern: delta) &+ 1
        lastMilliseconds = lastMilliseconds &+ time
        left -= 1
        return try reader.record()
    }
}
