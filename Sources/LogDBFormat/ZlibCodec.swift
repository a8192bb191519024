//===--- ZlibCodec.swift - blocks as gzip members --------------------------===//
//
// One block, one member of RFC 1952, with its CRC-32 and length, which inflate proves. Level 0 stores. The library's streams
// are kept between blocks and reset.
//===-----------------------------------------------------------------------===//

import CZlib

/// 15 bits of window, plus 16 for the gzip wrapper.
private let gzipWindowBits: CInt = 15 + 16

@safe
final class ZlibCompressor: BlockCompressor {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init(level: Int) {
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe logdb_deflateInit2(stream, CInt(level), gzipWindowBits) == Z_OK
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    func compress(_ raw: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError) {
        guard isReady, unsafe deflateReset(stream) == Z_OK else {
            throw FormatError(.codecUnavailable, "zlib could not make a compression stream")
        }
        // zlib 1.2.13 is a byte short where fewer than eight are stored (level 0, memory level 9).
        let bound = unsafe Int(deflateBound(stream, uLong(raw.count))) + 8
        try unsafe output.appendUninitialized(bound) { room throws(FormatError) in
            // SAFETY: the stream sees exactly these two buffers, and only during this call.
            let result = unsafe raw.withUnsafeBufferPointer { source in
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = uInt(source.count)
                unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = uInt(room.count)
                return unsafe deflate(stream, Z_FINISH)
            }
            guard result == Z_STREAM_END else { throw FormatError(.corrupted, "zlib could not compress a block (\(result))") }
            return unsafe room.count - Int(stream.pointee.avail_out)
        }
    }
}

@safe
final class ZlibDecompressor: BlockDecompressor {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe logdb_inflateInit2(stream, gzipWindowBits) == Z_OK
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func decompress(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError) {
        guard rawLength <= Container.gzip.maximumRawLength(storedLength: stored.count) else {
            throw FormatError(.corrupted, "a block of \(stored.count) bytes cannot unpack to \(rawLength)")
        }
        guard isReady, unsafe inflateReset(stream) == Z_OK else {
            throw FormatError(.codecUnavailable, "zlib could not make a decompression stream")
        }
        output.removeAll()
        // One byte of room beyond: a member that holds more than it should is then noticed rather than cut.
        try unsafe output.appendUninitialized(rawLength + 1) { room throws(FormatError) in
            // SAFETY: the stream sees exactly these two buffers, and only during this call.
            let result = unsafe stored.withUnsafeBufferPointer { source in
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = uInt(source.count)
                unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = uInt(room.count)
                return unsafe inflate(stream, Z_FINISH)
            }
            let written = unsafe room.count - Int(stream.pointee.avail_out)
            guard result == Z_STREAM_END, unsafe stream.pointee.avail_in == 0, written == rawLength else {
                throw FormatError(
                    .corrupted, "a block's gzip member is damaged: \(written) bytes of the \(rawLength) its index names (zlib \(result))")
            }
            return written
        }
    }
}
