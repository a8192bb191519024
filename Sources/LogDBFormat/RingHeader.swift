//===--- RingHeader.swift - the first bytes of the ring --------------------===//
//
// The common file header (see FileHeader), kind 4, number 0, with these fields of its own:
//
//       0   8  capacity     bytes of the ring, which begin at `origin`
//
// The byte at log position p, if the ring has it, is at origin + p mod capacity. Nothing else is said of what the ring holds: frames prove
// themselves, by the identity of their segment and by their sequence numbers.
//===-----------------------------------------------------------------------===//

package struct RingHeader: Equatable, Sendable {
    package var file: FileHeader
    package var capacity: UInt64

    package static let length = FileHeader.plainLength + 8
    /// Where the ring begins: a page of its own for the header, so that no store touches it.
    package static let origin = 4096
    /// Nobody makes a larger one; what is read of a ring is held in memory.
    package static let maximumCapacity: UInt64 = 64 << 20

    package init(database: FileHeader.DatabaseIdentity, identity: UInt64, capacity: UInt64) {
        file = FileHeader(kind: .ring, database: database, number: 0, identity: identity)
        self.capacity = capacity
    }

    package func append(to buffer: inout ByteBuffer) {
        file.append(to: &buffer) { $0.append(u64: capacity) }
    }

    package init(decoding bytes: Span<UInt8>) throws(FormatError) {
        let decoded = try FileHeader.decode(bytes, expecting: .ring)
        guard decoded.length == Self.length else {
            throw FormatError(.corrupted, "a ring's header is \(decoded.length) bytes long", at: 12)
        }
        var fields = ByteReader(decoded.fields)
        file = decoded.header
        capacity = try fields.u64()
        guard capacity > 0, capacity.isMultiple(of: 8), capacity <= Self.maximumCapacity else {
            throw FormatError(.corrupted, "a ring of \(capacity) bytes", at: FileHeader.fixedLength)
        }
    }
}
