//===--- FormatError.swift - what can be wrong with bytes ------------------===//
//
// Bytes from disk are guests: every decoder here checks them and throws this. It knows the offset within the bytes it was
// given; the engine, which knows which file they came from and where they began, adds that and makes a LogDBError of it.
//===-----------------------------------------------------------------------===//

package struct FormatError: Error, Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// The bytes break the rules of the format.
        case corrupted
        /// The bytes are whole, but of a version this library does not know.
        case unsupportedFormat
        /// The bytes name a codec this library was not built with or does not know.
        case codecUnavailable
    }

    package var kind: Kind
    package var reason: String
    /// Offset of the fault from the start of the bytes that were being decoded.
    package var offset: Int

    package init(_ kind: Kind = .corrupted, _ reason: String, at offset: Int = 0) {
        self.kind = kind
        self.reason = reason
        self.offset = offset
    }

    /// The same error seen from a frame of reference that begins `base` bytes earlier.
    package func shifted(by base: Int) -> FormatError {
        FormatError(kind, reason, at: offset + base)
    }
}

/// `value` as eight hexadecimal digits, the way checksums are printed.
package func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}
