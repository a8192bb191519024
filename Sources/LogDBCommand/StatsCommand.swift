//===--- StatsCommand.swift - logdb stats ----------------------------------===//
//
// One list of facts, printed twice: for people as a table, with --json for programs as one line.
//===-----------------------------------------------------------------------===//

import ArgumentParser
import LogDB

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Say what is in a database and how much room it takes.",
        discussion: """
            Counts what is still in the log, operations that later ones superseded included: their room comes back with compaction. \
            Raw bytes are those of keys and documents; stored bytes those of the files. The ratio is stored by raw, over sealed segments \
            only: the raw segment being written to is reserved ahead, and not compressed yet. The recovery is the last one that \
            had anything to do.

            Transactions without a commit are listed with what they keep from being compressed. Beside a writer these are its open ones, and \
            those that it rolled back lately; after its death all of them never happened.

            --tables reads the whole database and says of each table what is live, what newer operations superseded, what deletes take, and what is retained; \
            which documents are the largest; which keys took the most of the log since the last compaction; and what a compaction would \
            gain and need. Bytes are those of keys and documents before compression. What pins old data are the transactions listed as \
            uncommitted and the readers for which files are waiting.

            Examples:

              logdb stats saves.logdb
              logdb stats saves.logdb --json | jq .ratio
              logdb stats saves.logdb --tables          why is it so big?
            """)

    @OptionGroup var database: DatabasePath

    @Flag(help: "One line of JSON instead of a table.")
    var json = false

    @Flag(help: "What is live and what is not, table by table, and what takes the most.")
    var tables = false

    @Option(help: ArgumentHelp("How many documents and keys --tables names, at most.", valueName: "count"))
    var largest = 10

    func validate() throws {
        if largest < 0 || largest > 100_000 { throw ValidationError("--largest must be 0 to 100000") }
    }

    func run() throws {
        let (statistics, space) = try withDatabase(database.path, .toRead) { db in
            (try db.statistics(), tables ? try db.spaceReport(largest: largest) : nil)
        }
        var output = OutputBuffer()
        if json {
            var line = statistics.asJSON
            if let space { line["space"] = space.asJSON }
            try output.say(line.description)
        } else {
            statistics.describe(database.path, withTables: space == nil, to: &output.bytes)
            space?.describe(to: &output.bytes)
            try output.flush()
        }
    }
}

extension Statistics {
    /// Stored by raw bytes of what is sealed, as it is printed; nil while nothing is.
    private var ratio: String? {
        sealedRawBytes == 0 ? nil : (Double(sealedStoredBytes) / Double(sealedRawBytes)).rounded(to: 3)
    }

    var asJSON: JSON {
        [
            "operations": JSON(operations),
            "firstSequence": JSON(firstSequenceNumber),
            "lastSequence": JSON(lastSequenceNumber),
            "rawBytes": JSON(rawBytes),
            "storedBytes": JSON(storedBytes),
            "sealedRawBytes": JSON(sealedRawBytes),
            "sealedStoredBytes": JSON(sealedStoredBytes),
            "ratio": ratio.flatMap(Double.init).flatMap { JSON($0) } ?? .null,
            "tables": .array(tables.map(\.asJSON)),
            "files": .array(files.map(\.asJSON)),
            "openTransactions": .array(openTransactions.map(\.asJSON)),
            "compactedSequence": JSON(compactedSequenceNumber),
            "digest": digest.map { .string("\($0)") } ?? .null,
            "compactionFailure": compactionFailure.map { .string("\($0)") } ?? .null,
            "waitingFiles": .array(waitingFiles.map { .string($0) }),
            "waitingBytes": JSON(waitingBytes),
            "appender": .string(appender.spelling),
            "recovery": recovery.asJSON,
        ]
    }

    func describe(_ path: String, withTables: Bool, to bytes: inout [UInt8]) {
        func line(_ name: String, _ value: String) { bytes.append("\(name.padded(to: 14))\(value)\n") }
        line("database", path)
        line("operations", "\(operations.grouped), sequence \(firstSequenceNumber.grouped) to \(lastSequenceNumber.grouped)")
        line("raw", "\(rawBytes.asBytes) of keys and documents")
        line("stored", "\(storedBytes.asBytes) in \(counted(files.count, "file"))")
        line("sealed", ratio.map { "\(sealedStoredBytes.asBytes) for \(sealedRawBytes.asBytes) raw: ratio \($0)" } ?? "nothing yet")
        line("appender", appender.spelling)
        line("compacted", compactedSequenceNumber == 0 ? "never" : "up to sequence \(compactedSequenceNumber.grouped)")
        if let digest { line("digest", "\(digest) of \(counted(digest.documents, "live document"))") }
        if let compactionFailure { line("compaction", "the last one failed: \(compactionFailure)") }
        if !waitingFiles.isEmpty {
            line("waiting", "\(counted(waitingFiles.count, "file")), \(waitingBytes.asBytes), until their readers are done")
        }
        for transaction in openTransactions {
            line(
                "uncommitted",
                "\(counted(transaction.operations, "operation")), \(transaction.bytes.asBytes); keeps \(counted(transaction.pinnedSegments, "segment")), \(transaction.pinnedBytes.asBytes), from being sealed"
            )
        }
        line("last recovery", recovery.description)

        let tableRows =
            !withTables
            ? []
            : tables.map {
                [$0.name, $0.upserts.grouped, $0.deletes.grouped, $0.keyBytes.asBytes, $0.documentBytes.asBytes]
            }
        appendTable(["table", "upserts", "deletes", "keys", "documents"], tableRows, to: &bytes)
        let fileRows = files.map {
            let range = $0.operations == 0 ? "" : "\($0.firstSequenceNumber) … \($0.lastSequenceNumber)"
            return [$0.name, $0.codec ?? $0.kind, $0.bytes.asBytes, $0.rawBytes.asBytes, $0.operations.grouped, range]
        }
        appendTable(["file", "kind", "stored", "raw", "operations", "sequence"], fileRows, to: &bytes)
    }
}

extension Statistics.OpenTransaction {
    fileprivate var asJSON: JSON {
        [
            "operations": JSON(operations), "bytes": JSON(bytes), "pinnedSegments": JSON(pinnedSegments), "pinnedBytes": JSON(pinnedBytes),
        ]
    }
}

extension Statistics.Table {
    fileprivate var asJSON: JSON {
        [
            "name": JSON(name), "upserts": JSON(upserts), "deletes": JSON(deletes), "keyBytes": JSON(keyBytes),
            "documentBytes": JSON(documentBytes),
        ]
    }
}

extension Statistics.File {
    fileprivate var asJSON: JSON {
        [
            "name": JSON(name), "kind": JSON(kind), "codec": codec.map { JSON($0) } ?? .null, "bytes": JSON(bytes),
            "rawBytes": JSON(rawBytes), "operations": JSON(operations), "firstSequence": JSON(firstSequenceNumber),
            "lastSequence": JSON(lastSequenceNumber),
        ]
    }
}

extension RecoveryReport {
    fileprivate var asJSON: JSON {
        [
            "created": JSON(created), "wasClosed": JSON(wasClosed), "tornBytes": JSON(tornBytes),
            "cutFile": cutFile.map { JSON($0) } ?? .null, "cutOffset": JSON(cutOffset), "removedFiles": JSON(removedFiles),
            "segments": JSON(segments), "lastSequence": JSON(lastSequenceNumber), "time": JSON(milliseconds),
        ]
    }

    /// What was found, as a sentence.
    var description: String {
        if wasClosed { return "nothing to recover" }
        let cut =
            tornBytes == 0
            ? "nothing torn" : "\(tornBytes.grouped) torn bytes cut off\(cutFile.map { " (\($0) at byte \(cutOffset))" } ?? "")"
        let removed = removedFiles == 0 ? "" : ", \(counted(removedFiles, "leftover file")) removed"
        return "the last writer did not close: \(cut)\(removed)"
    }
}
