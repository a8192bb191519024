//===--- LoadRecords.swift - a block's records, ready for the table --------===//
//
// What of loading, and of sorting, needs no knowledge of other blocks: proving the columns and the keys, finding out where each key and document lies, hashing the keys.
// Whoever unpacks a block does it right away, in its own thread, while the block is still in the processor's caches. The thread that fills the
// table then has nothing to do but look keys up.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct LoadRecord {
    var hash: UInt64
    var table: UInt64
    /// Where in the block's bytes they begin.
    var key: Int32
    var document: Int32
    var keyLength: UInt32
    /// `FlatTable.Entry.deleted` for a delete.
    var documentLength: UInt32
}

/// What a sort wants to know as well.
struct RecordStamp {
    var sequence: SequenceNumber
    var milliseconds: Int64
}

/// What who unpacks must know of a loading or a sort: the seed of its hashes, and what time it is for it.
struct LoadView: Sendable {
    let seed: UInt64
    /// nil where a document is wanted as it is stored, its expiry with it.
    let now: Int64?
    /// Whether numbers and times are wanted too.
    var keepsStamps = false
}

struct LoadRecords {
    private(set) var records: [LoadRecord] = []
    /// Of each record, where they are asked for.
    private(set) var stamps: [RecordStamp] = []
    let view: LoadView
    /// What one takes in memory.
    static let bytesEach = MemoryLayout<LoadRecord>.stride + MemoryLayout<RecordStamp>.stride
    /// Room for more is made only once they are there: their number comes from a file.
    private static let mostReserved = 1 << 18

    init(_ view: LoadView) { self.view = view }

    mutating func removeAll() {
        records.removeAll(keepingCapacity: true)
        stamps.removeAll(keepingCapacity: true)
    }

    /// Proves that `raw` is a whole block of the records that `entry` names, and notes them.
    mutating func read(_ raw: borrowing ByteBuffer, entry: BlockEntry) throws(FormatError) {
        records.removeAll(keepingCapacity: true)
        records.reserveCapacity(min(entry.recordCount, Self.mostReserved))
        stamps.removeAll(keepingCapacity: true)
        if view.keepsStamps { stamps.reserveCapacity(min(entry.recordCount, Self.mostReserved)) }
        let bytes = raw.span
        var reader = try BlockReader(bytes, entry: entry)
        var (key, document) = reader.origins
        while try reader.hasNext() {
            let record = try reader.next()
            try append(record, key: key, document: document)
            if view.keepsStamps { stamps.append(RecordStamp(sequence: reader.sequence, milliseconds: reader.milliseconds)) }
            key += record.key.count
            document += record.document.count
        }
    }

    /// Notes a record whose key and document begin at these offsets.
    @inline(__always)
    mutating func append(_ record: borrowing Record, key: Int, document: Int) throws(FormatError) {
        let bytes = record.key
        try KeyCoding.validate(bytes)
        let length = bytes.count
        // SAFETY: the pointer does not leave the closure.
        let hash = unsafe bytes.withUnsafeBytes { unsafe KeyHash.hash($0.baseAddress!, length, seed: view.seed) }
        var (start, count) = (document, record.isDelete ? FlatTable.Entry.deleted : UInt32(record.document.count))
        if let now = view.now, let expires = Expiry.milliseconds(of: record.document) {
            // What has expired hides what is older, as a delete does.
            if expires <= now {
                count = FlatTable.Entry.deleted
            } else {
                (start, count) = (start + Expiry.length, count - UInt32(Expiry.length))
            }
        }
        records.append(
            LoadRecord(
                hash: hash, table: record.table, key: Int32(key), document: Int32(start), keyLength: UInt32(length), documentLength: count))
    }
}
