//===--- RawSegment.swift - a segment while it is frames -------------------===//
//
// The file, and what its header says. How far it is written and synced changes and therefore lives under the log's lock, not
// here; so one of these can be shared by writer, sealer and readers, and keeps its file readable after it was unlinked.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class RawSegment: Sendable {
    let file: any File
    let header: RawSegmentHeader
    let seed: UInt32
    /// Where one may begin to read it, as far as is known.
    let waypoints: Waypoints

    var number: UInt64 { header.file.number }
    var identity: UInt64 { header.file.identity }
    var name: String { FileNames.raw(number).name }
    static let frameOrigin = UInt64(RawSegmentHeader.frameOrigin)

    init(file: any File, header: RawSegmentHeader, waypoints: Waypoints = Waypoints()) {
        self.file = file
        self.waypoints = waypoints
        self.header = header
        seed = Checksum.seed(identity: header.file.identity)
    }

    /// Opens the file that `entry` lists and proves that it is the one meant.
    static func open(
        _ entry: RawSegmentEntry, database: FileHeader.DatabaseIdentity, in directory: any Directory, for access: FileAccess
    ) throws(LogDBError) -> RawSegment {
        let name = FileNames.raw(entry.number).name
        let file: any File
        let size: UInt64
        let bytes: [UInt8]
        do throws(FileError) {
            file = try directory.open(name, for: access)
            size = try file.size()
            bytes = try file.read(at: 0, count: RawSegmentHeader.length)
        } catch { throw missing(error, name: name) }
        let least = entry.end ?? entry.allocated
        guard size >= least else {
            throw LogDBError(
                .corrupted, "the file has \(size) bytes, the manifest knows of \(least): \(least - size) were cut off", file: name,
                offset: size)
        }
        let header: RawSegmentHeader
        do throws(FormatError) { header = try RawSegmentHeader(decoding: bytes.span) } catch { throw LogDBError(error, in: name) }
        try check(header.file, number: entry.number, identity: entry.identity, database: database, name: name)
        return RawSegment(file: file, header: header)
    }

    /// What lies from `offset` on, where a scan stopped. A segment that goes on in the ring is asked by its own file.
    func aftermath(from offset: UInt64, limit: UInt64) throws(LogDBError) -> Aftermath {
        do throws(FileError) {
            return try Aftermath.search(file, seed: seed, isRecycled: header.isRecycled, from: offset, limit: limit)
        } catch { throw LogDBError(error) }
    }

    /// Walks the operations in the frames before `end` that count, in order. A frame there that does not hold is damage.
    func forEachRecord(
        until end: UInt64, _ fates: Fates, _ body: (Record, SequenceNumber, Int64) throws -> Void
    ) throws {
        var scanner = FrameScanner(file, seed: seed, from: Self.frameOrigin, limit: end)
        while scanner.offset < end {
            let header = try nextFrame(&scanner)
            try forEachRecord(in: scanner.payload, of: header, at: scanner.frameOffset) { transaction, record, sequence in
                if let transaction, !fates.counts(transaction) { return }
                try body(record, sequence, header.milliseconds)
            }
        }
    }

    /// The next frame of a part of the segment that is known to be whole.
    func nextFrame(_ scanner: inout FrameScanner) throws(LogDBError) -> FrameHeader {
        do throws(FileError) {
            if let header = try scanner.next() { return header }
        } catch { throw LogDBError(error) }
        throw broken(at: scanner.offset)
    }

    /// A frame that was acknowledged does not hold. Where the file is another segment's by now, it is not damaged: then whoever reads it has let go of the lock that
    /// kept it, or never had it.
    func broken(at offset: UInt64) -> LogDBError {
        if let bytes = try? file.read(at: 0, count: RawSegmentHeader.length),
            let now = try? RawSegmentHeader(decoding: bytes.span), now.file.identity != identity
        {
            return LogDBError(.closed, "the database was closed while it was read, and \(name) has been overwritten since: open it again")
        }
        return LogDBError(.corrupted, "a frame that was acknowledged does not hold", file: name, offset: offset)
    }

    /// Walks the operations in one frame, each with the number of its transaction where it has one.
    func forEachRecord(
        in payload: Span<UInt8>, of header: FrameHeader, at offset: UInt64, _ body: (UInt64?, Record, SequenceNumber) throws -> Void
    ) throws {
        guard header.kind == .operations || header.kind == .transactionOperations else { return }
        do {
            var reader = ByteReader(payload)
            let transaction = header.kind == .transactionOperations ? try reader.varint() : nil
            var sequence = header.sequence
            while !reader.isAtEnd {
                let record = try reader.record()
                try body(transaction, record, sequence)
                sequence &+= 1
            }
        } catch let error as FormatError {
            throw LogDBError(error, in: name, at: offset + UInt64(FrameHeader.length))
        }
    }
}

/// Proves that a file is the one that the manifest lists under its name.
func check(
    _ header: FileHeader, number: UInt64, identity: UInt64, database: FileHeader.DatabaseIdentity, name: String
) throws(LogDBError) {
    guard header.database == database else {
        throw LogDBError(.corrupted, "the file belongs to another database", file: name, offset: 16)
    }
    guard header.number == number, header.identity == identity else {
        throw LogDBError(
            .corrupted, "the file is not the segment that the manifest lists under this name: it was swapped or restored", file: name,
            offset: 32)
    }
}

/// A file that the manifest lists cannot be opened: if it is missing, that is damage.
func missing(_ error: FileError, name: String) -> LogDBError {
    guard error.code == .notFound else { return LogDBError(error) }
    return LogDBError(.corrupted, "the file is listed in the manifest and missing", file: name)
}

/// Runs a call of the file layer and throws what users see.
@inline(__always)
func mapped<R>(_ body: () throws(FileError) -> R) throws(LogDBError) -> R {
    do throws(FileError) { return try body() } catch { throw LogDBError(error) }
}
