//===--- MemberDecoder.swift - one frame or member of unknown length --------===//
//
// Where a sealed segment's index is lost nobody says how long a block is, stored or unpacked. The container does: an LZ4 frame and a gzip
// member know their own ends, and carry a checksum of what they unpack to. This takes the file piece by piece and stops at that end.
//
// Only members that prove themselves are taken: an LZ4 frame without a content checksum is refused. (gzip has no such thing.)
//===-----------------------------------------------------------------------===//

import CLZ4
import CZlib

/// Unpacks members, one after the other; for one thread.
package protocol MemberDecoder: AnyObject {
    /// Forgets what was begun.
    func begin() throws(FormatError)
    /// Takes the next bytes of the member, at least one of them where there is one, and appends what they unpack to. Once the member has ended,
    /// its checksum has been verified and the rest of `input` is not of it.
    func feed(_ input: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError) -> (taken: Int, hasEnded: Bool)
}

extension Container {
    package func makeMemberDecoder() -> any MemberDecoder { self == .lz4 ? LZ4MemberDecoder() : GzipMemberDecoder() }
}

/// Room made for output at a time. The buffer grows with what has been unpacked, whatever a header says will come.
private let step = 256 << 10

private func checkLength(_ output: borrowing ByteBuffer) throws(FormatError) {
    guard output.count <= BlockBuilder.maximumRawLength else {
        throw FormatError(.corrupted, "it unpacks to more than any block holds")
    }
}

@safe
private final class LZ4MemberDecoder: MemberDecoder {
    private var context: OpaquePointer?

    deinit { unsafe LZ4F_freeDecompressionContext(context) }

    func begin() throws(FormatError) {
        if unsafe context == nil {
            guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
                throw FormatError(.codecUnavailable, "LZ4 could not make a decompression context")
            }
        }
        unsafe LZ4F_resetDecompressionContext(context)
    }

    func feed(_ input: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError) -> (taken: Int, hasEnded: Bool) {
        var taken = 0
        var hint = 1
        repeat {
            var made = 0
            try unsafe output.appendUninitialized(step) { room throws(FormatError) in
                var sourceSize = input.count - taken
                made = room.count
                // SAFETY: the library reads and writes within the sizes it is given and says how much of them it used.
                hint = unsafe input.withUnsafeBufferPointer { source in
                    unsafe LZ4F_decompress(
                        context, room.baseAddress, &made, source.baseAddress.map { unsafe $0 + taken }, &sourceSize, nil)
                }
                guard LZ4F_isError(hint) == 0 else {
                    throw FormatError(.corrupted, "its LZ4 frame is damaged: \(unsafe String(cString: LZ4F_getErrorName(hint)))")
                }
                taken += sourceSize
                return made
            }
            try checkLength(output)
            // A full room may leave something behind that needs no more input.
            if taken == input.count, made < step { break }
        } while hint != 0
        return (taken, hint == 0)
    }
}

@safe
private final class GzipMemberDecoder: MemberDecoder {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, plus 16 for the gzip wrapper.
        isReady = unsafe logdb_inflateInit2(stream, 15 + 16) == Z_OK
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func begin() throws(FormatError) {
        guard isReady, unsafe inflateReset(stream) == Z_OK else {
            throw FormatError(.codecUnavailable, "zlib could not make a decompression stream")
        }
    }

    func feed(_ input: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError) -> (taken: Int, hasEnded: Bool) {
        var taken = 0
        var result = Z_OK
        repeat {
            var made = 0
            try unsafe output.appendUninitialized(step) { room throws(FormatError) in
                // SAFETY: the stream sees exactly these two buffers, and only during this call.
                result = unsafe input.withUnsafeBufferPointer { source in
                    unsafe stream.pointee.next_in = unsafe source.baseAddress.map { unsafe UnsafeMutablePointer(mutating: $0 + taken) }
                    unsafe stream.pointee.avail_in = uInt(source.count - taken)
                    unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    unsafe stream.pointee.avail_out = uInt(room.count)
                    return unsafe inflate(stream, Z_NO_FLUSH)
                }
                // Nothing to do for want of input is no error.
                guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                    throw FormatError(.corrupted, "its gzip member is damaged (zlib \(result))")
                }
                taken = unsafe input.count - Int(stream.pointee.avail_in)
                made = unsafe room.count - Int(stream.pointee.avail_out)
                return made
            }
            try checkLength(output)
            if taken == input.count, made < step { break }
        } while result != Z_STREAM_END
        return (taken, result == Z_STREAM_END)
    }
}
