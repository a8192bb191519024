//===--- DeleteCommand.swift - logdb delete --------------------------------===//

import ArgumentParser
import LogDB

struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete one document.",
        discussion: """
            Deletes the document under the key and prints the operation's sequence number once it is as safe as --persistence says. \
            Deleting what is not there is no error, and an operation all the same. A database that does not exist is not created.

            Examples:

              logdb delete saves.logdb actors goblin-7
              logdb delete saves.logdb rooms 12 --integer-key --persistence process
            """)

    @OptionGroup var database: DatabasePath
    @OptionGroup var address: DocumentAddress

    @Option(help: ArgumentHelp("How safe the deletion is on return: process, disk or interval:100ms.", valueName: "level"))
    var persistence = PersistenceArgument.disk

    func run() throws {
        try withDatabase(database.path, .toChange) { database in
            let number = try database.delete(address.table, address.key, persistence: persistence.level)
            var output = OutputBuffer()
            try output.say("{\"sequence\":\(number)}")
        }
    }
}
