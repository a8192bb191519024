//===--- HistoryDumpTests.swift - dump --history, and loading it ------------===//

import Foundation
import Testing

struct HistoryDumpTests {
    /// A database with versions, savepoints, a table that was dropped, and one that was made again.
    private func filled() throws -> Workspace {
        let workspace = try Workspace()
        func run(_ arguments: String...) throws { #expect(try workspace.logdb(arguments).status == 0, "\(arguments)") }
        try run("put", "db", "actors", "hero", #"{"hp":1}"#)
        try run("retention", "db", "actors", "versions:3")
        try run("put", "db", "other", "x", #"{"a":1}"#)
        for hp in 2...5 { try run("put", "db", "actors", "hero", #"{"hp":\#(hp)}"#) }
        try run("savepoint", "db", "boss")
        try run("drop", "db", "other")
        try run("put", "db", "other", "x", #"{"b":2}"#)
        try run("delete", "db", "actors", "hero")
        try run("compact", "db")
        try run("put", "db", "actors", "7", "{}", "--integer-key")
        let schema = try workspace.file("schema.json", #"{"type":"object"}"#)
        try run("schema", "set", "db", "other", schema)
        try run("savepoint", "db", "late")
        return workspace
    }

    @Test func `a history is loaded as it was`() throws {
        let workspace = try filled()
        let history = try workspace.logdb("dump", "db", "--history")
        #expect(history.status == 0 && history.lines.first == #"{"history":1}"#)
        #expect(history.lines.contains { $0.hasPrefix(#"{"savepoint":"boss","time":1"#) })
        let loaded = try workspace.logdb("load", "copy", input: history.output)
        #expect(loaded.status == 0, "\(loaded.error)")
        func same(_ arguments: String...) throws {
            let (a, b) = (try workspace.logdb(arguments), try workspace.logdb(arguments.map { $0 == "db" ? "copy" : $0 }))
            #expect(a.status == b.status && a.output == b.output, "\(arguments): \(a.output) \(b.output) \(b.error)")
        }
        try same("dump", "db")
        try same("dump", "db", "--history")
        try same("dump", "db", "--as-of", "boss")
        try same("dump", "db", "--as-of", "late")
        try same("retention", "db")
        try same("schema", "show", "db", "other")
        func withoutNumbers(_ outcome: Outcome) -> [String] { outcome.lines.map { $0.replacing(/"sequence":\d+/, with: "") } }
        for arguments in [["savepoint", "db"], ["history", "db", "actors", "hero"]] {
            #expect(
                try withoutNumbers(workspace.logdb(arguments))
                    == withoutNumbers(workspace.logdb(arguments.map { $0 == "db" ? "copy" : $0 })))
        }
        #expect(try workspace.logdb("dump", "db", "--as-of", "boss").lines.contains(#"{"table":"other","key":"x","value":{"a":1}}"#))
        #expect(try workspace.logdb("verify", "copy").status == 0)
        // Memory that is small makes no difference.
        #expect(try workspace.logdb("dump", "db", "--history", "--memory", "4MiB").output == history.output)
    }

    @Test func `a history that is cut short is said to be, and its past is not told`() throws {
        let workspace = try filled()
        let lines = try workspace.logdb("dump", "db", "--history").lines
        let part = lines.dropLast().joined(separator: "\n") + "\n"
        let outcome = try workspace.logdb("load", "copy", input: part)
        #expect(outcome.status == 1 && outcome.error.contains("the history is cut short"), "\(outcome.error)")
        let refused = try workspace.logdb("dump", "copy", "--as-of", "3")
        #expect(refused.status == 1 && refused.error.contains("loaded in part only"), "\(refused.error)")
        #expect(try workspace.logdb("dump", "copy", "--as-of", "boss").output == workspace.logdb("dump", "db", "--as-of", "boss").output)
        #expect(try workspace.logdb("dump", "copy").output == workspace.logdb("dump", "db").output)
    }

    @Test func `a history goes into a new database only, and nothing else with it`() throws {
        let workspace = try filled()
        let history = try workspace.logdb("dump", "db", "--history")
        let again = try workspace.logdb("load", "db", input: history.output)
        #expect(again.status == 1 && again.error.contains("alreadyExists: the database has operations already"), "\(again.error)")
        for (line, complaint) in [
            (#"{"table":"t","key":1,"value":{}}"#, "the line has no place in a history"),
            (#"{"time":1,"table":"t","key":1,"value":{}}"#, "is not defined before its first operation"),
            (#"{"time":1,"table":"t","id":1,"definition":{"name":"u"}}"#, "does not fit"),
            (#"{"time":1,"table":"t","id":0,"definition":{"name":"t"}}"#, "no number from 1 on"),
            (#"{"time":1,"table":"t","drop":true}"#, "to be dropped"),
            (#"{"time":1,"savepoint":""}"#, "the name of a savepoint"),
            (#"{"savepoint":"x"}"#, #"there is no member "time""#),
            (#"{"history":"end","operations":3,"horizons":[],"ladders":[]}"#, "the history has 3 operations, and 0 of them are here"),
            (#"{"history":2}"#, "of a version that is not known"),
        ] {
            let outcome = try workspace.logdb("load", "new-\(UInt64.random(in: 0 ... .max))", input: "{\"history\":1}\n\(line)\n")
            #expect(
                outcome.status == 1 && outcome.error.contains(complaint) && outcome.error.contains("line 2"), "\(line): \(outcome.error)")
        }
        let alone = try workspace.logdb("load", "alone", input: #"{"savepoint":"x","time":1}"#)
        #expect(alone.status == 1 && alone.error.contains(#"whose first line is {"history":1}"#), "\(alone.error)")
    }

    @Test func `a plain dump has retentions, and operations may have times`() throws {
        let workspace = try filled()
        let dump = try workspace.logdb("dump", "db")
        let retention = #"{"table":"actors","retention":{"keep":"versions","count":3}}"#
        #expect(dump.lines.first == retention)
        #expect(try !workspace.logdb("dump", "db", "--documents-only").output.contains("retention"))
        #expect(try workspace.logdb("load", "copy", input: dump.output).status == 0)
        #expect(try workspace.logdb("dump", "copy").output == dump.output)
        let timed = """
            {"time":1790000000021,"table":"t","key":1,"value":{"a":1}}
            {"time":1790000000021,"table":"t","key":2,"value":{"a":2}}
            {"table":"t","key":3,"value":{"a":3}}
            {"time":1790000000000,"table":"t","key":1,"value":null}

            """
        let loaded = try workspace.logdb("load", "timed", "--acknowledge", input: timed)
        #expect(loaded.status == 0 && loaded.lines == ["2", "3", "4", "5"], "\(loaded.error)")
        let operations = try workspace.logdb("dump", "timed", "--operations").lines
        #expect(operations[0] == #"{"sequence":2,"time":1790000000021,"table":"t","key":1,"value":{"a":1}}"#)
        #expect(operations[1].hasPrefix(#"{"sequence":3,"time":1790000000021,"#) && !operations[2].contains("1790000000021"))
        #expect(operations[3] == #"{"sequence":5,"time":1790000000000,"table":"t","key":1,"delete":true}"#)
        for (line, complaint) in [
            (#"{"table":"t","retention":{"keep":"versions","count":1}}"#, "the retention is none of"),
            (#"{"table":"t","retention":"all"}"#, "the retention is not an object"),
            (#"{"time":1.5,"table":"t","key":1,"value":{}}"#, "no whole number of milliseconds"),
            (#"{"time":1,"op":"begin"}"#, "has no member"),
        ] {
            let outcome = try workspace.logdb("load", "timed", input: line)
            #expect(outcome.status == 1 && outcome.error.contains(complaint), "\(line): \(outcome.error)")
        }
    }
}
