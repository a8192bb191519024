//===--- RegexAlphabet.swift - code points that a pattern cannot tell apart ----===//
//
// The sets of a pattern cut the code points into classes: two code points are of one class if every set holds both or neither. A
// pattern rarely knows more than a dozen, so an automaton's table has a dozen columns and not a million.
//===-----------------------------------------------------------------------===//

struct RegexAlphabet: Sendable {
    /// Classes there are.
    private(set) var count = 0
    /// The class of each ASCII character.
    private(set) var ascii: [UInt16] = []
    /// Where runs of one class begin, ascending, the first at 0, and their classes.
    private var starts: [UInt32] = []
    private var classes: [UInt16] = []
    /// Whether a set holds a class: at class × sets + set.
    private var holds: [Bool] = []
    private let setCount: Int

    /// nil if there are too many sets for too many classes.
    init?(_ sets: [ScalarSet]) {
        setCount = sets.count
        // Where membership changes, and of which sets.
        var changes: [(at: UInt32, set: Int)] = []
        for (number, set) in sets.enumerated() {
            for range in set.ranges {
                changes.append((range.lowerBound, number))
                if range.upperBound < ScalarSet.maximum { changes.append((range.upperBound + 1, number)) }
            }
        }
        changes.sort { $0.at < $1.at }
        // A class is known by the exclusive-or of two random numbers of each of its sets (Zobrist, 1970).
        let marks = sets.map { _ in SIMD2<UInt64>.random(in: 0 ... .max) }
        var known: [SIMD2<UInt64>: UInt16] = [:]
        var signature = SIMD2<UInt64>()
        var current = [Bool](repeating: false, count: setCount)
        var index = 0
        var at: UInt32 = 0
        while true {
            while index < changes.count, changes[index].at == at {
                current[changes[index].set].toggle()
                signature ^= marks[changes[index].set]
                index += 1
            }
            let number: UInt16
            if let seen = known[signature] {
                number = seen
            } else {
                guard known.count < 65_535, holds.count + setCount <= 1 << 22 else { return nil }
                number = UInt16(known.count)
                known[signature] = number
                holds += current
            }
            if classes.last != number {
                starts.append(at)
                classes.append(number)
            }
            guard index < changes.count else { break }
            at = changes[index].at
        }
        count = known.count
        ascii = (0..<128).map { search(UInt32($0)) }
    }

    /// Whether the set with this number holds a class.
    @inline(__always)
    func holds(_ characterClass: Int, in set: Int) -> Bool { holds[characterClass * setCount + set] }

    @inline(__always)
    func classOf(_ value: UInt32) -> Int {
        value < 128 ? Int(ascii[Int(value)]) : Int(search(value))
    }

    @inline(never)
    private func search(_ value: UInt32) -> UInt16 {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= value { low = middle } else { high = middle }
        }
        return classes[low]
    }
}
