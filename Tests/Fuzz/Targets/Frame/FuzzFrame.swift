//===--- FuzzFrame.swift - one frame ---------------------------------------===//
//
//      input    seed u32 · place u16 · flip u8 · the bytes of a frame
//
//   * any bytes: a header that decodes is bounded, and its frame lies within what the length allows.
//   * the same bytes with the checksums made right: what decodes is encoded again to the same bytes.
//   * a sound frame with one byte changed, or under another seed, is no frame.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzFrame(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzFrame(_ bytes: Span<UInt8>) {
    var input = FuzzInput(bytes)
    let seed = UInt32(input.number(4))
    let place = Int(input.number(2))
    let flip = input.byte()
    let candidate = input.rest()
    if let header = FrameHeader.decode(candidate, seed: seed) { checkBounds(header) }

    var frame = ByteBuffer(capacity: candidate.count)
    frame.append(candidate)
    guard seal(&frame, seed: seed), let length = checkRoundTrip(frame.span, seed: seed), flip != 0 else { return }
    requireNoFrame(frame.span.extracting(0..<length), seed: seed ^ UInt32(flip))
    frame.flip(place % length, flip)
    requireNoFrame(frame.span.extracting(0..<length), seed: seed)
}

/// Decodes a frame whose checksums are right, encodes it again and compares. Returns its length; nil where it is none all the same.
private func checkRoundTrip(_ frame: Span<UInt8>, seed: UInt32) -> Int? {
    guard let header = FrameHeader.decode(frame, seed: seed) else { return nil }
    checkBounds(header)
    let payload = frame.extracting(FrameHeader.length..<header.frameLength)
    require(header.validates(payload, seed: seed), "a frame with its own checksums is whole")
    var builder = FrameBuilder()
    builder.begin()
    builder.buffer.append(payload.extracting(0..<header.payloadLength))
    builder.finish(
        header.kind, sequence: header.sequence, durableEnd: header.durableEnd, milliseconds: header.milliseconds, seed: seed)
    // The padding is covered by the checksum and not looked at; only zeros are ever written.
    if (header.payloadLength..<payload.count).allSatisfy({ payload[$0] == 0 }) {
        requireEqual(builder.buffer.span, frame.extracting(0..<header.frameLength), "a frame, encoded again")
    }
    return header.frameLength
}

private func checkBounds(_ header: FrameHeader) {
    require(header.payloadLength <= FrameHeader.maximumPayloadLength, "a payload is bounded")
    require(header.frameLength >= FrameHeader.length + header.payloadLength && header.frameLength % 8 == 0, "a frame is padded to 8")
}

/// Puts the right checksums into bytes that claim to be a frame; false where they are too short for what they claim.
private func seal(_ frame: inout ByteBuffer, seed: UInt32) -> Bool {
    guard frame.count >= FrameHeader.length else { return false }
    var lengths = ByteReader(frame.span.extracting(8..<12))
    let payload = FrameHeader.padded(Int((try? lengths.u32()) ?? 0))
    guard FrameHeader.length + payload <= frame.count else { return false }
    let checksum = Checksum.crc32c(frame.span.extracting(FrameHeader.length..<(FrameHeader.length + payload)), seed: seed)
    frame.patch(u32: checksum, at: 4)
    frame.patch(u32: Checksum.crc32c(frame.span.extracting(4..<FrameHeader.length), seed: seed), at: 0)
    return true
}

private func requireNoFrame(_ bytes: Span<UInt8>, seed: UInt32) {
    guard let header = FrameHeader.decode(bytes, seed: seed), header.frameLength <= bytes.count else { return }
    require(
        !header.validates(bytes.extracting(FrameHeader.length..<header.frameLength), seed: seed), "a frame with one byte changed is none")
}
