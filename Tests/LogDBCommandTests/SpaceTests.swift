import Foundation
import Testing

/// Ranges, digests and compaction, through the command.
struct SpaceTests {
    private func filled() throws -> Workspace {
        let workspace = try Workspace()
        var lines: [String] = []
        for index in 0..<400 {
            lines.append(#"{"table":"a","key":"k\#(index % 90)","value":{"n":\#(index)}}"#)
            lines.append(#"{"table":"a","key":\#(index % 70 - 30),"value":\#(index % 9 == 8 ? "null" : #"{"n":\#(index)}"#)}"#)
        }
        #expect(try workspace.logdb("load", workspace.database, input: lines.joined(separator: "\n")).status == 0)
        return workspace
    }

    private func keys(_ lines: [String]) -> [String] {
        lines.map { String($0.split(separator: ",", maxSplits: 2)[1].dropFirst(6)) }
    }

    @Test(arguments: [false, true]) func `a dump takes the keys that are asked for, in either direction`(_ isCompacted: Bool) throws {
        let workspace = try filled()
        let before = try workspace.logdb("dump", workspace.database).lines
        if isCompacted { #expect(try workspace.logdb("compact", workspace.database).status == 0) }
        #expect(try workspace.logdb("dump", workspace.database).lines == before)
        let all = keys(before)
        func dump(_ options: String...) throws -> [String] {
            let outcome = try workspace.logdb(["dump", workspace.database, "--table", "a"] + options)
            #expect(outcome.status == 0, "\(outcome.error)")
            return keys(outcome.lines)
        }
        #expect(try dump("--prefix", "k1") == all.filter { $0.hasPrefix(#""k1"#) })
        #expect(try dump("--from", "-5", "--to", "7", "--integer-key") == all.filter { Int($0).map { (-5..<7).contains($0) } ?? false })
        #expect(try dump("--reverse") == all.reversed())
        #expect(try dump("--limit", "7") == Array(all.prefix(7)))
        #expect(try dump("--from", "k5", "--limit", "3", "--reverse") == Array(all.suffix(3).reversed()))
        #expect(try dump("--limit", "0") == [])
        #expect(try workspace.logdb("dump", workspace.database, "--limit", "3").status == 64)
    }

    @Test func `the digest of the live contents is the same before and after a compaction, and in a copy`() throws {
        let workspace = try filled()
        let first = try workspace.logdb("verify", workspace.database, "--digest")
        #expect(first.status == 0 && first.output.contains(#""digest":""#))
        let dump = try workspace.logdb("dump", workspace.database).output
        #expect(try workspace.logdb("compact", workspace.database).status == 0)
        #expect(try workspace.logdb("verify", workspace.database, "--digest").output == first.output)
        // Known without reading.
        let digest = try #require(first.output.split(separator: "\"").dropFirst(3).first)
        #expect(try workspace.logdb("stats", workspace.database, "--json").output.contains(#""digest":"\#(digest)""#))
        let copy = workspace.database + "2"
        // Another order of tables and operations.
        let lines = dump.split(separator: "\n").reversed().joined(separator: "\n")
        #expect(try workspace.logdb("load", copy, input: #"{"table":"b","key":1,"value":null}"# + "\n" + lines).status == 0)
        #expect(try workspace.logdb("verify", copy, "--digest").output == first.output)
        #expect(try workspace.logdb("delete", copy, "a", "k1").status == 0)
        #expect(try workspace.logdb("verify", copy, "--digest").output != first.output)
        #expect(try !workspace.logdb("stats", copy, "--json").output.contains(#""digest":""#))
    }

    @Test func `a plan says what a compaction needs, and does nothing`() throws {
        let workspace = try filled()
        #expect(try workspace.logdb("seal", workspace.database).status == 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: workspace.database).sorted()
        let plan = try workspace.logdb("compact", workspace.database, "--plan")
        #expect(plan.status == 0 && plan.output.contains(#""steps":1"#))
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.database).sorted() == files)
        func contents() throws -> [Data] { try files.map { try Data(contentsOf: URL(fileURLWithPath: workspace.database + "/" + $0)) } }
        let before = try contents()
        let refused = try workspace.logdb("compact", workspace.database, "--maximum-extra-bytes", "1KiB")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.database).sorted() == files && contents() == before)
        #expect(refused.status == 1 && refused.error.contains("insufficientSpace"))
        #expect(try workspace.logdb("compact", workspace.database, "--memory", "1MiB").status == 64)
        #expect(try workspace.logdb("compact", workspace.database + "-none").status == 1)
    }

    @Test func `stats --tables says what is live and what is not`() throws {
        let workspace = try filled()
        let json = try workspace.logdb("stats", workspace.database, "--tables", "--json", "--largest", "2")
        #expect(json.status == 0)
        // Of 800 operations 160 keys are left, less the deleted ones, each of which has its last operation as a delete.
        let live = try workspace.logdb("dump", workspace.database).lines.count
        #expect(json.output.contains(#""space":{"tables":[{"name":"a","live":{"operations":\#(live),"#))
        #expect(json.output.contains(#""deletes":{"operations":44,"#))
        #expect(json.output.contains(#""obstacle":null"#))
        let table = try workspace.logdb("stats", workspace.database, "--tables")
        #expect(table.status == 0 && table.output.contains("superseded") && table.output.contains("% of the bytes"))
        #expect(try workspace.logdb("stats", workspace.database, "--tables", "--largest", "-1").status == 64)
    }
}
