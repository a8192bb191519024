//===--- KeyCensus.swift - the different keys of a segment being written ---===//
//
// Keeps every different key once, with the block and the size of its newest operation: what the key index and the key sample are
// made from. Keys are compared as bytes; hashes only say where to look.
//
// Memory: the bytes of the different keys, and 48 bytes for each. There may be hundreds of thousands, so looking one up mostly waits for memory: a few
// wait together, and what they need is called for ahead.
//===-----------------------------------------------------------------------===//

import CLogDB

package struct KeyCensus: ~Copyable {
    private struct Entry {
        var hash: UInt64
        var table: UInt64
        var start: Int
        var length: Int32
        var block: UInt32
        var bytes: UInt64
        var expires: Int64
    }
    private var keys = ByteBuffer(capacity: 64 << 10)
    private var entries: [Entry] = []
    /// Open addressing with linear probing; entry number + 1, 0 is free.
    private var table = [UInt32](repeating: 0, count: 1024)
    /// Whether two different keys have the same hash.
    private var hasCollision = false
    /// Operations that are not looked up yet, in their order, and their keys.
    private var waiting: [Entry] = []
    private var waitingKeys = ByteBuffer(capacity: 4 << 10)
    private static let mostWaiting = 32

    package init() {}

    package var count: Int {
        mutating get {
            settle()
            return entries.count
        }
    }

    /// Notes an operation, newer than all before.
    package mutating func add(_ record: borrowing Record, block: Int) {
        waiting.append(
            Entry(
                hash: KeyCoding.hash(table: record.table, key: record.key), table: record.table, start: waitingKeys.count,
                length: Int32(record.key.count), block: UInt32(block),
                bytes: record.isDelete ? 0 : UInt64(record.key.count + record.document.count),
                expires: Expiry.milliseconds(of: record.document) ?? .max))
        waitingKeys.append(record.key)
        if waiting.count == Self.mostWaiting { settle() }
    }

    private mutating func settle() {
        let mask = table.count - 1
        // SAFETY: addresses inside the arrays; slots hold numbers of entries.
        unsafe table.withUnsafeBufferPointer { table in
            let slots = table.baseAddress!
            for entry in waiting { unsafe logdb_prefetch(slots + Int(truncatingIfNeeded: entry.hash) & mask) }
            unsafe entries.withUnsafeBufferPointer { entries in
                for entry in waiting {
                    let number = unsafe Int(slots[Int(truncatingIfNeeded: entry.hash) & mask])
                    if number > 0 { unsafe logdb_prefetch(entries.baseAddress! + number - 1) }
                }
            }
        }
        for entry in waiting { settle(entry) }
        waiting.removeAll(keepingCapacity: true)
        waitingKeys.removeAll()
    }

    private mutating func settle(_ new: Entry) {
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: new.hash) & mask
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if entries[index].hash == new.hash {
                if isKey(index, new) {
                    entries[index].block = new.block
                    entries[index].bytes = new.bytes
                    entries[index].expires = new.expires
                    return
                }
                hasCollision = true
            }
            slot = (slot + 1) & mask
        }
        table[slot] = UInt32(entries.count + 1)
        var entry = new
        entry.start = keys.count
        Self.copy(new.start..<(new.start + Int(new.length)), of: waitingKeys, to: &keys)
        entries.append(entry)
        if entries.count * 2 > table.count { grow() }
    }

    private static func copy(_ range: Range<Int>, of source: borrowing ByteBuffer, to target: inout ByteBuffer) {
        target.append(source.span.extracting(range))
    }

    private func isKey(_ index: Int, _ new: Entry) -> Bool {
        let entry = entries[index]
        return entry.table == new.table
            && equal(
                keys.span.extracting(entry.start..<(entry.start + Int(entry.length))),
                waitingKeys.span.extracting(new.start..<(new.start + Int(new.length))))
    }

    private mutating func grow() {
        table = [UInt32](repeating: 0, count: table.count * 2)
        let mask = table.count - 1
        for (index, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & mask
            while table[slot] != 0 { slot = (slot + 1) & mask }
            table[slot] = UInt32(index + 1)
        }
    }

    /// The index, or nil where every block must be asked.
    package mutating func index(blockCount: Int) -> KeyIndex? {
        settle()
        if hasCollision { return nil }
        return KeyIndex(hashes: entries.map(\.hash), blocks: entries.map(\.block), blockCount: blockCount)
    }

    /// Whether `index` names the block of each key's newest operation.
    package mutating func isTold(by index: KeyIndex, blockCount: Int) -> Bool {
        settle()
        return entries.allSatisfy { index.block(of: $0.hash, count: blockCount) == Int($0.block) }
    }

    /// Whether `told` is a sample of these keys. Of keys with one hash it may hold either.
    package mutating func isTold(by told: KeySample) -> Bool {
        settle()
        if hasCollision { return true }
        var sample = KeySample()
        for entry in entries {
            sample.add(hash: entry.hash, table: entry.table, bytes: entry.bytes, expires: entry.expires, limit: told.limitToCompare)
        }
        return sample.entries == told.entries
    }

    package mutating func sample() -> KeySample {
        settle()
        var sample = KeySample()
        for entry in entries { sample.add(hash: entry.hash, table: entry.table, bytes: entry.bytes, expires: entry.expires) }
        return sample
    }
}
