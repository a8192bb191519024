//===--- Select.swift - the live documents, each key once, in key order ----===//
//
// Two readings of the log. The first finds which operation of each key is the newest; that takes memory for the keys. If the
// documents fit the budget as well they are kept on the way and the second reading is spared. Otherwise the keys, sorted, are
// cut into ranges whose documents fit, and the log is read once for each range, for the numbers wanted and no others.
//
// All readings see the same snapshot. The newest operation is the one with the greatest sequence number, wherever it stands.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// Table id, big-endian, then the encoded key: sorts by table and key.
private struct FullKey: Hashable {
    var bytes: [UInt8]

    init(_ record: borrowing Record) {
        bytes = []
        bytes.reserveCapacity(8 + record.key.count)
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: record.table >> UInt64(shift))) }
        unsafe record.key.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    var table: UInt64 { bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) } }
}

private struct Newest {
    var sequence: SequenceNumber
    var milliseconds: Int64
    /// Bytes of the document; -1 for a delete.
    var length: Int
    var document: [UInt8]?
}

extension Snapshot {
    /// Delivers the live documents, those of `table` only where one is given.
    func select(table: UInt64? = nil, budget: Int, _ body: (borrowing Operation) throws -> Void) throws {
        var (newest, isComplete) = try findNewest(table: table, budget: budget)
        var live: [(key: FullKey, newest: Newest)] = []
        live.reserveCapacity(newest.count)
        for (key, value) in newest where value.length >= 0 { live.append((key, value)) }
        newest = [:]
        live.sort { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        var start = 0
        while start < live.count {
            var end = start
            var bytes = 0
            repeat {
                bytes += live[end].newest.length
                end += 1
            } while end < live.count && (isComplete || bytes + live[end].newest.length <= budget / 2)
            if !isComplete { try fetch(&live, start..<end, budget: budget) }
            for index in start..<end {
                try deliver(live[index].key, live[index].newest, body)
                live[index].newest.document = nil
            }
            start = end
        }
    }

    /// The newest operation of each key, with the documents as long as they all fit in half the budget.
    private func findNewest(table: UInt64?, budget: Int) throws -> ([FullKey: Newest], keepsDocuments: Bool) {
        var newest: [FullKey: Newest] = [:]
        var held = 0
        var keepsDocuments = true
        try forEachRecord(budget: budget) { record, sequence, milliseconds in
            guard table == nil || record.table == table, tableName(record.table) != nil else { return }
            let length = record.isDelete ? -1 : record.document.count
            let document = keepsDocuments && !record.isDelete ? Array(record.document) : nil
            let value = Newest(sequence: sequence, milliseconds: milliseconds, length: length, document: document)
            let old = newest.updateValue(value, forKey: FullKey(record))
            if let old, old.sequence > sequence {
                newest[FullKey(record)] = old
                return
            }
            guard keepsDocuments else { return }
            held += max(0, length) - max(0, old?.length ?? 0)
            if held > budget / 2 {
                keepsDocuments = false
                for index in newest.values.indices { newest.values[index].document = nil }
            }
        }
        return (newest, keepsDocuments)
    }

    /// Reads the log again for the documents of `live[range]`.
    private func fetch(_ live: inout [(key: FullKey, newest: Newest)], _ range: Range<Int>, budget: Int) throws {
        // By number, which is how the log mostly comes along: a look at the next one wanted settles most records.
        let wanted = range.sorted { live[$0].newest.sequence < live[$1].newest.sequence }
        let numbers = wanted.map { live[$0].newest.sequence }
        var next = 0
        try forEachRecord(budget: budget) { record, sequence, _ in
            if next >= numbers.count || numbers[next] != sequence {
                // First number not below this one.
                var low = 0
                var high = numbers.count
                if next < numbers.count, numbers[next] > sequence, next == 0 || numbers[next - 1] < sequence { return }
                while low < high {
                    let middle = (low + high) / 2
                    if numbers[middle] < sequence { low = middle + 1 } else { high = middle }
                }
                next = low
                guard next < numbers.count, numbers[next] == sequence else { return }
            }
            live[wanted[next]].newest.document = Array(record.document)
            next += 1
        }
    }

    private func deliver(_ key: FullKey, _ entry: Newest, _ body: (borrowing Operation) throws -> Void) throws {
        guard let name = tableName(key.table), let document = entry.document else { return }
        let record = Record(table: key.table, key: key.bytes.span.extracting(8...), isDelete: false, document: document.span)
        try body(Operation(record, table: name, sequenceNumber: entry.sequence, milliseconds: entry.milliseconds))
    }
}
