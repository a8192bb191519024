//===--- FixturesFrames.swift - where the frames of a file stand -----------===//

import Foundation
import LogDBFormat
import Testing

enum FixtureFrames {
    /// What the manifest in the folder `path` says: that of the greatest number.
    static func manifest(in path: String) throws -> ManifestState {
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix("MANIFEST-") && !$0.hasSuffix(".tmp") }
        let name = try #require(names.max())
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
        var state = ManifestState()
        for offset in offsets(in: bytes).dropLast() {
            let payload = try payload(at: offset, in: bytes)
            for edit in try ManifestEdit.decode(payload.span) { try state.apply(edit) }
        }
        return state
    }

    static func payload(at offset: Int, in bytes: [UInt8]) throws -> [UInt8] {
        var reader = ByteReader(bytes.span.extracting((offset + 8)...))
        let length = Int(try reader.u32())
        return Array(bytes[(offset + FrameHeader.length)...].prefix(length))
    }

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
