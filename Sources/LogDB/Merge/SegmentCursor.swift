//===--- SegmentCursor.swift - key-ordered segments, record by record -------===//
//
// One generation of the base: segments that do not overlap, in order. Blocks are unpacked ahead (see BlockStream).
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class SegmentCursor: RecordCursor {
    private let stream: BlockStream
    private let range: KeyRange?
    private let isReversed: Bool
    private var block: UnpackedBlock?
    private var places = BlockPlaces()
    private var next = 0
    private let isAccounted: Bool
    /// Whether these are segments of the history.
    let isOfHistory: Bool
    /// Records with greater numbers are passed over.
    private let ceiling: SequenceNumber
    /// The documents of the segments that were left behind, by table.
    private var digests = TableDigests()
    /// Those of the segment at hand, which its index knows as well.
    private var ofSegment = TableDigests()

    /// The records of `segments`, those in `range` only where one is given.
    ///
    /// - Parameter isAccounted: adds up what was read, and compares it with what each segment says of itself.
    init(
        _ segments: [SealedSegment], range: KeyRange? = nil, isReversed: Bool = false, budget: Int, isAccounted: Bool = false,
        ceiling: SequenceNumber = .max
    ) {
        self.ceiling = ceiling
        isOfHistory = segments.first?.entry.order == .version
        self.isAccounted = isAccounted
        stream = BlockStream(segments, range: range, isReversed: isReversed, budget: budget)
        self.range = range
        self.isReversed = isReversed
    }

    override func advance() throws(LogDBError) {
        if isAccounted, !isAtEnd, !isDelete { ofSegment.add(record) }
        repeat {
            while next == places.count {
                guard try readBlock() else {
                    isAtEnd = true
                    return
                }
            }
            showNext()
            // Only at the edges.
        } while sequence > ceiling || range.map { !$0.contains(table, key) } ?? false
    }

    private func readBlock() throws(LogDBError) -> Bool {
        places.removeAll()
        next = 0
        if isAccounted, let block { try account(for: block) }
        block = try stream.next()
        guard let block else { return false }
        do throws(FormatError) { try places.read(block.raw, entry: block.entry!) } catch {
            throw LogDBError(error, in: block.segment!.name, at: block.entry!.offset)
        }
        return true
    }

    private func account(for block: UnpackedBlock) throws(LogDBError) {
        // Only the last block of a segment has the segment's own account.
        guard let tables = block.tables, let segment = block.segment else { return }
        var expected = TableDigests()
        for table in tables { expected.add(table.table, table.digest) }
        guard expected == ofSegment else {
            throw LogDBError(.corrupted, "the documents are not those that the segment's index has added up", file: segment.name)
        }
        digests.add(ofSegment)
        ofSegment = TableDigests()
    }

    /// What was left behind so far.
    var consumed: TableDigests {
        var sum = digests
        sum.add(ofSegment)
        return sum
    }

    private func showNext() {
        let place = places.places[isReversed ? places.count - 1 - next : next]
        next += 1
        // SAFETY: the block is this cursor's until the next one is asked for, and its memory does not move.
        unsafe block!.raw.withUnsafeBytes { bytes in unsafe show(place, in: bytes) }
    }

    /// Lets go of threads and buffers.
    func stop() { stream.stop() }
}

extension Snapshot {
    /// The base's generations, newest first: each a row of segments that do not overlap.
    var generations: [[SealedSegment]] { LogDB.generations(of: base) }
}

func generations(of base: [SealedSegment]) -> [[SealedSegment]] {
    var result: [[SealedSegment]] = []
    for segment in base {
        if let last = result.last?.first, last.entry.generation == segment.entry.generation {
            result[result.count - 1].append(segment)
        } else {
            result.append([segment])
        }
    }
    return result
}
