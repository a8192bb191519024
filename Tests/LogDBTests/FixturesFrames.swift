//===--- FixturesFrames.swift - where the frames of a file stand -----------===//

import LogDBFormat

enum FixtureFrames {
    /// Offsets of the frames in the bytes of a manifest or raw segment, that of the mark or of the end as the last.
    static func offsets(in bytes: [UInt8]) -> [Int] {
        let isManifest = bytes[10] == FileHeader.Kind.manifest.rawValue
        var identity = ByteReader(bytes.span.extracting(40...))
        guard let number = try? identity.u64() else { return [] }
        let seed = Checksum.seed(identity: number)
        var offsets: [Int] = []
        var at = isManifest ? 56 : RawSegmentHeader.frameOrigin
        while true {
            offsets.append(at)
            guard at + FrameHeader.length <= bytes.count else { return offsets }
            let header = FrameHeader.decode(bytes.span.extracting(at..<(at + FrameHeader.length)), seed: seed)
            guard let header, header.kind != .mark else { return offsets }
            at += header.frameLength
        }
    }
}
