//===--- JSONScalars.swift - strings, numbers and the three literals -------===//
//
// Each function reads one token that starts at `at` and returns the offset behind it.
//
//   string    "…" without control characters; escapes \" \\ \/ \b \f \n \r \t \uXXXX; a high surrogate escape must be
//             followed at once by a low one; raw bytes from 0x80 up must be well-formed UTF-8 (Unicode 16, table 3-7).
//   number    -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
//   literal   true, false, null
//===-----------------------------------------------------------------------===//

extension JSONGrammar {
    /// Reads a string whose opening quote is at `start`. Sets `escaped` if it holds a backslash.
    @inline(__always)
    static func string(_ bytes: Span<UInt8>, at start: Int, escaped: inout Bool) throws(JSONError) -> Int {
        var at = start &+ 1
        while let word = bytes.word(at: at) {
            let mask = JSONMask.endOfPlainString(word)
            if mask == 0 {
                at &+= 8  // Apart from the other case, so that the next load need not wait for a count of zero bits.
                continue
            }
            at &+= JSONMask.first(mask)
            if bytes.byte(at: at) == ASCII.quote { return at &+ 1 }
            break
        }
        return try specialString(bytes, at: at, escaped: &escaped)
    }

    /// Goes on inside a string, at an escape, a byte from 0x80 up, an error, or within the last seven bytes of the text.
    @inline(never)
    private static func specialString(_ bytes: Span<UInt8>, at start: Int, escaped: inout Bool) throws(JSONError) -> Int {
        var at = start
        while true {
            let byte = bytes.byte(at: at)
            if byte == ASCII.quote { return at &+ 1 }
            if byte == ASCII.backslash {
                escaped = true
                at = try escape(bytes, at: at)
            } else if byte >= 0x80 {
                let length = sequenceLength(bytes, at: at)
                guard length > 0 else { throw brokenSequence(bytes, at: at) }
                at &+= length
            } else if byte < 0x20 {
                throw failure(bytes, at: at, .controlCharacterInString)
            } else if let word = bytes.word(at: at) {
                at &+= JSONMask.first(JSONMask.endOfPlainString(word))
            } else {
                at &+= 1
            }
        }
    }

    /// Reads one escape, or a pair of surrogate escapes, whose backslash is at `at`.
    private static func escape(_ bytes: Span<UInt8>, at: Int) throws(JSONError) -> Int {
        switch bytes.byte(at: at &+ 1) {
        case ASCII.quote, ASCII.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at &+ 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(bytes, at: at &+ 2)
            guard unit & 0xF800 == 0xD800 else { return at &+ 6 }
            guard unit < 0xDC00, bytes.byte(at: at &+ 6) == ASCII.backslash, bytes.byte(at: at &+ 7) == UInt8(ascii: "u") else {
                throw JSONError(offset: at, reason: .loneSurrogate)
            }
            guard try codeUnit(bytes, at: at &+ 8) & 0xFC00 == 0xDC00 else { throw JSONError(offset: at, reason: .loneSurrogate) }
            return at &+ 12
        default:
            throw failure(bytes, at: at &+ 1, .invalidEscape)
        }
    }

    /// The value of four hexadecimal digits at `at`.
    static func codeUnit(_ bytes: Span<UInt8>, at: Int) throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for index in at..<at &+ 4 {
            let byte = bytes.byte(at: index)
            let letter = (byte | 0x20) &- UInt8(ascii: "a")
            if ASCII.isDigit(byte) {
                unit = unit &<< 4 | UInt32(byte &- ASCII.zero)
            } else if letter < 6 {
                unit = unit &<< 4 | UInt32(letter &+ 10)
            } else {
                throw failure(bytes, at: index, .invalidEscape)
            }
        }
        return unit
    }

    /// How long the well-formed UTF-8 sequence at `at` is, whose first byte is 0x80 or more; 0 if it is not well-formed.
    @inline(__always)
    private static func sequenceLength(_ bytes: Span<UInt8>, at: Int) -> Int {
        let lead = bytes.byte(at: at)
        let second = bytes.byte(at: at &+ 1)
        if lead < 0xE0 { return lead >= 0xC2 && isContinuation(second) ? 2 : 0 }
        let third = bytes.byte(at: at &+ 2)
        if lead < 0xF0 {
            // Not overlong (E0 80…9F), not a surrogate (ED A0…BF).
            let plausible = lead == 0xE0 ? second >= 0xA0 : lead == 0xED ? second < 0xA0 : true
            return plausible && isContinuation(second) && isContinuation(third) ? 3 : 0
        }
        // Not overlong (F0 80…8F), not beyond U+10FFFF (F4 90…, F5…).
        let plausible = lead == 0xF0 ? second >= 0x90 : lead == 0xF4 ? second < 0x90 : lead < 0xF4
        return plausible && isContinuation(second) && isContinuation(third) && isContinuation(bytes.byte(at: at &+ 3)) ? 4 : 0
    }

    @inline(__always) private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// A sequence that the end of the text cut short is "unexpected end"; any other is invalid where it starts.
    @inline(never)
    private static func brokenSequence(_ bytes: Span<UInt8>, at: Int) -> JSONError {
        JSONError(offset: at, reason: .invalidUTF8)
    }

    /// Reads a number whose first byte, a digit or a minus, is at `start`.
    @inline(__always)
    static func number(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
        var at = start
        if bytes.byte(at: at) == ASCII.minus { at &+= 1 }
        let whole = at
        at = digits(bytes, at: whole)
        if bytes.byte(at: whole) == ASCII.zero {
            guard at == whole &+ 1 else { throw JSONError(offset: whole, reason: .leadingZero) }
        } else if at == whole {
            throw failure(bytes, at: whole, .expectedDigit)
        }
        if bytes.byte(at: at) == ASCII.point {
            let fraction = at &+ 1
            at = digits(bytes, at: fraction)
            guard at > fraction else { throw failure(bytes, at: fraction, .expectedDigit) }
        }
        return ASCII.isExponentMark(bytes.byte(at: at)) ? try exponent(bytes, at: at) : at
    }

    @inline(never)
    private static func exponent(_ bytes: Span<UInt8>, at mark: Int) throws(JSONError) -> Int {
        var at = mark &+ 1
        if bytes.byte(at: at) == ASCII.plus || bytes.byte(at: at) == ASCII.minus { at &+= 1 }
        let first = at
        at = digits(bytes, at: first)
        guard at > first else { throw failure(bytes, at: first, .expectedDigit) }
        return at
    }

    /// The first offset from `start` that is not a digit.
    @inline(__always)
    static func digits(_ bytes: Span<UInt8>, at start: Int) -> Int {
        var at = start
        while let word = bytes.word(at: at) {
            let mask = JSONMask.notDigit(word)
            if mask != 0 { return at &+ JSONMask.first(mask) }
            at &+= 8
        }
        while ASCII.isDigit(bytes.byte(at: at)) { at &+= 1 }
        return at
    }

    /// Reads `true`, `false` or `null`, whose first letter is at `at`.
    @inline(__always)
    static func literal(_ bytes: Span<UInt8>, at: Int) throws(JSONError) -> Int {
        guard let word = bytes.word(at: at) else { return try lateLiteral(bytes, at: at) }
        let four = UInt32(truncatingIfNeeded: word)
        if four == 0x6575_7274 || four == 0x6C6C_756E { return at &+ 4 }  // true, null
        if word & 0xFF_FFFF_FFFF == 0x65_736C_6166 { return at &+ 5 }  // false
        return try lateLiteral(bytes, at: at)
    }

    /// Byte by byte: near the end of the text, or to find the letter that is wrong.
    @inline(never)
    private static func lateLiteral(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
        let first = bytes.byte(at: start)
        var letters: UInt64 = first == UInt8(ascii: "t") ? 0x6575_7274 : first == UInt8(ascii: "f") ? 0x65_736C_6166 : 0x6C6C_756E
        var at = start
        while letters != 0 {
            guard bytes.byte(at: at) == UInt8(truncatingIfNeeded: letters) else { throw failure(bytes, at: at, .misspelledLiteral) }
            letters &>>= 8
            at &+= 1
        }
        return at
    }
}
