//===--- Select.swift - the live documents, each key once, in key order ----===//
//
// Two readings of the log. The first finds which operation of each key is the newest; that takes memory for the keys. If the
// documents fit the budget as well they are kept on the way and the second reading is spared. Otherwise the keys, sorted, are
// cut into ranges whose documents fit, and the log is read once for each range.
//
// Both readings see the same snapshot. The newest operation is the one with the greatest sequence number, wherever it stands.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension Snapshot {
    private struct Newest {
        var sequence: SequenceNumber
        var milliseconds: Int64
        var isDelete: Bool
        var length: Int
        var document: [UInt8]?
    }

    /// Table id, big-endian, then the encoded key: sorts by table and key.
    private struct FullKey: Hashable {
        var bytes: [UInt8]

        init(_ record: Record) {
            bytes = []
            bytes.reserveCapacity(8 + record.key.count)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: record.table >> UInt64(shift))) }
            unsafe record.key.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }

        var table: UInt64 { bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// Delivers the live documents, those of `table` only where one is given.
    func select(table: UInt64? = nil, budget: Int, _ body: (borrowing Operation) throws -> Void) throws {
        var newest: [FullKey: Newest] = [:]
        var held = 0
        var keepsDocuments = true
        try forEachRecord(budget: budget) { record, sequence, milliseconds in
            guard table == nil || record.table == table, tableName(record.table) != nil else { return }
            let key = FullKey(record)
            let document = keepsDocuments && !record.isDelete ? Array(record.document) : nil
            let entry = Newest(
                sequence: sequence, milliseconds: milliseconds, isDelete: record.isDelete, length: record.document.count, document: document)
            let old = newest.updateValue(entry, forKey: key)
            if let old, old.sequence > sequence {
                newest[key] = old
            } else if keepsDocuments {
                held += record.document.count - (old?.length ?? 0)
                if held > budget / 2 {
                    keepsDocuments = false
                    for index in newest.values.indices { newest.values[index].document = nil }
                }
            }
        }
        let keys = newest.keys.filter { !newest[$0]!.isDelete }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        var start = 0
        while start < keys.count {
            var end = start
            var bytes = 0
            repeat {
                bytes += newest[keys[end]]!.length
                end += 1
            } while end < keys.count && (keepsDocuments || bytes + newest[keys[end]]!.length <= budget / 2)
            if !keepsDocuments { try fetch(keys[start..<end], &newest, budget: budget) }
            for key in keys[start..<end] { try deliver(key, newest[key]!, body) }
            if !keepsDocuments { for key in keys[start..<end] { newest[key]!.document = nil } }
            start = end
        }
    }

    /// Reads the log again for the documents of `keys`, which are sorted.
    private func fetch(_ keys: ArraySlice<FullKey>, _ newest: inout [FullKey: Newest], budget: Int) throws {
        let first = keys.first!.bytes
        let last = keys.last!.bytes
        try forEachRecord(budget: budget) { record, sequence, _ in
            guard !record.isDelete else { return }
            let key = FullKey(record)
            guard !key.bytes.lexicographicallyPrecedes(first), !last.lexicographicallyPrecedes(key.bytes),
                newest[key]?.sequence == sequence
            else { return }
            newest[key]!.document = Array(record.document)
        }
    }

    private func deliver(_ key: FullKey, _ entry: Newest, _ body: (borrowing Operation) throws -> Void) throws {
        guard let name = tableName(key.table), let document = entry.document else { return }
        let record = Record(table: key.table, key: key.bytes.span.extracting(8...), isDelete: false, document: document.span)
        try body(Operation(record, table: name, sequenceNumber: entry.sequence, milliseconds: entry.milliseconds))
    }
}
