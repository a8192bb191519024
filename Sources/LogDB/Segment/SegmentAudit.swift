//===--- SegmentAudit.swift - whether a sealed segment tells the truth of itself ----===//
//
// Checksums prove that bytes are as they were written. This proves that what was written is so: that the index of a segment, and the manifest, say of its
// records what they are. Readers rely on it: a key index that names the wrong block, or a first key that is too small, makes a document
// unfindable that is there.
//
//   * log order: numbers rise, and lie within what the segment accounts for; the key index names the block of each key's newest operation.
//   * key order: keys rise, each once, none deleted; first keys, the ends in the manifest, and the documents' digests are theirs.
//   * version order: keys do not fall, and of one key the numbers do; first keys, ends and digests as in key order.
//   * all: what is counted for each table and for documents that expire, the flags for the catalog and for these, the key sample.
//
// Memory: in log order the segment's different keys, as for writing it.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct SegmentAudit: ~Copyable {
    private let entry: SealedSegmentEntry
    private let footer: SegmentFooter
    private var tables: [UInt64: TableStatistics] = [:]
    private var current = TableStatistics(table: .max)
    private var census = KeyCensus()
    private var sample = KeySample()
    private var expiry = ExpiryStatistics()
    private var block = 0
    /// Whether the next record is the first of its block, and whether one of the block is of the catalog.
    private var isAtBlockStart = false
    private var holdsCatalog = false
    private var last: FullKey?
    private var lastSequence: SequenceNumber = 0
    private var sequences = (least: SequenceNumber.max, greatest: SequenceNumber(0))
    /// What was found first.
    private var finding: String?

    private var isKeyOrdered: Bool { entry.order.isSorted }
    private var isVersioned: Bool { entry.order == .version }

    init(_ entry: SealedSegmentEntry, _ footer: SegmentFooter) {
        self.entry = entry
        self.footer = footer
        if footer.lastSequence != entry.lastSequence || footer.recordCount != entry.records || footer.rawLength != entry.rawLength {
            find("the manifest counts other operations than the index")
        }
        if footer.blocks.contains(where: \.holdsCatalog) != entry.holdsCatalog { find("the manifest's flag for the catalog is wrong") }
        if footer.expiry.isEmpty == entry.holdsExpiring { find("the manifest's flag for documents that expire is wrong") }
    }

    private mutating func find(_ what: String) { if finding == nil { finding = what } }

    /// The records of a block follow.
    mutating func begin(block number: Int) {
        block = number
        isAtBlockStart = true
        holdsCatalog = false
    }

    mutating func pass(_ record: Record, sequence: SequenceNumber) {
        if record.table == 0 { holdsCatalog = true }
        expiry.add(record)
        sequences = (min(sequences.least, sequence), max(sequences.greatest, sequence))
        if current.table != record.table {
            if current.table != .max { tables[current.table] = current }
            current = tables[record.table] ?? TableStatistics(table: record.table)
        }
        if record.isDelete, isKeyOrdered { current.add(record, digestTerm: 0) } else { current.add(record, inKeyOrder: isKeyOrdered) }
        if isKeyOrdered { passInKeyOrder(record, sequence: sequence) } else { passInLogOrder(record, sequence: sequence) }
        isAtBlockStart = false
    }

    private mutating func passInKeyOrder(_ record: Record, sequence: SequenceNumber) {
        let key = FullKey(record)
        if isAtBlockStart, footer.firstKeys[block] != key { find("a block does not begin with the key that the index names") }
        if let last, !(last < key) {
            if !isVersioned || key < last {
                find("keys do not rise")
            } else if sequence >= lastSequence {
                find("a key's numbers do not fall")
            }
        }
        lastSequence = sequence
        if last == nil, key != entry.leastKey { find("the manifest names another least key") }
        if isVersioned {
            last = key
            return
        }
        if record.isDelete { find("a delete is among the documents") }
        last = key
        sample.add(
            hash: KeyCoding.hash(table: record.table, key: record.key), table: record.table,
            bytes: UInt64(record.key.count + record.document.count), expires: Expiry.milliseconds(of: record.document) ?? .max,
            limit: footer.sample.limitToCompare)
    }

    private mutating func passInLogOrder(_ record: Record, sequence: SequenceNumber) {
        if sequence <= lastSequence { find("sequence numbers do not rise") }
        lastSequence = sequence
        census.add(record, block: block)
    }

    mutating func endBlock() {
        if holdsCatalog != footer.blocks[block].holdsCatalog { find("a block's flag for the catalog is wrong") }
    }

    /// What is wrong, once all blocks were passed; nil if nothing is.
    consuming func finish() -> String? {
        if current.table != .max { tables[current.table] = current }
        if tables.values.sorted(by: { $0.table < $1.table }) != footer.tables { find("the index counts something else for a table") }
        if expiry != footer.expiry { find("the index counts other documents that expire") }
        if isKeyOrdered {
            if last != entry.greatestKey { find("the manifest names another greatest key") }
            if sequences != (entry.firstSequence, entry.lastSequence) { find("the manifest names other sequence numbers") }
            if sample.entries != footer.sample.entries { find("the key sample is not of these keys") }
        } else {
            if sequences.greatest > entry.lastSequence || sequences.least < entry.firstSequence {
                find("there are sequence numbers that the segment does not account for")
            }
            if let index = footer.keyIndex, !census.isTold(by: index, blockCount: footer.blocks.count) {
                find("the key index does not find each key")
            }
            if !census.isTold(by: footer.sample) { find("the key sample is not of these keys") }
        }
        return finding
    }
}
