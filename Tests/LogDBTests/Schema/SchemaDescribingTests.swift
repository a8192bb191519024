//===--- SchemaDescribingTests.swift - schemas of Codable types --------------===//

import Foundation
import LogDB
import Testing

@Suite struct SchemaDescribingTests {
    let folder = TemporaryFolder()

    private enum Kind: String, Codable, CaseIterable { case goblin, wolf }
    private enum Rank: Int, Codable, CaseIterable { case low = 1, high = 9 }
    private enum Mood: Codable, CaseIterable { case calm, angry }

    private struct Point: Codable, Equatable {
        var x: Double
        var y: Float
        init(x: Double, y: Float) { (self.x, self.y) = (x, y) }
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            x = try container.decode(Double.self)
            y = try container.decode(Float.self)
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(x)
            try container.encode(y)
        }
    }

    private struct Item: Codable, Equatable {
        var name: String
        var count: UInt8
    }

    private struct Actor: Codable, Equatable {
        var name: String
        var hp: UInt16
        var alive = true
        var title: String?
        var kind: Kind
        var rank: Rank?
        var at: Point
        var carried: [Item]
        var spells: [String: Int]
        var born: Date?
        var id: UUID
        var home: URL?
        var picture: Data?
        var gold: Decimal
        var extra: JSON?
        var mood: Mood
    }

    private func text(_ type: (some Decodable).Type) throws -> String {
        String(decoding: try Schema(describing: type).text, as: UTF8.self)
            .replacing(#""$schema":"https://json-schema.org/draft/2020-12/schema","#, with: "")
    }

    private func refusal(_ type: (some Decodable).Type) -> String? {
        let error = #expect(throws: LogDBError.self) { try Schema(describing: type) }
        return error?.code == .invalidSchema ? error?.message : nil
    }

    @Test func `a type's schema says the members that it reads`() throws {
        #expect(
            try text(Actor.self)
                == #"{"type":"object","properties":{"name":{"type":"string"},"hp":{"type":"integer","minimum":0,"maximum":65535},"#
                + #""alive":{"type":"boolean"},"title":{"type":["string","null"]},"kind":{"enum":["goblin","wolf"]},"rank":{"enum":[1,9,null]},"#
                + #""at":{"type":"array","prefixItems":[{"type":"number"},{"type":"number"}],"minItems":2},"#
                + #""carried":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"count":{"type":"integer","minimum":0,"maximum":255}},"required":["name","count"]}},"#
                + #""spells":{"type":"object","additionalProperties":{"type":"integer"}},"born":{"type":["number","null"]},"#
                + #""id":{"type":"string","format":"uuid"},"home":{"type":["string","null"]},"picture":{"type":["string","null"],"contentEncoding":"base64"},"#
                + #""gold":{"type":"number"},"extra":true,"mood":{"enum":[{"calm":{}},{"angry":{}}]}},"#
                + #""required":["name","hp","alive","kind","at","carried","spells","id","gold","mood"]}"#)
    }

    private let actor = Actor(
        name: "Goblin", hp: 7, title: nil, kind: .goblin, rank: .high, at: Point(x: 1, y: 2), carried: [Item(name: "lamp", count: 3)],
        spells: ["fire": 2], born: Date(timeIntervalSinceReferenceDate: 5), id: UUID(), home: URL(string: "file:///tmp"),
        picture: Data([1]),
        gold: 1.25, extra: ["a": [1, nil]], mood: .angry)

    @Test func `what the type writes is valid, and comes back`() throws {
        let db = try Database.open(at: folder.path)
        let actors = try db.table("actors", String.self, Actor.self, schema: try Schema(describing: Actor.self))
        var other = actor
        (other.title, other.rank, other.born, other.home, other.picture, other.extra) = ("Sir", nil, nil, nil, nil, nil)
        (other.hp, other.carried, other.spells, other.mood, other.alive) = (.max, [], [:], .calm, false)
        for (key, value) in [("a", actor), ("b", other)] {
            try actors.upsert(value, forKey: key)
            #expect(try actors.get(key) == value)
        }
        // The same type again is the same schema: nothing happens.
        #expect(try db.setSchema("actors", keys: .string, documents: try Schema(describing: Actor.self)).isNew == false)
    }

    @Test(arguments: [
        ("hp", "65536"), ("hp", "-1"), ("hp", "1.5"), ("hp", "null"), ("name", "7"), ("alive", "1"), ("title", "7"), ("kind", "\"ogre\""),
        ("rank", "2"), ("at", "[1]"), ("at", "[1,\"2\"]"), ("at", "{}"), ("carried", "[{\"name\":\"lamp\"}]"), ("carried", "{}"),
        ("spells", "{\"fire\":\"hot\"}"), ("spells", "[]"), ("born", "\"soon\""), ("id", "\"x\""), ("gold", "\"1\""), ("mood", "\"calm\""),
        ("mood", "{\"bored\":{}}"),
    ])
    func `what the type could not read is refused, and the rest is not`(member: String, value: String) throws {
        let schema = try Schema(describing: Actor.self)
        var document = try JSON(parsing: DocumentEncoder().encode(actor))
        document["unknown"] = "is passed over, as decoding does"
        let whole = document.serialized()
        try schema.validate(whole.span)
        document[member] = try JSON(parsing: "[\(value)]")[0]
        let text = document.serialized()
        // Both sides agree.
        #expect(throws: (any Error).self) { try DocumentDecoder().decode(Actor.self, from: text) }
        #expect(throws: LogDBError.self) { try schema.validate(text.span) }
        document[member] = nil
        let without = document.serialized()
        let isOptional = ["title", "rank", "born"].contains(member)
        #expect(((try? schema.validate(without.span)) != nil) == isOptional)
        #expect(((try? DocumentDecoder().decode(Actor.self, from: without)) != nil) == isOptional)
    }

    private final class Node: Codable {
        var name = ""
        var parent: Node?
        var children: [Node] = []
        var byName: [String: Node] = [:]
    }

    private struct Forest: Codable {
        var oldest: Node
        var trees: [Node]
    }

    @Test func `a type that contains itself refers to itself`() throws {
        let node =
            #"{"type":"object","properties":{"name":{"type":"string"},"parent":{"anyOf":[{"$ref":"REF"},{"type":"null"}]},"#
            + #""children":{"type":"array","items":{"$ref":"REF"}},"byName":{"type":"object","additionalProperties":{"$ref":"REF"}}},"#
            + #""required":["name","children","byName"]}"#
        #expect(try text(Node.self) == node.replacing("REF", with: "#"))
        let forest =
            #"{"type":"object","properties":{"oldest":{"$ref":"REF"},"trees":{"type":"array","items":{"$ref":"REF"}}},"#
            + #""required":["oldest","trees"],"$defs":{"Node":\#(node)}}"#
        #expect(try text(Forest.self) == forest.replacing("REF", with: "#/$defs/Node"))
        let list = #"{"type":"array","items":{"$ref":"REF"},"$defs":{"Node":\#(node)}}"#
        #expect(try text([Node].self) == list.replacing("REF", with: "#/$defs/Node"))
        let schema = try Schema(describing: Forest.self)
        let leaf = #"{"name":"x","children":[],"byName":{}}"#
        try schema.validate(#"{"oldest":\#(leaf),"trees":[{"name":"y","children":[\#(leaf)],"byName":{"x":\#(leaf)}}]}"#)
        #expect(throws: LogDBError.self) { try schema.validate(#"{"oldest":\#(leaf),"trees":[{"name":"y","children":[{}],"byName":{}}]}"#) }
    }

    private class Base: Codable { var id = 1 }
    private final class Derived: Base {
        var name = ""
        private enum CodingKeys: CodingKey { case name, inner }
        private enum Inner: CodingKey { case deep }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            if container.contains(.name) { name = try container.decode(String.self, forKey: .name) }
            let inner = try container.nestedContainer(keyedBy: Inner.self, forKey: .inner)
            if try !inner.decodeNil(forKey: .deep) { _ = try inner.decode(Bool.self, forKey: .deep) }
            try super.init(from: container.superDecoder())
        }
    }

    @Test func `a hand-written init is asked as well: nested containers, superclasses, what may be missing`() throws {
        #expect(
            try text(Derived.self)
                == #"{"type":"object","properties":{"name":{"type":"string"},"inner":{"type":"object","properties":{"deep":{"type":["boolean","null"]}}},"#
                + #""super":{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]}},"required":["inner","super"]}"#)
    }

    private struct Name: RawRepresentable, Codable, Hashable { var rawValue: String }
    private struct Wide: Codable {
        var a: Int8
        var b: UInt64
        var c: Int32
        var d: Int128
        var names: Set<Name>
        var byKind: [Kind: Int]
        var byNumber: [Int: Bool]
        var range: Range<Int>
        var maybe: [Int?]
    }

    @Test func `numbers, wrappers and collections have the schema of what is written`() throws {
        #expect(
            try text(Wide.self)
                == #"{"type":"object","properties":{"a":{"type":"integer","minimum":-128,"maximum":127},"b":{"type":"integer","minimum":0},"#
                + #""c":{"type":"integer","minimum":-2147483648,"maximum":2147483647},"d":{"type":"integer"},"names":{"type":"array","items":{"type":"string"}},"#
                + #""byKind":{"type":"array"},"byNumber":{"type":"object","additionalProperties":{"type":"boolean"}},"#
                + #""range":{"type":"array","prefixItems":[{"type":"integer"},{"type":"integer"}],"minItems":2},"maybe":{"type":"array","items":{"type":["integer","null"]}}},"#
                + #""required":["a","b","c","d","names","byKind","byNumber","range","maybe"]}"#)
        let wide = Wide(
            a: -128, b: .max, c: .min, d: .max, names: [Name(rawValue: "x")], byKind: [.wolf: 1], byNumber: [7: true], range: 1..<3,
            maybe: [1, nil])
        let written = try DocumentEncoder().encode(wide)
        try Schema(describing: Wide.self).validate(written.span)
    }

    private enum Shape: Codable { case circle(radius: Double), square(side: Double) }
    private enum Unlisted: String, Codable { case a, b }
    private struct Drawing: Codable { var shapes: [Shape] }
    private struct Tagged: Codable { var tag: Unlisted }
    private struct Picky: Codable {
        var name: String
        init(from decoder: any Decoder) throws {
            name = try decoder.singleValueContainer().decode(String.self)
            guard !name.isEmpty else { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a name is not empty")) }
        }
    }
    private indirect enum Endless: Codable, Equatable {
        case end
        case next(Endless)
        init(from decoder: any Decoder) throws { self = .next(try decoder.singleValueContainer().decode(Endless.self)) }
    }

    @Test func `a type that cannot be found out by asking is named, with its place`() throws {
        #expect(refusal(Tagged.self)?.contains("Unlisted does not take plain values") == true)
        #expect(refusal(Tagged.self)?.contains("at /tag") == true)
        #expect(refusal(Tagged.self)?.contains("make it SchemaDescribable, or CaseIterable") == true)
        #expect(refusal(Drawing.self)?.contains("Shape does not take plain values") == true)
        #expect(refusal(Drawing.self)?.contains("at /shapes") == true)
        #expect(refusal([String: Picky].self)?.contains("a name is not empty") == true)
        #expect(refusal(Endless.self)?.contains("Endless contains itself") == true)
    }

    private struct Described: Codable, SchemaDescribable {
        var text: String
        init(from decoder: any Decoder) throws { throw CancellationError() }
        init(_ text: String) { self.text = text }
        static var schemaDescription: JSON { ["type": "string", "minLength": 1] }
        static var schemaExample: Described { Described("x") }
    }
    private struct Holder: Codable {
        var first: Described
        var second: Described?
        var last: Int
    }

    @Test func `a type that says itself is taken at its word, and the members behind it are seen`() throws {
        #expect(
            try text(Holder.self)
                == #"{"type":"object","properties":{"first":{"type":"string","minLength":1},"second":{"anyOf":[{"type":"string","minLength":1},{"type":"null"}]},"last":{"type":"integer"}},"required":["first","last"]}"#
        )
    }

    private enum Choice: Codable, SchemaDescribable {
        case circle(radius: Double)
        case square(side: Double)
        static var schemaDescription: JSON { ["type": "object", "minProperties": 1, "maxProperties": 1] }
        static var schemaExample: Choice { .circle(radius: 1) }
    }

    @Test func `an enumeration with associated values can say itself`() throws {
        let schema = try Schema(describing: [String: Choice].self)
        let written = try DocumentEncoder().encode(["a": Choice.square(side: 2), "b": .circle(radius: 1)])
        try schema.validate(written.span)
        #expect(throws: LogDBError.self) { try schema.validate(#"{"a":{}}"#) }
        #expect(throws: LogDBError.self) { try schema.validate(#"{"a":{"circle":{},"square":{}}}"#) }
    }

    private struct Before: Codable { var hp: Int8 }
    private struct After: Codable {
        var hp: Int16
        var mana: Int?
    }

    @Test func `a type that grows changes its table's schema, after a look at what is there`() throws {
        let db = try Database.open(at: folder.path)
        let before = try db.table("actors", Int.self, Before.self, schema: try Schema(describing: Before.self))
        try before.upsert(Before(hp: 7), forKey: 1)
        #expect(throws: LogDBError.self) { try db.upsert("actors", 2, ["hp": 1000]) }
        let after = try db.table("actors", Int.self, After.self, schema: try Schema(describing: After.self))
        try after.upsert(After(hp: 1000, mana: 3), forKey: 2)
        #expect(try db.schema(of: "actors")?.number == 2)
        // And back is refused: a document breaks it.
        #expect { try db.table("actors", Int.self, Before.self, schema: try Schema(describing: Before.self)) } throws: {
            ($0 as? LogDBError)?.code == .incompatibleSchema
        }
    }
}
