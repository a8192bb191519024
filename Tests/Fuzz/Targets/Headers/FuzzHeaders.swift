//===--- FuzzHeaders.swift - the first bytes of each kind of file ----------===//
//
//      input    kind u8 · place u16 · flip u8 · the bytes of a file header, or the content of an envelope
//
//   * any bytes, and the same with the checksum made right: what decodes is encoded again to the same bytes.
//   * a newer version is `unsupportedFormat` and never `corrupted`, damage never `unsupportedFormat`.
//   * with one byte changed a header is refused.
//   * an envelope around anything is unwrapped to the same bytes, and refused with one byte of the wrapping changed.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzHeaders(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private enum Kind: UInt8 {
    case manifest, raw, sealedLZ4, sealedGzip, envelopeLZ4, envelopeGzip

    var container: Container { self == .sealedLZ4 || self == .envelopeLZ4 ? .lz4 : .gzip }
}

private func fuzzHeaders(_ bytes: Span<UInt8>) {
    var input = FuzzInput(bytes)
    let kind = Kind(rawValue: input.byte() % 6)!
    let place = Int(input.number(2))
    let flip = input.byte()
    let candidate = input.rest()
    if kind == .envelopeLZ4 || kind == .envelopeGzip { return checkEnvelope(candidate, kind.container, place, flip) }
    _ = encodedAgain(candidate, kind)

    var header = ByteBuffer(capacity: candidate.count + 256)
    seal(candidate, into: &header)
    var whole = ByteBuffer(capacity: 256)
    switch kind {
    case .sealedLZ4, .sealedGzip: Envelope.wrap(header.span, in: kind.container, into: &whole)
    default: whole.append(header.span)
    }
    let version = header.count > 9 ? UInt16(header.span[8]) | UInt16(header.span[9]) << 8 : 0
    if error(of: whole.span, kind)?.kind == .unsupportedFormat { require(version != FileHeader.version, "this version is not a newer one") }
    guard let length = encodedAgain(whole.span, kind) else { return }
    require(version == FileHeader.version, "a version that is not known was read")
    guard flip != 0 else { return }
    whole.flip(place % length, flip)
    let failure = error(of: whole.span, kind)
    require(failure != nil, "byte \(place % length) of a header does not matter")
    require(failure?.kind == .corrupted, "damage is taken for something else")
}

/// Puts the right checksum where the header says it ends.
private func seal(_ bytes: Span<UInt8>, into header: inout ByteBuffer) {
    header.append(bytes)
    guard header.count >= FileHeader.plainLength else { return }
    var reader = ByteReader(header.span.extracting(12..<16))
    let length = Int((try? reader.u32()) ?? 0)
    guard length >= FileHeader.plainLength, length <= header.count else { return }
    header.patch(u32: Checksum.crc32c(header.span.extracting(0..<(length - 4))), at: length - 4)
    // Bytes behind the header are the next thing in the file, except in an envelope, which holds nothing else.
    header.truncate(to: length)
}

private func error(of bytes: Span<UInt8>, _ kind: Kind) -> FormatError? {
    do throws(FormatError) {
        switch kind {
        case .manifest: _ = try FileHeader.decode(bytes, expecting: .manifest)
        case .raw: _ = try RawSegmentHeader(decoding: bytes)
        default: _ = try SegmentHeader(decoding: bytes, in: kind.container)
        }
        return nil
    } catch { return error }
}

/// Decodes a header and compares it with itself, encoded again. Returns its length; nil where there is none.
private func encodedAgain(_ bytes: Span<UInt8>, _ kind: Kind) -> Int? {
    var again = ByteBuffer(capacity: 256)
    var length = 0
    do throws(FormatError) {
        switch kind {
        case .manifest:
            let decoded = try FileHeader.decode(bytes, expecting: .manifest)
            length = decoded.length
            require(length <= FileHeader.maximumLength, "a header is bounded")
            guard length == FileHeader.plainLength else { return length }
            decoded.header.append(to: &again)
        case .raw:
            let header = try RawSegmentHeader(decoding: bytes)
            require(header.basePosition < 1 << 62 && header.firstSequence < 1 << 62, "numbers leave room to count on")
            header.append(to: &again)
            again.truncate(to: RawSegmentHeader.length)
            length = again.count
        default:
            let header = try SegmentHeader(decoding: bytes, in: kind.container)
            // Five bytes are reserved: a later version of this library may fill them without being unreadable for this one.
            let reserved = Envelope.contentOffset(in: kind.container) + FileHeader.fixedLength + 3
            header.append(to: &again)
            guard (reserved..<(reserved + 5)).allSatisfy({ bytes[$0] == 0 }) else { return nil }
            length = again.count
        }
    } catch { return nil }
    requireEqual(again.span, bytes.extracting(0..<length), "a header, encoded again")
    return length
}

private func checkEnvelope(_ content: Span<UInt8>, _ container: Container, _ place: Int, _ flip: UInt8) {
    var envelope = ByteBuffer(capacity: content.count + 64)
    Envelope.wrap(content, in: container, into: &envelope)
    require(envelope.count == Envelope.length(of: content.count, in: container), "an envelope has its length")
    var unwrapped = ByteBuffer()
    do throws(FormatError) {
        try Envelope.unwrap(envelope.span, contentLength: content.count, in: container, into: &unwrapped)
    } catch { fatalError("an envelope cannot be unwrapped: \(error.reason)") }
    requireEqual(unwrapped.span, content, "wrapped and unwrapped")
    // Content is proven by those who know what it is; the wrapping has no other protection than to be looked at.
    let start = Envelope.contentOffset(in: container)
    guard flip != 0, envelope.count > content.count, content.count <= 65_024 else { return }
    let wrapping = place % (envelope.count - content.count)
    envelope.flip(wrapping < start ? wrapping : wrapping + content.count, flip)
    unwrapped.removeAll()
    let isRefused: Bool
    do throws(FormatError) {
        try Envelope.unwrap(envelope.span, contentLength: content.count, in: container, into: &unwrapped)
        isRefused = false
    } catch { isRefused = true }
    require(isRefused, "byte \(wrapping) of the wrapping does not matter")
    // And the content itself as an envelope: a few bytes too many or too few, and wrapped in anything.
    for length in max(0, content.count - 28)...(content.count + 1) {
        try? Envelope.unwrap(content, contentLength: length, in: container, into: &unwrapped)
    }
}
