//===--- CompactCommand.swift - logdb compact ------------------------------===//

import ArgumentParser
import LogDB

struct CompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Clear away what is superseded, deleted or dropped.",
        discussion: """
            Writes the live documents anew, sorted by key and compressed, and removes what held them before, segment by segment. Memory stays within \
            --memory whatever the size of the data. Disk: at most what is sorted of the log since the last compaction, and a few segments; with \
            --maximum-extra-bytes, or on a disk that is nearly full, it works in smaller steps that need less. What it needs is planned \
            first: --plan prints the plan as a line of JSON and does nothing else.

            Can be stopped at any moment, by Ctrl-C or kill -9 as well: no document is lost, what was finished stays finished, and the next run \
            does the rest. A database that an application has open compacts itself; this is for those at rest.

            Prints what it did as a line of JSON.

            Examples:

              logdb compact saves.logdb
              logdb compact saves.logdb --plan
              logdb compact saves.logdb --memory 8MiB --rate 20MiB
              logdb compact saves.logdb --codec zlib:9
            """)

    @OptionGroup var database: DatabasePath

    @Option(help: ArgumentHelp("Memory to use, beyond the largest document: 4MiB or more. (default: 64MiB)", valueName: "bytes"))
    var memory: ByteSizeArgument?

    @Option(help: ArgumentHelp("The most disk to use beyond what the database takes now. (default: what is free)", valueName: "bytes"))
    var maximumExtraBytes: ByteSizeArgument?

    @Option(help: ArgumentHelp("Bytes a second to read and write at most, such as 20MiB.", valueName: "bytes"))
    var rate: ByteSizeArgument?

    @Option(
        help: ArgumentHelp("How the new segments are compressed: none, lz4, lz4hc[:3-12] or zlib[:1-9]. (default: lz4)", valueName: "codec")
    )
    var codec: CodecArgument?

    @Flag(help: "Print what would be done and needed, and do nothing.")
    var plan = false

    func validate() throws {
        if let memory, memory.bytes < 4 << 20 { throw ValidationError("--memory must be 4MiB or more") }
        if let rate, rate.bytes < 1024 { throw ValidationError("--rate must be 1KiB or more") }
    }

    func run() throws {
        var compaction = CompactionOptions()
        compaction.maximumExtraBytes = maximumExtraBytes.map { UInt64($0.bytes) }
        compaction.bytesPerSecond = rate?.bytes
        var options = Options.toChange
        options.compaction = .manual
        if let codec { options.codec = codec.codec }
        if let memory { options.memoryBudgetBytes = memory.bytes }
        var output = OutputBuffer()
        // Without the room for it nothing is touched, not even by opening to write.
        var looking = options
        looking.access = .readOnly
        let plan = try withDatabase(database.path, looking) { try $0.compactionPlan(compaction) }
        guard !self.plan else { return try output.say(plan.asJSON.description) }
        Interruption.catchSignals()
        var progress = ProgressLine(updatesPerLook: 1)
        let report = try withDatabase(database.path, options) { db in
            try db.compact(compaction) { step in
                if let signal = Interruption.signal {
                    throw Interruption.failure(signal, "No document is lost; another run does the rest.")
                }
                progress.update { _ in step.line }
            }
        }
        progress.finish { "\(report.bytesBefore.asBytes) became \(report.bytesAfter.asBytes) in \($0.rounded(to: 1)) s" }
        try output.say(report.asJSON.description)
    }
}

extension CompactionProgress {
    /// A bar, the bytes and the time to go.
    var line: String {
        let width = 30
        let done = bytesPlanned == 0 ? width : Int(Double(bytesDone) / Double(bytesPlanned) * Double(width))
        let bar = String(repeating: "=", count: done) + String(repeating: " ", count: width - done)
        let left = secondsLeft.map { ", \($0.rounded(to: $0 < 10 ? 1 : 0)) s to go" } ?? ""
        return "[\(bar)] \(bytesDone.asBytes) of \(bytesPlanned.asBytes)\(left)"
    }
}

extension CompactionPlan {
    var asJSON: JSON {
        [
            "logSegments": JSON(logSegments), "logBytes": JSON(logBytes), "logRawBytes": JSON(logRawBytes), "baseBytes": JSON(baseBytes),
            "steps": JSON(steps), "peakExtraBytes": JSON(peakExtraBytes), "minimumExtraBytes": JSON(minimumExtraBytes),
            "availableBytes": JSON(availableBytes), "estimatedGarbage": JSON(Double((estimatedGarbage * 1000).rounded() / 1000)) ?? .null,
            "estimatedGainBytes": JSON(estimatedGainBytes),
        ]
    }
}

extension CompactionReport {
    fileprivate var asJSON: JSON {
        [
            "steps": JSON(steps), "documents": JSON(documents), "bytesBefore": JSON(bytesBefore), "bytesAfter": JSON(bytesAfter),
            "writtenBytes": JSON(writtenBytes), "spilledBytes": JSON(spilledBytes), "peakExtraBytes": JSON(peakExtraBytes),
            "seconds": JSON((seconds * 1000).rounded() / 1000) ?? .null,
        ]
    }
}
