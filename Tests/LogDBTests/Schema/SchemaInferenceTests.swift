//===--- SchemaInferenceTests.swift - schemas proposed from documents --------===//

import LogDB
import LogDBSimulation
import Testing

@Suite struct SchemaInferenceTests {
    let folder = TemporaryFolder()

    private func infer(_ documents: [String]) throws -> String {
        let db = try Database.open(at: folder(), options: small())
        defer { try? db.close() }
        try db.setSchema("t", documents: nil)
        try db.dropTable("t")
        for (number, document) in documents.enumerated() { try db.upsert("t", .integer(Int64(number)), json: document) }
        let proposal = try db.inferSchema(of: "t")
        #expect(proposal.documents == UInt64(documents.count))
        let report = try db.checkSchema("t", keys: proposal.keys, documents: try Schema(proposal.schema))
        #expect(report.broken == 0, "\(report.problems) \(proposal.schema)")
        var schema = try #require(proposal.schema.object)
        schema["$schema"] = nil
        return "\(JSON.object(schema))"
    }

    @Test func `types, what is always there, nested objects, arrays`() throws {
        let text = try infer([
            #"{"hp":1,"at":{"x":1,"y":2.5},"tags":["a"],"odd":1}"#, #"{"hp":2,"at":{"x":-1},"tags":[],"odd":"one"}"#,
            #"{"hp":3,"at":{"x":0,"y":1},"odd":null}"#,
        ])
        #expect(
            text
                == #"{"type":"object","properties":{"hp":{"type":"integer"},"at":{"type":"object","properties":{"x":{"type":"integer"},"y":{"type":"number"}},"required":["x"]},"tags":{"type":"array","items":{"type":"string"}},"odd":{"type":["string","integer","null"]}},"required":["hp","at","odd"]}"#
        )
    }

    @Test func `few strings that come often are an enumeration, many are not`() throws {
        let text = try infer((0..<120).map { #"{"place":"\#(["harbor", "cellar", "ünder"][$0 % 3])","name":"n\#($0)"}"# })
        #expect(text.contains(#""place":{"type":"string","enum":["cellar","harbor","ünder"]},"name":{"type":"string"}"#))
    }

    @Test func `very many names are a dictionary, an empty table has no properties`() throws {
        let text = try infer((0..<300).map { #"{"scores":{"player\#($0)":{"best":\#($0)},"player\#($0 + 1)":{"last":null}}}"# })
        #expect(
            text
                == #"{"type":"object","properties":{"scores":{"type":"object","additionalProperties":{"type":"object","properties":{"best":{"type":"integer"},"last":{"type":"null"}}}}},"required":["scores"]}"#
        )
        let db = try Database.open(at: folder("empty"))
        try db.createTable("t")
        #expect(try db.inferSchema(of: "t").documents == 0)
        #expect(throws: LogDBError.self) { try db.inferSchema(of: "none") }
        try db.close()
    }

    @Test func `every document is valid by the schema that is proposed from it, whatever it is`() throws {
        var random = SplitMix64(seed: 3)
        func value(_ depth: Int) -> String {
            switch random.below(depth > 0 ? 9 : 6) {
            case 0: return "null"
            case 1: return "true"
            case 2: return "\(random.below(100))"
            case 3: return ["1.0", "1e400", "-0.5", "123456789012345678901234567890"][random.below(4)]
            case 4, 5: return #""s\#(random.below(40))""#
            case 6: return "[" + (0..<random.below(4)).map { _ in value(depth - 1) }.joined(separator: ",") + "]"
            default:
                return "{"
                    + (0..<random.below(random.chance(1, in: 25) ? 300 : 4)).map { #""m\#($0 * random.below(3))":"# + value(depth - 1) }
                    .joined(separator: ",") + "}"
            }
        }
        _ = try infer((0..<60).map { _ in #"{"v":\#(value(4))}"# })
        // Equal as Swift's strings, and two names.
        _ = try infer(["{\"\u{e9}\":1}", "{\"e\u{301}\":1}"])
        // Deeper than is looked at.
        _ = try infer(["{\"v\":" + String(repeating: "[", count: 200) + "1" + String(repeating: "]", count: 200) + "}"])
    }
}
