//===--- TimeToLiveTests.swift - ttl, put --ttl, expiries in dump and load ----===//

import Foundation
import Testing

struct TimeToLiveTests {
    @Test func `a time to live is set, shown, and stamped on what is put`() throws {
        let workspace = try Workspace()
        #expect(try workspace.logdb("ttl", "db", "sessions", "30min").status == 1)
        #expect(try workspace.logdb("put", "db", "other", "k", "{}").status == 0)
        for time in ["1ms", "90s", "30min", "36h", "8d", "52w", "never", "30min"] {
            #expect(try workspace.logdb("ttl", "db", "sessions", time).status == 0)
            #expect(try workspace.logdb("ttl", "db", "sessions").output == #"{"table":"sessions","timeToLive":"\#(time)"}"# + "\n")
        }
        #expect(
            try workspace.logdb("ttl", "db").lines == [
                #"{"table":"other","timeToLive":"never"}"#, #"{"table":"sessions","timeToLive":"30min"}"#,
            ])
        for time in ["0s", "-1s", "1", "some", "5300w", "1.5h"] {
            #expect(try workspace.logdb("ttl", "db", "sessions", time).status == 64, "\(time)")
            #expect(try workspace.logdb("put", "db", "sessions", "k", "{}", "--ttl", time).status == 64, "\(time)")
        }
        #expect(try workspace.logdb("put", "db", "sessions", "table", #"{"n":1}"#).status == 0)
        #expect(try workspace.logdb("put", "db", "sessions", "own", #"{"n":2}"#, "--ttl", "1h").status == 0)
        #expect(try workspace.logdb("put", "db", "sessions", "never", #"{"n":3}"#, "--ttl", "never").status == 0)
        #expect(try workspace.logdb("put", "db", "sessions", "gone", #"{"n":4}"#, "--ttl", "1ms").status == 0)
        Thread.sleep(forTimeInterval: 0.05)
        #expect(try workspace.logdb("get", "db", "sessions", "own").output == #"{"n":2}"# + "\n")
        #expect(try workspace.logdb("get", "db", "sessions", "gone").output == "null\n")
        let gone = try workspace.logdb("history", "db", "sessions", "gone").output
        #expect(gone.contains(/"value":{"n":4},"expires":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"}/))
        #expect(try !workspace.logdb("history", "db", "sessions", "never").output.contains("expires"))
        #expect(try workspace.logdb("compact", "db").status == 0)
        #expect(try workspace.logdb("history", "db", "sessions", "gone").output == "")
        expectFailure(try workspace.logdb("ttl", "db", "nothing"), #"noSuchTable: there is no table "nothing""#)
    }

    @Test func `a dump carries expiries and times to live, and loading it gives the same`() throws {
        let workspace = try Workspace()
        let lines = [
            #"{"table":"sessions","timeToLive":1800000}"#,
            #"{"table":"sessions","key":"a","value":{"n":1},"expires":4102444800000}"#,
            #"{"table":"sessions","key":"b","value":{"n":2},"expires":null}"#,
            #"{"table":"plain","key":"c","value":{"n":3},"expires":4102444800001}"#,
            #"{"table":"plain","key":"d","value":{"n":4}}"#,
            #"{"table":"empty","timeToLive":5}"#,
        ]
        #expect(try workspace.logdb("load", "db", input: lines.joined(separator: "\n")).status == 0)
        let dump = try workspace.logdb("dump", "db")
        #expect(dump.lines == lines)
        #expect(try workspace.logdb("load", "copy", input: dump.output).status == 0)
        #expect(try workspace.logdb("dump", "copy").output == dump.output)
        #expect(try workspace.logdb("verify", "db", "--digest").lines.last == workspace.logdb("verify", "copy", "--digest").lines.last)
        #expect(try workspace.logdb("dump", "db", "--documents-only").lines == [lines[1], lines[2], lines[3], lines[4]])
        #expect(try workspace.logdb("dump", "db", "--table", "plain").lines == [lines[3], lines[4]])
        #expect(try workspace.logdb("dump", "db", "--operations").output.contains(#""value":{"n":1},"expires":4102444800000}"#))
        #expect(try workspace.logdb("diff", "db", "0").output.contains(#""value":{"n":3},"expires":4102444800001}"#))
        #expect(try workspace.logdb("salvage", "db", "salvaged").status == 0)
        #expect(try workspace.logdb("dump", "salvaged").output == dump.output)
        // One that has expired hides what was there; in a transaction as well.
        let expired = """
            {"table":"sessions","key":"a","value":{"n":9},"expires":1000}
            {"op":"begin"}
            {"table":"plain","key":"d","value":{"n":9},"expires":0}
            {"op":"commit"}
            """
        #expect(try workspace.logdb("load", "db", input: expired).status == 0)
        #expect(try workspace.logdb("dump", "db", "--documents-only").lines == [lines[2], lines[3]])
        #expect(try workspace.logdb("dump", "db", "--operations").output.contains(#""table":"plain","key":"d","delete":true}"#))
        #expect(try workspace.logdb("compact", "db").status == 0)
        #expect(try workspace.logdb("dump", "db").lines == [lines[0], lines[2], lines[3], lines[5]])
    }

    @Test func `bad expiries and times to live are refused with line and column`() throws {
        let workspace = try Workspace()
        for (line, message) in [
            (#"{"table":"t","key":"k","value":{},"expires":"soon"}"#, "line 1, column 45: the expiry is neither null nor 0 to"),
            (#"{"table":"t","key":"k","value":{},"expires":-1}"#, "line 1, column 45: the expiry is neither null nor 0 to"),
            (#"{"table":"t","key":"k","value":{},"expires":281474976710656}"#, "line 1, column 45: the expiry is neither null nor 0 to"),
            (#"{"table":"t","timeToLive":"1h"}"#, "line 1, column 27: the time to live is neither a whole number of milliseconds nor null"),
            (#"{"table":"t","timeToLive":0}"#, "choose 1 millisecond to 100 years"),
            (#"{"table":"t","timeToLive":5,"key":1}"#, #"a line with "timeToLive" has no member "key""#),
            (#"{"timeToLive":5}"#, #"there is no member "table""#),
            (#"{"op":"begin","expires":5}"#, #"a line with "op" has no member "expires""#),
            (#"{"op":"begin"}"# + "\n" + #"{"table":"t","timeToLive":5}"#, "a time to live is set outside of transactions"),
        ] {
            let outcome = try workspace.logdb("load", "db", input: line)
            #expect(outcome.status == 1 && outcome.error.contains(message), "\(line): \(outcome.error)")
        }
    }
}
