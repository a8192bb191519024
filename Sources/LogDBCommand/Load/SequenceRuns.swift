//===--- SequenceRuns.swift - the numbers of a transaction's operations ----===//
//
// A transaction may have any number of operations and is acknowledged as a whole, so their numbers have to be kept until then. Numbers
// in a row are one run; each run is two varints, how far it starts behind the one before it and how long it is:
//
//      7 8 9 12 13   →   +7 3 · +2 2
//
// A transaction that nobody interleaves with is one run, however long; one whose every operation has a stranger behind it takes two
// bytes each.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

struct SequenceRuns: ~Copyable {
    private(set) var count: UInt64 = 0
    private var finished = ByteBuffer(capacity: 16)
    private var finishedEnd: UInt64 = 0
    /// The run that the next number may belong to.
    private var first: UInt64 = 0
    private var end: UInt64 = 0

    /// Adds a number, greater than all before it.
    mutating func append(_ number: SequenceNumber) {
        precondition(number >= end)
        if number != end || count == 0 {
            finish()
            first = number
        }
        end = number + 1
        count += 1
    }

    private mutating func finish() {
        guard end > first else { return }
        finished.append(varint: first - finishedEnd)
        finished.append(varint: end - first)
        finishedEnd = end
    }

    /// Calls `body` with each run, in order.
    func forEach(_ body: (ClosedRange<SequenceNumber>) throws -> Void) throws {
        var reader = ByteReader(finished.span)
        var at: UInt64 = 0
        while !reader.isAtEnd {
            let start = at + (try reader.varint())
            at = start + (try reader.varint())
            try body(start...at - 1)
        }
        if end > first { try body(first...end - 1) }
    }
}
