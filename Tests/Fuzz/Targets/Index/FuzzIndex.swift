//===--- FuzzIndex.swift - the end of a sealed segment ---------------------===//
//
//      input    choice u8 (1: gzip, 2: key order, 4: keys) · identity u64 · length of the blocks u32 · place u16 · flip u8 · the body of an index
//
//   * a body that decodes has its blocks end to end within the segment, each bounded, and is encoded again to the same bytes.
//   * wrapped with its trailer, both are found and proven from the end of the file, and unwrapped to the same bytes.
//   * with one byte of envelope, index or trailer changed, something is noticed.
//   * whatever is asked of it names blocks that there are.
//   * a key index that is built of keys names the block of each of them.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzIndex(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzIndex(_ bytes: Span<UInt8>) {
    var input = FuzzInput(bytes)
    let choice = input.byte()
    let container: Container = choice & 1 == 0 ? .lz4 : .gzip
    let order: SegmentHeader.Order = choice & 2 == 0 ? .log : .key
    let identity = input.number(8)
    let first = UInt64(SegmentHeader.envelopeLength(in: container))
    let end = first + input.number(4)
    let place = Int(input.number(2))
    let flip = input.byte()
    if choice & 4 != 0 { return checkKeyIndex(input.rest(), blockCount: 1 + place) }
    let body = input.rest()
    // What the trailer says is checked before the body is looked at; here both come from anywhere.
    _ = try? SegmentTrailer(decoding: body, fileLength: end, in: container)
    guard let footer = try? SegmentFooter(decoding: body, firstBlock: first, end: end, order: order, container: container) else { return }
    checkBlocks(footer, first, end, container)
    checkAnswers(footer)

    var file = ByteBuffer(capacity: 2 * body.count + 256)
    let digest = footer.append(to: &file, at: end, identity: identity, order: order, in: container)
    require(found(in: file.span, at: end, container, order, identity, digest, footer, is: body), "an index that was written is found")
    guard flip != 0 else { return }
    file.flip(place % file.count, flip)
    require(
        !found(in: file.span, at: end, container, order, identity, digest, footer, is: body), "byte \(place % file.count) does not matter")
}

private func checkBlocks(_ footer: SegmentFooter, _ first: UInt64, _ end: UInt64, _ container: Container) {
    var offset = first
    for block in footer.blocks {
        require(block.offset == offset, "blocks follow one another")
        require(block.rawLength <= BlockBuilder.maximumRawLength, "a block is bounded")
        require(block.rawLength <= container.maximumRawLength(storedLength: block.storedLength), "a block's expansion is bounded")
        require(block.recordCount <= block.rawLength, "a record takes at least a byte")
        offset += UInt64(block.storedLength)
    }
    require(offset == end, "blocks end where the index begins")
}

private func checkAnswers(_ footer: SegmentFooter) {
    require(footer.byteCount >= 0, "memory is counted")
    for hash in [0, 1, .max, 0x9E37_79B9_7F4A_7C15] as [UInt64] {
        if let block = footer.keyIndex?.block(of: hash, count: footer.blocks.count) {
            require(footer.blocks.indices.contains(block), "the key index names block \(block) of \(footer.blocks.count)")
        }
    }
    for table in footer.tables.prefix(4) {
        require(footer.statistics(of: table.table) == table, "a table is found")
        guard table.table < .max else { continue }
        let blocks = footer.blocks(in: KeyRange(table: table.table))
        require(blocks.startIndex >= 0 && blocks.endIndex <= footer.blocks.count, "blocks of a range are there")
        if let block = footer.block(of: FullKey(table: table.table, key: table.leastKey)) {
            require(footer.firstKeys.indices.contains(block), "the block of a key is there")
        }
    }
    let keys = footer.sample.estimatedKeys
    require(keys.isFinite && keys >= 0 && footer.sample.estimatedBytes { _ in true } >= 0, "\(keys) keys are estimated")
    require(zip(footer.sample.entries, footer.sample.entries.dropFirst()).allSatisfy { $0.hash < $1.hash }, "a sample rises")
    var merged = footer.sample
    merged.merge(newer: footer.sample, limit: KeySample.size)
    require(merged.entries.count <= KeySample.size, "a sample is bounded")
}

private func checkKeyIndex(_ bytes: Span<UInt8>, blockCount: Int) {
    var input = FuzzInput(bytes)
    var hashes: [UInt64] = []
    while !input.isAtEnd, hashes.count < 64 {
        let hash = input.number(4) &* 0x0001_0000_0001
        if !hashes.contains(hash) { hashes.append(hash) }
    }
    let blocks = hashes.indices.map { UInt32($0 % blockCount) }
    guard let index = KeyIndex(hashes: hashes, blocks: blocks, blockCount: blockCount) else { return }
    for (hash, block) in zip(hashes, blocks) {
        require(index.block(of: hash, count: blockCount) == Int(block), "a key is denied, or in another block")
    }
}

/// Whether the end of a file, `tail` from byte `start` on, is proven and holds `footer` in the bytes `body`.
private func found(
    in tail: Span<UInt8>, at start: UInt64, _ container: Container, _ order: SegmentHeader.Order, _ identity: UInt64, _ digest: UInt32,
    _ footer: SegmentFooter, is body: Span<UInt8>
) -> Bool {
    let trailerLength = SegmentTrailer.envelopeLength(in: container)
    do throws(FormatError) {
        let trailer = try SegmentTrailer(
            decoding: tail.extracting((tail.count - trailerLength)...), fileLength: start + UInt64(tail.count), in: container)
        guard trailer.identity == identity, trailer.digest == digest, trailer.bodyOffset == start else { return false }
        var content = ByteBuffer(capacity: trailer.bodyLength)
        try Envelope.unwrap(
            tail.extracting(0..<(tail.count - trailerLength)), contentLength: trailer.bodyLength, in: container, into: &content)
        guard Checksum.crc32c(content.span, seed: Checksum.seed(identity: identity)) == digest else { return false }
        requireEqual(content.span, body, "an index, encoded again")
        let again = try SegmentFooter(
            decoding: content.span, firstBlock: UInt64(SegmentHeader.envelopeLength(in: container)), end: start, order: order,
            container: container)
        require(again == footer, "an index, decoded again")
        return true
    } catch { return false }
}
