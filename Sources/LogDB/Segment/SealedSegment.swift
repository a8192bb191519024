//===--- SealedSegment.swift - a segment at rest ---------------------------===//
//
// What the manifest says of a sealed file, proven against the file's own header when the database is opened, and against its
// trailer and index when it is read. The file is opened for each reading: a database may have more segments than a process
// may have descriptors.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class SealedSegment: Sendable {
    let entry: SealedSegmentEntry
    let directory: any Directory
    let database: FileHeader.DatabaseIdentity

    var container: Container { entry.codec.container }
    var name: String {
        switch entry.order {
        case .log: FileNames.sealed(entry.number, container).name
        case .key: FileNames.base(entry.number, container).name
        case .version: FileNames.history(entry.number, container).name
        }
    }

    init(_ entry: SealedSegmentEntry, database: FileHeader.DatabaseIdentity, in directory: any Directory) {
        self.entry = entry
        self.database = database
        self.directory = directory
    }

    /// Opens the file and proves its length and header.
    func open() throws(LogDBError) -> (any File, SegmentHeader) {
        let file: any File
        let size: UInt64
        let bytes: [UInt8]
        do throws(FileError) {
            file = try directory.open(name, for: .reading)
            size = try file.size()
            bytes = try file.read(at: 0, count: SegmentHeader.envelopeLength(in: container))
        } catch { throw missing(error, name: name) }
        let least = SegmentHeader.envelopeLength(in: container) + SegmentTrailer.envelopeLength(in: container)
        guard size == entry.fileLength, size >= UInt64(least) else {
            throw LogDBError(
                .corrupted, "the file has \(size) bytes, the manifest knows of \(entry.fileLength)", file: name,
                offset: min(size, entry.fileLength))
        }
        let header: SegmentHeader
        do throws(FormatError) { header = try SegmentHeader(decoding: bytes.span, in: container) } catch {
            throw LogDBError(error, in: name)
        }
        try check(header.file, number: entry.number, identity: entry.identity, database: database, name: name)
        guard header.order == entry.order, header.generation == entry.generation else {
            throw LogDBError(.corrupted, "the segment is of another order or generation than the manifest says", file: name, offset: 0)
        }
        if header.order.isSorted {
            let predecessor = CompactedLog(
                number: header.predecessorNumber, identity: header.predecessorIdentity, lastSequence: header.predecessorLastSequence,
                endPosition: 0, digest: header.predecessorDigest)
            guard predecessor == CompactedLog() else {
                throw LogDBError(.corrupted, "a segment of the base or of history names a predecessor", file: name, offset: 0)
            }
        }
        return (file, header)
    }

    /// Reads and proves the index at the end of `file`.
    func footer(of file: any File) throws(LogDBError) -> SegmentFooter {
        let trailerStart = entry.fileLength - UInt64(SegmentTrailer.envelopeLength(in: container))
        let trailerBytes = try mapped { () throws(FileError) in
            try file.read(at: trailerStart, count: SegmentTrailer.envelopeLength(in: container))
        }
        let trailer: SegmentTrailer
        do throws(FormatError) {
            trailer = try SegmentTrailer(decoding: trailerBytes.span, fileLength: entry.fileLength, in: container)
        } catch { throw LogDBError(error, in: name, at: trailerStart) }
        guard trailer.identity == entry.identity, trailer.digest == entry.digest else {
            throw LogDBError(.corrupted, "the segment's trailer is not the one the manifest knows", file: name, offset: trailerStart)
        }
        let envelope = try mapped { () throws(FileError) in
            try file.read(at: trailer.bodyOffset, count: Envelope.length(of: trailer.bodyLength, in: container))
        }
        do throws(FormatError) {
            var body = ByteBuffer(capacity: trailer.bodyLength)
            try Envelope.unwrap(envelope.span, contentLength: trailer.bodyLength, in: container, into: &body)
            let digest = Checksum.crc32c(body.span, seed: Checksum.seed(identity: entry.identity))
            guard digest == trailer.digest else {
                throw FormatError(.corrupted, "index checksum is \(hexadecimal(digest)), stored \(hexadecimal(trailer.digest))")
            }
            return try SegmentFooter(
                decoding: body.span, firstBlock: UInt64(SegmentHeader.envelopeLength(in: container)), end: trailer.bodyOffset,
                order: entry.order, container: container)
        } catch { throw LogDBError(error, in: name, at: trailer.bodyOffset) }
    }

    /// Reads, proves and unpacks one block into `raw`.
    func unpack(
        _ block: BlockEntry, of file: any File, with decompressor: any BlockDecompressor, into raw: inout ByteBuffer
    ) throws(LogDBError) {
        let stored = try mapped { () throws(FileError) in try file.read(at: block.offset, count: block.storedLength) }
        do throws(FormatError) {
            try prove(stored.span, block)
            try decompressor.decompress(stored.span, rawLength: block.rawLength, into: &raw)
        } catch { throw LogDBError(error, in: name, at: block.offset) }
    }

    /// As above, by way of memory that is used again, `stored`; and content with the checksum of what was stored, where the container has one more of
    /// what comes out of it.
    func unpack(
        _ block: BlockEntry, of file: any File, with decompressor: any BlockDecompressor, by stored: inout ByteBuffer,
        into raw: inout ByteBuffer
    ) throws(LogDBError) {
        // The index is proven, and names no more than the file has.
        stored.removeAll()
        try mapped { () throws(FileError) in
            try unsafe stored.appendUninitialized(block.storedLength) { room throws(FileError) in
                var bytes = unsafe MutableRawSpan(_unsafeBytes: room)
                return try file.readFully(into: &bytes, at: block.offset)
            }
        }
        do throws(FormatError) {
            try prove(stored.span, block)
            try decompressor.decompressProven(stored.span, rawLength: block.rawLength, into: &raw)
        } catch { throw LogDBError(error, in: name, at: block.offset) }
    }

    private func prove(_ stored: Span<UInt8>, _ block: BlockEntry) throws(FormatError) {
        let checksum = Checksum.crc32c(stored)
        guard stored.count == block.storedLength, checksum == block.checksum else {
            throw FormatError(.corrupted, "block checksum is \(hexadecimal(checksum)), stored \(hexadecimal(block.checksum))")
        }
    }

    /// As below. (A class's buffer can be lent, its span cannot.)
    func forEachRecord(
        in raw: borrowing ByteBuffer, of block: BlockEntry, _ body: (Record, SequenceNumber, Int64) throws -> Void
    ) throws { try forEachRecord(in: raw.span, of: block, body) }

    /// Walks the records of an unpacked block.
    func forEachRecord(
        in raw: Span<UInt8>, of block: BlockEntry, _ body: (Record, SequenceNumber, Int64) throws -> Void
    ) throws {
        do {
            var reader = try BlockReader(raw, entry: block)
            while try reader.hasNext() {
                let record = try reader.next()
                try body(record, reader.sequence, reader.milliseconds)
            }
        } catch let error as FormatError {
            throw LogDBError(error, in: name, at: block.offset)
        }
    }
}
