//===--- SchemaError.swift - why a schema is refused, why a document is ----===//

/// Why a text is no schema that can be used.
package struct SchemaError: Error, Equatable, Sendable {
    /// Where in the schema; empty for all of it.
    package var pointer: String
    package var reason: String
}

extension SchemaError: CustomStringConvertible {
    package var description: String { "\(pointer.isEmpty ? "" : "\(pointer): ")\(reason)" }
}

/// What a document does that its schema does not allow.
package struct SchemaViolation: Error, Equatable, Sendable {
    /// The value, or the member by its name, that breaks the rule; empty for the whole document.
    package var pointer: String
    /// The rule, as a sentence about the value.
    package var rule: String
    /// Where in the schema the rule stands.
    package var schemaPointer: String
}

extension SchemaViolation: CustomStringConvertible {
    package var description: String {
        "\(pointer.isEmpty ? "(root)" : pointer): \(rule) (schema \(schemaPointer.isEmpty ? "(root)" : schemaPointer))"
    }
}

/// A violation as it is met: by number, to be described when somebody asks.
struct SchemaFailure: BitwiseCopyable, Sendable {
    var node: Int32
    var keyword: SchemaKeyword
    /// The value or name, in the document.
    var start: UInt32
    var end: UInt32
    /// A count, or the number of a requirement; what it means depends on the keyword.
    var detail: UInt32 = 0
    /// Whether it was the amount of work and no rule that ended the document.
    var isTooMuch = false
}
