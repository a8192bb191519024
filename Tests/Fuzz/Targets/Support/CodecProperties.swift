//===--- CodecProperties.swift - what holds for the codecs of both containers ----===//
//
//      input    choice u8 · length u24 · place u16 · flip u8 · bytes
//
//   * bytes as a stored block of the declared length: that many bytes come out, or an error; no more room is taken than was declared.
//   * bytes as contents, with every codec of the container: packed and unpacked they are the same.
//   * the packed block with one byte changed, cut short or with a byte behind it never unpacks to something else of that length unless
//     the change is to one of the few header bits that do not matter; a wrong declared length is an error.
//===-----------------------------------------------------------------------===//

import LogDBFormat

package struct CodecProperties: ~Copyable {
    private let container: Container
    private let codecs: [BlockCodec]
    private let compressors: [any BlockCompressor]
    private let decompressor: any BlockDecompressor
    private var stored = ByteBuffer()
    private var output = ByteBuffer()

    package init(_ container: Container, _ codecs: [BlockCodec]) {
        self.container = container
        self.codecs = codecs
        compressors = codecs.map { $0.makeCompressor() }
        decompressor = container.makeDecompressor()
    }

    package mutating func check(_ bytes: Span<UInt8>) {
        var input = FuzzInput(bytes)
        let choice = Int(input.byte())
        let length = Int(input.number(3))
        let place = Int(input.number(2))
        let flip = input.byte()
        let contents = input.rest()
        // Packing costs a hundred times as much as being refused, so most runs are about refusing.
        guard choice >= 224 else { return checkUnpacking(contents, length) }
        stored.removeAll()
        do throws(FormatError) {
            try compressors[choice % codecs.count].compress(contents, into: &stored)
        } catch { fatalError("\(codecs[choice % codecs.count].name) does not pack: \(error.reason)") }
        require(unpack(contents.count), "what was packed can be unpacked")
        requireEqual(output.span, contents, "packed and unpacked")
        if contents.count > 0 { require(!unpack(contents.count - 1), "a block that is longer than declared") }
        require(!unpack(contents.count + 1), "a block that is shorter than declared")
        stored.append(flip)
        require(!unpack(contents.count), "a block with a byte behind it")
        stored.truncate(to: stored.count - 2)
        require(!unpack(contents.count), "a block without its last byte")
        stored.removeAll()
        try? compressors[choice % codecs.count].compress(contents, into: &stored)
        guard flip != 0 else { return }
        stored.flip(place % stored.count, flip)
        if unpack(contents.count) { requireEqual(output.span, contents, "a byte that does not matter") }
    }

    private mutating func checkUnpacking(_ bytes: Span<UInt8>, _ length: Int) {
        let isWhole = Self.unpack(bytes, length, with: decompressor, into: &output)
        checkOutput(isWhole, length, stored: bytes.count)
    }

    /// Whether `stored` unpacks to `length` bytes.
    private mutating func unpack(_ length: Int) -> Bool {
        let isWhole = Self.unpack(stored, length, with: decompressor, into: &output)
        checkOutput(isWhole, length, stored: stored.count)
        return isWhole
    }

    private static func unpack(
        _ stored: borrowing ByteBuffer, _ length: Int, with decompressor: any BlockDecompressor, into output: inout ByteBuffer
    ) -> Bool { unpack(stored.span, length, with: decompressor, into: &output) }

    private static func unpack(
        _ stored: Span<UInt8>, _ length: Int, with decompressor: any BlockDecompressor, into output: inout ByteBuffer
    ) -> Bool {
        output.removeAll()
        output.shrink(to: 256)
        do throws(FormatError) {
            try decompressor.decompress(stored, rawLength: length, into: &output)
            return true
        } catch { return false }
    }

    private mutating func checkOutput(_ isWhole: Bool, _ length: Int, stored: Int) {
        require(!isWhole || output.count == length, "\(output.count) bytes instead of \(length)")
        let bound = min(length, container.maximumRawLength(storedLength: stored)) + 1
        require(output.capacity <= max(2 * bound, 512), "\(output.capacity) bytes of room for \(length), packed in \(stored)")
    }
}
