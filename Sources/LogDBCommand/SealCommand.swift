//===--- SealCommand.swift - logdb seal ------------------------------------===//

import ArgumentParser
import LogDB

struct SealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Compress what is not compressed yet.",
        discussion: """
            A database writes to a raw segment and compresses it once it is full. This does so now, and returns when everything is in \
            sealed segments: standard .lz4 or .gz files that 'lz4 -t' and 'gzip -t' verify and 'lz4 -dc' and 'zcat' unpack. \
            Do it before copying a database away, or when nothing will be written for long.

            Examples:

              logdb seal saves.logdb
              logdb seal saves.logdb --codec zlib:9
            """)

    @OptionGroup var database: DatabasePath

    @Option(
        help: ArgumentHelp("How the new segments are compressed: none, lz4, lz4hc[:3-12] or zlib[:1-9]. (default: lz4)", valueName: "codec")
    )
    var codec: CodecArgument?

    func run() throws {
        var options = Options.toChange
        if let codec { options.codec = codec.codec }
        try withDatabase(database.path, options) { try $0.seal() }
    }
}
