//===--- RegexSyntax.swift - reading a pattern -----------------------------===//
//
// ECMA-262, 22.2.1, with the flag u, as JSON Schema asks (core, 6.4): strict, so `\-` outside a class and a lone `]` or `{` are errors.
// What cannot be matched in time proportional to the text is refused by name: look-ahead, look-behind and back references.
//
//      /^[a-z]{2,3}(-\d+)?$/    sequence(start, repeated(set, 2, 3), repeated(sequence(set, repeated(set, 1, ∞)), 0, 1), end)
//
//   * groups may be named or not: nothing is captured. A lazy quantifier means what the greedy one does, since only "does it match?" is asked.
//===-----------------------------------------------------------------------===//

/// Why a pattern is refused. `offset` counts the pattern's characters (code points).
struct RegexError: Error {
    var offset: Int
    var reason: String
}

indirect enum RegexNode {
    case empty
    /// One character of a set, by its number in `RegexSyntax.sets`.
    case set(Int)
    case sequence([RegexNode])
    case choice([RegexNode])
    /// `maximum` nil: any number.
    case repeated(RegexNode, minimum: Int, maximum: Int?)
    case start
    case end
    case wordBoundary(Bool)
}

/// A pattern that was read.
struct RegexSyntax {
    private(set) var sets: [ScalarSet] = []
    let root: RegexNode

    /// Characters that a pattern may have, ranges that its sets may have, and groups that may be nested.
    static let maximumLength = 32_768
    static let maximumRanges = 262_144
    static let maximumNesting = 200

    init(_ pattern: String) throws(RegexError) {
        let scalars = pattern.unicodeScalars.map(\.value)
        guard scalars.count <= Self.maximumLength else {
            throw RegexError(offset: Self.maximumLength, reason: "it is longer than \(Self.maximumLength) characters")
        }
        var parser = RegexParser(scalars)
        root = try parser.wholePattern()
        sets = parser.sets
    }
}

private struct RegexParser {
    private let pattern: [UInt32]
    private var at = 0
    private var depth = 0
    private var numbers: [ScalarSet: Int] = [:]
    private var rangeCount = 0
    private(set) var sets: [ScalarSet] = []

    init(_ pattern: [UInt32]) { self.pattern = pattern }

    private var next: UInt32? { at < pattern.count ? pattern[at] : nil }

    private func error(_ reason: String, at offset: Int? = nil) -> RegexError { RegexError(offset: offset ?? at, reason: reason) }

    /// Takes the next character if it is `character`.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == character.value else { return false }
        at += 1
        return true
    }

    private func isNext(_ text: String) -> Bool { pattern.dropFirst(at).starts(with: text.unicodeScalars.map(\.value)) }

    private mutating func node(_ set: ScalarSet) throws(RegexError) -> RegexNode {
        if let number = numbers[set] { return .set(number) }
        rangeCount += set.ranges.count
        guard rangeCount <= RegexSyntax.maximumRanges else { throw error("its sets of characters are too many") }
        numbers[set] = sets.count
        sets.append(set)
        return .set(sets.count - 1)
    }

    // MARK: - Terms

    mutating func wholePattern() throws(RegexError) -> RegexNode {
        let node = try choice()
        if next == 0x29 { throw error("a closing parenthesis without its opening one") }
        return node
    }

    private mutating func choice() throws(RegexError) -> RegexNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(RegexError) -> RegexNode {
        var terms: [RegexNode] = []
        while let character = next, character != 0x7C, character != 0x29 { terms.append(try term()) }
        return terms.isEmpty ? .empty : terms.count == 1 ? terms[0] : .sequence(terms)
    }

    private mutating func term() throws(RegexError) -> RegexNode {
        if let assertion = assertion() {
            if let next, [0x2A, 0x2B, 0x3F, 0x7B].contains(next) { throw error("a quantifier with nothing before it to repeat") }
            return assertion
        }
        let atom = try self.atom()
        guard let (minimum, maximum) = try quantifier() else { return atom }
        return .repeated(atom, minimum: minimum, maximum: maximum)
    }

    private mutating func assertion() -> RegexNode? {
        if take("^") { return .start }
        if take("$") { return .end }
        guard isNext("\\b") || isNext("\\B") else { return nil }
        at += 2
        return .wordBoundary(pattern[at - 1] == 0x62)
    }

    private mutating func quantifier() throws(RegexError) -> (Int, Int?)? {
        var result: (Int, Int?)
        if take("*") {
            result = (0, nil)
        } else if take("+") {
            result = (1, nil)
        } else if take("?") {
            result = (0, 1)
        } else if next == 0x7B {
            result = try braces()
        } else {
            return nil
        }
        _ = take("?")  // lazy
        return result
    }

    private mutating func braces() throws(RegexError) -> (Int, Int?) {
        let start = at
        at += 1
        guard let minimum = count() else { throw error("a { that begins no quantifier: write \\{", at: start) }
        if take("}") { return (minimum, minimum) }
        guard take(",") else { throw error("a { that begins no quantifier: write \\{", at: start) }
        if take("}") { return (minimum, nil) }
        guard let maximum = count(), take("}") else { throw error("a { that begins no quantifier: write \\{", at: start) }
        guard minimum <= maximum else { throw error("a quantifier's numbers are out of order", at: start) }
        return (minimum, maximum)
    }

    /// A decimal number, held down to what no program has room for anyway.
    private mutating func count() -> Int? {
        let start = at
        var value = 0
        while let digit = next, digit &- 0x30 < 10 {
            value = min(value * 10 + Int(digit - 0x30), 1 << 40)
            at += 1
        }
        return at > start ? value : nil
    }

    private mutating func atom() throws(RegexError) -> RegexNode {
        guard let character = next else { return .empty }
        switch Unicode.Scalar(character) {
        case ".":
            at += 1
            return try node(ScalarSet.lineTerminators.inverted)
        case "(": return try group()
        case "[": return try node(try characterClass())
        case "\\":
            switch try escape(inClass: false) {
            case .set(let set): return try node(set)
            case .character(let value): return try node(ScalarSet(value))
            }
        case "*", "+", "?": throw error("a quantifier with nothing before it to repeat")
        case "{": throw error("a { that begins no quantifier: write \\{")
        case "}", "]": throw error("a closing bracket without its opening one: write a \\ before it")
        default:
            at += 1
            return try node(ScalarSet(character))
        }
    }

    private mutating func group() throws(RegexError) -> RegexNode {
        let start = at
        at += 1
        if take("?") {
            if isNext("=") || isNext("!") { throw error("look-ahead is not supported: its cost has no bound", at: start) }
            if isNext("<=") || isNext("<!") { throw error("look-behind is not supported: its cost has no bound", at: start) }
            if take("<") {
                try groupName(start)
            } else if !take(":") {
                throw error("a group of an unknown kind", at: start)
            }
        }
        depth += 1
        guard depth <= RegexSyntax.maximumNesting else {
            throw error("groups are nested deeper than \(RegexSyntax.maximumNesting)", at: start)
        }
        let inside = try choice()
        depth -= 1
        guard take(")") else { throw error("a group that is not closed", at: start) }
        return inside
    }

    private mutating func groupName(_ start: Int) throws(RegexError) {
        let first = at
        while let character = next, character != 0x3E {
            let isName =
                Unicode.Scalar(character).map {
                    $0 == "$" || $0 == "_" || (at == first ? $0.properties.isIDStart : $0.properties.isIDContinue)
                } ?? false
            guard isName else { throw error("a group's name is not well formed", at: start) }
            at += 1
        }
        guard at > first, take(">") else { throw error("a group's name is not well formed", at: start) }
    }

    // MARK: - Sets

    private enum Escaped {
        case character(UInt32)
        case set(ScalarSet)
    }

    private mutating func characterClass() throws(RegexError) -> ScalarSet {
        let start = at
        at += 1
        let isInverted = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while true {
            guard let character = next else { throw error("a class of characters that is not closed", at: start) }
            if character == 0x5D { break }
            guard ranges.count <= RegexSyntax.maximumRanges else { throw error("a class of too many characters", at: start) }
            let first = try classAtom()
            guard next == 0x2D, at + 1 < pattern.count, pattern[at + 1] != 0x5D else {
                switch first {
                case .character(let value): ranges.append(value...value)
                case .set(let set): ranges += set.ranges
                }
                continue
            }
            let place = at
            at += 1
            guard case .character(let low) = first, case .character(let high) = try classAtom() else {
                throw error("a range between things that are no single characters: write \\- for a hyphen", at: place)
            }
            guard low <= high else { throw error("a range whose ends are out of order", at: place) }
            ranges.append(low...high)
        }
        at += 1
        let set = ScalarSet(ranges)
        return isInverted ? set.inverted : set
    }

    private mutating func classAtom() throws(RegexError) -> Escaped {
        guard let character = next else { throw error("a class of characters that is not closed") }
        if character == 0x5C { return try escape(inClass: true) }
        at += 1
        return .character(character)
    }

    private mutating func escape(inClass: Bool) throws(RegexError) -> Escaped {
        let start = at
        at += 1
        guard let letter = next.flatMap(Unicode.Scalar.init) else { throw error("a \\ with nothing behind it", at: start) }
        at += 1
        switch letter {
        case "d": return .set(.digits)
        case "D": return .set(ScalarSet.digits.inverted)
        case "w": return .set(.word)
        case "W": return .set(ScalarSet.word.inverted)
        case "s": return .set(.space)
        case "S": return .set(ScalarSet.space.inverted)
        case "p", "P": return .set(try property(isInverted: letter == "P", start))
        case "t": return .character(0x09)
        case "n": return .character(0x0A)
        case "v": return .character(0x0B)
        case "f": return .character(0x0C)
        case "r": return .character(0x0D)
        case "b" where inClass: return .character(0x08)
        case "-" where inClass: return .character(0x2D)
        case "0":
            if let digit = next, digit &- 0x30 < 10 { throw error("an octal escape: write \\x or \\u", at: start) }
            return .character(0)
        case "1"..."9", "k": throw error("back references are not supported: their cost has no bound", at: start)
        case "c":
            guard let control = next, (control | 0x20) &- 0x61 < 26 else { throw error("\\c without a letter", at: start) }
            at += 1
            return .character(control & 0x1F)
        case "x":
            guard let value = hexadecimal(2) else { throw error("\\x without two hexadecimal digits", at: start) }
            return .character(value)
        case "u": return .character(try codePoint(start))
        case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/": return .character(letter.value)
        default:
            throw error(
                "\\\(letter) is no escape\(letter.isASCII && letter.properties.isAlphabetic ? "" : ": leave out the \\")", at: start)
        }
    }

    private mutating func hexadecimal(_ digits: Int) -> UInt32? {
        guard at + digits <= pattern.count else { return nil }
        var value: UInt32 = 0
        for character in pattern[at..<at + digits] {
            guard character < 0x80, let digit = Character(Unicode.Scalar(UInt8(character))).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        at += digits
        return value
    }

    private mutating func codePoint(_ start: Int) throws(RegexError) -> UInt32 {
        if take("{") {
            let first = at
            var value: UInt32 = 0
            while let digit = hexadecimal(1) {
                value = value << 4 | digit
                guard value <= ScalarSet.maximum else { throw error("\\u{…} beyond the last code point", at: start) }
            }
            guard at > first, take("}") else { throw error("\\u{…} without hexadecimal digits and a closing brace", at: start) }
            return value
        }
        guard let unit = hexadecimal(4) else { throw error("\\u without four hexadecimal digits", at: start) }
        guard unit & 0xFC00 == 0xD800, isNext("\\u") else { return unit }
        let before = at
        at += 2
        guard let low = hexadecimal(4), low & 0xFC00 == 0xDC00 else {
            at = before
            return unit
        }
        return 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
    }

    private mutating func property(isInverted: Bool, _ start: Int) throws(RegexError) -> ScalarSet {
        guard take("{") else { throw error("\\p without a property in braces", at: start) }
        var name = ""
        while let character = next, character != 0x7D {
            name.unicodeScalars.append(Unicode.Scalar(character) ?? "?")
            at += 1
        }
        guard take("}") else { throw error("\\p without a closing brace", at: start) }
        guard let set = UnicodeProperties.set(name) else {
            let scripts = ["Script=", "sc=", "Script_Extensions=", "scx="].contains { name.hasPrefix($0) }
            throw error(scripts ? "scripts are not supported: \\p{\(name)}" : "there is no property \\p{\(name)}", at: start)
        }
        return isInverted ? set.inverted : set
    }
}
