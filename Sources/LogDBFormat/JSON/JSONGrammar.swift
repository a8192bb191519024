//===--- JSONGrammar.swift - the one grammar every reader shares -----------===//
//
// RFC 8259, read strictly, in one pass over the bytes. Validator, cursor and tape differ only in the sink they pass, so
// they cannot disagree about what is JSON. The compiler specialises `value` for each sink; with `JSONNoSink` nothing is
// left of it but the checks.
//
//   * never recurses and never allocates: open containers are bits (JSONNesting.swift), at most `maximumNestingDepth`;
//   * every byte is looked at once, strings and digits eight at a time (JSONScalars.swift);
//   * bytes from 0x80 up are legal only inside strings, where they are checked, so an accepted text is valid UTF-8.
//
// Decisions where RFC 8259 leaves room: a byte order mark is refused (section 8.1 lets us), lone surrogate escapes are
// refused (8.2: "unpredictable"), repeated member names are accepted here (4), numbers may have any number of digits (6).
//===-----------------------------------------------------------------------===//

/// Receives what `JSONGrammar` finds, in the order of the text. Offsets are bytes; strings come with their quotes.
protocol JSONSink {
    mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int)
    mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int)
    mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool)
    mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool)
    mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int)
    mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8)
}

/// A sink that keeps nothing: the validator's.
struct JSONNoSink: JSONSink {
    @inline(__always) mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int) {}
    @inline(__always) mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int) {}
    @inline(__always) mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {}
    @inline(__always) mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {}
    @inline(__always) mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {}
    @inline(__always) mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8) {}
}

package enum JSONGrammar {
    /// How many containers may be open at once. Deeper text is refused with `.nestedTooDeep`.
    package static let maximumNestingDepth = 1_000

    /// Reads the value that starts at `start` (no whitespace before it), `depth` containers deep, and returns the offset behind it.
    @inline(__always)
    static func value<Sink: JSONSink>(_ bytes: Span<UInt8>, at start: Int, depth: Int = 0, sink: inout Sink) throws(JSONError) -> Int {
        precondition(start >= 0 && depth >= 0)
        let limit = maximumNestingDepth - depth
        var at = start
        var nesting = JSONNesting()
        while true {
            let first = bytes.byte(at: at)
            switch first {
            case ASCII.quote:
                let open = at
                var escaped = false
                at = try string(bytes, at: open, escaped: &escaped)
                sink.string(bytes, open, at, escaped: escaped)
            case ASCII.openBrace:
                guard nesting.open(object: true, limit: limit) else { throw JSONError(offset: at, reason: .nestedTooDeep) }
                sink.opened(bytes, object: true, at: at)
                at = whitespace(bytes, at: at &+ 1)
                if bytes.byte(at: at) == ASCII.closeBrace {
                    at &+= 1
                    nesting.close()
                    sink.closed(bytes, object: true, end: at)
                } else {
                    at = try memberName(bytes, at: at, sink: &sink)
                    continue
                }
            case ASCII.openBracket:
                guard nesting.open(object: false, limit: limit) else { throw JSONError(offset: at, reason: .nestedTooDeep) }
                sink.opened(bytes, object: false, at: at)
                at = whitespace(bytes, at: at &+ 1)
                if bytes.byte(at: at) == ASCII.closeBracket {
                    at &+= 1
                    nesting.close()
                    sink.closed(bytes, object: false, end: at)
                } else {
                    continue
                }
            case ASCII.minus, ASCII.zero...ASCII.nine:
                let open = at
                at = try number(bytes, at: open)
                sink.number(bytes, open, at)
            case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
                let open = at
                at = try literal(bytes, at: open)
                sink.literal(bytes, open, at, first: first)
            default:
                throw missingValue(bytes, at: at, nested: depth > 0 || !nesting.isEmpty)
            }

            // A value has ended: close what ends with it, and go on behind a comma.
            while true {
                if nesting.isEmpty { return at }
                at = whitespace(bytes, at: at)
                let next = bytes.byte(at: at)
                if next == ASCII.comma {
                    at = whitespace(bytes, at: at &+ 1)
                    if nesting.isInObject { at = try memberName(bytes, at: at, sink: &sink) }
                    break
                }
                let object = nesting.isInObject
                guard next == (object ? ASCII.closeBrace : ASCII.closeBracket) else {
                    throw failure(bytes, at: at, object ? .expectedCommaOrBrace : .expectedCommaOrBracket)
                }
                at &+= 1
                nesting.close()
                sink.closed(bytes, object: object, end: at)
            }
        }
    }

    /// Reads `"name"` and the colon behind it, and returns the offset of the member's value.
    @inline(__always)
    static func memberName<Sink: JSONSink>(_ bytes: Span<UInt8>, at start: Int, sink: inout Sink) throws(JSONError) -> Int {
        guard bytes.byte(at: start) == ASCII.quote else { throw missingName(bytes, at: start) }
        var escaped = false
        var at = try string(bytes, at: start, escaped: &escaped)
        sink.name(bytes, start, at, escaped: escaped)
        at = whitespace(bytes, at: at)
        guard bytes.byte(at: at) == ASCII.colon else { throw failure(bytes, at: at, .expectedColon) }
        return whitespace(bytes, at: at &+ 1)
    }

    /// Refuses anything but whitespace from `end` to the end of the text.
    @inline(__always)
    static func nothingMore(_ bytes: Span<UInt8>, after end: Int) throws(JSONError) {
        let at = whitespace(bytes, at: end)
        guard at == bytes.count else { throw failure(bytes, at: at, .textAfterDocument) }
    }

    /// The first offset from `at` that is not whitespace.
    @inline(__always)
    static func whitespace(_ bytes: Span<UInt8>, at start: Int) -> Int {
        bytes.byte(at: start) > ASCII.space ? start : longWhitespace(bytes, at: start)
    }

    @inline(never)
    private static func longWhitespace(_ bytes: Span<UInt8>, at start: Int) -> Int {
        var at = start
        while true {
            switch bytes.byte(at: at) {
            case ASCII.space:
                at &+= 1
                while let word = bytes.word(at: at) {
                    let run = JSONMask.first(JSONMask.notSpace(word))
                    at &+= run
                    if run < 8 { break }
                }
            case 0x09, 0x0A, 0x0D: at &+= 1
            default: return at
            }
        }
    }
}

// What went wrong: never inlined, so that the way of the good text stays short.
extension JSONGrammar {
    /// `reason` at `at`, unless the text ended there or the byte cannot be part of any text.
    @inline(never)
    static func failure(_ bytes: Span<UInt8>, at: Int, _ reason: JSONError.Reason) -> JSONError {
        JSONError(offset: at, reason: at >= bytes.count ? .unexpectedEnd : reason)
    }

    @inline(never)
    private static func missingValue(_ bytes: Span<UInt8>, at: Int, nested: Bool) -> JSONError {
        if at == 0, bytes.byte(at: 0) == 0xEF, bytes.byte(at: 1) == 0xBB, bytes.byte(at: 2) == 0xBF {
            return JSONError(offset: 0, reason: .byteOrderMark)
        }
        let closes = bytes.byte(at: at) == ASCII.closeBracket || bytes.byte(at: at) == ASCII.closeBrace
        return failure(bytes, at: at, closes && nested && followsComma(bytes, at: at) ? .trailingComma : .expectedValue)
    }

    @inline(never)
    private static func missingName(_ bytes: Span<UInt8>, at: Int) -> JSONError {
        let closes = bytes.byte(at: at) == ASCII.closeBrace
        return failure(bytes, at: at, closes && followsComma(bytes, at: at) ? .trailingComma : .expectedMemberName)
    }

    private static func followsComma(_ bytes: Span<UInt8>, at: Int) -> Bool {
        var before = at - 1
        while before >= 0, [0x20, 0x09, 0x0A, 0x0D].contains(bytes.byte(at: before)) { before -= 1 }
        return before >= 0 && bytes.byte(at: before) == ASCII.comma
    }
}
