//===--- FlatTable.swift - keys to places, in two arrays -------------------===//
//
// Open addressing with linear probing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L) over slots of eight bytes; what a key leads to
// stands in a second array, in the order in which the keys came. Nothing is ever taken out, so there are no gaps to mark.
//
//      slots      0 or  hash (32 bits) · number of the entry + 1 (32 bits)       at most three in four are taken
//      entries    where key and document lie, and how long they are
//
// A probe looks at one slot mostly; only where 32 bits of the hash agree are the keys compared. Growing moves slots alone: their halves of the
// hashes say where to.
//
//   * it owns neither keys nor documents: whoever inserts sees to it that their bytes stay, or moves the entry after them.
//===-----------------------------------------------------------------------===//

import CLogDB

@safe
struct FlatTable: ~Copyable {
    // SAFETY: whoever looks at the bytes knows that they are still there; see above.
    @safe
    struct Entry {
        var key: UnsafeRawPointer
        var document: UnsafeRawPointer
        var keyLength: UInt32
        /// `deleted` where the newest operation on the key is a delete.
        var documentLength: UInt32

        static let deleted = UInt32.max

        @inline(__always)
        var isDelete: Bool { documentLength == Self.deleted }

        /// Bytes of key and document.
        @inline(__always)
        var byteCount: Int { Int(keyLength) + (isDelete ? 0 : Int(documentLength)) }
    }

    /// What the halves of a slot can number.
    static let maximumCount = Int(UInt32.max) - 1

    // SAFETY: `slotMask + 1` and `capacity` elements are allocated; of the entries the first `count` are initialised, of the slots all.
    private var slots: UnsafeMutablePointer<UInt64>
    private var slotMask: Int
    private var entries: UnsafeMutablePointer<Entry>
    private var capacity: Int
    private(set) var count = 0

    /// An empty table with room for `expected` keys.
    init(expecting expected: Int = 0) {
        let slotCount = Self.slotCount(for: expected)
        unsafe slots = .allocate(capacity: slotCount)
        unsafe slots.initialize(repeating: 0, count: slotCount)
        slotMask = slotCount - 1
        capacity = max(16, expected)
        unsafe entries = .allocate(capacity: capacity)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe entries.deallocate()
    }

    private static func slotCount(for count: Int) -> Int {
        var slots = 32
        while slots / 4 * 3 < count { slots *= 2 }
        return slots
    }

    /// The half of a hash that a slot keeps.
    @inline(__always)
    private static func half(_ hash: UInt64) -> UInt64 { hash >> 32 }

    @inline(__always)
    subscript(number: Int) -> Entry {
        precondition(number >= 0 && number < count)
        return unsafe entries[number]
    }

    /// Says where the bytes of an entry lie now.
    @inline(__always)
    mutating func move(_ number: Int, key: UnsafeRawPointer, document: UnsafeRawPointer) {
        precondition(number >= 0 && number < count)
        unsafe entries[number].key = key
        unsafe entries[number].document = document
    }

    // What a look-up waits for is memory: the slot, then the entry, then the key. Asked for in time, one after the other, they are there.

    /// Asks for the slot of `hash`.
    @inline(__always)
    func prefetchSlot(_ hash: UInt64) {
        unsafe logdb_prefetch(slots + Int(truncatingIfNeeded: Self.half(hash)) & slotMask)
    }

    /// Asks for the entry that the slot of `hash` names.
    @inline(__always)
    func prefetchEntry(_ hash: UInt64) {
        let value = unsafe slots[Int(truncatingIfNeeded: Self.half(hash)) & slotMask]
        if value >> 32 == Self.half(hash), value != 0 { unsafe logdb_prefetch(entries + Int(value & 0xFFFF_FFFF) - 1) }
    }

    /// Asks for the key of the entry that the slot of `hash` names.
    @inline(__always)
    func prefetchKey(_ hash: UInt64) {
        let value = unsafe slots[Int(truncatingIfNeeded: Self.half(hash)) & slotMask]
        if value >> 32 == Self.half(hash), value != 0 { unsafe logdb_prefetch(entries[Int(value & 0xFFFF_FFFF) - 1].key) }
    }

    /// The number of the key's entry; nil if it has none.
    @inline(__always)
    func find(_ key: UnsafeRawPointer, _ length: Int, hash: UInt64) -> Int? {
        let half = Self.half(hash)
        var slot = Int(truncatingIfNeeded: half) & slotMask
        while true {
            let value = unsafe slots[slot]
            if value == 0 { return nil }
            if value >> 32 == half {
                let number = Int(value & 0xFFFF_FFFF) - 1
                if unsafe matches(number, key, length) { return number }
            }
            slot = (slot + 1) & slotMask
        }
    }

    @inline(__always)
    private func matches(_ number: Int, _ key: UnsafeRawPointer, _ length: Int) -> Bool {
        unsafe Int(entries[number].keyLength) == length && equalBytes(entries[number].key, key, length)
    }

    /// Adds an entry for a key that has none; false where it has one, which stays as it is.
    @inline(__always)
    mutating func insert(_ entry: Entry, hash: UInt64) -> Bool {
        let half = Self.half(hash)
        var slot = Int(truncatingIfNeeded: half) & slotMask
        while true {
            let value = unsafe slots[slot]
            if value == 0 { break }
            if value >> 32 == half, unsafe matches(Int(value & 0xFFFF_FFFF) - 1, entry.key, Int(entry.keyLength)) { return false }
            slot = (slot + 1) & slotMask
        }
        if count == capacity { growEntries(to: capacity * 2) }
        unsafe (entries + count).initialize(to: entry)
        count += 1
        unsafe slots[slot] = half << 32 | UInt64(count)
        if count > (slotMask + 1) / 4 * 3 { growSlots() }
        return true
    }

    @inline(never)
    private mutating func growEntries(to newCapacity: Int) {
        precondition(count < Self.maximumCount, "a table with more than \(Self.maximumCount) keys cannot be loaded")
        let grown = UnsafeMutablePointer<Entry>.allocate(capacity: newCapacity)
        unsafe grown.moveInitialize(from: entries, count: count)
        unsafe entries.deallocate()
        unsafe entries = grown
        capacity = newCapacity
    }

    @inline(never)
    private mutating func growSlots() {
        let slotCount = (slotMask + 1) * 2
        let grown = UnsafeMutablePointer<UInt64>.allocate(capacity: slotCount)
        unsafe grown.initialize(repeating: 0, count: slotCount)
        let mask = slotCount - 1
        for old in 0...slotMask {
            let value = unsafe slots[old]
            if value == 0 { continue }
            var slot = Int(value >> 32) & mask
            while unsafe grown[slot] != 0 { slot = (slot + 1) & mask }
            unsafe grown[slot] = value
        }
        unsafe slots.deallocate()
        unsafe slots = grown
        slotMask = mask
    }
}

/// Whether `length` bytes are the same.
@inline(__always)
func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ length: Int) -> Bool {
    // SAFETY: all loads lie within `length` bytes of both.
    var index = 0
    while index + 8 <= length {
        if unsafe a.loadUnaligned(fromByteOffset: index, as: UInt64.self) != b.loadUnaligned(fromByteOffset: index, as: UInt64.self) {
            return false
        }
        index += 8
    }
    while index < length {
        if unsafe a.load(fromByteOffset: index, as: UInt8.self) != b.load(fromByteOffset: index, as: UInt8.self) { return false }
        index += 1
    }
    return true
}
