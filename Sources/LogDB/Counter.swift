//===--- Counter.swift - durable counts ------------------------------------===//

import LogDBFile
import LogDBFormat

/// A number in a document that is counted up and down durably, each step at the cost of one write and no read.
///
/// The count is read once, when the counter is made, and kept in memory from then on; each step writes the whole document, its other
/// members as they were. So there must be one hand on it: what somebody else writes to the same key is overwritten by the next
/// step. Threads may share a counter; one database can hold any number.
///
/// ```swift
/// let visits = try db.counter("statistics", "visits", field: "count")
/// try visits.increment()                        // durable on return, at the database's level
/// ```
public final class Counter: Sendable {
    private struct State {
        var value: Int64
        /// The document around the number.
        var before: [UInt8]
        var after: [UInt8]
    }

    private let database: Database
    private let table: String
    private let key: Key
    private let state: Monitor<State>

    fileprivate init(_ database: Database, _ table: String, _ key: Key, _ value: Int64, before: [UInt8], after: [UInt8]) {
        self.database = database
        self.table = table
        self.key = key
        state = Monitor(State(value: value, before: before, after: after))
    }

    /// The count as of the last step.
    public var value: Int64 { state.withLock { $0.value } }

    /// Adds `step`, which may be negative, and waits for `persistence`.
    ///
    /// - Returns: the new count.
    /// - Throws: as ``Database/upsert(_:_:json:timeToLive:persistence:)``, and `.counterOverflow`. Where nothing was written the count is what it was;
    ///   after `.syncFailed` it is the new one.
    @discardableResult
    public func increment(by step: Int64 = 1, persistence: Persistence? = nil) throws(LogDBError) -> Int64 {
        let level = try database.level(persistence)
        // Appended under the counter's lock, so that the log has the steps in order; waited for outside, so that threads share a sync.
        let (value, position) = try state.withLock { state throws(LogDBError) in
            let (value, overflow) = state.value.addingReportingOverflow(step)
            guard !overflow else {
                throw LogDBError(
                    .counterOverflow, "\(state.value) and \(step) are more than a 64-bit number holds: the count was not changed")
            }
            var document = state.before
            JSONNumeral.append(value, to: &document)
            document += state.after
            let appended = try database.append(table, key, document.span)
            state.value = value
            return (value, appended.position)
        }
        try database.log.wait(for: position, level)
        return value
    }
}

extension Database {
    /// Makes a counter of the member `field` of the document under `key`. Where there is no document, or no such member, it
    /// begins at 0; nothing is written before the first step.
    ///
    /// - Throws: `.codingFailed` if the member is there and is no 64-bit integer; as ``get(_:_:)``.
    public func counter(_ table: String, _ key: Key, field: String) throws(LogDBError) -> Counter {
        try checkWritable()
        guard var document = try get(table, key).object else {
            return try makeCounter(table, key, field, JSONObject([]), 0)
        }
        guard let member = document[field] else { return try makeCounter(table, key, field, document, 0) }
        guard let value = member.int64 else {
            throw LogDBError(.codingFailed, "\(field) of \(key) is \(member), not a 64-bit integer: it cannot be counted")
        }
        document[field] = nil
        return try makeCounter(table, key, field, document, value)
    }

    private func makeCounter(
        _ table: String, _ key: Key, _ field: String, _ others: JSONObject, _ value: Int64
    ) throws(LogDBError) -> Counter {
        // The count goes first, what else there is behind it.
        var before = Array("{".utf8)
        JSONText.append(field, to: &before)
        before.append(UInt8(ascii: ":"))
        let rest = JSON.object(others).serialized()
        let after = others.isEmpty ? Array("}".utf8) : [UInt8(ascii: ",")] + rest.dropFirst()
        return Counter(self, table, key, value, before: before, after: after)
    }
}
