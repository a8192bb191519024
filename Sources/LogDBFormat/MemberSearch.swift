//===--- MemberSearch.swift - where something may begin in a sealed file ----===//
//
// What can stand at a place in a sealed segment, told from its first bytes, and the search for the next such place where the way from the front is
// broken:
//
//      lz4    04 22 4D 18 · FLG · BD      a block: version 1, independent blocks, content size and checksum, no dictionary
//             5D 2A 4D 18 · length        an envelope
//      gzip   1F 8B 08 00                 a block: deflate, no extra fields
//             1F 8B 08 04 00 … 'L' 'D'    an envelope, or the first part of one
//
// JSON text cannot hold a gzip member's first bytes (they are not UTF-8); other places that only look like a beginning fail their checksum.
//===-----------------------------------------------------------------------===//

package enum MemberStart: Equatable {
    case block
    /// An envelope's part that takes this many bytes of the file around so many bytes of content.
    case envelope(length: Int, contentLength: Int)
}

extension Container {
    /// Bytes that `memberStart` needs to see, where the file has them.
    package static let memberStartLength = 16

    /// What begins with `bytes`, if anything of ours can.
    package func memberStart(_ bytes: Span<UInt8>) -> MemberStart? {
        switch self {
        case .lz4:
            guard bytes.count >= 7 else { return nil }
            if bytes[0] == 0x04, bytes[1] == 0x22, bytes[2] == 0x4D, bytes[3] == 0x18 {
                return bytes[4] & 0b1110_1111 == 0b0110_1100 && bytes[5] & 0b1000_1111 == 0 && bytes[5] >= 0x40 ? .block : nil
            }
            guard bytes[0] == 0x5D, bytes[1] == 0x2A, bytes[2] == 0x4D, bytes[3] == 0x18 else { return nil }
            var reader = ByteReader(bytes.extracting(4...))
            guard let length = try? reader.u32() else { return nil }
            return .envelope(length: Int(length) + 8, contentLength: Int(length))
        case .gzip:
            guard bytes.count >= 10, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 0x08 else { return nil }
            if bytes[3] == 0 { return .block }
            guard bytes[3] == 4, bytes.count >= 16, bytes[12] == 0x4C, bytes[13] == 0x44 else { return nil }
            let length = Int(bytes[14]) | Int(bytes[15]) << 8
            guard Int(bytes[10]) | Int(bytes[11]) << 8 == length + 4 else { return nil }
            return .envelope(length: length + 26, contentLength: length)
        }
    }

    /// The first place from `start` on at which something may begin; nil if there is none that `bytes` show whole.
    package func nextMemberStart(in bytes: Span<UInt8>, from start: Int) -> Int? {
        let first: UInt8 = self == .lz4 ? 0x4D : 0x8B
        // The byte that is looked for stands this far behind the beginning.
        let shift = self == .lz4 ? 2 : 1
        var index = start + shift
        while index < bytes.count {
            if bytes[index] == first {
                let place = index - shift
                let end = min(bytes.count, place + Self.memberStartLength)
                if memberStart(bytes.extracting(place..<end)) != nil { return place }
            }
            index += 1
        }
        return nil
    }
}
