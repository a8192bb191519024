//===--- PutCommand.swift - logdb put --------------------------------------===//

import ArgumentParser
import LogDB

struct PutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Write one document.",
        discussion: """
            Writes the document under the key, replacing what was there, and prints the operation's sequence number once it is as safe as \
            --persistence says. The document is a JSON object, kept byte for byte; null deletes. The database and the table are created \
            if there are none. With --ttl it expires after that time, whatever the table's time to live (see 'logdb ttl') is. For more than a few documents use 'logdb load'.

            Examples:

              logdb put saves.logdb actors goblin-7 '{"hp":7}'
              logdb put saves.logdb rooms 12 --integer-key '{"name":"Harbor"}'
              logdb put saves.logdb rooms --integer-key -- -3 '{"name":"Cellar"}'
              logdb put saves.logdb sessions alice '{"token":7}' --ttl 30min
              curl -s https://example.org/quest.json | logdb put saves.logdb quests main -
            """)

    @OptionGroup var database: DatabasePath
    @OptionGroup var address: DocumentAddress

    @Argument(help: "The document: a JSON object, null, or - for standard input.")
    var json: String

    @Option(help: ArgumentHelp("How safe the document is on return: process, disk or interval:100ms.", valueName: "level"))
    var persistence = PersistenceArgument.disk

    @Option(help: ArgumentHelp("How long it lives: 30min, 7d, never. (default: as the table says)", valueName: "time"))
    var ttl: TimeToLiveArgument?

    @Option(
        help: ArgumentHelp("How it reaches the log: positional, shared-tail or automatic; see 'logdb help load'.", valueName: "appender"))
    var appender = AppenderArgument(.automatic)

    func run() throws {
        let options = Options { $0.appender = appender.appender }
        let document = json == "-" ? try LineReader.readAll(limit: options.maximumDocumentBytes) : Array(json.utf8)
        try withDatabase(database.path, options) { database in
            // The engine takes null for what it is: a delete.
            let number = try database.upsert(
                address.table, address.key, json: document.span, timeToLive: ttl?.timeToLive, persistence: persistence.level)
            var output = OutputBuffer()
            try output.say("{\"sequence\":\(number)}")
        }
    }
}
