//===--- SavepointCommand.swift - logdb savepoint --------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct SavepointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "savepoint",
        abstract: "Name this moment, list such names, or release one.",
        discussion: """
            With a name: keeps the state of every table as of now, whatever is written, deleted, dropped or compacted later, until it is released. \
            Without one: lists the savepoints, the oldest first. Either way a savepoint is a line of JSON:

              {"name":"before the boss","sequence":8204,"time":"2026-11-26T20:15:07.042Z"}

            A savepoint costs nothing but the disk of what is superseded after it. 'logdb dump --as-of NAME' prints its state.

            Examples:

              logdb savepoint saves.logdb "before the boss"
              logdb savepoint saves.logdb
              logdb dump saves.logdb --as-of "before the boss"
              logdb savepoint saves.logdb --release "before the boss"
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("Let go of this one instead.", valueName: "name"))
    var release: String?

    func validate() throws {
        guard name == nil || release == nil else { throw ValidationError("a savepoint is made or released, not both") }
    }

    func run() throws {
        var output = OutputBuffer()
        if let release {
            _ = try withDatabase(database.path, .toChange) { try $0.releaseSavepoint(release) }
        } else if let name {
            let made = try withDatabase(database.path, .toChange) { try $0.savepoint(name) }
            made.append(to: &output.bytes)
        } else {
            for savepoint in try withDatabase(database.path, .toRead, { try $0.savepoints }) { savepoint.append(to: &output.bytes) }
        }
        try output.flush()
    }
}

extension Savepoint {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append("{\"name\":")
        JSONText.append(name, to: &bytes)
        bytes.append(",\"sequence\":\(sequenceNumber),\"time\":")
        JSONText.append(CalendarTime.text(milliseconds), to: &bytes)
        bytes.append("}\n")
    }
}
