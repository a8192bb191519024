//===--- Record.swift - one operation as bytes -----------------------------===//
//
//      tag        varint   table id × 2, plus 1 for a delete
//      keyLength  varint   1 ... 65,536 (a tag byte and the key, see KeyCoding)
//      key        bytes
//      length     varint   only where it is no delete: 1 or more
//      document   bytes    the same; where it expires with what Expiry puts before it
//
// A frame of the active segment holds records just like this, numbered in a row from the frame's first sequence number. A block
// of a sealed segment holds the same parts in columns, see Block. Records carry no checksum: their frame or block does.
//===-----------------------------------------------------------------------===//

package struct Record: ~Escapable {
    package var table: UInt64
    package var key: Span<UInt8>
    package var isDelete: Bool
    /// As it is stored: with its expiry, see Expiry. Empty for a delete.
    package var document: Span<UInt8>

    @_lifetime(copy key, copy document)
    @inline(__always)
    package init(table: UInt64, key: Span<UInt8>, isDelete: Bool, document: Span<UInt8>) {
        self.table = table
        self.key = key
        self.isDelete = isDelete
        self.document = document
    }

    /// The largest encoded key: 65,535 bytes and the tag.
    package static let maximumKeyLength = 65_536
    /// The largest document the format can hold, 1 GiB.
    package static let maximumDocumentLength = 1 << 30
    /// The same with its expiry.
    package static let maximumStoredLength = maximumDocumentLength + Expiry.length

    /// Table and kind in one number.
    @inline(__always)
    package var tag: UInt64 { table << 1 | (isDelete ? 1 : 0) }

    @inline(__always)
    package func append(to buffer: inout ByteBuffer) {
        buffer.append(varint: tag)
        buffer.append(varint: key.count)
        buffer.append(key)
        if !isDelete {
            buffer.append(varint: document.count)
            buffer.append(document)
        }
    }

    /// The same for a document that is given without its expiry.
    @inline(__always)
    package func append(to buffer: inout ByteBuffer, expires: Int64?) {
        guard let expires else { return append(to: &buffer) }
        buffer.append(varint: tag)
        buffer.append(varint: key.count)
        buffer.append(key)
        buffer.append(varint: Expiry.length + document.count)
        Expiry.append(expires, to: &buffer)
        buffer.append(document)
    }

    /// Bytes the record takes at most when encoded.
    @inline(__always)
    package static func encodedBound(keyLength: Int, documentLength: Int) -> Int { 10 + 5 + 5 + keyLength + documentLength }
}

extension ByteReader {
    @inline(__always)
    @_lifetime(copy self)
    package mutating func record() throws(FormatError) -> Record {
        let tag = try varint()
        let keyStart = position
        let keyLength = try count(limit: Record.maximumKeyLength, of: "a key's length")
        guard keyLength > 0 else { throw FormatError(.corrupted, "a key is empty", at: keyStart) }
        let key = try take(keyLength)
        if tag & 1 == 1 { return Record(table: tag >> 1, key: key, isDelete: true, document: Span()) }
        let length = try count(limit: Record.maximumStoredLength, of: "a document's length")
        let start = position
        let document = try take(length)
        try Expiry.prove(document, at: start)
        return Record(table: tag >> 1, key: key, isDelete: false, document: document)
    }
}
