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

struct TransactionTable {
    /// Names a transaction in memory.
    typealias Token = UInt64

    struct Open {
        var number: UInt64?
        var operations: UInt64 = 0
        var bytes: UInt64 = 0
        /// Frames begun for it. One that is whole in a single frame needs no commit of its own.
        var frames = 0
        var firstSegment: UInt64 = 0
        var startPosition: UInt64 = 0
        /// Set where the engine ended it.
        var failure: LogDBError?
    }

    private(set) var open: [Token: Open] = [:]
    /// Numbers of committed transactions with operations in raw segments, each with the segment that its commit stands in.
    var committed: [UInt64: UInt64] = [:]
    private var nextToken: Token = 1
    /// The first segment that an open transaction has operations in.
    private(set) var firstPinnedSegment: UInt64?
    /// Log position of the first operation of the transaction that has been open longest; the greatest number where there is none.
    private(set) var oldestStart: UInt64 = .max

    mutating func begin() -> Token {
        defer { nextToken += 1 }
        open[nextToken] = Open()
        return nextToken
    }

    func check(_ token: Token) throws(LogDBError) {
        guard let transaction = open[token] else {
            throw LogDBError(.transactionEnded, "the transaction was committed or rolled back before: begin another")
        }
        if let failure = transaction.failure { throw failure }
    }

    func number(of token: Token) -> UInt64? { open[token]?.number }

    /// Whether all its operations stand in one frame.
    func isOneFrame(_ token: Token) -> Bool { open[token]?.frames == 1 }

    /// Its number, which it gets with its first operation.
    mutating func number(of token: Token, orStartAt sequence: UInt64, segment: UInt64, position: UInt64) -> UInt64 {
        if let number = open[token]?.number { return number }
        open[token]?.number = sequence
        open[token]?.firstSegment = segment
        open[token]?.startPosition = position
        updatePins()
        return sequence
    }

    mutating func count(_ token: Token, bytes: Int, startsFrame: Bool) {
        open[token]!.operations += 1
        open[token]!.bytes += UInt64(bytes)
        if startsFrame { open[token]!.frames += 1 }
    }

    mutating func end(_ token: Token) {
        open[token] = nil
        updatePins()
    }

    /// Ends the transactions whose first operation stands before `position`: they keep too much from being sealed.
    mutating func expire(before position: UInt64, limit: UInt64) {
        for (token, transaction) in open where transaction.number != nil && transaction.failure == nil && transaction.startPosition < position {
            open[token]!.failure = LogDBError(
                .transactionTooLarge,
                "the transaction was rolled back: the log grew by more than the \(limit) bytes of maximumOpenTransactionBytes since it began")
        }
        updatePins()
    }

    /// Forgets committed transactions that touch nothing but sealed segments, up to and with `segment`.
    mutating func forget(through segment: UInt64) {
        guard !committed.isEmpty else { return }
        committed = committed.filter { $0.value > segment }
    }

    private mutating func updatePins() {
        let pinning = open.values.filter { $0.number != nil && $0.failure == nil }
        firstPinnedSegment = pinning.map(\.firstSegment).min()
        oldestStart = pinning.map(\.startPosition).min() ?? .max
    }
}
