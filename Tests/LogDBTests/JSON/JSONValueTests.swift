//===--- JSONValueTests.swift - working with a JSON value ------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct JSONValueTests {
    @Test(arguments: [
        #"{"z":1,"a":2,"m":{"y":1,"b":2}}"#, "[1.50,-0,1E5,1e+05,0.10,123456789012345678901234567890,1e999]", #"["\"\\\n\u0001 é/ "]"#,
        "{}", "[]", "null",
    ])
    func `order and digits survive reading and writing`(text: String) throws {
        #expect(try JSON(parsing: text).description == text)
    }

    @Test func `literals make values`() {
        let value: JSON = ["a": nil, "b": true, "c": 1, "d": 1.5, "e": "x", "f": [1, "y"], "g": [:]]
        #expect(value.description == #"{"a":null,"b":true,"c":1,"d":1.5,"e":"x","f":[1,"y"],"g":{}}"#)
    }

    @Test func `reading what is absent gives null`() {
        let value: JSON = ["a": [1, 2]]
        #expect(value["x"]["y"][3] == .null)
        #expect(value["a"][2] == .null)
        #expect(value["a"][-1] == .null)
        #expect(value["a"][1].int == 2)
        #expect(value["a"]["b"] == .null)
    }

    @Test func `writing makes the path it names, in place`() {
        var value: JSON = nil
        value["position"]["x"] = 3
        value["position"]["y"] = 4
        value["list"][0] = "a"
        value["list"][1]["deep"] = true
        value["list"].append(7)
        #expect(value.description == #"{"position":{"x":3,"y":4},"list":["a",{"deep":true},7]}"#)
        value["position"]["x"] = nil
        #expect(value["position"].removeMember("y") == 4)
        #expect(value["position"].description == #"{"x":null}"#)
        value["list"]["not a list any more"] = 1
        #expect(value["list"].description == #"{"not a list any more":1}"#)
    }

    @Test func `asking to remove what is not there changes nothing`() {
        var value: JSON = ["n": 5]
        value["n"]["x"].removeMember("y")
        value["absent"].removeMember("y")
        #expect(value.description == #"{"n":5}"#)
    }

    @Test func `a change to one copy leaves the other as it was`() {
        var first: JSON = ["a": ["b": [1]]]
        let second = first
        first["a"]["b"][0] = 2
        #expect(second["a"]["b"][0].int == 1)
        #expect(first["a"]["b"][0].int == 2)
    }

    @Test func `of members with the same name the last value wins, in the first one's place`() throws {
        let value = try JSON(parsing: #"{"a":1,"b":2,"\u0061":3}"#)
        #expect(value.description == #"{"a":3,"b":2}"#)
        let many = "{" + (0..<100).map { "\"k\($0 % 40)\":\($0)" }.joined(separator: ",") + "}"
        #expect(try JSON(parsing: many)["k5"].int == 85)
        #expect(try JSON(parsing: many).object?.count == 40)
    }

    @Test func `names that only look alike are different members`() throws {
        let value = try JSON(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value.object?.count == 2)
        #expect(value["\u{E9}"].int == 1)
        #expect(value["e\u{301}"].int == 2)
    }

    @Test func `objects are equal in any order, numbers by their text`() {
        let left: JSON = ["a": 1, "b": [1, 2]]
        let right: JSON = ["b": [1, 2], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1, "b": [2, 1]])
        #expect(JSON.number(JSONNumber(text: "1.0")!) != 1)
        #expect(Set([left, right]).count == 1)
    }

    @Test func `removing and adding keeps look-up right beyond the index threshold`() {
        var object = JSONObject()
        for index in 0..<40 { object["k\(index)"] = .some(JSON(index)) }
        for index in stride(from: 0, to: 40, by: 2) { object["k\(index)"] = nil }
        object["new"] = .some("x")
        #expect(object.count == 21)
        for index in 0..<40 { #expect(object["k\(index)"] == (index % 2 == 0 ? JSON?.none : .some(JSON(index)))) }
        #expect(object.keys.last == "new")
    }

    @Test(
        arguments: [
            ("0", 0, 0), ("-0", 0, 0), ("1.0", 1, 1), ("10e-1", 1, 1), ("1e2", 100, 100), ("1.5", nil, 1.5),
            ("9223372036854775807", Int64.max, 9.223372036854775807e18),
            ("-9223372036854775808", Int64.min, -9.223372036854775808e18), ("9223372036854775808", nil, 9.223372036854775808e18),
            ("-9223372036854775809", nil, -9.223372036854775808e18),
            ("1e999", nil, nil), ("-1e999", nil, nil), ("1e-999", nil, 0), ("0e999", 0, 0),
            ("123456789012345678901e-3", nil, 123456789012345678.901), ("0.1", nil, 0.1),
            ("1000000000000000000000e-21", 1, 1), ("5e-324", nil, .leastNonzeroMagnitude),
            ("1.7976931348623157e308", nil, .greatestFiniteMagnitude), ("9007199254740993", 9_007_199_254_740_993, 9007199254740992),
            ("0.00120e5", 120, 120), ("-12.50e1", -125, -125), ("0.0", 0, 0), ("100e-3", nil, 0.1),
            ("18446744073709551616", nil, 18446744073709551616),
        ] as [(String, Int64?, Double?)])
    func `a number is an integer exactly or not at all, and the nearest double`(text: String, integer: Int64?, double: Double?) throws {
        let number = try #require(JSONNumber(text: text))
        #expect(number.int64 == integer)
        #expect(number.double == double)
        let bytes = Array("[\(text)]".utf8)
        #expect(JSONNumeral.int64(bytes.span, 1..<bytes.count - 1) == integer)
        #expect(JSONNumeral.double(bytes.span, 1..<bytes.count - 1) == double)
    }

    @Test(arguments: ["", "+1", "01", ".5", "1.", "1 ", " 1", "0x1", "nan", "1e", "--1", "1,2"]) func `what is not a number makes none`(
        text: String
    ) {
        #expect(JSONNumber(text: text) == nil)
    }

    @Test func `doubles are written shortest and read back exactly`() throws {
        var random = SeededGenerator(seed: 3)
        for round in 0..<200_000 {
            let value: Double =
                switch round % 4 {
                case 0: Double(bitPattern: random.next())
                case 1: (Double.random(in: -1e6...1e6, using: &random) * 100).rounded() / 100
                case 2: Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 10_000
                default: Double.random(in: -1e12...1e12, using: &random)
                }
            guard value.isFinite else { continue }
            let text = try #require(JSONNumber(value)).text
            var expected = value.description
            if expected.hasSuffix(".0") { expected.removeLast(2) }
            guard text == expected, JSONNumeral.double(text) == value, Double(text)?.sign == value.sign else {
                Issue.record("\(value) written as \(text)")
                return
            }
        }
        #expect(JSONNumber(-0.0).text == "-0")
        #expect(JSONNumber(Double.nan as Double) == nil)
        #expect(JSONNumber(-Double.infinity as Double) == nil)
    }

    @Test func `integers are written digit for digit`() {
        for value in [0, 1, -1, 9, 10, 99, 100, 12_345_678, 123_456_789, Int64.max, .min, 1_234_567_890_123_456_789] as [Int64] {
            var output: [UInt8] = []
            JSONNumeral.append(value, to: &output)
            #expect(String(decoding: output, as: UTF8.self) == "\(value)")
        }
        var output: [UInt8] = []
        JSONNumeral.append(UInt64.max, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "18446744073709551615")
    }

    @Test func `a string is escaped as little as JSON allows`() {
        var output: [UInt8] = []
        JSONText.append("plain é/\u{2028}\u{7F}", to: &output)
        JSONText.append("\"\\\u{8}\u{C}\n\r\t\u{0}\u{1F}", to: &output)
        JSONText.append("exactly8" + "\"" + "exactly8", to: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == "\"plain é/\u{2028}\u{7F}\"" + #""\"\\\b\f\n\r\t\u0000\u001f""#
                + #""exactly8\"exactly8""#)
    }

    @Test func `Foundation's coders carry a JSON value too`() throws {
        let value: JSON = ["a": [1, 2.5, "x", nil, true], "b": ["c": -7]]
        #expect(try JSONDecoder().decode(JSON.self, from: Data(value.serialized())) == value)
        #expect(try JSONDecoder().decode(JSON.self, from: JSONEncoder().encode(value)) == value)
    }
}
