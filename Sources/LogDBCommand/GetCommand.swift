//===--- GetCommand.swift - logdb get --------------------------------------===//

import ArgumentParser
import LogDB

struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Print one document.",
        discussion: """
            Prints the document as one line, or null: a key that was deleted, was never written, or whose table does not exist, reads the same.

            Examples:

              logdb get saves.logdb actors goblin-7
              logdb get saves.logdb rooms 12 --integer-key
              logdb get saves.logdb rooms --integer-key -- -3
            """)

    @OptionGroup var database: DatabasePath
    @OptionGroup var address: DocumentAddress

    func run() throws {
        let document = try withDatabase(database.path, .toRead) { try $0.document(address.table, address.key) }
        var output = OutputBuffer()
        // A newline can only stand between tokens (JSON allows none in a string), where a space says the same.
        output.bytes = (document ?? Array("null".utf8)).map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        try output.say("")
    }
}
