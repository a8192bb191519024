//===--- SchemaMessageTests.swift - what a violation says ------------------===//

import LogDB
import LogDBFormat
import Testing

struct SchemaMessageTests {
    static let messages: [(schema: String, document: String, message: String)] = [
        (
            #"{"properties":{"position":{"properties":{"x":{"maximum":10}}}}}"#, #"{"position":{"x":12.5}}"#,
            "/position/x: 12.5 is above the maximum 10 (schema /properties/position/properties/x/maximum)"
        ),
        (#"{"type":"integer"}"#, "1.5", "(root): 1.5 is not an integer (schema /type)"),
        (#"{"type":["string","null","boolean"]}"#, "[1]", "(root): an array is not a string, true or false or null (schema /type)"),
        (#"{"items":{"type":"object"}}"#, #"[{},"x"]"#, #"/1: "x" is not an object (schema /items/type)"#),
        (#"{"const":{"a":1}}"#, "{}", "(root): an object is not the one that const allows (schema /const)"),
        (#"{"const":1}"#, "2", "(root): 2 is not 1 (schema /const)"),
        (#"{"enum":[1,2]}"#, #""x""#, #"(root): "x" is none of the values in enum (schema /enum)"#),
        (#"{"minimum":0}"#, "-1e3", "(root): -1e3 is below the minimum 0 (schema /minimum)"),
        (#"{"exclusiveMinimum":0}"#, "0", "(root): 0 is not above the exclusive minimum 0 (schema /exclusiveMinimum)"),
        (#"{"exclusiveMaximum":1.50}"#, "2", "(root): 2 is not below the exclusive maximum 1.50 (schema /exclusiveMaximum)"),
        (#"{"multipleOf":0.01}"#, "0.001", "(root): 0.001 is not a multiple of 0.01 (schema /multipleOf)"),
        (#"{"minLength":1}"#, #""""#, #"(root): "" is shorter than 1 character (schema /minLength)"#),
        (#"{"maxLength":2}"#, #""abc""#, #"(root): "abc" is longer than 2 characters (schema /maxLength)"#),
        (#"{"pattern":"^\\d"}"#, #""abc""#, #"(root): "abc" does not match the pattern "^\\d" (schema /pattern)"#),
        (#"{"required":["a","b c"]}"#, #"{"a":1}"#, #"(root): the member "b c" is missing (schema /required)"#),
        (
            #"{"dependentRequired":{"a":["b"]}}"#, #"{"a":1}"#,
            #"(root): the member "b" is missing, which "a" needs (schema /dependentRequired)"#
        ),
        (#"{"additionalProperties":false}"#, #"{"a/b":[1]}"#, "/a~1b: the member is not allowed (schema /additionalProperties)"),
        (#"{"unevaluatedProperties":false}"#, #"{"x":1}"#, "/x: the member is not allowed (schema /unevaluatedProperties)"),
        (#"{"properties":{"x":false}}"#, #"{"x":1}"#, "/x: nothing is allowed here (schema /properties/x)"),
        (#"{"items":false}"#, "[1]", "/0: the item is not allowed (schema /items)"),
        ("false", "1", "(root): nothing is allowed here (schema (root))"),
        (
            #"{"propertyNames":{"maxLength":1}}"#, #"{"ab":1}"#,
            #"/ab: the name "ab" is longer than 1 character (schema /propertyNames/maxLength)"#
        ),
        (#"{"minProperties":2}"#, #"{"a":1}"#, "(root): 1 member, fewer than 2 (schema /minProperties)"),
        (#"{"maxProperties":0}"#, #"{"a":1,"b":2}"#, "(root): 2 members, more than 0 (schema /maxProperties)"),
        (#"{"minItems":2}"#, "[1]", "(root): 1 item, fewer than 2 (schema /minItems)"),
        (#"{"maxItems":1}"#, "[1,2]", "(root): 2 items, more than 1 (schema /maxItems)"),
        (#"{"uniqueItems":true}"#, "[3,1,3.0]", "/2: 3.0 equals an item before it (schema /uniqueItems)"),
        (#"{"contains":{"type":"null"}}"#, "[1]", "(root): no item is as contains asks (schema /contains)"),
        (
            #"{"contains":{"type":"null"},"minContains":2}"#, "[null]",
            "(root): 1 item as contains asks, fewer than 2 (schema /minContains)"
        ),
        (
            #"{"contains":{"type":"null"},"maxContains":1}"#, "[null,null]",
            "(root): 2 items as contains asks, more than 1 (schema /maxContains)"
        ),
        (#"{"anyOf":[{"type":"null"},{"minimum":3}]}"#, "1", "(root): 1 matches none of the 2 schemas in anyOf (schema /anyOf)"),
        (#"{"oneOf":[{"minimum":1},{"minimum":0}]}"#, "1", "(root): 1 matches 2 of the schemas in oneOf, not exactly one (schema /oneOf)"),
        (
            #"{"oneOf":[{"minimum":3},{"minimum":2}]}"#, "1",
            "(root): 1 matches none of the schemas in oneOf, not exactly one (schema /oneOf)"
        ),
        (#"{"not":{"type":"number"}}"#, "1", "(root): 1 matches the schema in not (schema /not)"),
        (
            #"{"if":{"required":["a"]},"then":{"properties":{"b":{"type":"null"}}}}"#, #"{"a":1,"b":2}"#,
            "/b: 2 is not null (schema /then/properties/b/type)"
        ),
        (##"{"$defs":{"n":{"minimum":1}},"items":{"$ref":"#/$defs/n"}}"##, "[0]", "/0: 0 is below the minimum 1 (schema /$defs/n/minimum)"),
        (
            #"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, #"{"minLength":-1}"#,
            "/minLength: -1 is below the minimum 0 (schema https://json-schema.org/draft/2020-12/schema#/$defs/nonNegativeInteger/minimum)"
        ),
        (
            #"{"properties":{"a\nb\"":{"type":"null"}}}"#,
            #"{"a\nb\"":"0123456789012345678901234567890123456789é0123456789012345678901234567890"}"#,
            #"/a\u000ab": "012345678901234567890123456789012345678… is not null (schema /properties/a\u000ab"/type)"#
        ),
    ]

    @Test(arguments: messages) func `a violation names the value, what is wrong with it, and the rule`(
        schema: String, document: String, message: String
    ) throws {
        let error = #expect(throws: LogDBError.self) { try Schema(json: schema).validate(document) }
        #expect(error?.code == .schemaViolation)
        #expect(error?.message == message)
    }

    @Test(arguments: [("a", #"{"a":{"a":[0,{"b":1}]}}"#), ("b", #" { "x" : [ ] , "y" : { "z" : [ [ ] , { } ] } } "#)])
    func `every value of a document can be named`(name: String, document: String) throws {
        // A schema that refuses just the value that has been given a mark.
        let bytes = Array(document.utf8)
        for offset in bytes.indices where ![0x20, 0x7B, 0x7D, 0x5D, 0x2C, 0x3A].contains(bytes[offset]) {
            let pointer = JSONPointer.text(of: offset, in: bytes.span)
            #expect(pointer.isEmpty || pointer.hasPrefix("/"))
        }
        #expect(JSONPointer.text(of: 0, in: bytes.span) == "")
    }

    @Test func `text that is no JSON is said to be that, whatever rule it breaks before`() throws {
        let schema = try Schema(json: #"{"type":"object","additionalProperties":false}"#)
        let error = #expect(throws: LogDBError.self) { try schema.validate(#"{"a":[1,}"#) }
        #expect(error?.code == .invalidDocument)
        #expect(error?.offset == 8)
        for text in ["[1", "", "{\"a\":tru}", "nul", "[1] x"] {
            #expect(#expect(throws: LogDBError.self) { try schema.validate(text) }?.code == .invalidDocument)
        }
    }
}
