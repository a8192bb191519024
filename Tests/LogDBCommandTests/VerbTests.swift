import Foundation
import Testing

/// The verbs for one document, one table, one look.
struct VerbTests {
    @Test func `put, get and delete, with keys of both kinds`() throws {
        let workspace = try Workspace()
        let db = workspace.database
        let put = try workspace.logdb("put", db, "rooms", "7", #"{"name":"Harbor"}"#)
        #expect(put.status == 0 && put.error == "")
        #expect(put.output.hasPrefix(#"{"sequence":"#) && put.lines.count == 1)
        #expect(try workspace.logdb("put", db, "rooms", "7", "--integer-key", #"{"name":"Cellar"}"#).status == 0)
        #expect(try workspace.logdb("put", db, "rooms", "--integer-key", "--", "-3", #"{"name":"Deep"}"#).status == 0)
        #expect(try workspace.logdb("get", db, "rooms", "7").output == "{\"name\":\"Harbor\"}\n")
        #expect(try workspace.logdb("get", db, "rooms", "7", "--integer-key").output == "{\"name\":\"Cellar\"}\n")
        #expect(try workspace.logdb("get", db, "rooms", "--integer-key", "--", "-3").output == "{\"name\":\"Deep\"}\n")

        #expect(try workspace.logdb("delete", db, "rooms", "7").output.hasPrefix(#"{"sequence":"#))
        #expect(try workspace.logdb("get", db, "rooms", "7").output == "null\n")
        #expect(try workspace.logdb("put", db, "rooms", "7", "--integer-key", " null ").status == 0)
        #expect(try workspace.logdb("get", db, "rooms", "7", "--integer-key").output == "null\n")
    }

    @Test func `absent, deleted and in no table all read null`() throws {
        let workspace = try Workspace()
        try workspace.logdb("put", workspace.database, "t", "k", "{}")
        #expect(try workspace.logdb("get", workspace.database, "t", "other").output == "null\n")
        #expect(try workspace.logdb("get", workspace.database, "nowhere", "k").output == "null\n")
        #expect(try workspace.logdb("delete", workspace.database, "t", "other").status == 0)
    }

    @Test func `a document may come from standard input, and its newlines are printed as spaces`() throws {
        let workspace = try Workspace()
        let document = "{\r\n  \"a\": \"\\n\",\n  \"b\": [1,\n2]\n}\n"
        #expect(try workspace.logdb("put", workspace.database, "t", "k", "-", "--persistence", "process", input: document).status == 0)
        let printed = document.replacing("\r\n", with: "  ").replacing("\n", with: " ")
        #expect(try workspace.logdb("get", workspace.database, "t", "k").output == "\(printed)\n")
        #expect(try workspace.logdb("dump", workspace.database).output == "{\"table\":\"t\",\"key\":\"k\",\"value\":\(printed)}\n")
    }

    @Test(arguments: ["", "7", "[1]", "{", #"{"a":1,}"#, #"{"a":"\ud800"}"#, "nul", "{} {}"])
    func `what is no document is refused, and the database stays usable`(_ json: String) throws {
        let workspace = try Workspace()
        let outcome = try workspace.logdb("put", workspace.database, "t", "k", json)
        #expect(outcome.status == 1)
        #expect(outcome.error.hasPrefix("logdb: invalidDocument: "))
        #expect(outcome.error.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try workspace.logdb("put", workspace.database, "t", "k", "{}").status == 0)
    }

    @Test func `tables are listed, dropped and come back empty`() throws {
        let workspace = try Workspace()
        let db = workspace.database
        for table in ["b", "a", "quo\"te"] { try workspace.logdb("put", db, table, "k", "{}") }
        #expect(try workspace.logdb("tables", db).output == "{\"name\":\"a\"}\n{\"name\":\"b\"}\n{\"name\":\"quo\\\"te\"}\n")
        let drop = try workspace.logdb("drop", db, "a")
        #expect(drop.status == 0 && drop.output == "" && drop.error == "")
        #expect(try workspace.logdb("get", db, "a", "k").output == "null\n")
        #expect(try workspace.logdb("dump", db).lines.count == 2)
        expectFailure(try workspace.logdb("drop", db, "a"), "noSuchTable: there is no table \"a\"")
        try workspace.logdb("put", db, "a", "other", "{}")
        #expect(try workspace.logdb("dump", db, "--table", "a").output == "{\"table\":\"a\",\"key\":\"other\",\"value\":{}}\n")
    }

    @Test func `dump prints one table, all operations, or a word about a table that is not there`() throws {
        let workspace = try Workspace()
        let db = workspace.database
        try workspace.logdb("load", db, input: History.text(0..<100))
        let rooms = try workspace.logdb("dump", db, "--table", "rooms")
        #expect(Set(rooms.lines) == History.documents(after: 100).filter { $0.contains(#""table":"rooms""#) })
        let operations = try workspace.logdb("dump", db, "--table", "rooms", "--operations")
        #expect(operations.lines.count == 20)
        #expect(operations.lines.allSatisfy { $0.contains(#""table":"rooms""#) })
        let nowhere = try workspace.logdb("dump", db, "--table", "nowhere")
        #expect(nowhere.status == 0 && nowhere.output == "")
        #expect(nowhere.error == "logdb: there is no table \"nowhere\": nothing to print\n")
    }

    @Test func `an operation is dumped with its number, its time in milliseconds and whether it deletes`() throws {
        let workspace = try Workspace()
        let before = Int(Date().timeIntervalSince1970 * 1000)
        try workspace.logdb("put", workspace.database, "t", "k", #"{"a":1}"#)
        let delete = try workspace.logdb("delete", workspace.database, "t", "k")
        #expect(delete.status == 0 && delete.error == "")
        let lines = try workspace.logdb("dump", workspace.database, "--operations").lines
        let pattern = #/\{"sequence":(\d+),"time":(\d+),"table":"t","key":"k",(.*)\}/#
        let matches = try lines.map { try #require($0.wholeMatch(of: pattern)) }
        try #require(matches.map(\.3) == [#""value":{"a":1}"#, #""delete":true"#])
        #expect(Int(matches[0].1)! < Int(matches[1].1)!)
        for match in matches { #expect((before...before + 600_000).contains(Int(match.2)!)) }
    }

    @Test func `seal leaves standard compressed files, with the codec asked for`() throws {
        let workspace = try Workspace()
        try workspace.logdb("put", workspace.database, "t", "k", "{}")
        let seal = try workspace.logdb("seal", workspace.database, "--codec", "zlib:9")
        #expect(seal.status == 0 && seal.output == "" && seal.error == "")
        let files = try FileManager.default.contentsOfDirectory(atPath: workspace.database)
        #expect(files.contains { $0.hasSuffix(".gz") })
        #expect(try workspace.logdb("get", workspace.database, "t", "k").output == "{}\n")
        #expect(try workspace.logdb("seal", workspace.database).status == 0)
    }

    @Test func `stats say the same to people and to programs`() throws {
        let workspace = try Workspace()
        try workspace.logdb("load", workspace.database, input: History.text(0..<5000))
        let json = try workspace.logdb("stats", workspace.database, "--json")
        #expect(json.lines.count == 1)
        let facts = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let tables = try #require(facts["tables"] as? [[String: Any]])
        #expect(Set(tables.compactMap { $0["name"] as? String }) == ["actors", "rooms"])
        let counted = tables.reduce(0) { $0 + ($1["upserts"] as? Int ?? 0) + ($1["deletes"] as? Int ?? 0) }
        #expect(counted == 5000)
        #expect((facts["files"] as? [Any])?.isEmpty == false)
        #expect((facts["recovery"] as? [String: Any])?["wasClosed"] as? Bool == true)
        let ratio = try #require(facts["ratio"] as? Double)
        #expect((0.01...0.9).contains(ratio))

        let table = try workspace.logdb("stats", workspace.database).output
        for word in ["operations", "raw", "stored", "sealed", "ratio", "last recovery", "actors", "rooms", ".seg.lz4"] {
            #expect(table.contains(word), "\(word)")
        }
    }

    @Test func `verify says sound, or names every damaged place and fails`() throws {
        let workspace = try Workspace()
        try workspace.logdb("load", workspace.database, input: History.text(0..<5000))
        let sound = try workspace.logdb("verify", workspace.database)
        #expect(sound.status == 0 && sound.output == "")
        #expect(sound.error.hasPrefix("logdb: sound: "))

        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: workspace.database).first { $0.hasSuffix(".lz4") })
        let url = URL(fileURLWithPath: workspace.database).appendingPathComponent(name)
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 3] ^= 1
        try bytes.write(to: url)
        let damaged = try workspace.logdb("verify", workspace.database)
        #expect(damaged.status == 1)
        #expect(damaged.output.hasPrefix("{\"file\":\"\(name)\",\"offset\":"))
        #expect(damaged.output.contains("\"error\":\"corrupted: "))
        #expect(damaged.error.hasPrefix("logdb: 1 damaged place in "))

        let dump = try workspace.logdb("dump", workspace.database)
        #expect(dump.status == 1)
        #expect(dump.error.hasPrefix("logdb: corrupted: "))
        #expect(dump.error.contains(name))
        #expect(dump.error.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
    }
}
