import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stopped, cut off or killed: what was acknowledged is there, and what is there is a beginning of the input.
@Suite(.serialized)
struct StoppingTests {
    /// Checks that the log is a beginning of the history, at least `acknowledged` long, and returns how long.
    @discardableResult
    private func checkBeginning(_ workspace: Workspace, atLeast acknowledged: Int) throws -> Int {
        let dump = try workspace.logdb("dump", workspace.database, "--operations")
        #expect(dump.status == 0, "\(dump.error)")
        let statistics = try workspace.logdb("stats", workspace.database, "--json")
        let numbers = try #require(JSONSerialization.jsonObject(with: Data(statistics.output.utf8)) as? [String: Any])
        // A table takes a number when it is created.
        let count = try #require(numbers["lastSequence"] as? Int) - (numbers["tables"] as? [Any] ?? []).count
        #expect(count >= acknowledged)
        // Where it was compacted, not every operation is left to look at.
        if dump.lines.count == count { #expect(History.firstStranger(in: dump.lines) == nil) }
        #expect(Set(try workspace.logdb("dump", workspace.database).lines) == History.documents(after: count))
        return count
    }

    @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))], ["1", "100"])
    func `a signal in the middle of a load ends it cleanly and in one line`(_ stop: (Int32, Int32), _ batch: String) throws {
        let workspace = try Workspace()
        let input = try workspace.file("history", History.text(0..<History.length))
        let running = try workspace.start(["load", workspace.database, "--acknowledge", "--batch", batch], inputFile: input)
        try running.wait { running.linesSoFar > 100 }
        running.signal(stop.0)
        let outcome = try running.wait()
        #expect(outcome.status == stop.1)
        #expect(!outcome.wasKilled)
        let acknowledged = outcome.lines.count
        #expect(acknowledged < History.length)
        let name = stop.0 == SIGINT ? "SIGINT" : "SIGTERM"
        let groups = NumberFormatter.grouped(acknowledged)
        #expect(outcome.error == "logdb: stopped by \(name). \(groups) operations were kept.\n")
        // Cleanly: exactly what was acknowledged, and closed.
        #expect(try checkBeginning(workspace, atLeast: acknowledged) == acknowledged)
        #expect(try workspace.logdb("stats", workspace.database, "--json").output.contains(#""wasClosed":true"#))
    }

    @Test func `a signal reaches a load that waits for input`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database, "--acknowledge")
        running.send(History.text(0..<3))
        try running.wait { running.linesSoFar == 3 }
        running.signal(SIGINT)
        running.process.waitUntilExit()
        let outcome = try running.wait()
        #expect(outcome.status == 130)
        #expect(outcome.error == "logdb: stopped by SIGINT. 3 operations were kept.\n")
    }

    @Test func `a reader of the acknowledgements that goes away ends the load quietly`() throws {
        let workspace = try Workspace()
        let input = try workspace.file("history", History.text(0..<50_000))
        let shell = try workspace.shell("'\(Running.executable.get().path)' load game.logdb '\(input)' --acknowledge | head -n 5; sleep 0")
        #expect(shell.output.split(separator: "\n").count == 5)
        #expect(shell.error == "")
        try checkBeginning(workspace, atLeast: 5)
    }

    @Test func `a reader of a dump that goes away ends it quietly`() throws {
        let workspace = try Workspace()
        try workspace.logdb("load", workspace.database, "--persistence", "process", input: History.text(0..<50_000))
        let shell = try workspace.shell("{ '\(Running.executable.get().path)' dump game.logdb --operations; echo $? >&2; } | head -n 1")
        #expect(shell.output.split(separator: "\n").count == 1)
        #expect(shell.error == "1\n")
    }

    @Test(arguments: [("process", "positional"), ("process", "shared-tail"), ("disk", "shared-tail")])
    func `kills in the middle of loads lose nothing that was acknowledged`(_ level: String, _ appender: String) throws {
        let workspace = try Workspace()
        var start = 0
        for round in 0..<8 where start < History.length - 1000 {
            let input = try workspace.file("history-\(round)", History.text(start..<min(start + 30_000, History.length - 100)))
            let batch = ["1", "9", "250"][round % 3]
            let running = try workspace.start(
                [
                    "load", workspace.database, "--acknowledge", "--batch", batch, "--persistence", level, "--appender", appender,
                    "--segment-size", round.isMultiple(of: 2) ? "64KiB" : "4MiB",
                ], inputFile: input)
            // Most in the middle of the load, wherever that is on this machine; some before there is a database.
            if round % 4 != 3 {
                let enough = Int.random(in: 1...5000)
                try running.wait { running.outputBytesSoFar >= enough || !running.process.isRunning }
            }
            Thread.sleep(forTimeInterval: .random(in: 0...0.02))
            running.signal(SIGKILL)
            let outcome = try running.wait()
            // The last line may be torn off by the kill: it was not said, then.
            let acknowledged = outcome.output.utf8.count { $0 == UInt8(ascii: "\n") }
            guard FileManager.default.fileExists(atPath: workspace.database) else { continue }
            if acknowledged == 0, start == 0, try workspace.logdb("stats", workspace.database).error.contains("notFound") { continue }
            start = try checkBeginning(workspace, atLeast: start + acknowledged)
        }
        #expect(start > 0)
        #expect(try workspace.logdb("verify", workspace.database).status == 0)
        // The next writer takes up where the last one was killed.
        try workspace.logdb("load", workspace.database, input: History.text(start..<start + 100))
        try checkBeginning(workspace, atLeast: start + 100)
        #expect(try workspace.logdb("verify", workspace.database).output == "")
    }

    @Test(arguments: [("positional", "disk"), ("shared-tail", "process")])
    func `readers beside a busy writer always see a beginning of the log`(_ appender: String, _ level: String) throws {
        let workspace = try Workspace()
        let input = try workspace.file("history", History.text(0..<History.length))
        let running = try workspace.start(
            [
                "load", workspace.database, "--acknowledge", "--batch", "10", "--segment-size", "64KiB", "--no-compaction",
                "--appender", appender, "--persistence", level,
            ], inputFile: input)
        try running.wait { running.linesSoFar > 0 }
        var last = 0
        for _ in 0..<8 where running.process.isRunning {
            let acknowledged = running.linesSoFar
            let dump = try workspace.logdb("dump", workspace.database, "--operations")
            #expect(dump.status == 0, "\(dump.error)")
            #expect(dump.lines.count >= acknowledged && dump.lines.count >= last)
            #expect(History.firstStranger(in: dump.lines) == nil)
            last = dump.lines.count
            #expect(try workspace.logdb("verify", workspace.database).status == 0)
        }
        running.signal(SIGTERM)
        _ = try running.wait()
    }

    @Test func `readers beside a writer that compacts see all that was acknowledged`() throws {
        let workspace = try Workspace()
        let input = try workspace.file("history", History.text(0..<History.length))
        let running = try workspace.start(
            ["load", workspace.database, "--acknowledge", "--batch", "10", "--segment-size", "64KiB"], inputFile: input)
        try running.wait { running.linesSoFar > 5000 }
        for _ in 0..<8 where running.process.isRunning {
            let acknowledged = running.linesSoFar
            let dump = try workspace.logdb("dump", workspace.database)
            #expect(dump.status == 0, "\(dump.error)")
            // The last number that is there; a delete may have followed it.
            let last = dump.lines.compactMap { Int($0.split(separator: "\"number\":").last!.prefix { $0.isNumber }) }.max() ?? 0
            #expect([last + 1, last + 2].contains { $0 >= acknowledged && Set(dump.lines) == History.documents(after: $0) })
            #expect(try workspace.logdb("verify", workspace.database).status == 0)
        }
        running.signal(SIGTERM)
        _ = try running.wait()
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.database).contains { $0.contains(".base.") })
    }
}

extension NumberFormatter {
    fileprivate static func grouped(_ number: Int) -> String {
        let formatter = NumberFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.usesGroupingSeparator = true
        formatter.groupingSize = 3
        formatter.groupingSeparator = ","
        return formatter.string(from: NSNumber(value: number)) ?? ""
    }
}

extension Workspace {
    /// Runs a shell command line in the folder.
    fileprivate func shell(_ line: String) throws -> Outcome {
        try Running(["-c", line], input: .file("/dev/null"), in: folder, executable: URL(fileURLWithPath: "/bin/sh")).wait()
    }
}
