import Foundation
import Testing

/// `logdb schema show|set|check|history|infer`, with a database.
struct SchemaVerbTests {
    private static let schema = #"{"type":"object","properties":{"hp":{"type":"integer","minimum":0}},"required":["hp"]}"#

    private func filled(_ workspace: Workspace) throws -> String {
        let lines = (1...5).map { #"{"table":"actors","key":"a\#($0)","value":{"hp":\#($0),"name":"n"}}"# + "\n" }.joined()
        #expect(try workspace.logdb("load", "db", input: lines).status == 0)
        return try workspace.file("schema.json", Self.schema + "\n")
    }

    @Test func `a schema is set, shown, held to and kept with its history`() throws {
        let workspace = try Workspace()
        let file = try filled(workspace)
        var outcome = try workspace.logdb("schema", "set", "db", "actors", file)
        #expect(outcome.status == 0)
        #expect(outcome.output == "{\"version\":1,\"new\":true,\"checked\":5}\n")
        outcome = try workspace.logdb("schema", "set", "db", "actors", "-", input: Self.schema)
        #expect(outcome.output == "{\"version\":1,\"new\":false,\"checked\":0}\n")

        outcome = try workspace.logdb("schema", "show", "db", "actors")
        #expect(outcome.output == Self.schema + "\n")
        #expect(outcome.error == "logdb: version 1, any keys\n")
        expectFailure(
            try workspace.logdb("put", "db", "actors", "b", #"{"hp":-1}"#),
            #"schemaViolation: /hp: -1 is below the minimum 0 (schema /properties/hp/minimum), under key "b" of table "actors""#)
        #expect(try workspace.logdb("put", "db", "actors", "b", #"{"hp":1}"#).status == 0)

        outcome = try workspace.logdb("schema", "set", "db", "actors", "--keys", "string")
        #expect(outcome.output == "{\"version\":2,\"new\":true,\"checked\":6}\n")
        expectFailure(
            try workspace.logdb("put", "db", "actors", "7", "--integer-key", #"{"hp":1}"#),
            #"keyMismatch: the key is an integer, and only string keys are allowed, under key 7 of table "actors""#)
        #expect(try workspace.logdb("schema", "set", "db", "actors", "--remove").status == 0)
        #expect(try workspace.logdb("schema", "show", "db", "actors").error == "logdb: version 3, string keys, any document\n")
        #expect(try workspace.logdb("schema", "show", "db", "actors", "--version", "1").output == Self.schema + "\n")
        expectFailure(
            try workspace.logdb("schema", "show", "db", "actors", "--version", "9"), #"there is no version 9 of the schema of "actors""#)

        let history = try workspace.logdb("schema", "history", "db", "actors").lines.map {
            $0.replacing(/"time":\d{13}/, with: "\"time\":0")
        }
        #expect(
            history == [
                #"{"version":1,"time":0,"schema":\#(Self.schema)}"#, #"{"version":2,"time":0,"keys":"string","schema":\#(Self.schema)}"#,
                #"{"version":3,"time":0,"keys":"string"}"#,
            ])
    }

    @Test func `a schema that documents break is refused, and check lists them`() throws {
        let workspace = try Workspace()
        _ = try filled(workspace)
        let strict = try workspace.file("strict.json", #"{"properties":{"hp":{"maximum":2}}}"#)
        var outcome = try workspace.logdb("schema", "set", "db", "actors", strict)
        #expect(outcome.status == 1)
        #expect(
            outcome.error.hasPrefix(
                "logdb: incompatibleSchema: 3 of 5 documents of table \"actors\" break the new schema, so nothing was changed: \"a3\""))
        outcome = try workspace.logdb("schema", "check", "db", "actors", strict, "--limit", "2")
        #expect(outcome.status == 1)
        #expect(outcome.error == "logdb: 3 of 5 documents not valid\n")
        #expect(
            outcome.lines
                == [3, 4].map { #"{"key":"a\#($0)","reason":"/hp: \#($0) is above the maximum 2 (schema /properties/hp/maximum)"}"# })
        outcome = try workspace.logdb("schema", "check", "db", "actors")
        #expect(outcome.status == 0)
        #expect(outcome.output == "")
        #expect(outcome.error == "logdb: \"actors\" has no schema: it takes any document\n")
        expectFailure(try workspace.logdb("schema", "check", "db", "nobody"), #"noSuchTable: there is no table "nobody""#)
        #expect(try workspace.logdb("schema", "show", "db", "actors").output == "")
    }

    @Test func `load stops at the line that breaks the schema, or passes it over`() throws {
        let workspace = try Workspace()
        let file = try workspace.file("schema.json", Self.schema)
        #expect(try workspace.logdb("schema", "set", "db", "actors", file).output == "{\"version\":1,\"new\":true,\"checked\":0}\n")
        let lines = (1...3).map { #"{"table":"actors","key":\#($0),"value":{"hp":\#($0 == 2 ? -1 : 1)}}"# + "\n" }.joined()
        let outcome = try workspace.logdb("load", "db", input: lines)
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("line 2: schemaViolation: /hp: -1 is below the minimum 0"))
        #expect(try workspace.logdb("dump", "db", "--documents-only").lines.count == 1)
        _ = try workspace.logdb("load", "db", "--skip-invalid", input: lines)
        #expect(try workspace.logdb("dump", "db", "--documents-only").lines.count == 2)
    }

    @Test func `what infer proposes can be set at once`() throws {
        let workspace = try Workspace()
        _ = try filled(workspace)
        #expect(try workspace.logdb("put", "db", "actors", "b", #"{"hp":1.5,"at":[1,null]}"#).status == 0)
        let outcome = try workspace.logdb("schema", "infer", "db", "actors")
        #expect(
            outcome.output == """
                {
                  "$schema": "https://json-schema.org/draft/2020-12/schema",
                  "type": "object",
                  "properties": {
                    "hp": {
                      "type": "number"
                    },
                    "name": {
                      "type": "string"
                    },
                    "at": {
                      "type": "array",
                      "items": {
                        "type": ["integer","null"]
                      }
                    }
                  },
                  "required": ["hp"]
                }

                """)
        #expect(outcome.error == "logdb: from 6 documents, all keys are of the kind string\n")
        #expect(try workspace.logdb("schema", "set", "db", "actors", "-", input: outcome.output).status == 0)
        #expect(try workspace.logdb("schema", "show", "db", "actors").output == outcome.output)
    }

    @Test(arguments: [
        ["schema", "set", "db"], ["schema", "set", "db", "t"], ["schema", "set", "db", "t", "s.json", "--remove"],
        ["schema", "set", "db", "t", "--remove", "--format"], ["schema", "set", "db", "t", "--keys", "uuid"], ["schema", "show", "db"],
        ["schema", "history"], ["schema", "infer", "db"],
    ])
    func `wrong usage creates nothing`(_ arguments: [String]) throws {
        let workspace = try Workspace()
        #expect(try workspace.logdb(arguments).status == 64)
        #expect(!FileManager.default.fileExists(atPath: workspace.path("db")))
    }

    @Test(arguments: ["show", "set", "check", "history", "infer"]) func `help has examples`(_ verb: String) throws {
        let outcome = try Workspace().logdb("schema", verb, "--help")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("logdb schema \(verb) "))
    }
}
