//===--- RawIndex.swift - where in a raw segment a key was written last ----===//
//
// Which frame holds the newest operation on each key. Operations of transactions are kept apart until their transaction is
// known to be committed: then they join the others, each in its place by sequence number.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class RawIndex: Sendable {
    /// An operation: its frame's offset and its number.
    struct Place {
        var frame: UInt64
        var sequence: SequenceNumber
    }

    private struct Content {
        var places: [[UInt8]: Place] = [:]
        /// Those of transactions that may yet be committed, by number.
        var pending: [UInt64: [[UInt8]: Place]] = [:]
        var end = RawSegment.frameOrigin
    }
    private let content = Monitor(Content())

    /// Table as a varint, then the encoded key.
    static func key(table: UInt64, key: Span<UInt8>) -> [UInt8] {
        var buffer = ByteBuffer(capacity: key.count + 10)
        buffer.append(varint: table)
        buffer.append(key)
        return Array(buffer.span)
    }

    /// The newest operation on `key` before `end` that counts. Where a later caller has looked further already, a newer one may be the
    /// answer: as good a one.
    func newest(_ key: [UInt8], in segment: RawSegment, until end: UInt64, _ fates: Fates) throws -> Place? {
        try content.withLock { content in
            if content.end < end {
                var scanner = FrameScanner(segment.file, seed: segment.seed, from: content.end, limit: end)
                while scanner.offset < end {
                    let header = try segment.nextFrame(&scanner)
                    let frame = scanner.frameOffset
                    try segment.forEachRecord(in: scanner.payload, of: header, at: frame) { transaction, record, sequence in
                        let key = Self.key(table: record.table, key: record.key)
                        let place = Place(frame: frame, sequence: sequence)
                        if let transaction { content.pending[transaction, default: [:]][key] = place } else { content.places[key] = place }
                    }
                }
                content.end = end
            }
            for (transaction, places) in content.pending where fates.isCommitted(transaction) {
                for (key, place) in places where place.sequence > content.places[key]?.sequence ?? 0 { content.places[key] = place }
                content.pending[transaction] = nil
            }
            var newest = content.places[key]
            for (transaction, places) in content.pending where fates.counts(transaction) {
                if let place = places[key], place.sequence > newest?.sequence ?? 0 { newest = place }
            }
            return newest
        }
    }
}
