//===--- BlockWalk.swift - the blocks of a sealed segment without its index ----===//
//
//      header envelope | block | block | … | index envelope | trailer envelope
//
// From the front, one after the other: each block says where it ends by ending. Where no block begins, or one does not hold, that is a hole up to the
// next place at which something may begin (see MemberSearch) and then does hold.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct BlockWalk: ~Copyable {
    /// An unpacked block; the same memory each time.
    final class Raw {
        var buffer = ByteBuffer(capacity: BlockBuilder.targetRawLength)
    }
    enum Step {
        case block(BlockEntry, Raw)
        /// Nothing of this holds.
        case hole(Range<UInt64>)
        /// Something that stands behind the blocks: the index, or the trailer.
        case envelope(offset: UInt64, length: UInt64)
    }

    private let handle: any File
    private let size: UInt64
    private let container: Container
    private let decoder: any MemberDecoder
    private let raw = Raw()
    private var meter: WorkMeter
    private(set) var position: UInt64
    /// Found behind a hole, to be delivered after it.
    private var found: Step?
    private static let chunkSize = 256 << 10
    private static let searchSize = 64 << 10

    init(_ handle: any File, _ file: SalvageFile, container: Container) {
        self.handle = handle
        size = file.size
        self.container = container
        decoder = container.makeMemberDecoder()
        meter = WorkMeter(fileSize: file.size)
        position = min(UInt64(SegmentHeader.envelopeLength(in: container)), file.size)
    }

    /// The next part of the file; nil at its end.
    mutating func next() throws(LogDBError) -> Step? {
        if let found {
            self.found = nil
            return found
        }
        guard position < size else { return nil }
        let start = position
        if let step = try step(at: start) { return step }
        // Nothing holds here. Try every place at which something may begin.
        var place = start + 1
        while let candidate = try nextStart(from: place), !meter.isExhausted {
            if let step = try step(at: candidate) {
                found = step
                return .hole(start..<candidate)
            }
            // Whatever it cost to unpack was paid there; this is for the search, which begins anew.
            meter.pay(Self.searchSize)
            place = candidate + 1
        }
        position = size
        return .hole(start..<size)
    }

    /// What holds at `offset`, if anything does; the position is then behind it.
    private mutating func step(at offset: UInt64) throws(LogDBError) -> Step? {
        switch try memberStart(at: offset) {
        case nil: return nil
        case .envelope(let length, let contentLength):
            return try envelope(at: offset, length: UInt64(length), contentLength: contentLength)
        case .block:
            guard let stored = try unpack(at: offset) else { return nil }
            let entry: BlockEntry
            do throws(FormatError) { entry = try Self.count(raw.buffer, at: offset, storedLength: stored) } catch { return nil }
            position = offset + UInt64(stored)
            return .block(entry, raw)
        }
    }

    private static func count(_ raw: borrowing ByteBuffer, at offset: UInt64, storedLength: Int) throws(FormatError) -> BlockEntry {
        try BlockEntry(counting: raw.span, at: offset, storedLength: storedLength, firstSequence: 1)
    }

    /// Unpacks the member at `offset`. Returns how many bytes it takes; nil if it does not hold.
    private mutating func unpack(at offset: UInt64) throws(LogDBError) -> Int? {
        raw.buffer.removeAll()
        raw.buffer.shrink(to: 2 * BlockBuilder.targetRawLength)
        var stored = 0
        do throws(FormatError) {
            try decoder.begin()
            while true {
                let input: [UInt8]
                do throws(LogDBError) { input = try read(at: offset + UInt64(stored), count: Self.chunkSize) } catch {
                    throw FormatError(.corrupted, error.message)
                }
                guard !input.isEmpty else { throw FormatError(.corrupted, "it ends too early") }
                let (taken, hasEnded) = try decoder.feed(input.span, into: &raw.buffer)
                stored += taken
                if hasEnded { return stored }
                guard taken == input.count else { throw FormatError(.corrupted, "it does not go on") }
            }
        } catch {
            meter.pay(max(stored, raw.buffer.count))
            return nil
        }
    }

    private func memberStart(at offset: UInt64) throws(LogDBError) -> MemberStart? {
        let bytes = try read(at: offset, count: Container.memberStartLength)
        return container.memberStart(bytes.span)
    }

    /// The index's envelope, whole within the file: nothing but the trailer, or what is left of it, stands behind it. Or the trailer's own.
    private mutating func envelope(at offset: UInt64, length: UInt64, contentLength: Int) throws(LogDBError) -> Step? {
        guard length <= size - offset else { return nil }
        var end = offset + length
        // In gzip files long content goes on in further members.
        var part = contentLength
        while container == .gzip, part == 65_024, end < size {
            guard case .envelope(let length, let content) = try memberStart(at: end), UInt64(length) <= size - end else { break }
            end += UInt64(length)
            part = content
        }
        guard size - end <= UInt64(SegmentTrailer.envelopeLength(in: container)) else { return nil }
        position = end
        return .envelope(offset: offset, length: end - offset)
    }

    private func nextStart(from offset: UInt64) throws(LogDBError) -> UInt64? {
        var position = offset
        while position < size {
            let chunk = try read(at: position, count: Self.searchSize)
            if let found = container.nextMemberStart(in: chunk.span, from: 0) { return position + UInt64(found) }
            guard chunk.count == Self.searchSize else { return nil }
            // A beginning may straddle two chunks.
            position += UInt64(chunk.count - Container.memberStartLength + 1)
        }
        return nil
    }

    private func read(at offset: UInt64, count: Int) throws(LogDBError) -> [UInt8] {
        try mapped { () throws(FileError) in try handle.read(at: offset, count: count) }
    }
}
