//===--- IndexFinder.swift - a sealed segment's index, if it can be proven ----===//
//
// The trailer, which has a fixed place at the end of the file, holds the index's checksum. Where the trailer is gone the manifest may know it, or the
// segment that was sealed next. An index that nobody vouches for is not believed.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct IndexFinder {
    private let handle: any File
    private let file: SalvageFile
    private let container: Container
    private let identity: UInt64?
    private let digests: [UInt32]
    private var order: SegmentHeader.Order {
        switch file.form {
        case .raw, .sealed: .log
        case .base: .key
        case .history: .version
        }
    }

    init(_ handle: any File, _ file: SalvageFile, container: Container, identity: UInt64?, digests: [UInt32]) {
        self.handle = handle
        self.file = file
        self.container = container
        self.identity = identity
        self.digests = digests
    }

    func fromTrailer() throws(LogDBError) -> SegmentFooter {
        let length = SegmentTrailer.envelopeLength(in: container)
        guard file.size >= UInt64(length + SegmentHeader.envelopeLength(in: container)) else {
            throw LogDBError(.corrupted, "the file is too short for an index", file: file.name, offset: file.size)
        }
        let start = file.size - UInt64(length)
        let bytes = try mapped { () throws(FileError) in try handle.read(at: start, count: length) }
        let trailer: SegmentTrailer
        do throws(FormatError) { trailer = try SegmentTrailer(decoding: bytes.span, fileLength: file.size, in: container) } catch {
            throw LogDBError(error, in: file.name, at: start)
        }
        // With a header gone the trailer tells the identity, under a checksum of its own.
        guard identity == nil || trailer.identity == identity else {
            throw LogDBError(.corrupted, "the trailer is of another file", file: file.name, offset: start)
        }
        do throws(FormatError) {
            return try decode(
                at: trailer.bodyOffset, length: UInt64(Envelope.length(of: trailer.bodyLength, in: container)),
                contentLength: trailer.bodyLength, identity: trailer.identity
            ) { $0 == trailer.digest }
        } catch { throw LogDBError(error, in: file.name, at: trailer.bodyOffset) }
    }

    /// The index, if the envelope at `offset` holds it and something other than the trailer vouches for it.
    func index(at offset: UInt64, length: UInt64) -> SegmentFooter? {
        guard let identity, !digests.isEmpty else { return nil }
        let contentLength: Int
        switch container {
        case .lz4: contentLength = Int(length) - 8
        case .gzip:
            // n bytes in k parts of at most 65,024 take n + 26 k.
            let parts = (Int(length) + 65_049) / 65_050
            contentLength = Int(length) - 26 * parts
        }
        guard contentLength > 0 else { return nil }
        return try? decode(at: offset, length: length, contentLength: contentLength, identity: identity) { digests.contains($0) }
    }

    private func decode(
        at offset: UInt64, length: UInt64, contentLength: Int, identity: UInt64, _ isProven: (UInt32) -> Bool
    ) throws(FormatError) -> SegmentFooter {
        guard length < 1 << 30, Envelope.length(of: contentLength, in: container) == Int(length) else {
            throw FormatError(.corrupted, "the index has an impossible length")
        }
        let envelope: [UInt8]
        do throws(FileError) { envelope = try handle.read(at: offset, count: Int(length)) } catch {
            throw FormatError(.corrupted, error.description)
        }
        var body = ByteBuffer(capacity: contentLength)
        try Envelope.unwrap(envelope.span, contentLength: contentLength, in: container, into: &body)
        let digest = Checksum.crc32c(body.span, seed: Checksum.seed(identity: identity))
        guard isProven(digest) else {
            throw FormatError(.corrupted, "the index's checksum is \(hexadecimal(digest)), and another is known")
        }
        let footer = try SegmentFooter(
            decoding: body.span, firstBlock: UInt64(SegmentHeader.envelopeLength(in: container)), end: offset, order: order,
            container: container)
        try Self.check(footer, order)
        return footer
    }

    /// Refuses numbers that no segment has, so that nobody need mind them later.
    private static func check(_ footer: SegmentFooter, _ order: SegmentHeader.Order) throws(FormatError) {
        var last: SequenceNumber = 0
        for block in footer.blocks {
            guard block.firstSequence > (order == .log ? last : 0), block.firstSequence < 1 << 62 else {
                throw FormatError(.corrupted, "the index's operations are out of order")
            }
            if order == .log { last = block.firstSequence + UInt64(block.recordCount) - 1 }
        }
        guard footer.lastSequence < 1 << 62, footer.lastSequence >= last else {
            throw FormatError(.corrupted, "the index's operations are out of order")
        }
    }
}
