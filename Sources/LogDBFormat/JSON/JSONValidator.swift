//===--- JSONValidator.swift - is this text a document? --------------------===//
//
// Stands on the way of every put of raw bytes, so it builds nothing: one pass, no allocation, no recursion.
// Measured: `logdb-bench --only json`.
//===-----------------------------------------------------------------------===//

/// Checks JSON text without building anything.
package enum JSONValidator {
    /// Accepts exactly one JSON object, with RFC 8259 whitespace around it, in valid UTF-8.
    package static func validateDocument(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = JSONGrammar.whitespace(bytes, at: 0)
        let end = try validValue(bytes, at: start)
        guard bytes.byte(at: start) == ASCII.openBrace else { throw JSONError(offset: start, reason: .notAnObject) }
        try JSONGrammar.nothingMore(bytes, after: end)
    }

    /// Accepts exactly one JSON value of any kind, with RFC 8259 whitespace around it, in valid UTF-8.
    package static func validateText(_ bytes: Span<UInt8>) throws(JSONError) {
        let end = try validValue(bytes, at: JSONGrammar.whitespace(bytes, at: 0))
        try JSONGrammar.nothingMore(bytes, after: end)
    }

    /// The offset behind the valid value that starts at `start`.
    @inline(never)
    static func validValue(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
        var sink = JSONNoSink()
        return try JSONGrammar.value(bytes, at: start, sink: &sink)
    }
}
