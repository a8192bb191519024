//===--- LZ4Codec.swift - blocks as LZ4 frames -----------------------------===//
//
// One block, one frame of the LZ4 Frame Format 1.6.x: independent blocks, content size and content checksum present. The
// library's context is kept between blocks; making one costs more than a small block.
//===-----------------------------------------------------------------------===//

import CLZ4

final class LZ4Compressor: BlockCompressor {
    private let level: Int

    /// `level` 0 is the fast compressor, 3 ... 12 are HC.
    init(level: Int) { self.level = level }

    func compress(_ raw: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError) {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.contentSize = UInt64(raw.count)
        preferences.frameInfo.blockSizeID = raw.count <= 256 << 10 ? LZ4F_max256KB : LZ4F_max4MB
        preferences.compressionLevel = CInt(level)
        let bound = unsafe LZ4F_compressFrameBound(raw.count, &preferences)
        try unsafe output.appendUninitialized(bound) { room throws(FormatError) in
            // SAFETY: room holds `bound` bytes, which is what the library asks for.
            let result = unsafe raw.withUnsafeBufferPointer { source in
                unsafe LZ4F_compressFrame(room.baseAddress, room.count, source.baseAddress, source.count, &preferences)
            }
            guard LZ4F_isError(result) == 0 else { throw FormatError(.corrupted, "LZ4 could not compress a block") }
            return result
        }
    }
}

@safe
final class LZ4Decompressor: BlockDecompressor {
    private var context: OpaquePointer?

    deinit { unsafe LZ4F_freeDecompressionContext(context) }

    func decompress(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError) {
        guard rawLength <= Container.lz4.maximumRawLength(storedLength: stored.count) else {
            throw FormatError(.corrupted, "a block of \(stored.count) bytes cannot unpack to \(rawLength)")
        }
        if unsafe context == nil {
            guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
                throw FormatError(.codecUnavailable, "LZ4 could not make a decompression context")
            }
        }
        output.removeAll()
        do throws(FormatError) {
            try unpack(stored, rawLength, into: &output)
            unsafe LZ4F_resetDecompressionContext(context)
        } catch {
            // A context that has met damage is not used again: 1.9.4 remembers what was left of the broken frame, reset or not, and may hold
            // it against the next one.
            unsafe LZ4F_freeDecompressionContext(context)
            unsafe context = nil
            throw error
        }
    }

    func decompressProven(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError) {
        output.removeAll()
        guard rawLength <= Container.lz4.maximumRawLength(storedLength: stored.count), try unpackDirectly(stored, rawLength, into: &output)
        else { return try decompress(stored, rawLength: rawLength, into: &output) }
    }

    /// Unpacks a frame as our own compressor writes it, without the library's frame layer, which copies every block once more where the room ends
    /// before 4 MiB do, and sums up what came out although what went in is proven. false, with an empty output, where the frame is
    /// of another make or does not hold.
    private func unpackDirectly(_ stored: Span<UInt8>, _ rawLength: Int, into output: inout ByteBuffer) throws(FormatError) -> Bool {
        var reader = ByteReader(stored)
        // Version 1, independent blocks, no checksums of blocks, size and checksum of the content; no dictionary.
        guard stored.count >= 19, try reader.u32() == 0x184D_2204, try reader.u8() == 0b0110_1100 else { return false }
        let blockLimit: Int
        switch try reader.u8() {
        // The library takes the smallest that holds the content, whatever was asked for.
        case 0x40: blockLimit = 64 << 10
        case 0x50: blockLimit = 256 << 10
        case 0x60: blockLimit = 1 << 20
        case 0x70: blockLimit = 4 << 20
        default: return false
        }
        guard try reader.u64() == UInt64(rawLength) else { return false }
        // The header's own checksum.
        _ = try reader.u8()
        output.reserve(rawLength)
        var left = rawLength
        while true {
            guard reader.remaining >= 4 else { break }
            let word = try reader.u32()
            if word == 0 {
                // Behind the end stands the content's checksum, and nothing else.
                guard left == 0, reader.remaining == 4 else { break }
                return true
            }
            let length = Int(word & 0x7FFF_FFFF)
            let room = min(left, blockLimit)
            guard length <= reader.remaining, room > 0 else { break }
            let block = try reader.take(length)
            if word >> 31 == 1 {
                guard length <= room else { break }
                output.append(block)
                left -= length
                continue
            }
            var made = 0
            unsafe output.appendUninitialized(room) { target in
                // SAFETY: the library reads `length` bytes and writes `room` at most.
                made = unsafe block.withUnsafeBytes { source in
                    let from = unsafe source.baseAddress!.assumingMemoryBound(to: CChar.self)
                    let to = unsafe target.baseAddress!.assumingMemoryBound(to: CChar.self)
                    return unsafe Int(LZ4_decompress_safe(from, to, CInt(length), CInt(room)))
                }
                return max(0, made)
            }
            guard made > 0 else { break }
            left -= made
        }
        output.removeAll()
        return false
    }

    private func unpack(_ stored: Span<UInt8>, _ rawLength: Int, into output: inout ByteBuffer) throws(FormatError) {
        // One byte of room beyond: a frame that holds more than it should is then noticed rather than cut.
        try unsafe output.appendUninitialized(rawLength + 1) { room throws(FormatError) in
            var written = 0
            var taken = 0
            var hint = 1
            while hint != 0 {
                var sourceSize = stored.count - taken
                var roomSize = room.count - written
                // SAFETY: both pointers advance by what the library said it used, within their buffers.
                hint = unsafe stored.withUnsafeBufferPointer { source in
                    unsafe LZ4F_decompress(
                        context, room.baseAddress! + written, &roomSize, source.baseAddress.map { unsafe $0 + taken }, &sourceSize, nil)
                }
                guard LZ4F_isError(hint) == 0 else {
                    throw FormatError(.corrupted, "a block's LZ4 frame is damaged: \(unsafe String(cString: LZ4F_getErrorName(hint)))")
                }
                written += roomSize
                taken += sourceSize
                if sourceSize == 0 && roomSize == 0 && hint != 0 { throw FormatError(.corrupted, "a block's LZ4 frame ends too early") }
            }
            guard taken == stored.count, written == rawLength else {
                throw FormatError(.corrupted, "a block unpacks to \(written) bytes of the \(rawLength) its index names")
            }
            return written
        }
    }
}
