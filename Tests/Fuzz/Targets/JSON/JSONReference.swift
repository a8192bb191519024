//===--- JSONReference.swift - RFC 8259, as one would write it down --------===//
//
// Says yes or no to a text, slowly and plainly: one function for each rule of the grammar, none of the library's code. What the library
// promises beyond the RFC is here too: valid UTF-8, surrogates in pairs, at most 1,000 containers deep.
//===-----------------------------------------------------------------------===//

struct JSONReference: ~Escapable {
    private let text: Span<UInt8>
    private var at = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    /// Whether the text is one JSON value, with whitespace around it.
    mutating func accepts() -> Bool { value(depth: 0) && at == text.count }

    private var byte: UInt8? { at < text.count ? text[at] : nil }

    private mutating func eat(_ character: Character) -> Bool {
        guard byte == character.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func eat(word: String) -> Bool {
        for character in word where !eat(character) { return false }
        return true
    }

    private mutating func space() {
        while let byte, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { at += 1 }
    }

    private mutating func value(depth: Int) -> Bool {
        space()
        defer { space() }
        switch byte.map({ Character(Unicode.Scalar($0)) }) {
        case "{": return depth < 1_000 && list(closing: "}", depth: depth + 1, isObject: true)
        case "[": return depth < 1_000 && list(closing: "]", depth: depth + 1, isObject: false)
        case "\"": return string()
        case "t": return eat(word: "true")
        case "f": return eat(word: "false")
        case "n": return eat(word: "null")
        default: return number()
        }
    }

    private mutating func list(closing: Character, depth: Int, isObject: Bool) -> Bool {
        at += 1
        space()
        if eat(closing) { return true }
        while true {
            if isObject {
                space()
                guard string() else { return false }
                space()
                guard eat(":") else { return false }
            }
            guard value(depth: depth) else { return false }
            if eat(closing) { return true }
            guard eat(",") else { return false }
        }
    }

    private mutating func digits() -> Bool {
        let start = at
        while let byte, (0x30...0x39).contains(byte) { at += 1 }
        return at > start
    }

    private mutating func number() -> Bool {
        _ = eat("-")
        if !eat("0"), !digits() { return false }
        if eat("."), !digits() { return false }
        if eat("e") || eat("E") {
            if !eat("+") { _ = eat("-") }
            return digits()
        }
        return true
    }

    private mutating func string() -> Bool {
        guard eat("\"") else { return false }
        let start = at
        while let byte {
            switch byte {
            case 0x22:
                at += 1
                // UTF-8 is the standard library's business.
                return unsafe text.extracting(start..<at).withUnsafeBufferPointer { unsafe String(validating: $0, as: UTF8.self) } != nil
            case 0x5C:
                at += 1
                guard escape() else { return false }
            case 0..<0x20: return false
            default: at += 1
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        guard let letter = byte else { return false }
        at += 1
        guard letter == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(letter) }
        guard let unit = hexadecimal() else { return false }
        switch unit {
        case 0xD800..<0xDC00:
            guard eat("\\"), eat("u"), let low = hexadecimal() else { return false }
            return (0xDC00..<0xE000).contains(low)
        case 0xDC00..<0xE000: return false
        default: return true
        }
    }

    private mutating func hexadecimal() -> Int? {
        var value = 0
        for _ in 0..<4 {
            guard let byte, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            value = value * 16 + digit
            at += 1
        }
        return value
    }
}
