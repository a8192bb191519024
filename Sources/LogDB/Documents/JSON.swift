//===--- JSON.swift - a JSON value whose shape is known only at run time ---===//
//
// For documents that have no Swift type. What was read is what is written: members keep their order, numbers keep every
// digit (JSONNumber), strings keep every scalar. Two things are not kept: whitespace, and all but the last of members
// with the same name (JSONObject).
//
// Parsing accepts what `put` accepts, at most 1,000 containers deep. A value built in code may be deeper than that, but
// then it cannot be stored, and releasing it recurses as deep as it is (256 KiB of stack for 1,000 levels).
//===-----------------------------------------------------------------------===//

/// A JSON value.
///
/// ```swift
/// var actor: JSON = ["name": "Ice Devil", "position": ["x": 1.5]]
/// actor["position"]["y"] = 3
/// actor["position"]["x"].double   // 1.5
/// actor["weapon"]["name"]         // .null: reading what is absent gives null
/// ```
///
/// Two values are equal if they are of the same kind and
/// - numbers have the same text: `1`, `1.0` and `1e0` are three different numbers. Compare ``double`` for magnitudes;
/// - strings are equal as Swift strings;
/// - arrays have equal elements in the same order;
/// - objects have the same names with equal values, in any order.
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

// Reading one kind: nil if the value is of another kind, or does not fit.
extension JSON {
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var number: JSONNumber? {
        if case .number(let value) = self { value } else { nil }
    }

    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The number's exact value; nil if it has a fraction or does not fit. `1.0` is 1.
    public var int64: Int64? { number?.int64 }

    /// The number's exact value; nil if it is negative, has a fraction or does not fit.
    public var uint64: UInt64? { number?.uint64 }

    /// The number's exact value; nil if it has a fraction or does not fit.
    public var int: Int? { number?.int64.flatMap(Int.init(exactly:)) }

    /// The double nearest to the number; nil if its magnitude is beyond the largest one.
    public var double: Double? { number?.double }
}

// Values as they are written in Swift.
extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    public init(floatLiteral value: Double) { self = .number(JSONNumber(floatLiteral: value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }

    public init(_ value: Bool) { self = .bool(value) }
    public init(_ value: String) { self = .string(value) }
    public init(_ value: some BinaryInteger) { self = .number(JSONNumber(value)) }
    public init(_ value: [JSON]) { self = .array(value) }
    public init(_ value: JSONObject) { self = .object(value) }

    /// Wraps a finite double; nil for an infinity or NaN, which JSON cannot say.
    public init?(_ value: Double) {
        guard let number = JSONNumber(value) else { return nil }
        self = .number(number)
    }
}

extension JSON: CustomStringConvertible {
    /// The value as compact JSON text.
    public var description: String { String(decoding: serialized(), as: UTF8.self) }
}
