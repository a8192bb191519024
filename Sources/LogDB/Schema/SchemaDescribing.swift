//===--- SchemaDescribing.swift - the schema of a Codable type --------------===//
//
// Swift has no list of a type's members at run time, but a type says what it reads: `init(from:)` asks a decoder for each member, by
// name and type. So it is run once with a decoder that has no document, gives a plain value for whatever is asked (0, "", false, nil, [])
// and notes the question. See TypeSurvey.swift.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A type that says itself by what schema its values are written, where it cannot be found out by asking.
///
/// ```swift
/// enum Shape: Codable, SchemaDescribable {
///     case circle(radius: Double), square(side: Double)
///
///     static var schemaDescription: JSON { ["type": "object", "minProperties": 1, "maxProperties": 1] }
///     static var schemaExample: Shape { .circle(radius: 1) }
/// }
/// ```
public protocol SchemaDescribable: Decodable {
    /// The schema of the type's values, wherever they stand in a document: without `$ref`, and `format` is a rule.
    static var schemaDescription: JSON { get }
    /// Any value. The type around it, which is being described, goes on with it.
    static var schemaExample: Self { get }
}

extension Schema {
    /// Makes a schema from a `Codable` type: what `init(from:)` reads is what documents must have.
    ///
    /// Every document that the type writes is valid by it, and what is valid can be read as the type, up to the exceptions below. Members that the type
    /// does not know are allowed, as decoding passes them over.
    ///
    /// ```swift
    /// struct Actor: Codable { var name: String; var hp: UInt16; var title: String? }
    /// let schema = try Schema(describing: Actor.self)
    /// // {"type":"object","properties":{"name":{"type":"string"},"hp":{"type":"integer","minimum":0,"maximum":65535},
    /// //  "title":{"type":["string","null"]}},"required":["name","hp"]}
    /// ```
    ///
    /// - Integers of 8, 16 and 32 bits and those without sign get their bounds; `Double` and the others none, so a number there may still be too large.
    /// - Optionals, and what is read with `decodeIfPresent`, may be missing or null.
    /// - Arrays, sets, dictionaries and types inside of types are described all the way, also where a type contains itself.
    /// - A type that is `CaseIterable` and `Encodable`, such as an enumeration with raw values, becomes an `enum` of all cases.
    /// - `Date` is a number, `UUID` a string of `format` uuid (which is a rule here), `URL` a string, `Data` base64, ``JSON`` anything.
    /// - A hand-written `init(from:)` is taken at the first thing that it asks for under a name: what it would accept instead is not seen, nor what it
    ///   looks for only after having seen a value.
    ///
    /// Takes as long as decoding one document, a few microseconds for each type.
    ///
    /// - Throws: `.invalidSchema` where a type cannot be found out by asking: an enumeration with associated values, or one with raw values that is not
    ///   `CaseIterable`, or one that refuses 0, "" and false. The message names it, and where it stands; make it ``SchemaDescribable``.
    public init(describing type: (some Decodable).Type) throws(LogDBError) {
        let survey = TypeSurvey()
        let description: JSON
        do { description = try survey.document(type) } catch {
            throw LogDBError(.invalidSchema, "\(type) cannot be described: \(error)")
        }
        try self.init(description, assertsFormats: true)
    }
}
