//===--- KeyFilter.swift - keys of which a newer operation was kept ---------===//
//
// A sort that does not fit in memory writes runs, and a key that is changed again and again would stand in many of them: each buffer knows only what is in
// itself. The filter remembers the keys of all buffers, as many as fit, those asked about last longest. An operation on a remembered key that is older than all that
// were remembered is superseded: it is dropped before it costs a run, its disk, or a merge. What was forgotten is dropped by the merge, as ever.
//
// A key is remembered as 95 bits of a hash (SipHash-1-3, as Hasher is) that is keyed anew for each sort: nobody who chooses keys can choose two that are taken for
// one, and by chance that happens once in 10¹⁸ sorts of ten thousand million operations. (The row that a key belongs to comes from a
// faster hash: whoever can choose that one makes the filter forget, nothing else.)
//
//      row    64 bytes, a line of the cache: five marks of 12 bytes, the one asked about last first; 0 where there is none
//===-----------------------------------------------------------------------===//

import CLogDB
import LogDBFormat

@safe
final class KeyFilter {
    private static let rowBytes = 64
    private static let markBytes = 12
    private static let marks = 5
    /// Keys asked about, at least, after which it must have been worth it.
    private static let leastTrial = 1 << 16

    private struct Mark: Equatable {
        var low: UInt64
        var high: UInt32
    }

    // For one thread.
    @exclusivity(unchecked) private let rows: UnsafeMutableRawPointer
    @safe @exclusivity(unchecked) private let rowCount: UInt64
    /// What has taken in a key of its own, in case the process's is known.
    private let keyed: Hasher
    /// No operation whose key is remembered has a lower number.
    @safe @exclusivity(unchecked) private var lowest = SequenceNumber.max
    /// Operations asked about that a newer one could have superseded, and how many one had, since the last verdict.
    @safe @exclusivity(unchecked) private var asked = 0
    @safe @exclusivity(unchecked) private var found = 0

    /// - Parameter budget: bytes of memory.
    init(budget: Int) {
        var hasher = Hasher()
        for _ in 0..<2 { hasher.combine(UInt64.random(in: 0 ... .max)) }
        keyed = hasher
        rowCount = UInt64(max(1, budget / Self.rowBytes))
        unsafe rows = .allocate(byteCount: Int(rowCount) * Self.rowBytes, alignment: Self.rowBytes)
        unsafe rows.initializeMemory(as: UInt8.self, repeating: 0, count: Int(rowCount) * Self.rowBytes)
    }

    deinit { unsafe rows.deallocate() }

    /// Whether enough operations were superseded to go on asking. There is a verdict each time as many were asked about as can be remembered: an
    /// empty filter finds little.
    func isWorthwhile() -> Bool {
        guard asked >= max(Self.leastTrial, Int(rowCount) * Self.marks) else { return true }
        defer { (asked, found) = (0, 0) }
        return found * 16 > asked
    }

    @inline(__always)
    private func row(_ hash: UInt64) -> UnsafeMutableRawPointer {
        // SAFETY: the product's upper half is below the number of rows.
        unsafe rows + Int(truncatingIfNeeded: hash.multipliedFullWidth(by: rowCount).high) * Self.rowBytes
    }

    /// Asks for the memory that a key will need.
    @inline(__always)
    func prefetch(_ hash: UInt64) { unsafe logdb_prefetch(row(hash)) }

    /// Remembers a key, and tells whether an operation on it that is newer than this one was remembered before.
    ///
    /// - Parameters:
    ///   - stamp: of two operations on a key with different stamps neither supersedes the other.
    ///   - hash: any, the same for the same table, key and stamp.
    func supersedes(
        _ table: UInt64, _ key: Span<UInt8>, stamp: UInt64, hash: UInt64, sequence: SequenceNumber
    ) -> Bool {
        let isOlder = sequence < lowest
        if isOlder { asked += 1 }
        lowest = min(lowest, sequence)
        let mark = mark(table, key, stamp)
        let row = unsafe row(hash)
        // SAFETY: five marks lie in a row.
        var place = 0
        var last = unsafe read(row, 0)
        if last == mark {
            if isOlder { found += 1 }
            return isOlder
        }
        unsafe write(mark, row, 0)
        while place + 1 < Self.marks {
            place += 1
            let next = unsafe read(row, place)
            unsafe write(last, row, place)
            if next == mark {
                if isOlder { found += 1 }
                return isOlder
            }
            last = next
        }
        return false
    }

    /// Ends the time in which what was there before is told: none of it counts for the verdict.
    func beginVerdicts() { (asked, found) = (0, 0) }

    private func mark(_ table: UInt64, _ key: Span<UInt8>, _ stamp: UInt64) -> Mark {
        var hasher = keyed
        hasher.combine(table)
        hasher.combine(stamp)
        unsafe key.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        var other = hasher
        other.combine(UInt8(1))
        // Never that of an empty place.
        return Mark(
            low: UInt64(bitPattern: Int64(hasher.finalize())), high: UInt32(truncatingIfNeeded: other.finalize()) | 1)
    }

    @inline(__always)
    private func read(_ row: UnsafeMutableRawPointer, _ place: Int) -> Mark {
        unsafe Mark(
            low: row.loadUnaligned(fromByteOffset: place * Self.markBytes, as: UInt64.self),
            high: row.loadUnaligned(fromByteOffset: place * Self.markBytes + 8, as: UInt32.self))
    }

    @inline(__always)
    private func write(_ mark: Mark, _ row: UnsafeMutableRawPointer, _ place: Int) {
        unsafe row.storeBytes(of: mark.low, toByteOffset: place * Self.markBytes, as: UInt64.self)
        unsafe row.storeBytes(of: mark.high, toByteOffset: place * Self.markBytes + 8, as: UInt32.self)
    }
}
