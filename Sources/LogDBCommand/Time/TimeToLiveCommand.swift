//===--- TimeToLiveCommand.swift - logdb ttl -------------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct TimeToLiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ttl",
        abstract: "Show or set when documents of a table expire.",
        discussion: """
            A document that has expired reads as absent, and a compaction reclaims it. When it expires is stamped when it is written: the table's time to live after that, \
            unless the write names its own ('logdb put --ttl'). Changing the table's changes nothing that was written before.

              30min           half an hour after the write (units ms, s, min, h, d, w; 1ms to 100 years)
              never           not at all: the default

            Time is that of the clock of who writes and of who reads. Deletes and order have nothing to do with it.

            Without a time, prints that of the table, or of all tables, as lines of JSON:

              {"table":"sessions","timeToLive":"30min"}

            Examples:

              logdb ttl saves.logdb
              logdb ttl saves.logdb sessions 30min
              logdb ttl saves.logdb sessions never
              logdb put saves.logdb sessions alice '{"token":7}' --ttl 1h
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String?

    @Argument(help: ArgumentHelp("How long its documents live, or never.", valueName: "time"))
    var time: TimeToLiveArgument?

    func run() throws {
        if let table, let time {
            return try withDatabase(database.path, .toChange) { try $0.setTimeToLive(time.duration, of: table) }
        }
        var output = OutputBuffer()
        try withDatabase(database.path, .toRead) { database in
            for name in try table.map({ [$0] }) ?? database.tables {
                output.bytes.append("{\"table\":")
                JSONText.append(name, to: &output.bytes)
                output.bytes.append(",\"timeToLive\":")
                JSONText.append(TimeToLiveArgument.text(try database.timeToLive(of: name)), to: &output.bytes)
                output.bytes.append("}\n")
            }
        }
        try output.flush()
    }
}
