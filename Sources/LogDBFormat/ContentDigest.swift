//===--- ContentDigest.swift - proof that contents are the same ------------===//
//
// The digest of a set of documents, whatever the order in which they come: the sum, modulo 2⁶⁴, over all of them of
//
//      mix(CRC-32C of the document × 2³² + CRC-32C of the encoded key)              mix: see KeyCoding
//
// A document that is lost, doubled or invented changes the sum by a number that hits 0 once in 2⁶⁴; one that is changed is noticed as its
// checksum notices it. Against accidents, not against somebody who computes.
//
// The digest of a whole database adds, for each table that has documents, mix(the table's digest + mix(CRC-32C of the table's name)): two databases
// with the same live contents have the same digest, however their tables are numbered.
//===-----------------------------------------------------------------------===//

package struct ContentDigest: Equatable, Sendable {
    package private(set) var value: UInt64

    package init(value: UInt64 = 0) { self.value = value }

    /// What one document adds.
    @inline(__always)
    package static func term(key: Span<UInt8>, document: Span<UInt8>) -> UInt64 {
        KeyCoding.mix(UInt64(Checksum.crc32c(document)) << 32 | UInt64(Checksum.crc32c(key)))
    }

    @inline(__always)
    package mutating func add(_ term: UInt64) { value &+= term }
    @inline(__always)
    package mutating func subtract(_ term: UInt64) { value &-= term }

    /// Adds a table to the digest of a database.
    package mutating func add(table name: String, _ digest: ContentDigest) {
        let bytes = Array(name.utf8)
        value &+= KeyCoding.mix(digest.value &+ KeyCoding.mix(UInt64(Checksum.crc32c(bytes.span))))
    }
}
