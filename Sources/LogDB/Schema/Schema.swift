//===--- Schema.swift - rules for documents --------------------------------===//

import LogDBFormat

/// Rules for documents in the vocabulary of JSON Schema, draft 2020-12, compiled once and used from any thread.
///
/// ```swift
/// let schema = try Schema(json: #"{"type":"object","properties":{"hp":{"type":"integer","minimum":0}},"required":["hp"]}"#)
/// try schema.validate(#"{"hp":-3}"#)          // schemaViolation: /hp: -3 is below the minimum 0 (schema /properties/hp/minimum)
/// ```
///
/// Which keywords there are, and what they mean where the draft leaves room, stands in <doc:Schemas>. A keyword that is not supported is
/// refused when the schema is made, and never passed over.
public struct Schema: Sendable {
    package let program: SchemaProgram
    /// The schema's text, byte for byte as it was given.
    public let text: [UInt8]
    /// Whether `format` is a rule; else it is a remark, as the draft has it.
    public let assertsFormats: Bool

    /// Compiles a schema given as JSON text.
    ///
    /// - Parameter assertsFormats: whether a string that is not of its `format` is refused.
    /// - Throws: `.invalidSchema`; the message names the place in the schema as a JSON pointer.
    public init(json text: [UInt8], assertsFormats: Bool = false) throws(LogDBError) {
        do throws(SchemaError) { program = try SchemaCompiler.compile(text, assertsFormats: assertsFormats) } catch {
            throw LogDBError(.invalidSchema, "\(error)")
        }
        self.text = text
        self.assertsFormats = assertsFormats
    }

    /// Compiles a schema given as JSON text; as ``init(json:assertsFormats:)``.
    public init(json text: String, assertsFormats: Bool = false) throws(LogDBError) {
        try self.init(json: Array(text.utf8), assertsFormats: assertsFormats)
    }

    /// Compiles a schema given as a JSON value; as ``init(json:assertsFormats:)``.
    public init(_ value: JSON, assertsFormats: Bool = false) throws(LogDBError) {
        try self.init(json: value.serialized(), assertsFormats: assertsFormats)
    }

    /// Proves that `value`, JSON text of any kind, is valid.
    ///
    /// One pass over the bytes, which builds nothing. That the text is JSON (RFC 8259) is proven in the same pass, and comes first.
    ///
    /// - Throws: `.schemaViolation`, whose message names the value as a JSON pointer and the rule; `.invalidDocument` for text that is no JSON.
    public func validate(_ value: Span<UInt8>) throws(LogDBError) {
        if let violation = try violation(in: value) { throw LogDBError(.schemaViolation, "\(violation)") }
    }

    /// Proves that `value`, JSON text of any kind, is valid; as ``validate(_:)-(Span<UInt8>)``.
    public func validate(_ value: String) throws(LogDBError) {
        let text = Array(value.utf8)
        try validate(text.span)
    }

    package func violation(in value: Span<UInt8>) throws(LogDBError) -> SchemaViolation? {
        do throws(JSONError) { return try program.violation(in: value) } catch {
            throw LogDBError(.invalidDocument, error.reason.rawValue, offset: UInt64(error.offset))
        }
    }
}
