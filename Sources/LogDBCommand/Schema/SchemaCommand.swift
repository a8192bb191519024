//===--- SchemaCommand.swift - logdb schema --------------------------------===//

import ArgumentParser

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Rules for the documents of a table, in the vocabulary of JSON Schema.",
        discussion: """
            A table may have a schema: which keys it takes, and what its documents must be. It is kept in the database, and every write is held to it, \
            by whatever program. A table without one takes any document.

            Schemas are those of JSON Schema, draft 2020-12. A keyword that is not supported is an error that names its place, and is never \
            passed over.

            Examples:

              logdb schema infer saves.logdb actors > actor.schema.json     a proposal, from what is there
              logdb schema check saves.logdb actors actor.schema.json       what would break it
              logdb schema set saves.logdb actors actor.schema.json
              logdb schema show saves.logdb actors
              logdb schema history saves.logdb actors
              logdb schema check actor.schema.json actors.ndjson            files only, no database
            """,
        subcommands: [
            SchemaShowCommand.self, SchemaSetCommand.self, SchemaCheckCommand.self, SchemaHistoryCommand.self, SchemaInferCommand.self,
        ]
    )
}
