//===--- FullKey.swift - table and key, the order of everything ------------===//
//
// What sorts: by table id, then by the encoded key, compared as bytes. Base segments, spill runs and `select` all use this order.
//===-----------------------------------------------------------------------===//

package struct FullKey: Hashable, Sendable, Comparable {
    package var table: UInt64
    /// The key as it is encoded; empty sorts before every key of the table.
    package var key: [UInt8]

    package init(table: UInt64, key: [UInt8]) {
        self.table = table
        self.key = key
    }

    package init(_ record: borrowing Record) {
        table = record.table
        key = Array(record.key)
    }

    package static func < (a: FullKey, b: FullKey) -> Bool {
        a.table != b.table ? a.table < b.table : precedes(a.key.span, b.key.span)
    }

    func append(to buffer: inout ByteBuffer) {
        buffer.append(varint: table)
        buffer.append(varint: key.count)
        buffer.append(key)
    }
}

extension ByteReader {
    mutating func fullKey() throws(FormatError) -> FullKey {
        let table = try varint()
        return FullKey(table: table, key: Array(try take(try count(limit: Record.maximumKeyLength, of: "a key's length"))))
    }
}

/// Compares two full keys: negative, zero or positive.
@inline(__always)
package func compare(_ tableA: UInt64, _ a: Span<UInt8>, _ tableB: UInt64, _ b: Span<UInt8>) -> Int {
    if tableA != tableB { return tableA < tableB ? -1 : 1 }
    return compare(a, b)
}

/// Compares bytes: negative, zero or positive. A shorter run sorts before its extensions.
@inline(__always)
package func compare(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int {
    let common = min(a.count, b.count)
    var index = 0
    // SAFETY: eight bytes from `index` on are there in both.
    while index + 8 <= common {
        let left = unsafe a.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
        let right = unsafe b.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
        if left != right { return left.bigEndian < right.bigEndian ? -1 : 1 }
        index += 8
    }
    while index < common {
        if a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        index += 1
    }
    return a.count - b.count
}

/// Whether `a` sorts before `b`, compared as bytes.
@inline(__always)
package func precedes(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool { compare(a, b) < 0 }

/// Whether `a` and `b` are the same bytes.
@inline(__always)
package func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool { a.count == b.count && compare(a, b) == 0 }
