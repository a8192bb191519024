//===--- JSONCursor.swift - stepping through one object or array -----------===//
//
// Steps from member to member (or element to element) of one container and gives the byte range of each, without
// building anything. Whatever is stepped over is checked by the one grammar; a cursor over a whole text has accepted it
// as `JSONValidator` would once `next…` has answered nil, and not before.
//
//      {"table":"t","key":7,"value":{"hp":3}}
//       └name─┘ └v┘ └──┘  │  └─────┘└──────┘
//===-----------------------------------------------------------------------===//

/// The kind of a JSON value, known from its first byte.
package enum JSONKind: UInt8, Sendable, BitwiseCopyable {
    case object, array, string, number, `true`, `false`, null

    @inline(__always)
    init(first byte: UInt8) {
        switch byte {
        case ASCII.openBrace: self = .object
        case ASCII.openBracket: self = .array
        case ASCII.quote: self = .string
        case UInt8(ascii: "t"): self = .true
        case UInt8(ascii: "f"): self = .false
        case UInt8(ascii: "n"): self = .null
        default: self = .number
        }
    }
}

/// A value within a text: its kind and exact bytes (a string's with its quotes).
package struct JSONSlice: Sendable, Equatable {
    package var kind: JSONKind
    package var range: Range<Int>
    /// For strings: whether escapes must be resolved.
    package var isEscaped = false
}

/// A member of an object within a text.
package struct JSONMember: Sendable, Equatable {
    package var name: JSONSlice
    package var value: JSONSlice
}

/// Steps through the members of one object or the elements of one array.
package struct JSONCursor: ~Escapable {
    package let bytes: Span<UInt8>
    private var at: Int
    private let depth: Int
    private let isWholeText: Bool
    private var state = State.opened

    private enum State { case opened, inside, closed }

    /// Over a text that must be one object, and nothing else.
    @_lifetime(copy bytes)
    package init(object bytes: Span<UInt8>) throws(JSONError) {
        try self.init(bytes, opening: ASCII.openBrace, else: .notAnObject)
    }

    /// Over a text that must be one array, and nothing else.
    @_lifetime(copy bytes)
    package init(array bytes: Span<UInt8>) throws(JSONError) {
        try self.init(bytes, opening: ASCII.openBracket, else: .notAnArray)
    }

    /// Over `container`, an object or array that a cursor over `bytes` has given.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, inside container: JSONSlice) {
        precondition(container.kind == .object || container.kind == .array)
        precondition(container.range.lowerBound >= 0 && container.range.upperBound <= bytes.count)
        self.bytes = bytes
        at = container.range.lowerBound + 1
        depth = 1
        isWholeText = false
    }

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, opening: UInt8, else reason: JSONError.Reason) throws(JSONError) {
        let start = JSONGrammar.whitespace(bytes, at: 0)
        self.bytes = bytes
        at = start + 1
        depth = 1
        isWholeText = true
        if bytes.byte(at: start) != opening {
            // Malformed text is reported as such, as by the validator, before its kind is.
            _ = try JSONValidator.validValue(bytes, at: start)
            throw JSONError(offset: start, reason: reason)
        }
    }

    /// The object's next member; nil behind the last one.
    package mutating func nextMember() throws(JSONError) -> JSONMember? {
        guard try advance(closing: ASCII.closeBrace, else: .expectedCommaOrBrace) else { return nil }
        var sink = NameSink()
        at = try JSONGrammar.memberName(bytes, at: at, sink: &sink)
        return JSONMember(name: sink.name, value: try value())
    }

    /// The array's next element; nil behind the last one.
    package mutating func nextElement() throws(JSONError) -> JSONSlice? {
        guard try advance(closing: ASCII.closeBracket, else: .expectedCommaOrBracket) else { return nil }
        return try value()
    }

    /// Moves to the next member or element; false, and the end checked, if there is none.
    @inline(__always)
    private mutating func advance(closing: UInt8, else reason: JSONError.Reason) throws(JSONError) -> Bool {
        if state == .closed { return false }
        at = JSONGrammar.whitespace(bytes, at: at)
        let byte = bytes.byte(at: at)
        if byte == closing {
            state = .closed
            at += 1
            if isWholeText { try JSONGrammar.nothingMore(bytes, after: at) }
            return false
        }
        if state == .inside {
            guard byte == ASCII.comma else { throw JSONGrammar.failure(bytes, at: at, reason) }
            at = JSONGrammar.whitespace(bytes, at: at + 1)
        }
        state = .inside
        return true
    }

    @inline(__always)
    private mutating func value() throws(JSONError) -> JSONSlice {
        let start = at
        let kind = JSONKind(first: bytes.byte(at: start))
        var escaped = false
        if kind == .string {
            at = try JSONGrammar.string(bytes, at: start, escaped: &escaped)
        } else {
            at = try Self.other(bytes, at: start, depth: depth)
        }
        return JSONSlice(kind: kind, range: start..<at, isEscaped: escaped)
    }

    @inline(never)
    private static func other(_ bytes: Span<UInt8>, at start: Int, depth: Int) throws(JSONError) -> Int {
        var sink = JSONNoSink()
        return try JSONGrammar.value(bytes, at: start, depth: depth, sink: &sink)
    }

    private struct NameSink: JSONSink {
        var name = JSONSlice(kind: .string, range: 0..<0)
        mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
            name = JSONSlice(kind: .string, range: start..<end, isEscaped: escaped)
        }
        mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int) {}
        mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int) {}
        mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {}
        mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {}
        mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8) {}
    }
}

// What a slice means. The slice must come from a cursor over the same bytes.
extension JSONCursor {
    /// The string of a `.string` slice, escapes resolved.
    package func string(_ slice: JSONSlice) -> String {
        precondition(slice.kind == .string)
        return JSONText.string(bytes, slice.range, escaped: slice.isEscaped)
    }

    /// The exact Int64 of a `.number` slice; nil if it has a fraction or does not fit.
    package func int64(_ slice: JSONSlice) -> Int64? {
        slice.kind == .number ? JSONNumeral.int64(bytes, slice.range) : nil
    }

    /// Whether a `.string` slice is exactly `text`.
    package func matches(_ slice: JSONSlice, _ text: String) -> Bool {
        slice.kind == .string && JSONText.matches(bytes, slice.range, escaped: slice.isEscaped, text)
    }

    /// The value at `path` ("position.x") of the document in `bytes`; nil if there is none. A repeated name means its last value.
    ///
    /// - Throws: `JSONError` if the document is malformed. O(size), one pass for each name of the path.
    package static func find(_ path: String, in bytes: Span<UInt8>) throws(JSONError) -> JSONSlice? {
        try find(path.split(separator: ".", omittingEmptySubsequences: false).map(String.init), in: bytes)
    }

    /// The value at `names` of the document in `bytes`, for names that hold a dot.
    package static func find(_ names: [String], in bytes: Span<UInt8>) throws(JSONError) -> JSONSlice? {
        var found: JSONSlice?
        var cursor = try JSONCursor(object: bytes)
        for (index, name) in names.enumerated() {
            if index > 0 {
                guard let object = found, object.kind == .object else { return nil }
                cursor = JSONCursor(bytes, inside: object)
            }
            found = nil
            while let member = try cursor.nextMember() {
                if cursor.matches(member.name, name) { found = member.value }
            }
        }
        return found
    }
}
