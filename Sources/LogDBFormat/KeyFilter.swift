//===--- KeyFilter.swift - which blocks cannot hold a key ------------------===//
//
// A Bloom filter (Bloom 1970; two hashes stand for six, Kirsch and Mitzenmacher 2006) over the keys of one block: eight bits a
// distinct key, about two false alarms in a hundred. No key that is there is ever denied.
//
//      bit i of 6:   (low 32 bits of the hash + i × (high 32 bits | 1)) mod bits,   bit b is byte b/8, value 1 << b%8
//===-----------------------------------------------------------------------===//

package enum KeyFilter {
    static let bitsPerKey = 8
    static let probes: UInt64 = 6

    /// The filter of `hashes`, which may repeat; empty where there are none.
    package static func build(_ hashes: Set<UInt64>) -> [UInt8] {
        guard !hashes.isEmpty else { return [] }
        var filter = [UInt8](repeating: 0, count: (hashes.count * bitsPerKey + 7) / 8)
        let bits = UInt64(filter.count * 8)
        for hash in hashes {
            let step = hash >> 32 | 1
            for probe in 0..<probes {
                let bit = (hash & 0xFFFF_FFFF &+ probe &* step) % bits
                filter[Int(bit / 8)] |= 1 << UInt8(bit % 8)
            }
        }
        return filter
    }

    package static func mayContain(_ hash: UInt64, in filter: Span<UInt8>) -> Bool {
        guard filter.count > 0 else { return false }
        let bits = UInt64(filter.count * 8)
        let step = hash >> 32 | 1
        for probe in 0..<probes {
            let bit = (hash & 0xFFFF_FFFF &+ probe &* step) % bits
            if filter[Int(bit / 8)] & (1 << UInt8(bit % 8)) == 0 { return false }
        }
        return true
    }
}
