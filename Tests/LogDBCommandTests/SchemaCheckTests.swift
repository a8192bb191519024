import Foundation
import Testing

/// `logdb schema check` with two files: needs no database.
struct SchemaCheckTests {
    private static let schema = #"{"type":["object","null"],"properties":{"hp":{"type":"integer","minimum":0}},"required":["hp"]}"#

    @Test func `each document gets a line, in order`() throws {
        let workspace = try Workspace()
        let schema = try workspace.file("schema.json", Self.schema)
        let documents = try workspace.file("documents", "{\"hp\":1}\n{\"hp\":-2}\n\n{}\r\nnull\n[\n{\"hp\":1.0}")
        let outcome = try workspace.logdb("schema", "check", schema, documents)
        #expect(
            outcome.lines == [
                "valid", "/hp: -2 is below the minimum 0 (schema /properties/hp/minimum)",
                #"(root): the member "hp" is missing (schema /required)"#,
                "valid", "malformed JSON: unexpected end at byte 1", "valid",
            ])
        #expect(outcome.status == 1)
        #expect(outcome.error == "logdb: 3 of 6 documents not valid\n")
    }

    @Test func `status 0 means that all are valid, from standard input too`() throws {
        let workspace = try Workspace()
        let schema = try workspace.file("schema.json", Self.schema)
        let outcome = try workspace.logdb("schema", "check", schema, "-", input: "{\"hp\":1}\nnull\n")
        #expect(outcome.status == 0)
        #expect(outcome.output == "valid\nvalid\n")
        #expect(outcome.error == "")
        #expect(try workspace.logdb("schema", "check", schema, "-", input: "").output == "")
    }

    @Test func `formats are rules where that is asked for`() throws {
        let workspace = try Workspace()
        let schema = try workspace.file("schema.json", #"{"format":"date"}"#)
        #expect(try workspace.logdb("schema", "check", schema, "-", input: "\"soon\"\n").output == "valid\n")
        let outcome = try workspace.logdb("schema", "check", "--format", schema, "-", input: "\"soon\"\n\"2024-02-29\"\n")
        #expect(outcome.output == "(root): \"soon\" is not of the format date (schema /format)\nvalid\n")
        #expect(outcome.status == 1)
    }

    @Test(arguments: [
        (#"{"properties":{"a":{"typ":"x"}}}"#, "invalidSchema: /properties/a/typ: the keyword is not supported"),
        ("{", "invalidSchema: malformed JSON: unexpected end at byte 1"), ("", "invalidSchema: malformed JSON: unexpected end at byte 0"),
        (#"{"pattern":"("}"#, "invalidSchema: /pattern: the pattern cannot be used: a group that is not closed, at character 1"),
    ])
    func `a schema that cannot be used is one clear line`(schema: String, message: String) throws {
        let workspace = try Workspace()
        let file = try workspace.file("schema.json", schema)
        expectFailure(try workspace.logdb("schema", "check", file, "-", input: "1\n"), message)
    }

    @Test func `files that cannot be read are named`() throws {
        let workspace = try Workspace()
        let schema = try workspace.file("schema.json", "{}")
        expectFailure(try workspace.logdb("schema", "check", "nothing.json", "-"), "cannot read nothing.json: No such file or directory")
        expectFailure(try workspace.logdb("schema", "check", schema, "nothing"), "cannot read nothing: No such file or directory")
    }
}
