//===--- TimeToLive.swift - how long a document counts ----------------------===//
//
// Stamped when it is written, as the time at which it expires, into the record itself (LogDBFormat/Expiry.swift). A table's time to live is nothing but what is stamped
// where a write says nothing: it stands in the catalog beside the retention,
//
//      {"name":"sessions","timeToLive":1800000}
//
// and changing it changes nothing that was written. Who reads compares with the time at the beginning of his reading.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// When a document that is written expires. From then on it reads as absent, and the next compaction reclaims it.
public enum TimeToLive: Sendable, Hashable {
    /// Never, whatever the table says.
    case never
    /// Once the duration has passed: 1 millisecond ... 100 years, by the writer's clock.
    case after(Duration)
    /// At a time, in milliseconds since 1970 UTC: 0 ... 281,474,976,710,655. One that has passed makes a document that is absent at once, and hides what was there before.
    case until(milliseconds: Int64)
}

extension TimeToLive {
    /// A hundred years.
    static let longest: Int64 = 100 * 366 * 86_400_000

    /// Throws `.invalidOption` for a value out of its range.
    @inline(__always)
    static func validate(_ timeToLive: TimeToLive?) throws(LogDBError) {
        if let timeToLive { try timeToLive.validate() }
    }

    private func validate() throws(LogDBError) {
        switch self {
        case .never: return
        case .after(let duration): _ = try Self.milliseconds(of: duration)
        case .until(let milliseconds):
            guard Expiry.range.contains(milliseconds) else {
                throw LogDBError(
                    .invalidOption,
                    "a document is to expire at \(milliseconds): choose 0 to \(Expiry.range.upperBound) milliseconds since 1970")
            }
        }
    }

    /// - Throws: `.invalidOption` for a duration out of its range.
    static func milliseconds(of duration: Duration) throws(LogDBError) -> Int64 {
        let milliseconds = duration.milliseconds
        guard (1...longest).contains(milliseconds) else {
            throw LogDBError(.invalidOption, "the time to live is \(duration): choose 1 millisecond to 100 years, or never")
        }
        return milliseconds
    }

    /// The time that is `milliseconds` after `now`, or the nearest that has a place.
    static func expiry(after milliseconds: Int64, now: Int64) -> Int64 {
        let (sum, overflow) = now.addingReportingOverflow(milliseconds)
        return overflow ? Expiry.range.upperBound : min(max(sum, Expiry.range.lowerBound), Expiry.range.upperBound)
    }

    /// Reads the member of a catalog entry.
    static func decode(_ milliseconds: Int64?, of id: UInt64) throws(FormatError) -> Int64 {
        guard let milliseconds, (1...longest).contains(milliseconds) else {
            throw FormatError(.corrupted, "the time to live of table \(id) makes no sense")
        }
        return milliseconds
    }
}

extension LogState {
    /// When a document expires that is written to `table` now, or was made at another time; nil: never.
    @inline(__always)
    func expiry(_ timeToLive: TimeToLive?, in table: UInt64, madeAt milliseconds: Int64? = nil) -> Int64? {
        if timeToLive == nil, catalog.timesToLive.isEmpty { return nil }
        return expiryNow(timeToLive, in: table, madeAt: milliseconds)
    }

    @inline(never)
    private func expiryNow(_ timeToLive: TimeToLive?, in table: UInt64, madeAt milliseconds: Int64?) -> Int64? {
        let duration: Int64
        switch timeToLive {
        case .never: return nil
        case .until(let milliseconds): return milliseconds
        case .after(let time): duration = time.milliseconds
        case nil:
            guard let time = catalog.timesToLive[table] else { return nil }
            duration = time
        }
        return TimeToLive.expiry(after: duration, now: milliseconds ?? clock?.milliseconds ?? Clock.coarseWallMilliseconds())
    }

    /// Bytes that the expiries of `count` documents may take.
    @inline(__always)
    func expiryBound(_ timeToLive: TimeToLive?, count: Int = 1) -> Int {
        timeToLive == nil && catalog.timesToLive.isEmpty ? 0 : count * Expiry.length
    }
}

extension Log {
    /// What time it is for who reads now.
    var readingMilliseconds: Int64 { options.clock?.milliseconds ?? Clock.coarseWallMilliseconds() }
}

extension Database {
    /// Sets when documents of `table` expire that are written from now on and do not say it themselves; nil: never. Creates the table if need be.
    ///
    /// What was written before keeps the expiry that it has, or has none.
    ///
    /// - Parameters:
    ///   - timeToLive: 1 millisecond ... 100 years.
    ///   - persistence: how far the change must have travelled before this returns.
    /// - Throws: ``LogDBError`` with code `.invalidOption` if the time is out of its range; others as ``createTable(_:persistence:)``.
    public func setTimeToLive(_ timeToLive: Duration?, of table: String, persistence: Persistence? = nil) throws(LogDBError) {
        try checkWritable()
        try Catalog.validate(name: table)
        let milliseconds = try timeToLive.map { time throws(LogDBError) in try TimeToLive.milliseconds(of: time) }
        let level = try level(persistence)
        let position = try log.schemas.alone { () throws(LogDBError) in
            while true {
                let snapshot = try log.snapshot()
                let id = snapshot.tables.ids[table]
                if let id, snapshot.tables.timesToLive[id] == milliseconds { return try end() }
                var entry = try id.map { id throws(LogDBError) in try catalogEntry(id, in: snapshot) } ?? CatalogEntry(name: table)
                entry.timeToLive = milliseconds
                let definition = id.flatMap { snapshot.tables.definitions[$0] }
                if let appended = try log.setDefinition(table, id, entry.document(), definition, entry.retention, milliseconds) {
                    return appended.position
                }
            }
        }
        try log.wait(for: position, level)
    }

    /// When documents of `table` expire that do not say it themselves; nil: never.
    ///
    /// - Throws: `.noSuchTable`.
    public func timeToLive(of table: String) throws(LogDBError) -> Duration? {
        let snapshot = try log.snapshot()
        guard let id = snapshot.tables.ids[table] else {
            throw LogDBError(.noSuchTable, "there is no table \(TableDefinition.brief(.string(table)))")
        }
        return snapshot.tables.timesToLive[id].map { .milliseconds($0) }
    }
}
