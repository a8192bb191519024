//===--- LoadCommand.swift - logdb load ------------------------------------===//

import ArgumentParser
import LogDB

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Append operations, read as lines of JSON.",
        discussion: """
            Each line of the files, or of standard input, is one operation:

              {"table":"actors","key":"goblin-7","value":{"hp":7}}    writes a document
              {"table":"actors","key":7,"value":{"hp":7}}             under an integer key
              {"table":"actors","key":"goblin-7","value":null}        deletes it

            Operations between {"op":"begin"} and {"op":"commit"} are one transaction: after a crash all of them are there, or none. \
            {"op":"rollback"} takes them back. Several transactions may be interleaved if each has a name:

              {"op":"begin","tx":"trade"}
              {"tx":"trade","table":"actors","key":"goblin-7","value":{"gold":0}}
              {"table":"log","key":1,"value":{"said":"hello"}}        on its own, counts at once
              {"tx":"trade","table":"actors","key":"hero","value":{"gold":9}}
              {"op":"commit","tx":"trade"}

            While a transaction without a name is open, operations without "tx" belong to it. An operation has its place in the order \
            where its line stands, not where its commit does. A transaction that is open at the end of the input is rolled back, and \
            the load fails. With --skip-invalid it does not fail; a transaction that loses a line to that is rolled back at its commit, \
            and so are all that are open at a line that cannot be read at all.

            A line as 'logdb dump' prints it for a table with a schema sets that, as 'logdb schema set' does; from there on the lines of that table must keep to it:

              {"table":"actors","keys":"string","schema":{"type":"object","required":["hp"]}}

            So does a line with what a table keeps of older versions, as 'logdb retention' does, or with its time to live in milliseconds, as 'logdb ttl' does; null is never. \
            Such lines stand outside of transactions, are no operations, and have no numbers. A document may say itself when it expires, in milliseconds since 1970 UTC, or \
            with null that it never does:

              {"table":"actors","retention":{"keep":"versions","count":5}}
              {"table":"sessions","timeToLive":1800000}
              {"table":"sessions","key":"alice","value":{"token":7},"expires":1790001800021}

            One that has expired already is absent, and hides what was there before.

            An operation on its own may have been made at another time than now, in milliseconds since 1970 UTC:

              {"time":1790000000021,"table":"actors","key":"goblin-7","value":{"hp":7}}

            {"history":1} as the first line says that the output of 'logdb dump --history' follows: savepoints, older versions, times and tables that were dropped are loaded \
            as well, into a database that has no operations yet. Each of its lines but the first and the last is an operation. If it does not come to its end \
            the load fails; the database has what was loaded, and tells of its past no more than its savepoints. It is not compacted by itself.

            The database is created if there is none. Empty lines are passed over. A bad line ends the load: the message names its line \
            and column and says how many operations before it were kept. With --skip-invalid the load goes on and says how many lines \
            it passed over.

            --acknowledge prints the sequence number of each operation on a line of its own, flushed, once the operation has reached the \
            level of --persistence: at 'disk' it survives a power cut from then on, at 'process' the death of this process. At \
            'interval:…' a number says what it says at 'process', and the disk follows within the interval. The operations of a \
            transaction are acknowledged together, at its commit; those of one that was rolled back never.

            Operations are committed in batches; a batch is there as a whole after a crash, or not at all. Unless --batch says otherwise \
            a batch is one operation with --acknowledge, else 1000. It is committed early when it holds 16 MiB, and when input pauses.

            Ctrl-C ends the load after the batch at hand (exit status 130); everything acknowledged is kept. A second one ends it at once. \
            A load that comes to its end and leaves 256 KiB or more uncompressed seals them (see 'logdb seal').

            Examples:

              logdb load saves.logdb saves.ndjson
              logdb dump old.logdb | logdb load new.logdb --codec zlib:9
              logdb dump old.logdb --history | logdb load new.logdb
              game | logdb load saves.logdb --acknowledge
              logdb load spells.logdb spells.ndjson --table spells --key meta.id
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: "Files to read, in this order; standard input if there is none, or for -.")
    var files: [String] = []

    @Option(help: ArgumentHelp("How safe an operation is before it counts: process, disk or interval:100ms.", valueName: "level"))
    var persistence = PersistenceArgument.disk

    @Flag(help: "Print each operation's sequence number once it is that safe.")
    var acknowledge = false

    @Option(help: ArgumentHelp("Operations a commit. (default: 1 with --acknowledge, else 1000)", valueName: "n"))
    var batch: Int?

    @Flag(help: "Pass over bad lines, and say how many there were.")
    var skipInvalid = false

    @Option(help: ArgumentHelp("Take each line as a document of this table. Needs --key.", valueName: "name"))
    var table: String?

    @Option(help: ArgumentHelp("The field of each document that is its key; a.b for a field inside a field.", valueName: "field"))
    var key: String?

    @Option(
        help: ArgumentHelp("How new segments are compressed: none, lz4, lz4hc[:3-12] or zlib[:1-9]. (default: lz4)", valueName: "codec"))
    var codec: CodecArgument?

    @Option(
        help: ArgumentHelp(
            "Size of new segments, 64KiB to 1GiB. Like --codec it holds for this load only; older segments stay as they are. (default: 32MiB)",
            valueName: "size"))
    var segmentSize: ByteSizeArgument?

    @Option(
        help: ArgumentHelp(
            "How operations reach the log: positional (a call of the system each), shared-tail (memory that outlives the process, where the file system admits it) or automatic.",
            valueName: "appender"))
    var appender = AppenderArgument(.automatic)

    @Flag(
        help:
            "Leave superseded operations in the log. Without this it is compacted, on the way and at the end, when half of it is superseded."
    )
    var noCompaction = false

    func validate() throws {
        guard (table == nil) == (key == nil) else { throw ValidationError("--table and --key come together: the lines are documents then") }
        if let batch, !(1...1_000_000).contains(batch) { throw ValidationError("--batch takes 1 to 1000000 operations") }
        guard key?.isEmpty != true else { throw ValidationError("--key names a field: it cannot be empty") }
        if let bytes = segmentSize?.bytes, !Options.segmentSizeRange.contains(bytes) {
            throw ValidationError("--segment-size takes 64KiB to 1GiB")
        }
    }

    func run() throws {
        // Before anything is created because of them.
        for file in files where file != "-" { try Descriptors.checkReadable(file) }
        let options = Options {
            $0.persistence = persistence.level
            $0.appender = appender.appender
            if noCompaction { $0.compaction = .manual }
            if let codec { $0.codec = codec.codec }
            if let segmentSize { $0.segmentSizeBytes = segmentSize.bytes }
        }
        var settings = Loader.Settings()
        settings.persistence = persistence.level
        settings.acknowledge = acknowledge
        settings.batchSize = batch ?? (acknowledge ? 1 : 1000)
        settings.skipInvalid = skipInvalid
        settings.maximumDocumentBytes = options.maximumDocumentBytes
        if let table, let key {
            settings.form = .documents(table: table, keyPath: key.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
        }
        Interruption.catchSignals()
        try withDatabase(database.path, options) { database in
            var loader = Loader(into: database, settings)
            for file in files.isEmpty ? [nil] : files.map(Optional.init) { try loader.load(file) }
            try loader.finish()
            try sealIfWorthwhile(database)
            if loader.rolledBack > 0 {
                StandardError.report("\(counted(loader.rolledBack, "transaction")) rolled back because of invalid lines")
            }
            if loader.skipped.count > 0 {
                StandardError.report("\(counted(loader.skipped.count, "invalid line")) passed over, the first at \(loader.skipped.first)")
            }
            if !loader.hasLoadedHistory { try compactIfDue(database) }
        }
    }

    /// Compresses what a long load leaves in the active segment; for a little it is not worth a file.
    private func sealIfWorthwhile(_ database: Database) throws {
        let uncompressed = try database.statistics().files.filter { $0.kind == "raw" }.reduce(0) { $0 + $1.rawBytes }
        guard uncompressed >= 256 << 10 else { return }
        do throws(LogDBError) {
            try database.seal()
        } catch {
            // What was loaded is safe as it is; only the room it takes is not what it could be.
            guard error.code == .diskFull else { throw error }
            StandardError.report("everything was loaded, but there was no room to compress it: \(error)")
        }
    }

    /// The background may not have come to it: a load is over soon.
    private func compactIfDue(_ database: Database) throws {
        var progress = ProgressLine(updatesPerLook: 1)
        do {
            let report = try database.compactIfDue { step in
                if let signal = Interruption.signal {
                    throw Interruption.failure(signal, "Everything was loaded; what is superseded is cleared away another time.")
                }
                progress.update { _ in step.line }
            }
            if report != nil { progress.finish { "compacted in \($0.rounded(to: 1)) s" } }
        } catch let error as LogDBError {
            guard error.code == .insufficientSpace || error.code == .diskFull else {
                throw CommandFailure("everything was loaded, but not compacted: \(error)")
            }
            StandardError.report("everything was loaded, but there was no room to compact it: \(error)")
        }
    }
}
