//===--- GarbageEstimate.swift - how much of the data is superseded ---------===//
//
// Each sealed segment carries a sample of its keys (see KeySample). Put together, oldest first, the samples say how many bytes are live: what share of
// all bytes they are is the answer, at the price of reading each segment's index once. The samples are remembered, 3 KiB for a segment.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class GarbageEstimate: Sendable {
    struct Result {
        /// Bytes of keys and documents.
        var total = 0.0
        var live = 0.0
        /// 0 ... 1.
        var share: Double { total > 0 ? min(1, max(0, 1 - live / total)) : 0 }
    }

    private struct Summary {
        var sample: KeySample
        var bytes: UInt64
    }

    /// By identity.
    private let summaries = Monitor<[UInt64: Summary]>([:])
    /// Sampled keys that are put together at most.
    private static let limit = 16_384

    func estimate(base: [SealedSegment], tail: [SealedSegment], _ catalog: Catalog) throws(LogDBError) -> Result {
        var result = Result()
        // Of generations the oldest first, so that the newer one's word counts.
        let segments = generations(of: base).reversed().flatMap { $0 } + tail
        var union = KeySample()
        for segment in segments {
            let summary = try summary(of: segment)
            result.total += Double(summary.bytes)
            union.merge(newer: summary.sample, limit: Self.limit)
        }
        result.live = union.estimatedBytes { $0 == 0 || catalog.names[$0] != nil }
        let known = Set(segments.map(\.entry.identity))
        summaries.withLock { summaries in
            if summaries.count > 2 * known.count + 64 { summaries = summaries.filter { known.contains($0.key) } }
        }
        return result
    }

    private func summary(of segment: SealedSegment) throws(LogDBError) -> Summary {
        if let known = summaries.withLock({ $0[segment.entry.identity] }) { return known }
        let footer = try segment.footer(of: try segment.open().0)
        // With the type byte of the key, as in the sample.
        let bytes = footer.tables.reduce(UInt64(0)) { $0 + $1.keyBytes + $1.documentBytes + $1.upserts + $1.deletes }
        let summary = Summary(sample: footer.sample, bytes: bytes)
        summaries.withLock { $0[segment.entry.identity] = summary }
        return summary
    }
}
