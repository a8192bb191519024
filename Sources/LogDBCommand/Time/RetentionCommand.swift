//===--- RetentionCommand.swift - logdb retention --------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Show or set which older versions a table keeps.",
        discussion: """
            A compaction clears away superseded documents, except those that the table's retention names:

              latest          none but the newest document of each key: the default
              versions:5      the newest five of each key
              age:30d         what was valid at any moment of the last 30 days (units s, min, h, d, w)
              all             everything, for ever
              ladder          everything for an hour, hourly for a day, daily for a month
              ladder:all/1h,1h/1d,1w/52w
                              the same with rungs of your own: how far apart, slash, for how long

            A document that has expired (see 'logdb ttl') is superseded by that.

            What a savepoint needs is kept whatever the retention. Setting it clears nothing away, the next compaction does; what is gone does not come back.

            Without a policy, prints that of the table, or of all tables, as lines of JSON:

              {"table":"actors","retention":"versions:5"}

            Examples:

              logdb retention saves.logdb
              logdb retention saves.logdb actors ladder
              logdb retention saves.logdb journal age:90d
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String?

    @Argument(help: ArgumentHelp("What it is to keep.", valueName: "policy"))
    var policy: RetentionArgument?

    func run() throws {
        if let table, let policy {
            return try withDatabase(database.path, .toChange) { try $0.setRetention(policy.retention, of: table) }
        }
        var output = OutputBuffer()
        try withDatabase(database.path, .toRead) { database in
            for name in try table.map({ [$0] }) ?? database.tables {
                output.bytes.append("{\"table\":")
                JSONText.append(name, to: &output.bytes)
                output.bytes.append(",\"retention\":")
                JSONText.append(RetentionArgument.text(try database.retention(of: name)), to: &output.bytes)
                output.bytes.append("}\n")
            }
        }
        try output.flush()
    }
}
