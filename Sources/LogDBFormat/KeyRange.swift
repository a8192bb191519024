//===--- KeyRange.swift - from one full key to another ----------------------===//

package struct KeyRange: Equatable, Sendable {
    /// The first key in it.
    package var lower: FullKey
    /// The first key behind it; nil where it has no end.
    package var upper: FullKey?

    package init(lower: FullKey, upper: FullKey?) {
        self.lower = lower
        self.upper = upper
    }

    /// All of one table.
    package init(table: UInt64) { self.init(lower: FullKey(table: table, key: []), upper: FullKey(table: table + 1, key: [])) }

    /// All tables but the catalog.
    package static let allTables = KeyRange(lower: FullKey(table: 1, key: []), upper: nil)
    package static let everything = KeyRange(lower: FullKey(table: 0, key: []), upper: nil)

    @inline(__always)
    package func contains(_ table: UInt64, _ key: Span<UInt8>) -> Bool {
        if compare(table, key, lower.table, lower.key.span) < 0 { return false }
        guard let upper else { return true }
        return compare(table, key, upper.table, upper.key.span) < 0
    }

    /// Whether a key from `least` to `greatest` may be in it.
    package func overlaps(_ least: FullKey, _ greatest: FullKey) -> Bool {
        if greatest < lower { return false }
        guard let upper else { return true }
        return least < upper
    }

    package var isEmpty: Bool { upper.map { $0 <= lower } ?? false }
}

extension SegmentFooter {
    /// Whether an operation on a key of `range` may be in the segment.
    package func mayHold(_ range: KeyRange) -> Bool {
        tables.contains {
            range.overlaps(FullKey(table: $0.table, key: $0.leastKey), FullKey(table: $0.table, key: $0.greatestKey))
        }
    }

    /// The blocks in which keys of `range` may be; `isVersioned` where a key may go on from one block to the next.
    package func blocks(in range: KeyRange, isVersioned: Bool = false) -> ArraySlice<BlockEntry> {
        guard !firstKeys.isEmpty else { return mayHold(range) ? blocks[...] : [] }
        // Of a key-ordered segment: from the last block that does not begin behind the range's beginning.
        let start = max(0, partition { isVersioned ? $0 < range.lower : $0 <= range.lower } - 1)
        let end = range.upper.map { upper in partition { $0 < upper } } ?? blocks.count
        return start < end ? blocks[start..<end] : []
    }

    /// The number of the only block of a key-ordered segment that may hold `key`.
    package func block(of key: FullKey) -> Int? {
        let count = partition { $0 <= key }
        return count == 0 ? nil : count - 1
    }

    /// How many first keys, from the front, `isBefore` holds for.
    private func partition(_ isBefore: (FullKey) -> Bool) -> Int {
        var low = 0
        var high = firstKeys.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(firstKeys[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
