//===--- JSONConformanceTests.swift - what is JSON, and what is not --------===//
//
// The classes of RFC 8259 and of JSONTestSuite (Seriot, "Parsing JSON is a Minefield"): y must be accepted, n refused.
// The i classes, where the RFC leaves room, stand in the same tables. Accepted: numbers of any size and precision, repeated
// names, noncharacters, U+0000 as an escape. Refused: lone surrogates, raw or escaped; a byte order mark; broken UTF-8;
// more than 1,000 containers (JSONHostileTests).
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct JSONConformanceTests {
    static let accepted: [String] = [
        "[]", "{}", " [ ] ", "\t{\n\r }\n", "null", "true", "false", "0", "-0", "-0.0", "1", "-1", "\"\"", "\"a\"", " 7 ",
        "[1]", "[1,2]", "[[],[]]", "[{}]", "[null,1,\"1\",{}]", "[\"a\",1,true]", "[false]", "[true]", "[null]", "[ 1]", "[1 ]", "[1\n]",
        "[123e65]", "[0e+1]", "[0e1]", "[1E22]", "[1E-2]", "[1E+2]", "[123.456e78]", "[123.456789]", "[0.5]", "[-123]", "[-1.5e-10]",
        "[1e400]", "[-1e400]", "[1e-400]", "[0.4e00669999999999999999999999999999999999]", "[100000000000000000000000000000]",
        "[-237462374673276894279832749832423479823246327846]", "[0.00000000000000000000000000000000000000000000000000000000001]",
        #"["\u0060\u012a\u12AB"]"#, #"["\uD801\udc37"]"#, #"["\ud83d\ude39\ud83d\udc8d"]"#, #"["\"\\\/\b\f\n\r\t"]"#, #"["\\u0000"]"#,
        #"["\""]"#, #"["a/*b*/c/*d//e"]"#, #"["\\a"]"#, #"["\\n"]"#, #"["\u0012"]"#, #"["\uFFFF"]"#, #"["\u0000"]"#, #"["\uDBFF\uDFFF"]"#,
        #"["new\u00A0line"]"#, #"["\u0022"]"#, #"["\u005C"]"#, #"["\uFEFF"]"#, #"["\uFFFE"]"#, #"["\ufdd0"]"#, #"["\uD83F\uDFFE"]"#,
        "[\"\u{7F}\"]", "[\"\u{80}\"]", "[\"é\"]", "[\"\u{2028}\u{2029}\"]", "[\"\u{FFFF}\"]", "[\"\u{10FFFF}\"]", "[\"\u{10000}\"]",
        "[\"€𝄞\"]", "[\"\u{1BFFF}\"]", "[\"\u{FEFF}\"]", "[\"\u{800}\"]", "[\"\u{D7FF}\u{E000}\"]", "\"\u{FEFF}\"",
        "{\"a\":\"b\",\"c\":\"d\"}", "{\"a\":\"b\"}", "{\"\":0}", #"{"foo\u0000bar":42}"#, "{\"min\":-1.0e+28,\"max\":1.0e+28}",
        "{\"x\":[{\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}],\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}", "{\"a\":[]}",
        #"{"title":"\u041f\u043e\u043b\u0442"}"#, "{\n\"a\": \"b\"\n}", "{ \"a\" : [ 1 , { \"b\" : null } ] }", "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"a\":1}",
        "[[[[[[[[]]]]]]]]", "[\"aaaaaaa\"]", "[\"aaaaaaaa\"]", "[\"aaaaaaaaa\"]", "[12345678]", "[1234567,123456789]",
    ]

    static let refused: [String] = [
        "", " ", "\n", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[\"\",]", "[\"a\",,]", "[1 true]", "[1:2]",
        "[\"a\" 1]", "[3[4]]",
        "[a", "[\"\": 1]", "[\"a\"", "[1,\n1\n,1", "[*]", "[{}", "[]]", "[[]", "[x]", "[\u{B}1]", "[\u{C}1]", "[\u{A0}1]", "[\u{2060}]",
        "[]\u{2060}",
        "[fals]", "[nul]", "[tru]", "[True]", "[NULL]", "nul", "t", "f", "n", "truE", "truex", "nulll", "[falsee]", "[undefined]", "[nu",
        "fals",
        "[-]", "[+1]", "[++1]", "[01]", "[-01]", "[00]", "[-00]", "[0.]", "[.5]", "[-.5]", "[1.]", "[1.e1]", "[1e]", "[1e+]", "[1E-]",
        "[0e]", "[0e+]", "[2.e3]",
        "[0.3e+]", "[1.0e+]", "[1eE2]", "[1e2.5]", "[1.2.3]", "[1-2]", "[1 000]", "[- 1]", "[-a]", "[0x1]", "[0x]", "[1a]", "[1+2]",
        "[Infinity]", "[-Infinity]", "[NaN]", "[-NaN]", "[Inf]",
        "[1_0]", "[\u{FF11}]", "[9.e+]", "[0.1.2]", "[0e+-1]", "-", "1.", "1e", "-1x", "[012345678]", "[-012]", "[1.8011670033376514H-308]",
        "2@", "[1e1e1]", "[--1]",
        "\"", "[\"a", "[\"", "[\"\\", "[\"\\\"", "[\"\\\"]", "['a']", "[\"\n\"]", "[\"\t\"]", "[\"\u{0}\"]", "[\"\u{1F}\"]",
        "[\"aaaaaaaa\u{1F}\"]", "[abc]", "[\"a\"b]", "abc",
        #"["\x00"]"#, #"["\a"]"#, #"["\'"]"#, #"["\U0041"]"#, #"["\u"]"#, #"["\u0"]"#, #"["\u00"]"#, #"["\u004"]"#, #"["\u00G0"]"#,
        #"["\u 041"]"#, #"["\\\"]"#, #"["\🌀"]"#, #"["\0"]"#,
        #"["\uD800"]"#, #"["\uDC00"]"#, #"["\uD800\n"]"#, #"["\uD800a"]"#, #"["\uD800\uD800"]"#, #"["\uDFFF\uD800"]"#, #"["\uD800\u"]"#,
        #"["\uD800\uDC0"]"#, #"["\uD800\u0041"]"#, #"["\uDBFF\uE000"]"#,
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1,,\"b\":2}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}", "{'a':1}", "{1:1}",
        "{null:1}", "{\"a\":1 \"b\":2}", "{\"a\":1;}", "{\"a\":\"b\"}}",
        "{\"a\":\"b\"}#", "{\"a\":1}/**/", "/**/{}", "{\"a\":/**/1}", "//\n{}", "{\"a\":1", "{\"a\"", "{\"a", "{[\"a\"]:1}", "{\"a\":1]",
        "[1}", "{\"a\":[}", "{:1}", "{\"a\":b}", "{\"a\":\"a", "{\"\u{0}\":1}",
        "{} {}", "1 2", "[] []", "{}x", "\"a\" \"b\"", "[1],", "<.>", "&", "@", "[\"a\",\n4\n,1,", "{\"a\":true} \"x\"", "{\"asd\":\"asd\"",
        "\u{FEFF}{}", "\u{FEFF}", "\u{0}", "[1]\u{0}", "é", "*", "(1)",
    ]

    @Test(arguments: accepted) func `every reader accepts what RFC 8259 accepts`(text: String) {
        #expect(JSONReaders.validatorError(bytes(text)) == nil)
        #expect(JSONReaders.treeError(bytes(text)) == nil)
        #expect(JSONReaders.cursorError(bytes(text)) == nil)
    }

    @Test(arguments: refused) func `every reader refuses what RFC 8259 refuses, at the same byte for the same reason`(text: String) throws {
        let error = try #require(JSONReaders.validatorError(bytes(text)))
        #expect(JSONReaders.treeError(bytes(text)) as? JSONError == error)
        #expect(JSONReaders.cursorError(bytes(text)) == error)
        #expect((0...text.utf8.count).contains(error.offset))
    }

    /// Not UTF-8: overlong forms, surrogates, beyond U+10FFFF, stray and missing continuation bytes, bytes that never occur.
    static let notUTF8: [[UInt8]] =
        [
            [0xC0, 0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xED, 0xA0, 0x80], [0xED, 0xAF, 0xBF], [0xED, 0xB0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF7, 0xBF, 0xBF, 0xBF], [0xF8, 0x88, 0x80, 0x80, 0x80],
            [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80],
            [0x80], [0xBF], [0x80, 0x80], [0xC2], [0xC2, 0x41], [0xC2, 0xC2], [0xE2, 0x82], [0xE2, 0x41, 0x80], [0xE2, 0x82, 0x41],
            [0xF0, 0x9F, 0x98],
            [0xF0, 0x9F, 0x41, 0x80], [0xF0, 0x41, 0x98, 0x80], [0xF0, 0x9F, 0x98, 0x41], [0xFE], [0xFF], [0xE9], [0xF1, 0x80, 0x80, 0xC0],
        ]

    @Test(arguments: notUTF8) func `text that is not UTF-8 is refused at the broken sequence, whatever stands around it`(broken: [UInt8]) {
        for padding in 0..<10 {
            let before = bytes("[\"" + String(repeating: "x", count: padding))
            for after in [bytes("\"]"), bytes("xxxxxxxxxxxx\"]")] {
                let text = before + broken + after
                let offset = before.count
                #expect(JSONReaders.validatorError(text) == JSONError(offset: offset, reason: .invalidUTF8))
                #expect(JSONReaders.treeError(text) as? JSONError == JSONError(offset: offset, reason: .invalidUTF8))
            }
        }
        #expect(JSONReaders.validatorError(bytes("[") + broken + bytes("]")) != nil)
        #expect(JSONReaders.validatorError(bytes("{\"") + broken + bytes("\":1}"))?.reason == .invalidUTF8)
    }

    @Test func `every scalar value is accepted raw and escaped, and read back as itself`() throws {
        var failures = 0
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 1)
        where value < 0x3000 || value % 97 == 0 || value & 0xFFF > 0xFF0 || value & 0xFFF < 0x10 {
            guard let scalar = Unicode.Scalar(value), value != 0x22, value != 0x5C else { continue }
            let string = String(Character(scalar))
            let escaped = string.utf16.map { "\\u" + String(0x10000 + UInt32($0), radix: 16).dropFirst() }.joined()
            let raw = try JSON(parsing: "\"\(string)\""), read = try JSON(parsing: "\"\(escaped)\"")
            if raw.string?.unicodeScalars.elementsEqual([scalar]) != true || raw != read { failures += 1 }
        }
        #expect(failures == 0)
    }

    @Test(arguments: [
        ("{\"a\" 1}", 5, JSONError.Reason.expectedColon), ("[\"\\uD800\"]", 2, .loneSurrogate),
        ("[\"a\u{1}\"]", 3, .controlCharacterInString),
        ("[01]", 1, .leadingZero), ("{} x", 3, .textAfterDocument), ("[1,]", 3, .trailingComma), ("{\"a\":1,}", 7, .trailingComma),
        ("{\"a\":", 5, .unexpectedEnd), ("", 0, .unexpectedEnd), ("\u{FEFF}{}", 0, .byteOrderMark), ("[1 2]", 3, .expectedCommaOrBracket),
        ("{\"a\":1 2}", 7, .expectedCommaOrBrace), ("[\"\\q\"]", 3, .invalidEscape), ("[-]", 2, .expectedDigit),
        ("[trua]", 4, .misspelledLiteral),
        ("{1:2}", 1, .expectedMemberName), ("[?]", 1, .expectedValue), ("\"abc", 4, .unexpectedEnd),
    ])
    func `an error names the byte and the reason`(text: String, offset: Int, reason: JSONError.Reason) {
        #expect(JSONReaders.validatorError(bytes(text)) == JSONError(offset: offset, reason: reason))
        #expect(JSONReaders.cursorError(bytes(text)) == JSONError(offset: offset, reason: reason))
        #expect("\(JSONError(offset: offset, reason: reason))" == "malformed JSON: \(reason.rawValue) at byte \(offset)")
    }

    @Test(arguments: ["[]", "1", "null", "\"a\"", "true", " [1] "]) func `a document is an object, and nothing else`(text: String) {
        #expect(throws: JSONError(offset: text.first == " " ? 1 : 0, reason: .notAnObject)) {
            try JSONValidator.validateDocument(bytes(text).span)
        }
        #expect(throws: JSONError(offset: text.first == " " ? 1 : 0, reason: .notAnObject)) {
            var cursor = try JSONCursor(object: bytes(text).span)
            _ = try cursor.nextMember()
        }
    }

    @Test func `a document may have whitespace around it and nothing else`() throws {
        try JSONValidator.validateDocument(bytes(" \n\t\r{\"a\":[]}\r\n ").span)
        #expect(throws: JSONError(offset: 2, reason: .textAfterDocument)) { try JSONValidator.validateDocument(bytes("{},").span) }
    }
}
