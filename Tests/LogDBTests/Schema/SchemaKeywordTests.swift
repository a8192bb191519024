//===--- SchemaKeywordTests.swift - each keyword, both ways ----------------===//
//
// A row: a schema, documents that it admits, documents that it does not. Beside the published suite: what is particular here, and the
// corners where implementations differ.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat
import Testing

struct SchemaCase: Sendable, CustomTestStringConvertible {
    var schema: String
    var valid: [String]
    var invalid: [String]
    var testDescription: String { String(schema.prefix(100)) }

    init(_ schema: String, _ valid: [String], _ invalid: [String]) {
        self.schema = schema
        self.valid = valid
        self.invalid = invalid
    }

    func check(assertsFormats: Bool = false, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let schema = try Schema(json: schema, assertsFormats: assertsFormats)
        for text in valid {
            let violation = try schema.violation(in: Array(text.utf8).span)
            #expect(violation == nil, "\(text.prefix(200))", sourceLocation: sourceLocation)
        }
        for text in invalid {
            let violation = try schema.violation(in: Array(text.utf8).span)
            #expect(violation != nil, "\(text.prefix(200))", sourceLocation: sourceLocation)
        }
    }
}

struct SchemaKeywordTests {
    static let values = ["null", "true", "false", "0", "1.5", #""""#, "{}", "[]"]

    static let general: [SchemaCase] = [
        SchemaCase("true", values, []),
        SchemaCase("false", [], values),
        SchemaCase("{}", values, []),
        SchemaCase(#"{"type":"object"}"#, ["{}"], values.filter { $0 != "{}" }),
        SchemaCase(#"{"type":"array"}"#, ["[]"], values.filter { $0 != "[]" }),
        SchemaCase(#"{"type":"string"}"#, [#""""#], values.filter { $0 != #""""# }),
        SchemaCase(#"{"type":"null"}"#, ["null"], values.filter { $0 != "null" }),
        SchemaCase(#"{"type":"boolean"}"#, ["true", "false"], ["null", "0", "1", #""true""#, "[]", "{}"]),
        SchemaCase(#"{"type":"number"}"#, ["0", "1.5", "-1e400"], ["null", "true", #""1""#, "[1]", "{}"]),
        SchemaCase(
            #"{"type":"integer"}"#, ["0", "-0", "1.0", "1e3", "-12.50e1", "0.0e-5", "123456789012345678901234567890", "1e1000000000"],
            ["1.5", "1e-1", "-0.1", "12.50e0", "1e-1000000000", "null", #""1""#]),
        SchemaCase(#"{"type":["integer","number"]}"#, ["1", "1.5"], ["null"]),
        SchemaCase(#"{"type":["integer","null"]}"#, ["1", "null", "1.0"], ["1.5", "true"]),
        SchemaCase(
            #"{"enum":["red",1,null,true,[1,{"a":2}],{"a":[1],"b":2}]}"#,
            [#""red""#, #""r\u0065d""#, "1", "1.0", "10e-1", "null", "true", #"[1.0,{"a":2}]"#, #"{"b":2.0,"a":[1]}"#],
            [#""Red""#, "2", "false", "[1]", #"[{"a":2},1]"#, #"{"a":[1]}"#, #"{"a":[1],"b":2,"c":3}"#, #""1""#]),
        SchemaCase(#"{"enum":[]}"#, [], values),
        SchemaCase(#"{"const":{"é":[0.10,"x\/y"]}}"#, [#"{"\u00e9":[1e-1,"x/y"]}"#], [#"{"e\u0301":[0.1,"x/y"]}"#, "{}", "null"]),
        SchemaCase(#"{"const":0}"#, ["0", "-0", "0.0", "0e7", "-0.0e-99999999999999999999"], ["false", "null", #""""#, "[]", "1e-400"]),
        SchemaCase(#"{"const":false}"#, ["false"], ["0", "null", "true", "[false]"]),
        SchemaCase(#"{"const":[]}"#, ["[]", " [ ] "], ["{}", "[[]]", "null"]),
        SchemaCase(#"{"const":1e1000000000}"#, ["1e1000000000", "10e999999999", "0.1e1000000001"], ["1e1000000001", "1", "1e999999999"]),
        SchemaCase(
            #"{"const":1e100000000000000000000}"#,
            ["1e100000000000000000000", "10e99999999999999999999", "0.01E+000100000000000000000002"],
            ["1e100000000000000000001", "1e99999999999999999999", "-1e100000000000000000000", "1e-100000000000000000000"]),
        SchemaCase(#"{"const":10e9223372036854775806}"#, ["1e9223372036854775807", "0.1e9223372036854775808"], ["1e9223372036854775806"]),
        SchemaCase(#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, ["1", "3", #""x""#], ["0", "4"]),
        SchemaCase(#"{"anyOf":[{"type":"string"},{"minimum":3}]}"#, [#""x""#, "3", "null"], ["2"]),
        SchemaCase(#"{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#, ["2", "3", "4", "9"], ["1", "5", "6", #""x""#]),
        SchemaCase(#"{"not":{"type":["object","array"]}}"#, ["1", "null"], ["{}", "[]"]),
        SchemaCase(#"{"not":{"not":{"type":"null"}}}"#, ["null"], ["0"]),
        SchemaCase(
            #"{"if":{"properties":{"kind":{"const":"door"}},"required":["kind"]},"then":{"required":["key"]},"else":{"required":["name"]}}"#,
            [#"{"kind":"door","key":1}"#, #"{"name":2}"#, #"{"kind":"wall","name":1}"#],
            [#"{"kind":"door"}"#, #"{"kind":"door","name":1}"#, "{}", #"{"kind":"wall"}"#]),
        SchemaCase(#"{"then":false,"else":false}"#, values, []),
        SchemaCase(#"{"if":{"type":"string"},"then":{"minLength":1}}"#, [#""x""#, "1", "{}"], [#""""#]),
        SchemaCase(#"{"if":{"type":"string"},"else":{"type":"null"}}"#, [#""""#, "null"], ["1", "{}"]),
    ]

    static let numbers: [SchemaCase] = [
        SchemaCase(#"{"minimum":0}"#, ["0", "-0", "-0.0", "0.1", "1e-400", #""x""#], ["-0.1", "-1e-1000000000", "-1"]),
        SchemaCase(#"{"exclusiveMinimum":0}"#, ["1e-1000000000", "1"], ["0", "-0.0", "-1"]),
        SchemaCase(
            #"{"maximum":9007199254740993}"#, ["9007199254740993", "9007199254740992.9"], ["9007199254740994", "9007199254740993.1"]),
        SchemaCase(
            #"{"exclusiveMaximum":0.30000000000000000001}"#, ["0.3", "0.30000000000000000000999"],
            ["0.30000000000000000001", "0.300000000000000000010", "0.31"]),
        SchemaCase(#"{"minimum":-1.5,"maximum":1.5}"#, ["-1.5", "1.50", "15e-1", "0"], ["-1.6", "1.51", "1.5000000000000000000000001"]),
        SchemaCase(
            #"{"minimum":1e1000000000}"#, ["1e1000000000", "1e1000000001", "1e99999999999999999999"], ["1e999999999", "0", "-1e2000000000"]),
        SchemaCase(
            #"{"maximum":-1e99999999999999999999}"#, ["-1e99999999999999999999", "-1e100000000000000000000"],
            ["-1e99999999999999999998", "0", "1"]),
        SchemaCase(
            #"{"maximum":123456789012345678901234567890}"#, ["123456789012345678901234567890", "1e29"],
            ["123456789012345678901234567891", "1e30"]),
        SchemaCase(
            #"{"multipleOf":0.01}"#, ["0.1", "0.07", "19.99", "4.35", "0", "-2.5", "1e300", "1e1000000000", "1e99999999999999999999"],
            ["0.001", "0.015", "1e-3", "1e-1000000000", "1e-99999999999999999999"]),
        SchemaCase(
            #"{"multipleOf":3}"#, ["3", "9e0", "0", "3e1000000000", "-6", "111111111111111111111111111111"],
            ["1", "1e1000000000", "1.5", "111111111111111111111111111112"]),
        SchemaCase(#"{"multipleOf":1e308}"#, ["1e308", "3e308", "1e309", "0"], ["1e307", "1.5e308", "1"]),
        SchemaCase(
            #"{"multipleOf":123456789012345678}"#, ["123456789012345678", "370370367037037034e0", "123456789012345678000"],
            ["123456789012345679", "1"]),
        SchemaCase(#"{"multipleOf":1e-1000000000}"#, ["1", "1e-1000000000", "3e-1000000000"], ["1e-1000000001"]),
        SchemaCase(#"{"multipleOf":0.75}"#, ["1.5", "0.75", "3e5"], ["0.5", "1", "1e400"]),
    ]

    static let strings: [SchemaCase] = [
        SchemaCase(
            #"{"minLength":2}"#, [#""ab""#, #""éé""#, #""\ud83d\ude00x""#, "1"], [#""a""#, #""é""#, #""𝄞""#, #""\ud83d\ude00""#, #""""#]),
        SchemaCase(
            #"{"maxLength":2}"#, [#""ab""#, #""𝄞𝄞""#, #""\ud83d\ude00\ud83d\ude00""#, #""\n\n""#, #""\u0041\u0042""#],
            [#""abc""#, #""𝄞𝄞𝄞""#, #""\u0041\u0042\u0043""#]),
        SchemaCase(
            #"{"maxLength":10,"minLength":10}"#, [#""0123456789""#, #""éàüöäßñçøå""#, #""𝄞123456789""#],
            [#""012345678""#, #""01234567890""#, #""éàüöäßñçø""#]),
        SchemaCase(#"{"minLength":2.0,"maxLength":1e20}"#, [#""ab""#], [#""a""#]),
        SchemaCase(#"{"pattern":"b+"}"#, [#""abc""#, #""b""#, "1"], [#""ac""#, #""""#, #""B""#]),
        SchemaCase(
            #"{"pattern":"^\\d{3}-[a-f]$"}"#, [#""123-a""#, #""\u0031\u0032\u0033-f""#],
            [#""1234-a""#, #""123-g""#, #""123-a\n""#, #""x123-a""#]),
    ]

    static let objects: [SchemaCase] = [
        SchemaCase(
            #"{"properties":{"a":{"type":"integer"},"b":false,"c":true}}"#, ["{}", #"{"a":1,"c":[]}"#, #"{"d":1}"#, "[]"],
            [#"{"a":"x"}"#, #"{"b":1}"#, #"{"\u0061":"x"}"#]),
        SchemaCase(
            #"{"properties":{"a":{"type":"integer"}},"additionalProperties":false}"#, ["{}", #"{"a":1}"#, #"{"\u0061":1}"#],
            [#"{"b":1}"#, #"{"a":1,"b":2}"#, #"{"A":1}"#, #"{"":1}"#]),
        SchemaCase(#"{"additionalProperties":{"type":"integer"},"patternProperties":{"^x":{}}}"#, [#"{"a":1,"xa":"s"}"#], [#"{"a":"s"}"#]),
        SchemaCase(
            #"{"patternProperties":{"^a":{"type":"integer"},"b$":{"minimum":3}}}"#,
            [#"{"a":1}"#, #"{"xb":3}"#, #"{"ab":3}"#, #"{"c":null}"#],
            [#"{"a":1.5}"#, #"{"ab":2}"#, #"{"ab":"x"}"#, #"{"xb":2}"#]),
        SchemaCase(
            #"{"propertyNames":{"pattern":"^[a-z]+$","maxLength":3}}"#, ["{}", #"{"abc":1}"#, "1"],
            [#"{"abcd":1}"#, #"{"A":1}"#, #"{"":1}"#, #"{"a\n":1}"#]),
        SchemaCase(#"{"propertyNames":{"enum":["a","b"]}}"#, [#"{"a":1,"b":2}"#, #"{"\u0061":1}"#], [#"{"c":1}"#]),
        SchemaCase(#"{"propertyNames":{"anyOf":[{"const":"a"},{"pattern":"^x"}]}}"#, [#"{"a":1,"xy":2}"#], [#"{"b":1}"#]),
        SchemaCase(#"{"propertyNames":false}"#, ["{}"], [#"{"a":1}"#]),
        SchemaCase(
            #"{"required":["a","long-name-of-a-member","é"]}"#, [#"{"é":1,"long-name-of-a-member":2,"a":null}"#, "[]"],
            [#"{"a":1}"#, "{}", #"{"a":1,"é":2,"long-name-of-a-membeR":3}"#]),
        SchemaCase(#"{"minProperties":1}"#, [#"{"a":1}"#, #"{"a":1,"a":2}"#], ["{}"]),
        SchemaCase(#"{"minProperties":2}"#, [#"{"a":1,"b":1}"#], [#"{"a":1}"#, #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#]),
        SchemaCase(#"{"maxProperties":1}"#, [#"{"a":1}"#, #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#], [#"{"a":1,"b":2}"#]),
        SchemaCase(
            #"{"dependentRequired":{"a":["b","c"]}}"#, ["{}", #"{"b":1}"#, #"{"c":1,"a":1,"b":1}"#], [#"{"a":1}"#, #"{"a":1,"b":1}"#]),
        SchemaCase(
            #"{"dependentSchemas":{"a":{"required":["b"]},"c":false}}"#, ["{}", #"{"b":1}"#, #"{"a":1,"b":1}"#], [#"{"a":1}"#, #"{"c":1}"#]),
    ]

    static let arrays: [SchemaCase] = [
        SchemaCase(#"{"items":{"type":"integer"}}"#, ["[]", "[1,2]", "{}"], ["[1,null]", "[[1]]"]),
        SchemaCase(
            #"{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}"#, ["[]", "[1]", #"[1,"x"]"#],
            [#"["x"]"#, #"[1,"x",2]"#]),
        SchemaCase(#"{"prefixItems":[true,{"type":"string"}]}"#, ["[1]", #"[1,"x",2]"#], ["[1,2]"]),
        SchemaCase(#"{"contains":{"type":"integer"}}"#, [#"["x",1]"#, "{}"], ["[]", #"["x"]"#]),
        SchemaCase(
            #"{"contains":{"type":"integer"},"minContains":2,"maxContains":3}"#, ["[1,2]", #"[1,"x",2,3]"#], ["[1]", "[1,2,3,4]", "[]"]),
        SchemaCase(#"{"contains":true,"minContains":0,"maxContains":1}"#, ["[]", "[1]"], ["[1,2]"]),
        SchemaCase(#"{"minContains":2}"#, ["[]"], []),
        SchemaCase(#"{"minItems":1,"maxItems":2}"#, ["[1]", "[[],[]]"], ["[]", "[1,2,3]"]),
        SchemaCase(
            #"{"uniqueItems":true}"#,
            ["[]", "[1,2]", #"[1,"1",true,[1],{"a":1}]"#, "[0,false,null]", "[[1,2],[2,1]]", #"[{"a":1},{"a":2}]"#],
            [
                "[1,1]", "[1,1.0]", "[1,10e-1]", "[0,-0]", #"["a","\u0061"]"#, "[[1],[1.0]]", #"[{"a":1,"b":[2]},3,{"b":[2.0],"a":1}]"#,
                "[null,null]", "[[],[]]", "[{},{}]", #"[{"a":{"b":{}}},{"a":{"b":{}}}]"#,
            ]),
        SchemaCase(#"{"uniqueItems":false}"#, ["[1,1]"], []),
        SchemaCase(
            #"{"uniqueItems":true}"#, ["[\((0..<1000).map(String.init).joined(separator: ","))]"],
            ["[\((0..<1000).map(String.init).joined(separator: ",")),500.0]", "[\((0..<17).map(String.init).joined(separator: ",")),16]"]),
        SchemaCase(#"{"items":{"uniqueItems":true,"items":{"const":[1]}}}"#, ["[[[1]]]", "[[],[[1]]]"], ["[[[1],[1]]]", "[[[2]]]"]),
    ]

    static let references: [SchemaCase] = [
        SchemaCase(##"{"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"}}}"##, [#"{"a":1}"#], [#"{"a":"x"}"#]),
        SchemaCase(
            ##"{"properties":{"child":{"$ref":"#"}},"additionalProperties":false}"##, [#"{"child":{"child":{}}}"#],
            [#"{"child":{"chil":{}}}"#]),
        SchemaCase(##"{"$defs":{"a/b~c %":{"type":"null"}},"items":{"$ref":"#/$defs/a~1b~0c%20%25"}}"##, ["[null]"], ["[1]"]),
        SchemaCase(##"{"$defs":{"x":{"$anchor":"here","minimum":1}},"$ref":"#here","maximum":2}"##, ["1", "2"], ["0", "3"]),
        SchemaCase(
            ##"{"$id":"https://example.org/root.json","$defs":{"p":{"$id":"part.json","$defs":{"q":{"minimum":5}},"items":{"$ref":"#/$defs/q"}}},"$ref":"part.json"}"##,
            ["[5]"], ["[4]"]),
        SchemaCase(##"{"prefixItems":[{"minimum":1},{"$ref":"#/prefixItems/0"}]}"##, ["[1,1]"], ["[1,0]"]),
        SchemaCase(
            ##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{"type":"string"}},"$ref":"#/$defs/a"}"##, [#""x""#], ["1"]),
        SchemaCase(
            ##"{"$defs":{"b":true,"f":false},"properties":{"a":{"$ref":"#/$defs/b"},"c":{"$ref":"#/$defs/f"}}}"##, [#"{"a":1}"#],
            [#"{"c":1}"#]),
        SchemaCase(
            #"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#,
            [#"{"type":"object"}"#, "true", #"{"properties":{"a":{"minLength":1}}}"#],
            [#"{"type":"thing"}"#, "1", #"{"properties":{"a":{"minLength":-1}}}"#, #"{"$id":"x#y"}"#]),
    ]

    static let unevaluated: [SchemaCase] = [
        SchemaCase(
            #"{"allOf":[{"properties":{"a":true}}],"properties":{"b":true},"unevaluatedProperties":false}"#, [#"{"a":1,"b":2}"#, "{}"],
            [#"{"c":1}"#, #"{"a":1,"c":1}"#]),
        SchemaCase(
            #"{"anyOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":true},"required":["b"]}],"unevaluatedProperties":false}"#,
            [#"{"a":1}"#, #"{"b":1}"#, #"{"a":1,"b":1}"#], [#"{"a":"x","b":1}"#, #"{"a":1,"c":1}"#]),
        SchemaCase(
            #"{"if":{"properties":{"k":{"const":1}},"required":["k"]},"then":{"properties":{"t":true}},"else":{"properties":{"e":true,"k":true}},"unevaluatedProperties":false}"#,
            [#"{"k":1,"t":1}"#, #"{"k":2,"e":1}"#, #"{"e":1}"#], [#"{"k":1,"e":1}"#, #"{"k":2,"t":1}"#, #"{"t":1}"#]),
        SchemaCase(#"{"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false}"#, ["{}"], [#"{"a":1}"#]),
        SchemaCase(
            #"{"dependentSchemas":{"a":{"properties":{"b":true}}},"properties":{"a":true},"unevaluatedProperties":{"type":"null"}}"#,
            [#"{"a":1,"b":1,"c":null}"#, #"{"b":null}"#], [#"{"b":1}"#, #"{"a":1,"c":1}"#]),
        SchemaCase(#"{"allOf":[{"unevaluatedProperties":true}],"unevaluatedProperties":false}"#, [#"{"a":1}"#], []),
        SchemaCase(#"{"allOf":[{"unevaluatedProperties":false},{"properties":{"a":true}}]}"#, ["{}"], [#"{"a":1}"#]),
        SchemaCase(
            ##"{"$ref":"#/$defs/x","$defs":{"x":{"additionalProperties":{"type":"integer"}}},"unevaluatedProperties":false}"##,
            [#"{"a":1}"#], [#"{"a":"x"}"#]),
        SchemaCase(
            #"{"allOf":[{"prefixItems":[true]}],"contains":{"const":7},"unevaluatedItems":false}"#, ["[1,7,7]", "[7]"], ["[1,7,8]", "[1]"]),
        SchemaCase(
            #"{"anyOf":[{"contains":{"const":1}},{"prefixItems":[true,{"const":2}]}],"unevaluatedItems":{"type":"string"}}"#,
            [#"[1,"x"]"#, "[9,2]", "[1,2]", "[1,1,1]"], ["[1,3]", "[9,2,3]", #"["x",3,"y"]"#]),
    ]

    static let annotations: [SchemaCase] = [
        SchemaCase(
            #"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.org/a","$comment":"c","title":"t","description":"d","default":{"anything":[]},"examples":[1],"deprecated":true,"readOnly":true,"writeOnly":false,"format":"date-time","contentEncoding":"base64","contentMediaType":"text/plain","contentSchema":{"type":"string"},"type":"string"}"#,
            [#""no date""#], ["1"])
    ]

    static let all = general + numbers + strings + objects + arrays + references + unevaluated + annotations

    @Test(arguments: all) func `a schema admits what it should, and nothing else`(row: SchemaCase) throws { try row.check() }

    @Test(arguments: all) func `inside anything that looks at it, a schema admits the same`(row: SchemaCase) throws {
        // Identifiers and pointers say where a schema stands: those schemas cannot be moved.
        guard !row.schema.contains("$") else { return }
        let arounds = [
            (#"{"properties":{"v":SCHEMA}}"#, #"{"u":0,"v":VALUE}"#), (#"{"items":SCHEMA}"#, "[VALUE]"),
            (#"{"allOf":[{},SCHEMA]}"#, "VALUE"), (#"{"anyOf":[false,SCHEMA]}"#, "VALUE"), (#"{"oneOf":[SCHEMA,false]}"#, "VALUE"),
            (#"{"not":{"not":SCHEMA}}"#, "VALUE"), (#"{"if":SCHEMA,"else":false}"#, "VALUE"), (#"{"if":true,"then":SCHEMA}"#, "VALUE"),
            (#"{"contains":SCHEMA}"#, "[VALUE]"), (#"{"additionalProperties":SCHEMA}"#, #"{"some name":VALUE}"#),
            (#"{"patternProperties":{"^v":SCHEMA}}"#, #"{"v":VALUE}"#), (#"{"prefixItems":[true,SCHEMA]}"#, "[null,VALUE]"),
            (#"{"unevaluatedItems":SCHEMA}"#, "[VALUE]"), (#"{"unevaluatedProperties":SCHEMA}"#, #"{"v":VALUE}"#),
            (##"{"$defs":{"s":SCHEMA},"items":{"$ref":"#/$defs/s"}}"##, "[VALUE]"),
            (#"{"dependentSchemas":{"v":{"properties":{"v":SCHEMA}}}}"#, #"{"v":VALUE}"#),
            (#"{"anyOf":[{"properties":{"v":SCHEMA}},false],"uniqueItems":true,"maxProperties":1}"#, #"{"v":VALUE}"#),
        ]
        for (schema, value) in arounds {
            func put(_ text: String) -> String { value.replacing("VALUE", with: text) }
            try SchemaCase(schema.replacing("SCHEMA", with: row.schema), row.valid.map(put), row.invalid.map(put)).check()
        }
    }

    @Test func `many members, with more names that matter than a word has bits`() throws {
        let names = (0..<200).map { "member-\($0)" }
        let required = names.map { "\"\($0)\"" }.joined(separator: ",")
        let properties = names.map { "\"\($0)\":{\"type\":\"integer\"}" }.joined(separator: ",")
        let schema = try Schema(
            json:
                #"{"properties":{\#(properties)},"required":[\#(required)],"dependentRequired":{"x":["y"]},"additionalProperties":{"type":"null"}}"#
        )
        func document(_ names: [String], _ more: String = "") -> String {
            "{\(names.map { "\"\($0)\":1" }.joined(separator: ","))\(more)}"
        }
        try schema.validate(document(names))
        try schema.validate(document(names.reversed()))
        try schema.validate(document(names.shuffled(), #","x":null,"y":null"#))
        for missing in [0, 63, 64, 65, 127, 128, 199] {
            let some = names.filter { $0 != names[missing] }
            let error = #expect(throws: LogDBError.self) { try schema.validate(document(some)) }
            #expect(error?.message == "(root): the member \"member-\(missing)\" is missing (schema /required)")
        }
        #expect(throws: LogDBError.self) { try schema.validate(document(names, #","x":null"#)) }
        #expect(throws: LogDBError.self) { try schema.validate(document(names, #","z":1"#)) }
    }
}
