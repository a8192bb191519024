//===--- SchemaSetCommand.swift - logdb schema set -------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

/// What `--keys` may say.
enum KeysArgument: String, ExpressibleByArgument, CaseIterable {
    case string, integer, any

    var keys: KeyType? {
        switch self {
        case .string: .string
        case .integer: .integer
        case .any: nil
        }
    }
}

struct SchemaSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set the schema of a table.",
        discussion: """
            From now on every write to the table must keep to the schema in FILE. Prints the version that is in force, and how many live documents were \
            checked:

              {"version":2,"new":true,"checked":90210}

            A schema that certainly allows all that the old one did is set at once. Otherwise every live document is checked first; if some break it \
            nothing is changed, and the first of them are named: 'logdb schema check DB TABLE FILE' lists more. Setting the schema that is set already \
            makes no new version. The database and the table are created if there are none.

            --keys says which keys the table takes: string, integer or any. Without it that stays as it is. --remove allows any document again. Both are \
            new versions as well.

            Examples:

              logdb schema set saves.logdb actors actor.schema.json
              logdb schema set saves.logdb rooms room.schema.json --keys integer
              logdb schema show saves.logdb actors | jq '.properties.mana = {"type":"integer"}' | logdb schema set saves.logdb actors -
              logdb schema set saves.logdb actors --remove
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "The table.")
    var table: String

    @Argument(help: ArgumentHelp("The schema; - for standard input.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("The keys that the table takes: string, integer or any.", valueName: "kind"))
    var keys: KeysArgument?

    @Flag(help: "Refuse strings that are not of their 'format'; without this it is a remark.")
    var format = false

    @Flag(help: "Allow any document.")
    var remove = false

    @Option(help: ArgumentHelp("How safe the change is on return: process, disk or interval:100ms.", valueName: "level"))
    var persistence = PersistenceArgument.disk

    func validate() throws {
        guard remove == (file == nil) || (file == nil && keys != nil) else {
            throw ValidationError("name a file with the schema, or --remove, or nothing but --keys")
        }
        guard !format || file != nil else { throw ValidationError("--format goes with a schema") }
    }

    func run() throws {
        let schema = try file.map { try Schema(json: try readSchema($0), assertsFormats: format) }
        try withDatabase(database.path, Options()) { database in
            let current = try database.tables.contains(table) ? database.schema(of: table) : nil
            let documents = file == nil && !remove ? try current?.documents() : schema
            let change = try database.setSchema(
                table, keys: keys.map(\.keys) ?? current?.keys, documents: documents, persistence: persistence.level)
            var output = OutputBuffer()
            try output.say("{\"version\":\(change.version),\"new\":\(change.isNew),\"checked\":\(change.documentsChecked)}")
        }
    }
}
