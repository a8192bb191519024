//===--- LZ4Block.swift - bare LZ4 blocks -----------------------------------===//
//
// Without the frame around them: for bytes that never leave the process that wrote them, and that have a checksum already. A frame would take
// another checksum of every byte, and its context.
//===-----------------------------------------------------------------------===//

import CLZ4

package enum LZ4Block {
    /// Appends the compressed form of `raw`, 0x7E000000 bytes at most.
    package static func compress(_ raw: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError) {
        let bound = Int(LZ4_compressBound(CInt(raw.count)))
        try unsafe output.appendUninitialized(bound) { room throws(FormatError) in
            // SAFETY: room holds `bound` bytes, which is enough for whatever the bytes are.
            let written = unsafe raw.withUnsafeBytes { source in
                unsafe LZ4_compress_default(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self), room.baseAddress?.assumingMemoryBound(to: CChar.self),
                    CInt(source.count), CInt(room.count))
            }
            guard written > 0 else { throw FormatError(.corrupted, "LZ4 could not compress a block") }
            return Int(written)
        }
    }

    /// Replaces `output` by what `stored` unpacks to, which must be `rawLength` bytes.
    package static func decompress(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError) {
        guard rawLength <= Container.lz4.maximumRawLength(storedLength: stored.count) else {
            throw FormatError(.corrupted, "a block of \(stored.count) bytes cannot unpack to \(rawLength)")
        }
        output.removeAll()
        // One byte of room beyond, as the library reads no empty room.
        try unsafe output.appendUninitialized(rawLength + 1) { room throws(FormatError) in
            // SAFETY: the library writes no more than `rawLength` bytes, whatever the stored ones are.
            let written = unsafe stored.withUnsafeBytes { source in
                unsafe LZ4_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self), room.baseAddress?.assumingMemoryBound(to: CChar.self),
                    CInt(source.count), CInt(rawLength))
            }
            guard Int(written) == rawLength else { throw FormatError(.corrupted, "a block does not unpack to \(rawLength) bytes") }
            return rawLength
        }
    }
}
