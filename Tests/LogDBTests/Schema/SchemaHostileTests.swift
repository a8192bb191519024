//===--- SchemaHostileTests.swift - schemas and documents made to hurt -----===//
//
// No times are asserted: what would not end in a lifetime, or not fit any memory, fails these tests by not coming back.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Synchronization
import Testing

struct SchemaHostileTests {
    private func nested(_ open: String, _ inside: String, _ close: String, _ depth: Int) -> String {
        String(repeating: open, count: depth) + inside + String(repeating: close, count: depth)
    }

    @Test func `references that double at every step cost one look each`() throws {
        var definitions = (0..<200).map { ##""d\##($0)":{"allOf":[{"$ref":"#/$defs/d\##($0 + 1)"},{"$ref":"#/$defs/d\##($0 + 1)"}]}"## }
        definitions.append(#""d200":{"type":"integer"}"#)
        let schema = try Schema(json: ##"{"$defs":{\##(definitions.joined(separator: ","))},"$ref":"#/$defs/d0"}"##)
        try schema.validate("1")
        #expect(throws: LogDBError.self) { try schema.validate("1.5") }
    }

    @Test func `recursion that doubles at every level of the document costs one look a level`() throws {
        let recursive =
            ##"{"properties":{"a":{"allOf":[{"$ref":"#"},{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}]}},"propertyNames":{"const":"a"}}"##
        let schema = try Schema(json: recursive)
        try schema.validate(nested(#"{"a":"#, "{}", "}", 990))
        #expect(throws: LogDBError.self) { try schema.validate(nested(#"{"a":"#, #"{"b":1}"#, "}", 990)) }
        let trees = try Schema(
            json: ##"{"oneOf":[{"type":"null"},{"type":"array","prefixItems":[{"$ref":"#"},{"$ref":"#"}],"items":false}]}"##)
        try trees.validate(nested("[null,", "null", "]", 990))
        #expect(throws: LogDBError.self) { try trees.validate(nested("[null,", "1", "]", 990)) }
    }

    @Test func `unevaluated at every level of a deep document is decided`() throws {
        let schema = try Schema(
            json:
                ##"{"anyOf":[{"properties":{"a":{"$ref":"#"}}},{"patternProperties":{"^b":{"$ref":"#"}}}],"unevaluatedProperties":false,"type":"object"}"##
        )
        try schema.validate(nested(#"{"a":{"b":"#, "{}", "}}", 490))
        #expect(throws: LogDBError.self) { try schema.validate(nested(#"{"a":{"b":"#, #"{"c":1}"#, "}}", 490)) }
    }

    @Test func `a document a thousand deep is validated on a stack of 512 KiB`() {
        let failures = Mutex<[String]>([])
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            for (schema, open, inside, close) in [
                (##"{"properties":{"a":{"$ref":"#"}}}"##, #"{"a":"#, "{}", "}"),
                (##"{"items":{"$ref":"#"},"uniqueItems":true}"##, "[", "1", "]"),
                (##"{"anyOf":[{"items":{"$ref":"#"}},{"type":"null"}]}"##, "[", "null", "]"),
                (#"{"const":\#(String(repeating: "[", count: 998) + String(repeating: "]", count: 998))}"#, "[", "", "]"),
            ] {
                do { try Schema(json: schema).validate(self.nested(open, inside, close, schema.hasPrefix(#"{"const"#) ? 998 : 999)) } catch
                {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            done.signal()
        }
        thread.stackSize = 512 << 10
        thread.start()
        done.wait()
        #expect(failures.withLock { $0 } == [])
    }

    @Test func `a hundred thousand items that must differ are compared by hash`() throws {
        let schema = try Schema(json: #"{"uniqueItems":true}"#)
        let items = (0..<100_000).map { #"{"id":\#($0),"name":["x",\#($0)]}"# }
        try schema.validate("[\(items.joined(separator: ","))]")
        let error = #expect(throws: LogDBError.self) { try schema.validate("[\(items.joined(separator: ",")),\(items[77_777])]") }
        #expect(error?.message.hasPrefix("/100000: ") == true)
        // Deep ones as well, each of them looked at once for all the arrays around it.
        try schema.validate(nested("[1,", "2", "]", 990))
        try Schema(json: ##"{"uniqueItems":true,"items":{"$ref":"#"}}"##).validate(nested("[1,", "[2]", "]", 990))
    }

    @Test func `numbers of any size are compared in the time it takes to read them`() throws {
        let schema = try Schema(json: #"{"items":{"minimum":-1e400,"maximum":1e400,"multipleOf":0.5,"enum":[1,2,3]},"uniqueItems":true}"#)
        let digits = String(repeating: "7", count: 1_000_000)
        for number in [
            "1e1000000000", "-1e-1000000000", digits, "0.\(digits)", "1e\(digits)", "1e-\(digits)", "0e\(digits)", "1e400\(digits)",
        ] {
            #expect(throws: LogDBError.self) { try schema.validate("[\(number)]") }
        }
        let zeros = String(repeating: "0", count: 1_000_000)
        try schema.validate("[1.\(zeros),0.\(zeros)2e1000001,3\(zeros)e-1000000]")
        #expect(throws: LogDBError.self) { try schema.validate("[1.\(zeros),0.\(zeros)2e1000001,2]") }
    }

    @Test func `an enumeration of a hundred thousand values is looked up`() throws {
        let values = (0..<60_000).map { "\"value-\($0)\"" }
        let schema = try Schema(json: #"{"items":{"enum":[\#(values.joined(separator: ","))]}}"#)
        try schema.validate("[\(values.joined(separator: ","))]")
        #expect(throws: LogDBError.self) { try schema.validate(#"["value-60000"]"#) }
    }

    @Test func `an object of a hundred thousand members is one look a member`() throws {
        let names = (0..<20_000).map { "\"member-\($0)\"" }
        let schema = try Schema(
            json:
                #"{"properties":{\#(names.map { "\($0):{\"type\":\"integer\"}" }.joined(separator: ","))},"additionalProperties":false,"minProperties":20000}"#
        )
        try schema.validate("{\(names.reversed().map { "\($0):1" }.joined(separator: ","))}")
        #expect(throws: LogDBError.self) { try schema.validate("{\(names.reversed().map { "\($0):1" }.joined(separator: ",")),\"x\":1}") }
        let repeated = try Schema(json: #"{"maxProperties":1}"#)
        try repeated.validate("{\(Array(repeating: "\"a\":1", count: 100_000).joined(separator: ","))}")
    }

    @Test func `a schema that asks for too much at once ends the document, and not the memory`() throws {
        let branches = (0..<10_000).map { ##"{"properties":{"a":{"$ref":"#"}},"minProperties":\##($0)}"## }
        let schema = try Schema(json: #"{"anyOf":[\#(branches.joined(separator: ","))]}"#)
        try schema.validate(nested(#"{"a":"#, "1", "}", 10))
        let error = #expect(throws: LogDBError.self) { try schema.validate(nested(#"{"a":"#, "1", "}", 900)) }
        #expect(error?.message.contains("the schema asks for too much at once for this document") == true)
    }

    @Test func `documents of random bytes, and valid ones with a byte changed, never trap`() throws {
        var random = SeededGenerator(seed: 99)
        let schemas = try SchemaKeywordTests.all.map { try Schema(json: $0.schema) }
        for row in SchemaKeywordTests.all {
            for document in row.valid + row.invalid where document.utf8.count < 500 {
                for _ in 0..<3 {
                    var bytes = Array(document.utf8)
                    if bytes.isEmpty { continue }
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0 ... .max, using: &random)
                    let schema = schemas[Int.random(in: schemas.indices, using: &random)]
                    _ = try? schema.validate(bytes.span)
                    _ = try? Schema(json: bytes)
                }
            }
        }
        for row in SchemaKeywordTests.all {
            var bytes = Array(row.schema.utf8)
            for _ in 0..<20 {
                bytes[Int.random(in: bytes.indices, using: &random)] =
                    [0x22, 0x7B, 0x5B, 0x30, 0x2C, 0x23, 0x2F].randomElement(using: &random) ?? 0
                guard let schema = try? Schema(json: bytes) else { continue }
                for document in row.valid where document.utf8.count < 500 { _ = try? schema.validate(document) }
            }
        }
    }

    @Test func `threads share one compiled schema`() async throws {
        let schema = try Schema(json: SchemaMeasurement.actorSchema)
        let documents = SchemaMeasurement.actors(50)
        let wrong = Array(#"{"name":"","level":0}"#.utf8)
        let failures = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var failures = 0
                    for round in 0..<100 {
                        if !isValid(documents[round % documents.count], schema) { failures += 1 }
                        if isValid(wrong, schema) { failures += 1 }
                    }
                    return failures
                }
            }
            return await group.reduce(0, +)
        }
        #expect(failures == 0)
    }
}

private func isValid(_ document: [UInt8], _ schema: Schema) -> Bool { (try? schema.violation(in: document.span)) == .some(nil) }
