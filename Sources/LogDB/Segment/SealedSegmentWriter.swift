//===--- SealedSegmentWriter.swift - records in, a standard compressed file out ----===//
//
//      header envelope | block | block | … | index envelope | trailer envelope
//
// Streams: holds one block, its columns and a megabyte of output. The file is whole and synced when `finish` returns; its name is durable
// once the caller has synced the directory, and it means nothing until the manifest lists it.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct SealedSegmentWriter: ~Copyable {
    private let file: any File
    private let header: SegmentHeader
    private let compressor: any BlockCompressor
    private var builder = BlockBuilder()
    /// The finished block, before compression.
    private var raw = ByteBuffer(capacity: BlockBuilder.targetRawLength)
    private var footer = SegmentFooter()
    private var tables: [UInt64: TableStatistics] = [:]
    private var output = ByteBuffer(capacity: 1 << 20)
    /// Offset in the file of the first byte of `output`.
    private var flushed: UInt64 = 0
    private static let flushThreshold = 1 << 20

    private var offset: UInt64 { flushed + UInt64(output.count) }

    init(_ file: any File, header: SegmentHeader) {
        self.file = file
        self.header = header
        compressor = header.codec.makeCompressor()
        header.append(to: &output)
    }

    mutating func append(_ record: Record, sequence: SequenceNumber, milliseconds: Int64) throws(LogDBError) {
        if builder.isFull(before: record.key.count + record.document.count + 30) { try finishBlock() }
        builder.append(record, sequence: sequence, milliseconds: milliseconds)
        let table = record.table
        tables[table, default: TableStatistics(table: table)].add(record)
    }

    private mutating func finishBlock() throws(LogDBError) {
        guard builder.recordCount > 0 else { return }
        let start = output.count
        let blockOffset = offset
        raw.removeAll()
        builder.finish(into: &raw)
        do throws(FormatError) { try Self.compress(raw, with: compressor, into: &output) } catch {
            throw LogDBError(.codecUnavailable, error.reason)
        }
        let storedLength = output.count - start
        let checksum = Checksum.crc32c(output.span.extracting(start...))
        let filter = KeyFilter.build(builder.hashes)
        let filterStart = footer.filters.count
        footer.filters.append(contentsOf: filter)
        footer.blocks.append(
            BlockEntry(
                offset: blockOffset, storedLength: storedLength, rawLength: raw.count, recordCount: builder.recordCount,
                checksum: checksum, firstSequence: builder.firstSequence, firstMilliseconds: builder.firstMilliseconds,
                holdsCatalog: builder.holdsCatalog, filter: filterStart..<footer.filters.count))
        builder.removeAll()
        raw.shrink(to: 2 * BlockBuilder.targetRawLength)
        if output.count >= Self.flushThreshold { try flush() }
    }

    private static func compress(
        _ raw: borrowing ByteBuffer, with compressor: any BlockCompressor, into output: inout ByteBuffer
    ) throws(FormatError) {
        try compressor.compress(raw.span, into: &output)
    }

    private mutating func flush() throws(LogDBError) {
        do throws(FileError) { try file.writeFully(output.span, at: flushed) } catch { throw LogDBError(error) }
        flushed += UInt64(output.count)
        output.removeAll()
        output.shrink(to: 2 << 20)
    }

    /// Writes what is left, the index and the trailer, and syncs the file. `lastSequence` is the last number it accounts for.
    mutating func finish(lastSequence: SequenceNumber, firstSequence: SequenceNumber, endPosition: UInt64) throws(LogDBError)
        -> SealedSegmentEntry
    {
        try finishBlock()
        footer.tables = tables.values.sorted { $0.table < $1.table }
        footer.lastSequence = lastSequence
        let digest = footer.append(to: &output, at: offset, identity: header.file.identity, in: header.codec.container)
        try flush()
        do throws(FileError) { try file.sync() } catch { throw LogDBError(error) }
        return SealedSegmentEntry(
            number: header.file.number, identity: header.file.identity, codec: header.codec, order: header.order,
            generation: header.generation, fileLength: flushed, rawLength: UInt64(footer.rawLength),
            records: UInt64(footer.recordCount), firstSequence: firstSequence, lastSequence: lastSequence, endPosition: endPosition,
            digest: digest, holdsCatalog: footer.blocks.contains { $0.holdsCatalog })
    }
}
