//===--- Revert.swift - back to how it was, as new operations ---------------===//
//
// What there is now differs from what there was: those differences, backwards, are written as one transaction. So nothing is undone; the log goes on, and what stood
// before the revert is history like everything else.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// What a revert did.
public struct RevertReport: Sendable, Hashable {
    /// Documents that were written again, and documents that were deleted.
    public var upserts: UInt64 = 0
    public var deletes: UInt64 = 0
}

extension Database {
    /// Makes the documents of all tables what they were at `moment`, in one transaction.
    ///
    /// Writes what differs, and nothing else: documents of then are written anew, byte for byte, to expire when they were to expire, and those that there were not, or that have
    /// expired by now, are deleted. Tables that were dropped since
    /// are made again, without their schemas, retentions and times to live; tables made since stay, empty. A failure on the way leaves everything as it is. What others write
    /// meanwhile stands or does not by the order of operations. What stood before the revert is kept as retention says; make a savepoint first to be able to go back.
    ///
    /// Any number of documents, within the memory budget; the log may grow by ``Options/maximumOpenTransactionBytes``.
    ///
    /// - Parameter persistence: how far it must have travelled before this returns.
    /// - Throws: ``LogDBError`` with code `.historyIncomplete`, `.noSuchSavepoint`; `.schemaViolation` if a document of then breaks a schema of now; others as
    ///   ``Transaction/upsert(_:_:json:timeToLive:)`` and ``Transaction/commit(persistence:)``.
    @discardableResult
    public func revert(to moment: Moment, persistence: Persistence? = nil) throws -> RevertReport {
        try revert(nil, nil, to: moment, persistence)
    }

    /// Makes the documents of `table` what they were at `moment`; as ``revert(to:persistence:)``.
    @discardableResult
    public func revert(_ table: String, to moment: Moment, persistence: Persistence? = nil) throws -> RevertReport {
        try revert(table, nil, to: moment, persistence)
    }

    /// Makes one document what it was at `moment`; as ``revert(to:persistence:)``.
    @discardableResult
    public func revert(_ table: String, _ key: Key, to moment: Moment, persistence: Persistence? = nil) throws -> RevertReport {
        try revert(table, key, to: moment, persistence)
    }

    private func revert(_ table: String?, _ key: Key?, to moment: Moment, _ persistence: Persistence?) throws -> RevertReport {
        try checkWritable()
        let view = try PastView(self)
        let then = try view.state(moment)
        let now = try view.state(.sequence(.max))
        var report = RevertReport()
        try transaction(persistence: persistence) { transaction in
            let difference = Difference(now, then, alsoExpiredAt: log.readingMilliseconds)
            try difference.forEach(table: table, key: key) { operation in
                if operation.isDelete {
                    try transaction.delete(operation.table, try operation.key)
                    report.deletes += 1
                } else {
                    let timeToLive = operation.expires.map { TimeToLive.until(milliseconds: $0) } ?? .never
                    try transaction.upsert(operation.table, try operation.key, json: operation.document, timeToLive: timeToLive)
                    report.upserts += 1
                }
            }
        }
        return report
    }
}
