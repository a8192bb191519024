//===--- DumpCommand.swift - logdb dump ------------------------------------===//

import ArgumentParser
import LogDB

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print the live documents, or every operation in the log.",
        discussion: """
            Prints each live document once, by table and key, as a line that 'logdb load' reads:

              {"table":"actors","key":"goblin-7","value":{"hp":7}}

            Dumping, loading the output into a new database and dumping that gives the same bytes. Documents are printed byte for byte as \
            stored, except that newlines between their tokens become spaces.

            --operations prints every operation still in the log, in the order in which they happened, with sequence number and time \
            (milliseconds since 1970 UTC):

              {"sequence":1,"time":1790000000021,"table":"actors","key":"goblin-7","value":{"hp":7}}
              {"sequence":2,"time":1790000000022,"table":"actors","key":"goblin-7","delete":true}

            A table that does not exist prints nothing, and says so on stderr. Prints the state at the moment it starts, also while a writer is at work. Damage in what it reads ends it with exit status 1, \
            after the lines that were sound; a short answer never looks like a whole one.

            Examples:

              logdb dump saves.logdb > backup.ndjson
              logdb dump saves.logdb --table actors | wc -l
              logdb dump saves.logdb --operations | tail -n 20
            """)

    @OptionGroup var database: DatabasePath

    @Option(help: ArgumentHelp("Only this table.", valueName: "table"))
    var table: String?

    @Flag(help: "Every operation in the log instead of the live documents.")
    var operations = false

    func run() throws {
        var printer = OperationPrinter()
        try withDatabase(database.path, .toRead) { database in
            if let table, try !database.tables.contains(table) { StandardError.report("there is no table \"\(table)\": nothing to print") }
            do {
                if operations {
                    try database.replay { operation in
                        if let table, operation.table != table { return }
                        try printer.printOperation(operation)
                    }
                } else {
                    try database.select(table) { try printer.printDocument($0) }
                }
            } catch {
                // What was sound is printed, whole lines of it, and then the failure counts.
                try printer.finish()
                throw error
            }
            try printer.finish()
        }
    }
}

/// Standard output, line by line.
private struct OperationPrinter {
    private var lines = OperationLines()
    private var output = OutputBuffer()
    private var progress = ProgressLine(quiet: Descriptors.isTerminal(1), updatesPerLook: 1000)
    private var count = 0

    mutating func printDocument(_ operation: borrowing Operation) throws {
        lines.append(table: operation.table, key: try operation.key, document: operation.document, to: &output.bytes)
        try printed()
    }

    mutating func printOperation(_ operation: borrowing Operation) throws {
        try lines.append(operation, to: &output.bytes)
        try printed()
    }

    @inline(__always)
    private mutating func printed() throws {
        try output.flushIfFull()
        count += 1
        let (count, bytes) = (count, output.bytesWritten)
        progress.update { "\(count.grouped) lines, \(bytes.asBytes), \(Int(Double(count) / $0).grouped) a second" }
    }

    mutating func finish() throws {
        try output.flush()
        progress.finish { "\(counted(count, "line")) dumped in \($0.rounded(to: 1)) s" }
    }
}
