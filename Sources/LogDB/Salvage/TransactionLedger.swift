//===--- TransactionLedger.swift - which transactions happened --------------===//
//
// A transaction counts if its commit was read. What damage does to that:
//
//      begin … operations … [gap] … end of the log        the commit may have been in the gap: nothing of it is restored, and it is reported
//      begin … operations … [gap] … commit                it happened: what was read of it is restored, and that some may be missing is reported
//      begin … operations … end of the log, no gap        it never happened, and is no loss
//
// All or nothing cannot survive damage: whole segments, once sealed, know nothing of transactions. But a transaction that may never have been committed
// is not made to have happened.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct TransactionLedger {
    private struct Open {
        var first: SequenceNumber
        var last: SequenceNumber
        var operations: UInt64 = 0
        var tables: Set<UInt64> = []
        /// Gaps passed before its first operation.
        var gaps: Int
    }
    private var open: [UInt64: Open] = [:]
    private(set) var committed: Set<UInt64> = []
    private var gaps = 0
    private(set) var findings: [SalvageFinding] = []
    /// Transactions that are reported one by one; more of them are counted only.
    private static let maximumFindings = 1000

    mutating func passGap() { gaps += 1 }

    /// An operation of transaction `number`.
    mutating func add(_ number: UInt64, _ record: borrowing Record, _ sequence: SequenceNumber) {
        var one = open[number] ?? Open(first: sequence, last: sequence, gaps: gaps)
        one.last = sequence
        one.operations += 1
        if one.tables.count < 1000 { one.tables.insert(record.table) }
        open[number] = one
    }

    mutating func rollBack(_ number: UInt64) { open[number] = nil }

    /// - Parameter mayBeLost: whether operations in a range of numbers may be missing.
    mutating func commit(_ number: UInt64, at sequence: SequenceNumber, mayBeLost: (ClosedRange<SequenceNumber>) -> Bool) {
        committed.insert(number)
        guard let one = open.removeValue(forKey: number) else { return }
        // A transaction has the number of its first operation.
        let lostItsBeginning = number < one.first && mayBeLost(number...(one.first - 1))
        guard one.gaps < gaps || lostItsBeginning else { return }
        guard findings.count < Self.maximumFindings, mayBeLost(min(number, one.first)...max(sequence, one.first)) else { return }
        findings.append(
            SalvageFinding(
                .uncertain, file: nil, from: lostItsBeginning ? number : one.first, through: sequence, tables: one.tables,
                "a transaction was committed, and some of its operations may be among those that are lost: what was read of it was restored"
            ))
    }

    /// The log has ended.
    mutating func finish() {
        for (_, one) in open.sorted(by: { $0.key < $1.key }) where one.gaps < gaps && findings.count < Self.maximumFindings {
            findings.append(
                SalvageFinding(
                    .uncertain, file: nil, from: one.first, through: one.last, operations: one.operations, tables: one.tables,
                    "a transaction's commit is not there, and may be among what is lost: it was not restored"))
        }
        open = [:]
    }
}
