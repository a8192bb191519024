import Foundation
import Testing

/// Schemas in what `logdb dump` prints and `logdb load` reads.
struct SchemaLinesTests {
    private static let actor = #"{"type":"object","properties":{"hp":{"type":"integer","minimum":0}},"required":["hp"]}"#

    /// Tables with and without schemas and documents; "zoo" is older than "actors", so that the order of names is not theirs.
    private func filled(_ workspace: Workspace) throws {
        let lines = ["zoo", "actors", "plain", "rooms"].map { #"{"table":"\#($0)","key":1,"value":{"hp":1}}"# + "\n" }.joined()
        #expect(try workspace.logdb("load", "db", input: lines).status == 0)
        let spaced = try workspace.file("spaced.json", "\n" + Self.actor.replacing(":{", with: ":\n {") + "\n")
        for (table, rest) in [
            ("actors", [spaced, "--keys", "integer", "--format"]), ("zoo", [spaced]), ("rooms", ["--keys", "integer"]),
            ("empty", [spaced, "--keys", "string"]), ("Zuletzt", [spaced]), ("was strict", [spaced]), ("was strict", ["--remove"]),
        ] {
            #expect(try workspace.logdb(["schema", "set", "db", table] + rest).status == 0)
        }
    }

    private static let dumped = [
        #"{"table":"zoo","schema":\#(spaced)}"#,
        #"{"table":"zoo","key":1,"value":{"hp":1}}"#,
        #"{"table":"actors","keys":"integer","formats":true,"schema":\#(spaced)}"#,
        #"{"table":"actors","key":1,"value":{"hp":1}}"#,
        #"{"table":"plain","key":1,"value":{"hp":1}}"#,
        #"{"table":"rooms","keys":"integer","schema":null}"#,
        #"{"table":"rooms","key":1,"value":{"hp":1}}"#,
        #"{"table":"Zuletzt","schema":\#(spaced)}"#,
        #"{"table":"empty","keys":"string","schema":\#(spaced)}"#,
    ]
    private static let spaced = actor.replacing(":{", with: ":  {")

    @Test func `a dump has each schema before its table's documents, and loading it gives the same dump and the same rules`() throws {
        let workspace = try Workspace()
        try filled(workspace)
        var dump = try workspace.logdb("dump", "db")
        #expect(dump.lines == Self.dumped)
        for name in ["second", "third"] {
            let loaded = try workspace.logdb("load", name, "--acknowledge", input: dump.output)
            #expect(loaded.status == 0)
            // A schema has no number.
            #expect(loaded.lines.count == 4)
            dump = try workspace.logdb("dump", name)
            #expect(dump.lines == Self.dumped)
        }
        expectFailure(
            try workspace.logdb("put", "third", "actors", "2", "--integer-key", #"{"hp":-1}"#),
            #"schemaViolation: /hp: -1 is below the minimum 0 (schema /properties/hp/minimum), under key 2 of table "actors""#)
        #expect(try workspace.logdb("schema", "show", "third", "actors").error == "logdb: version 1, integer keys, formats are rules\n")
        #expect(try workspace.logdb("schema", "show", "third", "empty").output == Self.spaced + "\n")
        expectFailure(
            try workspace.logdb("put", "third", "rooms", "x", "{}"),
            #"keyMismatch: the key is a string, and only integer keys are allowed, under key "x" of table "rooms""#)
    }

    @Test func `schemas are left out where they were not asked for`() throws {
        let workspace = try Workspace()
        try filled(workspace)
        let documents = Self.dumped.filter { $0.contains(#""key":"#) }
        #expect(try workspace.logdb("dump", "db", "--documents-only").lines == documents)
        #expect(try workspace.logdb("dump", "db", "--operations").lines.count == 4)
        #expect(try workspace.logdb("dump", "db", "--table", "zoo").lines == Array(Self.dumped[0...1]))
        #expect(try workspace.logdb("dump", "db", "--table", "empty").lines == [Self.dumped[8]])
        #expect(try workspace.logdb("dump", "db", "--table", "zoo", "--documents-only").lines == [Self.dumped[1]])
        #expect(try workspace.logdb("dump", "db", "--table", "zoo", "--limit", "1").lines == [Self.dumped[1]])
    }

    @Test func `schemas come through compaction, sealing and salvage`() throws {
        let workspace = try Workspace()
        try filled(workspace)
        #expect(try workspace.logdb("compact", "db").status == 0)
        #expect(try workspace.logdb("dump", "db").lines == Self.dumped)
        #expect(try workspace.logdb("seal", "db").status == 0)
        #expect(try workspace.logdb("salvage", "db", "saved").status == 0)
        for name in ["db", "saved"] {
            #expect(try workspace.logdb("dump", name).lines == Self.dumped)
            #expect(try workspace.logdb("schema", "history", name, "was strict").lines.count == 2)
        }
    }

    @Test func `a document that breaks the schema before it ends the load, with what stood before kept`() throws {
        let workspace = try Workspace()
        let lines = [
            #"{"table":"t","key":1,"value":{"hp":5}}"#, #"{"table":"t","schema":\#(Self.actor)}"#,
            #"{"table":"t","key":2,"value":{"hp":-5}}"#,
        ]
        let outcome = try workspace.logdb("load", "db", input: lines.joined(separator: "\n"))
        #expect(outcome.status == 1)
        #expect(outcome.error.hasPrefix("logdb: line 3: schemaViolation: /hp: -5 is below the minimum 0"))
        #expect(outcome.error.hasSuffix(" 1 operation before it was kept.\n"))
        #expect(try workspace.logdb("dump", "db").lines == [lines[1], lines[0]])
    }

    @Test(arguments: [
        (#"{"table":"t","schema":{"typ":"object"}}"#, "line 2, column 23: invalidSchema: /typ: the keyword is not supported."),
        (#"{"table":"t","schema":7}"#, "line 2, column 23: invalidSchema: "),
        (#"{"table":"t","schema":{}"#, "line 2, column 25: unexpected end."),
        (#"{"table":"t","schema":null,"keys":"uuid"}"#, #"line 2, column 35: the keys are neither "string" nor "integer"."#),
        (#"{"table":"t","schema":null,"formats":1}"#, "line 2, column 38: the formats are neither true nor false."),
        (#"{"table":"t","schema":{},"value":{}}"#, #"line 2, column 26: a line with "schema" has no member "value"."#),
        (#"{"table":"t","schema":{},"tx":"a"}"#, #"line 2, column 26: a line with "schema" has no member "tx"."#),
        (#"{"table":7,"schema":{}}"#, "line 2, column 10: the table is not a string."),
        (#"{"schema":{}}"#, #"line 2, column 1: there is no member "table"."#),
        (#"{"table":"t","schema":{},"schema":{}}"#, #"line 2, column 26: a second member "schema"."#),
        (
            #"{"table":"t","key":1,"keys":"string","value":{}}"#,
            #"line 2, column 22: "keys" goes with a member "schema", and there is none."#
        ),
        (#"{"table":"","schema":{}}"#, "line 2, column 22: invalidTableName: "),
        (#"{"table":"t","schema":{"required":["gold"]}}"#, "line 2, column 23: incompatibleSchema: 1 of 1 documents of table"),
    ])
    func `a line with a schema that cannot be used names its place, and nothing is set`(line: String, message: String) throws {
        let workspace = try Workspace()
        let before = #"{"table":"t","key":1,"value":{}}"#
        let outcome = try workspace.logdb("load", "db", input: "\(before)\n\(line)\n\(before)\n")
        #expect(outcome.status == 1)
        #expect(outcome.error.hasPrefix("logdb: \(message)"), "\(outcome.error)")
        #expect(outcome.error.hasSuffix(" 1 operation before it was kept.\n"), "\(outcome.error)")
        #expect(try workspace.logdb("dump", "db").lines == [before])
        let skipping = try workspace.logdb("load", "other", "--skip-invalid", input: "\(before)\n\(line)\n\(before)\n")
        #expect(skipping.status == 0 && skipping.error.contains("1 invalid line passed over, the first at line 2"), "\(skipping.error)")
        #expect(try workspace.logdb("dump", "other").lines == [before])
    }

    @Test func `a schema is not set inside a transaction`() throws {
        let workspace = try Workspace()
        let lines = [#"{"op":"begin"}"#, #"{"table":"t","key":1,"value":{}}"#, #"{"table":"t","schema":{}}"#, #"{"op":"commit"}"#]
        let outcome = try workspace.logdb("load", "db", input: lines.joined(separator: "\n"))
        #expect(outcome.status == 1)
        #expect(
            outcome.error.hasPrefix("logdb: line 3: a schema is set outside of transactions: commit or roll back first."),
            "\(outcome.error)")
        #expect(try workspace.logdb("dump", "db").output == "")
    }
}
