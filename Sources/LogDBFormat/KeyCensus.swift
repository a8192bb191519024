//===--- KeyCensus.swift - the different keys of a segment being written ---===//
//
// Keeps every different key once, with the block and the size of its newest operation: what the key index and the key sample are
// made from. Keys are compared as bytes; hashes only say where to look.
//
// Memory: the bytes of the different keys, and 48 bytes for each.
//===-----------------------------------------------------------------------===//

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

    package init() {}

    package var count: Int { entries.count }

    /// Notes an operation, newer than all before.
    package mutating func add(_ record: borrowing Record, block: Int) {
        let hash = KeyCoding.hash(table: record.table, key: record.key)
        let bytes = record.isDelete ? 0 : UInt64(record.key.count + record.document.count)
        let expires = Expiry.milliseconds(of: record.document) ?? .max
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if entries[index].hash == hash {
                if isKey(index, record) {
                    entries[index].block = UInt32(block)
                    entries[index].bytes = bytes
                    entries[index].expires = expires
                    return
                }
                hasCollision = true
            }
            slot = (slot + 1) & mask
        }
        table[slot] = UInt32(entries.count + 1)
        entries.append(
            Entry(
                hash: hash, table: record.table, start: keys.count, length: Int32(record.key.count), block: UInt32(block), bytes: bytes,
                expires: expires))
        keys.append(record.key)
        if entries.count * 2 > table.count { grow() }
    }

    private func isKey(_ index: Int, _ record: borrowing Record) -> Bool {
        let entry = entries[index]
        return entry.table == record.table && equal(keys.span.extracting(entry.start..<(entry.start + Int(entry.length))), record.key)
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
    package func index(blockCount: Int) -> KeyIndex? {
        if hasCollision { return nil }
        return KeyIndex(hashes: entries.map(\.hash), blocks: entries.map(\.block), blockCount: blockCount)
    }

    /// Whether `index` names the block of each key's newest operation.
    package func isTold(by index: KeyIndex, blockCount: Int) -> Bool {
        entries.allSatisfy { index.block(of: $0.hash, count: blockCount) == Int($0.block) }
    }

    /// Whether `told` is a sample of these keys. Of keys with one hash it may hold either.
    package func isTold(by told: KeySample) -> Bool {
        if hasCollision { return true }
        var sample = KeySample()
        for entry in entries {
            sample.add(hash: entry.hash, table: entry.table, bytes: entry.bytes, expires: entry.expires, limit: told.limitToCompare)
        }
        return sample.entries == told.entries
    }

    package func sample() -> KeySample {
        var sample = KeySample()
        for entry in entries { sample.add(hash: entry.hash, table: entry.table, bytes: entry.bytes, expires: entry.expires) }
        return sample
    }
}
