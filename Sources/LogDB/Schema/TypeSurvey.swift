//===--- TypeSurvey.swift - what types read, type by type -------------------===//
//
//      describe(Actor) ── init(from: SurveyDecoder) ──▶ "name", a String?      ◀── ""      place /name: string
//                                                  ──▶ "hp", a UInt16?         ◀── 0       place /hp:   integer, 0 ... 65535
//                                                  ──▶ "friends", an [Actor]?  ◀── []      describe(Actor): under way, so {"$ref":"#"}
//
//   * a type is asked once; its schema and one value of it are kept.
//   * optionals and collections are described by their parts and need no value of them: that is where a type may contain itself.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// Why a type cannot be described.
struct TypeSurveyError: Error, CustomStringConvertible {
    var description: String
}

final class TypeSurvey {
    private var known: [ObjectIdentifier: (schema: JSON, value: Any)] = [:]
    /// Types that are being asked, the outermost first.
    private var underway: [ObjectIdentifier] = []
    /// The type of the document.
    private var root: ObjectIdentifier?
    /// The names in `$defs` of types that contain themselves.
    private var names: [ObjectIdentifier: String] = [:]
    private var definitions = JSONObject()
    /// Where in a document the question at hand stands.
    var path: [String] = []

    /// An enumeration with more cases is asked like any other type.
    private static let maximumCases = 1000

    /// The schema of documents of `type`.
    func document<T: Decodable>(_ type: T.Type) throws -> JSON {
        root = ObjectIdentifier(type)
        var result = JSONObject([("$schema", .string("https://json-schema.org/draft/2020-12/schema"))])
        guard case .object(let schema) = try schema(of: type) else { return .object(result) }
        for name in schema.keys { result[name] = schema[name] }
        if !definitions.isEmpty { result["$defs"] = .object(definitions) }
        return .object(result)
    }

    /// The schema of `type`, of which no value is needed.
    func schema<T: Decodable>(of type: T.Type) throws -> JSON {
        let id = ObjectIdentifier(type)
        if underway.contains(id) { return reference(to: type) }
        return try ask(type).schema
    }

    /// The schema of `type`, and a value to go on with.
    func ask<T: Decodable>(_ type: T.Type) throws -> (schema: JSON, value: T) {
        let id = ObjectIdentifier(type)
        if let (schema, value) = known[id], let value = value as? T { return (schema, value) }
        guard !underway.contains(id) else {
            throw problem("\(type) contains itself, with no optional, array or dictionary between")
        }
        guard let (schema, value) = try answer(type) ?? examine(type) as (JSON, Any)?, let value = value as? T else {
            throw problem("there is no value of \(type)")
        }
        known[id] = (schema, value)
        return (schema, value)
    }

    func problem(_ reason: String) -> TypeSurveyError {
        TypeSurveyError(description: path.isEmpty ? reason : "\(reason), at /\(path.joined(separator: "/"))")
    }

    /// What is known without asking: types that are not read as their own `init(from:)` says, and those that say themselves.
    private func answer<T: Decodable>(_ type: T.Type) throws -> (JSON, Any)? {
        if let type = type as? any SchemaDescribable.Type { return (type.schemaDescription, type.schemaExample) }
        if type == JSON.self { return (.bool(true), JSON.null) }
        if let type = type as? any SurveyedScalar.Type { return (type.surveyed, type.plain) }
        if let type = type as? any SurveyedWhole.Type { return try type.surveyed(by: self) }
        if let found = foundationAnswer(type) { return found }
        if let type = type as? any (CaseIterable & Encodable).Type { return try cases(type) }
        return nil
    }

    private func cases<T: CaseIterable & Encodable>(_ type: T.Type) throws -> (JSON, Any)? {
        let all = T.allCases.prefix(Self.maximumCases + 1)
        guard let first = all.first, all.count <= Self.maximumCases else { return nil }
        let values = try all.map { value in
            do { return try JSON(parsing: try DocumentEncoder().encode(["case": value]))["case"] } catch {
                throw problem("a case of \(type) cannot be written: \(error)")
            }
        }
        return (["enum": .array(values)], first)
    }

    /// Runs `init(from:)`.
    private func examine<T: Decodable>(_ type: T.Type) throws -> (JSON, Any) {
        let place = TypePlace()
        let id = ObjectIdentifier(type)
        underway.append(id)
        defer { underway.removeLast() }
        let value: T
        do { value = try T(from: SurveyDecoder(survey: self, place: place, depth: path.count)) } catch let error as TypeSurveyError {
            throw error
        } catch {
            let reason = (error as? DecodingError).map(Self.brief) ?? "\(error)"
            throw problem(
                "\(type) does not take plain values (\(reason)): make it SchemaDescribable, or CaseIterable if it is an enumeration without associated values"
            )
        }
        let schema = place.schema
        guard let name = names[id] else { return (schema, value) }
        definitions[name] = schema
        return (reference(to: type), value)
    }

    private static func brief(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context), .dataCorrupted(let context):
            context.debugDescription
        @unknown default: "\(error)"
        }
    }

    /// A reference to a type that contains itself. Names in `$defs` are letters and digits, so that they stand in a pointer as they are.
    private func reference<T>(to type: T.Type) -> JSON {
        let id = ObjectIdentifier(type)
        if id == root { return ["$ref": "#"] }
        if names[id] == nil {
            let plain = String("\(type)".map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
            let isTaken = names.values.contains(plain)
            names[id] = isTaken ? "\(plain)_\(names.count + 1)" : plain
        }
        return ["$ref": .string("#/$defs/\(names[id] ?? "")")]
    }
}

// MARK: - Types that are known

/// A type with one plain value.
private protocol SurveyedScalar {
    static var surveyed: JSON { get }
    static var plain: Self { get }
}

extension String: SurveyedScalar {
    static var surveyed: JSON { ["type": "string"] }
    static var plain: String { "" }
}

extension Bool: SurveyedScalar {
    static var surveyed: JSON { ["type": "boolean"] }
    static var plain: Bool { false }
}

extension SurveyedScalar where Self: BinaryFloatingPoint {
    static var surveyed: JSON { ["type": "number"] }
    static var plain: Self { 0 }
}

extension SurveyedScalar where Self: FixedWidthInteger {
    static var surveyed: JSON {
        var schema = JSONObject([("type", .string("integer"))])
        // At 64 bits bounds would be there to be read by machines only.
        if Self.bitWidth < 64 || min == 0 { schema["minimum"] = JSON(min) }
        if Self.bitWidth < 64 { schema["maximum"] = JSON(max) }
        return .object(schema)
    }
    static var plain: Self { 0 }
}

extension Double: SurveyedScalar {}
extension Float: SurveyedScalar {}
extension Int: SurveyedScalar {}
extension Int8: SurveyedScalar {}
extension Int16: SurveyedScalar {}
extension Int32: SurveyedScalar {}
extension Int64: SurveyedScalar {}
extension Int128: SurveyedScalar {}
extension UInt: SurveyedScalar {}
extension UInt8: SurveyedScalar {}
extension UInt16: SurveyedScalar {}
extension UInt32: SurveyedScalar {}
extension UInt64: SurveyedScalar {}
extension UInt128: SurveyedScalar {}

/// A type that is described by its parts, and has a value without any.
private protocol SurveyedWhole {
    static func surveyed(by survey: TypeSurvey) throws -> (JSON, Any)
}

extension Optional: SurveyedWhole where Wrapped: Decodable {
    static func surveyed(by survey: TypeSurvey) throws -> (JSON, Any) {
        (TypePlace.nullable(try survey.schema(of: Wrapped.self)), Self.none as Any)
    }
}

extension SurveyedWhole where Self: Collection, Element: Decodable {
    fileprivate static func list(_ survey: TypeSurvey) throws -> JSON {
        let items = try survey.schema(of: Element.self)
        return items == .bool(true) ? ["type": "array"] : ["type": "array", "items": items]
    }
}

extension Array: SurveyedWhole where Element: Decodable {
    static func surveyed(by survey: TypeSurvey) throws -> (JSON, Any) { (try list(survey), Self()) }
}

extension ContiguousArray: SurveyedWhole where Element: Decodable {
    static func surveyed(by survey: TypeSurvey) throws -> (JSON, Any) { (try list(survey), Self()) }
}

extension Set: SurveyedWhole where Element: Decodable {
    static func surveyed(by survey: TypeSurvey) throws -> (JSON, Any) { (try list(survey), Self()) }
}

extension Dictionary: SurveyedWhole where Key: Decodable, Value: Decodable {
    static func surveyed(by survey: TypeSurvey) throws -> (JSON, Any) {
        // Other keys than these are written as an array, in turns with their values.
        guard Key.self == String.self || Key.self == Int.self || Key.self is any CodingKeyRepresentable.Type else {
            return (["type": "array"], Self())
        }
        let values = try survey.schema(of: Value.self)
        return (values == .bool(true) ? ["type": "object"] : ["type": "object", "additionalProperties": values], Self())
    }
}
