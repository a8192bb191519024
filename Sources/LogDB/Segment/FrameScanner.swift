//===--- FrameScanner.swift - reads frames until one does not hold ---------===//
//
// Shared by raw segments and the manifest. Stops at the first place that is no whole, proven frame and leaves it to the caller
// to say what that means: the end, a tear, or damage. A mark (see FrameHeader.Kind.mark) is such a place too: the next frame
// would have been written over it, so nothing follows. What it claims is kept.
//
// Memory: one chunk, or the frame at hand where that is larger; a length is believed only once its header's checksum holds
// and only as far as the file goes.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct FrameScanner: ~Copyable {
    private let file: any File
    private let seed: UInt32
    /// Nothing at or behind this offset is read.
    let limit: UInt64
    private var chunk = ByteBuffer()
    /// Offset in the file of the chunk's first byte.
    private var chunkStart: UInt64
    private let chunkSize: Int
    /// Where the next frame begins, or the place that stopped the scan.
    private(set) var offset: UInt64
    /// Offset of the frame that `next` returned last.
    private(set) var frameOffset: UInt64
    private var payloadRange = 0..<0
    /// The greatest log position that a frame or mark so far has claimed to be synced.
    private(set) var claim: UInt64 = 0
    /// Whether the scan stopped at a mark rather than at bytes that are no frame.
    private(set) var stoppedAtMark = false

    init(_ file: any File, seed: UInt32, from offset: UInt64, limit: UInt64, chunkSize: Int = 256 << 10) {
        self.file = file
        self.seed = seed
        self.limit = limit
        self.offset = offset
        frameOffset = offset
        chunkStart = offset
        self.chunkSize = chunkSize
    }

    /// The payload of the frame that `next` returned last, without padding.
    var payload: Span<UInt8> {
        @_lifetime(borrow self)
        get { chunk.span.extracting(payloadRange) }
    }

    /// Reads and proves the next frame; nil where there is none.
    mutating func next() throws(FileError) -> FrameHeader? {
        guard try fill(FrameHeader.length) else { return nil }
        var start = Int(offset - chunkStart)
        guard
            let header = FrameHeader.decode(
                chunk.span.extracting(start..<(start + FrameHeader.length)), seed: seed),
            UInt64(header.frameLength) <= limit - offset, try fill(header.frameLength)
        else { return nil }
        start = Int(offset - chunkStart)
        let padded = (start + FrameHeader.length)..<(start + header.frameLength)
        guard header.validates(chunk.span.extracting(padded), seed: seed) else { return nil }
        claim = max(claim, header.durableEnd)
        if header.kind == .mark {
            stoppedAtMark = true
            return nil
        }
        payloadRange = padded.lowerBound..<(padded.lowerBound + header.payloadLength)
        frameOffset = offset
        offset += UInt64(header.frameLength)
        return header
    }

    /// Makes the chunk hold `count` bytes from `offset` on; false where the limit or the file ends before.
    private mutating func fill(_ count: Int) throws(FileError) -> Bool {
        guard limit > offset, UInt64(count) <= limit - offset else { return false }
        if Int(offset - chunkStart) + count <= chunk.count { return true }
        var wanted = min(UInt64(max(count, chunkSize)), limit - offset)
        if wanted > UInt64(chunkSize) {
            let size = try file.size()
            wanted = min(wanted, size - min(size, offset))
        }
        // The same memory each time.
        chunk.removeAll()
        chunk.shrink(to: 2 * chunkSize)
        chunkStart = offset
        let (file, start) = (file, offset)
        try unsafe chunk.appendUninitialized(Int(wanted)) { room throws(FileError) in
            // SAFETY: the bytes that were read are initialised, and no others are counted.
            var bytes = unsafe MutableRawSpan(_unsafeBytes: room)
            return try file.readFully(into: &bytes, at: start)
        }
        return chunk.count >= count
    }
}

extension File {
    /// Writes the bytes from `start` to `end` again, as they are.
    ///
    /// What is read may be in the page cache only, and clean there although it never reached the disk: that is how some systems leave
    /// pages whose write-back failed, and a sync would then succeed without writing them. Written again, they are dirty.
    func rewrite(from start: UInt64, to end: UInt64) throws(FileError) {
        var offset = start
        while offset < end {
            let bytes = try read(at: offset, count: Int(clamping: min(1 << 20, end - offset)))
            if bytes.isEmpty { return }
            try writeFully(bytes, at: offset)
            offset += UInt64(bytes.count)
        }
    }

    /// Takes back what a write of `bytes` that found the disk full may have left at `offset`. On return nothing of it is there, in the page
    /// cache and on the disk: else a frame whose write was reported as failed would count one day, or be taken for the lost end of the log.
    ///
    /// - Returns: whether that could be done.
    func takeBack(_ bytes: Span<UInt8>, at offset: UInt64) -> Bool {
        do throws(FileError) {
            // A write stores from the front. Where not even the first checksum arrived there is nothing to take back, and nothing that a
            // copy-on-write disk, which is full for zeros too, could refuse.
            let first = min(bytes.count, 8)
            let stored = try read(at: offset, count: first)
            guard stored.count == first, (0..<first).allSatisfy({ stored[$0] == bytes[$0] }) else { return true }
            let length = min(UInt64(bytes.count), try size() - offset)
            try writeFully([UInt8](repeating: 0, count: Int(length)), at: offset)
            try sync()
            return true
        } catch { return false }
    }
}

/// What lies behind the place where a scan stopped.
struct Aftermath: Equatable {
    /// The greatest log position that a good frame there claims to be synced.
    var claim: UInt64 = 0
    /// Bytes up to the last one that was written: that is not zero, or, in a recycled file, that belongs to a frame of this segment.
    var writtenBytes: UInt64 = 0

    /// Looks at every multiple of 8 from `offset` to `limit` for frames that hold. Linear in the bytes: a header proves itself, and a
    /// payload is read only behind a proven header, after which the search goes on behind it.
    static func search(
        _ file: any File, seed: UInt32, isRecycled: Bool = false, from offset: UInt64, limit: UInt64
    ) throws(FileError) -> Aftermath {
        var result = Aftermath()
        let chunkSize = 1 << 20
        var position = offset
        while position < limit {
            let chunk = try file.read(at: position, count: Int(clamping: min(UInt64(chunkSize), limit - position)))
            if chunk.isEmpty { break }
            if let last = lastNonZero(chunk.span) {
                if !isRecycled { result.writtenBytes = position + UInt64(last) + 1 - offset }
            } else {
                position += UInt64(chunk.count)
                continue
            }
            var index = 0
            while index + FrameHeader.length <= chunk.count {
                guard let header = FrameHeader.decode(chunk.span.extracting(index..<(index + FrameHeader.length)), seed: seed) else {
                    index += 8
                    continue
                }
                let isWhole: Bool
                if index + header.frameLength <= chunk.count {
                    isWhole = header.validates(
                        chunk.span.extracting((index + FrameHeader.length)..<(index + header.frameLength)), seed: seed)
                } else {
                    let start = position + UInt64(index)
                    let payload = try file.read(
                        at: start + UInt64(FrameHeader.length),
                        count: Int(clamping: min(UInt64(header.frameLength - FrameHeader.length), limit - start)))
                    isWhole = header.validates(payload.span, seed: seed)
                }
                if isWhole { result.claim = max(result.claim, header.durableEnd) }
                if isWhole || isRecycled {
                    let end = min(limit, position + UInt64(index + header.frameLength))
                    result.writtenBytes = max(result.writtenBytes, end - offset)
                }
                index += isWhole ? header.frameLength : 8
            }
            if index > chunk.count {
                // A frame led out of the chunk.
                position += UInt64(index)
            } else if position + UInt64(chunk.count) >= limit || chunk.count < chunkSize {
                break
            } else {
                // A header may straddle two chunks: the next one begins at the first place not looked at.
                position += UInt64(index)
            }
        }
        return result
    }
}
