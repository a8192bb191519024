//===--- VerifyCommand.swift - logdb verify --------------------------------===//

import ArgumentParser
import LogDB
import LogDBFormat

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read and check every byte.",
        discussion: """
            Reads every file of the database whole, checks every checksum, and decodes every record. Changes nothing.

            Prints each damaged place, and each remark that is no damage, as a line of JSON:

              {"file":"000041.seg.lz4","offset":4096,"error":"corrupted: …"}
              {"remark":"…"}

            and a summary on stderr. Exit status 1 if anything is damaged, 0 if there are only remarks. 'logdb salvage' recovers what is not \
            damaged into a new database.

            --digest also reads the live documents and prints their digest, which is the same for any two databases with the same live \
            contents: for a backup and what it was made of, before and after a compaction.

              {"digest":"00c0ffee00c0ffee","documents":1024}

            Examples:

              logdb verify saves.logdb && echo sound
              logdb verify saves.logdb --digest
            """)

    @OptionGroup var database: DatabasePath

    @Flag(help: "Print the digest of the live contents as well.")
    var digest = false

    func run() throws {
        var progress = ProgressLine(updatesPerLook: 1)
        let report = try Database.verify(at: database.path) { bytes in
            progress.update { "\(bytes.asBytes) checked, \(Int(Double(bytes) / $0).asBytes) a second" }
        }
        var output = OutputBuffer()
        for damage in report.damages {
            output.bytes.append("{")
            if let file = damage.file {
                output.bytes.append("\"file\":")
                JSONText.append(file, to: &output.bytes)
                output.bytes.append(",")
            }
            if let offset = damage.offset { output.bytes.append("\"offset\":\(offset),") }
            output.bytes.append("\"error\":")
            JSONText.append("\(damage.code.rawValue): \(damage.message)", to: &output.bytes)
            output.bytes.append("}\n")
        }
        for remark in report.remarks {
            output.bytes.append("{\"remark\":")
            JSONText.append(remark, to: &output.bytes)
            output.bytes.append("}\n")
        }
        try output.flush()
        let checked = "\(counted(report.files, "file")), \(report.bytes.asBytes), \(counted(report.operations, "operation"))"
        guard report.isSound else { throw CommandFailure("\(counted(report.damages.count, "damaged place")) in \(checked)") }
        if digest {
            let digest = try withDatabase(database.path, .toRead) { try $0.digest() }
            try output.say(#"{"digest":"\#(digest)","documents":\#(digest.documents)}"#)
        }
        StandardError.report("sound: \(checked)")
    }
}
