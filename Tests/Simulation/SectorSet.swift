//===--- SectorSet.swift - which sectors, as sorted ranges -----------------===//
//
// A log writes long runs, so a few ranges say it all. Iteration is in ascending order: a set with hashed order would make runs differ.
//===-----------------------------------------------------------------------===//

struct SectorSet: Sendable {
    /// Ascending, not empty, neither overlapping nor touching.
    private(set) var ranges: [Range<Int>] = []

    var isEmpty: Bool { ranges.isEmpty }

    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    func contains(_ sector: Int) -> Bool {
        let index = firstIndex(endingAbove: sector)
        return index < ranges.count && ranges[index].contains(sector)
    }

    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        // The first that overlaps or touches `range`, and the first behind it that does not.
        let first = firstIndex(endingAbove: range.lowerBound - 1)
        var last = first
        var lower = range.lowerBound
        var upper = range.upperBound
        while last < ranges.count, ranges[last].lowerBound <= range.upperBound {
            lower = min(lower, ranges[last].lowerBound)
            upper = max(upper, ranges[last].upperBound)
            last += 1
        }
        if last == first + 1 {
            ranges[first] = lower..<upper
        } else {
            ranges.replaceSubrange(first..<last, with: CollectionOfOne(lower..<upper))
        }
    }

    mutating func remove(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let first = firstIndex(endingAbove: range.lowerBound)
        guard first < ranges.count, ranges[first].lowerBound < range.upperBound else { return }
        var kept: [Range<Int>] = []
        var last = first
        while last < ranges.count, ranges[last].lowerBound < range.upperBound {
            if ranges[last].lowerBound < range.lowerBound { kept.append(ranges[last].lowerBound..<range.lowerBound) }
            if ranges[last].upperBound > range.upperBound { kept.append(range.upperBound..<ranges[last].upperBound) }
            last += 1
        }
        ranges.replaceSubrange(first..<last, with: kept)
    }

    mutating func remove(from sector: Int) { remove(sector..<Int.max) }

    mutating func formUnion(_ other: SectorSet) { for range in other.ranges { insert(range) } }

    /// Returns the parts of `range` that are in the set, ascending.
    func overlap(with range: Range<Int>) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var index = firstIndex(endingAbove: range.lowerBound)
        while index < ranges.count, ranges[index].lowerBound < range.upperBound {
            parts.append(ranges[index].clamped(to: range))
            index += 1
        }
        return parts
    }

    /// Returns the index of the first range that ends above `sector`. Appending asks for the end, so that is tried first.
    private func firstIndex(endingAbove sector: Int) -> Int {
        guard let last = ranges.last else { return 0 }
        if last.upperBound <= sector { return ranges.count }
        var low = 0
        var high = ranges.count - 1
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound > sector { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
