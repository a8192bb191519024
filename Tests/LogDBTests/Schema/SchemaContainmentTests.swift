//===--- SchemaContainmentTests.swift - which changes are certain to break nothing ---===//

import LogDB
import LogDBFormat
import LogDBSimulation
import Testing

@Suite struct SchemaContainmentTests {
    private func proves(_ old: String, _ new: String) throws -> Bool {
        let (old, new) = (try SchemaCompiler.compile(Array(old.utf8)), try SchemaCompiler.compile(Array(new.utf8)))
        return SchemaContainment.proves(that: new, assertingFormats: false, admitsAllOf: old, assertingFormats: false)
    }

    /// Pairs of schemas, the old one and the new one.
    private static func pairs(_ text: String) -> [(String, String)] {
        text.split(separator: "\n").filter { !$0.hasPrefix("//") }.map { line in
            let sides = line.split(separator: "   ⇒   ")
            return (String(sides[0]), String(sides[1]))
        }
    }

    private static let wider = pairs(
        #"""
        // Rules removed, or made wider.
        {"type":"object"}   ⇒   {}
        {"minimum":5}   ⇒   {"minimum":0}
        {"minimum":5}   ⇒   {"exclusiveMinimum":4.99}
        {"exclusiveMaximum":5}   ⇒   {"maximum":5}
        {"type":"integer"}   ⇒   {"type":"number"}
        {"type":"string"}   ⇒   {"type":["null","string"]}
        {"enum":[1,"a"]}   ⇒   {"enum":["a",2,1.0]}
        {"const":5}   ⇒   {"enum":[4,5],"type":"integer"}
        {"minLength":3,"maxLength":4}   ⇒   {"minLength":2,"maxLength":9}
        {"multipleOf":6}   ⇒   {"multipleOf":1.5}
        {"pattern":"^a"}   ⇒   {"pattern":"^a"}
        // Objects: a new optional property where nothing else was allowed.
        {"properties":{"a":{}},"additionalProperties":false}   ⇒   {"properties":{"a":{},"b":{"type":"string"}},"additionalProperties":false}
        {"required":["a","b"]}   ⇒   {"required":["b"],"minProperties":2}
        {"properties":{"a":{"minimum":2}}}   ⇒   {"properties":{"a":{"minimum":1},"b":true}}
        {"properties":{"a":{"type":"string"}},"additionalProperties":{"type":"null"}}   ⇒   {"additionalProperties":{"type":["string","null"]}}
        {"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}   ⇒   {"patternProperties":{"^x":{"type":"number"}},"additionalProperties":false}
        {"dependentRequired":{"a":["b","c"]}}   ⇒   {"dependentRequired":{"a":["c"]}}
        {"propertyNames":{"minLength":2}}   ⇒   {"propertyNames":{"minLength":1}}
        // Arrays.
        {"items":{"type":"integer"},"minItems":2}   ⇒   {"items":{"type":"number"},"minItems":1,"type":["array","string","number","object","boolean","null"]}
        {"prefixItems":[{"const":1},{"const":2}],"items":false}   ⇒   {"prefixItems":[{"type":"integer"}],"items":{"type":"integer"}}
        {"contains":{"minimum":3}}   ⇒   {"contains":{"minimum":2}}
        {"uniqueItems":true}   ⇒   {"uniqueItems":false}
        // Logic.
        {"allOf":[{"minimum":3},{"type":"integer"}]}   ⇒   {"minimum":1,"type":"number"}
        {"anyOf":[{"type":"string"},{"type":"null"}]}   ⇒   {"type":["string","null","number"]}
        {"type":"string"}   ⇒   {"anyOf":[{"type":"string"},{"type":"null"}]}
        {"not":{"minimum":1}}   ⇒   {"not":{"minimum":2}}
        {"if":{"required":["a"]},"then":{"required":["b","c"]}}   ⇒   {"if":{"required":["a"]},"then":{"required":["b"]}}
        {"oneOf":[{"type":"string"},{"minimum":1}]}   ⇒   {"oneOf":[{"type":"string"},{"minimum":1}],"title":"t"}
        // References, also to themselves.
        {"$ref":"#/$defs/a","$defs":{"a":{"minimum":2}}}   ⇒   {"$ref":"#/$defs/b","$defs":{"b":{"minimum":1}}}
        {"properties":{"next":{"$ref":"#"},"v":{"type":"integer"}}}   ⇒   {"properties":{"next":{"$ref":"#"},"v":{"type":"number"}}}
        {"unevaluatedProperties":false}   ⇒   {"allOf":[{"unevaluatedProperties":false}],"title":"x"}
        false   ⇒   {"type":"null"}
        """#)

    @Test(arguments: wider) func `what allows more is known to`(_ pair: (String, String)) throws {
        #expect(try proves(pair.0, pair.1))
    }

    private static let narrower = pairs(
        #"""
        {}   ⇒   {"type":"object"}
        {"minimum":0}   ⇒   {"exclusiveMinimum":0}
        {"minimum":0}   ⇒   {"minimum":1e-400}
        {"type":"number"}   ⇒   {"type":"integer"}
        {"enum":[1,2]}   ⇒   {"enum":[1]}
        {"maxLength":4}   ⇒   {"maxLength":3}
        {"multipleOf":1.5}   ⇒   {"multipleOf":6}
        {"pattern":"^a"}   ⇒   {"pattern":"^b"}
        // A property that was not spoken of may be there, as anything.
        {}   ⇒   {"properties":{"a":{"type":"string"}}}
        {"required":["a"]}   ⇒   {"required":["a","b"]}
        {"properties":{"a":{}}}   ⇒   {"properties":{"a":{}},"additionalProperties":false}
        {"properties":{"a":{},"b":{}},"additionalProperties":false}   ⇒   {"properties":{"a":{}},"additionalProperties":false}
        {"patternProperties":{"^x":true},"additionalProperties":false}   ⇒   {"additionalProperties":false}
        {"patternProperties":{"^x":true},"additionalProperties":false}   ⇒   {"properties":{"x":{"type":"null"}}}
        {"prefixItems":[{"const":1}]}   ⇒   {"items":{"const":1}}
        {"contains":{"minimum":2}}   ⇒   {"contains":{"minimum":3}}
        {"contains":true,"maxContains":5}   ⇒   {"contains":true,"maxContains":4}
        {}   ⇒   {"uniqueItems":true}
        {"anyOf":[{"type":"string"},{"type":"null"}]}   ⇒   {"type":"string"}
        {"not":{"minimum":2}}   ⇒   {"not":{"minimum":1}}
        {"oneOf":[{"minimum":1},{"maximum":0}]}   ⇒   {"oneOf":[{"minimum":0},{"maximum":0}]}
        {"if":{"required":["a"]},"then":{"required":["b"]}}   ⇒   {"if":{"required":["c"]},"then":{"required":["b"]}}
        {"properties":{"next":{"$ref":"#"},"v":{"type":"number"}}}   ⇒   {"properties":{"next":{"$ref":"#"},"v":{"type":"integer"}}}
        {"allOf":[{"properties":{"a":{}}},{"unevaluatedProperties":false}]}   ⇒   {"unevaluatedProperties":false,"title":"x"}
        {"type":"null"}   ⇒   false
        """#)

    @Test(arguments: narrower) func `what may allow less is not taken for more`(_ pair: (String, String)) throws {
        #expect(try !proves(pair.0, pair.1))
    }

    // MARK: At random

    private struct Maker {
        var random: SplitMix64

        mutating func pick<T>(_ items: [T]) -> T { items[random.below(items.count)] }

        mutating func value(_ depth: Int) -> JSON {
            switch random.below(depth > 0 ? 9 : 6) {
            case 0: return .null
            case 1: return .bool(random.chance(1, in: 2))
            case 2: return .number(JSONNumber(random.below(5)))
            case 3: return try! JSON(parsing: Array(["1.5", "-1", "2.0", "0.5"][random.below(4)].utf8))
            case 4, 5: return .string(pick(["", "a", "ab", "xyz", "x1"]))
            case 6: return .array((0..<random.below(4)).map { _ in value(depth - 1) })
            default:
                return .object(JSONObject((0..<random.below(4)).map { _ in (pick(["a", "b", "x1"]), value(depth - 1)) }))
            }
        }

        mutating func schema(_ depth: Int) -> JSON {
            if random.chance(1, in: 12) { return .bool(random.chance(3, in: 4)) }
            var members: [(String, JSON)] = []
            func number(_ maker: inout Maker) -> JSON { .number(JSONNumber(maker.random.below(4))) }
            for _ in 0..<1 + random.below(3) {
                switch random.below(depth > 0 ? 24 : 10) {
                case 0, 1:
                    let types = ["object", "array", "string", "number", "integer", "boolean", "null"]
                    let first = pick(types)
                    let second = pick(types)
                    members.append(
                        ("type", first == second || random.chance(1, in: 2) ? .string(first) : .array([.string(first), .string(second)])))
                case 2: members.append((pick(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]), number(&self)))
                case 3: members.append(("multipleOf", .number(JSONNumber(1 + random.below(3)))))
                case 4:
                    members.append(
                        (pick(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]), number(&self)))
                case 5: members.append(("enum", .array((0..<1 + random.below(3)).map { _ in value(1) })))
                case 6: members.append(("required", .array(random.chance(1, in: 2) ? [.string("a")] : [.string("b"), .string("a")])))
                case 7: members.append(("uniqueItems", .bool(random.chance(1, in: 2))))
                case 8: members.append(("pattern", .string(pick(["^x", "a", "^a$"]))))
                case 9: members.append(("dependentRequired", .object(JSONObject([("a", .array([.string("b")]))]))))
                case 10, 11, 12:
                    members.append(
                        ("properties", .object(JSONObject(["a", "b"].prefix(1 + random.below(2)).map { ($0, schema(depth - 1)) }))))
                case 13, 14: members.append(("additionalProperties", schema(depth - 1)))
                case 15: members.append(("patternProperties", .object(JSONObject([("^x", schema(depth - 1))]))))
                case 16: members.append(("propertyNames", schema(0)))
                case 17: members.append(("items", schema(depth - 1)))
                case 18: members.append(("prefixItems", .array([schema(depth - 1)])))
                case 19:
                    members.append(("contains", schema(depth - 1)))
                    if random.chance(1, in: 3) { members.append(("maxContains", number(&self))) }
                    if random.chance(1, in: 3) { members.append(("minContains", number(&self))) }
                case 20: members.append((pick(["allOf", "anyOf", "oneOf"]), .array([schema(depth - 1), schema(depth - 1)])))
                case 21: members.append(("not", schema(depth - 1)))
                case 22: members += [("if", schema(depth - 1)), ("then", schema(depth - 1)), ("else", schema(depth - 1))]
                default: members.append((pick(["unevaluatedProperties", "unevaluatedItems"]), schema(depth - 1)))
                }
            }
            var seen: Set<String> = []
            return .object(JSONObject(members.filter { seen.insert($0.0).inserted }))
        }

        /// The schema with something in it changed.
        mutating func changed(_ schema: JSON, _ depth: Int) -> JSON {
            switch schema {
            case .object(let object):
                if random.chance(1, in: 10) { return self.schema(depth) }
                var members: [(String, JSON)] = []
                for (name, value) in object {
                    if random.chance(1, in: 8) { continue }
                    members.append((name, random.chance(1, in: 2) ? changed(value, depth - 1) : value))
                }
                return .object(JSONObject(members))
            case .array(let items): return .array(items.map { random.chance(1, in: 3) ? changed($0, depth - 1) : $0 })
            case .number: return .number(JSONNumber(random.below(4)))
            default: return schema
            }
        }
    }

    @Test(arguments: 0..<4) func `a change that is proven breaks no value, whatever it is`(_ seed: Int) throws {
        var maker = Maker(random: SplitMix64(seed: UInt64(seed) + 7))
        var (proven, both) = (0, 0)
        for round in 0..<300 {
            let old = maker.schema(2)
            let new = maker.changed(old, 2)
            guard let oldSchema = try? Schema(old), let newSchema = try? Schema(new), try proves("\(old)", "\(new)") else { continue }
            proven += 1
            for _ in 0..<40 {
                let value = "\(maker.value(3))"
                guard (try? oldSchema.validate(value)) != nil else { continue }
                both += 1
                #expect(throws: Never.self, "round \(round): \(value) by \(old), not by \(new)") { try newSchema.validate(value) }
            }
        }
        #expect(proven > 30 && both > 200, "\(proven) \(both)")
    }

    @Test func `a proof that would take too long is given up`() throws {
        // Each level has two branches that must each be tried against two.
        func nested(_ depth: Int) -> String {
            depth == 0 ? #"{"type":"string"}"# : #"{"anyOf":[{"items":\#(nested(depth - 1))},{"items":\#(nested(depth - 1))}]}"#
        }
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try proves(nested(9), nested(9).replacing("string", with: "null")) }
        #expect(time < .seconds(20))
    }
}
