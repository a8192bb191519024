//===--- SharedTail.swift - appending without a call of the system ---------===//
//
//      ring (RING, mapped)      ░░░░▓▓▓▓▓▓▓▓▓▓▓░░░░░░░         ▓ appended, not drained
//                                   │          │
//                               drained     published          both log positions; the byte at p lies at p mod capacity
//
// An append copies its frames into the ring: payload first, then the frame's header, whose checksum makes it count. That is all that `.process`
// needs, for the ring is a file, and its pages stay when the process goes. From there somebody else writes it to the segment, in large
// pieces: the drainer's thread, or whoever needs the segment whole - a leader before its sync, a reader, a roll.
//
// Invariants:
//   * drained ≤ published ≤ drained + capacity - chunk. Bytes between the first two are never stored over; those before `drained` are in the segment's file.
//   * a frame that is drained in part is whole in the ring: draining stops where it likes, and recovery takes frames whole, from the one or from the
//     other. No frame in the ring is longer than a chunk, which is left free before `drained`.
//   * everything in the ring has room in the segment that was reserved before (see Roll.swift), so draining does not meet a full disk.
//   * published moves under the log's lock, drained under `target`'s. Who holds the former may take the latter, never the other way round.
//   * a failed write other than for a full disk is final, as a failed sync is: the ring then keeps what the segment may lack.
//
// What recovery makes of it: RingReading.swift. The argument: CrashSafety, The ring.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat
import Synchronization

final class SharedTail: SegmentAppender {
    private struct Target {
        var file: (any File)?
        /// Log position of the file's first byte.
        var base: UInt64 = 0
        var failure: FileError?
    }

    private let region: any MappedRegion
    private let capacity: UInt64
    /// One write of the drainer, and what must have gathered before it is woken.
    let chunk: UInt64
    private let published = Atomic<UInt64>(0)
    private let drained = Atomic<UInt64>(0)
    private let target = Monitor(Target())
    /// Rung once `published` reaches this.
    private let alarm = Atomic<UInt64>(.max)
    private let bell: Bell

    /// - Parameter region: the header's page, then the ring.
    init(_ region: any MappedRegion, capacity: UInt64, bell: Bell) {
        self.region = region
        self.capacity = capacity
        self.bell = bell
        chunk = max(8, capacity / 4)
    }

    var kind: Appender { .sharedTail }
    var drainedPosition: UInt64? { drained.load(ordering: .acquiring) }

    /// Bytes that wait to be drained.
    var pending: UInt64 {
        // In this order: published may only have grown meanwhile.
        let start = drained.load(ordering: .acquiring)
        return published.load(ordering: .acquiring) - start
    }

    func begin(_ segment: RawSegment, at offset: UInt64) {
        target.withLock { target in
            precondition(drained.load(ordering: .relaxed) == published.load(ordering: .relaxed), "a segment left before it was drained")
            target.file = segment.file
            target.base = segment.header.basePosition
            published.store(target.base + offset, ordering: .releasing)
            drained.store(target.base + offset, ordering: .releasing)
        }
    }

    func end() { target.withLock { $0.file = nil } }

    func append(_ bytes: Span<UInt8>, to segment: RawSegment, at offset: UInt64) throws(FileError) {
        let start = published.load(ordering: .relaxed)
        let length = UInt64(bytes.count)
        if length > chunk { return try appendPast(bytes, to: segment, at: offset) }
        let room = capacity - chunk
        if start + length - drained.load(ordering: .acquiring) > room {
            // Behind: its next piece is written here, or the drainer is just writing it.
            try drain(to: start + length - room)
        }
        store(bytes, at: start)
        // Not ordered before the look at the alarm: the drainer may then miss this append, and wakes at the next.
        published.store(start + length, ordering: .releasing)
        if start + length >= alarm.load(ordering: .relaxed) {
            alarm.store(.max, ordering: .relaxed)
            bell.ring()
        }
    }

    /// Copies frames to their places. The first header goes last: without it nothing of them counts.
    private func store(_ bytes: Span<UInt8>, at position: UInt64) {
        let head = min(bytes.count, FrameHeader.length)
        copy(bytes.extracting(head...), to: position + UInt64(head))
        copy(bytes.extracting(..<head), to: position)
    }

    private func copy(_ bytes: Span<UInt8>, to position: UInt64) {
        let place = Int(position % capacity)
        let first = min(bytes.count, Int(capacity) - place)
        // SAFETY: a byte has no padding.
        if first > 0 { region.store(unsafe bytes.extracting(..<first).bytes, at: RingHeader.origin + place) }
        if first < bytes.count { region.store(unsafe bytes.extracting(first...).bytes, at: RingHeader.origin) }
    }

    /// Appends what is large enough to be worth a write of its own, to the file. It never is in the ring.
    private func appendPast(_ bytes: Span<UInt8>, to segment: RawSegment, at offset: UInt64) throws(FileError) {
        try drain()
        try segment.file.writeFully(bytes, at: offset)
        let end = published.load(ordering: .relaxed) + UInt64(bytes.count)
        // Nothing is pending, so the drainer looks at neither.
        target.withLock { _ in
            published.store(end, ordering: .releasing)
            drained.store(end, ordering: .releasing)
        }
    }

    func drain() throws(FileError) { try drain(to: published.load(ordering: .acquiring)) }

    /// Drains until everything before log position `wanted` is in the file.
    private func drain(to wanted: UInt64) throws(FileError) {
        while drained.load(ordering: .acquiring) < wanted { try drainChunk() }
    }

    /// Writes the next piece to the file, unless there is none. For any thread.
    func drainChunk() throws(FileError) {
        try target.withLock { (target: inout Target) throws(FileError) in
            if let failure = target.failure { throw failure }
            let start = drained.load(ordering: .relaxed)
            let place = start % capacity
            let count = min(published.load(ordering: .acquiring) - start, chunk, capacity - place)
            guard count > 0 else { return }
            // Let go of with something in it, after a failure.
            guard let file = target.file else { throw FileError(.closed, operation: .write, name: FileNames.ring) }
            let range = RingHeader.origin + Int(place)..<RingHeader.origin + Int(place + count)
            let offset = start - target.base
            do throws(FileError) {
                try region.withBytes(range) { bytes throws(FileError) in try file.writeFully(bytes, at: offset) }
            } catch {
                if error.code != .diskFull { target.failure = error }
                throw error
            }
            drained.store(start + count, ordering: .releasing)
        }
    }

    func undrained() -> [UInt8] {
        target.withLock { _ in
            var bytes: [UInt8] = []
            var position = drained.load(ordering: .relaxed)
            let end = published.load(ordering: .acquiring)
            while position < end {
                let place = position % capacity
                let count = min(end - position, capacity - place)
                let range = RingHeader.origin + Int(place)..<RingHeader.origin + Int(place + count)
                try? region.withBytes(range) { (piece: RawSpan) throws(FileError) in
                    for index in 0..<piece.byteCount { bytes.append(unsafe piece.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
                }
                position += count
            }
            return bytes
        }
    }

    /// Has the bell rung at the next append that makes `bytes` or more wait; false if that many wait already.
    func setAlarm(pending bytes: UInt64) -> Bool {
        alarm.store(drained.load(ordering: .acquiring) + bytes, ordering: .sequentiallyConsistent)
        return pending < bytes
    }
}
