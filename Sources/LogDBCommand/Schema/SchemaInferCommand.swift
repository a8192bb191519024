//===--- SchemaInferCommand.swift - logdb schema infer ---------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct SchemaInferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer",
        abstract: "Propose a schema from the documents that are there.",
        discussion: """
            Reads every live document of the table, and prints a schema by which all of them are valid: the types that occur at each place, which members \
            are always there, and, where a hundred strings or more take at most eight values, which. Objects with very many different names are taken \
            for dictionaries. Nothing is set. It is a beginning: what is there by chance is in it as well, and bounds are for you to add.

            Examples:

              logdb schema infer saves.logdb actors > actor.schema.json
              logdb schema set saves.logdb actors actor.schema.json
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String

    func run() throws {
        let proposal = try withDatabase(database.path, .toRead) { try $0.inferSchema(of: table) }
        var output = OutputBuffer()
        output.bytes += Self.indented(proposal.schema)
        try output.flush()
        let keys = proposal.keys.map { ", all keys are of the kind \($0.rawValue)" } ?? ""
        StandardError.report("from \(counted(proposal.documents, "document"))\(keys)")
    }

    /// The schema, two spaces for each level. Lists of scalars stay on one line.
    static func indented(_ value: JSON) -> [UInt8] {
        var text: [UInt8] = []
        append(value, "\n", to: &text)
        text.append(UInt8(ascii: "\n"))
        return text
    }

    private static func append(_ value: JSON, _ line: String, to text: inout [UInt8]) {
        guard case .object(let object) = value, !object.isEmpty else { return value.append(to: &text) }
        text.append("{")
        for (index, name) in object.keys.enumerated() {
            text.append(index > 0 ? ",\(line)  " : "\(line)  ")
            JSONText.append(name, to: &text)
            text.append(": ")
            if let value = object[name] { append(value, line + "  ", to: &text) }
        }
        text.append("\(line)}")
    }
}
