//===--- SegmentHeader.swift - a sealed segment's first envelope -----------===//
//
// The common file header (see FileHeader), kind 3, with these fields of its own:
//
//       0   1  method      0 none, 1 lz4, 2 lz4HC, 3 zlib
//       1   1  level       of the method, 0 where it has none
//       2   1  order       0 log order (tail), 1 key order (base), 2 version order (history)
//       3   5  zero
//       8   8  generation  of a base segment, else 0
//      16   8  predecessor's number     0 where there is none
//      24   8  predecessor's identity
//      32   8  predecessor's last sequence number
//      40   4  predecessor's digest     checksum of its footer; 0 where it was not sealed
//===-----------------------------------------------------------------------===//

package struct SegmentHeader: Equatable, Sendable {
    package enum Order: UInt8, Sendable {
        case log = 0
        /// By rising key, each once.
        case key = 1
        /// By rising key, and of each key the newest version first.
        case version = 2

        /// Whether records stand in the order of their keys.
        package var isSorted: Bool { self != .log }
    }

    package var file: FileHeader
    package var codec: BlockCodec
    package var order: Order
    package var generation: UInt64
    package var predecessorNumber: UInt64
    package var predecessorIdentity: UInt64
    package var predecessorLastSequence: UInt64
    package var predecessorDigest: UInt32

    package static let length = FileHeader.plainLength + 44

    package init(
        file: FileHeader, codec: BlockCodec, order: Order = .log, generation: UInt64 = 0, predecessorNumber: UInt64,
        predecessorIdentity: UInt64, predecessorLastSequence: UInt64, predecessorDigest: UInt32
    ) {
        self.file = file
        self.codec = codec
        self.order = order
        self.generation = generation
        self.predecessorNumber = predecessorNumber
        self.predecessorIdentity = predecessorIdentity
        self.predecessorLastSequence = predecessorLastSequence
        self.predecessorDigest = predecessorDigest
    }

    /// Appends the header in its envelope.
    package func append(to buffer: inout ByteBuffer) {
        var content = ByteBuffer(capacity: Self.length)
        let code = codec.code
        file.append(to: &content) { fields in
            fields.append(code.method)
            fields.append(code.level)
            fields.append(order.rawValue)
            fields.append(zeros: 5)
            fields.append(u64: generation)
            fields.append(u64: predecessorNumber)
            fields.append(u64: predecessorIdentity)
            fields.append(u64: predecessorLastSequence)
            fields.append(u32: predecessorDigest)
        }
        Envelope.wrap(content.span, in: codec.container, into: &buffer)
    }

    /// Bytes of the header's envelope, where the first block begins.
    package static func envelopeLength(in container: Container) -> Int { Envelope.length(of: length, in: container) }

    package init(decoding bytes: Span<UInt8>, in container: Container) throws(FormatError) {
        let start = Envelope.contentOffset(in: container)
        guard bytes.count >= Self.envelopeLength(in: container) else {
            throw FormatError(.corrupted, "the file is too short for a segment's header")
        }
        do throws(FormatError) {
            try self.init(content: bytes.extracting(start...), container: container)
        } catch {
            throw error.shifted(by: start)
        }
        var content = ByteBuffer(capacity: Self.length)
        try Envelope.unwrap(
            bytes.extracting(0..<Self.envelopeLength(in: container)), contentLength: Self.length, in: container, into: &content)
    }

    private init(content: Span<UInt8>, container: Container) throws(FormatError) {
        let decoded = try FileHeader.decode(content, expecting: .sealedSegment)
        guard decoded.length == Self.length else { throw FormatError(.corrupted, "a segment header is \(decoded.length) bytes long") }
        var fields = ByteReader(decoded.fields)
        let method = try fields.u8()
        let level = try fields.u8()
        let orderByte = try fields.u8()
        _ = try fields.take(5)
        guard let order = Order(rawValue: orderByte) else {
            throw FormatError(.corrupted, "a segment has the unknown order \(orderByte)", at: FileHeader.fixedLength + 2)
        }
        self.init(
            file: decoded.header, codec: try BlockCodec(method: method, level: level), order: order, generation: try fields.u64(),
            predecessorNumber: try fields.u64(), predecessorIdentity: try fields.u64(), predecessorLastSequence: try fields.u64(),
            predecessorDigest: try fields.u32())
        guard codec.container == container else {
            throw FormatError(.corrupted, "a segment of codec \(codec.name) has the name of a .\(container.fileExtension) file")
        }
    }
}
