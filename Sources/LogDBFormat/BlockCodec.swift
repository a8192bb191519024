//===--- BlockCodec.swift - a block, compressed so that strangers can read it ----===//
//
// A block becomes one complete LZ4 frame or one complete gzip member. A file of them is what the stock tools call a file:
//
//      container   codec                      one block is                                         file ends in
//      lz4         lz4, lz4HC                 LZ4 frame: content size, content checksum,           .lz4
//                                             independent blocks
//      gzip        zlib, none                 RFC 1952 member (none: stored deflate blocks)        .gz
//
// Decoding never trusts a declared size: the caller names the exact length, both codecs have a known greatest expansion, and
// input that holds more or less than that, or is followed by anything, is an error.
//===-----------------------------------------------------------------------===//

package enum Container: UInt8, Sendable, CaseIterable {
    case lz4 = 1
    case gzip = 2

    package var fileExtension: String { self == .lz4 ? "lz4" : "gz" }

    /// The most bytes `storedLength` bytes can unpack to: 255 for one in LZ4, 1032 for one in deflate; and never more than a block can hold.
    package func maximumRawLength(storedLength: Int) -> Int {
        let ratio = self == .lz4 ? 255 : 1032
        return storedLength > BlockBuilder.maximumRawLength / ratio ? BlockBuilder.maximumRawLength : storedLength * ratio
    }
}

package enum BlockCodec: Hashable, Sendable {
    case none
    case lz4
    case lz4HC(level: Int)
    case zlib(level: Int)

    package var container: Container {
        switch self {
        case .lz4, .lz4HC: .lz4
        case .none, .zlib: .gzip
        }
    }

    /// The two bytes that name the codec in a segment header. Readers need only the container; this is for people.
    package var code: (method: UInt8, level: UInt8) {
        switch self {
        case .none: (0, 0)
        case .lz4: (1, 0)
        case .lz4HC(let level): (2, UInt8(level))
        case .zlib(let level): (3, UInt8(level))
        }
    }

    package init(method: UInt8, level: UInt8) throws(FormatError) {
        // One codec, one spelling.
        guard method > 1 || level == 0 else { throw FormatError(.corrupted, "codec \(method) has no levels, and here level \(level)") }
        switch method {
        case 0: self = .none
        case 1: self = .lz4
        case 2: self = .lz4HC(level: Int(level))
        case 3: self = .zlib(level: Int(level))
        default: throw FormatError(.codecUnavailable, "the segment is compressed with codec \(method), unknown to this library")
        }
    }

    package var name: String {
        switch self {
        case .none: "none"
        case .lz4: "lz4"
        case .lz4HC(let level): "lz4hc:\(level)"
        case .zlib(let level): "zlib:\(level)"
        }
    }

    /// Makes the compressor of this codec; it is for one thread.
    package func makeCompressor() -> any BlockCompressor {
        switch self {
        case .none: ZlibCompressor(level: 0)
        case .zlib(let level): ZlibCompressor(level: level)
        case .lz4: LZ4Compressor(level: 0)
        case .lz4HC(let level): LZ4Compressor(level: level)
        }
    }
}

extension Container {
    /// Makes the decompressor of this container; it is for one thread.
    package func makeDecompressor() -> any BlockDecompressor {
        self == .lz4 ? LZ4Decompressor() : ZlibDecompressor()
    }
}

package protocol BlockCompressor: AnyObject {
    /// Appends `raw`, compressed, to `output`.
    func compress(_ raw: Span<UInt8>, into output: inout ByteBuffer) throws(FormatError)
}

package protocol BlockDecompressor: AnyObject {
    /// Replaces `output`'s contents by the `rawLength` bytes that `stored` must unpack to.
    func decompress(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError)

    /// The same for bytes whose checksum was verified: may leave out the container's own checksum of what comes out.
    func decompressProven(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError)
}

extension BlockDecompressor {
    package func decompressProven(_ stored: Span<UInt8>, rawLength: Int, into output: inout ByteBuffer) throws(FormatError) {
        try decompress(stored, rawLength: rawLength, into: &output)
    }
}
