//===--- DropCommand.swift - logdb drop ------------------------------------===//

import ArgumentParser
import LogDB

struct DropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Delete a table with all its documents.",
        discussion: """
            The documents are gone at once, and safely so on return; it costs one operation, however many they are. A table of the same \
            name that is written later begins empty. A table that does not exist is an error.

            Example:

              logdb drop saves.logdb actors
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String

    func run() throws {
        try withDatabase(database.path, .toChange) { database in
            try database.dropTable(table)
            try database.flush(to: .disk)
        }
    }
}
