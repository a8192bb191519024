import Foundation
import Testing

/// `load` with lines that begin, commit and roll back.
struct TransactionLinesTests {
    private static let trade = [
        #"{"op":"begin","tx":"trade"}"#,
        #"{"tx":"trade","table":"actors","key":"goblin","value":{"gold":0}}"#,
        #"{"table":"log","key":1,"value":{"said":"hello"}}"#,
        #"{"tx":"trade","table":"actors","key":"hero","value":{"gold":9}}"#,
        #"{"table":"actors","key":"hero","value":{"gold":10}}"#,
        #"{"op":"commit","tx":"trade"}"#,
    ]

    @Test(arguments: [[], ["--acknowledge"], ["--persistence", "process"], ["--batch", "2"]])
    func `an operation has the place of its line, whenever its transaction commits`(_ options: [String]) throws {
        let workspace = try Workspace()
        let outcome = try workspace.logdb(["load", workspace.database] + options, input: Self.trade.joined(separator: "\n"))
        #expect(outcome.status == 0 && outcome.error == "")
        #expect(
            try workspace.logdb("dump", workspace.database).lines == [
                #"{"table":"actors","key":"goblin","value":{"gold":0}}"#,
                // Written on its own after the transaction's, so it stands.
                #"{"table":"actors","key":"hero","value":{"gold":10}}"#,
                #"{"table":"log","key":1,"value":{"said":"hello"}}"#,
            ])
    }

    @Test func `a transaction's operations are acknowledged together, at its commit`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database, "--acknowledge")
        running.send(Self.trade[0...1].joined(separator: "\n") + "\n" + Self.trade[2] + "\n")
        // The one on its own is acknowledged, the one before it is not.
        try running.wait { running.linesSoFar == 1 }
        running.send(Self.trade[3...4].joined(separator: "\n") + "\n")
        try running.wait { running.linesSoFar == 2 }
        running.send(Self.trade[5] + "\n")
        try running.wait { running.linesSoFar == 4 }
        let outcome = try running.wait()
        #expect(outcome.status == 0)
        let operations = try workspace.logdb("dump", workspace.database, "--operations").output
        let numbers = outcome.lines.compactMap { Int($0) }
        #expect(numbers.count == 4 && Set(numbers).count == 4)
        for number in numbers { #expect(operations.contains("\"sequence\":\(number),")) }
        #expect(numbers[2] < numbers[0] && numbers[3] < numbers[1], "acknowledged late, made early")
    }

    @Test func `a line without tx belongs to the transaction without a name while there is one`() throws {
        let workspace = try Workspace()
        let lines = [
            #"{"op":"begin"}"#, #"{"table":"t","key":1,"value":{}}"#, #"{"op":"rollback"}"#,
            #"{"op":"begin"}"#, #"{"table":"t","key":2,"value":{}}"#, #"{"op":"commit"}"#, #"{"table":"t","key":3,"value":{}}"#,
            #"{"op":"begin","tx":"empty"}"#, #"{"op":"commit","tx":"empty"}"#,
        ]
        let outcome = try workspace.logdb("load", workspace.database, "--acknowledge", input: lines.joined(separator: "\n"))
        #expect(outcome.status == 0 && outcome.lines.count == 2)
        #expect(
            try workspace.logdb("dump", workspace.database).lines == [
                #"{"table":"t","key":2,"value":{}}"#, #"{"table":"t","key":3,"value":{}}"#,
            ])
    }

    @Test func `a transaction that is open at the end of the input is rolled back, and that is an error`() throws {
        let workspace = try Workspace()
        let outcome = try workspace.logdb(
            "load", workspace.database, input: ([#"{"table":"t","key":1,"value":{}}"#] + Self.trade.dropLast()).joined(separator: "\n"))
        expectFailure(
            outcome,
            "the input ended before a commit or rollback: 2 operations of 1 open transaction (\"trade\") were rolled back. 3 operations before it were kept."
        )
        #expect(try workspace.logdb("dump", workspace.database).lines.count == 3)
        #expect(try workspace.logdb("load", workspace.database, "--skip-invalid", input: Self.trade[0]).status == 0)
    }

    @Test(arguments: [
        (#"{"op":"begin","tx":"a"}"#, #"transaction "a" is open already: commit it first, or use another "tx""#),
        (#"{"op":"commit","tx":"b"}"#, #"transaction "b" is not open: begin it first"#),
        (#"{"op":"rollback"}"#, "no transaction without a name is open"),
        (#"{"tx":"b","table":"t","key":2,"value":{}}"#, #"transaction "b" is not open: begin it first"#),
    ])
    func `a line that does not fit the transactions is named, and what is open rolled back`(_ line: String, _ complaint: String) throws {
        let workspace = try Workspace()
        let lines = [
            #"{"table":"t","key":1,"value":{}}"#, #"{"op":"begin","tx":"a"}"#, #"{"tx":"a","table":"t","key":3,"value":{}}"#, line,
        ]
        expectFailure(
            try workspace.logdb("load", workspace.database, input: lines.joined(separator: "\n")),
            "line 4: \(complaint). 1 operation before it was kept. 1 operation of 1 open transaction (\"a\") was rolled back.")
        #expect(try workspace.logdb("dump", workspace.database).lines == [#"{"table":"t","key":1,"value":{}}"#])
    }

    @Test func `a document in a transaction that is no document is named by line and column`() throws {
        let workspace = try Workspace()
        let lines = [#"{"op":"begin"}"#, #"{"table":"t","key":1,"value":{"a":tru}}"#]
        let outcome = try workspace.logdb("load", workspace.database, input: lines.joined(separator: "\n"))
        #expect(outcome.error.hasPrefix("logdb: line 2, column 38: expected true, false or null."))
    }

    @Test func `a transaction that loses a line to --skip-invalid is rolled back as a whole`() throws {
        let workspace = try Workspace()
        let lines = [
            #"{"op":"begin","tx":"a"}"#, #"{"tx":"a","table":"t","key":1,"value":{}}"#,
            #"{"tx":"a","table":"t","key":2,"value":{"x":tru}}"#,
            #"{"op":"commit","tx":"a"}"#, #"{"table":"t","key":3,"value":{}}"#,
            // Whose line this was nobody knows.
            #"{"op":"begin","tx":"b"}"#, #"{"tx":"b","table":"t","key":4,"value":{}}"#, "{", #"{"op":"commit","tx":"b"}"#,
            #"{"op":"begin","tx":"c"}"#, #"{"tx":"c","table":"t","key":5,"value":{}}"#, #"{"table":"t","key":6,"value":7}"#,
            #"{"op":"commit","tx":"c"}"#,
        ]
        let outcome = try workspace.logdb("load", workspace.database, "--skip-invalid", input: lines.joined(separator: "\n"))
        #expect(outcome.status == 0)
        #expect(outcome.error.contains("3 transactions rolled back because of invalid lines"))
        #expect(try workspace.logdb("dump", workspace.database).lines == [#"{"table":"t","key":3,"value":{}}"#])
    }

    /// Transactions that begin, write, commit and roll back at random, mixed with operations on their own.
    private struct Stream {
        var lines: [String] = []
        /// What a dump holds after the first `n` lines, as lines without order.
        var documents: [String: String] = [:]
        var acknowledged = 0

        init(seed: UInt64, count: Int) {
            var state = seed
            func random(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((state >> 33) % UInt64(bound))
            }
            // Key, its line's number, its document.
            var open: [String: [(String, Int, String?)]] = [:]
            var winners: [String: (Int, String?)] = [:]
            func write(_ key: String, _ place: Int, _ value: String?) {
                if let known = winners[key], known.0 > place { return }
                winners[key] = (place, value)
            }
            for place in 0..<count {
                let name = "t\(random(4))"
                let key = "k\(random(40))"
                let value: String? =
                    random(6) == 0 ? nil : #"{"place":\#(place),"filler":"\#(String(repeating: "x", count: random(400)))"}"#
                let operation = #""table":"t","key":"\#(key)","value":\#(value ?? "null")}"#
                switch random(10) {
                case 0..<4:
                    lines.append("{" + operation)
                    write(key, place, value)
                    acknowledged += 1
                case 4..<9 where open[name] != nil:
                    lines.append(#"{"tx":"\#(name)","# + operation)
                    open[name]?.append((key, place, value))
                default:
                    guard let made = open.removeValue(forKey: name) else {
                        open[name] = []
                        lines.append(#"{"op":"begin","tx":"\#(name)"}"#)
                        continue
                    }
                    let commits = random(3) > 0
                    lines.append(#"{"op":"\#(commits ? "commit" : "rollback")","tx":"\#(name)"}"#)
                    guard commits else { continue }
                    for (key, place, value) in made { write(key, place, value) }
                    acknowledged += made.count
                }
            }
            for name in open.keys.sorted() { lines.append(#"{"op":"rollback","tx":"\#(name)"}"#) }
            for (key, winner) in winners { documents[key] = winner.1 }
        }
    }

    @Test(arguments: [1, 2, 3], ["process", "disk"])
    func `interleaved transactions give what a dictionary gives that knows the rule of order`(_ seed: Int, _ level: String) throws {
        let workspace = try Workspace()
        let stream = Stream(seed: UInt64(seed), count: 4000)
        let load = try workspace.logdb(
            "load", workspace.database, "--segment-size", "64KiB", "--persistence", level, "--batch", "50", "--no-compaction",
            input: stream.lines.joined(separator: "\n"))
        #expect(load.status == 0 && load.error == "")
        let dump = try workspace.logdb("dump", workspace.database).lines
        #expect(Set(dump) == Set(stream.documents.map { #"{"table":"t","key":"\#($0)","value":\#($1)}"# }))
        #expect(try workspace.logdb("dump", workspace.database, "--operations").lines.count == stream.acknowledged)
        #expect(try workspace.logdb("verify", workspace.database).status == 0)
    }

    @Test func `stats beside the writer shows what is not committed`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database, "--acknowledge")
        running.send(Self.trade[0...4].joined(separator: "\n") + "\n")
        try running.wait { running.linesSoFar == 2 }
        let stats = try workspace.logdb("stats", workspace.database, "--json")
        #expect(stats.output.contains(#""openTransactions":[{"operations":2,"#))
        #expect(try workspace.logdb("stats", workspace.database).output.contains("uncommitted   2 operations, "))
        #expect(try workspace.logdb("dump", workspace.database).lines.count == 2)
        running.signal(SIGKILL)
        _ = try running.wait()
        #expect(try workspace.logdb("put", workspace.database, "t", "k", "{}").status == 0)
        #expect(try workspace.logdb("dump", workspace.database).lines.count == 3)
    }

    @Test func `Ctrl-C keeps what was acknowledged and rolls back what is open`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database, "--acknowledge")
        running.send(Self.trade[0...4].joined(separator: "\n") + "\n")
        try running.wait { running.linesSoFar == 2 }
        running.signal(SIGINT)
        let outcome = try running.wait()
        #expect(outcome.status == 130)
        #expect(outcome.error.contains("2 operations were kept. 2 operations of 1 open transaction (\"trade\") were rolled back."))
        #expect(try workspace.logdb("dump", workspace.database).lines.count == 2)
    }
}
