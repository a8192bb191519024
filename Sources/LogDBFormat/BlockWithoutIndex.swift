//===--- BlockWithoutIndex.swift - what a block says of itself --------------===//
//
// A block leaves to the index how many records it has, and the number and time of the first one. The first can be counted: each record has one tag,
// and a varint ends with the one byte of it whose high bit is clear. The other two it does not hold; everything behind the first record counts
// from them, so numbers within the block are right up to one constant.
//===-----------------------------------------------------------------------===//

extension BlockEntry {
    /// The entry of an unpacked block at `offset`, as if its first record were operation `firstSequence`.
    ///
    /// - Throws: if `raw` cannot be a block. That it is one is proven by reading all its records.
    package init(counting raw: Span<UInt8>, at offset: UInt64, storedLength: Int, firstSequence: UInt64) throws(FormatError) {
        var reader = ByteReader(raw)
        let sequences = Int(try reader.u32())
        let times = Int(try reader.u32())
        let tagLength = Int(try reader.u32())
        _ = try reader.take(12)
        _ = try reader.take(sequences)
        _ = try reader.take(times)
        let tags = try reader.take(tagLength)
        var count = 0
        for index in 0..<tags.count where tags[index] < 0x80 { count += 1 }
        guard count > 0 else { throw FormatError(.corrupted, "a block holds no record") }
        self.init(
            offset: offset, storedLength: storedLength, rawLength: raw.count, recordCount: count, checksum: 0, firstSequence: firstSequence,
            firstMilliseconds: 0, holdsCatalog: false)
    }
}
