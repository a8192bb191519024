import Foundation
import Testing

/// `logdb salvage`, as its help says.
struct SalvageTests {
    /// A database whose first 30,000 operations are sealed.
    private func filled() throws -> Workspace {
        let workspace = try Workspace()
        #expect(try workspace.logdb("load", workspace.database, "--no-compaction", input: History.text(0..<30_000)).status == 0)
        #expect(try workspace.logdb("seal", workspace.database).status == 0)
        #expect(try workspace.logdb("load", workspace.database, "--no-compaction", input: History.text(30_000..<30_500)).status == 0)
        return workspace
    }

    private func objects(_ outcome: Outcome) throws -> [[String: Any]] {
        try outcome.lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }

    private func files(_ path: String) throws -> [String: Data] {
        var result: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            result[name] = FileManager.default.contents(atPath: path + "/" + name)
        }
        return result
    }

    @Test func `of an undamaged database nothing is lost, and the status is 0`() throws {
        let workspace = try filled()
        let new = workspace.path("new.logdb")
        let before = try files(workspace.database)
        let outcome = try workspace.logdb("salvage", workspace.database, new)
        #expect(outcome.status == 0)
        #expect(outcome.error == "logdb: nothing is lost: 30,500 operations recovered into \(new)\n")
        let lines = try objects(outcome)
        #expect(lines.count == 1 && (lines[0]["recovered"] as? [String: Any])?["operations"] as? Int == 30_500)
        #expect(try files(workspace.database) == before)
        #expect(try workspace.logdb("dump", new).lines == workspace.logdb("dump", workspace.database).lines)
        #expect(try workspace.logdb("verify", new).status == 0)
        // There is something at NEW now.
        for occupied in [new, workspace.database] {
            let refused = try workspace.logdb("salvage", workspace.database, occupied)
            #expect(refused.status == 1 && refused.output == "", "\(refused.output)")
            #expect(refused.error.hasPrefix("logdb: alreadyExists: \(occupied) is not empty"), "\(refused.error)")
        }
    }

    @Test func `what is lost is a line each, and the status is 2`() throws {
        let workspace = try filled()
        let new = workspace.path("new.logdb")
        let sealed = try #require(try files(workspace.database).keys.first { $0.contains(".seg.") })
        let url = URL(fileURLWithPath: workspace.database + "/" + sealed)
        var bytes = try Data(contentsOf: url)
        let offset = bytes.count / 2
        bytes[offset] ^= 1
        try bytes.write(to: url)
        let failed = try workspace.logdb("dump", workspace.database)
        #expect(failed.status == 1)
        #expect(failed.error.contains("'logdb verify'") && failed.error.contains("'logdb salvage'"), "\(failed.error)")

        let before = try files(workspace.database)
        let outcome = try workspace.logdb("salvage", workspace.database, new)
        #expect(outcome.status == 2 && outcome.error.contains("1 lost part"), "\(outcome.error)")
        #expect(try files(workspace.database) == before)
        let lines = try objects(outcome)
        try #require(lines.count == 2)
        let (loss, end) = (lines[0], lines[1])
        #expect(loss["severity"] as? String == "lost" && loss["file"] as? String == sealed)
        let start = try #require(loss["offset"] as? Int)
        #expect((start..<start + (loss["length"] as? Int ?? 0)).contains(offset))
        #expect(loss["tables"] as? [String] == ["actors", "rooms"])
        let lost = try #require(loss["operations"] as? Int)
        #expect((loss["lastSequence"] as? Int ?? 0) - (loss["firstSequence"] as? Int ?? 0) + 1 == lost)
        #expect((end["recovered"] as? [String: Any])?["operations"] as? Int == 30_500 - lost)
        #expect(try workspace.logdb("dump", new, "--operations").lines.count == 30_500 - lost)
        #expect(try workspace.logdb("verify", new).status == 0)
        #expect(try workspace.logdb("put", new, "actors", "hero", "{}").status == 0)
    }
}
