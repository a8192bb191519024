//===--- Expiry.swift - documents that expire ------------------------------===//
//
// What stands in a record's place for the document is the JSON text. Where it expires, seven bytes stand before it:
//
//      0  1  01        no JSON text begins so
//      1  6  expiry    milliseconds since 1970 UTC, little-endian
//      7  …  JSON      to the end
//
// Frames, blocks, runs, digests and merges take all of it for the document; only who reads the JSON, or asks whether it still counts, looks inside. A document without
// expiry costs them one comparison. The other bytes below 20 that JSON does not begin with are left to later versions.
//===-----------------------------------------------------------------------===//

package enum Expiry {
    /// Bytes before the JSON of a document that expires.
    package static let length = 7
    package static let tag: UInt8 = 1
    /// Times that have a place, in milliseconds since 1970 UTC: until the year 10,889.
    package static let range: ClosedRange<Int64> = 0...(1 << 48 - 1)

    /// Appends what stands before the JSON of a document that expires then.
    @inline(__always)
    package static func append(_ milliseconds: Int64, to buffer: inout ByteBuffer) {
        buffer.append(tag)
        let value = UInt64(bitPattern: min(max(milliseconds, range.lowerBound), range.upperBound))
        buffer.append(u32: UInt32(truncatingIfNeeded: value))
        buffer.append(UInt8(truncatingIfNeeded: value >> 32))
        buffer.append(UInt8(truncatingIfNeeded: value >> 40))
    }

    /// When a document expires; nil: never.
    @inline(__always)
    package static func milliseconds(of document: Span<UInt8>) -> Int64? {
        guard document.count >= length, document[0] == tag else { return nil }
        return decode(document)
    }

    /// Whether a document has expired at `now`.
    @inline(__always)
    package static func isExpired(_ document: Span<UInt8>, at now: Int64) -> Bool {
        guard document.count >= length, document[0] == tag else { return false }
        return decode(document) <= now
    }

    @inline(never)
    private static func decode(_ document: Span<UInt8>) -> Int64 {
        var value: Int64 = 0
        for index in (1..<length).reversed() { value = value << 8 | Int64(document[index]) }
        return value
    }

    /// The JSON text of a document.
    @inline(__always)
    @_lifetime(copy document)
    package static func json(of document: Span<UInt8>) -> Span<UInt8> {
        guard document.count >= length, document[0] == tag else { return document }
        return document.extracting(length...)
    }

    /// Proves that a document begins as one may. White space may stand before JSON text.
    @inline(__always)
    package static func prove(_ document: Span<UInt8>, at offset: Int = 0) throws(FormatError) {
        if document.count > 0, document[0] < 0x20 { try proveFirst(document, at: offset) }
    }

    @inline(never)
    private static func proveFirst(_ document: Span<UInt8>, at offset: Int) throws(FormatError) {
        switch document[0] {
        case 0x09, 0x0A, 0x0D: return
        case tag:
            guard document.count > length else { throw FormatError(.corrupted, "a document that expires ends too early", at: offset) }
        case let byte:
            throw FormatError(
                .unsupportedFormat, "a document begins with the byte \(byte), of which this version knows nothing", at: offset)
        }
    }
}

/// What of a sealed segment expires.
package struct ExpiryStatistics: Equatable, Sendable {
    package var documents: UInt64 = 0
    /// Of their keys and of themselves.
    package var bytes: UInt64 = 0
    /// When the first of them expires, and the last.
    package var least = Int64.max
    package var greatest: Int64 = 0

    package init() {}

    package var isEmpty: Bool { documents == 0 }

    @inline(__always)
    package mutating func add(_ record: Record) {
        if let expires = Expiry.milliseconds(of: record.document) { add(expires, bytes: record.key.count + record.document.count) }
    }

    @inline(never)
    private mutating func add(_ expires: Int64, bytes count: Int) {
        documents += 1
        bytes += UInt64(count)
        least = min(least, expires)
        greatest = max(greatest, expires)
    }

    func append(to buffer: inout ByteBuffer) {
        for field in [documents, bytes, UInt64(least), UInt64(greatest)] { buffer.append(varint: field) }
    }

    init(_ reader: inout ByteReader) throws(FormatError) {
        let start = reader.position
        documents = try reader.varint()
        bytes = try reader.varint()
        let times = (try reader.varint(), try reader.varint())
        guard documents > 0, times.0 <= times.1, times.1 <= UInt64(Expiry.range.upperBound) else {
            throw FormatError(.corrupted, "what a segment says of documents that expire makes no sense", at: start)
        }
        (least, greatest) = (Int64(times.0), Int64(times.1))
    }
}
