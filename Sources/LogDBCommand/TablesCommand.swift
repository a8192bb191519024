//===--- TablesCommand.swift - logdb tables --------------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct TablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "List the tables.",
        discussion: """
            Prints each table as a line of JSON, {"name":"actors"}, in the order of their names. 'logdb stats' says how much is in them.

            Example:

              logdb tables saves.logdb
            """)

    @OptionGroup var database: DatabasePath

    func run() throws {
        var output = OutputBuffer()
        for name in try withDatabase(database.path, .toRead, { try $0.tables }).sorted() {
            output.bytes.append("{\"name\":")
            JSONText.append(name, to: &output.bytes)
            output.bytes.append("}\n")
        }
        try output.flush()
    }
}
