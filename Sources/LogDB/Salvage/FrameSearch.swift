//===--- FrameSearch.swift - the next frame that holds ----------------------===//
//
// Behind a place where no frame holds, frames may hold again: at any multiple of eight. A header proves itself with 36 bytes, and only then is its payload
// read. Marks are not stopped at, but what they claim is noted, for claims decide whether the bad place is damage at all (see Recovery).
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

enum FrameSearch {
    struct Result {
        /// Where the first frame that holds begins; nil if none does.
        var offset: UInt64?
        /// The greatest log position that any frame or mark behind the start claims to be synced.
        var claim: UInt64 = 0
        /// Bytes up to the last that was written, from the start of the file: see Aftermath.
        var writtenEnd: UInt64 = 0
    }

    /// Looks from `offset` on.
    ///
    /// - Parameter claimsBeyond: with nil it stops at the first frame; else it goes on until something claims more than this.
    static func next(
        _ file: any File, seed: UInt32, isRecycled: Bool = false, from offset: UInt64, limit: UInt64, claimsBeyond: UInt64? = nil,
        _ meter: inout WorkMeter
    ) throws(FileError) -> Result {
        var result = Result()
        var position = (offset + 7) & ~7
        // Most searches end soon.
        var chunkSize = 64 << 10
        while position < limit, !meter.isExhausted {
            let chunk = try file.read(at: position, count: Int(clamping: min(UInt64(chunkSize), limit - position)))
            guard !chunk.isEmpty else { break }
            guard let last = lastNonZero(chunk.span) else {
                // Zeros: a header could at most begin in the last of them, and begins with a checksum.
                guard chunk.count == chunkSize else { break }
                position += UInt64(chunk.count - FrameHeader.length + 8) & ~7
                chunkSize = 1 << 20
                continue
            }
            if !isRecycled { result.writtenEnd = position + UInt64(last) + 1 }
            var index = 0
            while index + FrameHeader.length <= chunk.count, !meter.isExhausted {
                guard let header = FrameHeader.decode(chunk.span.extracting(index..<(index + FrameHeader.length)), seed: seed) else {
                    index += 8
                    continue
                }
                let start = position + UInt64(index)
                guard UInt64(header.frameLength) <= limit - start else {
                    index += 8
                    continue
                }
                let holds: Bool
                if index + header.frameLength <= chunk.count {
                    holds = header.validates(
                        chunk.span.extracting((index + FrameHeader.length)..<(index + header.frameLength)), seed: seed)
                } else {
                    let payload = try file.read(
                        at: start + UInt64(FrameHeader.length), count: header.frameLength - FrameHeader.length)
                    holds = header.validates(payload.span, seed: seed)
                }
                guard holds else {
                    if isRecycled { result.writtenEnd = max(result.writtenEnd, start + UInt64(header.frameLength)) }
                    meter.pay(header.frameLength)
                    index += 8
                    continue
                }
                result.claim = max(result.claim, header.durableEnd)
                result.writtenEnd = max(result.writtenEnd, start + UInt64(header.frameLength))
                if header.kind != .mark, result.offset == nil { result.offset = start }
                if result.offset != nil, claimsBeyond.map({ result.claim > $0 }) ?? true { return result }
                index += header.frameLength
            }
            guard position + UInt64(chunk.count) < limit, chunk.count == chunkSize else { break }
            // A header may straddle two chunks: the next one begins at the first place not looked at.
            position += UInt64(index)
            chunkSize = 1 << 20
        }
        return result
    }
}
