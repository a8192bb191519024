//===--- HistoryVerbTests.swift - history, savepoint, retention, dump --as-of ----===//

import Foundation
import Testing

struct HistoryVerbTests {
    private static func withoutTimes(_ lines: [String]) -> [String] {
        lines.map { $0.replacing(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/, with: "\"time\":0") }
    }

    @Test func `versions of a document are printed newest first, with times for people`() throws {
        let workspace = try Workspace()
        for hp in 1...3 { #expect(try workspace.logdb("put", "db", "actors", "hero", #"{"hp":\#(hp)}"#).status == 0) }
        #expect(try workspace.logdb("delete", "db", "actors", "hero").status == 0)
        let outcome = try workspace.logdb("history", "db", "actors", "hero")
        #expect(
            Self.withoutTimes(outcome.lines) == [
                #"{"sequence":5,"time":0,"delete":true}"#, #"{"sequence":4,"time":0,"value":{"hp":3}}"#,
                #"{"sequence":3,"time":0,"value":{"hp":2}}"#, #"{"sequence":2,"time":0,"value":{"hp":1}}"#,
            ])
        #expect(outcome.error == "")
        #expect(try workspace.logdb("history", "db", "actors", "hero", "--limit", "1").lines.count == 1)
        #expect(try workspace.logdb("history", "db", "actors", "nobody").output == "")
        expectFailure(try workspace.logdb("history", "db", "nothing", "hero"), #"noSuchTable: there is no table "nothing""#)
    }

    @Test func `a retention is set, shown, and held to by compaction`() throws {
        let workspace = try Workspace()
        #expect(try workspace.logdb("retention", "db", "actors").status == 1)
        #expect(try workspace.logdb("put", "db", "actors", "hero", "{}").status == 0)
        #expect(try workspace.logdb("put", "db", "other", "hero", "{}").status == 0)
        for policy in ["versions:2", "age:30d", "all", "ladder:all/1h,1h/1d,1w/52w", "latest", "versions:2"] {
            #expect(try workspace.logdb("retention", "db", "actors", policy).status == 0)
            #expect(try workspace.logdb("retention", "db", "actors").output == #"{"table":"actors","retention":"\#(policy)"}"# + "\n")
        }
        #expect(try workspace.logdb("retention", "db", "actors", "ladder").status == 0)
        #expect(try workspace.logdb("retention", "db").output.contains(#""ladder:all/1h,1h/1d,1d/30d""#))
        #expect(try workspace.logdb("retention", "db", "actors", "versions:2").status == 0)
        for policy in ["versions:1", "versions", "age:1", "ladder:1h", "ladder:", "some", "age:9999999w"] {
            #expect(try workspace.logdb("retention", "db", "actors", policy).status == 64, "\(policy)")
        }
        for hp in 1...4 { #expect(try workspace.logdb("put", "db", "actors", "hero", #"{"hp":\#(hp)}"#).status == 0) }
        #expect(try workspace.logdb("compact", "db").status == 0)
        let outcome = try workspace.logdb("history", "db", "actors", "hero")
        #expect(outcome.lines.count == 2 && outcome.lines[1].contains(#""hp":3"#))
        #expect(outcome.error.contains("complete from operation"))
    }

    @Test func `a savepoint is made, listed, dumped and released`() throws {
        let workspace = try Workspace()
        #expect(try workspace.logdb("put", "db", "actors", "hero", #"{"hp":1}"#).status == 0)
        let made = try workspace.logdb("savepoint", "db", "before the boss")
        #expect(Self.withoutTimes(made.lines) == [#"{"name":"before the boss","sequence":3,"time":0}"#])
        #expect(try workspace.logdb("savepoint", "db").output == made.output)
        expectFailure(
            try workspace.logdb("savepoint", "db", "before the boss"),
            "savepointExists: there is a savepoint of that name already: release it first, or choose another")
        #expect(try workspace.logdb("delete", "db", "actors", "hero").status == 0)
        #expect(try workspace.logdb("drop", "db", "actors").status == 0)
        #expect(try workspace.logdb("compact", "db").status == 0)
        let line = #"{"table":"actors","key":"hero","value":{"hp":1}}"# + "\n"
        for moment in ["before the boss", "savepoint:before the boss", "3"] {
            #expect(try workspace.logdb("dump", "db", "--as-of", moment).output == line)
            #expect(try workspace.logdb("dump", "db", "--as-of", moment, "--table", "actors").output == line)
        }
        #expect(try workspace.logdb("dump", "db").output == "")
        #expect(try workspace.logdb("savepoint", "db", "--release", "before the boss").status == 0)
        #expect(try workspace.logdb("savepoint", "db").output == "")
        expectFailure(
            try workspace.logdb("dump", "db", "--as-of", "before the boss"), #"noSuchSavepoint: there is no savepoint "before the boss""#)
        let gone = try workspace.logdb("dump", "db", "--as-of", "3")
        #expect(gone.status == 1 && gone.error.contains("historyIncomplete") && gone.output == "")
    }

    @Test func `a difference is printed, and a revert writes it backwards`() throws {
        let workspace = try Workspace()
        let lines = (1...3).map { #"{"table":"actors","key":"a\#($0)","value":{"hp":\#($0)}}"# + "\n" }.joined()
        #expect(try workspace.logdb("load", "db", input: lines).status == 0)
        #expect(try workspace.logdb("savepoint", "db", "before").status == 0)
        #expect(try workspace.logdb("put", "db", "actors", "a1", #"{"hp":9}"#).status == 0)
        #expect(try workspace.logdb("delete", "db", "actors", "a2").status == 0)
        #expect(try workspace.logdb("put", "db", "actors", "a4", #"{"hp":4}"#).status == 0)
        #expect(try workspace.logdb("put", "db", "rooms", "7", #"{"doors":1}"#, "--integer-key").status == 0)
        #expect(
            try workspace.logdb("diff", "db", "before").lines == [
                #"{"table":"actors","key":"a1","value":{"hp":9}}"#, #"{"table":"actors","key":"a2","value":null}"#,
                #"{"table":"actors","key":"a4","value":{"hp":4}}"#, #"{"table":"rooms","key":7,"value":{"doors":1}}"#,
            ])
        // As load reads it.
        #expect(try workspace.logdb("load", "copy", input: workspace.logdb("diff", "db", "before").output).status == 0)
        #expect(try workspace.logdb("dump", "copy").lines.count == 3)
        let back = try workspace.logdb("diff", "db", "now", "before", "--table", "actors")
        #expect(
            back.lines == [
                #"{"table":"actors","key":"a1","value":{"hp":1}}"#, #"{"table":"actors","key":"a2","value":{"hp":2}}"#,
                #"{"table":"actors","key":"a4","value":null}"#,
            ])
        #expect(try workspace.logdb("revert", "db", "actors", "a1", "--to", "before").output == #"{"upserts":1,"deletes":0}"# + "\n")
        #expect(try workspace.logdb("revert", "db", "actors", "--to", "before").output == #"{"upserts":1,"deletes":1}"# + "\n")
        #expect(try workspace.logdb("dump", "db", "--table", "actors").output == lines)
        #expect(try workspace.logdb("revert", "db", "--to", "before").output == #"{"upserts":0,"deletes":1}"# + "\n")
        #expect(try workspace.logdb("dump", "db").output == lines)
        #expect(try workspace.logdb("revert", "db", "--to", "before").output == #"{"upserts":0,"deletes":0}"# + "\n")
        expectFailure(try workspace.logdb("revert", "db", "--to", "after"), #"noSuchSavepoint: there is no savepoint "after""#)
        #expect(try workspace.logdb("revert", "db").status == 64)
    }

    @Test func `the past is dumped by number and by time`() throws {
        let workspace = try Workspace()
        #expect(try workspace.logdb("put", "db", "actors", "hero", #"{"hp":1}"#).status == 0)
        #expect(try workspace.logdb("put", "db", "actors", "hero", #"{"hp":2}"#).status == 0)
        let first = try workspace.logdb("history", "db", "actors", "hero").lines.last!
        let time = try #require(first.firstMatch(of: /"time":"([^"]*)"/)).1
        #expect(try workspace.logdb("dump", "db", "--as-of", "2").output == #"{"table":"actors","key":"hero","value":{"hp":1}}"# + "\n")
        #expect(try workspace.logdb("dump", "db", "--as-of", String(time)).output.contains(#"{"hp":"#))
        #expect(try workspace.logdb("dump", "db", "--as-of", "2h ago").output == "")
        #expect(try workspace.logdb("dump", "db", "--as-of", "2001-01-01 12:00").output == "")
        #expect(try workspace.logdb("dump", "db", "--as-of", "now").output == #"{"table":"actors","key":"hero","value":{"hp":2}}"# + "\n")
        #expect(try workspace.logdb("dump", "db", "--as-of", "2099-01-01T00:00:00+01:00").output.contains(#"{"hp":2}"#))
        #expect(try workspace.logdb("dump", "db", "--as-of", "2", "--operations").status == 64)
    }
}
