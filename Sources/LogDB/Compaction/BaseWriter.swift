//===--- BaseWriter.swift - the segments of a new generation ----------------===//
//
// Of the base, or of the history. Records by rising key go in, key-ordered segments of about the segment size (uncompressed) come out, one after the other. A segment is whole,
// synced and named when `finish` returns; the manifest does not know it yet.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class BaseWriter {
    private let log: Log
    private let generation: UInt64
    private let order: SegmentHeader.Order
    private let blockLength: Int
    private let throttle: Throttle
    private var writer: SealedSegmentWriter?
    private var name = ""
    /// The documents in all segments so far.
    private(set) var digests = TableDigests()
    private(set) var writtenBytes: UInt64 = 0
    private(set) var documents: UInt64 = 0

    /// Bytes after which a segment is synced on the way: a sync of the log need not wait for more than these.
    private static let syncStep: UInt64 = 4 << 20

    init(_ log: Log, order: SegmentHeader.Order = .key, generation: UInt64, blockLength: Int, throttle: Throttle) {
        self.log = log
        self.order = order
        self.generation = generation
        self.blockLength = blockLength
        self.throttle = throttle
    }

    var isEmpty: Bool { writer == nil }

    /// Bytes of the segment being written, uncompressed.
    var rawLength: UInt64 { writer?.rawLength ?? 0 }

    /// Whether another record of `length` bytes should go into a segment of its own.
    func isFull(before length: Int) -> Bool { writer != nil && rawLength + UInt64(length) > UInt64(log.options.segmentSizeBytes) }

    /// - Parameter term: what the record adds to the digest.
    func append(_ cursor: RecordCursor, term: UInt64) throws(LogDBError) {
        try append(cursor.record, sequence: cursor.sequence, milliseconds: cursor.milliseconds, term: term)
    }

    func append(_ record: Record, sequence: SequenceNumber, milliseconds: Int64, term: UInt64) throws(LogDBError) {
        if writer == nil { try start() }
        throttle.pass(record.key.count + record.document.count)
        documents += 1
        try writer!.append(record, sequence: sequence, milliseconds: milliseconds, term: term)
    }

    private func start() throws(LogDBError) {
        let codec = log.options.codec.blockCodec
        let number = log.takeBaseNumber()
        name = (order == .key ? FileNames.base(number, codec.container) : .history(number, codec.container)).name
        let header = SegmentHeader(
            file: FileHeader(kind: .sealedSegment, database: log.manifest.database, number: number, identity: .random(in: 1 ... .max)),
            codec: codec, order: order, generation: generation, predecessorNumber: 0, predecessorIdentity: 0, predecessorLastSequence: 0,
            predecessorDigest: 0)
        let file: any File
        do throws(FileError) { file = try log.directory.create(name) } catch { throw LogDBError(error) }
        writer = SealedSegmentWriter(file, header: header, blockLength: blockLength, syncStep: Self.syncStep) { true }
    }

    /// Ends the segment being written. Its contents are on the disk when this returns; its name is once the directory is synced.
    func finish() throws(LogDBError) -> SealedSegmentEntry? {
        guard var writer = writer.take() else { return nil }
        let entry = try writer.finish()
        digests.add(writer.digests)
        writtenBytes += entry.fileLength
        return entry
    }

    /// Removes the segment that is not in the manifest.
    func discard() {
        writer = nil
        if !name.isEmpty { try? log.directory.remove(name) }
        name = ""
    }

    /// The manifest lists the last segment: it is not to be discarded any more.
    func keep() { name = "" }
}
