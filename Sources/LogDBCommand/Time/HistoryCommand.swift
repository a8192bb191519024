//===--- HistoryCommand.swift - logdb history ------------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Print the versions of one document, newest first.",
        discussion: """
            Prints every operation on the key that is left, newest first, each as a line of JSON with its number and its time (UTC):

              {"sequence":912,"time":"2026-11-26T20:15:07.042Z","value":{"hp":3}}
              {"sequence":640,"time":"2026-11-26T19:02:51.700Z","delete":true}

            What is left: everything since the last compaction, and before that what the table retains (see 'logdb retention') and what savepoints \
            need. A document that expires, or did, says when: "expires":"2026-11-26T20:45:07.042Z". On stderr it says from when on nothing is missing.

            Examples:

              logdb history saves.logdb actors goblin-7
              logdb history saves.logdb actors goblin-7 --limit 1
              logdb history saves.logdb rooms 7 --integer-key
            """)

    @OptionGroup var database: DatabasePath
    @OptionGroup var address: DocumentAddress

    @Option(help: ArgumentHelp("The most versions to print.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit is 0 or more") }
    }

    private struct Enough: Error {}

    func run() throws {
        var output = OutputBuffer()
        var left = limit ?? .max
        try withDatabase(database.path, .toRead) { database in
            do {
                if left == 0 { return }
                let complete = try database.history(address.table, address.key) { operation in
                    output.bytes.append("{\"sequence\":\(operation.sequenceNumber),\"time\":")
                    JSONText.append(CalendarTime.text(operation.milliseconds), to: &output.bytes)
                    if operation.isDelete {
                        output.bytes.append(",\"delete\":true}\n")
                    } else {
                        OperationLines.appendVersion(operation, to: &output.bytes)
                    }
                    try output.flushIfFull()
                    left -= 1
                    if left == 0 { throw Enough() }
                }
                try output.flush()
                if complete.sequenceNumber > 1 {
                    let time = complete.milliseconds.map { " (\(CalendarTime.text($0)))" } ?? ""
                    StandardError.report("complete from operation \(complete.sequenceNumber)\(time) on")
                }
            } catch is Enough {
                try output.flush()
            } catch {
                try output.flush()
                throw error
            }
        }
    }
}
