//===--- JSONTape.swift - a text as a flat list of tokens ------------------===//
//
// One pass over the text leaves one token for each value and each member name, in the order of the text. Trees and
// coders are built by walking this list; the text itself is not touched again but for the strings and digits wanted.
//
//      {"a":[1,2],"b":true}       0 object  next 7
//                                 1 name "a"
//                                 2 array   next 5
//                                 3 number 1
//                                 4 number 2
//                                 5 name "b"
//                                 6 true
//
//   * `next` of a container is the token behind its last descendant; of a scalar, the token behind it.
//   * a name's `next` holds a hash of its bytes instead: equal names have equal hashes.
//   * while a container is open, its `next` holds its parent, so no stack is needed.
//   * offsets have 32 bits: a text of 4 GiB or more is refused.
//===-----------------------------------------------------------------------===//

package struct JSONToken: Sendable {
    package enum Kind: UInt8, Sendable {
        case object, array, string, number, `true`, `false`, null, name

        // The one that comes with raw values is generic: a look-up of a witness for each of a document's tokens.
        @inlinable
        package static func == (a: Kind, b: Kind) -> Bool { a.rawValue &- b.rawValue == 0 }
    }

    package var start: UInt32
    package var end: UInt32
    package var next: UInt32
    package var kind: Kind
    package var isEscaped: Bool

    /// The token's bytes, a string's or name's with its quotes.
    package var range: Range<Int> { Int(start)..<Int(end) }
}

/// The tokens of one accepted JSON text.
package struct JSONTape: Sendable {
    package private(set) var tokens: [JSONToken]

    /// Accepts one JSON value of any kind, as `JSONValidator.validateText` does. O(size), one allocation as a rule.
    package init(parsing bytes: Span<UInt8>) throws(JSONError) {
        guard bytes.count < Int(UInt32.max) else { throw JSONError(offset: Int(UInt32.max), reason: .longerThan4GiB) }
        var sink = TapeSink()
        sink.tokens.reserveCapacity(min(bytes.count / 6 + 4, 1 << 16))
        let end = try JSONGrammar.value(bytes, at: JSONGrammar.whitespace(bytes, at: 0), sink: &sink)
        try JSONGrammar.nothingMore(bytes, after: end)
        tokens = sink.tokens
    }
}

/// Collects tokens. Until a container is closed, `next` is the index of the one around it.
private struct TapeSink: JSONSink {
    var tokens: [JSONToken] = []
    private var parent: UInt32 = 0

    @inline(__always)
    private mutating func append(_ kind: JSONToken.Kind, _ start: Int, _ end: Int, next: UInt32, escaped: Bool = false) {
        // The text is shorter than 4 GiB, and a token has at least one byte: nothing is cut off.
        let start = UInt32(truncatingIfNeeded: start)
        let end = UInt32(truncatingIfNeeded: end)
        tokens.append(JSONToken(start: start, end: end, next: next, kind: kind, isEscaped: escaped))
    }

    private var after: UInt32 { UInt32(truncatingIfNeeded: tokens.count &+ 1) }

    @inline(__always)
    mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int) {
        let index = UInt32(truncatingIfNeeded: tokens.count)
        append(object ? .object : .array, start, start, next: parent)
        parent = index
    }

    @inline(__always)
    mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int) {
        let index = Int(parent)
        parent = tokens[index].next
        tokens[index].end = UInt32(truncatingIfNeeded: end)
        tokens[index].next = UInt32(truncatingIfNeeded: tokens.count)
    }

    @inline(__always)
    mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        append(.name, start, end, next: Self.hash(bytes, start &+ 1, end &- 1, escaped: escaped), escaped: escaped)
    }

    @inline(__always)
    mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        append(.string, start, end, next: after, escaped: escaped)
    }

    @inline(__always)
    mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) { append(.number, start, end, next: after) }

    @inline(__always)
    mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8) {
        append(first == UInt8(ascii: "t") ? .true : first == UInt8(ascii: "f") ? .false : .null, start, end, next: after)
    }

    /// A hash of a name's first eight and last eight bytes and its length.
    private static func hash(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> UInt32 {
        if escaped {
            let name = JSONText.unescaped(bytes, start..<end)
            return hash(name.span, 0, name.count, escaped: false)
        }
        let length = end &- start
        var mixed = UInt64(truncatingIfNeeded: length)
        if length >= 8, let head = bytes.word(at: start), let tail = bytes.word(at: end &- 8) {
            mixed = (mixed ^ head) &* 0x9E37_79B9_7F4A_7C15 ^ tail
        } else if let word = bytes.word(at: start) {
            mixed ^= (word & (1 &<< UInt64(length &* 8) &- 1)) &<< 8
        } else {
            for at in start..<end { mixed ^= UInt64(bytes.byte(at: at)) &<< UInt64((at &- start &+ 1) &* 8) }
        }
        return UInt32(truncatingIfNeeded: (mixed &* 0x9E37_79B9_7F4A_7C15) &>> 32)
    }
}
