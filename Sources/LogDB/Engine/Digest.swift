//===--- Digest.swift - the digest of the live contents ---------------------===//
//
// What it is stands in ContentDigest.swift. Computed by a select; without reading data where nothing but one generation of the base is
// there, whose segments have added up their documents.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// The digest of a database's live contents: two databases that hold the same documents under the same keys in tables of the same names have the
/// same one, whatever is in their logs. When a document expires is part of it. Against accidents, not against somebody who computes one.
public struct LiveDigest: Sendable, Hashable, CustomStringConvertible {
    public var value: UInt64
    /// Live documents.
    public var documents: UInt64

    /// Sixteen hexadecimal digits.
    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Database {
    /// Reads the live contents and returns their digest. Cost and memory: as ``select(_:_:)``.
    public func digest() throws -> LiveDigest {
        let snapshot = try log.snapshot()
        var tables = TableDigests()
        var documents: UInt64 = 0
        try select(nil, in: snapshot) { operation in
            tables.add(Record(table: operation.tableID, key: operation.encodedKey, isDelete: false, document: operation.stored))
            documents += 1
        }
        return snapshot.combined(tables, documents: documents)
    }
}

extension Snapshot {
    /// The digest as the base's segments have added it up; nil where there is more than one generation of it, or where a
    /// document has expired since.
    func knownDigest() throws(LogDBError) -> LiveDigest? {
        guard sealed.isEmpty, raw.allSatisfy({ $0.end == RawSegment.frameOrigin }), generations.count <= 1 else { return nil }
        var digests = TableDigests()
        var documents: UInt64 = 0
        let now = try clock.milliseconds()
        for segment in base {
            let footer = try segment.footer(of: try segment.open().0)
            // What has expired since is in the sums.
            if !footer.expiry.isEmpty, footer.expiry.least <= now { return nil }
            for table in footer.tables where tableName(table.table) != nil {
                digests.add(table.table, table.digest)
                documents += table.upserts
            }
        }
        return combined(digests, documents: documents)
    }

    fileprivate func combined(_ tables: TableDigests, documents: UInt64) -> LiveDigest {
        var all = ContentDigest()
        for (id, digest) in tables.settled { if let name = tableName(id) { all.add(table: name, digest) } }
        return LiveDigest(value: all.value, documents: documents)
    }
}
