//===--- FileHeader.swift - the first bytes of every file ------------------===//
//
//       0   8  magic      "LogDB" 0D 0A 1A: a transfer that mends line ends breaks it visibly
//       8   2  version    1
//      10   1  kind       1 manifest, 2 raw segment, 3 sealed segment, 4 ring
//      11   1  zero
//      12   4  length     of the whole header, checksum included
//      16  16  database   the identity of the database, random
//      32   8  number     of the manifest or segment
//      40   8  identity   of this file, random; seeds the checksums of its frames
//      48   …  fields of the kind
//   length-4 4 checksum   CRC-32C of all before it
//
// These places hold in every version to come. So a reader first proves the checksum and then looks at the version: a
// newer file reads as `unsupportedFormat`, a damaged one as `corrupted`, and neither as the other.
//===-----------------------------------------------------------------------===//

package struct FileHeader: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case manifest = 1
        case rawSegment = 2
        case sealedSegment = 3
        case ring = 4
    }

    package typealias DatabaseIdentity = SIMD2<UInt64>

    package static let version: UInt16 = 1
    package static let magic: [UInt8] = [0x4C, 0x6F, 0x67, 0x44, 0x42, 0x0D, 0x0A, 0x1A]
    package static let fixedLength = 48
    /// Longer than any header of any kind; a length beyond it is damage, not a reason to read on.
    package static let maximumLength = 4096

    package var kind: Kind
    package var database: DatabaseIdentity
    package var number: UInt64
    package var identity: UInt64

    package init(kind: Kind, database: DatabaseIdentity, number: UInt64, identity: UInt64) {
        self.kind = kind
        self.database = database
        self.number = number
        self.identity = identity
    }

    /// Length of a header without fields of its own: manifests and raw segments.
    package static let plainLength = fixedLength + 4

    /// Appends the header; `fields` appends what the kind adds.
    package func append(to buffer: inout ByteBuffer, fields: (inout ByteBuffer) -> Void = { _ in }) {
        let start = buffer.count
        buffer.append(Self.magic)
        buffer.append(u16: Self.version)
        buffer.append(kind.rawValue)
        buffer.append(0 as UInt8)
        buffer.append(u32: 0)
        buffer.append(u64: database[0])
        buffer.append(u64: database[1])
        buffer.append(u64: number)
        buffer.append(u64: identity)
        fields(&buffer)
        buffer.patch(u32: UInt32(buffer.count - start + 4), at: start + 12)
        buffer.append(u32: Checksum.crc32c(buffer.span.extracting(start...)))
    }

    /// Decodes the header at the start of `bytes` and returns it with its own fields.
    @_lifetime(copy bytes)
    package static func decode(_ bytes: Span<UInt8>, expecting kind: Kind) throws(FormatError) -> FileHeaderFields {
        guard bytes.count >= plainLength else {
            throw FormatError(.corrupted, "the file header needs \(plainLength) bytes, only \(bytes.count) are there")
        }
        var reader = ByteReader(bytes)
        for byte in magic where try reader.u8() != byte {
            throw FormatError(.corrupted, "the file does not begin with LogDB's mark")
        }
        let version = try reader.u16()
        let kindByte = try reader.u8()
        let zero = try reader.u8()
        let length = Int(try reader.u32())
        guard length >= plainLength, length <= min(bytes.count, maximumLength) else {
            throw FormatError(.corrupted, "the file header says it is \(length) bytes long", at: 12)
        }
        let computed = Checksum.crc32c(bytes.extracting(0..<(length - 4)))
        var tail = ByteReader(bytes.extracting((length - 4)..<length))
        let stored = try tail.u32()
        guard computed == stored else {
            throw FormatError(
                .corrupted, "file header checksum is \(hexadecimal(computed)), stored \(hexadecimal(stored))", at: length - 4)
        }
        guard version == Self.version else {
            throw FormatError(
                .unsupportedFormat, "the file has format version \(version), this library reads version \(Self.version)", at: 8)
        }
        guard kindByte == kind.rawValue, zero == 0 else {
            throw FormatError(.corrupted, "the file is of kind \(kindByte), not \(kind.rawValue) (\(kind))", at: 10)
        }
        let database = DatabaseIdentity(try reader.u64(), try reader.u64())
        let number = try reader.u64()
        let identity = try reader.u64()
        let header = FileHeader(kind: kind, database: database, number: number, identity: identity)
        return FileHeaderFields(header: header, fields: bytes.extracting(fixedLength..<(length - 4)), length: length)
    }
}

/// A decoded header with the bytes its kind adds and the length it takes.
package struct FileHeaderFields: ~Escapable {
    package let header: FileHeader
    package let fields: Span<UInt8>
    package let length: Int

    @_lifetime(copy fields)
    init(header: FileHeader, fields: Span<UInt8>, length: Int) {
        self.header = header
        self.fields = fields
        self.length = length
    }
}
