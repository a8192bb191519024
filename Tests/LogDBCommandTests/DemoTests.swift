import Foundation
import Testing

struct DemoTests {
    @Test func `the demonstration succeeds, shows its figures and leaves nothing behind`() throws {
        let workspace = try Workspace()
        let demo = try workspace.logdb("demo", "--seed", "7", "--bulk", "5000")
        #expect(demo.status == 0)
        #expect(demo.error == "")
        for words in [
            "(seed 7)", "killed with SIGKILL after", "saves acknowledged by then", "saves found, all complete",
            "acknowledged saves lost           0", "sealed with lz4", "everything loaded again in", "live documents, all equal",
        ] { #expect(demo.output.contains(words), "\(words)") }
        let path = try #require(demo.output.firstMatch(of: #/in (\S+)/game\.logdb/#)?.1)
        #expect(!FileManager.default.fileExists(atPath: String(path)))
    }

    @Test func `--keep leaves a database that can be looked at`() throws {
        let workspace = try Workspace()
        let demo = try workspace.logdb("demo", "--bulk", "100", "--keep")
        #expect(demo.status == 0)
        let path = String(try #require(demo.output.firstMatch(of: #/in (\S+/game\.logdb)/#)?.1))
        defer { try? FileManager.default.removeItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path) }
        #expect(try workspace.logdb("verify", path).status == 0)
        #expect(try workspace.logdb("get", path, "world", "clock").output.hasPrefix(#"{"save":"#))
    }
}
