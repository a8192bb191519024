//===--- RegularExpressionTests.swift - patterns ---------------------------===//

import LogDB
import LogDBFormat
import Testing

struct RegularExpressionTests {
    private static func matches(_ pattern: String, _ text: String) throws -> Bool {
        let schema = try Schema(["pattern": .string(pattern)])
        return try schema.violation(in: JSON.string(text).serialized().span) == nil
    }

    static let patterns: [(pattern: String, matching: [String], other: [String])] = [
        ("", ["", "x"], []),
        ("a|", ["", "b"], []),
        ("^$", [""], ["x", "\n"]),
        ("^a|b$", ["ax", "xb", "a", "b"], ["xa", "bx", ""]),
        ("^(a|bc)*$", ["", "a", "bca", "abcbc"], ["b", "acb"]),
        ("^a{3}$", ["aaa"], ["aa", "aaaa"]), ("^a{2,}$", ["aa", "aaaaa"], ["a", ""]), ("^a{1,3}$", ["a", "aaa"], ["", "aaaa"]),
        ("^a{0}$", [""], ["a"]), ("^(?:ab){2}c?$", ["abab", "ababc"], ["ab", "ababcc"]), ("^a{0,0}b$", ["b"], ["ab"]),
        ("^a+?b*?c??$", ["a", "aabbc"], ["b", "acc"]),
        ("^.$", ["a", "é", "𝄞", "\u{0}"], ["", "\n", "\r", "\u{2028}", "\u{2029}", "ab"]),
        ("^[abc]$", ["a", "c"], ["d", "ab", ""]), ("^[^abc]$", ["d", "\n", "𝄞"], ["a", ""]), ("^[]$", [], ["", "a"]),
        ("^[^]$", ["a", "\n"], [""]), ("^[a-c-]$", ["a", "b", "-"], ["d"]), ("^[-a]$", ["-", "a"], ["b"]),
        ("^[\\]\\\\^]$", ["]", "\\", "^"], ["a"]),
        ("^[\\w.-]+$", ["a_b-c.d"], ["a b", ""]), ("^[\\d-]$", ["5", "-"], ["a"]), ("^[^\\s\\d]$", ["a"], [" ", "1"]),
        ("^[\\b]$", ["\u{8}"], ["b"]),
        ("^\\d+$", ["0123456789"], ["٣", "a", ""]), ("^\\D$", ["a", "٣"], ["3"]), ("^\\w+$", ["az_AZ09"], ["é", "-"]),
        ("^\\W$", ["é", " "], ["_"]),
        ("^\\s+$", [" \t\n\u{B}\u{C}\r\u{A0}\u{FEFF}\u{2028}\u{3000}\u{1680}"], ["\u{180E}", "\u{200B}", "x"]), ("^\\S$", ["x"], [" "]),
        ("^\\t\\n\\v\\f\\r\\0$", ["\t\n\u{B}\u{C}\r\u{0}"], []), ("^\\cJ\\cj$", ["\n\n"], ["JJ"]),
        ("^\\x41\\u0042\\u{43}\\u{1F600}$", ["ABC😀"], ["abc😀"]),
        ("^\\ud83d\\ude00$", ["😀"], ["x"]), ("^[\\ud83d\\ude00-\\u{1F602}]$", ["😁"], ["😃"]), ("^\\ud83d$", [], ["😀", "x"]),
        ("\\bcat\\b", ["a cat.", "cat", "cat cat"], ["concat", "cats", "cat_"]),
        ("\\Bcat\\B", ["locate", "xcatx"], ["cat", "a cat", "cat's"]),
        ("^\\b", ["a"], ["", " a"]), ("\\b$", ["a", " a"], ["", "a "]), ("a\\b-\\bb", ["a-b"], ["a--b"]), ("\\b\\B", [], ["a", ""]),
        ("\\bé", ["aé"], ["é", " é"]),
        ("^(?<year>\\d{4})-(?<month>\\d\\d)$", ["2024-05"], ["2024-5"]),
        ("^\\/\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\^\\$\\\\$", ["/.*+?()[]{}|^$\\"], ["x"]),
        ("^\\p{L}+$", ["aéЖ漢"], ["1", "a1"]), ("^\\p{Lu}\\p{Ll}$", ["Éa"], ["éA"]), ("^\\P{L}$", ["1", "€"], ["a"]),
        ("^\\p{Letter}$", ["a"], ["1"]),
        ("^\\p{gc=Nd}$", ["٣", "3"], ["a", "Ⅷ"]), ("^\\p{General_Category=Decimal_Number}$", ["٣"], ["a"]),
        ("^\\p{Sc}$", ["€", "$"], ["x"]),
        ("^[\\p{Lu}\\d_]+$", ["ÉA_9"], ["a"]), ("^\\p{Alphabetic}$", ["a", "ª"], ["1"]), ("^\\p{White_Space}$", [" "], ["a"]),
        ("^\\p{Emoji_Presentation}$", ["😀"], ["a"]),
        ("^\\p{ASCII}+$", ["abc~"], ["é"]), ("^\\p{Any}$", ["𝄞"], [""]), ("^\\p{Assigned}$", ["a"], ["\u{378}"]),
        ("^\\p{LC}$", ["a", "A"], ["漢"]),
        ("x*", ["", "aaa"], []), ("(a*)*b", ["b", "aab"], ["aaaa", ""]), ("(a|a)*$", ["", "aaa", "b"], []),
        (
            "^(a?){20}a{20}$", [String(repeating: "a", count: 20), String(repeating: "a", count: 40)],
            [String(repeating: "a", count: 19), String(repeating: "a", count: 41)]
        ),
        ("^((a|b)*c|d)+$", ["abcd", "cc"], ["ab", ""]), ("^(?:^a|b)$", ["a", "b"], ["ba"]), ("(?:a$|b)c", ["bc"], ["ac"]),
        ("^[a-z]{2,3}(-[A-Z]{2})?$", ["en", "en-GB"], ["e", "en-gb", "english"]),
    ]

    @Test(arguments: patterns) func `a pattern matches what ECMA-262 says`(pattern: String, matching: [String], other: [String]) throws {
        for text in matching { #expect(try Self.matches(pattern, text), "\(text.debugDescription) should match") }
        for text in other { #expect(try !Self.matches(pattern, text), "\(text.debugDescription) should not match") }
    }

    static let refused: [(pattern: String, reason: String)] = [
        ("a(?=b)", "look-ahead is not supported: its cost has no bound, at character 2"),
        ("(?!b)a", "look-ahead is not supported: its cost has no bound, at character 1"),
        ("(?<=a)b", "look-behind is not supported: its cost has no bound, at character 1"),
        ("(?<!a)b", "look-behind is not supported: its cost has no bound, at character 1"),
        ("(a)\\1", "back references are not supported: their cost has no bound, at character 4"),
        ("(?<n>a)\\k<n>", "back references are not supported: their cost has no bound, at character 8"),
        ("(?i:a)", "a group of an unknown kind, at character 1"),
        ("(?<1a>b)", "a group's name is not well formed, at character 1"),
        ("(a", "a group that is not closed, at character 1"), ("a)", "a closing parenthesis without its opening one, at character 2"),
        ("[a", "a class of characters that is not closed, at character 1"),
        ("*a", "a quantifier with nothing before it to repeat, at character 1"),
        ("a**", "a quantifier with nothing before it to repeat, at character 3"),
        ("^*", "a quantifier with nothing before it to repeat, at character 2"),
        ("\\b+", "a quantifier with nothing before it to repeat, at character 3"),
        ("|+", "a quantifier with nothing before it to repeat, at character 2"),
        ("a{2,1}", "a quantifier's numbers are out of order, at character 2"),
        ("a{", "a { that begins no quantifier: write \\{, at character 2"),
        ("a{,2}", "a { that begins no quantifier: write \\{, at character 2"),
        ("{1}", "a { that begins no quantifier: write \\{, at character 1"),
        ("a}", "a closing bracket without its opening one: write a \\ before it, at character 2"),
        ("]", "a closing bracket without its opening one: write a \\ before it, at character 1"),
        ("\\", "a \\ with nothing behind it, at character 1"), ("\\a", "\\a is no escape, at character 1"),
        ("\\-", "\\- is no escape: leave out the \\, at character 1"),
        ("\\_", "\\_ is no escape: leave out the \\, at character 1"), ("\\01", "an octal escape: write \\x or \\u, at character 1"),
        ("\\c1", "\\c without a letter, at character 1"), ("\\x4", "\\x without two hexadecimal digits, at character 1"),
        ("\\u004", "\\u without four hexadecimal digits, at character 1"),
        ("\\u{110000}", "\\u{…} beyond the last code point, at character 1"),
        ("\\u{}", "\\u{…} without hexadecimal digits and a closing brace, at character 1"),
        ("[z-a]", "a range whose ends are out of order, at character 3"),
        ("[\\w-z]", "a range between things that are no single characters: write \\- for a hyphen, at character 4"),
        ("\\p{Nope}", "there is no property \\p{Nope}, at character 1"), ("\\pL", "\\p without a property in braces, at character 1"),
        ("\\p{Script=Greek}", "scripts are not supported: \\p{Script=Greek}, at character 1"),
        ("a{100000}", "written out, its repetitions take more than 8192 steps, at character 1"),
        ("((a{100}){100}){100}", "written out, its repetitions take more than 8192 steps, at character 1"),
        ("a{99999999999999999999999999}", "written out, its repetitions take more than 8192 steps, at character 1"),
        (
            "[ab]*a[ab]{600}",
            "it would cost too much at every character: its repetitions are too long for what stands around them, at character 1"
        ),
        (String(repeating: "(", count: 201), "groups are nested deeper than 200, at character 201"),
        (String(repeating: "a", count: 40_000), "it is longer than 32768 characters, at character 32769"),
    ]

    @Test(arguments: refused) func `a pattern that has no bounded cost, or no meaning, is refused`(pattern: String, reason: String) throws {
        let error = #expect(throws: LogDBError.self) { try Schema(["pattern": .string(pattern)]) }
        #expect(error?.message == "/pattern: the pattern cannot be used: \(reason)")
    }

    @Test func `repetitions of nothing, however often, are nothing`() throws {
        #expect(try Self.matches("^(?:){1000000000}$", ""))
        #expect(try Self.matches("^(?:(?:(?:a{0}){1000000}){1000000}){1000000}$", ""))
        #expect(try Self.matches("^(?:(?:)*)*$", ""))
    }

    @Test func `patterns that bring others to their knees are linear`() throws {
        let text = String(repeating: "a", count: 20_000)
        for pattern in ["^(a+)+$", "(a*)*b", "^(a|aa)+$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "[ab]*a[ab]{8}c", "(.*)(.*)(.*)(.*)x"]
        {
            _ = try Self.matches(pattern, text)
            #expect(try Self.matches(pattern, text + "!") == (pattern == "never"))
        }
        // Too many states for a table: the threads walk.
        #expect(try Self.matches("[ab]*a[ab]{60}c", text + String(repeating: "b", count: 60) + "c"))
        #expect(try !Self.matches("[ab]*a[ab]{60}c", text + String(repeating: "b", count: 61) + "c"))
    }

    /// A second implementation: which ends a match from a place may have, by walking the pattern's own text. Exponential, and plain.
    private struct Backtracker {
        indirect enum Node {
            case character(Character), any, sequence([Node]), choice([Node]), star(Node), optional(Node), start, end, boundary
        }

        static func random(_ depth: Int, _ random: inout SeededGenerator) -> (Node, String) {
            switch Int.random(in: 0..<(depth > 0 ? 9 : 4), using: &random) {
            case 0, 1:
                let character: Character = ["a", "b", "-"].randomElement(using: &random) ?? "a"
                return (.character(character), String(character))
            case 2: return (.any, ".")
            case 3: return [(.start, "^"), (.end, "$"), (.boundary, "\\b")].randomElement(using: &random) ?? (.any, ".")
            case 4, 5:
                let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.random(depth - 1, &random) }
                return (.sequence(parts.map(\.0)), "(?:\(parts.map(\.1).joined()))")
            case 6:
                let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.random(depth - 1, &random) }
                return (.choice(parts.map(\.0)), "(\(parts.map(\.1).joined(separator: "|")))")
            case 7:
                let part = Self.random(depth - 1, &random)
                return (.star(part.0), "(?:\(part.1))*")
            default:
                let part = Self.random(depth - 1, &random)
                return (.optional(part.0), "(?:\(part.1))?")
            }
        }

        static func ends(_ node: Node, _ text: [Character], _ at: Int) -> Set<Int> {
            switch node {
            case .character(let character): return at < text.count && text[at] == character ? [at + 1] : []
            case .any: return at < text.count && text[at] != "\n" ? [at + 1] : []
            case .sequence(let nodes): return nodes.reduce([at]) { ends, node in Set(ends.flatMap { Self.ends(node, text, $0) }) }
            case .choice(let nodes): return Set(nodes.flatMap { ends($0, text, at) })
            case .optional(let node): return ends(node, text, at).union([at])
            case .star(let node):
                var reached: Set<Int> = [at]
                var waiting = [at]
                while let place = waiting.popLast() {
                    for end in ends(node, text, place) where reached.insert(end).inserted { waiting.append(end) }
                }
                return reached
            case .start: return at == 0 ? [at] : []
            case .end: return at == text.count ? [at] : []
            case .boundary:
                let before = at > 0 && text[at - 1].isLetter, after = at < text.count && text[at].isLetter
                return before != after ? [at] : []
            }
        }
    }

    @Test func `random patterns match what a plain search finds`() throws {
        var random = SeededGenerator(seed: 5)
        var counts = (0, 0)
        for _ in 0..<400 {
            let (node, pattern) = Backtracker.random(4, &random)
            let schema = try Schema(["pattern": .string(pattern)])
            for _ in 0..<25 {
                let text = (0..<Int.random(in: 0...7, using: &random)).map { _ in
                    (["a", "b", "-", "\n"] as [Character]).randomElement(using: &random) ?? "a"
                }
                let expected = (0...text.count).contains { !Backtracker.ends(node, text, $0).isEmpty }
                let found = try schema.violation(in: JSON.string(String(text)).serialized().span) == nil
                #expect(found == expected, "\(pattern) on \(String(text).debugDescription)")
                if expected { counts.0 += 1 } else { counts.1 += 1 }
            }
        }
        #expect(counts.0 > 1000 && counts.1 > 1000)
    }
}
