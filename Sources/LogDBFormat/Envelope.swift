//===--- Envelope.swift - our bytes where the stock tools do not look ------===//
//
// A sealed segment's header, index and trailer travel inside what each container's readers are bound to skip:
//
//      lz4    skippable frame    5D 2A 4D 18 · length u32 · content
//      gzip   empty members      1F 8B 08 04 00 00 00 00 00 FF · xlen u16 · 'L' 'D' · length u16 · content · 03 00 · eight zeros
//                                content longer than 65,024 bytes goes on in the next member
//
// The wrapping has one spelling for each content, so a reader wraps again and compares: not a byte of it is unproven.
//===-----------------------------------------------------------------------===//

package enum Envelope {
    static let gzipChunk = 65_024
    private static let gzipHead: [UInt8] = [0x1F, 0x8B, 0x08, 0x04, 0, 0, 0, 0, 0, 0xFF]
    private static let gzipTail: [UInt8] = [0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]

    /// Bytes the envelope of `contentLength` bytes takes.
    package static func length(of contentLength: Int, in container: Container) -> Int {
        switch container {
        case .lz4: 8 + contentLength
        case .gzip: contentLength + max(1, (contentLength + gzipChunk - 1) / gzipChunk) * 26
        }
    }

    /// Where in the envelope the first byte of its content stands.
    package static func contentOffset(in container: Container) -> Int { container == .lz4 ? 8 : 16 }

    package static func wrap(_ content: Span<UInt8>, in container: Container, into buffer: inout ByteBuffer) {
        switch container {
        case .lz4:
            buffer.append(u32: 0x184D_2A5D)
            buffer.append(u32: UInt32(content.count))
            buffer.append(content)
        case .gzip:
            var start = 0
            repeat {
                let chunk = content.extracting(start..<min(start + gzipChunk, content.count))
                buffer.append(gzipHead)
                buffer.append(u16: UInt16(chunk.count + 4))
                buffer.append(0x4C)
                buffer.append(0x44)
                buffer.append(u16: UInt16(chunk.count))
                buffer.append(chunk)
                buffer.append(gzipTail)
                start += chunk.count
            } while start < content.count
        }
    }

    /// Appends to `content` the `length` bytes wrapped in `envelope`, which must be exactly their envelope.
    package static func unwrap(
        _ envelope: Span<UInt8>, contentLength: Int, in container: Container, into content: inout ByteBuffer
    ) throws(FormatError) {
        guard envelope.count == length(of: contentLength, in: container) else {
            throw FormatError(.corrupted, "\(envelope.count) bytes do not wrap \(contentLength)")
        }
        let start = content.count
        switch container {
        case .lz4:
            content.append(envelope.extracting(8...))
        case .gzip:
            var position = 0
            while position < envelope.count {
                let chunk = min(gzipChunk, contentLength - (content.count - start))
                content.append(envelope.extracting((position + 16)..<(position + 16 + chunk)))
                position += chunk + 26
            }
        }
        var again = ByteBuffer(capacity: envelope.count)
        wrap(content.span.extracting(start...), in: container, into: &again)
        for index in 0..<envelope.count where envelope[index] != again.span[index] {
            throw FormatError(.corrupted, "the wrapping of the segment's index is damaged", at: index)
        }
    }
}
