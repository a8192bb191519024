//===--- RawSegmentHeader.swift - the first bytes of an active segment -----===//
//
// The common file header (see FileHeader), kind 2, with these fields of its own:
//
//       0   8  base position            log position of the file's first byte: where the predecessor ended
//       8   8  first sequence number    of the first operation that will be appended
//      16   8  predecessor's number     0 for the first segment of a database
//      24   8  predecessor's identity
//
// A log position is a byte's place in the one endless log that the raw segments are pieces of: base position plus offset in
// the file. It is what "synced up to here" is said in, across segments. Frames begin at `frameOrigin`.
//
// The identity of a segment whose file was another segment's before ends in the 16 bits FFFF, that of any other does not. Behind the last frame of
// such a file stand bytes of its earlier lives, not zeros: they say nothing, and are no tear.
//
// The header is written and synced before the manifest names the segment, so one that does not read is damage, never a tear.
//===-----------------------------------------------------------------------===//

package struct RawSegmentHeader: Equatable, Sendable {
    package var file: FileHeader
    package var basePosition: UInt64
    package var firstSequence: UInt64
    package var predecessorNumber: UInt64
    package var predecessorIdentity: UInt64

    package static let length = FileHeader.plainLength + 32
    /// The header's length, rounded up to 8.
    package static let frameOrigin = (length + 7) & ~7

    package init(
        file: FileHeader, basePosition: UInt64, firstSequence: UInt64, predecessorNumber: UInt64, predecessorIdentity: UInt64
    ) {
        self.file = file
        self.basePosition = basePosition
        self.firstSequence = firstSequence
        self.predecessorNumber = predecessorNumber
        self.predecessorIdentity = predecessorIdentity
    }

    private static let recycledMark: UInt64 = 0xFFFF

    /// Whether bytes of earlier segments may stand behind the last frame.
    package var isRecycled: Bool { file.identity & Self.recycledMark == Self.recycledMark }

    /// Draws the identity of a segment in a file that holds frames made with `staleSeeds`: none of them holds with this one's.
    ///
    /// Of the same bytes two seeds never make the same checksum. So a stale frame that is whole does not hold, and of one that is not
    /// nothing better can be said than of any other bytes.
    package static func drawIdentity(staleSeeds: Set<UInt32>) -> UInt64 {
        while true {
            let identity = UInt64.random(in: 1 ... .max)
            if staleSeeds.isEmpty {
                if identity & recycledMark != recycledMark { return identity }
            } else if !staleSeeds.contains(Checksum.seed(identity: identity | recycledMark)) {
                return identity | recycledMark
            }
        }
    }

    package func append(to buffer: inout ByteBuffer) {
        file.append(to: &buffer) { fields in
            fields.append(u64: basePosition)
            fields.append(u64: firstSequence)
            fields.append(u64: predecessorNumber)
            fields.append(u64: predecessorIdentity)
        }
        buffer.append(zeros: Self.frameOrigin - Self.length)
    }

    package init(decoding bytes: Span<UInt8>) throws(FormatError) {
        let decoded = try FileHeader.decode(bytes, expecting: .rawSegment)
        guard decoded.length == Self.length else {
            throw FormatError(.corrupted, "a raw segment's header is \(decoded.length) bytes long", at: 12)
        }
        var fields = ByteReader(decoded.fields)
        file = decoded.header
        basePosition = try fields.u64()
        firstSequence = try fields.u64()
        predecessorNumber = try fields.u64()
        predecessorIdentity = try fields.u64()
        guard basePosition < 1 << 62, firstSequence < 1 << 62 else {
            throw FormatError(.corrupted, "a raw segment's header holds a number beyond all bounds", at: FileHeader.fixedLength)
        }
    }
}
