import Foundation
import Testing

/// How the command ends, and what it says about itself.
struct UsageTests {
    static let verbs = ["load", "dump", "put", "get", "delete", "tables", "drop", "seal", "schema", "stats", "verify", "demo"]

    @Test func `help lists every verb, and not the hidden one`() throws {
        let outcome = try Workspace().logdb("--help")
        #expect(outcome.status == 0)
        for verb in Self.verbs { #expect(outcome.output.contains("\n  \(verb) "), "\(verb)") }
        #expect(!outcome.output.contains("demo-child"))
        #expect(outcome.output.contains("logdb load saves.logdb"))
    }

    @Test func `the version is one line, and names the format`() throws {
        let outcome = try Workspace().logdb("--version")
        #expect(outcome.status == 0 && outcome.error == "")
        #expect(outcome.output.wholeMatch(of: /logdb \d+\.\d+\.\d+, database format 1\n/) != nil, "\(outcome.output)")
    }

    @Test(arguments: verbs)
    func `the help of a verb explains it with an example`(_ verb: String) throws {
        let outcome = try Workspace().logdb(verb, "--help")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("Example"))
        #expect(outcome.output.contains("  logdb \(verb)"))
        #expect(outcome.error == "")
    }

    @Test(arguments: [
        ["fly"], ["load"], ["dump"], ["get", "db"], ["put", "db", "t"], ["put", "db", "t", "k"], ["delete", "db", "t"], ["drop", "db"],
        ["dump", "db", "--nonsense"], ["dump", "db", "more"], ["load", "db", "--batch", "0"], ["load", "db", "--batch", "many"],
        ["load", "db", "--codec", "zstd"], ["load", "db", "--codec", "lz4:3"], ["load", "db", "--codec", "lz4hc:99"],
        ["load", "db", "--codec", "zlib:"], ["load", "db", "--segment-size", "1KiB"], ["load", "db", "--segment-size", "2GiB"],
        ["load", "db", "--segment-size", "lots"], ["load", "db", "--persistence", "maybe"],
        ["load", "db", "--persistence", "interval:0ms"],
        ["load", "db", "--persistence", "interval:100"], ["load", "db", "--persistence", "interval:2000min"],
        ["load", "db", "--table", "t"],
        ["schema", "check"], ["schema", "check", "s.json"], ["schema", "nonsense"],
        ["load", "db", "--key", "id"], ["load", "db", "--table", "t", "--key", ""], ["get", "db", "t", "seven", "--integer-key"],
    ])
    func `wrong usage ends with 64 and creates nothing`(_ arguments: [String]) throws {
        let workspace = try Workspace()
        let outcome = try workspace.logdb(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        #expect(outcome.error.contains("Usage:"))
        #expect(!FileManager.default.fileExists(atPath: workspace.path("db")))
    }

    @Test(arguments: [
        ["dump"], ["get", "t", "k"], ["delete", "t", "k"], ["tables"], ["drop", "t"], ["seal"], ["stats"], ["verify"],
    ])
    func `a database that does not exist is an error in one line, and is not created`(_ words: [String]) throws {
        let workspace = try Workspace()
        let outcome = try workspace.logdb([words[0], workspace.database] + words.dropFirst())
        expectFailure(outcome, "notFound: there is no database at \(workspace.database)")
        #expect(!FileManager.default.fileExists(atPath: workspace.database))
    }

    @Test func `a file and a folder of other things are no databases, and stay as they were`() throws {
        let workspace = try Workspace()
        let file = try workspace.file("notes.txt", "dear diary")
        #expect(try workspace.logdb("put", file, "t", "k", "{}").error.hasPrefix("logdb: notADatabase: "))
        #expect(try workspace.logdb("dump", file).status == 1)

        let folder = workspace.path("photos")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try workspace.file("photos/cat.jpg", "meow")
        #expect(try workspace.logdb("put", folder, "t", "k", "{}").status == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["cat.jpg"])
    }

    @Test func `a second writer is told who holds the database`() throws {
        let workspace = try Workspace()
        let first = try workspace.startInteractively("load", workspace.database, "--acknowledge")
        first.send(History.text(0..<1))
        try first.wait { first.linesSoFar == 1 }
        let second = try workspace.logdb("put", workspace.database, "t", "k", "{}")
        #expect(second.status == 1)
        #expect(second.error.hasPrefix("logdb: locked: "))
        #expect(second.error.contains("process \(first.process.processIdentifier)"))
        #expect(second.error.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try first.wait().status == 0)
    }
}
