//===--- RevertCommand.swift - logdb revert --------------------------------===//

import ArgumentParser
import LogDB

struct RevertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Make all documents, a table or one document what they were.",
        discussion: """
            Writes what differs from the state of then as new operations, all of them or, if anything fails, none. Nothing is undone: what stood before is history, \
            and goes when the tables' retention says so. Make a savepoint first to be able to go back. 'logdb diff DB now MOMENT' prints what would be done.

            Documents that expire are written to expire when they were to; those of then that have expired by now stay away.

            Tables that were dropped since are made again, without schema, retention and time to live; tables that were made since stay, empty.

            Prints what was written: {"upserts":12,"deletes":3}

            Examples:

              logdb revert saves.logdb --to "before the boss"
              logdb revert saves.logdb actors --to "2h ago"
              logdb revert saves.logdb actors goblin-7 --to 8204
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table; all tables if it is left out.")
    var table: String?

    @Argument(help: ArgumentHelp("The key; the whole table if it is left out.", valueName: "key"))
    var key: String?

    @Flag(help: "The key is a 64-bit integer.")
    var integerKey = false

    @Option(help: ArgumentHelp("The moment: a number, a time, or a savepoint.", valueName: "moment"))
    var to: MomentArgument

    func validate() throws {
        if integerKey, key.flatMap({ Int64($0) }) == nil { throw ValidationError("--integer-key needs a key that is a 64-bit integer") }
    }

    func run() throws {
        let report = try withDatabase(database.path, .toChange) { database in
            guard let table else { return try database.revert(to: to.moment) }
            guard let key else { return try database.revert(table, to: to.moment) }
            return try database.revert(table, integerKey ? .integer(Int64(key) ?? 0) : .string(key), to: to.moment)
        }
        var output = OutputBuffer()
        output.bytes.append("{\"upserts\":\(report.upserts),\"deletes\":\(report.deletes)}\n")
        try output.flush()
    }
}
