//===--- DocumentCoderTests.swift - our coders mean what Foundation's mean -===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct Everything: Codable, Equatable {
    struct Inner: Codable, Equatable { var x: Double, y: Float, tags: [String] }
    enum Kind: String, Codable { case elf, orc }
    enum Action: Codable, Equatable { case wait, move(x: Int, y: Int), say(String), nested(Inner) }
    var int: Int, i8: Int8, i16: Int16, i32: Int32, i64: Int64, uint: UInt, u8: UInt8, u16: UInt16, u32: UInt32, u64: UInt64
    var double: Double, float: Float, string: String, bool: Bool, absent: Int?, present: Int?, inner: Inner, inners: [Inner],
        optionals: [Int?]
    var kind: Kind, actions: [Action], date: Date, data: Data, url: URL, decimal: Decimal, uuid: UUID
    var byName: [String: Int], byNumber: [Int: String], byKind: [[Kind]], deep: [String: [[String: Inner]]], empty: [Int],
        none: [String: Int]

    static let sample = Everything(
        int: -5, i8: .min, i16: .max, i32: .min, i64: .min, uint: .max, u8: .max, u16: .max, u32: .max, u64: .max, double: 0.1, float: 0.1,
        string: "a\"\\\n\u{1}é😀/", bool: true, absent: nil, present: 3, inner: .init(x: 1, y: 1e-10, tags: ["a", ""]),
        inners: [.init(x: -8.13, y: 3, tags: [])], optionals: [1, nil, 3], kind: .orc,
        actions: [.wait, .move(x: 1, y: -1), .say("hi"), .nested(.init(x: 1e300, y: 0, tags: []))],
        date: Date(timeIntervalSinceReferenceDate: 123456.789),
        data: Data([0, 1, 254, 255]), url: URL(string: "https://example.org/a?b=c#d")!,
        decimal: Decimal(string: "12345678901234567890.123456789")!,
        uuid: UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F")!, byName: ["b": 2, "a": 1], byNumber: [7: "seven", -1: "minus"],
        byKind: [[.elf], []],
        deep: ["k": [["l": .init(x: 0, y: 0, tags: ["z"])], [:]]], empty: [], none: [:])
}

class Animal: Codable {
    var name: String
    init(name: String) { self.name = name }
}

final class Dog: Animal {
    var tricks: [String] = ["sit"]
    enum Keys: String, CodingKey { case tricks }
    override init(name: String) { super.init(name: name) }
    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        tricks = try container.decode([String].self, forKey: .tricks)
        try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(tricks, forKey: .tricks)
        try super.encode(to: container.superEncoder())
    }
}

/// Writes to several nested containers in turn.
struct Interleaved: Codable, Equatable {
    var values = [1, 2, 3]
    enum Keys: String, CodingKey { case before, a, b, after, list }
    init() {}
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let a = try container.nestedContainer(keyedBy: Keys.self, forKey: .a)
        var b = try container.nestedUnkeyedContainer(forKey: .b)
        values = [try a.decode(Int.self, forKey: .before), try b.decode(Int.self), try a.decode(Int.self, forKey: .after)]
        var inner = try b.nestedUnkeyedContainer()
        values[1] += try inner.decode(Int.self) - 9
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        var a = container.nestedContainer(keyedBy: Keys.self, forKey: .a)
        try container.encode("x", forKey: .before)
        var b = container.nestedUnkeyedContainer(forKey: .b)
        try a.encode(values[0], forKey: .before)
        try b.encode(values[1])
        var inner = b.nestedUnkeyedContainer()
        try container.encode(["y": 1], forKey: .after)
        try a.encode(values[2], forKey: .after)
        try inner.encode(9)
        var list = container.nestedUnkeyedContainer(forKey: .list)
        _ = list.nestedContainer(keyedBy: Keys.self)
        try list.encode(1)
        _ = list.nestedUnkeyedContainer()
        try list.encode(list.count)
    }
}

struct DocumentCoderTests {
    private func text(_ value: some Encodable) throws -> String { String(decoding: try DocumentEncoder().encode(value), as: UTF8.self) }

    private func agrees<T: Codable>(_ value: T, _ isEqual: (T, T) -> Bool) throws {
        let ours = try DocumentEncoder().encode(value)
        try JSONValidator.validateDocument(ours.span)
        let theirs = try JSONEncoder().encode(value)
        let left = try #require(try JSONSerialization.jsonObject(with: Data(ours)) as? NSDictionary)
        let right = try #require(try JSONSerialization.jsonObject(with: theirs) as? NSDictionary)
        #expect(left == right)
        #expect(isEqual(try DocumentDecoder().decode(T.self, from: ours), value))
        #expect(isEqual(try DocumentDecoder().decode(T.self, from: [UInt8](theirs)), value))
        #expect(isEqual(try JSONDecoder().decode(T.self, from: Data(ours)), value))
        #expect(isEqual(try DocumentDecoder().decode(T.self, from: ours.span), value))
    }

    @Test func `every type means the same to us and to Foundation`() throws { try agrees(Everything.sample, ==) }

    @Test func `containers written in turn end where they belong`() throws {
        try agrees(Interleaved(), ==)
        #expect(try text(Interleaved()) == #"{"a":{"before":1,"after":3},"before":"x","b":[2,[9]],"after":{"y":1},"list":[{},1,[],3]}"#)
        #expect(try text(["o": [Interleaved()]]) == #"{"o":["# + text(Interleaved()) + "]}")
    }

    @Test func `superclasses are members named super`() throws {
        try agrees(Dog(name: "Rex")) { $0.name == $1.name && $0.tricks == $1.tricks }
        #expect(try text(Dog(name: "Rex")) == #"{"tricks":["sit"],"super":{"name":"Rex"}}"#)
    }

    @Test func `members keep the order in which they are encoded`() throws {
        #expect(try text(Everything.Inner(x: 2, y: 0.5, tags: ["a"])) == #"{"x":2,"y":0.5,"tags":["a"]}"#)
    }

    @Test func `members may stand in any order, with others between them`() throws {
        let text = Array(#" { "tags" : ["q"], "more":{"x":9,"y":[{}]}, "y":0.5, "\u0078":-2.5e0 } "#.utf8)
        #expect(try DocumentDecoder().decode(Everything.Inner.self, from: text) == .init(x: -2.5, y: 0.5, tags: ["q"]))
    }

    struct Crossing: Decodable {
        var values: [Int]
        enum Keys: String, CodingKey { case inner, x, y }
        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Keys.self)
            let inner = try outer.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            values = [
                try inner.decode(Int.self, forKey: .x), try outer.decode(Int.self, forKey: .y), try inner.decode(Int.self, forKey: .y),
            ]
        }
    }

    @Test func `a member is looked up in its own object, whichever was read before`() throws {
        let text = Array(#"{"inner":{"x":1,"y":2},"y":7}"#.utf8)
        #expect(try DocumentDecoder().decode(Crossing.self, from: text).values == [1, 7, 2])
    }

    @Test func `a repeated name means its last value`() throws {
        let one = Array(#"{"a":1,"b":5,"a":2}"#.utf8)
        #expect(try DocumentDecoder().decode([String: Int].self, from: one) == ["a": 2, "b": 5])
        let inner = Array(#"{"x":1,"y":2,"tags":[],"\u0078":3}"#.utf8)
        #expect(try DocumentDecoder().decode(Everything.Inner.self, from: inner).x == 3)
    }

    @Test func `only an object is a document, and null is absence`() throws {
        var output = Array("before".utf8)
        #expect(try DocumentEncoder().encode(Int?.none, into: &output) == .null)
        #expect(String(decoding: output, as: UTF8.self) == "beforenull")
        #expect(try DocumentEncoder().encode(JSON.null, into: &output) == .null)
        #expect(try DocumentEncoder().encode(["a": 1], into: &output) == .document)
        let kept = output
        for (value, word) in [(5, "a number"), ("s", "a string"), ([1], "an array"), (true, "a boolean"), (JSON.array([]), "an array")]
            as [(any Encodable, String)]
        {
            let error = #expect(throws: EncodingError.self) { try DocumentEncoder().encode(value, into: &output) }
            #expect("\(error!)".contains("a document is a JSON object") && "\(error!)".contains(word))
            #expect(output == kept)
        }
    }

    struct Holder: Codable { var list: [Inner] }
    struct Inner: Codable { var value: Double }

    @Test func `a number JSON cannot say is refused with its path`() throws {
        for bad in [Double.nan, .infinity, -.infinity] {
            let error = #expect(throws: EncodingError.self) { try text(Holder(list: [.init(value: 1), .init(value: bad)])) }
            guard case .invalidValue(_, let context)? = error else { continue }
            #expect(context.codingPath.map(\.stringValue) == ["list", "Index 1", "value"])
        }
        #expect(throws: EncodingError.self) { try text(["a": Float.nan]) }
        #expect(throws: EncodingError.self) { try text(["a": Decimal.nan]) }
    }

    private func failure<T: Decodable>(_ type: T.Type, _ text: String) -> DecodingError.Context? {
        do {
            _ = try DocumentDecoder().decode(type, from: Array(text.utf8))
        } catch DecodingError.typeMismatch(_, let context) {
            return context
        } catch DecodingError.valueNotFound(_, let context) {
            return context
        } catch DecodingError.keyNotFound(_, let context) {
            return context
        } catch DecodingError.dataCorrupted(let context) {
            return context
        } catch {}
        return nil
    }

    @Test(arguments: [
        (#"{"list":[{"value":1},{"value":"x"}]}"#, ["list", "Index 1", "value"], "at byte 30 of the document"),
        (#"{"list":{}}"#, ["list"], "expected an array, found an object, at byte 8"),
        (#"{"list":[{}]}"#, ["list", "Index 0"], "no member \"value\""),
        (#"{"list":[{"value":1e999}]}"#, ["list", "Index 0", "value"], "does not fit Double"),
        (#"{"list":[{"value":null}]}"#, ["list", "Index 0", "value"], "found null"), (#"{"list":[}"#, [], "expected a value at byte 9"),
        ("{}", [], "no member \"list\""),
        (#"{"a":[{"b":1},2],"list":[{"c":[],"value":[]}]}"#, ["list", "Index 0", "value"], "expected a number, found an array"),
    ])
    func `a decoding error names path and byte`(text: String, path: [String], message: String) throws {
        let context = try #require(failure(Holder.self, text))
        #expect(context.codingPath.map(\.stringValue) == path)
        #expect(context.debugDescription.contains(message), "\(context.debugDescription)")
        if message.contains("expected a value at") {
            #expect(context.underlyingError as? JSONError == JSONError(offset: 9, reason: .expectedValue))
        }
    }

    @Test func `integers fit exactly or are refused`() {
        func decodes<T: Decodable & Equatable>(_ text: String, as value: T?) {
            #expect((try? DocumentDecoder().decode([T].self, from: Array("[\(text)]".utf8)).first) == value)
        }
        decodes("127", as: Int8.max)
        decodes("128", as: Int8?.none as Int8?)
        decodes("-128", as: Int8.min)
        decodes("-1", as: UInt8?.none as UInt8?)
        decodes("256", as: UInt8?.none as UInt8?)
        decodes("1.5", as: Int?.none as Int?)
        decodes("1.0", as: 1 as Int?)
        decodes("-0", as: 0 as UInt?)
        decodes("18446744073709551615", as: UInt64.max)
        decodes("18446744073709551616", as: UInt64?.none as UInt64?)
        decodes("-9223372036854775808", as: Int64.min)
        decodes("170141183460469231731687303715884105727", as: Int128.max)
        decodes("340282366920938463463374607431768211456", as: UInt128?.none as UInt128?)
        decodes("3.4e39", as: Float?.none as Float?)
        decodes("true", as: Int?.none as Int?)
        decodes("1", as: Bool?.none as Bool?)
        decodes("\"1\"", as: Int?.none as Int?)
    }

    struct Tolerant: Encodable {
        enum Keys: String, CodingKey { case good, bad, list, end }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(1, forKey: .good)
            try? container.encode(Double.nan, forKey: .bad)
            try? container.encode(Holder(list: [.init(value: 1), .init(value: .nan)]), forKey: .bad)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try? list.encode(Inner(value: .nan))
            try list.encode(2)
            try container.encode(3, forKey: .end)
        }
    }

    @Test func `a failed member leaves no trace`() throws { #expect(try text(Tolerant()) == #"{"good":1,"list":[2],"end":3}"#) }

    struct Nothing: Codable, Equatable {}
    struct Late: Encodable {
        final class Box { var container: KeyedEncodingContainer<Tolerant.Keys>? }
        let box = Box()
        func encode(to encoder: any Encoder) throws { box.container = encoder.container(keyedBy: Tolerant.Keys.self) }
    }

    @Test func `a value without members is an empty object`() throws { try agrees(["a": Nothing()], ==) }

    @Test func `a container refuses what comes after its value`() throws {
        let late = Late()
        #expect(try text(["a": late]) == #"{"a":{}}"#)
        #expect(throws: EncodingError.self) { try late.box.container?.encode(1, forKey: .good) }
    }

    indirect enum Tree: Codable, Equatable { case leaf, node(Tree) }
    struct Chain: Codable { var next: [Chain] = [] }

    @Test func `deeper than a thousand containers is refused, up to there it works`() throws {
        var chain = Chain()
        for _ in 0..<499 { chain = Chain(next: [chain]) }
        let text = try DocumentEncoder().encode(chain)
        try JSONValidator.validateDocument(text.span)
        #expect(try DocumentEncoder().encode(DocumentDecoder().decode(Chain.self, from: text)) == text)
        #expect(throws: EncodingError.self) { try DocumentEncoder().encode(Chain(next: [chain])) }
        var json: JSON = 1
        for _ in 0..<1_000 { json = ["a": json] }
        let deepest = try DocumentEncoder().encode(json)
        try JSONValidator.validateDocument(deepest.span)
        #expect(throws: EncodingError.self) { try DocumentEncoder().encode(["a": json] as JSON) }
        #expect(throws: EncodingError.self) { try DocumentEncoder().encode(["a": json]) }
    }

    struct Mixed: Codable, Equatable { var id: Int, extra: JSON, more: JSON?, list: [JSON] }

    @Test func `a JSON member passes through with order and digits`() throws {
        let text = #"{"id":1,"extra":{"z":1.50,"a":[1e5]},"list":[null,12345678901234567890123]}"#
        let value = try DocumentDecoder().decode(Mixed.self, from: Array(text.utf8))
        #expect(try self.text(value) == text)
        #expect(value.extra["z"].number?.text == "1.50")
    }

    struct Info: Codable {
        static let key = CodingUserInfoKey(rawValue: "k")!
        var seen = ""
        init() {}
        init(from decoder: any Decoder) throws { seen = decoder.userInfo[Self.key] as? String ?? "" }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(["seen": encoder.userInfo[Self.key] as? String])
        }
    }

    @Test func `userInfo reaches every value`() throws {
        var encoder = DocumentEncoder()
        encoder.userInfo[Info.key] = "here"
        #expect(String(decoding: try encoder.encode(Info()), as: UTF8.self) == #"{"seen":"here"}"#)
        var decoder = DocumentDecoder()
        decoder.userInfo[Info.key] = "there"
        #expect(try decoder.decode(Info.self, from: Array("{}".utf8)).seen == "there")
    }
}
