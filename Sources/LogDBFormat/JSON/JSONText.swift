//===--- JSONText.swift - from string literals to strings, and back --------===//
//
// Reading works on ranges that the grammar has accepted: a string's range includes its quotes.
// Writing escapes as little as JSON allows: `"`, `\` and control characters (\b \f \n \r \t, else \u00XX). Everything
// else, also U+2028 and `/`, is raw UTF-8, so the shortest text of a string is the one that is written.
//===-----------------------------------------------------------------------===//

package enum JSONText {
    /// The string in the literal at `range`, quotes included.
    package static func string(_ bytes: Span<UInt8>, _ range: Range<Int>, escaped: Bool) -> String {
        let inside = range.lowerBound + 1..<range.upperBound - 1
        return escaped ? String(decoding: unescaped(bytes, inside), as: UTF8.self) : raw(bytes, inside)
    }

    /// The bytes at `range`, which are UTF-8, as they stand.
    package static func raw(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        // SAFETY: `extracting` checks the range; the pointer does not leave the closure.
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The UTF-8 of the literal whose inside is at `inside`, with its escapes resolved.
    package static func unescaped(_ bytes: Span<UInt8>, _ inside: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(inside.count)
        var at = inside.lowerBound
        while at < inside.upperBound {
            let byte = bytes.byte(at: at)
            guard byte == ASCII.backslash else {
                result.append(byte)
                at += 1
                continue
            }
            at += 2
            switch bytes.byte(at: at - 1) {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = (try? JSONGrammar.codeUnit(bytes, at: at)) ?? 0xFFFD
                at += 4
                if scalar & 0xFC00 == 0xD800 {
                    let low = (try? JSONGrammar.codeUnit(bytes, at: at + 2)) ?? 0xDC00
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                    at += 6
                }
                result.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
            case let literal: result.append(literal)
            }
        }
        return result
    }

    /// The scalar at `at` in text that is known to be UTF-8; moves `at` behind it.
    @inline(__always)
    static func scalar(_ text: Span<UInt8>, _ at: inout Int) -> UInt32 {
        let lead = UInt32(text.byte(at: at))
        if lead < 0x80 {
            at &+= 1
            return lead
        }
        func low(_ offset: Int) -> UInt32 { UInt32(text.byte(at: at &+ offset) & 0x3F) }
        if lead < 0xE0 {
            defer { at &+= 2 }
            return (lead & 0x1F) &<< 6 | low(1)
        }
        if lead < 0xF0 {
            defer { at &+= 3 }
            return (lead & 0x0F) &<< 12 | low(1) &<< 6 | low(2)
        }
        defer { at &+= 4 }
        return (lead & 0x07) &<< 18 | low(1) &<< 12 | low(2) &<< 6 | low(3)
    }

    /// Whether the literal at `range` holds exactly `string`, byte for byte (no Unicode normalization).
    package static func matches(_ bytes: Span<UInt8>, _ range: Range<Int>, escaped: Bool, _ string: String) -> Bool {
        if escaped { return unescaped(bytes, range.lowerBound + 1..<range.upperBound - 1).elementsEqual(string.utf8) }
        let length = range.count - 2
        let first = range.lowerBound + 1
        guard string.utf8.count == length else { return false }
        let fast = unsafe string.utf8.withContiguousStorageIfAvailable { other in
            var index = 0
            while index < length {
                // SAFETY: index < length == string.utf8.count == other.count.
                if unsafe other[index] != bytes.byte(at: first &+ index) { return false }
                index &+= 1
            }
            return true
        }
        return fast ?? raw(bytes, first..<first + length).utf8.elementsEqual(string.utf8)
    }

    /// Appends `string` as a JSON literal, with its quotes.
    package static func append(_ string: String, to output: inout [UInt8]) {
        output.append(ASCII.quote)
        // SAFETY: the span lives no longer than the closure that lends its memory.
        let done: Void? = unsafe string.utf8.withContiguousStorageIfAvailable { unsafe appendInside($0.span, to: &output) }
        if done == nil { appendInside(Array(string.utf8).span, to: &output) }
        output.append(ASCII.quote)
    }

    /// Appends `"name":`, behind a comma if there is to be one.
    package static func appendMemberName(_ name: String, comma: Bool, to output: inout [UInt8]) {
        if comma { output.append(ASCII.comma) }
        append(name, to: &output)
        output.append(ASCII.colon)
    }

    private static func appendInside(_ text: Span<UInt8>, to output: inout [UInt8]) {
        var start = 0
        while true {
            let end = plainEnd(text, from: start)
            if end > start {
                // SAFETY: `extracting` checks the range; the pointer does not leave the closure.
                unsafe text.extracting(start..<end).withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
            }
            if end == text.count { return }
            appendEscape(text[end], to: &output)
            start = end + 1
        }
    }

    /// The first offset from `start` whose byte needs an escape, or the end.
    @inline(__always)
    private static func plainEnd(_ text: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while let word = text.word(at: at) {
            let mask = JSONMask.needsEscape(word)
            if mask != 0 { return at &+ JSONMask.first(mask) }
            at &+= 8
        }
        while at < text.count {
            let byte = text.byte(at: at)
            if byte < 0x20 || byte == ASCII.quote || byte == ASCII.backslash { return at }
            at &+= 1
        }
        return at
    }

    @inline(never)
    private static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(ASCII.backslash)
        switch byte {
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0..<0x20:
            let low = byte & 0xF
            output.append(contentsOf: "u00".utf8)
            output.append(ASCII.zero + byte >> 4)
            output.append(low < 10 ? ASCII.zero + low : UInt8(ascii: "a") + low - 10)
        default: output.append(byte)
        }
    }
}
