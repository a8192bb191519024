//===--- ReadingClock.swift - what time it is for a reading -----------------===//
//
// One moment for all of a reading: that of its beginning, or that of the past state which it tells. As of an operation it is that operation's time, which must be looked
// for: that is done when the first document that expires is met, and never for those who have none.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

enum ReadingClock: Sendable {
    case at(Int64)
    case of(OperationTime)

    func milliseconds() throws(LogDBError) -> Int64 {
        switch self {
        case .at(let milliseconds): return milliseconds
        case .of(let operation): return try operation.milliseconds()
        }
    }
}

/// When the last operation up to a number was made, of those that are left.
final class OperationTime: Sendable {
    private let snapshot: Snapshot
    private let sequence: SequenceNumber
    private let budget: Int
    private let found = Monitor<Int64?>(nil)

    init(_ sequence: SequenceNumber, _ snapshot: Snapshot, budget: Int) {
        self.snapshot = snapshot
        self.sequence = sequence
        self.budget = budget
    }

    func milliseconds() throws(LogDBError) -> Int64 {
        if let known = found.withLock({ $0 }) { return known }
        let milliseconds: Int64
        do { milliseconds = try snapshot.time(of: sequence, budget: budget) } catch { throw error as! LogDBError }
        found.withLock { $0 = milliseconds }
        return milliseconds
    }
}

extension Snapshot {
    /// Whether a record's document has expired.
    @inline(__always)
    func hasExpired(_ record: Record) throws(LogDBError) -> Bool {
        guard let expires = Expiry.milliseconds(of: record.document) else { return false }
        return try clock.milliseconds() >= expires
    }

    /// When the last operation up to `sequence` was made, of those that are left; 0 where there is none.
    fileprivate func time(of sequence: SequenceNumber, budget: Int) throws -> Int64 {
        // The savepoint knows it, and its own operation is the one that is asked for.
        for savepoint in tables.savepoints.values where savepoint.sequenceNumber == sequence { return savepoint.milliseconds }
        var (found, time) = (SequenceNumber(0), Int64(0))
        func look(_ number: SequenceNumber, _ milliseconds: Int64) {
            if number <= sequence, number > found { (found, time) = (number, milliseconds) }
        }
        for raw in raw.reversed() where raw.segment.header.firstSequence <= sequence {
            try raw.segment.forEachRecord(until: raw.end, fates) { _, number, milliseconds in look(number, milliseconds) }
            if found > 0 { return time }
        }
        for segment in sealed.reversed() where segment.entry.firstSequence <= sequence {
            let (file, _) = try segment.open()
            let decompressor = segment.container.makeDecompressor()
            var block = ByteBuffer()
            for entry in try segment.footer(of: file).blocks.reversed() where entry.firstSequence <= sequence {
                try segment.unpack(entry, of: file, with: decompressor, into: &block)
                try segment.forEachRecord(in: block, of: entry) { _, number, milliseconds in look(number, milliseconds) }
                if found > 0 { return time }
            }
        }
        let stream = BlockStream((base + history).filter { $0.entry.firstSequence <= sequence }, budget: budget)
        defer { stream.stop() }
        while let block = try stream.next() {
            try block.segment!.forEachRecord(in: block.raw, of: block.entry!) { _, number, milliseconds in look(number, milliseconds) }
        }
        return time
    }
}
