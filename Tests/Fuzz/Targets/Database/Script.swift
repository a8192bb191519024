//===--- Script.swift - from the fuzzer's bytes to the files of a database ----===//
//
//      input     flags u8 · segments … · damage …
//      flags     1: closed   2: manifest with a torn edit   4: marks
//      segment   frames u8 (& 15) · frames …          until there are three, or a count is 0
//      frame     kind u8 · durable u8 · skew u8 · length u8 · payload
//      damage    file u8 · place u16 · xor u8         until the end
//
// Checksums, sequence numbers and positions are made right, so that the bytes are believed, except for what the script skews on purpose.
// The first frame of the first segment makes table 1, which most records of the corpus are for.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

struct Script {
    private(set) var files: [(name: String, contents: [UInt8])] = []
    private(set) var hasBadKeys = false

    private static let database = FileHeader.DatabaseIdentity(1, 2)
    private var position: UInt64 = 0
    private var sequence: UInt64 = 1
    private var edits: [ManifestEdit] = []

    init(_ input: inout FuzzInput) {
        let flags = input.byte()
        for number in 1...3 as ClosedRange<UInt64> {
            let frames = Int(input.byte() & 15)
            if number > 1, frames == 0 { break }
            addSegment(number, frames: frames, isClosed: flags & 1 != 0, hasMark: flags & 4 != 0, &input)
        }
        addManifest(isTorn: flags & 2 != 0, hasMark: flags & 4 != 0)
        while !input.isAtEnd {
            let file = Int(input.byte()) % files.count
            let place = Int(input.number(2)) % files[file].contents.count
            files[file].contents[place] ^= input.byte()
        }
    }

    private mutating func addSegment(_ number: UInt64, frames: Int, isClosed: Bool, hasMark: Bool, _ input: inout FuzzInput) {
        let identity = 100 + number
        let seed = Checksum.seed(identity: identity)
        var frame = FrameBuilder()
        RawSegmentHeader(
            file: FileHeader(kind: .rawSegment, database: Self.database, number: number, identity: identity), basePosition: position,
            firstSequence: sequence, predecessorNumber: number - 1, predecessorIdentity: number == 1 ? 0 : identity - 1
        ).append(to: &frame.buffer)
        if number == 1 {
            frame.begin()
            frame.buffer.append([0, 9, 1, 0x80, 0, 0, 0, 0, 0, 0, 1, 12] + Array(#"{"name":"t"}"#.utf8))
            frame.finish(.operations, sequence: sequence, durableEnd: 0, milliseconds: 1, seed: seed)
            sequence += 1
        }
        for _ in 0..<frames { addFrame(&frame, seed, &input) }
        let end = UInt64(frame.buffer.count)
        if hasMark {
            frame.begin()
            frame.finish(.mark, sequence: sequence, durableEnd: position + end, milliseconds: 0, seed: seed)
        }
        frame.buffer.append(zeros: 128)
        files.append((String("00000\(number).log"), Array(frame.buffer.span)))
        edits.append(.addRaw(RawSegmentEntry(number: number, identity: identity, allocated: end)))
        position += end
        if isClosed { edits.append(.closeRaw(number: number, end: end, endPosition: position, lastSequence: sequence - 1)) }
    }

    private mutating func addFrame(_ frame: inout FrameBuilder, _ seed: UInt32, _ input: inout FuzzInput) {
        let kinds: [FrameHeader.Kind] = [
            .operations, .transactionOperations, .commit, .rollback, .operations, .operations, .mark, .manifestEdits,
        ]
        let kind = kinds[Int(input.byte() & 7)]
        let durable = input.byte()
        // Rarely wrong: a log with a number out of place is refused at once.
        let skew = input.byte()
        let payload = input.take(Int(input.byte()))
        let here = position + UInt64(frame.buffer.count)
        let durableEnd = durable == 255 ? here + 8 : here * UInt64(durable) / 255
        frame.begin()
        frame.buffer.append(payload)
        frame.finish(
            kind, sequence: skew > 250 ? sequence &+ UInt64(skew) &- 253 : sequence, durableEnd: durableEnd, milliseconds: Int64(durable),
            seed: seed)
        sequence += records(payload, kind)
    }

    /// How many records the payload of a frame holds.
    private mutating func records(_ payload: Span<UInt8>, _ kind: FrameHeader.Kind) -> UInt64 {
        var reader = ByteReader(payload)
        var count: UInt64 = 0
        if kind == .transactionOperations || kind == .commit || kind == .rollback { _ = try? reader.varint() }
        do throws(FormatError) {
            while !reader.isAtEnd {
                let record = try reader.record()
                count += 1
                do throws(FormatError) { _ = try KeyCoding.decode(record.key) } catch { hasBadKeys = true }
            }
        } catch { return count }
        return count
    }

    private mutating func addManifest(isTorn: Bool, hasMark: Bool) {
        let seed = Checksum.seed(identity: 100)
        var frame = FrameBuilder()
        FileHeader(kind: .manifest, database: Self.database, number: 1, identity: 100).append(to: &frame.buffer)
        frame.buffer.append(zeros: 4)
        for (index, edit) in edits.enumerated() {
            let start = UInt64(frame.buffer.count)
            frame.begin()
            edit.append(to: &frame.buffer)
            frame.finish(
                .manifestEdits, sequence: UInt64(index) + 1, durableEnd: index == 0 ? 0 : start, milliseconds: 1, seed: seed)
        }
        let end = frame.buffer.count
        if hasMark || isTorn {
            frame.begin()
            frame.finish(
                isTorn ? .manifestEdits : .mark, sequence: UInt64(edits.count) + 1, durableEnd: UInt64(end), milliseconds: 0, seed: seed)
        }
        frame.buffer.append(zeros: 64)
        var contents = Array(frame.buffer.span)
        if isTorn { contents[end + 20] ^= 0xFF }
        files.append(("MANIFEST-000001", contents))
    }
}
