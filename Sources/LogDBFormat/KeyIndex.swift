//===--- KeyIndex.swift - which block of a segment holds a key last --------===//
//
// For every key of a log-ordered segment: the block with its newest operation there. Asked for a key that is not in the segment it
// names some block or, 255 times in 256, none. So one key costs at most one block a segment, and usually none.
//
// A static function after Botelho, Pagh, Ziviani ("Simple and space-efficient minimal perfect hash functions", 2007), in the form of
// Graf and Lemire's xor filter (2020): three slots a key, whose exclusive or is the key's fingerprint and block. It holds no keys, and takes
// 1.23 slots of 8 bits plus those of a block number for each.
//
//      h  = mix(hash of table and key + seed × 9E3779B97F4A7C15)          mix: the last three lines of KeyCoding.hash
//      slot i of 3:  i × third + ((low 32 bits of h rotated left by 21 × i) × third >> 32)
//      value:        low 8 bits: (h ^ h >> 32) & FF,  the bits above: number of the block
//
// Two different keys may have one hash, by accident or because somebody made them so. A writer that meets such a pair writes no index,
// and every block of that segment is asked.
//===-----------------------------------------------------------------------===//

package struct KeyIndex: Equatable, Sendable {
    private let seed: UInt64
    private let third: UInt64
    /// Bits of a slot.
    private let width: Int
    private let bits: [UInt8]

    /// Bytes it takes in memory.
    package var byteCount: Int { bits.count }

    private static let fingerprintBits = 8
    private static let maximumSeed: UInt64 = 255

    private static func width(blockCount: Int) -> Int { fingerprintBits + (Int.bitWidth - max(0, blockCount - 1).leadingZeroBitCount) }

    private static func byteCount(third: UInt64, width: Int) -> Int { (3 * Int(third) * width + 7) / 8 }

    @inline(__always)
    private static func mix(_ hash: UInt64, _ seed: UInt64) -> UInt64 { KeyCoding.mix(hash &+ seed &* 0x9E37_79B9_7F4A_7C15) }

    @inline(__always)
    private static func slots(_ h: UInt64, _ third: UInt64) -> (Int, Int, Int) {
        let a = scale(h, third)
        let b = scale(h << 21 | h >> 43, third) + third
        let c = scale(h << 42 | h >> 22, third) + 2 * third
        return (Int(a), Int(b), Int(c))
    }

    /// Spreads the low half of `h` over `0 ..< third`. (A shift binds tighter than a product in Swift: the parentheses are needed.)
    @inline(__always)
    private static func scale(_ h: UInt64, _ third: UInt64) -> UInt64 { ((h & 0xFFFF_FFFF) * third) >> 32 }

    @inline(__always)
    private static func fingerprint(_ h: UInt64) -> UInt64 { (h ^ (h >> 32)) & 0xFF }

    // MARK: - Asking

    /// The only block that may hold the key with this hash; nil if none does.
    package func block(of hash: UInt64, count: Int) -> Int? {
        guard third > 0 else { return nil }
        let h = Self.mix(hash, seed)
        let (a, b, c) = Self.slots(h, third)
        let value = slot(a) ^ slot(b) ^ slot(c)
        guard value & 0xFF == Self.fingerprint(h) else { return nil }
        let block = Int(value >> UInt64(Self.fingerprintBits))
        return block < count ? block : nil
    }

    private func slot(_ index: Int) -> UInt64 {
        let bit = index * width
        let first = bit / 8
        var word: UInt64 = 0
        for byte in 0..<min(8, bits.count - first) { word |= UInt64(bits[first + byte]) << UInt64(8 * byte) }
        return word >> UInt64(bit % 8) & (1 << UInt64(width) - 1)
    }

    // MARK: - Building

    /// Builds the index of keys with different hashes, each with the number of its block. nil if no seed will do, which three keys in a
    /// million million million would have to conspire for.
    package init?(hashes: [UInt64], blocks: [UInt32], blockCount: Int) {
        precondition(hashes.count == blocks.count)
        width = Self.width(blockCount: blockCount)
        guard !hashes.isEmpty else {
            (seed, third, bits) = (0, 0, [])
            return
        }
        let third = UInt64((hashes.count * 123 / 100 + 32 + 2) / 3)
        var found: (UInt64, [Int], [Int])?
        for seed in 0...Self.maximumSeed {
            if let (order, owned) = Self.peel(hashes, seed, third) {
                found = (seed, order, owned)
                break
            }
        }
        guard let (seed, order, owned) = found else { return nil }
        var values = [UInt32](repeating: 0, count: 3 * Int(third))
        for position in order.indices.reversed() {
            let key = order[position]
            let h = Self.mix(hashes[key], seed)
            let (a, b, c) = Self.slots(h, third)
            let wanted = UInt32(Self.fingerprint(h)) | blocks[key] << UInt32(Self.fingerprintBits)
            values[owned[position]] = wanted ^ values[a] ^ values[b] ^ values[c]
        }
        var bits = [UInt8](repeating: 0, count: Self.byteCount(third: third, width: width))
        for (index, value) in values.enumerated() where value != 0 {
            let bit = index * width
            var rest = UInt64(value) << UInt64(bit % 8)
            var byte = bit / 8
            while rest != 0 {
                bits[byte] |= UInt8(truncatingIfNeeded: rest)
                rest >>= 8
                byte += 1
            }
        }
        self.seed = seed
        self.third = third
        self.bits = bits
    }

    /// Takes keys off one by one, each by a slot that it alone has left. Returns them in that order, with these slots; nil if some are
    /// left that hold one another.
    private static func peel(_ hashes: [UInt64], _ seed: UInt64, _ third: UInt64) -> (order: [Int], owned: [Int])? {
        let length = 3 * Int(third)
        var counts = [UInt32](repeating: 0, count: length)
        // The exclusive or of the keys in a slot: when one is left, it is that one.
        var keys = [UInt32](repeating: 0, count: length)
        for (key, hash) in hashes.enumerated() {
            let (a, b, c) = slots(mix(hash, seed), third)
            for slot in [a, b, c] {
                counts[slot] += 1
                keys[slot] ^= UInt32(truncatingIfNeeded: key)
            }
        }
        var ready = (0..<length).filter { counts[$0] == 1 }
        var order: [Int] = []
        var owned: [Int] = []
        order.reserveCapacity(hashes.count)
        owned.reserveCapacity(hashes.count)
        while let slot = ready.popLast() {
            guard counts[slot] == 1 else { continue }
            let key = Int(keys[slot])
            order.append(key)
            owned.append(slot)
            let (a, b, c) = slots(mix(hashes[key], seed), third)
            for other in [a, b, c] {
                counts[other] -= 1
                keys[other] ^= UInt32(truncatingIfNeeded: key)
                if counts[other] == 1 { ready.append(other) }
            }
        }
        return order.count == hashes.count ? (order, owned) : nil
    }

    // MARK: - Bytes

    func append(to buffer: inout ByteBuffer) {
        buffer.append(varint: seed)
        buffer.append(varint: third)
        buffer.append(bits)
    }

    init(_ reader: inout ByteReader, blockCount: Int) throws(FormatError) {
        width = Self.width(blockCount: blockCount)
        seed = try reader.varint()
        third = UInt64(try reader.count(limit: reader.remaining * 8 / width / 3, of: "a key index's length"))
        bits = Array(try reader.take(Self.byteCount(third: third, width: width)))
    }
}
