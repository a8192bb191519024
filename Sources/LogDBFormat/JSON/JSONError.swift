//===--- JSONError.swift - why a text is not the JSON we accept ------------===//
//
// One offset and one reason. The offset is the byte at which the text stopped being acceptable, counted from the start
// of the span that was handed in; `offset == count` means that more bytes were needed.
//
// Every reader of JSON in this house (validator, cursor, tape, and what stands on them) reports the same error for the
// same text, because there is one grammar: JSONGrammar.swift.
//===-----------------------------------------------------------------------===//

/// The place where a text stopped being acceptable JSON, and why.
package struct JSONError: Error, Equatable, Sendable {
    /// The byte, counted from the start of the span that was read.
    package var offset: Int
    package var reason: Reason

    package init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    /// What was wrong. The raw value is the sentence that is printed.
    package enum Reason: String, Sendable, CaseIterable {
        case unexpectedEnd = "unexpected end"
        case expectedValue = "expected a value"
        case expectedMemberName = "expected a member name in double quotes"
        case expectedColon = "expected a colon after the member name"
        case expectedCommaOrBrace = "expected a comma or a closing brace after the member"
        case expectedCommaOrBracket = "expected a comma or a closing bracket after the element"
        case trailingComma = "a comma with nothing after it"
        case misspelledLiteral = "expected true, false or null"
        case leadingZero = "leading zero"
        case expectedDigit = "expected a digit"
        case controlCharacterInString = "control character in string"
        case invalidEscape = "invalid escape"
        case loneSurrogate = "lone surrogate"
        case invalidUTF8 = "invalid UTF-8"
        case byteOrderMark = "byte order mark before the text"
        case nestedTooDeep = "nested deeper than 1000"
        case textAfterDocument = "text after the document"
        case notAnObject = "the document is not an object"
        case notAnArray = "the value is not an array"
        case longerThan4GiB = "longer than 4 GiB"
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String { "malformed JSON: \(reason.rawValue) at byte \(offset)" }
}
