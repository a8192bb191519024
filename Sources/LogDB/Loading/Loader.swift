//===--- Loader.swift - the live documents, newest first -------------------===//
//
//      raw, newest first ─▶ tail, newest first ─▶ base ──▶  key seen before?  ── yes ─▶  passed over
//                                                                    │ no
//                                                                    ▼
//                                            the document of a key, or that it has none
//
// Read from its end, the first operation that is met of a key is the one that counts. So a document that was overwritten costs a look at a table
// that mostly is in the processor's caches: it is not copied, not even touched. Threads read, prove and unpack blocks ahead (BlockStream), and hash their
// keys; the one that looks up does nothing else.
//
//   * documents are copied from the block, while it is in the caches, into an arena. A block of which nearly everything is live becomes part of
//     the arena as it is.
//   * a base has each key once, so where it is the last thing to be read its keys need not be remembered.
//   * what a compaction under way has added to the base stands in the tail as well, and is met there first.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class Loader {
    private let snapshot: Snapshot
    /// The only table that is wanted; nil for all.
    private let table: UInt64?
    private let budget: Int
    private let arena = Arena()
    /// Keys lie by themselves: they are looked at again and again, and all of them may fit the processor's caches.
    private let keyArena = Arena()
    private let view: LoadView
    private(set) var stores: [UInt64: LoadStore] = [:]
    private var last: (id: UInt64, store: LoadStore?) = (.max, nil)
    /// Stores that the block at hand may have added to.
    private var touched: [LoadStore] = []

    /// Where live documents go that are not kept here.
    typealias Delivery = (_ key: Span<UInt8>, _ document: Span<UInt8>) throws -> Void

    init(_ snapshot: Snapshot, table: UInt64?, budget: Int) throws(LogDBError) {
        self.snapshot = snapshot
        view = LoadView(seed: .random(in: 0 ... .max), now: try snapshot.clock.milliseconds())
        self.table = table
        self.budget = budget
    }

    /// Loads everything and keeps it.
    func load() throws(LogDBError) {
        _ = try expect()
        do { try run(nil) } catch { throw error as! LogDBError }
        for store in stores.values { store.forgetDeletes() }
    }

    /// Delivers each live document once, in no order, and keeps nothing but keys.
    func deliver(_ body: Delivery) throws { try withoutActuallyEscaping(body) { try run($0) } }

    /// Documents that the base has of each table.
    private var expected: [UInt64: Int] = [:]

    /// Reads the base's indexes to know how many documents there will be, about.
    func expect() throws(LogDBError) -> Int {
        for segment in snapshot.base {
            if let table, !KeyRange(table: table).overlaps(segment.entry.leastKey, segment.entry.greatestKey) { continue }
            let (file, _) = try segment.open()
            // A segment that lies must not make us reserve more than its own length.
            let limit = Int(clamping: segment.entry.fileLength)
            for statistics in try segment.footer(of: file).tables where table == nil || statistics.table == table {
                expected[statistics.table, default: 0] += min(limit, Int(clamping: statistics.upserts))
            }
        }
        return expected.values.reduce(0, +)
    }

    private func run(_ delivery: Delivery?) throws {
        let generations = snapshot.generations
        let oldest = generations.last ?? []
        let range = table.map { KeyRange(table: $0) }
        // Backwards: what is not sealed and the tail from their ends, then the generations, newest first.
        var runs: [RawRun] = []
        for raw in snapshot.raw.reversed() {
            for range in try raw.segment.runs(until: raw.end).reversed() {
                runs.append(RawRun(segment: raw.segment, range: range, fates: snapshot.fates))
            }
        }
        let stream = BlockStream(
            snapshot.base.reversed() + snapshot.sealed, after: runs, range: range, isReversed: true, budget: budget / 2, view: view)
        defer { stream.stop() }
        while let block = try stream.next() {
            if let delivery, let entry = block.segment?.entry, entry.order == .key, entry.generation == oldest.first?.entry.generation {
                try deliverLast(block.raw, block.records!, delivery)
            } else {
                try absorb(&block.raw, block.records!, delivery)
            }
        }
    }

    /// What of `id` is known; nil where it is not wanted.
    private func store(_ id: UInt64) -> LoadStore? {
        if id != last.id { last = (id, findStore(id)) }
        return last.store
    }

    @inline(never)
    private func findStore(_ id: UInt64) -> LoadStore? {
        if let store = stores[id] { return store }
        guard table.map({ $0 == id }) ?? (snapshot.tableName(id) != nil) else { return nil }
        let store = LoadStore(arenas: [arena, keyArena], seed: view.seed, expecting: expected[id] ?? 0)
        stores[id] = store
        return store
    }

    /// Enters those operations of a block whose keys were not met before.
    private func absorb(_ raw: inout ByteBuffer, _ block: LoadRecords, _ delivery: Delivery?) throws {
        unsafe raw.withUnsafeBytes { bytes in unsafe enter(block, in: bytes.baseAddress!) }
        if let delivery {
            for store in touched { try deliverFresh(of: store, delivery) }
        } else {
            settle(&raw)
        }
        for store in touched {
            store.settledCount = store.table.count
            store.isTouched = false
        }
        touched.removeAll(keepingCapacity: true)
    }

    private func enter(_ block: LoadRecords, in base: UnsafeRawPointer) {
        // SAFETY: a record's places were proven to lie in the block.
        unsafe block.records.withUnsafeBufferPointer { records in
            // Most blocks are of one table from end to end.
            var end = records.count
            while end > 0 {
                let id = unsafe records[end - 1].table
                var start = end - 1
                while start > 0, unsafe records[start - 1].table == id { start -= 1 }
                if let store = store(id) {
                    if !store.isTouched { touched.append(store) }
                    store.isTouched = true
                    unsafe store.enter(UnsafeBufferPointer(rebasing: records[start..<end]), in: base)
                }
                end = start
            }
        }
    }

    /// Finds a place to stay for what the block at hand has added.
    private func settle(_ raw: inout ByteBuffer) {
        var bytes = 0
        for store in touched {
            for number in store.settledCount..<store.table.count { bytes += store.table[number].byteCount }
        }
        if bytes >= raw.capacity / 8 * 7 {
            return arena.adopt(&raw)
        }
        for store in touched {
            for number in store.settledCount..<store.table.count {
                let entry = store.table[number]
                let keyLength = Int(entry.keyLength)
                let count = entry.byteCount
                // SAFETY: the arenas have room; entries point into the block, which is still there.
                let key = unsafe keyArena.take(keyLength)
                let document = unsafe arena.take(count - keyLength)
                unsafe key.copyMemory(from: entry.key, byteCount: keyLength)
                unsafe document.copyMemory(from: entry.document, byteCount: count - keyLength)
                unsafe store.table.move(number, key: UnsafeRawPointer(key), document: UnsafeRawPointer(document))
            }
        }
    }

    /// Delivers what the block at hand has added to `store`, and keeps the keys.
    private func deliverFresh(of store: LoadStore, _ delivery: Delivery) throws {
        for number in store.settledCount..<store.table.count {
            let entry = store.table[number]
            let keyLength = Int(entry.keyLength)
            if !entry.isDelete { try deliver(entry, delivery) }
            let place = unsafe keyArena.take(keyLength)
            unsafe place.copyMemory(from: entry.key, byteCount: keyLength)
            unsafe store.table.move(number, key: UnsafeRawPointer(place), document: UnsafeRawPointer(place))
        }
    }

    /// Delivers those operations of a block whose keys were not met before, where nothing older is to come.
    private func deliverLast(_ raw: borrowing ByteBuffer, _ block: LoadRecords, _ delivery: Delivery) throws {
        try unsafe raw.withUnsafeBytes { bytes in
            let base = bytes.baseAddress!
            for record in block.records {
                guard let store = store(record.table), record.documentLength != FlatTable.Entry.deleted else { continue }
                let key = unsafe base + Int(record.key)
                if store.table.count > 0, unsafe store.table.find(key, Int(record.keyLength), hash: record.hash) != nil { continue }
                try unsafe deliver(
                    FlatTable.Entry(
                        key: key, document: base + Int(record.document), keyLength: record.keyLength, documentLength: record.documentLength),
                    delivery)
            }
        }
    }

    @inline(__always)
    private func deliver(_ entry: FlatTable.Entry, _ delivery: Delivery) throws {
        // SAFETY: both lie in the block at hand, and the spans do not leave the call.
        let key = unsafe Span<UInt8>(_unsafeStart: entry.key.assumingMemoryBound(to: UInt8.self), count: Int(entry.keyLength))
        let document = unsafe Span<UInt8>(
            _unsafeStart: entry.document.assumingMemoryBound(to: UInt8.self), count: Int(entry.documentLength))
        try delivery(key, document)
    }
}
