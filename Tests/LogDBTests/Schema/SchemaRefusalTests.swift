//===--- SchemaRefusalTests.swift - schemas that are no schemas ------------===//
//
// Whatever cannot be meant is an error that names its place.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat
import Testing

struct SchemaRefusalTests {
    static let refused: [(schema: String, message: String)] = [
        ("", "malformed JSON: unexpected end at byte 0"),
        (#"{"type":}"#, "malformed JSON: expected a value at byte 8"),
        ("[]", "a schema is an object, true or false"),
        (#"{"properties":{"x":{"foo":1}}}"#, "/properties/x/foo: the keyword is not supported"),
        (#"{"items":{"anyOf":[true,{"typ":"x"}]}}"#, "/items/anyOf/1/typ: the keyword is not supported"),
        (#"{"definitions":{}}"#, "/definitions: the keyword is not supported: draft 2020-12 calls it $defs"),
        (#"{"$defs":{"unused":{"nullable":true}}}"#, #"/$defs/unused/nullable: the keyword is not supported: write "type": ["…", "null"]"#),
        (#"{"then":{"unknown":1}}"#, "/then/unknown: the keyword is not supported"),
        (##"{"$dynamicRef":"#x"}"##, "/$dynamicRef: the keyword is not supported: what a schema means must not depend on who refers to it"),
        (
            #"{"$schema":"http://json-schema.org/draft-07/schema#"}"#,
            "/$schema: the schema is written for http://json-schema.org/draft-07/schema#: this is draft 2020-12, https://json-schema.org/draft/2020-12/schema"
        ),
        (#"{"type":"int"}"#, #"/type: there is no type "int": object, array, string, number, integer, boolean, null"#),
        (#"{"type":[]}"#, "/type: type names at least one type"),
        (#"{"type":["null","null"]}"#, "/type/1: the type is there twice"),
        (#"{"type":1}"#, "/type: it is a string here"),
        (#"{"minimum":"1"}"#, "/minimum: minimum is a number"),
        (#"{"multipleOf":0.0}"#, "/multipleOf: multipleOf is a number above 0"),
        (#"{"multipleOf":-1}"#, "/multipleOf: multipleOf is a number above 0"),
        (
            #"{"multipleOf":1.0000000000000000001}"#,
            "/multipleOf: multipleOf has more than 18 significant digits, or an exponent beyond 64 bits"
        ),
        (#"{"minLength":-1}"#, "/minLength: minLength is a whole number, 0 or more"),
        (#"{"maxItems":1.5}"#, "/maxItems: maxItems is a whole number, 0 or more"),
        (#"{"minContains":"x"}"#, "/minContains: minContains is a whole number, 0 or more"),
        (#"{"uniqueItems":1}"#, "/uniqueItems: it is true or false here"),
        (#"{"required":"a"}"#, "/required: it is an array here"),
        (#"{"required":[1]}"#, "/required/0: it is a name, a string, here"),
        (#"{"required":["a","\u0061"]}"#, "/required/1: the name is there twice"),
        (#"{"properties":[]}"#, "/properties: it is an object here"),
        (#"{"properties":{"a":1}}"#, "/properties/a: a schema is an object, true or false"),
        (#"{"properties":{"a":true,"a":true}}"#, "/properties/a: the name is there twice"),
        (#"{"type":"null","type":"null"}"#, "/type: the keyword is there twice"),
        (#"{"items":[{}]}"#, "/items: items is one schema: draft 2020-12 calls a list of them prefixItems"),
        (#"{"allOf":[]}"#, "/allOf: allOf lists at least one schema"),
        (#"{"prefixItems":[]}"#, "/prefixItems: prefixItems lists at least one schema"),
        (#"{"title":1}"#, "/title: it is a string here"),
        (#"{"deprecated":"yes"}"#, "/deprecated: it is true or false here"),
        (#"{"examples":{}}"#, "/examples: it is an array here"),
        (#"{"dependentRequired":{"a":"b"}}"#, "/dependentRequired/a: it is an array here"),
        (#"{"pattern":"(a"}"#, "/pattern: the pattern cannot be used: a group that is not closed, at character 1"),
        (
            #"{"patternProperties":{"a{2,1}":true}}"#,
            "/patternProperties/a{2,1}: the pattern cannot be used: a quantifier's numbers are out of order, at character 2"
        ),
        (
            #"{"pattern":"(?=a)"}"#,
            "/pattern: the pattern cannot be used: look-ahead is not supported: its cost has no bound, at character 1"
        ),
        (##"{"$ref":"#/$defs/nowhere"}"##, "/$ref: #/$defs/nowhere leads to no subschema"),
        (##"{"$ref":"#nowhere"}"##, "/$ref: #nowhere leads to no subschema"),
        (##"{"$ref":"#/const","const":{}}"##, "/$ref: #/const leads to no subschema"),
        (##"{"$ref":"#/properties","properties":{}}"##, "/$ref: #/properties leads to no subschema"),
        (##"{"$ref":"#/allOf/01","allOf":[true,true]}"##, "/$ref: #/allOf/01 leads to no subschema"),
        (##"{"$ref":"#/$defs/a~2","$defs":{"a~2":true}}"##, "/$ref: #/$defs/a~2 leads to no subschema"),
        (##"{"$ref":"#/%zz"}"##, "/$ref: #/%zz is not well formed"),
        (#"{"$ref":"https://example.org/other"}"#, "/$ref: https://example.org/other is no part of this schema, and nothing is fetched"),
        (#"{"$ref":1}"#, "/$ref: it is a string here"),
        (##"{"$ref":"#"}"##, "the schema leads back to itself without a step into the value, and would never end"),
        (
            ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}},"items":{"$ref":"#/$defs/a"}}"##,
            "/$defs/a: the schema leads back to itself without a step into the value, and would never end"
        ),
        (
            ##"{"if":true,"then":{"dependentSchemas":{"x":{"$ref":"#"}}}}"##,
            "the schema leads back to itself without a step into the value, and would never end"
        ),
        (##"{"$id":"https://example.org/a#b"}"##, "/$id: an identifier has no fragment: $anchor names a place"),
        (#"{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}"#, "/$defs/b/$id: another schema has this identifier"),
        (#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#, "/$defs/b/$anchor: another place has this anchor"),
        (#"{"$anchor":"1x"}"#, "/$anchor: an anchor begins with a letter or _, and goes on with letters, digits, - . and _"),
        (#"{"properties":{"a/b~c\n":{"minimum":null}}}"#, #"/properties/a~1b~0c\u000a/minimum: minimum is a number"#),
    ]

    @Test(arguments: refused) func `a schema that cannot be meant is refused at its place`(schema: String, message: String) throws {
        let error = #expect(throws: LogDBError.self) { try Schema(json: schema) }
        #expect(error?.code == .invalidSchema)
        #expect(error?.message == message)
    }

    @Test func `a format that cannot be asserted is refused where formats are asserted, and a remark otherwise`() throws {
        let text = #"{"properties":{"h":{"format":"idn-hostname"}}}"#
        try Schema(json: text).validate(#"{"h":"-"}"#)
        let error = #expect(throws: LogDBError.self) { try Schema(json: text, assertsFormats: true) }
        #expect(error?.message == #"/properties/h/format: the format "idn-hostname" cannot be asserted"#)
    }

    @Test func `a schema is bounded in length, in subschemas and in depth`() throws {
        let long = #"{"title":"\#(String(repeating: "x", count: 1 << 20))"}"#
        #expect(throws: LogDBError.self) { try Schema(json: long) }
        let many = #"{"anyOf":[\#(Array(repeating: "true", count: 40_000).joined(separator: ","))]}"#
        let error = #expect(throws: LogDBError.self) { try Schema(json: many) }
        #expect(error?.message.contains("more than 32768 subschemas") == true)
        let deep = String(repeating: #"{"not":"#, count: 999) + "{}" + String(repeating: "}", count: 999)
        try Schema(json: String(deep.dropFirst(7).dropLast())).validate("1")
        #expect(throws: LogDBError.self) { try Schema(json: #"{"not":\#(deep)}"#) }
    }
}
