//===--- DiffCommand.swift - logdb diff ------------------------------------===//

import ArgumentParser
import LogDB

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Print what changed between two moments, as operations.",
        discussion: """
            Prints the operations that turn the documents of the first moment into those of the second, by table and key, as lines that 'logdb load' reads. The second is \
            now if it is left out, and may be the earlier one. Documents that are byte for byte the same are left out.

              {"table":"actors","key":"goblin-7","value":{"hp":3}}
              {"table":"actors","key":"goblin-9","value":null}

            A document that expires says when, as in 'logdb dump'. One that was there at the first moment and has expired at the second counts as deleted.

            Moments are written as for 'logdb dump --as-of': a sequence number, a time, or a savepoint.

            Examples:

              logdb diff saves.logdb "before the boss"
              logdb diff saves.logdb "2h ago" "1h ago" --table actors
              logdb diff saves.logdb 8204 8300 | wc -l
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: ArgumentHelp("The moment to begin with.", valueName: "from"))
    var from: MomentArgument

    @Argument(help: ArgumentHelp("The moment to end with; now if it is left out.", valueName: "to"))
    var to: MomentArgument?

    @Option(help: ArgumentHelp("Only this table.", valueName: "table"))
    var table: String?

    func run() throws {
        var output = OutputBuffer()
        try withDatabase(database.path, .toRead) { database in
            var lines = try OperationLines(database)
            do {
                try database.diff(from: from.moment, to: to?.moment ?? .sequence(.max), table: table) { operation in
                    try lines.appendChange(operation, to: &output.bytes)
                    try output.flushIfFull()
                }
            } catch {
                try output.flush()
                throw error
            }
        }
        try output.flush()
    }
}
