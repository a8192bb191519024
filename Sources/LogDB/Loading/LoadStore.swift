//===--- LoadStore.swift - one table in memory -----------------------------===//

import LogDBFormat

/// The keys of a table, each with what its newest operation says. One thread fills it; after that it does not change, and any may read.
@safe
final class LoadStore: @unchecked Sendable {
    // SAFETY: see above. Entries point into the arenas, which live as long as this.
    @safe @exclusivity(unchecked) var table: FlatTable
    /// Keys among them that are deleted.
    @safe @exclusivity(unchecked) var deletedCount = 0
    /// Entries up to here are where they will stay.
    @safe @exclusivity(unchecked) var settledCount = 0
    /// Whether the block at hand has operations on it.
    @safe @exclusivity(unchecked) var isTouched = false
    private let arenas: [Arena]
    let seed: UInt64

    init(arenas: [Arena], seed: UInt64, expecting count: Int = 0) {
        self.arenas = arenas
        self.seed = seed
        table = FlatTable(expecting: count)
    }

    /// That of a table without documents.
    static var empty: LoadStore { LoadStore(arenas: [], seed: 0) }

    var count: Int { table.count - deletedCount }

    /// How many records ahead memory is asked for: each about as long as it takes to answer.
    private static let slotDistance = 24
    private static let entryDistance = 16
    private static let keyDistance = 8

    /// Enters those of `records`, the last one first, whose keys were not met before. They lie in the block that begins at `base`.
    func enter(_ records: UnsafeBufferPointer<LoadRecord>, in base: UnsafeRawPointer) {
        var index = records.count
        while index > 0 {
            index -= 1
            // SAFETY: a record's places were proven to lie in the block.
            let record = unsafe records[index]
            if index >= Self.slotDistance {
                table.prefetchSlot(unsafe records[index - Self.slotDistance].hash)
                table.prefetchEntry(unsafe records[index - Self.entryDistance].hash)
                table.prefetchKey(unsafe records[index - Self.keyDistance].hash)
            }
            let entry = unsafe FlatTable.Entry(
                key: base + Int(record.key), document: base + Int(record.document), keyLength: record.keyLength,
                documentLength: record.documentLength)
            if table.insert(entry, hash: record.hash), entry.isDelete { deletedCount += 1 }
        }
    }

    /// The number of the live entry of `key`; nil if there is none.
    func find(_ key: Key) -> Int? {
        unsafe withUnsafeTemporaryAllocation(byteCount: key.encodedLength, alignment: 1) { room -> Int? in
            unsafe key.encode(into: room)
            let start = UnsafeRawPointer(room.baseAddress!)
            let hash = unsafe KeyHash.hash(start, room.count, seed: seed)
            guard let number = unsafe table.find(start, room.count, hash: hash), !table[number].isDelete else { return nil }
            return number
        }
    }

    /// Forgets deleted keys where they are more than the others: they are of no use once everything was read.
    func forgetDeletes() {
        guard deletedCount > count else { return }
        var live = FlatTable(expecting: count)
        for number in 0..<table.count {
            let entry = table[number]
            if entry.isDelete { continue }
            _ = unsafe live.insert(entry, hash: KeyHash.hash(entry.key, Int(entry.keyLength), seed: seed))
        }
        table = live
        deletedCount = 0
    }

    func key(at number: Int) -> Key {
        let entry = table[number]
        // SAFETY: the arenas hold the bytes.
        let bytes = unsafe Span<UInt8>(_unsafeStart: entry.key.assumingMemoryBound(to: UInt8.self), count: Int(entry.keyLength))
        do throws(FormatError) { return try Key(decoding: bytes) } catch { preconditionFailure("a key that was proven is none: \(error)") }
    }
}
