//===--- FoundationValues.swift - Data, URL and Decimal in documents, UUID as key ---===//
//
// The one file that knows Foundation. These three would write themselves in ways nobody expects in JSON (Data as an
// array of numbers, URL and Decimal as objects), so they are written as Foundation's JSON coders write them: base64,
// a string, a number. Date and UUID need nothing: their own Codable is what Foundation writes, too.
//===-----------------------------------------------------------------------===//

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension EncodingPart {
    /// Writes `value` if it is one of the three; false, and nothing written, if not.
    func writeFoundationValue<T: Encodable>(_ value: T) throws -> Bool {
        if T.self == Data.self, let data = value as? Data {
            write(data.base64EncodedString())
        } else if T.self == URL.self, let url = value as? URL {
            write(url.absoluteString)
        } else if T.self == Decimal.self, let decimal = value as? Decimal {
            guard decimal.isFinite else {
                let path = path(upTo: bytes.count)
                throw EncodingError.invalidValue(value, .init(codingPath: path, debugDescription: "JSON has no number for \(decimal)"))
            }
            write(digits: decimal.description)
        } else {
            return false
        }
        return true
    }
}

extension DecodingSource {
    @inline(__always)
    func isFoundationValue(_ type: Any.Type) -> Bool { type == Data.self || type == URL.self || type == Decimal.self }

    /// Reads the value at `index` if `T` is one of the three; nil if not.
    func foundationValue<T: Decodable>(_ type: T.Type, at index: Int) throws -> T? {
        if T.self == Data.self {
            guard let data = Data(base64Encoded: try string(at: index)) else { throw corrupted("the string is not base64", at: index) }
            return data as? T
        }
        if T.self == URL.self {
            guard let url = URL(string: try string(at: index)) else { throw corrupted("the string is not a URL", at: index) }
            return url as? T
        }
        if T.self == Decimal.self {
            let text = try numberText(Decimal.self, at: index)
            guard let decimal = Decimal(string: text) else { throw corrupted("\(text) does not fit Decimal", at: index) }
            return decimal as? T
        }
        return nil
    }
}

extension TypeSurvey {
    /// The schema and a value of one of the three, and of UUID, which refuses what is none.
    func foundationAnswer<T>(_ type: T.Type) -> (JSON, Any)? {
        if type == Data.self { return (["type": "string", "contentEncoding": "base64"], Data()) }
        if type == URL.self { return URL(string: "a").map { (["type": "string"], $0) } }
        if type == Decimal.self { return (["type": "number"], Decimal()) }
        if type == UUID.self { return (["type": "string", "format": "uuid"], UUID()) }
        return nil
    }
}

/// As a string, in the upper case that `uuidString` and `Codable` write.
extension UUID: TableKey {
    public var key: Key { .string(uuidString) }
    public init?(key: Key) {
        // In another case it would be another key, which could be read and never be found.
        guard case .string(let text) = key, let value = UUID(uuidString: text), value.uuidString == text else { return nil }
        self = value
    }
    public static var keyType: KeyType? { .string }
}
