//===--- SalvageCommand.swift - logdb salvage ------------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct SalvageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "salvage",
        abstract: "Recover what is readable of a damaged database into a new one.",
        discussion: """
            Reads every file of DB on its own, whatever else is damaged or missing, and writes all operations that can still be proven to NEW, \
            a folder that does not exist or is empty. DB is not changed. The newest operation of a key that is left is the one that counts. \
            Times are kept, sequence numbers are new. A database without damage gives the same documents, versions, savepoints and earlier states. Where something is lost \
            only savepoints can be asked for of the past, and a line names each that may lack something.

            Prints each thing that is wrong, and what it costs, as a line of JSON:

              {"severity":"lost","file":"000041.seg.lz4","offset":4096,"length":90112,"firstSequence":812,"lastSequence":1623,"operations":812,\
            "tables":["actors"],"reason":"blocks of the segment do not hold"}

            "lost": operations are missing. "uncertain": whether any are cannot be known. "harmless": damage that took nothing along. Members \
            that are not known are left out. Remarks, {"remark":"…"}, are no damage. The last line says what was recovered:

              {"recovered":{"operations":90210,"tables":[{"name":"actors","upserts":90000,"deletes":210}]},"files":7,"bytes":81211392}

            A table whose name is lost is called salvaged-table-7, after its number. Until all is written NEW is no database and does not open; \
            after a failure, or Ctrl-C, it is empty.

            Exit status: 0 nothing is lost; 2 NEW is written, but something is lost or may be; 1 failure, nothing was written.

            Examples:

              logdb salvage saves.logdb rescued.logdb
              logdb salvage saves.logdb rescued.logdb > losses.ndjson; echo $?
            """)

    @OptionGroup var database: DatabasePath

    @Argument(help: ArgumentHelp("The new database: a folder that does not exist, or is empty.", valueName: "new"))
    var new: String

    @Option(
        help: ArgumentHelp("How the new database is compressed: none, lz4, lz4hc[:3-12] or zlib[:1-9]. (default: lz4)", valueName: "codec")
    )
    var codec: CodecArgument?

    func run() throws {
        var options = Options()
        if let codec { options.codec = codec.codec }
        Interruption.catchSignals()
        var progress = ProgressLine(quiet: Descriptors.isTerminal(1), updatesPerLook: 1)
        let report = try Database.salvage(at: database.path, into: new, options: options) { step in
            if let signal = Interruption.signal { throw Interruption.failure(signal, "Nothing was written.") }
            progress.update { _ in
                "\(step.bytesDone.asBytes) of \(step.bytesPlanned.asBytes) read, \(counted(step.operations, "operation")) recovered"
            }
        }
        var output = OutputBuffer()
        report.append(to: &output.bytes)
        try output.flush()
        let lost = report.findings.count { $0.severity == .lost } + report.unlistedFindings
        let uncertain = report.findings.count { $0.severity == .uncertain }
        let recovered = "\(counted(report.operations, "operation")) recovered into \(new)"
        guard !report.isComplete else { return StandardError.report("nothing is lost: \(recovered)") }
        let losses = [lost > 0 ? counted(lost, "lost part") : nil, uncertain > 0 ? counted(uncertain, "doubt") : nil].compactMap { $0 }
        throw CommandFailure("\(recovered); \(losses.joined(separator: " and ")), listed on standard output", status: 2)
    }
}

extension SalvageReport {
    fileprivate func append(to bytes: inout [UInt8]) {
        for finding in findings { finding.append(to: &bytes) }
        if unlistedFindings > 0 { bytes.append("{\"severity\":\"lost\",\"reason\":\"\(unlistedFindings) more findings\"}\n") }
        for remark in remarks {
            bytes.append("{\"remark\":")
            JSONText.append(remark, to: &bytes)
            bytes.append("}\n")
        }
        bytes.append("{\"recovered\":{\"operations\":\(operations),\"tables\":[")
        for (index, table) in tables.enumerated() {
            bytes.append(index == 0 ? "{\"name\":" : ",{\"name\":")
            JSONText.append(table.name, to: &bytes)
            bytes.append(",\"upserts\":\(table.upserts),\"deletes\":\(table.deletes)")
            if table.isNamedBySalvage { bytes.append(",\"nameIsLost\":true") }
            bytes.append("}")
        }
        bytes.append("]},\"files\":\(files),\"bytes\":\(self.bytes)}\n")
    }
}

extension SalvageFinding {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append("{\"severity\":\"\(severity.rawValue)\"")
        if let file {
            bytes.append(",\"file\":")
            JSONText.append(file, to: &bytes)
        }
        if let range = self.bytes { bytes.append(",\"offset\":\(range.lowerBound),\"length\":\(range.count)") }
        if let firstSequenceNumber { bytes.append(",\"firstSequence\":\(firstSequenceNumber)") }
        if let lastSequenceNumber { bytes.append(",\"lastSequence\":\(lastSequenceNumber)") }
        if let operations { bytes.append(",\"operations\":\(operations)") }
        if !tables.isEmpty {
            bytes.append(",\"tables\":[")
            for (index, table) in tables.enumerated() {
                if index > 0 { bytes.append(",") }
                JSONText.append(table, to: &bytes)
            }
            bytes.append("]")
        }
        bytes.append(",\"reason\":")
        JSONText.append(reason, to: &bytes)
        bytes.append("}\n")
    }
}
