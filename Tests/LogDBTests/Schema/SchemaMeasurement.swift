//===--- SchemaMeasurement.swift - what validating costs -------------------===//
//
// Asserts nothing about time: it prints. In release mode, alone:
//
//      swift test -c release --filter SchemaMeasurement
//
// Each line is one kind of documents, about 250 bytes each: megabytes a second of plain JSON validation, of validation with the schema in
// the same pass, and of the checksum that a frame takes over its bytes; and how many times as long as plain validation it takes.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct SchemaMeasurement {
    /// A game's autosaves: a schema that says what each member is.
    static let actorSchema = """
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 64},
                "class": {"enum": ["wizard", "fighter", "thief", "cleric"]},
                "level": {"type": "integer", "minimum": 1, "maximum": 99},
                "hp": {"type": "integer", "minimum": 0},
                "alive": {"type": "boolean"},
                "position": {
                    "type": "object",
                    "properties": {"map": {"type": "string"}, "x": {"type": "number"}, "y": {"type": "number"}},
                    "required": ["map", "x", "y"], "additionalProperties": false
                },
                "inventory": {
                    "type": "array", "maxItems": 100,
                    "items": {
                        "type": "object", "properties": {"item": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
                        "required": ["item", "count"], "additionalProperties": false
                    }
                },
                "gold": {"type": "number", "minimum": 0}
            },
            "required": ["name", "level", "hp", "position"],
            "additionalProperties": false
        }
        """

    static func actors(_ count: Int, shuffled: Bool = false) -> [[UInt8]] {
        var random = SeededGenerator(seed: 6)
        return (0..<count).map { number in
            var members = [
                #""name":"Actor \#(number) of the Realm""#,
                #""class":"\#(["wizard", "fighter", "thief", "cleric"][number % 4])""#,
                #""level":\#(Int.random(in: 1...99, using: &random))"#, #""hp":\#(Int.random(in: 0...5000, using: &random))"#,
                #""alive":\#(number % 3 > 0)"#,
                #""position":{"map":"harbor","x":\#(Double(number % 977) / 8),"y":\#(Double(number % 773) / 4)}"#,
                #""inventory":[{"item":"lamp","count":1},{"item":"rope of climbing","count":\#(number % 7 + 1)}]"#,
                #""gold":\#(Double(number % 99999) / 100)"#,
            ]
            if shuffled { members.shuffle(using: &random) }
            return Array("{\(members.joined(separator: ","))}".utf8)
        }
    }

    @Test func `megabytes a second, beside plain JSON validation and the frame's checksum`() throws {
        #if DEBUG
            let count = 200
            let rounds = 1
        #else
            let count = 20_000
            let rounds = 7
        #endif
        let cases: [(name: String, schema: String, documents: [[UInt8]])] = [
            ("members in order", Self.actorSchema, Self.actors(count)),
            ("members in any order", Self.actorSchema, Self.actors(count, shuffled: true)),
            ("with $ref, allOf", #"{"allOf":[\#(Self.actorSchema),{"required":["gold"]}]}"#, Self.actors(count)),
            ("with anyOf", #"{"anyOf":[{"required":["nobody"]},\#(Self.actorSchema)]}"#, Self.actors(count)),
            (
                "with a pattern", Self.actorSchema.replacing(#""minLength": 1,"#, with: #""pattern": "^[A-Z][a-zA-Z0-9 ]*$","#),
                Self.actors(count)
            ),
            ("everything is allowed", "{}", Self.actors(count)),
        ]
        var failures = 0
        for (name, schema, documents) in cases {
            let schema = try Schema(json: schema)
            let bytes = documents.reduce(0) { $0 + $1.count }
            var times: [[Double]] = [[], [], []]
            for _ in 0..<rounds {
                times[0].append(time { for document in documents where !isJSON(document) { failures += 1 } })
                times[1].append(time { for document in documents where !isValid(document, schema) { failures += 1 } })
                times[2].append(time { for document in documents where Checksum.crc32c(document.span) == 0 { failures += 1 } })
            }
            let best = times.map { $0.min() ?? 1 }
            func rate(_ index: Int) -> String { String(Int(Double(bytes) / best[index] / 1e6)) }
            let ratio = String(format: "%.2f", best[1] / best[0])
            let checksum = String(format: "%.1f", best[1] / best[2])
            print(
                "schema measurement: \(name): JSON \(rate(0)) MB/s, with the schema \(rate(1)) MB/s (\(ratio) times as long), checksum \(rate(2)) MB/s (\(checksum) times as long as it); \(bytes / documents.count) bytes a document"
            )
        }
        #expect(failures == 0)
    }

    private func isJSON(_ document: [UInt8]) -> Bool { (try? JSONValidator.validateDocument(document.span)) != nil }

    private func isValid(_ document: [UInt8], _ schema: Schema) -> Bool {
        (try? schema.program.violation(inDocument: document.span)) == .some(nil)
    }

    private func time(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        return clock.measure(body) / .seconds(1)
    }
}
