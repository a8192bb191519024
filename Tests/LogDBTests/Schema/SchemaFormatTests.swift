//===--- SchemaFormatTests.swift - formats, where they are asserted --------===//
//
// Beside the published suite, which is run with formats asserted as well.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat
import Testing

struct SchemaFormatTests {
    static let formats: [(format: String, valid: [String], invalid: [String])] = [
        (
            "date-time",
            ["2024-02-29T23:59:59Z", "2024-02-29t00:00:00.123456789z", "1990-12-31T15:59:60-08:00", "1985-04-12T23:20:50.52+14:00"],
            [
                "2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z",
                "2024-01-01T12:00:60Z", "", "2024-13-01T00:00:00Z",
            ]
        ),
        (
            "date", ["2000-02-29", "0000-01-01", "9999-12-31"],
            ["1900-02-29", "2024-04-31", "2024-1-01", "2024-01-00", "20240101", "2024-01-01Z", " 2024-01-01"]
        ),
        (
            "time", ["00:00:00Z", "23:59:60Z", "12:00:00.5+05:30"],
            ["12:00Z", "12:00:00", "25:00:00Z", "12:60:00Z", "12:00:00+5:30", "12:00:00+24:00"]
        ),
        (
            "duration", ["P1Y2M3DT4H5M6S", "PT1M", "P7W", "P1DT12H", "PT1H30M"],
            ["P", "PT", "P1", "1D", "P1H", "PT1D", "P1Y3D", "PT1H30S", "P1W2D", "P-1D", "PT1.5S"]
        ),
        (
            "email", ["a@b", "joe.bloggs@example.com", "\"a b\"@c.d", "a@[192.168.0.1]", "a@[IPv6:::1]", "!#$%&'*+-/=?^_`{|}~@x"],
            ["a", "@b", "a@", "a@b..c", ".a@b", "a b@c", "a@[1.2.3]", "a@b@c", "é@b", "a@-b"]
        ),
        ("idn-email", ["é@ü.example", "a@b"], ["é", "@é", "a@"]),
        (
            "hostname", ["a", "example.com", "a-b.c9", "x--y"],
            ["", "-a", "a-", "a..b", ".", "a.", "a_b", "é", String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "aa"]
        ),
        (
            "ipv4", ["0.0.0.0", "255.255.255.255"],
            ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "1.2.3.", "a.b.c.d", "1.2.3.1234"]
        ),
        (
            "ipv6", ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "fe80::1:2", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::"],
            [
                "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "1::2::3", "::1%eth0", "1:2:3:4:5:6:7:1.2.3.4", "1:",
                ":1", "g::", "1:2:3:4:5:6:7:8::",
            ]
        ),
        (
            "uri", ["http://a", "urn:x:y", "mailto:a@b", "file:///a/b", "http://[::1]:80/?q#f", "a:", "http://u:p@h:1/%20?a=b/?#"],
            ["a", "/a", "//a/b", "http://a b", "http://[1]", "1a:b", "http://a/%2", "http://a#b#c", "é:a", "http://é"]
        ),
        ("uri-reference", ["", "a", "/a", "//a/b", "?q", "#f", "../a", "a/b:c"], ["a b", "\\a", "#a#b", "%", ":a"]),
        ("iri", ["http://é/ü?ö#ä", "http://a"], ["é", "http://a b", "http://\u{E000}"]),
        ("iri-reference", ["é", "/ü", "http://é", "?\u{E000}"], ["a b", "é\\"]),
        (
            "uri-template", ["/a/{b}", "{+a,b*}{?x:3,y}", "{&x.y}", "é", "a%20"],
            ["{", "}", "{a", "{}", "{a:0}", "{a:12345}", "a b", "{a b}", "%2", "{a,}"]
        ),
        (
            "uuid", ["00000000-0000-0000-0000-000000000000", "2EB8AA08-aa98-11ea-B4AA-73B441D16380"],
            [
                "00000000-0000-0000-0000-00000000000", "00000000000000000000000000000000", "{00000000-0000-0000-0000-000000000000}",
                "g0000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000 ",
            ]
        ),
        ("json-pointer", ["", "/", "/a~0b~1c", "/a//b"], ["a", "/~", "/~2", "#/a"]),
        ("relative-json-pointer", ["0", "1/a", "12#", "0+1", "0-1/a", "2/"], ["", "/a", "01", "-1", "1a", "0##", "0+", "0+01"]),
        ("regex", ["", "^a+$", "[\\d-]", "(?:a|b)"], ["(", "\\a", "a**", "(?=a)"]),
    ]

    @Test(arguments: formats) func `a format accepts what its standard says`(format: String, valid: [String], invalid: [String]) throws {
        let schema = try Schema(["format": .string(format)], assertsFormats: true)
        let remark = try Schema(["format": .string(format)])
        for text in valid {
            let document = JSON.string(text).serialized()
            #expect(try schema.violation(in: document.span) == nil, "\(text.debugDescription) should be a \(format)")
        }
        for text in invalid {
            let document = JSON.string(text).serialized()
            let violation = try schema.violation(in: document.span)
            #expect(violation?.rule.hasSuffix(" is not of the format \(format)") == true, "\(text.debugDescription) should be no \(format)")
            #expect(try remark.violation(in: document.span) == nil)
        }
        for other in ["1", "null", "[]", "{}"] { try schema.validate(other) }
    }

    @Test(arguments: formats.map(\.format)) func `random texts never trap a format`(format: String) throws {
        var random = SeededGenerator(seed: 8)
        let schema = try Schema(["format": .string(format)], assertsFormats: true)
        let alphabet = Array("0123456789abcdefTZPDHMSWY:-./@[]{}#?%~\"\\+ é𝄞")
        for _ in 0..<300 {
            let text = String((0..<Int.random(in: 0...12, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
            let document = JSON.string(text).serialized()
            _ = try schema.violation(in: document.span)
        }
    }
}
