//===--- DocumentEncoder.swift - from a Codable value to a document --------===//
//
// Writes the text while the value describes itself: one pass, no tree in between. How: EncodingPart.swift.
//
// The meaning is that of Foundation's JSONEncoder with default strategies, so that documents can be read by either:
// Date as seconds since 2001, Data as base64, URL as its string, Decimal digit for digit, other types as their own
// `encode(to:)` says. Unlike there, members keep the order of encoding, and a number is never rounded.
//===-----------------------------------------------------------------------===//

/// Encodes values as documents.
public struct DocumentEncoder: Sendable {
    /// Handed to every `encode(to:)`, as Foundation's encoder does.
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    public init() {}

    /// What a value became.
    public enum Outcome: Sendable, Hashable {
        /// One JSON object.
        case document
        /// The text `null`: the value was nil. Where documents are written, that means absence.
        case null
    }

    /// Encodes `value` as UTF-8 text.
    ///
    /// - Throws: `EncodingError` if the text is neither an object nor `null`, if a number is infinite or NaN, if containers
    ///   are nested deeper than 1,000; and whatever the value's `encode(to:)` throws.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512)
        try encode(value, into: &output)
        return output
    }

    /// Appends `value` as UTF-8 text to `output`, which keeps its capacity and, on a throw, its contents.
    ///
    /// - Throws: as ``encode(_:)``.
    @discardableResult
    public func encode(_ value: some Encodable, into output: inout [UInt8]) throws -> Outcome {
        let base = output.count
        let part = EncodingPart(taking: &output, userInfo: userInfo)
        defer { output = part.takeBytes() }
        do {
            try part.write(value)
            try part.finish()
            switch part.bytes[base] {
            case UInt8(ascii: "{"): return .document
            case UInt8(ascii: "n"): return .null
            case let first: throw Self.notAnObject(value, first: first)
            }
        } catch {
            part.cut(to: base)
            throw error
        }
    }

    private static func notAnObject(_ value: some Encodable, first: UInt8) -> EncodingError {
        let kind =
            switch first {
            case UInt8(ascii: "["): "an array"
            case UInt8(ascii: "\""): "a string"
            case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
            default: "a number"
            }
        let text = "a document is a JSON object, and \(type(of: value)) encodes as \(kind); wrap it in a type with a member for it"
        return EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: text))
    }
}
