//===--- ChecksumSeed.swift - the seed that a checksum was made with --------===//
//
// A CRC's step from one state to the next is a bijection, so it can be walked backwards: bytes and their checksum leave exactly one seed.
// A raw segment's frames are seeded with the identity in the file's header. Where the header is gone the seed of its first whole frame can be
// found again from the frame's own header; that it is the right one is proven by the payload, whose checksum knows the same seed.
//===-----------------------------------------------------------------------===//

extension Checksum {
    /// The polynomial's table, and for each highest byte the only entry that has it.
    private static let steps: (table: [UInt32], entryOfHighByte: [UInt8]) = {
        var table = [UInt32](repeating: 0, count: 256)
        var entryOfHighByte = [UInt8](repeating: 0, count: 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
            table[index] = value
            entryOfHighByte[Int(value >> 24)] = UInt8(index)
        }
        return (table, entryOfHighByte)
    }()

    /// The one seed with which `bytes` have this checksum.
    package static func seed(of bytes: Span<UInt8>, checksum: UInt32) -> UInt32 {
        let (table, entryOfHighByte) = steps
        var register = ~checksum
        for index in stride(from: bytes.count - 1, through: 0, by: -1) {
            let entry = entryOfHighByte[Int(register >> 24)]
            register = (register ^ table[Int(entry)]) << 8 | UInt32(entry ^ bytes[index])
        }
        return ~register
    }
}

extension FrameHeader {
    /// The seed that makes the 40 bytes a sound header; nil where no seed can, because they say what no header says.
    ///
    /// Proves nothing by itself: only a payload that `validates` with the seed does.
    package static func seed(fitting bytes: Span<UInt8>) -> UInt32? {
        guard bytes.count >= length, bytes[12] != 0, bytes[13] == 0, bytes[14] == 0, bytes[15] == 0 else { return nil }
        var reader = ByteReader(bytes)
        guard let stored = try? reader.u32() else { return nil }
        let seed = Checksum.seed(of: bytes.extracting(4..<length), checksum: stored)
        guard let header = decode(bytes, seed: seed), header.kind != .manifestEdits, header.sequence < 1 << 62,
            header.durableEnd < 1 << 62
        else { return nil }
        return seed
    }
}
