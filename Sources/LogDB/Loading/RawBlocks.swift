//===--- RawBlocks.swift - a raw segment, newest part first -----------------===//
//
// Frames can only be walked forwards: where one begins is known from the one before it. So the segment is read once from front to back, in runs of
// whole frames of about 1 MiB, each of which is proven; those read last stay in memory as far as the budget goes, and of the others it is
// remembered where they begin. Then the runs are handed over from the last to the first, and what was let go of is read again.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// A run of frames: their bytes as they are in the file, and the operations among them that count.
final class RawBlock {
    var raw = ByteBuffer()
    var records: LoadRecords

    init(_ view: LoadView) { records = LoadRecords(view) }
}

final class RawBlocks {
    private let segment: RawSegment
    private let end: UInt64
    private let fates: Fates
    private let view: LoadView
    private let budget: Int
    /// Where each run begins; those to come.
    private var starts: [UInt64] = []
    /// The last runs, newest first to go.
    private var kept: ArraySlice<RawBlock> = []
    private var spare: [RawBlock] = []

    static let targetLength = 1 << 20

    /// The frames of `segment` before `end`.
    init(_ segment: RawSegment, until end: UInt64, _ fates: Fates, view: LoadView, budget: Int) throws(LogDBError) {
        self.segment = segment
        self.end = end
        self.fates = fates
        self.view = view
        self.budget = budget
        try readForwards()
    }

    private func readForwards() throws(LogDBError) {
        var offset = RawSegment.frameOrigin
        var bytes = 0
        while offset < end {
            let block = spare.popLast() ?? RawBlock(view)
            starts.append(offset)
            offset = try read(at: offset, into: block)
            kept.append(block)
            bytes += block.raw.count
            while bytes > budget, kept.count > 1 {
                let oldest = kept.removeFirst()
                bytes -= oldest.raw.count
                letGo(of: oldest)
            }
        }
    }

    private func letGo(of block: RawBlock) {
        block.raw.removeAll()
        block.raw.shrink(to: 2 * Self.targetLength)
        if spare.isEmpty { spare.append(block) }
    }

    /// The next run, which is older than those before; nil at the end.
    func next() throws(LogDBError) -> RawBlock? {
        guard let start = starts.popLast() else { return nil }
        if let block = kept.popLast() { return block }
        let block = spare.popLast() ?? RawBlock(view)
        _ = try read(at: start, into: block)
        return block
    }

    /// Takes back a run that is done with.
    func giveBack(_ block: RawBlock) { letGo(of: block) }

    /// Reads and proves whole frames from `offset` on, about `targetLength` bytes of them. Returns where the next run begins.
    private func read(at offset: UInt64, into block: RawBlock) throws(LogDBError) -> UInt64 {
        block.records.removeAll()
        var length = Self.targetLength
        while true {
            let wanted = Int(clamping: min(UInt64(length), end - offset))
            block.raw.removeAll()
            let file = segment.file
            try mapped { () throws(FileError) in
                try unsafe block.raw.appendUninitialized(wanted) { room throws(FileError) in
                    var bytes = unsafe MutableRawSpan(_unsafeBytes: room)
                    return try file.readFully(into: &bytes, at: offset)
                }
            }
            let (taken, needed) = try parse(block.raw, at: offset, isCut: block.raw.count < wanted, into: &block.records)
            if taken > 0 { return offset + UInt64(taken) }
            length = needed
        }
    }

    /// Notes the operations of the whole frames in `raw`, behind which the file ends if it `isCut`. Returns how many bytes those are; where not even the
    /// first one is whole, what it needs.
    private func parse(
        _ raw: borrowing ByteBuffer, at offset: UInt64, isCut: Bool, into records: inout LoadRecords
    ) throws(LogDBError) -> (taken: Int, needed: Int) {
        let bytes = raw.span
        var position = 0
        while position < bytes.count {
            let place = offset + UInt64(position)
            let left = bytes.count - position
            // The rest of a header may stand in the next run.
            if left < FrameHeader.length, position > 0, !isCut, place + UInt64(left) < end { return (position, 0) }
            guard left >= FrameHeader.length,
                let header = FrameHeader.decode(
                    bytes.extracting(position..<(position + FrameHeader.length)), seed: segment.seed),
                header.kind != .mark, UInt64(header.frameLength) <= end - place
            else { throw broken(at: place) }
            if header.frameLength > left {
                if isCut { throw broken(at: place) }
                return (position, header.frameLength)
            }
            let payload = (position + FrameHeader.length)..<(position + header.frameLength)
            guard header.validates(bytes.extracting(payload), seed: segment.seed) else { throw broken(at: place) }
            if header.kind == .operations || header.kind == .transactionOperations {
                let end = payload.lowerBound + header.payloadLength
                do throws(FormatError) {
                    try note(bytes.extracting(payload.lowerBound..<end), from: payload.lowerBound, of: header, into: &records)
                } catch { throw LogDBError(error, in: segment.name, at: place + UInt64(FrameHeader.length)) }
            }
            position += header.frameLength
        }
        guard position > 0 else { throw broken(at: offset) }
        return (position, 0)
    }

    @inline(__always)
    private func note(
        _ payload: Span<UInt8>, from start: Int, of header: FrameHeader, into records: inout LoadRecords
    ) throws(FormatError) {
        var reader = ByteReader(payload)
        var counts = true
        if header.kind == .transactionOperations { counts = fates.counts(try reader.varint()) }
        while !reader.isAtEnd {
            let record = try reader.record()
            guard counts else { continue }
            // The record's last bytes are its document, and before its length its key.
            let document = start + reader.position - record.document.count
            let prefix = record.isDelete ? 0 : ByteBuffer.varintLength(UInt64(record.document.count))
            try records.append(record, key: document - prefix - record.key.count, document: document)
        }
    }

    private func broken(at offset: UInt64) -> LogDBError { segment.broken(at: offset) }
}
