import Foundation
import Testing

/// A number on standard output means that the operation is safe, and comes as soon as it is.
struct AcknowledgeTests {
    @Test(arguments: ["process", "disk", "interval:50ms"], [nil, "1", "7", "1000"])
    func `every operation is acknowledged once, in order`(_ level: String, _ batch: String?) throws {
        let workspace = try Workspace()
        let options = batch.map { ["--batch", $0] } ?? []
        let load = try workspace.logdb(
            ["load", workspace.database, "--acknowledge", "--persistence", level] + options, input: History.text(0..<100))
        #expect(load.status == 0)
        let numbers = load.lines.compactMap { Int($0) }
        #expect(numbers.count == 100)
        #expect(numbers == numbers.sorted() && Set(numbers).count == 100)
        // The numbers are those of the log.
        let log = try workspace.logdb("dump", workspace.database, "--operations").lines
        #expect(zip(log, numbers).allSatisfy { $0.hasPrefix("{\"sequence\":\($1),") })
    }

    @Test(arguments: ["1", "5", "1000"])
    func `a slow producer is answered before it goes on`(_ batch: String) throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database, "--acknowledge", "--batch", batch)
        for count in 1...20 {
            running.send(History.text(count..<count + 1))
            try running.wait { running.linesSoFar == count }
        }
        #expect(try running.wait().status == 0)
    }

    @Test func `input that pauses is committed, acknowledged or not`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database)
        running.send(History.text(0..<10))
        try running.wait {
            (try? workspace.logdb("dump", workspace.database, "--operations").lines.count) == 10
        }
        // Half a line is nobody's yet.
        running.send(String(History.line(10).prefix(20)))
        #expect(try workspace.logdb("dump", workspace.database, "--operations").lines.count == 10)
        running.send(String(History.line(10).dropFirst(20)) + "\n")
        #expect(try running.wait().status == 0)
        #expect(try workspace.logdb("dump", workspace.database, "--operations").lines.count == 11)
    }

    @Test func `an acknowledged operation is seen by a reader beside the writer`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively(
            "load", workspace.database, "--acknowledge", "--persistence", "process", "--segment-size", "64KiB")
        for count in 1...50 {
            running.send("{\"table\":\"t\",\"key\":\(count),\"value\":{\"n\":\(count)}}\n")
            try running.wait { running.linesSoFar == count }
            if count % 10 == 0 {
                #expect(try workspace.logdb("get", workspace.database, "t", "\(count)", "--integer-key").output == "{\"n\":\(count)}\n")
                #expect(try workspace.logdb("dump", workspace.database).lines.count == count)
                #expect(try workspace.logdb("tables", workspace.database).output == "{\"name\":\"t\"}\n")
                #expect(try workspace.logdb("stats", workspace.database, "--json").status == 0)
                #expect(try workspace.logdb("verify", workspace.database).status == 0)
            }
        }
        #expect(try running.wait().status == 0)
    }
}
