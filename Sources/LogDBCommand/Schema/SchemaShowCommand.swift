//===--- SchemaShowCommand.swift - logdb schema show, history --------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct SchemaShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the schema of a table.",
        discussion: """
            Prints the schema as it was given, byte for byte, so that it can be changed and set again. On stderr it says which version that is, which \
            keys the table takes, and whether 'format' is a rule. A table that takes any document prints nothing.

            Examples:

              logdb schema show saves.logdb actors > actor.schema.json
              logdb schema show saves.logdb actors --version 2
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String

    @Option(help: ArgumentHelp("An earlier version; 'logdb schema history' lists them.", valueName: "number"))
    var version: Int?

    func run() throws {
        let shown = try withDatabase(database.path, .toRead) { database in
            let current = try database.schema(of: table)
            guard let version else { return current }
            guard let found = try database.schemaHistory(of: table).first(where: { $0.number == version }) else {
                throw CommandFailure("there is no version \(version) of the schema of \"\(table)\"")
            }
            return found
        }
        guard let shown else { return StandardError.report("\"\(table)\" has no schema: it takes any document") }
        var parts = ["version \(shown.number)", shown.keys.map { "\($0.rawValue) keys" } ?? "any keys"]
        if shown.text == nil { parts.append("any document") }
        if shown.assertsFormats { parts.append("formats are rules") }
        StandardError.report(parts.joined(separator: ", "))
        guard let text = shown.text else { return }
        var output = OutputBuffer()
        output.bytes += text
        if text.last != UInt8(ascii: "\n") { output.bytes.append(UInt8(ascii: "\n")) }
        try output.flush()
    }
}

struct SchemaHistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Print all versions of the schema of a table.",
        discussion: """
            Prints a line of JSON for each version, the oldest first; the last one is in force. Times are milliseconds since 1970 UTC. A member that is \
            not there means: any keys, any document, 'format' is a remark.

              {"version":1,"time":1790000000021,"keys":"string","schema":{"type":"object"}}
              {"version":2,"time":1790000360000}

            Examples:

              logdb schema history saves.logdb actors
              logdb schema history saves.logdb actors | tail -n 1
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String

    func run() throws {
        var output = OutputBuffer()
        for version in try withDatabase(database.path, .toRead, { try $0.schemaHistory(of: table) }) {
            version.append(to: &output.bytes)
            try output.flushIfFull()
        }
        try output.flush()
    }
}

extension SchemaVersion {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append("{\"version\":\(number),\"time\":\(milliseconds)")
        if let keys { bytes.append(",\"keys\":\"\(keys.rawValue)\"") }
        if assertsFormats { bytes.append(",\"formats\":true") }
        if let text {
            bytes.append(",\"schema\":")
            bytes.append(line: text.span)
        }
        bytes.append("}\n")
    }
}
