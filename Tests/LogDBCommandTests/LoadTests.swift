import Foundation
import Testing

/// What goes in through `logdb load` comes out of `logdb dump`.
struct LoadTests {
    @Test(arguments: ["none", "lz4", "lz4hc", "lz4hc:9", "zlib", "zlib:1"], ["64KiB", "1M", "33554432"])
    func `a load holds what a dictionary fed with the same lines holds`(_ codec: String, _ size: String) throws {
        let workspace = try Workspace()
        let input = try workspace.file("history.ndjson", History.text(0..<4000))
        let load = try workspace.logdb(
            "load", workspace.database, input, "--codec", codec, "--segment-size", size, "--persistence", "process", "--no-compaction")
        #expect(load.status == 0)
        #expect(load.error == "" && load.output == "")

        let dump = try workspace.logdb("dump", workspace.database)
        #expect(dump.status == 0)
        #expect(dump.lines.count == Set(dump.lines).count)
        #expect(Set(dump.lines) == History.documents(after: 4000))
        let operations = try workspace.logdb("dump", workspace.database, "--operations")
        #expect(operations.lines.count == 4000)
        #expect(History.firstStranger(in: operations.lines) == nil)
    }

    @Test func `a load in which most is superseded ends compacted, unless it is told not to`() throws {
        let workspace = try Workspace()
        let line = #"{"table":"rooms","key":"hall","value":{"text":"\#(String(repeating: "a long story ", count: 40))"}}"# + "\n"
        let input = try workspace.file("history.ndjson", String(repeating: line, count: 3000))
        for flags in [[], ["--no-compaction"]] {
            let db = workspace.path("\(flags.count).logdb")
            let load = try workspace.logdb(
                ["load", db, input, "--segment-size", "64KiB", "--batch", "50", "--persistence", "process"] + flags)
            #expect(load.status == 0 && load.error == "" && load.output == "")
            #expect(try workspace.logdb("dump", db).output == line)
            let operations = try workspace.logdb("dump", db, "--operations").lines.count
            #expect(flags.isEmpty ? operations < 1000 : operations == 3000)
        }
    }

    @Test func `dump, load and dump give the same bytes`() throws {
        let workspace = try Workspace()
        try workspace.logdb("load", workspace.database, input: History.text(0..<1000))
        let first = try workspace.logdb("dump", workspace.database)
        try workspace.logdb("load", workspace.path("copy.logdb"), "--codec", "zlib", input: first.output)
        #expect(try workspace.logdb("dump", workspace.path("copy.logdb")).output == first.output)
        #expect(!first.output.isEmpty)
    }

    @Test func `lines may be blank, end in CRLF, have their members in any order, and the last needs no newline`() throws {
        let workspace = try Workspace()
        let input = """
            {"table":"t","key":"a","value":{"n":1}}\r\n\r\n   \n\t\n{ "value" : {"n" : 2} , "key":"b", "table":"t" }\n\
            {"table":"\\u0074","key":"\\u0063","value":{"n":3}}\r\n{"table":"t","key":"d","value":{"n":4}}\n\
            {"table":"t","key":"e","value":{"n":5}  } \n{"table":"t","key":"d","value":null}\n\
            {"table":"t","key":"e","value": null}\n{"table":"t","key":-4,"value":{"n":6}}
            """
        #expect(try workspace.logdb("load", workspace.database, input: input).status == 0)
        #expect(
            try workspace.logdb("dump", workspace.database).lines == [
                #"{"table":"t","key":-4,"value":{"n":6}}"#, #"{"table":"t","key":"a","value":{"n":1}}"#,
                #"{"table":"t","key":"b","value":{"n" : 2}}"#, #"{"table":"t","key":"c","value":{"n":3}}"#,
            ])
        let spaced = try workspace.logdb("dump", workspace.database, "--operations").lines.filter { $0.contains(#""key":"e","value""#) }
        #expect(spaced.count == 1 && spaced[0].hasSuffix(#""value":{"n":5}}"#))
    }

    @Test func `keys, tables and documents keep every character`() throws {
        let workspace = try Workspace()
        let lines = [
            #"{"table":"Tür ⚔","key":"q\"b\\s/\u0001é😀","value":{"é":"\u00e9\n\/","n":1.50e+3}}"#,
            #"{"table":"t","key":9223372036854775807,"value":{}}"#, #"{"table":"t","key":-9223372036854775808,"value":{}}"#,
            #"{"table":"t","key":"","value":{"deep":[[[{}]]]}}"#, #"{"table":"t","key":"7","value":{}}"#,
            #"{"table":"t","key":7,"value":{}}"#,
        ]
        #expect(try workspace.logdb("load", workspace.database, input: lines.joined(separator: "\n")).status == 0)
        let dump = try workspace.logdb("dump", workspace.database)
        #expect(dump.lines.contains(#"{"table":"Tür ⚔","key":"q\"b\\s/\u0001é😀","value":{"é":"\u00e9\n\/","n":1.50e+3}}"#))
        #expect(Set(dump.lines) == Set(lines))
    }

    @Test func `several files are loaded in their order, and - is standard input`() throws {
        let workspace = try Workspace()
        let first = try workspace.file("first", History.text(0..<10))
        let second = try workspace.file("second", History.text(20..<30))
        #expect(try workspace.logdb("load", workspace.database, first, "-", second, input: History.text(10..<20)).status == 0)
        let operations = try workspace.logdb("dump", workspace.database, "--operations")
        #expect(operations.lines.count == 30)
        #expect(History.firstStranger(in: operations.lines) == nil)
    }

    @Test func `a file that cannot be read is found out before anything is created`() throws {
        let workspace = try Workspace()
        let good = try workspace.file("good", History.text(0..<10))
        let outcome = try workspace.logdb("load", workspace.database, good, workspace.path("missing"))
        expectFailure(outcome, "cannot read \(workspace.path("missing")): No such file or directory")
        expectFailure(
            try workspace.logdb("load", workspace.database, workspace.folder.path),
            "cannot read \(workspace.folder.path): it is a folder")
        #expect(!FileManager.default.fileExists(atPath: workspace.database))
    }

    @Test func `plain documents are filed under a field, which may lie deeper`() throws {
        let workspace = try Workspace()
        let input = """
            {"meta":{"id":"fire"},"level":3}
             {"level":1,"meta":{"id":-12}}\u{20}
            {"meta":{"id":"fire"},"level":4}
            """
        #expect(try workspace.logdb("load", workspace.database, "--table", "spells", "--key", "meta.id", input: input).status == 0)
        #expect(
            try workspace.logdb("dump", workspace.database).lines == [
                #"{"table":"spells","key":-12,"value":{"level":1,"meta":{"id":-12}}}"#,
                #"{"table":"spells","key":"fire","value":{"meta":{"id":"fire"},"level":4}}"#,
            ])
    }

    @Test func `a long load leaves nothing uncompressed, a short one is not worth a file`() throws {
        let workspace = try Workspace()
        try workspace.logdb("load", workspace.database, input: History.text(0..<100))
        #expect(try workspace.logdb("stats", workspace.database, "--json").output.contains(#""sealedRawBytes":0"#))
        try workspace.logdb("load", workspace.database, input: History.text(100..<5000))
        let files = try FileManager.default.contentsOfDirectory(atPath: workspace.database)
        #expect(files.contains { $0.hasSuffix(".lz4") })
        #expect(!files.contains { $0.hasSuffix(".log") })
    }

    @Test func `a document as long as documents may be is one line, and one byte more is refused with its line`() throws {
        let workspace = try Workspace()
        let room = 64 << 20
        let filler = String(repeating: "x", count: room - #"{"text":""}"#.utf8.count)
        let largest = #"{"table":"t","key":"largest","value":{"text":"\#(filler)"}}"#
        let before = #"{"table":"t","key":"a","value":{}}"#
        #expect(try workspace.logdb("load", workspace.database, input: "\(before)\n\(largest)\n\(before)\n").status == 0)
        let dump = try workspace.logdb("dump", workspace.database)
        #expect(dump.output == "\(before)\n\(largest)\n")

        let tooLarge = #"{"table":"t","key":"larger","value":{"text":"\#(filler)x"}}"#
        let outcome = try workspace.logdb("load", workspace.database, input: "\(before)\n\(tooLarge)\n")
        #expect(outcome.status == 1)
        #expect(outcome.error.hasPrefix("logdb: line 2: documentTooLarge: "))
        #expect(outcome.error.hasSuffix(" 1 operation before it was kept.\n"))
    }
}
