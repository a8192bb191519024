//===--- Sorter.swift - the log, sorted by key within a budget --------------===//
//
// Operations go in in any order, newest first at best; out come sorted sources for a merge, in which the newest operation of each key is
// the one that counts. What fits stays in memory. What does not goes into sorted runs of a spill file, and where there are more of those than
// a merge can read at once, some are merged into one first.
//
// Where nothing can be spilled (a full disk, a reader without a place of its own) the sorter narrows instead: it keeps the keys that come first
// and says where it stopped, and its owner comes again for the rest. Slower, and needs nothing but memory.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class Sorter {
    enum Overflow {
        case spill(() throws(LogDBError) -> SpillFile)
        case narrow
    }

    private let buffer: SortBuffer
    private let overflow: Overflow
    private let fanIn: Int
    private let isReversed: Bool
    private let versions: VersionRule?
    private(set) var spill: SpillFile?
    private var runs: [SpillRun] = []
    /// What is sorted: made smaller as a narrowing sorter finds that not all of it fits.
    private(set) var range: KeyRange
    /// The first key that was left for another time, in the direction of the sort.
    private(set) var rest: FullKey?
    /// What was superseded while runs were merged into one.
    private var superseded = TableDigests()
    /// Called now and then, to be able to stop.
    var check: () throws(LogDBError) -> Void = {}

    /// - Parameter budget: bytes of memory for sorting, and for merging the runs after it.
    init(range: KeyRange, budget: Int, isReversed: Bool = false, overflow: Overflow, versions: VersionRule? = nil) {
        self.versions = versions
        self.range = range
        self.overflow = overflow
        self.isReversed = isReversed
        buffer = SortBuffer(budget: budget, versions: versions)
        fanIn = Self.fanIn(budget: budget)
    }

    /// Raw bytes of a block of a run where `budget` bytes are for sorting.
    static func blockLength(budget: Int) -> Int { min(32 << 10, max(4 << 10, budget / 1024)) }

    /// Runs that a merge may read at once in four fifths of `budget`: the buffer is empty by then. A block of a run takes its length unpacked, its
    /// places, and its packed form while it is read.
    static func fanIn(budget: Int) -> Int { max(4, budget / 5 * 4 / (3 * blockLength(budget: budget) + 4096)) }

    var isSpilled: Bool { !runs.isEmpty }

    func add(_ record: borrowing Record, sequence: SequenceNumber, milliseconds: Int64) throws(LogDBError) {
        guard range.contains(record.table, record.key) else { return }
        if buffer.isFull(before: record.key.count + record.document.count) {
            try empty()
            guard range.contains(record.table, record.key) else { return }
        }
        buffer.add(record, sequence: sequence, milliseconds: milliseconds)
    }

    private func empty() throws(LogDBError) {
        try check()
        switch overflow {
        case .narrow:
            // Of one large document there is no half: the next one comes beside it.
            guard buffer.count > 1 else { return }
            guard let cut = buffer.narrow(isReversed: isReversed) else { return }
            rest = cut
            if isReversed {
                // The smallest key behind `cut` in the order of bytes.
                range.lower = FullKey(table: cut.table, key: cut.key + [0])
            } else {
                range.upper = cut
            }
        case .spill(let make):
            let file: SpillFile
            if let spill {
                file = spill
            } else {
                file = try make()
                spill = file
            }
            buffer.sort()
            let run = try write(buffer.makeCursor(), to: file)
            guard run.digests == buffer.digests else { throw Self.unbalanced("a run") }
            runs.append(run)
            buffer.removeAll()
        }
    }

    private func write(_ cursor: RecordCursor, to file: SpillFile) throws(LogDBError) -> SpillRun {
        var writer = RunWriter(file)
        try cursor.advance()
        while !cursor.isAtEnd {
            try writer.append(cursor)
            try cursor.advance()
        }
        return try writer.finish()
    }

    /// The sorted sources, and the documents that they hold together. Nothing may be added any more.
    func finish() throws(LogDBError) -> (sources: [RecordCursor], digests: TableDigests) {
        guard isSpilled, let spill else {
            buffer.sort()
            return ([buffer.makeCursor(isReversed: isReversed)], buffer.digests)
        }
        precondition(!isReversed, "runs are read forwards")
        if !buffer.isEmpty { try empty() }
        buffer.release()
        while runs.count > fanIn {
            // As few as will do, the smallest first: every byte of them is written once more.
            let count = min(fanIn, runs.count - fanIn + 1)
            runs.sort { $0.end - $0.start < $1.end - $1.start }
            let merged = try merge(Array(runs[..<count]), in: spill)
            runs.removeFirst(count)
            runs.append(merged)
        }
        var digests = TableDigests()
        for run in runs { digests.add(run.digests) }
        return (runs.map { RunCursor(spill, $0) }, digests)
    }

    private func merge(_ some: [SpillRun], in spill: SpillFile) throws(LogDBError) -> SpillRun {
        var balance = TableDigests()
        for run in some { balance.add(run.digests) }
        let merge = Merge(some.map { RunCursor(spill, $0) })
        merge.versions = versions
        var failure: LogDBError?
        var passed = TableDigests()
        merge.superseded = { cursor in
            guard !cursor.isDelete, failure == nil else { return }
            do throws(LogDBError) {
                try cursor.loadDocument()
                passed.add(cursor.record)
            } catch { failure = error }
        }
        var writer = RunWriter(spill)
        var count = 0
        while let cursor = try merge.next() {
            try writer.append(cursor)
            count += 1
            if count % 4096 == 0 { try check() }
        }
        if let failure { throw failure }
        let run = try writer.finish()
        passed.add(run.digests)
        guard passed == balance else { throw Self.unbalanced("a merge of runs") }
        return run
    }

    static func unbalanced(_ what: String) -> LogDBError {
        LogDBError(
            .internalInconsistency,
            "\(what) does not hold the documents that went into it: nothing was changed. Run 'logdb verify', and report this")
    }

    /// Gives back memory and disk.
    func close() { spill?.close() }
}
