import Foundation
import Testing

/// A bad line is named by line and column; what stands before it is kept and counted.
struct BadInputTests {
    struct Case: CustomTestStringConvertible {
        var line: String
        var complaint: String
        var testDescription: String { line }
        init(_ line: String, _ complaint: String) {
            self.line = line
            self.complaint = complaint
        }
    }

    static let cases = [
        Case(#"{"table" "t","key":"k","value":{}}"#, "column 10: expected a colon after the member name"),
        Case(#"{"table":"t","key":"k","value":{}"#, "column 34: unexpected end"),
        Case(#"{"table":"t","key":"k","value":{"a":01}}"#, "column 37: leading zero"),
        // Characters are counted, not bytes: ü has two bytes, 😀 four.
        Case(#"{"table":"t","key":"k","value":{"ü😀":tru}}"#, "column 41: expected true, false or null"),
        Case(#"{"table":"t","key":"k","value":{}} x"#, "column 36: text after the document"),
        Case(#"["table"]"#, "column 1: the line is not a JSON object"),
        Case("plain text", "column 1: expected a value"),
        Case(#"{"key":"k","value":{}}"#, #"column 1: there is no member "table""#),
        Case(#"{"table":"t","value":{}}"#, #"column 1: there is no member "key""#),
        Case(#"{"table":"t","key":"k"}"#, #"column 1: there is no member "value""#),
        Case(#"{"table":"t","key":"k","value":{},"ttl":3}"#, #"column 35: unknown member "ttl""#),
        Case(#"{"table":"t","table":"t","key":"k","value":{}}"#, #"column 14: a second member "table""#),
        Case(#"{"table":"t","key":"k","value":{},"value":{}}"#, #"column 35: a second member "value""#),
        Case(#"{"table":7,"key":"k","value":{}}"#, "column 10: the table is not a string"),
        Case(#"{"table":"t","key":true,"value":{}}"#, "column 20: the key is neither a string nor an integer"),
        Case(
            #"{"table":"t","key":1.5,"value":{}}"#,
            "column 21: the key is a number with a fraction or an exponent: a key is a string or a 64-bit integer"),
        Case(
            #"{"table":"t","key":9223372036854775808,"value":{}}"#,
            "column 20: the key does not fit 64 bits: a key is a string or a 64-bit integer"),
        Case(#"{"table":"t","key":"k","value":[1]}"#, "column 32: the value is neither an object nor null"),
        Case(#"{"table":"t","key":"k","value":"x"}"#, "column 32: the value is neither an object nor null"),
        Case(#"{"op":"upsert"}"#, #"column 7: the op is none of "begin", "commit", "rollback""#),
        Case(#"{"op":7}"#, #"column 7: the op is none of "begin", "commit", "rollback""#),
        Case(#"{"op":"begin","table":"t"}"#, #"column 15: a line with "op" has no member "table""#),
        Case(#"{"op":"begin","tx":7}"#, "column 20: the transaction's name is not a string"),
        Case(#"{"table":"t","key":"k","value":{},"tx":null}"#, "column 40: the transaction's name is not a string"),
    ]

    private static let good = #"{"table":"t","key":"k","value":{"good":true}}"#

    @Test(arguments: cases)
    func `a bad line ends the load with its place, after usual lines`(_ bad: Case) throws {
        let workspace = try Workspace()
        let file = try workspace.file("in.ndjson", "\(Self.good)\n\n\(Self.good)\n\(bad.line)\n\(Self.good)\n")
        let outcome = try workspace.logdb("load", workspace.database, file)
        expectFailure(outcome, "\(file) line 4, \(bad.complaint). 2 operations before it were kept.")
        #expect(try workspace.logdb("dump", workspace.database, "--operations").lines.count == 2)
    }

    @Test(arguments: cases, [1, 3])
    func `a bad line first of all, in batches of any size, keeps nothing or what was before`(_ bad: Case, _ batch: Int) throws {
        let workspace = try Workspace()
        let arguments = ["load", workspace.database, "--batch", String(batch), "--acknowledge"]
        let first = try workspace.logdb(arguments, input: "\(bad.line)\n\(Self.good)\n")
        expectFailure(first, "line 1, \(bad.complaint). 0 operations before it were kept.")
        let second = try workspace.logdb(arguments, input: "\(Self.good)\n\(bad.line)\n\(Self.good)\n")
        #expect(second.error == "logdb: line 2, \(bad.complaint). 1 operation before it was kept.\n")
        #expect(second.lines.count == 1)
    }

    @Test func `--skip-invalid carries on and says how many`() throws {
        let workspace = try Workspace()
        let lines = Self.cases.flatMap { [Self.good, $0.line] } + [Self.good]
        let outcome = try workspace.logdb(
            "load", workspace.database, "--skip-invalid", "--acknowledge", input: lines.joined(separator: "\n"))
        #expect(outcome.status == 0)
        #expect(outcome.lines.count == Self.cases.count + 1)
        #expect(
            outcome.error
                == "logdb: \(Self.cases.count) invalid lines passed over, the first at line 2, \(Self.cases[0].complaint)\n")
    }

    // A line cut off right behind "value": once made an empty range of negative length, and that ended the process.
    @Test func `a line cut off anywhere, or with any byte of it changed, is passed over or means what it says`() throws {
        let workspace = try Workspace()
        let lines = [Self.good, #"{"table":"t","key":-7,"value":null}"#, #"{"table":"t","key":7,"value":{"a":"\u00e9"}}"#]
        var input: [UInt8] = []
        var count = 0
        func add(_ line: some Sequence<UInt8>) {
            input += Self.good.utf8 + [0x0A] + line + [0x0A]
            count += 1
        }
        for line in lines {
            for end in 1..<line.utf8.count { add(line.utf8.prefix(end)) }
            for place in line.utf8.indices {
                for byte in [UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "x"), 0x00, 0xC3] {
                    add(line.utf8.indices.map { $0 == place ? byte : line.utf8[$0] })
                }
            }
        }
        let file = workspace.path("mutants")
        try Data(input).write(to: URL(fileURLWithPath: file))
        let load = try workspace.logdb("load", workspace.database, file, "--skip-invalid", "--persistence", "process")
        #expect(load.status == 0)
        // What was taken is well-formed, every line of it, and the good ones are all there.
        let taken = try workspace.logdb("dump", workspace.database, "--operations").lines
        #expect(taken.count >= count)
        for line in taken { #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)") }
        let passedOver = try #require(Int(load.error.dropFirst("logdb: ".count).prefix { $0 != " " }.filter { $0 != "," }))
        #expect(taken.count + passedOver == 2 * count)
    }

    @Test func `names and keys the engine refuses are named by line`() throws {
        let workspace = try Workspace()
        let longName = String(repeating: "n", count: 256)
        let longKey = String(repeating: "k", count: 65_536)
        for (line, code) in [
            (#"{"table":"","key":"k","value":{}}"#, "invalidTableName"),
            (#"{"table":"\#(longName)","key":"k","value":{}}"#, "invalidTableName"),
            (#"{"table":"a\u0001","key":"k","value":{}}"#, "invalidTableName"),
            (#"{"table":"t","key":"\#(longKey)","value":{}}"#, "keyTooLarge"),
        ] {
            let outcome = try workspace.logdb("load", workspace.database, input: "\(Self.good)\n\(line)\n\(Self.good)\n")
            #expect(outcome.status == 1)
            #expect(outcome.error.hasPrefix("logdb: line 2: \(code): "), "\(outcome.error)")
            #expect(outcome.error.hasSuffix(" 1 operation before it was kept.\n"))
            let skipping = try workspace.logdb(
                "load", workspace.database, "--skip-invalid", "--acknowledge", "--batch", "10",
                input: "\(Self.good)\n\(line)\n\(Self.good)\n")
            #expect(skipping.status == 0 && skipping.lines.count == 2)
        }
    }

    @Test func `a line without end takes no memory without end`() throws {
        let workspace = try Workspace()
        let running = try workspace.startInteractively("load", workspace.database, "--skip-invalid")
        running.send(Self.good + "\n")
        let piece = String(repeating: "x", count: 1 << 20)
        for _ in 0..<100 { running.send(piece) }
        running.send("\n\(Self.good)\n")
        let outcome = try running.wait()
        #expect(outcome.status == 0)
        #expect(outcome.error.hasPrefix("logdb: 1 invalid line passed over, the first at line 2: longer than "))
        #expect(try workspace.logdb("dump", workspace.database, "--operations").lines.count == 2)
    }

    @Test func `a plain document without a usable key is named by line`() throws {
        let workspace = try Workspace()
        for (line, complaint) in [
            (#"{"name":"x"}"#, #"column 1: there is no key: the document has no field "meta.id""#),
            (#"{"meta":7}"#, #"column 1: there is no key: the document has no field "meta.id""#),
            (#"{"meta":{"id":null}}"#, "column 15: the key is neither a string nor an integer"),
            ("[]", "column 1: the line is not a JSON object"),
        ] {
            let outcome = try workspace.logdb("load", workspace.database, "--table", "t", "--key", "meta.id", input: line)
            expectFailure(outcome, "line 1, \(complaint). 0 operations before it were kept.")
        }
    }
}
