//===--- Sorter.swift - the log, sorted by key within a budget --------------===//
//
// Operations go in in any order, newest first at best; out come sorted sources for a merge, in which the newest operation of each key is
// the one that counts. What fits stays in memory. What does not goes into sorted runs of a spill file, and where there are more of those than
// a merge can read at once, some are merged into one first. Where the budget is large enough for two buffers, one is sorted and written on a thread
// of its own while the other fills. Keys that went into runs are remembered, so that older operations on them do not (see KeyFilter).
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

    /// What is being filled.
    private var buffer: SortBuffer
    private let overflow: Overflow
    private let isReversed: Bool
    /// Where full buffers go, once one was full.
    private var shelf: RunShelf?
    private let budget: Int
    private let hasTwoBuffers: Bool
    private let versions: VersionRule?
    private let filterBudget: Int
    private var filter: KeyFilter?
    /// What is sorted: made smaller as a narrowing sorter finds that not all of it fits.
    private(set) var range: KeyRange {
        didSet { hasNoBounds = false }
    }
    private var hasNoBounds: Bool
    /// The first key that was left for another time, in the direction of the sort.
    private(set) var rest: FullKey?
    /// What keys are hashed with, drawn anew for each sort: nobody can choose keys that all meet in one slot.
    let hashSeed = UInt64.random(in: 0 ... .max)
    /// What was superseded while runs were merged into one.
    private var superseded = TableDigests()
    /// Called now and then, to be able to stop.
    var check: () throws(LogDBError) -> Void = {}

    /// Bytes from which on two buffers share a budget: of less, each would make too many runs.
    private static let budgetOfTwo = 16 << 20

    /// - Parameters:
    ///   - budget: bytes of memory for sorting, and for merging the runs after it.
    ///   - filterBudget: bytes of memory beside it, while operations are added, for what went into runs; 0 where no key comes twice.
    init(
        range: KeyRange, budget: Int, filterBudget: Int = 0, isReversed: Bool = false, overflow: Overflow,
        versions: VersionRule? = nil
    ) {
        self.versions = versions
        self.filterBudget = filterBudget
        self.range = range
        hasNoBounds = range == .everything
        self.overflow = overflow
        self.isReversed = isReversed
        self.budget = budget
        hasTwoBuffers = budget >= Self.budgetOfTwo
        buffer = SortBuffer(budget: budget, versions: versions)
    }

    /// Bytes for remembering keys, beside a budget for sorting.
    static func filterBudget(_ sortBudget: Int) -> Int { sortBudget / 3 }
    /// Bytes for each of two buffers: together they and the filter take what one buffer takes that has all of the budget.
    private static func lengthOfOne(of budget: Int, _ filterBudget: Int) -> Int { (budget - filterBudget) / 2 }

    var spill: SpillFile? { shelf?.spill }

    /// Raw bytes of a block of a run where `budget` bytes are for sorting: smaller ones where that spares merging runs into fewer first.
    ///
    /// - Parameters:
    ///   - records: how many are to be sorted, at most.
    ///   - rawLength: bytes of their keys and documents.
    static func blockLength(budget: Int, records: UInt64, rawLength: UInt64) -> Int {
        var length = min(32 << 10, max(4 << 10, budget / 1024))
        let bytes = rawLength + records * UInt64(SortBuffer.entryBytes)
        let runs = bytes / UInt64(max(1, budget >= budgetOfTwo ? lengthOfOne(of: budget, filterBudget(budget)) : budget)) + 1
        while length > 8 << 10, UInt64(fanIn(budget: budget, blockLength: length)) < runs { length /= 2 }
        return length
    }

    /// Runs that a merge may read at once in `budget`: the buffer is empty by then. A block of a run takes its length unpacked, its places, and its packed
    /// form while it is read.
    static func fanIn(budget: Int, blockLength: Int) -> Int { max(4, budget / (3 * blockLength + 4096)) }

    func add(_ record: borrowing Record, sequence: SequenceNumber, milliseconds: Int64) throws(LogDBError) {
        let key = record.key
        let length = key.count
        // SAFETY: the pointer does not leave the closure.
        let hash = unsafe key.withUnsafeBytes { unsafe KeyHash.hash($0.baseAddress!, length, seed: hashSeed) }
        var buffer = buffer
        try makeRoom(for: key, record.document, in: record.table, &buffer)
        guard hasNoBounds || range.contains(record.table, key) else { return }
        buffer.add(record, keyHash: hash, sequence: sequence, milliseconds: milliseconds)
    }

    /// How many records ahead memory is asked for.
    private static let prefetchDistance = 24

    /// Adds those of a block's records that `isWanted`, the last one first. Their hashes were made with `hashSeed`.
    func add(
        _ block: LoadRecords, in raw: borrowing ByteBuffer, isWanted: (UInt64, SequenceNumber) -> Bool
    ) throws(LogDBError) {
        let (all, stamps) = (block.records, block.stamps)
        precondition(all.count == stamps.count)
        let distance = Self.prefetchDistance
        // Pointers, and one buffer until it is full: arrays and members would be held on to and let go of for every record.
        try unsafe all.withUnsafeBufferPointer { records throws(LogDBError) in
            try unsafe stamps.withUnsafeBufferPointer { stamps throws(LogDBError) in
                try unsafe raw.withUnsafeBytes { raw throws(LogDBError) in
                    guard let base = unsafe raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
                    var buffer = buffer
                    var index = records.count
                    while index > 0 {
                        index -= 1
                        // SAFETY: `index` is below the count of both.
                        let (record, stamp) = unsafe (records[index], stamps[index])
                        if index >= distance {
                            unsafe buffer.prefetch(
                                slotOf: records[index - distance], entryOf: records[index - distance * 2 / 3],
                                keyOf: records[index - distance / 3])
                        }
                        guard isWanted(record.table, stamp.sequence) else { continue }
                        let isDelete = record.documentLength == FlatTable.Entry.deleted
                        // SAFETY: a record's places were proven to lie in the block.
                        let key = unsafe Span<UInt8>(_unsafeStart: base + Int(record.key), count: Int(record.keyLength))
                        let document = unsafe Span<UInt8>(
                            _unsafeStart: base + Int(record.document), count: isDelete ? 0 : Int(record.documentLength))
                        try makeRoom(for: key, document, in: record.table, &buffer)
                        guard hasNoBounds || range.contains(record.table, key) else { continue }
                        buffer.add(
                            Record(table: record.table, key: key, isDelete: isDelete, document: document), keyHash: record.hash,
                            sequence: stamp.sequence, milliseconds: stamp.milliseconds)
                    }
                }
            }
        }
    }

    /// Empties the buffer if it has no room for a record that belongs into it.
    @inline(__always)
    private func makeRoom(
        for key: Span<UInt8>, _ document: Span<UInt8>, in table: UInt64, _ buffer: inout SortBuffer
    ) throws(LogDBError) {
        let isLarge = document.count > budget / 4
        guard isLarge || buffer.isFull(before: key.count + document.count) else { return }
        try makeRoomNow(for: key, document, in: table, isLarge: isLarge)
        buffer = self.buffer
    }

    @inline(never)
    private func makeRoomNow(for key: Span<UInt8>, _ document: Span<UInt8>, in table: UInt64, isLarge: Bool) throws(LogDBError) {
        guard range.contains(table, key) else { return }
        if buffer.isFull(before: key.count + document.count) { try empty() }
        // A buffer grows for a document larger than itself: one at a time does.
        if isLarge { try shelf?.wait() }
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
            if let shelf {
                if filter?.isWorthwhile() == false { filter = nil }
                buffer.filter = nil
                buffer = try shelf.exchange(buffer)
                buffer.filter = filter
            } else {
                try startShelf(try make())
            }
        }
    }

    /// The first buffer has all of the budget: what fits into it is never spilled.
    private func startShelf(_ file: SpillFile) throws(LogDBError) {
        let shelf = RunShelf(file)
        self.shelf = shelf
        if filterBudget > 0 {
            let filter = KeyFilter(budget: filterBudget)
            buffer.fill(filter)
            self.filter = filter
        }
        try shelf.write(buffer)
        buffer.filter = filter
        guard hasTwoBuffers else { return }
        buffer.release()
        buffer = SortBuffer(budget: Self.lengthOfOne(of: budget, filterBudget), versions: versions)
        buffer.filter = filter
        shelf.begin(spare: SortBuffer(budget: Self.lengthOfOne(of: budget, filterBudget), versions: versions))
    }

    /// The sorted sources, and the documents that they hold together. Nothing may be added any more.
    func finish() throws(LogDBError) -> (sources: [RecordCursor], digests: TableDigests) {
        guard let shelf else {
            buffer.sort()
            return ([buffer.makeCursor(isReversed: isReversed)], buffer.digests)
        }
        precondition(!isReversed, "runs are read forwards")
        if !buffer.isEmpty { try empty() }
        buffer.release()
        filter = nil
        let spill = shelf.spill
        let fanIn = Self.fanIn(budget: budget, blockLength: spill.blockLength)
        var runs = try shelf.finish()
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

    /// Gives back memory and disk, whatever was under way. What `finish` returned is gone with it.
    func close() {
        shelf?.close()
        shelf = nil
        filter = nil
        buffer.release()
    }
}
