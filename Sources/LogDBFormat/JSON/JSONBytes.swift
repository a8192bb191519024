//===--- JSONBytes.swift - bytes of a JSON text, one or eight at a time ----===//
//
// The only file of the JSON readers that touches memory unchecked. Two loads:
//
//   * `byte(at:)` answers 0 past the end. No JSON token starts or goes on with a zero byte, so the grammar needs no test
//     of its own for the end of the text: the zero is refused like any other foreign byte, and `JSONGrammar.failure`
//     then tells "unexpected end" from a real zero.
//   * `word(at:)` loads eight bytes, the first one lowest, or answers nil when fewer are left. It relies on `at >= 0`:
//     a reader's offset is checked once, where it comes in (`JSONGrammar.value`), and only grows from there.
//
// The masks mark bytes with their high bit. A subtraction borrows only from a byte that matched, so marks above the
// lowest one may be wrong and the lowest one never is. (Mycroft 1987; "Bit Twiddling Hacks", Anderson.)
//===-----------------------------------------------------------------------===//

extension Span<UInt8> {
    /// The byte at `index`, or 0 past the end.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        guard UInt(bitPattern: index) < UInt(bitPattern: count) else { return 0 }
        // SAFETY: the line above checked 0 <= index < count.
        return unsafe self[unchecked: index]
    }

    /// Eight bytes from `index`, the first one in the lowest bits; nil when fewer are left. Not for negative indices.
    @inline(__always)
    func word(at index: Int) -> UInt64? {
        assert(index >= 0)
        guard index <= count &- 8 else { return nil }
        // SAFETY: index >= 0 (see the header) and the line above checked that index + 8 <= count.
        return unsafe withUnsafeBytes { raw in
            unsafe UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
    }
}

/// Marks in the high bit of each byte of a word; `first` counts the bytes before the lowest mark.
enum JSONMask {
    @inline(__always) private static func each(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// Bytes at which a string's plain ASCII run ends: `"`, `\`, control characters, and everything from 0x80 up.
    @inline(__always)
    static func endOfPlainString(_ word: UInt64) -> UInt64 {
        let control = word &- each(0x20)
        let quote = (word ^ each(0x22)) &- each(0x01)
        let backslash = (word ^ each(0x5C)) &- each(0x01)
        return (control | quote | backslash | word) & each(0x80)
    }

    /// Bytes that a string literal cannot hold as they are: `"`, `\` and control characters.
    @inline(__always)
    static func needsEscape(_ word: UInt64) -> UInt64 {
        let control = (word &- each(0x20)) & ~word
        let quote = word ^ each(0x22)
        let backslash = word ^ each(0x5C)
        return (control | ((quote &- each(0x01)) & ~quote) | ((backslash &- each(0x01)) & ~backslash)) & each(0x80)
    }

    /// Bytes that are not `0` … `9`.
    @inline(__always)
    static func notDigit(_ word: UInt64) -> UInt64 {
        let digits = word ^ each(0x30)
        return ((digits &+ each(0x76)) | digits) & each(0x80)
    }

    /// Bytes that are not a space.
    @inline(__always)
    static func notSpace(_ word: UInt64) -> UInt64 {
        let others = word ^ each(0x20)
        return ((others &+ each(0x7F)) | others) & each(0x80)
    }

    /// How many bytes lie below the lowest mark; 8 without a mark.
    @inline(__always) static func first(_ mask: UInt64) -> Int { mask.trailingZeroBitCount &>> 3 }
}

/// The bytes JSON is made of.
enum ASCII {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let point = UInt8(ascii: ".")
    static let zero = UInt8(ascii: "0")
    static let nine = UInt8(ascii: "9")
    static let space = UInt8(ascii: " ")

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }
    @inline(__always) static func isExponentMark(_ byte: UInt8) -> Bool { byte | 0x20 == UInt8(ascii: "e") }
}
