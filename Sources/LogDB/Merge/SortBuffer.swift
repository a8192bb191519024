//===--- SortBuffer.swift - the newest operation of each key, in memory -----===//
//
// (Where versions are retained: the newest of each key and stamp, see VersionRule.)
//
// Takes operations in any order and keeps the newest of each key: a hash table finds the key, so what is superseded costs no room and is
// never sorted. Fed newest first, superseded ones are not even copied. When it is full its owner sorts it and does something with it.
//
//      arena     key and document of each kept operation, one after the other
//      entries   where they are, with number and time
//      table     open addressing; entry number + 1
//      order     after `sort`: entries by key, each with the eight bytes of its key behind what all keys have in common
//
// A filter, where there is one, tells of keys that earlier buffers had.
//
// Memory: `arena` and 96 bytes an entry. The arena is reserved at once and touched as it fills.
//===-----------------------------------------------------------------------===//

import CLogDB
import LogDBFormat

@safe
final class SortBuffer {
    private struct Entry {
        var hash: UInt64
        var table: UInt64
        var sequence: SequenceNumber
        var milliseconds: Int64
        /// What the record adds to the digest.
        var term: UInt64
        var start: Int
        var keyLength: Int32
        /// -1 for a delete.
        var documentLength: Int32
    }
    private struct Sorted {
        var prefix: UInt64
        var entry: UInt32
    }

    // For one thread, and nothing here is called while it is under way: each access to a member need not be entered in a list.
    @exclusivity(unchecked) private var arena: UnsafeMutableRawPointer
    @safe @exclusivity(unchecked) private var arenaCapacity: Int
    @safe @exclusivity(unchecked) private var arenaCount = 0
    @safe @exclusivity(unchecked) private var entries: [Entry] = []
    @safe @exclusivity(unchecked) private var table: [UInt32]
    @safe @exclusivity(unchecked) private var order: [Sorted] = []
    private let budget: Int
    /// Bytes that all keys begin with, those of the first key.
    @safe @exclusivity(unchecked) private var commonLength = Int.max
    /// The tables of the kept operations, and that of the last one.
    @safe @exclusivity(unchecked) private var tables: Set<UInt64> = []
    @safe @exclusivity(unchecked) private var lastTable = UInt64.max
    /// The documents that are kept, by table.
    @safe @exclusivity(unchecked) private(set) var digests = TableDigests()
    /// Records taken in, superseded ones too.
    @safe @exclusivity(unchecked) private(set) var added = 0

    /// What a kept operation takes beside its key and document.
    static let entryBytes = 96
    private let versions: VersionRule?
    /// Knows what this buffer and those before it have held; nil where nobody does.
    @safe @exclusivity(unchecked) var filter: KeyFilter?
    /// The table that was asked about last, and whether every operation on it is kept.
    @safe @exclusivity(unchecked) private var asked = (table: UInt64.max, keepsAll: false)

    init(budget: Int, versions: VersionRule? = nil) {
        self.versions = versions
        self.budget = budget
        arenaCapacity = max(4096, budget)
        unsafe arena = .allocate(byteCount: arenaCapacity, alignment: 16)
        table = [UInt32](repeating: 0, count: 1024)
    }

    deinit { unsafe arena.deallocate() }

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// Bytes in use.
    var byteCount: Int { arenaCount + entries.count * Self.entryBytes }

    /// Whether a record of `length` bytes should not be added before the buffer is emptied.
    func isFull(before length: Int) -> Bool { !entries.isEmpty && byteCount + length + Self.entryBytes > budget }

    /// What a key in a table is found by; `hash` is that of the key alone.
    @inline(__always)
    private static func hash(_ table: UInt64, _ hash: UInt64) -> UInt64 { hash ^ table &* 0x9E37_79B9_7F4A_7C15 }

    // What a look-up waits for is memory: the slot, then the entry, then the key (see FlatTable). Where versions are told apart the slot depends on more than the key.

    /// Asks for the memory that adding these records will need: the slot of the first, the entry of the second, the key of the third.
    @inline(__always)
    func prefetch(slotOf first: LoadRecord, entryOf second: LoadRecord, keyOf third: LoadRecord) {
        guard versions == nil else { return }
        let mask = table.count - 1
        // SAFETY: addresses inside the arrays and the arena; slots hold numbers of entries.
        unsafe table.withUnsafeBufferPointer { table in
            let slots = table.baseAddress!
            filter?.prefetch(Self.hash(first.table, first.hash))
            unsafe logdb_prefetch(slots + Int(truncatingIfNeeded: Self.hash(first.table, first.hash)) & mask)
            unsafe entries.withUnsafeBufferPointer { entries in
                let number = unsafe Int(slots[Int(truncatingIfNeeded: Self.hash(second.table, second.hash)) & mask])
                if number > 0 { unsafe logdb_prefetch(entries.baseAddress! + number - 1) }
                let other = unsafe Int(slots[Int(truncatingIfNeeded: Self.hash(third.table, third.hash)) & mask])
                if other > 0 { unsafe logdb_prefetch(arena + entries[other - 1].start) }
            }
        }
    }

    /// Adds an operation, unless a newer one on its key is there.
    ///
    /// - Parameter keyHash: the key's, the same for the same bytes each time.
    func add(_ record: borrowing Record, keyHash: UInt64, sequence: SequenceNumber, milliseconds: Int64) {
        added += 1
        var hash = Self.hash(record.table, keyHash)
        var stamp: UInt64 = 0
        if let versions {
            stamp = versions.stamp(sequence, keepsAll: keepsAll(record.table, versions))
            hash = (hash ^ stamp &* 0x9E37_79B9_7F4A_7C15) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
        }
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if entries[index].hash == hash, isKey(index, record), isStamped(index, stamp) {
                guard sequence > entries[index].sequence else { return }
                subtract(index)
                store(record, sequence, milliseconds, hash, at: index)
                return
            }
            slot = (slot + 1) & mask
        }
        if let filter, isFiltered(record.table),
            filter.supersedes(record.table, record.key, stamp: stamp, hash: hash, sequence: sequence)
        {
            return
        }
        table[slot] = UInt32(entries.count + 1)
        noteCommon(record)
        entries.append(Entry(hash: hash, table: 0, sequence: 0, milliseconds: 0, term: 0, start: 0, keyLength: 0, documentLength: -1))
        store(record, sequence, milliseconds, hash, at: entries.count - 1)
        if entries.count * 2 > table.count { grow() }
    }

    /// Where every operation is kept there is nothing to ask.
    @inline(__always)
    private func isFiltered(_ table: UInt64) -> Bool {
        guard let versions else { return true }
        return !keepsAll(table, versions)
    }

    /// Tells the filter of what this buffer holds.
    func fill(_ filter: KeyFilter) {
        for entry in entries where isFiltered(entry.table) {
            let stamp = versions?.stamp(entry.sequence, keepsAll: false) ?? 0
            // SAFETY: an entry's key lies in the arena.
            let key = unsafe Span<UInt8>(_unsafeElements: key(entry).assumingMemoryBound(to: UInt8.self))
            _ = filter.supersedes(entry.table, key, stamp: stamp, hash: entry.hash, sequence: entry.sequence)
        }
        filter.beginVerdicts()
    }

    private func keepsAll(_ table: UInt64, _ versions: VersionRule) -> Bool {
        if asked.table != table { asked = (table, versions.keepsAll(table)) }
        return asked.keepsAll
    }

    /// Whether the entry, which is on the key at hand, has this stamp.
    @inline(__always)
    private func isStamped(_ index: Int, _ stamp: UInt64) -> Bool {
        guard let versions else { return true }
        return versions.stamp(entries[index].sequence, keepsAll: asked.keepsAll) == stamp
    }

    private func store(
        _ record: borrowing Record, _ sequence: SequenceNumber, _ milliseconds: Int64, _ hash: UInt64, at index: Int
    ) {
        reserve(record.key.count + record.document.count)
        let start = arenaCount
        copy(record.key)
        copy(record.document)
        let term = record.isDelete ? 0 : ContentDigest.term(key: record.key, document: record.document)
        entries[index] = Entry(
            hash: hash, table: record.table, sequence: sequence, milliseconds: milliseconds, term: term, start: start,
            keyLength: Int32(record.key.count), documentLength: record.isDelete ? -1 : Int32(record.document.count))
        if !record.isDelete { digests.add(record.table, term: term) }
    }

    private func copy(_ bytes: Span<UInt8>) {
        // SAFETY: `reserve` made room.
        unsafe bytes.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { unsafe (arena + arenaCount).copyMemory(from: base, byteCount: source.count) }
        }
        arenaCount += bytes.count
    }

    /// One document may be larger than the whole budget.
    private func reserve(_ length: Int) {
        guard arenaCount + length > arenaCapacity else { return }
        let capacity = arenaCount + length
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe grown.copyMemory(from: arena, byteCount: arenaCount)
        unsafe arena.deallocate()
        unsafe arena = grown
        arenaCapacity = capacity
    }

    // SAFETY of the two: entries lie inside the arena.
    private func key(_ entry: Entry) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: arena + entry.start, count: Int(entry.keyLength))
    }

    private func document(_ entry: Entry) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: arena + entry.start + Int(entry.keyLength), count: max(0, Int(entry.documentLength)))
    }

    private func isKey(_ index: Int, _ record: borrowing Record) -> Bool {
        let entry = entries[index]
        guard entry.table == record.table else { return false }
        return unsafe equal(Span<UInt8>(_unsafeElements: key(entry).assumingMemoryBound(to: UInt8.self)), record.key)
    }

    private func subtract(_ index: Int) {
        let entry = entries[index]
        if entry.documentLength >= 0 { digests.subtract(entry.table, term: entry.term) }
    }

    private func noteCommon(_ record: borrowing Record) {
        if record.table != lastTable {
            lastTable = record.table
            tables.insert(lastTable)
        }
        guard let first = entries.first else {
            commonLength = record.key.count
            return
        }
        let start = unsafe key(first)
        let limit = min(commonLength, min(start.count, record.key.count))
        var length = 0
        while length < limit, unsafe start[length] == record.key[length] { length += 1 }
        commonLength = length
    }

    private func grow() {
        table = [UInt32](repeating: 0, count: table.count * 2)
        let mask = table.count - 1
        for (index, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & mask
            while table[slot] != 0 { slot = (slot + 1) & mask }
            table[slot] = UInt32(index + 1)
        }
    }

    // MARK: - Sorted

    /// Sorts what is kept by table and key. Nothing may be added before `removeAll`.
    func sort() {
        let skip = commonLength
        // The number of the table among those there are, then as much of the key as fits beside it.
        var ranks: [UInt64: UInt64] = [:]
        for (rank, table) in tables.sorted().enumerated() { ranks[table] = UInt64(rank) }
        let rankBits = UInt64((64 - max(0, tables.count - 1).leadingZeroBitCount))
        var last = (table: UInt64.max, rank: UInt64(0))
        order = []
        order.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            if entry.table != last.table { last = (entry.table, ranks[entry.table]! << (64 - rankBits)) }
            let prefix = unsafe LogDB.prefix(key(entry), from: skip)
            order.append(Sorted(prefix: last.rank | prefix >> rankBits, entry: UInt32(index)))
        }
        unsafe entries.withUnsafeBufferPointer { entries in
            let arena = unsafe arena
            order.sort { a, b in
                if a.prefix != b.prefix { return a.prefix < b.prefix }
                // SAFETY: every index is one of an entry.
                let (left, right) = unsafe (entries[Int(a.entry)], entries[Int(b.entry)])
                if left.table != right.table { return left.table < right.table }
                let difference = unsafe compareBytes(
                    UnsafeRawBufferPointer(start: arena + left.start, count: Int(left.keyLength)),
                    UnsafeRawBufferPointer(start: arena + right.start, count: Int(right.keyLength)))
                return difference != 0 ? difference < 0 : left.sequence > right.sequence
            }
        }
    }

    @inline(__always)
    private func entry(_ place: Int, isReversed: Bool) -> Entry { entries[Int(order[isReversed ? order.count - 1 - place : place].entry)] }

    @inline(__always)
    private func prefetchEntry(_ place: Int, isReversed: Bool) {
        let index = Int(order[isReversed ? order.count - 1 - place : place].entry)
        // SAFETY: an address inside the array, which is not read.
        unsafe entries.withUnsafeBufferPointer { unsafe logdb_prefetch($0.baseAddress! + index) }
    }

    @inline(__always)
    private func prefetchRecord(_ place: Int, isReversed: Bool) {
        let entry = entry(place, isReversed: isReversed)
        let end = entry.start + min(256, Int(entry.keyLength) + max(0, Int(entry.documentLength)))
        // SAFETY: addresses inside the arena, which are not read.
        for start in stride(from: entry.start, to: end, by: 64) { unsafe logdb_prefetch(arena + start) }
    }

    /// Walks what is kept by rising key, or falling; `sort` comes first. The buffer must not change before the cursor is done.
    func makeCursor(isReversed: Bool = false) -> RecordCursor { Cursor(self, isReversed: isReversed) }

    private final class Cursor: RecordCursor {
        private let buffer: SortBuffer
        private let isReversed: Bool
        private var next = 0

        init(_ buffer: SortBuffer, isReversed: Bool) {
            self.buffer = buffer
            self.isReversed = isReversed
        }

        override func advance() throws(LogDBError) {
            guard next < buffer.order.count else {
                isAtEnd = true
                return
            }
            let entry = buffer.entry(next, isReversed: isReversed)
            // The order has nothing to do with where things lie: what comes soon is called for now.
            if next + 12 < buffer.order.count { buffer.prefetchEntry(next + 12, isReversed: isReversed) }
            if next + 6 < buffer.order.count { buffer.prefetchRecord(next + 6, isReversed: isReversed) }
            next += 1
            table = entry.table
            sequence = entry.sequence
            milliseconds = entry.milliseconds
            term = entry.term
            isDelete = entry.documentLength < 0
            unsafe keyBytes = buffer.key(entry)
            unsafe documentBytes = buffer.document(entry)
            isAtEnd = false
        }
    }

    func removeAll() {
        arenaCount = 0
        entries.removeAll(keepingCapacity: true)
        order = []
        // As large as before: it will be as full again.
        for slot in table.indices { table[slot] = 0 }
        commonLength = .max
        tables = []
        lastTable = .max
        digests = TableDigests()
        guard arenaCapacity > max(4096, budget) else { return }
        unsafe arena.deallocate()
        arenaCapacity = max(4096, budget)
        unsafe arena = .allocate(byteCount: arenaCapacity, alignment: 16)
    }

    private func isOneKey(_ a: Int, _ b: Int) -> Bool {
        let (left, right) = (entries[Int(order[a].entry)], entries[Int(order[b].entry)])
        guard left.table == right.table else { return false }
        return unsafe compareBytes(key(left), key(right)) == 0
    }

    /// Gives the memory back. Nothing can be added any more.
    func release() {
        removeAll()
        unsafe arena.deallocate()
        unsafe arena = .allocate(byteCount: 16, alignment: 16)
        arenaCapacity = 16
        entries = []
        table = []
        filter = nil
    }

    /// Keeps the half with the smaller keys (or, reversed, the greater ones) and returns the first key of the other half: a reading
    /// that may not spill delivers what fits, and comes again for the rest. nil if all is of one key, which is not divided.
    func narrow(isReversed: Bool) -> FullKey? {
        sort()
        var kept = max(1, order.count / 2)
        if versions != nil {
            while kept > 0, isOneKey(kept - 1, kept) { kept -= 1 }
            if kept == 0 { kept = (1..<order.count).first { !isOneKey($0 - 1, $0) } ?? 0 }
            guard kept > 0 else { return nil }
        }
        let cut = isReversed ? order[order.count - 1 - kept] : order[kept]
        let boundary = entries[Int(cut.entry)]
        let cutKey = FullKey(table: boundary.table, key: unsafe Array(key(boundary)))
        let survivors = (isReversed ? Array(order.suffix(kept)) : Array(order.prefix(kept))).map(\.entry).sorted {
            entries[Int($0)].start < entries[Int($1)].start
        }
        order = []
        // Down in the order in which they lie, so nothing is written over before it is moved.
        var moved: [Entry] = []
        moved.reserveCapacity(kept)
        var end = 0
        for index in survivors {
            var entry = entries[Int(index)]
            let length = Int(entry.keyLength) + max(0, Int(entry.documentLength))
            // SAFETY: both lie inside the arena; the target is not behind the source, and copyMemory allows overlap.
            unsafe (arena + end).copyMemory(from: arena + entry.start, byteCount: length)
            entry.start = end
            end += length
            moved.append(entry)
        }
        arenaCount = end
        entries = moved
        digests = TableDigests()
        for entry in entries where entry.documentLength >= 0 { digests.add(entry.table, term: entry.term) }
        table = [UInt32](repeating: 0, count: max(1024, table.count / 2))
        grow()
        return cutKey
    }
}
