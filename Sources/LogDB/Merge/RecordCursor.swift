//===--- RecordCursor.swift - a sorted source of records, one at a time -----===//
//
// What a merge reads: records by rising (or falling) key, each key at most once. The current record lies in the cursor's own memory and stays
// there until the cursor advances.
//
//   * the members are plain stored properties: a merge looks at them far more often than it calls `advance`.
//   * a cursor is for one thread.
//===-----------------------------------------------------------------------===//

import CLogDB
import LogDBFormat

@safe
class RecordCursor {
    /// Whether there is no current record: before the first `advance`, and behind the last.
    final var isAtEnd = true
    final var table: UInt64 = 0
    final var sequence: SequenceNumber = 0
    final var milliseconds: Int64 = 0
    final var isDelete = false
    /// What the record adds to the digest, where the cursor knows it without looking: from when the record was taken in.
    final var term: UInt64?
    /// Whether this is a source of the base rather than of the log.
    final var isBase: Bool { self is SegmentCursor }
    /// Whether it is one of the history.
    final var isHistory: Bool { (self as? SegmentCursor)?.isOfHistory ?? false }
    // SAFETY: both point into memory that the cursor owns and does not touch before it advances.
    @safe final var keyBytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    @safe final var documentBytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    /// Moves to the next record, or to the end.
    func advance() throws(LogDBError) { preconditionFailure("a cursor must know how to advance") }

    /// Brings the current record's document where it was left elsewhere because of its size.
    func loadDocument() throws(LogDBError) {}

    final var key: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let pointer = unsafe keyBytes.assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span<UInt8>(_unsafeElements: pointer)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The current record. Its document is there after `loadDocument`.
    final var record: Record {
        @_lifetime(borrow self)
        get {
            let keyPointer = unsafe keyBytes.assumingMemoryBound(to: UInt8.self)
            let documentPointer = unsafe documentBytes.assumingMemoryBound(to: UInt8.self)
            let key = unsafe Span<UInt8>(_unsafeElements: keyPointer)
            let document = unsafe Span<UInt8>(_unsafeElements: documentPointer)
            let record = Record(table: table, key: key, isDelete: isDelete, document: document)
            return unsafe _overrideLifetime(record, borrowing: self)
        }
    }

    /// Makes `places[index]` of the block in `raw` the current record.
    @inline(__always)
    final func show(_ place: RecordPlace, in raw: UnsafeRawBufferPointer) {
        table = place.tag >> 1
        sequence = place.sequence
        milliseconds = place.milliseconds
        isDelete = place.tag & 1 == 1
        // SAFETY: the block was proven to hold the record there.
        unsafe keyBytes = UnsafeRawBufferPointer(rebasing: raw[Int(place.key)..<Int(place.key + place.keyLength)])
        let start = Int(place.document)
        unsafe documentBytes = UnsafeRawBufferPointer(rebasing: raw[start..<(start + Int(place.documentLength))])
        isAtEnd = false
    }

    /// Calls for the bytes of a record that is shown soon.
    @inline(__always)
    final func prefetch(_ place: RecordPlace, in raw: UnsafeRawBufferPointer) {
        // SAFETY: addresses inside the block, which are not read.
        let base = raw.baseAddress!
        unsafe logdb_prefetch(base + Int(place.key))
        for offset in stride(from: 0, to: min(256, Int(place.documentLength)), by: 64) {
            unsafe logdb_prefetch(base + Int(place.document) + offset)
        }
    }

    /// The first eight bytes of the key, big-endian: settles most comparisons.
    @inline(__always)
    final var prefix: UInt64 { unsafe LogDB.prefix(keyBytes, from: 0) }

    /// Negative, zero or positive, by table and key.
    @inline(__always)
    final func compareKey(with other: RecordCursor) -> Int {
        if table != other.table { return table < other.table ? -1 : 1 }
        return unsafe compareBytes(keyBytes, other.keyBytes)
    }
}

/// Eight bytes from `start` on as a big-endian number, zeros behind the end.
@inline(__always)
func prefix(_ bytes: UnsafeRawBufferPointer, from start: Int) -> UInt64 {
    // SAFETY: the load lies inside the buffer.
    if start + 8 <= bytes.count { return unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)) }
    var value: UInt64 = 0
    for index in 0..<8 { value = value << 8 | (start + index < bytes.count ? UInt64(unsafe bytes[start + index]) : 0) }
    return value
}

/// Compares bytes: negative, zero or positive. A shorter run sorts before its extensions.
@inline(__always)
func compareBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    unsafe compare(
        Span<UInt8>(_unsafeElements: a.assumingMemoryBound(to: UInt8.self)),
        Span<UInt8>(_unsafeElements: b.assumingMemoryBound(to: UInt8.self)))
}
