//===--- CommandFailure.swift - how a verb gives up ------------------------===//

/// A failure that is no ``LogDBError``: one sentence for stderr and the exit status.
struct CommandFailure: Error {
    var message: String
    var status: Int32 = 1

    init(_ message: String, status: Int32 = 1) {
        self.message = message
        self.status = status
    }
}

/// Whoever read our standard output has gone. No failure of ours, and nobody is there to be told.
struct OutputClosed: Error {}

/// One line for each message, on descriptor 2.
enum StandardError {
    /// Writes `logdb: message` as exactly one line.
    static func report(_ message: String) {
        ProgressLine.clear()
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        // Nobody can be told that nobody can be told.
        try? Descriptors.write(Array("logdb: \(line)\n".utf8).span, to: 2)
    }
}
