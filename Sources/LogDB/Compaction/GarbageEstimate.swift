//===--- GarbageEstimate.swift - how much of the data is superseded ---------===//
//
// Each sealed segment carries a sample of its keys (see KeySample). Put together, oldest first, the samples say how many bytes are live: what share of
// all bytes they are is the answer, at the price of reading each segment's index once. The samples are remembered, 3 KiB for a segment.
//
// What has expired is garbage: of each sampled key it is known when its newest document expires.
//
// What a table retains is no garbage. How much of its superseded bytes a compaction would keep only a compaction knows, so they are counted only once the log has
// as many bytes of the table as base and history: then what is written anew is no more than what was written since. Of a table that keeps all nothing ever is.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class GarbageEstimate: Sendable {
    struct Result {
        /// Bytes of keys and documents.
        var total = 0.0
        var live = 0.0
        /// Of all bytes those of newest documents that have expired.
        var expired = 0.0
        /// 0 ... 1.
        var share: Double { total > 0 ? min(1, max(0, 1 - live / total)) : 0 }
        var expiredShare: Double { total > 0 ? min(1, expired / total) : 0 }
    }

    private struct Summary {
        var sample: KeySample
        var bytes: UInt64
        /// By table, of the largest ones.
        var tables: [(id: UInt64, bytes: UInt64)]
    }

    /// By identity.
    private let summaries = Monitor<[UInt64: Summary]>([:])
    /// Sampled keys that are put together at most.
    private static let limit = 16_384
    private static let maximumTables = 256

    func estimate(
        base: [SealedSegment], history: [SealedSegment], tail: [SealedSegment], _ catalog: Catalog, now: Int64
    ) throws(LogDBError) -> Result {
        var result = Result()
        // Of generations the oldest first, so that the newer one's word counts.
        let segments = generations(of: base).reversed().flatMap { $0 } + tail
        var union = KeySample()
        for segment in segments {
            let summary = try summary(of: segment)
            result.total += Double(summary.bytes)
            union.merge(newer: summary.sample, limit: Self.limit)
        }
        let kept = catalog.retentions.isEmpty ? [:] : try retainedBytes(base + history, tail, catalog)
        func isCounted(_ table: UInt64) -> Bool { kept[table] == nil && (table == 0 || catalog.names[table] != nil) }
        result.expired = union.estimatedExpiredBytes(at: now, isCounted)
        result.live = union.estimatedBytes(isCounted) - result.expired
        result.live += kept.values.reduce(0) { $0 + Double($1) }
        let known = Set((segments + history).map(\.entry.identity))
        summaries.withLock { summaries in
            if summaries.count > 2 * known.count + 64 { summaries = summaries.filter { known.contains($0.key) } }
        }
        return result
    }

    /// The bytes in base and log of tables of which nothing is counted as garbage.
    private func retainedBytes(
        _ settled: [SealedSegment], _ tail: [SealedSegment], _ catalog: Catalog
    ) throws(LogDBError) -> [UInt64: UInt64] {
        var inLog: [UInt64: UInt64] = [:]
        var inBase: [UInt64: UInt64] = [:]
        var inHistory: [UInt64: UInt64] = [:]
        for segment in tail {
            for table in try summary(of: segment).tables where catalog.retentions[table.id] != nil {
                inLog[table.id, default: 0] += table.bytes
            }
        }
        for segment in settled {
            for table in try summary(of: segment).tables where catalog.retentions[table.id] != nil {
                if segment.entry.order == .key {
                    inBase[table.id, default: 0] += table.bytes
                } else {
                    inHistory[table.id, default: 0] += table.bytes
                }
            }
        }
        var result: [UInt64: UInt64] = [:]
        for (id, retention) in catalog.retentions {
            let (log, base) = (inLog[id] ?? 0, inBase[id] ?? 0)
            if retention == .all || log < base + (inHistory[id] ?? 0) { result[id] = log + base }
        }
        return result
    }

    private func summary(of segment: SealedSegment) throws(LogDBError) -> Summary {
        if let known = summaries.withLock({ $0[segment.entry.identity] }) { return known }
        let footer = try segment.footer(of: try segment.open().0)
        // With the type byte of the key, as in the sample.
        let bytes = footer.tables.reduce(UInt64(0)) { $0 + $1.keyBytes + $1.documentBytes + $1.upserts + $1.deletes }
        let tables = footer.tables.map { (id: $0.table, bytes: $0.keyBytes + $0.documentBytes + $0.upserts + $0.deletes) }
        let largest = tables.count <= Self.maximumTables ? tables : Array(tables.sorted { $0.bytes > $1.bytes }.prefix(Self.maximumTables))
        let summary = Summary(sample: footer.sample, bytes: bytes, tables: largest)
        summaries.withLock { $0[segment.entry.identity] = summary }
        return summary
    }
}
