//===--- DumpCommand.swift - logdb dump ------------------------------------===//

import ArgumentParser
import LogDB

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print the documents, those of now or of an earlier moment, or the whole history.",
        discussion: """
            Prints each live document once, by table and key, as a line that 'logdb load' reads:

              {"table":"actors","key":"goblin-7","value":{"hp":7}}

            Where a table has a schema, that stands before its documents, or at the end if it has none, and 'logdb load' sets it. Which keys the table \
            takes and whether 'format' is a rule are left out where there is nothing to say; "schema":null is any document. Earlier versions of a schema \
            are not printed ('logdb schema history' does): where it is loaded, it is version 1.

              {"table":"actors","keys":"string","formats":true,"schema":{"type":"object"}}

            and where it retains older versions ('logdb retention'), what it retains, and where its documents live for a time ('logdb ttl'), for how long, in
            milliseconds; 'logdb load' sets both as well. A document that expires says when, in milliseconds since 1970 UTC; in a table with a time to live one that
            does not says null:

              {"table":"actors","retention":{"keep":"versions","count":5}}
              {"table":"sessions","timeToLive":1800000}
              {"table":"sessions","key":"alice","value":{"token":7},"expires":1790001800021}

            What has expired when the dump starts is not printed. --documents-only leaves the lines of tables out. Savepoints, older versions of documents, and times \
            are not printed: --history does that.

            Dumping, loading the output into a new database and dumping that gives the same bytes. Documents are printed byte for byte as \
            stored, except that newlines between their tokens become spaces.

            --from, --to, --prefix, --limit and --reverse choose among the keys of one --table, and print documents only; --to is not included.

            --operations prints every operation that is still there, with sequence number and time (milliseconds since 1970 UTC): what was \
            compacted by table and key, then the log in the order in which it was written; what has expired as a delete:

              {"sequence":1,"time":1790000000021,"table":"actors","key":"goblin-7","value":{"hp":7}}
              {"sequence":2,"time":1790000000022,"table":"actors","key":"goblin-7","delete":true}

            --history prints all that is left, in the order in which it happened, with times: what tables retain, savepoints at their places, what savepoints need of tables that             were dropped. 'logdb load' makes a database of it whose documents, versions, savepoints and earlier states are those of this one; sequence             numbers are new. 'logdb load --help' has the lines.

              {"time":1790000000021,"table":"actors","key":"goblin-7","value":{"hp":7}}
              {"savepoint":"before the boss","time":1790000000044}

            --as-of prints the documents as they were at an earlier moment: after the operation with a sequence number, at a time (UTC unless it names an \
            offset), or at a savepoint. What has been cleared away is refused with a message that says from when on history is complete; see \
            'logdb retention' and 'logdb savepoint'. Where a savepoint has a name like a number or a time, write savepoint:NAME.

            A table that does not exist prints nothing, and says so on stderr. Prints the state at the moment it starts, also while a writer is at work. Damage in what it reads ends it with exit status 1, \
            after the lines that were sound; a short answer never looks like a whole one.

            Examples:

              logdb dump saves.logdb > backup.ndjson
              logdb dump saves.logdb --table actors --documents-only | wc -l
              logdb dump saves.logdb --table actors --prefix goblin- --limit 10
              logdb dump saves.logdb --table rooms --from 100 --to 200 --integer-key --reverse
              logdb dump saves.logdb --operations | tail -n 20
              logdb dump saves.logdb --history | logdb load copy.logdb
              logdb dump saves.logdb --as-of 8204
              logdb dump saves.logdb --as-of "2h ago" --table actors
              logdb dump saves.logdb --as-of "2026-11-26 20:15"
              logdb dump saves.logdb --as-of "before the boss"
            """)

    @OptionGroup var database: DatabasePath

    @Option(help: ArgumentHelp("Only this table.", valueName: "table"))
    var table: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("The first key to print. Needs --table.", valueName: "key"))
    var from: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("The first key not to print any more. Needs --table.", valueName: "key"))
    var to: String?

    @Option(help: ArgumentHelp("What string keys must begin with. Needs --table.", valueName: "text"))
    var prefix: String?

    @Option(help: ArgumentHelp("The most documents to print. Needs --table.", valueName: "n"))
    var limit: Int?

    @Flag(help: "Begin with the greatest key. Needs --table.")
    var reverse = false

    @Flag(help: "--from and --to are 64-bit integers.")
    var integerKey = false

    @Flag(help: "Every operation in the log instead of the live documents.")
    var operations = false

    @Flag(help: "All that is left, in the order in which it happened, as a new database can be made of it.")
    var history = false

    @Flag(help: "Leave out the schemas, retentions and times to live of tables.")
    var documentsOnly = false

    @Option(help: ArgumentHelp("Memory to use, beyond the largest document: 4MiB or more. (default: 64MiB)", valueName: "bytes"))
    var memory: ByteSizeArgument?

    @Option(help: ArgumentHelp("The documents of this moment: a number, a time, or a savepoint.", valueName: "moment"))
    var asOf: MomentArgument?

    /// Whether some keys only are asked for.
    private var choosesKeys: Bool { from != nil || to != nil || prefix != nil || limit != nil || reverse }

    func validate() throws {
        guard !choosesKeys || table != nil else { throw ValidationError("--from, --to, --prefix, --limit and --reverse need a --table") }
        guard !choosesKeys || !operations else { throw ValidationError("--operations prints all keys: leave out those that choose some") }
        guard asOf == nil || !operations && !reverse else { throw ValidationError("--as-of goes with neither --operations nor --reverse") }
        if history, operations || asOf != nil || documentsOnly || table != nil || choosesKeys {
            throw ValidationError("--history prints all there is: it goes with no other choice")
        }
        if let memory, memory.bytes < 4 << 20 { throw ValidationError("--memory must be 4MiB or more") }
        if let limit, limit < 0 { throw ValidationError("--limit is 0 or more") }
        for text in [from, to] {
            if integerKey, let text, Int64(text) == nil { throw ValidationError("'\(text)' is no 64-bit integer: leave out --integer-key") }
        }
    }

    private func key(_ text: String?) -> Key? { text.map { integerKey ? .integer(Int64($0) ?? 0) : .string($0) } }

    private var selection: KeySelection {
        var selection = KeySelection.range(from: key(from), to: key(to))
        selection.prefix = prefix
        if let limit { selection.limit = limit }
        selection.isReversed = reverse
        return selection
    }

    /// The tables that are to be printed.
    private func tables(of database: Database) throws -> [String] {
        try database.tables.filter { table == nil || $0 == table }
    }

    func run() throws {
        var options = Options.toRead
        if let memory { options.memoryBudgetBytes = memory.bytes }
        if history { return try withDatabase(database.path, options) { try printHistory(of: $0) } }
        try withDatabase(database.path, options) { database in
            var printer = OperationPrinter(try OperationLines(database))
            if asOf == nil, let table, try !database.tables.contains(table) {
                StandardError.report("there is no table \"\(table)\": nothing to print")
            }
            do {
                if let asOf {
                    let state = try database.state(asOf: asOf.moment)
                    if let table {
                        try state.select(table, selection) { try printer.printDocument($0) }
                    } else {
                        try state.select { try printer.printDocument($0) }
                    }
                } else if operations {
                    try database.replay { operation in
                        if let table, operation.table != table { return }
                        try printer.printOperation(operation)
                    }
                } else if let table, choosesKeys {
                    try database.select(table, selection) { try printer.printDocument($0) }
                } else {
                    var schemas = try TableLines(documentsOnly ? [] : tables(of: database), database)
                    try database.select(table) { operation in
                        try schemas.print(before: operation.table, by: &printer)
                        try printer.printDocument(operation)
                    }
                    try schemas.printRest(by: &printer)
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

extension DumpCommand {
    private func printHistory(of database: Database) throws {
        var printer = HistoryPrinter(try OperationLines(database))
        printer.begin()
        do {
            let end = try database.chronicle(&printer)
            printer.end(end)
        } catch {
            // Without its last line it is no whole history.
            try printer.finish()
            throw error
        }
        try printer.finish()
    }
}

/// The schemas, retentions and times to live that a dump has to print. They stand before its table's first document, so that loading the dump makes the tables in the order in which
/// they stand, and dumping that gives the same. Tables without documents come last: where they stand among the others does not show.
private struct TableLines {
    private let database: Database
    /// Tables of which something was not printed yet.
    private var waiting: Set<String> = []
    private var current: String?

    init(_ tables: [String], _ database: Database) throws {
        self.database = database
        for table in tables {
            if try database.schema(of: table)?.isWideOpen == false || database.retention(of: table) != .latest
                || database.timeToLive(of: table) != nil
            {
                waiting.insert(table)
            }
        }
    }

    @inline(__always)
    mutating func print(before table: String, by printer: inout OperationPrinter) throws {
        if waiting.isEmpty || current == table { return }
        current = table
        if waiting.remove(table) != nil { try print(table, by: &printer) }
    }

    mutating func printRest(by printer: inout OperationPrinter) throws {
        for table in waiting.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { try print(table, by: &printer) }
    }

    private func print(_ table: String, by printer: inout OperationPrinter) throws {
        if let schema = try database.schema(of: table), !schema.isWideOpen { try printer.printSchema(schema, of: table) }
        try printer.printRetention(try database.retention(of: table), of: table)
        if let timeToLive = try database.timeToLive(of: table) { try printer.print(timeToLive: timeToLive, of: table) }
    }
}

/// Standard output, line by line.
private struct OperationPrinter {
    private var lines: OperationLines
    private var output = OutputBuffer()
    private var progress = ProgressLine(quiet: Descriptors.isTerminal(1), updatesPerLook: 1000)
    private var count = 0

    init(_ lines: OperationLines) { self.lines = lines }

    mutating func printDocument(_ operation: borrowing Operation) throws {
        try lines.append(document: operation, to: &output.bytes)
        try printed()
    }

    mutating func printSchema(_ schema: SchemaVersion, of table: String) throws {
        OperationLines.append(schema, of: table, to: &output.bytes)
        try printed()
    }

    mutating func printRetention(_ retention: Retention, of table: String) throws {
        guard retention != .latest else { return }
        OperationLines.append(retention, of: table, to: &output.bytes)
        try printed()
    }

    mutating func print(timeToLive: Duration, of table: String) throws {
        OperationLines.append(timeToLive: timeToLive, of: table, to: &output.bytes)
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
