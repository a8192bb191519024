//===--- LogDBCommand.swift - the command `logdb` ---------------------------===//
//
// What all verbs share is how they end:
//
//      status 0        done
//      status 1        one line on stderr: `logdb: <what went wrong>`
//      status 1        nothing on stderr: whoever read our output went away (`logdb dump saves | head`)
//      status 64       the command line was wrong; usage on stderr
//      status 130/143  stopped by Ctrl-C or SIGTERM, cleanly: everything acknowledged was kept
//
// Standard output belongs to programs: NDJSON and nothing else, except where a person asked (`stats` without --json, `demo`, help).
//===-----------------------------------------------------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

@main
struct LogDBCommand: ParsableCommand {
    /// Of the program. Databases have the version of their format, which changes less often.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "logdb",
        abstract: "Keep JSON documents in a compressed log that survives crashes.",
        discussion: """
            A database is a folder. It holds operations - table, key, JSON document - in the order in which they were written; the newest \
            operation of a key wins. Nothing that was acknowledged at --persistence disk is lost, whatever happens to the process or the power.

            Try it:

              logdb put saves.logdb actors goblin-7 '{"hp":7}'
              logdb get saves.logdb actors goblin-7
              logdb load saves.logdb more.ndjson
              logdb dump saves.logdb
              logdb demo

            'logdb <verb> --help' explains a verb with examples. Any number of get, dump, tables, stats and verify run beside one writer.

            Exit status: 0 success; 1 failure, with one line on stderr; 64 wrong usage; 130 or 143 stopped by a signal, cleanly.
            """,
        version: "logdb \(version), database format \(FileHeader.version)",
        subcommands: [
            LoadCommand.self, DumpCommand.self, PutCommand.self, GetCommand.self, DeleteCommand.self, TablesCommand.self, DropCommand.self,
            SealCommand.self, CompactCommand.self, SchemaCommand.self, SavepointCommand.self, RetentionCommand.self, TimeToLiveCommand.self,
            HistoryCommand.self,
            DiffCommand.self, RevertCommand.self,
            StatsCommand.self, VerifyCommand.self, SalvageCommand.self,
            DemoCommand.self,
            DemoChildCommand.self,
        ]
    )

    static func main() {
        FatalSignals.becomeErrors()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            StandardError.report(failure.message)
            exit(withError: ExitCode(failure.status))
        } catch let error as LogDBError {
            StandardError.report(error.description)
            exit(withError: ExitCode.failure)
        } catch is OutputClosed {
            exit(withError: ExitCode.failure)
        } catch {
            // Wrong usage, and help that was asked for: the parser knows how to say it.
            exit(withError: error)
        }
    }
}
