//===--- RawRun.swift - a part of a raw segment that can be read by itself --===//
//
// Frames can only be walked forwards: where one begins is known from the one before it. But whoever opens a database walks all of them, and leaves
// a waypoint every mebibyte: an offset at which a frame begins. Between two of them lies a run of whole frames that is read, and proven,
// by itself: the last one first, and several at once.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// Offsets at which frames of one raw segment begin, about as far from each other as a block is long.
final class Waypoints: Sendable {
    static let distance: UInt64 = 1 << 20

    private let offsets = Monitor<[UInt64]>([])

    /// Notes that a frame begins at `offset`: one that was proven, in a part of the log that stays.
    func note(_ offset: UInt64) {
        offsets.withLock { offsets in
            if offset >= (offsets.last ?? RawSegment.frameOrigin) + Self.distance { offsets.append(offset) }
        }
    }

    /// Whether everything up to `end` has been walked.
    func reach(_ end: UInt64) -> Bool { offsets.withLock { $0.last ?? 0 >= end } }

    func before(_ end: UInt64) -> [UInt64] { offsets.withLock { $0.filter { $0 < end } } }
}

extension RawSegment {
    /// The frames before `end` in runs, in order. What nobody has walked yet is walked for it.
    func runs(until end: UInt64) throws(LogDBError) -> [Range<UInt64>] {
        var starts = [Self.frameOrigin] + waypoints.before(end)
        if !waypoints.reach(end), end - min(end, starts[starts.count - 1]) > 2 * Waypoints.distance {
            var scanner = FrameScanner(file, seed: seed, from: starts[starts.count - 1], limit: end)
            var next = scanner.offset
            while scanner.offset < end {
                _ = try nextFrame(&scanner)
                guard scanner.frameOffset >= next else { continue }
                waypoints.note(scanner.frameOffset)
                next = scanner.frameOffset + Waypoints.distance / 8
            }
            // What comes will begin here: a long last frame is not walked again.
            waypoints.note(end)
            starts = [Self.frameOrigin] + waypoints.before(end)
        }
        return starts.indices.compactMap { index in
            let stop = index + 1 < starts.count ? starts[index + 1] : end
            return starts[index] < stop ? starts[index]..<stop : nil
        }
    }
}

struct RawRun {
    let segment: RawSegment
    let range: Range<UInt64>
    let fates: Fates

    /// Reads the run and proves its frames, and notes the operations among them that count.
    func read(into raw: inout ByteBuffer, _ records: inout LoadRecords) throws(LogDBError) {
        raw.removeAll()
        records.removeAll()
        let wanted = Int(range.upperBound - range.lowerBound)
        try mapped { () throws(FileError) in
            try unsafe raw.appendUninitialized(wanted) { room throws(FileError) in
                var bytes = unsafe MutableRawSpan(_unsafeBytes: room)
                return try segment.file.readFully(into: &bytes, at: range.lowerBound)
            }
        }
        try parse(raw, into: &records)
    }

    private func parse(_ raw: borrowing ByteBuffer, into records: inout LoadRecords) throws(LogDBError) {
        let bytes = raw.span
        let count = Int(range.upperBound - range.lowerBound)
        var position = 0
        while position < count {
            let place = range.lowerBound + UInt64(position)
            guard bytes.count - position >= FrameHeader.length,
                let header = FrameHeader.decode(bytes.extracting(position..<(position + FrameHeader.length)), seed: segment.seed),
                header.kind != .mark, header.frameLength <= bytes.count - position
            else { throw segment.broken(at: place) }
            let payload = (position + FrameHeader.length)..<(position + header.frameLength)
            guard header.validates(bytes.extracting(payload), seed: segment.seed) else { throw segment.broken(at: place) }
            if header.kind == .operations || header.kind == .transactionOperations {
                let end = payload.lowerBound + header.payloadLength
                do throws(FormatError) {
                    try note(bytes.extracting(payload.lowerBound..<end), from: payload.lowerBound, of: header, into: &records)
                } catch { throw LogDBError(error, in: segment.name, at: place + UInt64(FrameHeader.length)) }
            }
            position += header.frameLength
        }
    }

    @inline(__always)
    private func note(
        _ payload: Span<UInt8>, from start: Int, of header: FrameHeader, into records: inout LoadRecords
    ) throws(FormatError) {
        var reader = ByteReader(payload)
        if header.kind == .transactionOperations, !fates.counts(try reader.varint()) { return }
        while !reader.isAtEnd {
            let record = try reader.record()
            // The record's last bytes are its document, and before its length its key.
            let document = start + reader.position - record.document.count
            let prefix = record.isDelete ? 0 : ByteBuffer.varintLength(UInt64(record.document.count))
            try records.append(record, key: document - prefix - record.key.count, document: document)
        }
    }
}
