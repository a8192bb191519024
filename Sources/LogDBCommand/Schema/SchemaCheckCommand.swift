//===--- SchemaCheckCommand.swift - logdb schema check ---------------------===//

import ArgumentParser
import LogDB
import LogDBFile
import LogDBFormat

struct SchemaCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say which documents are valid: those of a file, or those of a table.",
        usage: """
            logdb schema check <schema-file> <documents-file> [--format]
            logdb schema check <db> <table> [<schema-file>] [--format] [--limit <n>]
            """,
        discussion: """
            SCHEMA-FILE DOCUMENTS-FILE: reads a schema from a file, and documents, one on each line, from another one or, for -, from standard input; needs no \
            database. A document may be any JSON value. Prints a line for each:

              valid
              /position/x: 12.5 is above the maximum 10 (schema /properties/position/properties/x/maximum)
              malformed JSON: expected a value at byte 7

            The first part names the value as a JSON pointer, (root) for the whole document, the last one the rule in the schema. Of several \
            broken rules the one that was met first is named. Empty lines are passed over.

            DB TABLE: checks every live document of the table against its own schema, or against the one in SCHEMA-FILE, which need not be set: that is what \
            'logdb schema set' would do before it changes anything. Prints a line for each document that is not valid, by key, up to --limit:

              {"key":"goblin-7","reason":"/hp: -3 is below the minimum 0 (schema /properties/hp/minimum)"}

            Exit status: 0 if all documents are valid; 1 if one is not, or if the schema cannot be used.

            Examples:

              logdb schema check actor.schema.json actors.ndjson
              logdb schema check actor.schema.json - < actors.ndjson | grep -v '^valid$'
              logdb schema check saves.logdb actors
              logdb schema check saves.logdb actors actor.schema.json
            """)

    @Argument(help: ArgumentHelp("The schema, a file; or a database, a folder.", valueName: "schema-file or db"))
    var schema: String

    @Argument(
        help: ArgumentHelp(
            "The documents, one a line; - for standard input. Of a database: the table.", valueName: "documents-file or table"))
    var documents: String

    @Argument(
        help: ArgumentHelp("Of a database: the schema, where it is not the table's own; - for standard input.", valueName: "schema-file"))
    var other: String?

    @Flag(help: "Refuse strings that are not of their 'format'; without this it is a remark.")
    var format = false

    @Option(help: ArgumentHelp("Of a database: the most documents to list. (default: 1000)", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit is 0 or more") }
    }

    func run() throws {
        if other != nil || isFolder(schema) { return try checkTable() }
        let schema = try Schema(json: try readSchema(self.schema), assertsFormats: format)
        var counts = (valid: UInt64(0), invalid: UInt64(0))
        var output = OutputBuffer()
        do {
            try check(schema, &counts, &output)
        } catch {
            try output.flush()
            throw error
        }
        try output.flush()
        if counts.invalid > 0 {
            throw CommandFailure("\(counts.invalid.grouped) of \(counted(counts.valid + counts.invalid, "document")) not valid")
        }
    }

    private func isFolder(_ path: String) -> Bool { (try? POSIXDirectory.open(path: path, create: false)) != nil }

    /// Checks the documents of a table.
    private func checkTable() throws {
        let given = try other.map { try Schema(json: try readSchema($0), assertsFormats: format) }
        let report = try withDatabase(schema, .toRead) { database in
            let own = try database.schema(of: documents)
            let schema = if let given { given } else { try own?.documents() }
            if own == nil, given == nil { StandardError.report("\"\(documents)\" has no schema: it takes any document") }
            return try database.checkSchema(documents, keys: own?.keys, documents: schema, limit: limit ?? 1000)
        }
        var output = OutputBuffer()
        for problem in report.problems {
            output.bytes.append("{\"key\":")
            switch problem.key {
            case .integer(let value): output.bytes.append(decimal: value)
            case .string(let text): JSONText.append(text, to: &output.bytes)
            }
            output.bytes.append(",\"reason\":")
            JSONText.append(problem.reason, to: &output.bytes)
            output.bytes.append("}\n")
            try output.flushIfFull()
        }
        try output.flush()
        if report.broken > 0 { throw CommandFailure("\(report.broken.grouped) of \(counted(report.documents, "document")) not valid") }
    }

    private func check(_ schema: Schema, _ counts: inout (valid: UInt64, invalid: UInt64), _ output: inout OutputBuffer) throws {
        var reader = try LineReader(path: documents, maximumLineBytes: Options().maximumDocumentBytes)
        while true {
            switch try reader.next(patience: nil) {
            case .line:
                if isBlank(reader.line) { continue }
                let verdict = verdict(of: reader.line, schema)
                output.bytes.append(verdict ?? "valid")
                output.bytes.append(UInt8(ascii: "\n"))
                if verdict == nil { counts.valid += 1 } else { counts.invalid += 1 }
            case .tooLong:
                output.bytes.append("longer than \(reader.maximumLineBytes.grouped) bytes\n")
                counts.invalid += 1
            case .end, .interrupted: return
            case .idle: break
            }
            try output.flushIfFull()
        }
    }

    /// What is wrong with a line; nil if nothing is.
    private func verdict(of line: Span<UInt8>, _ schema: Schema) -> String? {
        do throws(JSONError) { return try schema.program.violation(in: line)?.description } catch { return error.description }
    }

    private func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] != 0x20 && line[index] != 0x09 && line[index] != 0x0D { return false }
        return true
    }
}

/// The bytes of a schema's file.
func readSchema(_ path: String) throws(CommandFailure) -> [UInt8] {
    try LineReader.readAll(path: path, limit: SchemaCompiler.maximumLength)
}
