//===--- TableDigests.swift - the account that a merge must balance ---------===//
//
// What goes in, less what is superseded or dropped, is what comes out: for each table, by the digest of its documents. The two sides
// are added up in different places, so a document that a merge loses, doubles or changes does not go unnoticed.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct TableDigests: Equatable {
    private struct Row {
        var table = UInt64.max
        var digest = ContentDigest()
    }
    private var digests: [UInt64: ContentDigest] = [:]
    /// The table of the last record: most are of the table of the one before, and the rest of one of a few.
    private var current = Row()
    private var recent: [Row] = []

    private static let recentCount = 16

    static func == (a: TableDigests, b: TableDigests) -> Bool { a.settled == b.settled }

    /// By table, those of no documents left out.
    var settled: [UInt64: ContentDigest] {
        var all = digests
        for row in recent where row.table != .max { all[row.table] = row.digest }
        if current.table != .max { all[current.table] = current.digest }
        return all.filter { $0.value.value != 0 }
    }

    @inline(__always)
    private mutating func turn(to table: UInt64) {
        if current.table != table { change(to: table) }
    }

    /// A table is in one place only: current, recent, or among the others.
    private mutating func change(to table: UInt64) {
        if recent.isEmpty { recent = [Row](repeating: Row(), count: Self.recentCount) }
        if current.table != .max {
            let place = Int(truncatingIfNeeded: current.table) & (Self.recentCount - 1)
            if recent[place].table != .max { digests[recent[place].table] = recent[place].digest }
            recent[place] = current
        }
        let place = Int(truncatingIfNeeded: table) & (Self.recentCount - 1)
        if recent[place].table == table {
            current = recent[place]
            recent[place].table = .max
        } else {
            current = Row(table: table, digest: digests.removeValue(forKey: table) ?? ContentDigest())
        }
    }

    @inline(__always)
    mutating func add(_ record: Record) {
        turn(to: record.table)
        current.digest.add(ContentDigest.term(key: record.key, document: record.document))
    }

    /// `term` is what a record of the table adds.
    @inline(__always)
    mutating func add(_ table: UInt64, term: UInt64) {
        turn(to: table)
        current.digest.add(term)
    }

    @inline(__always)
    mutating func subtract(_ table: UInt64, term: UInt64) {
        turn(to: table)
        current.digest.subtract(term)
    }

    mutating func add(_ other: TableDigests) {
        for (table, digest) in other.settled { add(table, digest) }
    }

    mutating func add(_ table: UInt64, _ digest: ContentDigest) {
        turn(to: table)
        current.digest.add(digest.value)
    }

    mutating func subtract(_ table: UInt64, _ digest: ContentDigest) {
        turn(to: table)
        current.digest.subtract(digest.value)
    }
}
