//===--- SealedSegmentWriter.swift - records in, a standard compressed file out ----===//
//
//      header envelope | block | block | … | index envelope | trailer envelope
//
// Streams: holds one block, up to three more that a thread has still to write, its columns and a megabyte of output; in log order also the segment's different keys, for its index. The file is
// whole and synced when `finish` returns; its name is durable once the caller has synced the directory, and it means nothing until
// the manifest lists it.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// A finished block, before compression.
private final class FinishedBlock {
    var raw = ByteBuffer(capacity: 64 << 10)
    var recordCount = 0
    var firstSequence: SequenceNumber = 0
    var firstMilliseconds: Int64 = 0
    var holdsCatalog = false

    func take(from builder: inout BlockBuilder, shrinkingTo limit: Int) {
        raw.removeAll()
        raw.shrink(to: limit)
        builder.finish(into: &raw)
        recordCount = builder.recordCount
        firstSequence = builder.firstSequence
        firstMilliseconds = builder.firstMilliseconds
        holdsCatalog = builder.holdsCatalog
        builder.removeAll()
    }
}

/// Compresses blocks and writes them to the file.
private final class BlockOutput {
    private let file: any File
    private let compressor: any BlockCompressor
    private var output = ByteBuffer(capacity: 64 << 10)
    /// Offset in the file of the first byte of `output`.
    private(set) var flushed: UInt64 = 0
    private var synced: UInt64 = 0
    private let syncStep: UInt64
    private let flushThreshold: Int
    private(set) var blocks: [BlockEntry] = []

    init(_ file: any File, header: SegmentHeader, syncStep: UInt64, flushThreshold: Int) {
        self.file = file
        self.syncStep = syncStep
        self.flushThreshold = flushThreshold
        compressor = header.codec.makeCompressor()
        header.append(to: &output)
    }

    private var offset: UInt64 { flushed + UInt64(output.count) }

    func write(_ block: FinishedBlock) throws(LogDBError) {
        let start = output.count
        let blockOffset = offset
        do throws(FormatError) { try Self.compress(block.raw, with: compressor, into: &output) } catch {
            throw LogDBError(.codecUnavailable, error.reason)
        }
        blocks.append(
            BlockEntry(
                offset: blockOffset, storedLength: output.count - start, rawLength: block.raw.count, recordCount: block.recordCount,
                checksum: Self.checksum(output, from: start), firstSequence: block.firstSequence,
                firstMilliseconds: block.firstMilliseconds, holdsCatalog: block.holdsCatalog))
        if output.count >= flushThreshold { try flush() }
    }

    // A class's buffer can be lent, its span cannot.

    private static func compress(
        _ raw: borrowing ByteBuffer, with compressor: any BlockCompressor, into output: inout ByteBuffer
    ) throws(FormatError) {
        try compressor.compress(raw.span, into: &output)
    }

    private static func checksum(_ output: borrowing ByteBuffer, from start: Int) -> UInt32 {
        Checksum.crc32c(output.span.extracting(start...))
    }

    private static func write(_ output: borrowing ByteBuffer, to file: any File, at offset: UInt64) throws(FileError) {
        try file.writeFully(output.span, at: offset)
    }

    private func flush() throws(LogDBError) {
        do throws(FileError) {
            try Self.write(output, to: file, at: flushed)
            flushed += UInt64(output.count)
            if flushed - synced >= syncStep {
                try file.sync()
                synced = flushed
            }
        } catch { throw LogDBError(error) }
        output.removeAll()
        output.shrink(to: 2 * flushThreshold)
    }

    /// Appends the index and the trailer, and syncs the file. Returns the index's digest.
    func finish(_ footer: SegmentFooter, of header: SegmentHeader) throws(LogDBError) -> UInt32 {
        let digest = footer.append(
            to: &output, at: offset, identity: header.file.identity, order: header.order, in: header.codec.container)
        try flush()
        do throws(FileError) { try file.sync() } catch { throw LogDBError(error) }
        return digest
    }
}

struct SealedSegmentWriter: ~Copyable {
    private let header: SegmentHeader
    private let output: BlockOutput
    private let line: WriteBehind<FinishedBlock>
    private var builder: BlockBuilder
    private let blockLength: Int
    private var blockCount = 0
    private var footer = SegmentFooter()
    private var tables: [UInt64: TableStatistics] = [:]
    /// The table of the last record, and what is counted for it: most records are of the table of the one before.
    private var current = TableStatistics(table: .max)
    private var census = KeyCensus()
    private var sequences = (least: SequenceNumber.max, greatest: SequenceNumber(0))

    private var isKeyOrdered: Bool { header.order.isSorted }
    /// Key order only: the documents of each table, once finished.
    private(set) var digests = TableDigests()
    /// Records so far, uncompressed.
    private(set) var rawLength: UInt64 = 0

    /// Uncompressed bytes of a segment from which on a thread of its own may compress and write.
    private static let threadedLength: UInt64 = 1 << 20
    /// Asked at each block, while there is no such thread, whether there should be one.
    private let wantsThread: () -> Bool

    /// - Parameters:
    ///   - syncStep: bytes after which the file is synced on the way, so that no sync of others has to wait for all of it.
    ///   - wantsThread: whether to be done sooner is worth a second core.
    init(
        _ file: any File, header: SegmentHeader, blockLength: Int = BlockBuilder.targetRawLength, syncStep: UInt64 = .max,
        wantsThread: @escaping () -> Bool
    ) {
        self.header = header
        self.blockLength = blockLength
        self.wantsThread = wantsThread
        builder = BlockBuilder(targetRawLength: blockLength)
        let output = BlockOutput(file, header: header, syncStep: syncStep, flushThreshold: blockLength)
        self.output = output
        line = WriteBehind((0..<3).map { _ in FinishedBlock() }) { block throws(LogDBError) in try output.write(block) }
    }

    /// Appends a record: in log order by rising number, in key order by rising key, each once; in version order by rising key and falling number.
    ///
    /// - Parameter term: key and version order only: what the record adds to the digest; 0 for a delete.
    mutating func append(_ record: Record, sequence: SequenceNumber, milliseconds: Int64, term: UInt64 = 0) throws(LogDBError) {
        let length = record.key.count + record.document.count
        if builder.isFull(before: length + 30) { try finishBlock() }
        if isKeyOrdered {
            if builder.isEmpty { footer.firstKeys.append(FullKey(record)) }
            // What is retained is no garbage, and has no part in the estimate of it.
            if header.order == .key {
                footer.sample.add(
                    hash: KeyCoding.hash(table: record.table, key: record.key), table: record.table, bytes: UInt64(length),
                    expires: Expiry.milliseconds(of: record.document) ?? .max)
            }
        } else {
            census.add(record, block: blockCount)
        }
        footer.expiry.add(record)
        builder.append(record, sequence: sequence, milliseconds: milliseconds)
        rawLength += UInt64(length)
        sequences = (min(sequences.least, sequence), max(sequences.greatest, sequence))
        if current.table != record.table {
            if current.table != .max { tables[current.table] = current }
            current = tables[record.table] ?? TableStatistics(table: record.table)
        }
        if isKeyOrdered { current.add(record, digestTerm: term) } else { current.add(record) }
    }

    private mutating func finishBlock() throws(LogDBError) {
        guard builder.recordCount > 0 else { return }
        if !line.hasBegun, rawLength >= Self.threadedLength, wantsThread() { line.begin() }
        let block = try line.take()
        block.take(from: &builder, shrinkingTo: 2 * blockLength)
        blockCount += 1
        try line.send(block)
    }

    /// Writes what is left, the index and the trailer, and syncs the file. What the segment accounts for: in log order given by the caller, in
    /// key order the records' own numbers.
    mutating func finish(
        lastSequence: SequenceNumber? = nil, firstSequence: SequenceNumber? = nil, endPosition: UInt64 = 0
    ) throws(LogDBError) -> SealedSegmentEntry {
        try finishBlock()
        try line.drain()
        line.stop()
        footer.blocks = output.blocks
        if current.table != .max { tables[current.table] = current }
        footer.tables = tables.values.sorted { $0.table < $1.table }
        if isKeyOrdered { for table in footer.tables { digests.add(table.table, table.digest) } }
        footer.lastSequence = lastSequence ?? sequences.greatest
        if !isKeyOrdered {
            footer.sample = census.sample()
            footer.keyIndex = census.index(blockCount: footer.blocks.count)
        }
        let digest = try output.finish(footer, of: header)
        var entry = SealedSegmentEntry(
            number: header.file.number, identity: header.file.identity, codec: header.codec, order: header.order,
            generation: header.generation, fileLength: output.flushed, rawLength: UInt64(footer.rawLength),
            records: UInt64(footer.recordCount), firstSequence: firstSequence ?? sequences.least, lastSequence: footer.lastSequence,
            endPosition: endPosition, digest: digest, holdsCatalog: footer.blocks.contains { $0.holdsCatalog })
        entry.holdsExpiring = !footer.expiry.isEmpty
        if isKeyOrdered, let first = footer.firstKeys.first, let last = footer.tables.last {
            entry.leastKey = first
            entry.greatestKey = FullKey(table: last.table, key: last.greatestKey)
        }
        return entry
    }
}
