//===--- JSONCursorTests.swift - stepping through a line -------------------===//

import LogDB
import LogDBFormat
import Testing

struct JSONCursorTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `a load line is read in any order, with the value's exact bytes`() throws {
        let text = bytes(#" { "value" : {"hp": [1, 2]} , "ke\u0079":7 ,"table":"t\n", "x":null}"#)
        var cursor = try JSONCursor(object: text.span)
        var seen: [String] = []
        while let member = try cursor.nextMember() {
            seen.append("\(cursor.string(member.name)) \(member.value.kind) \(String(decoding: text[member.value.range], as: UTF8.self))")
            if cursor.matches(member.name, "key") { #expect(cursor.int64(member.value) == 7) }
            if cursor.matches(member.name, "table") { #expect(cursor.string(member.value) == "t\n") }
        }
        #expect(seen == ["value object {\"hp\": [1, 2]}", "key number 7", "table string \"t\\n\"", "x null null"])
        #expect(try cursor.nextMember() == nil)
    }

    @Test func `elements are stepped through, nested ones on demand`() throws {
        let text = bytes("[1,[2,3],{\"a\":[]},\"s\",false]")
        var cursor = try JSONCursor(array: text.span)
        var kinds: [JSONKind] = []
        while let element = try cursor.nextElement() {
            kinds.append(element.kind)
            if element.kind == .array {
                var inner = JSONCursor(text.span, inside: element)
                var numbers: [Int64?] = []
                while let number = try inner.nextElement() { numbers.append(inner.int64(number)) }
                #expect(numbers == [2, 3])
            }
        }
        #expect(kinds == [.number, .array, .object, .string, .false])
    }

    @Test(
        arguments: [
            ("position.x", "-8.13"), ("position", #"{"x":-8.13,"y":{"z":[1]}}"#), ("position.y.z", "[1]"), ("name", #""Ice""#),
            ("dup", "2"), ("esc", "5"),
            ("position.q", nil), ("name.x", nil), ("", nil), ("position.y.z.0", nil), ("position.", nil),
        ] as [(String, String?)])
    func `a field is found by its path`(path: String, expected: String?) throws {
        let text = bytes(#"{"dup":1,"name":"Ice","position":{"x":-8.13,"y":{"z":[1]}},"dup":2,"\u0065sc":5}"#)
        let slice = try JSONCursor.find(path, in: text.span)
        #expect(slice.map { String(decoding: text[$0.range], as: UTF8.self) } == expected)
    }

    @Test func `a path into a malformed document is an error, even behind the field`() {
        #expect(throws: JSONError(offset: 7, reason: .expectedMemberName)) { _ = try JSONCursor.find("a", in: bytes("{\"a\":1,x}").span) }
    }

    @Test func `a name that holds a dot is found by its parts`() throws {
        let text = bytes(#"{"a.b":{"c":1}}"#)
        #expect(try JSONCursor.find(["a.b", "c"], in: text.span)?.kind == .number)
    }
}
