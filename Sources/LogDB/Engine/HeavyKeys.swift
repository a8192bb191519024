//===--- HeavyKeys.swift - the keys that take the most of a stream ---------===//
//
// A few counters find the heavy keys of a stream of any length: a key without a counter takes over the smallest one, and remembers what
// it took over as what may not be its own. (Metwally, Agrawal, El Abbadi 2005, "Space-Saving".) Whatever takes more than a share of 1 / `limit`
// has a counter at the end.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct HeavyKeys {
    struct Counter {
        var key: FullKey
        /// What is the key's own, at least.
        var operations: UInt64
        var bytes: UInt64
        /// What was taken over.
        fileprivate var inherited: UInt64
        fileprivate let hash: UInt64
        fileprivate var total: UInt64 { bytes + inherited }
    }

    private static let limit = 4096

    /// A heap: no counter is above one with a smaller total.
    private var counters: [Counter] = []
    /// Where in the heap the counter of a hash is.
    private var places: [UInt64: Int] = [:]

    /// The counters with the most bytes, the largest first.
    func most(_ count: Int) -> [Counter] {
        Array(counters.sorted { ($0.bytes, $1.key) > ($1.bytes, $0.key) }.prefix(count))
    }

    mutating func add(table: UInt64, key: Span<UInt8>, bytes: UInt64) {
        let hash = KeyCoding.hash(table: table, key: key)
        if let place = places[hash] {
            counters[place].bytes += bytes
            counters[place].operations += 1
            sink(place)
            return
        }
        let full = FullKey(table: table, key: Array(key))
        guard counters.count == Self.limit else {
            counters.append(Counter(key: full, operations: 1, bytes: bytes, inherited: 0, hash: hash))
            places[hash] = counters.count - 1
            rise(counters.count - 1)
            return
        }
        places[counters[0].hash] = nil
        counters[0] = Counter(key: full, operations: 1, bytes: bytes, inherited: counters[0].total, hash: hash)
        places[hash] = 0
        sink(0)
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, counters[place].total < counters[(place - 1) / 2].total {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while 2 * place + 1 < counters.count {
            var child = 2 * place + 1
            if child + 1 < counters.count, counters[child + 1].total < counters[child].total { child += 1 }
            guard counters[child].total < counters[place].total else { return }
            exchange(place, child)
            place = child
        }
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        counters.swapAt(a, b)
        places[counters[a].hash] = a
        places[counters[b].hash] = b
    }
}
