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

            Examples:

              logdb stats saves.logdb
              logdb stats saves.logdb --json | jq .ratio
            """)

    @OptionGroup var database: DatabasePath

    @Flag(help: "One line of JSON instead of a table.")
    var json = false

    func run() throws {
        let statistics = try withDatabase(database.path, .toRead) { try $0.statistics() }
        var output = OutputBuffer()
        if json {
            try output.say(statistics.asJSON.description)
        } else {
            statistics.describe(database.path, to: &output.bytes)
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
            "recovery": recovery.asJSON,
        ]
    }

    func describe(_ path: String, to bytes: inout [UInt8]) {
        func line(_ name: String, _ value: String) { bytes.append("\(name.padded(to: 14))\(value)\n") }
        line("database", path)
        line("operations", "\(operations.grouped), sequence \(firstSequenceNumber.grouped) to \(lastSequenceNumber.grouped)")
        line("raw", "\(rawBytes.asBytes) of keys and documents")
        line("stored", "\(storedBytes.asBytes) in \(counted(files.count, "file"))")
        line("sealed", ratio.map { "\(sealedStoredBytes.asBytes) for \(sealedRawBytes.asBytes) raw: ratio \($0)" } ?? "nothing yet")
        line("last recovery", recovery.description)

        let tableRows = tables.map {
            [$0.name, $0.upserts.grouped, $0.deletes.grouped, $0.keyBytes.asBytes, $0.documentBytes.asBytes]
        }
        appendTable(["table", "upserts", "deletes", "keys", "documents"], tableRows, to: &bytes)
        let fileRows = files.map {
            let range = $0.operations == 0 ? "" : "\($0.firstSequenceNumber) … \($0.lastSequenceNumber)"
            return [$0.name, $0.codec ?? $0.kind, $0.bytes.asBytes, $0.rawBytes.asBytes, $0.operations.grouped, range]
        }
        appendTable(["file", "kind", "stored", "raw", "operations", "sequence"], fileRows, to: &bytes)
    }

    /// Appends columns under their titles, all but the first flush right.
    private func appendTable(_ titles: [String], _ rows: [[String]], to bytes: inout [UInt8]) {
        guard !rows.isEmpty else { return }
        let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
        bytes.append("\n")
        for row in [titles] + rows {
            let cells = zip(row, widths).enumerated().map { index, cell in
                index == 0 ? cell.0.padded(to: cell.1) : cell.0.leftPadded(to: cell.1)
            }
            bytes.append(cells.joined(separator: "  ") + "\n")
        }
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
