//===--- TypeSurveyDecoder.swift - a decoder that asks back -----------------===//
//
// What `init(from:)` sees: containers that hold whatever is asked for. Each question is noted in the place it is about.
//
//      contains, decodeIfPresent, decodeNil     the member may be missing, or null
//      allKeys, isAtEnd                         there is nothing (to go through): dictionaries and arrays are described elsewhere
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A place in documents, and what was asked there.
final class TypePlace {
    /// Schemas of the values that were asked for: one, unless `init(from:)` tries several.
    private var values: [JSON] = []
    private var members: [(name: String, place: TypePlace)] = []
    private(set) var elements: [TypePlace] = []
    var isObject = false
    var isArray = false
    var isNullable = false
    /// Whether it may be missing.
    var isOptional = false

    func add(_ schema: JSON) {
        if !values.contains(schema) { values.append(schema) }
    }

    func member(_ name: String) -> TypePlace {
        if let known = members.first(where: { $0.name == name }) { return known.place }
        let place = TypePlace()
        members.append((name, place))
        return place
    }

    func nextElement() -> TypePlace {
        elements.append(TypePlace())
        return elements[elements.count - 1]
    }

    var schema: JSON {
        var shapes = values
        if isObject { shapes.append(object) }
        if isArray { shapes.append(array) }
        let schema: JSON = shapes.isEmpty ? .bool(true) : shapes.count == 1 ? shapes[0] : ["anyOf": .array(shapes)]
        return isNullable ? Self.nullable(schema) : schema
    }

    private var object: JSON {
        var schema = JSONObject([("type", .string("object"))])
        if !members.isEmpty { schema["properties"] = .object(JSONObject(members.map { ($0.name, $0.place.schema) })) }
        let required = members.filter { !$0.place.isOptional }.map { JSON.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    /// Elements that were asked for one by one are a tuple.
    private var array: JSON {
        var schema = JSONObject([("type", .string("array"))])
        if !elements.isEmpty {
            schema["prefixItems"] = .array(elements.map(\.schema))
            schema["minItems"] = JSON(elements.filter { !$0.isOptional }.count)
        }
        return .object(schema)
    }

    /// `schema`, and null.
    static func nullable(_ schema: JSON) -> JSON {
        guard case .object(var object) = schema else { return schema }
        if case .array(let values)? = object["enum"], object.count == 1 {
            return values.contains(.null) ? schema : ["enum": .array(values + [.null])]
        }
        // Whatever else it asks is about the type that it has: null breaks none of it.
        let isPlain = object.keys.allSatisfy {
            [
                "type", "minimum", "maximum", "properties", "required", "items", "prefixItems", "minItems", "additionalProperties",
                "format", "contentEncoding",
            ]
            .contains($0)
        }
        switch object["type"] {
        case .string(let type)? where isPlain && type != "null":
            object["type"] = [.string(type), "null"]
            return .object(object)
        case .array(let types)? where isPlain && types.contains("null"): return schema
        default: return ["anyOf": [schema, ["type": "null"]]]
        }
    }
}

struct SurveyDecoder: Decoder {
    let survey: TypeSurvey
    let place: TypePlace
    /// Names in front of this place.
    let depth: Int

    var codingPath: [any CodingKey] { survey.path.prefix(depth).map { PathKey(stringValue: $0) } }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        place.isObject = true
        return KeyedDecodingContainer(KeyedSurvey<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        place.isArray = true
        return UnkeyedSurvey(decoder: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleSurvey(decoder: self) }

    func ask<T: Decodable>(_ type: T.Type) throws -> T {
        let (schema, value) = try survey.ask(type)
        place.add(schema)
        return value
    }

    /// The decoder of a part.
    func inside(_ name: String, _ place: TypePlace) -> SurveyDecoder {
        survey.path = survey.path.prefix(depth) + [name]
        return SurveyDecoder(survey: survey, place: place, depth: depth + 1)
    }
}

private struct KeyedSurvey<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: SurveyDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { [] }

    private func member(_ key: some CodingKey) -> SurveyDecoder {
        decoder.inside(key.stringValue, decoder.place.member(key.stringValue))
    }

    private func optional<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
        let member = member(key)
        member.place.isOptional = true
        member.place.add(try decoder.survey.schema(of: T?.self))
        return nil
    }

    func contains(_ key: Key) -> Bool {
        member(key).place.isOptional = true
        return true
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        let place = member(key).place
        place.isOptional = true
        place.isNullable = true
        return false
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try member(key).ask(type) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try member(key).ask(type) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try member(key).ask(type) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try member(key).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { member(PathKey.superclass) }
    func superDecoder(forKey key: Key) throws -> any Decoder { member(key) }

    // Without these the answer to an optional would be a value, and a type that contains itself would have no end.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? { try optional(type, key) }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try optional(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try optional(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try optional(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try optional(type, key) }
    func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? { try optional(type, key) }
    func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? { try optional(type, key) }
}

private struct UnkeyedSurvey: UnkeyedDecodingContainer {
    let decoder: SurveyDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { nil }
    var isAtEnd: Bool { true }
    private(set) var currentIndex = 0

    init(decoder: SurveyDecoder) { self.decoder = decoder }

    private mutating func element() -> SurveyDecoder {
        defer { currentIndex += 1 }
        return decoder.inside("\(currentIndex)", decoder.place.nextElement())
    }

    mutating func decodeNil() throws -> Bool { false }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try element().ask(type) }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try element().ask(type) }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try element().ask(type) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try element().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try element().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { element() }
}

private struct SingleSurvey: SingleValueDecodingContainer {
    let decoder: SurveyDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
        decoder.place.isNullable = true
        return false
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.ask(type) }
    func decode(_ type: Int128.Type) throws -> Int128 { try decoder.ask(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try decoder.ask(type) }
}
