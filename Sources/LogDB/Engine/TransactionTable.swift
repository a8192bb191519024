//===--- TransactionTable.swift - transactions that are open, and fates ----===//
//
// A transaction's number is the sequence number of its first operation: unique in the log, and no counter has to be kept. It
// has none before that, and one that never wrote leaves no trace.
//
//   * an operation of a transaction counts once `committed` holds the number. There is no third state on the disk: what has no
//     commit never happened.
//   * an open transaction pins the raw segments from its first operation on: they cannot be sealed, because sealed segments
//     know nothing of transactions. When all segments that a committed one touched are sealed its number is forgotten.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A transaction as the log knows it.
final class OpenTransaction: @unchecked Sendable {
    // SAFETY: every access is made under the log's lock.

    /// Its number; 0 before its first operation.
    fileprivate(set) var number: UInt64 = 0
    fileprivate(set) var operations: UInt64 = 0
    fileprivate(set) var bytes: UInt64 = 0
    /// Frames begun for it. One that is whole in a single frame needs no commit of its own.
    fileprivate(set) var frames = 0
    fileprivate(set) var firstSegment: UInt64 = 0
    fileprivate(set) var startPosition: UInt64 = 0
    /// Why it takes no more operations: it was ended by its owner or by the engine.
    fileprivate var failure: LogDBError?

    @inline(__always)
    func check() throws(LogDBError) {
        if let failure { throw failure }
    }

    @inline(__always)
    func count(bytes: Int, startsFrame: Bool) {
        operations += 1
        self.bytes += UInt64(bytes)
        if startsFrame { frames += 1 }
    }
}

struct TransactionTable {
    /// Those that have operations and have not ended.
    private(set) var pinning: [OpenTransaction] = []
    /// Numbers of committed transactions with operations in raw segments, each with the segment that its commit stands in.
    var committed: [UInt64: UInt64] = [:]
    /// The first segment that an open transaction has operations in.
    private(set) var firstPinnedSegment: UInt64?
    /// Log position of the first operation of the transaction that has been open longest; the greatest number where there is none.
    private(set) var oldestStart: UInt64 = .max

    /// Gives a transaction its number, with its first operation.
    mutating func start(_ transaction: OpenTransaction, at sequence: UInt64, segment: UInt64, position: UInt64) {
        transaction.number = sequence
        transaction.firstSegment = segment
        transaction.startPosition = position
        pinning.append(transaction)
        updatePins()
    }

    /// Ends a transaction, committed or not. Returns whether it kept anything from being sealed.
    @discardableResult
    mutating func end(_ transaction: OpenTransaction) -> Bool {
        if transaction.failure == nil {
            transaction.failure = LogDBError(.transactionEnded, "the transaction was committed or rolled back before: begin another")
        }
        guard let index = pinning.firstIndex(where: { $0 === transaction }) else { return false }
        pinning.remove(at: index)
        updatePins()
        return true
    }

    /// Ends the transactions whose first operation stands before `position`: they keep too much from being sealed.
    mutating func expire(before position: UInt64, limit: UInt64) {
        for transaction in pinning where transaction.startPosition < position {
            transaction.failure = LogDBError(
                .transactionTooLarge,
                "the transaction was rolled back: the log grew by more than the \(limit) bytes of maximumOpenTransactionBytes since it began"
            )
        }
        pinning.removeAll { $0.failure != nil }
        updatePins()
    }

    /// Forgets committed transactions that touch nothing but sealed segments, up to and with `segment`.
    mutating func forget(through segment: UInt64) {
        guard !committed.isEmpty else { return }
        committed = committed.filter { $0.value > segment }
    }

    private mutating func updatePins() {
        // In order of their beginnings.
        firstPinnedSegment = pinning.first?.firstSegment
        oldestStart = pinning.first?.startPosition ?? .max
    }
}
