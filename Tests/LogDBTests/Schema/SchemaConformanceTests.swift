//===--- SchemaConformanceTests.swift - the published suite ----------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct SchemaConformanceTests {
    struct Group: Sendable, CustomTestStringConvertible {
        var file: String
        var description: String
        var schema: JSON
        var tests: [JSON]
        var testDescription: String { "\(file): \(description)" }
    }

    static let groups: [Group] = {
        let path = Fixture.root.appendingPathComponent("json-schema/draft2020-12.ndjson")
        guard let text = try? Data(contentsOf: path) else { return [] }
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let group = try? JSON(parsing: Array(line)) else { return nil }
            return Group(
                file: group["file"].string ?? "", description: group["description"].string ?? "", schema: group["schema"],
                tests: group["tests"].array ?? [])
        }
    }()

    @Test func `the suite is there`() {
        #expect(Self.groups.count == 380)
        #expect(Self.groups.reduce(0) { $0 + $1.tests.count } == 1697)
    }

    @Test(arguments: groups) func `a group of the suite passes`(group: Group) throws {
        let schema = try Schema(group.schema, assertsFormats: group.file.hasPrefix("optional/format/"))
        for test in group.tests {
            let text = test["data"].serialized()
            let violation = try schema.violation(in: text.span)
            let isRight = (violation == nil) == test["valid"].bool
            #expect(isRight, "\(test["description"].string ?? ""): \(test["data"]): \(violation?.description ?? "valid")")
        }
    }
}

struct SchemaCorpusTests {
    @Test func `random schemas are read as another implementation reads them`() throws {
        let text = try Data(contentsOf: Fixture.root.appendingPathComponent("json-schema/random.ndjson"))
        let lines = text.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 300)
        for line in lines {
            let row = try JSON(parsing: Array(line))
            let schema = try Schema(row["schema"])
            for (documents, isValid) in [(row["valid"].array ?? [], true), (row["invalid"].array ?? [], false)] {
                #expect(documents.count >= 2)
                for document in documents {
                    let text = document.serialized()
                    #expect((try schema.violation(in: text.span) == nil) == isValid, "\(row["schema"]): \(document)")
                }
            }
        }
    }
}
