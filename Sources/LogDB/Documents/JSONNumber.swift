//===--- JSONNumber.swift - a number, digit for digit ----------------------===//
//
// JSON sets no limit to a number's digits, Swift's types do. So the text is the value, and converting is the reader's
// decision: exactly to an integer, or to the nearest double.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A JSON number that keeps its exact text.
///
/// Equal means the same text: `1.50` is not `1.5`.
public struct JSONNumber: Sendable, Hashable {
    /// The number as it was written, always a valid JSON number.
    public let text: String

    /// Trusts that `text` is a JSON number.
    init(trusted text: String) { self.text = text }

    /// Takes over `text`; nil if it is not exactly one JSON number ("+1", "01" and ".5" are not).
    public init?(text: String) {
        guard JSONNumeral.isNumber(text) else { return nil }
        self.text = text
    }

    public init(_ value: some BinaryInteger) { text = String(value) }

    /// Takes the shortest text that reads back as `value`; nil for an infinity or NaN.
    public init?(_ value: Double) {
        var bytes: [UInt8] = []
        guard JSONNumeral.append(value, to: &bytes) else { return nil }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The exact value; nil if it has a fraction or does not fit. `1.0` is 1, `-0` is 0.
    public var int64: Int64? { JSONNumeral.int64(text) }

    /// The exact value; nil if it is negative, has a fraction or does not fit.
    public var uint64: UInt64? { JSONNumeral.uint64(text) }

    /// The nearest double; nil if the magnitude is beyond the largest one. Too small a magnitude is 0.
    public var double: Double? { JSONNumeral.double(text) }
}

extension JSONNumber: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, CustomStringConvertible {
    public init(integerLiteral value: Int64) { self.init(value) }

    /// A literal beyond the largest double is a mistake in the source and traps.
    public init(floatLiteral value: Double) {
        guard let number = JSONNumber(value) else { preconditionFailure("a JSON number is finite") }
        self = number
    }

    public var description: String { text }
}
