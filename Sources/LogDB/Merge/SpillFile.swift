//===--- SpillFile.swift - sorted runs that memory has no room for ----------===//
//
// One unnamed file holds all runs of a merge: it loses its name as soon as it is made, so a crash leaves nothing, and what has been read
// is given back to the disk while the rest is still being read. So runs and the output made from them never take the room twice.
//
// A run is a row of chunks, in order. A chunk:
//
//       0   4   stored length
//       4   4   raw length
//       8   4   records, 0 for a document on its own
//      12   4   CRC-32C of the stored bytes
//      16   8   sequence number of the first record
//      24   8   its time
//      32   …   a block (see Block), or a document, as a bare LZ4 block
//
// The table of a record in a run is its table × 2, plus 1 where its document stands in a chunk of its own before, because it is large; in its
// place there are the chunk's offset and length, 16 bytes. So a merge of many runs holds no large document but the one it is about to deliver.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// A run, written and to be read once.
struct SpillRun {
    var start: UInt64
    var end: UInt64
    var records: Int
    /// The documents of each table.
    var digests: TableDigests
}

final class SpillFile {
    private let file: any File
    private let throttle: Throttle
    fileprivate static let chunkHeaderLength = 32
    /// Raw bytes of a block of a run.
    let blockLength: Int
    private struct Account {
        var end: UInt64 = 0
        var held: UInt64 = 0
        var peak: UInt64 = 0
    }
    /// One thread may write a run while another reads those that it is made of.
    private let account = Monitor(Account())

    var end: UInt64 { account.withLock { $0.end } }
    var writtenBytes: UInt64 { end }
    /// Bytes written and not given back yet, and the most that were at any time.
    var heldBytes: UInt64 { account.withLock { $0.held } }
    var peakBytes: UInt64 { account.withLock { $0.peak } }

    init(_ file: any File, blockLength: Int, throttle: Throttle = Throttle()) {
        self.file = file
        self.blockLength = blockLength
        self.throttle = throttle
    }

    /// Makes a file in `directory` and takes its name off at once.
    static func make(in directory: any Directory, number: UInt64, blockLength: Int, throttle: Throttle) throws(LogDBError) -> SpillFile {
        let name = FileNames.run(number).name
        do throws(FileError) {
            do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { throw error } }
            let file = try directory.create(name)
            do throws(FileError) { try directory.remove(name) } catch {
                try? file.close()
                throw error
            }
            return SpillFile(file, blockLength: blockLength, throttle: throttle)
        } catch { throw LogDBError(error) }
    }

    /// Gives the file back to the disk now, whoever still holds this.
    func close() { try? file.close() }

    fileprivate func append(_ bytes: Span<UInt8>) throws(LogDBError) {
        throttle.pass(bytes.count)
        do throws(FileError) { try file.writeFully(bytes, at: end) } catch { throw LogDBError(error) }
        account.withLock { account in
            account.end += UInt64(bytes.count)
            account.held += UInt64(bytes.count)
            account.peak = max(account.peak, account.held)
        }
    }

    /// Replaces `buffer` by `count` bytes.
    fileprivate func read(at offset: UInt64, count: Int, into buffer: inout ByteBuffer) throws(LogDBError) {
        buffer.removeAll()
        do throws(FileError) {
            try unsafe buffer.appendUninitialized(count) { room throws(FileError) in
                // SAFETY: the bytes that were read are initialised, and no others are counted.
                var bytes = unsafe MutableRawSpan(_unsafeBytes: room)
                return try file.readFully(into: &bytes, at: offset)
            }
        } catch { throw LogDBError(error) }
    }

    fileprivate func giveBack(_ range: Range<UInt64>) {
        guard !range.isEmpty else { return }
        file.deallocate(range)
        account.withLock { $0.held -= UInt64(range.count) }
    }
}

/// A block of a run, full.
private final class Chunk {
    var raw = ByteBuffer(capacity: 4096)
    var records = 0
    var sequence: UInt64 = 0
    var milliseconds: Int64 = 0
}

/// Compresses chunks and writes them.
private final class ChunkOutput {
    let spill: SpillFile
    private var pending = ByteBuffer(capacity: 4096)
    private static let threshold = 128 << 10

    init(_ spill: SpillFile) { self.spill = spill }

    func write(_ chunk: Chunk) throws(LogDBError) {
        try Self.append(chunk.raw, chunk.records, chunk.sequence, chunk.milliseconds, to: &pending)
        if pending.count >= Self.threshold { try flush() }
    }

    /// Returns where the document stands.
    func write(document: Span<UInt8>) throws(LogDBError) -> Range<UInt64> {
        try flush()
        let start = spill.end
        try Self.append(document, 0, 0, 0, to: &pending)
        try flush()
        return start..<spill.end
    }

    func flush() throws(LogDBError) {
        try Self.write(pending, to: spill)
        pending.removeAll()
        pending.shrink(to: 2 * Self.threshold)
    }

    // A class's buffer can be lent, its span cannot.

    private static func append(
        _ raw: borrowing ByteBuffer, _ records: Int, _ sequence: UInt64, _ milliseconds: Int64, to pending: inout ByteBuffer
    ) throws(LogDBError) { try append(raw.span, records, sequence, milliseconds, to: &pending) }

    private static func append(
        _ raw: Span<UInt8>, _ records: Int, _ sequence: UInt64, _ milliseconds: Int64, to pending: inout ByteBuffer
    ) throws(LogDBError) {
        let start = pending.count
        pending.append(zeros: SpillFile.chunkHeaderLength)
        do throws(FormatError) { try LZ4Block.compress(raw, into: &pending) } catch { throw LogDBError(.codecUnavailable, error.reason) }
        let stored = start + SpillFile.chunkHeaderLength
        let checksum = Checksum.crc32c(pending.span.extracting(stored...))
        pending.patch(u32: UInt32(pending.count - stored), at: start)
        pending.patch(u32: UInt32(raw.count), at: start + 4)
        pending.patch(u32: UInt32(records), at: start + 8)
        pending.patch(u32: checksum, at: start + 12)
        pending.patch(u64: sequence, at: start + 16)
        pending.patch(u64: UInt64(bitPattern: milliseconds), at: start + 24)
    }

    private static func write(_ pending: borrowing ByteBuffer, to spill: SpillFile) throws(LogDBError) {
        if !pending.isEmpty { try spill.append(pending.span) }
    }
}

/// Writes one run.
struct RunWriter: ~Copyable {
    private let output: ChunkOutput
    private let line: WriteBehind<Chunk>
    private var builder: BlockBuilder
    private let blockLength: Int
    private let start: UInt64
    private var records = 0
    private var rawLength = 0
    private var digests = TableDigests()

    /// Uncompressed bytes from which on a thread of its own compresses and writes.
    private static let threadedLength = 1 << 20
    /// Bytes of what stands in a block for a large document.
    private static let referenceLength = 17

    init(_ spill: SpillFile) {
        let output = ChunkOutput(spill)
        self.output = output
        line = WriteBehind((0..<6).map { _ in Chunk() }) { chunk throws(LogDBError) in try output.write(chunk) }
        blockLength = spill.blockLength
        builder = BlockBuilder(targetRawLength: spill.blockLength)
        start = spill.end
    }

    /// Appends the current record of `cursor`, whose keys rise from call to call.
    mutating func append(_ cursor: RecordCursor) throws(LogDBError) {
        try cursor.loadDocument()
        let record = cursor.record
        // Whoever reads the run adds up the bytes as they come back: no need to look at them twice.
        if !record.isDelete {
            digests.add(record.table, term: cursor.term ?? ContentDigest.term(key: record.key, document: record.document))
        }
        records += 1
        let isLarge = record.document.count > blockLength / 2
        let length = record.key.count + (isLarge ? Self.referenceLength : record.document.count)
        rawLength += length
        if builder.isFull(before: length + 30) { try finishBlock() }
        guard isLarge else {
            let plain = Record(table: record.table << 1, key: record.key, isDelete: record.isDelete, document: record.document)
            builder.append(plain, sequence: cursor.sequence, milliseconds: cursor.milliseconds)
            return
        }
        // What waits in the block will stand behind the document, and so will the block that refers to it.
        try line.drain()
        let place = try output.write(document: record.document)
        var reference = ByteBuffer(capacity: Self.referenceLength)
        // As any document may begin.
        reference.append(UInt8(ascii: " "))
        reference.append(u64: place.lowerBound)
        reference.append(u64: UInt64(place.count))
        let large = Record(table: record.table << 1 | 1, key: record.key, isDelete: false, document: reference.span)
        builder.append(large, sequence: cursor.sequence, milliseconds: cursor.milliseconds)
    }

    private mutating func finishBlock() throws(LogDBError) {
        guard !builder.isEmpty else { return }
        if rawLength >= Self.threadedLength { line.begin() }
        let chunk = try line.take()
        chunk.raw.removeAll()
        chunk.raw.shrink(to: 2 * blockLength)
        builder.finish(into: &chunk.raw)
        chunk.records = builder.recordCount
        chunk.sequence = builder.firstSequence
        chunk.milliseconds = builder.firstMilliseconds
        builder.removeAll()
        try line.send(chunk)
    }

    mutating func finish() throws(LogDBError) -> SpillRun {
        try finishBlock()
        try line.drain()
        line.stop()
        try output.flush()
        return SpillRun(start: start, end: output.spill.end, records: records, digests: digests)
    }
}

/// Reads a run once, giving back what it has read.
final class RunCursor: RecordCursor {
    private let spill: SpillFile
    private let run: SpillRun
    private var offset: UInt64
    /// The header of the chunk at `offset`, where it was read together with the chunk before.
    private var header: BlockEntry?
    /// Everything of the run before this has been given back.
    private var givenBack: UInt64
    /// Bytes that are given back together: each time is a call of the system.
    private let giveBackStep: UInt64
    private var packed = ByteBuffer(capacity: 4096)
    private var raw = ByteBuffer(capacity: 4096)
    private var document = ByteBuffer(capacity: 16)
    private var places = BlockPlaces()
    private var next = 0
    private var seen = 0
    private var isReference = false

    init(_ spill: SpillFile, _ run: SpillRun) {
        self.spill = spill
        self.run = run
        offset = run.start
        givenBack = run.start
        giveBackStep = min(256 << 10, (run.end - run.start) / 16)
    }

    override func advance() throws(LogDBError) {
        if next == places.count {
            guard try readBlock() else {
                isAtEnd = true
                return
            }
        }
        // SAFETY: `raw` is not touched before the next block is read, and its memory does not move.
        unsafe raw.withUnsafeBytes { bytes in
            unsafe show(places.places[next], in: bytes)
            // Of many runs each comes to its turn after what others hold has gone through the cache: what is next here is called for now.
            if next + 1 < places.count { unsafe prefetch(places.places[next + 1], in: bytes) }
        }
        isReference = table & 1 == 1
        table >>= 1
        next += 1
        seen += 1
    }

    private func readBlock() throws(LogDBError) -> Bool {
        if offset - givenBack >= giveBackStep || offset == run.end {
            spill.giveBack(givenBack..<offset)
            givenBack = offset
        }
        while offset < run.end {
            let header = try takeHeader()
            let length = UInt64(SpillFile.chunkHeaderLength + header.storedLength)
            if header.recordCount == 0 {
                offset += length
                continue
            }
            try unpack(header, at: offset, into: &raw)
            do throws(FormatError) { try places.read(raw, entry: header) } catch { throw Self.damaged(error) }
            offset += length
            next = 0
            return true
        }
        places.removeAll()
        next = 0
        guard seen == run.records else { throw Self.damaged(FormatError(.corrupted, "\(seen) of \(run.records) records came back")) }
        return false
    }

    private func takeHeader() throws(LogDBError) -> BlockEntry {
        if let header {
            self.header = nil
            return header
        }
        return try chunkHeader(at: offset)
    }

    override func loadDocument() throws(LogDBError) {
        guard isReference else { return }
        isReference = false
        let place: UInt64
        do throws(FormatError) {
            var reader = ByteReader(record.document)
            _ = try reader.u8()
            place = try reader.u64()
        } catch { throw Self.damaged(error) }
        try unpack(try chunkHeader(at: place), at: place, into: &document)
        // SAFETY: `document` is not touched before the next call.
        unsafe document.withUnsafeBytes { unsafe documentBytes = $0 }
    }

    private func chunkHeader(at offset: UInt64) throws(LogDBError) -> BlockEntry {
        try spill.read(at: offset, count: SpillFile.chunkHeaderLength, into: &packed)
        return try Self.header(packed, from: 0, at: offset)
    }

    private static func header(_ bytes: borrowing ByteBuffer, from start: Int, at offset: UInt64) throws(LogDBError) -> BlockEntry {
        do throws(FormatError) {
            var reader = ByteReader(bytes.span.extracting(start...))
            let stored = Int(try reader.u32())
            let rawLength = Int(try reader.u32())
            let count = Int(try reader.u32())
            let checksum = try reader.u32()
            return BlockEntry(
                offset: offset + UInt64(SpillFile.chunkHeaderLength), storedLength: stored, rawLength: rawLength, recordCount: count,
                checksum: checksum, firstSequence: try reader.u64(), firstMilliseconds: Int64(bitPattern: try reader.u64()),
                holdsCatalog: false)
        } catch { throw damaged(error) }
    }

    /// Reads and unpacks the chunk at `offset`; of the run's chunks with records also the header of the one behind it.
    private func unpack(_ block: BlockEntry, at offset: UInt64, into target: inout ByteBuffer) throws(LogDBError) {
        let end = block.offset + UInt64(block.storedLength)
        guard end <= run.end else { throw Self.damaged(FormatError(.corrupted, "the block at byte \(offset) goes beyond its run")) }
        let isFollowed = block.recordCount > 0 && end < run.end
        try spill.read(
            at: block.offset, count: block.storedLength + (isFollowed ? SpillFile.chunkHeaderLength : 0), into: &packed)
        do throws(FormatError) { try Self.unpack(packed, block, into: &target) } catch { throw Self.damaged(error) }
        if isFollowed { header = try Self.header(packed, from: block.storedLength, at: end) }
        packed.shrink(to: 2 * spill.blockLength)
    }

    private static func unpack(
        _ packed: borrowing ByteBuffer, _ block: BlockEntry, into target: inout ByteBuffer
    ) throws(FormatError) {
        guard packed.count >= block.storedLength,
            Checksum.crc32c(packed.span.extracting(..<block.storedLength)) == block.checksum
        else { throw FormatError(.corrupted, "the block at byte \(block.offset) has another checksum") }
        try LZ4Block.decompress(packed.span.extracting(..<block.storedLength), rawLength: block.rawLength, into: &target)
    }

    private static func damaged(_ error: FormatError) -> LogDBError {
        LogDBError(.inputOutput, "what was spilled did not come back as it was written (\(error.reason)): nothing is lost, try again")
    }
}
