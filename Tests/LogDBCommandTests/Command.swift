//===--- Command.swift - the built command, run as a user would ------------===//
//
// Standard output and error go to files, so that no pipe can fill up while nobody reads.
//===-----------------------------------------------------------------------===//

import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a run left behind.
struct Outcome {
    var status: Int32
    var wasKilled: Bool
    var output: String
    var error: String
    var lines: [String]

    init(status: Int32, wasKilled: Bool, output: String, error: String) {
        self.status = status
        self.wasKilled = wasKilled
        self.output = output
        self.error = error
        lines = output.split(separator: "\n").map(String.init)
    }
}

/// A folder for one test, and the command to run in it.
final class Workspace {
    let folder: URL
    var database: String { path("game.logdb") }

    init() throws {
        Self.ignoreBrokenPipes
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("logdb-command-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Writes a file and returns its path.
    func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        return path(name)
    }

    /// Runs `logdb` to its end.
    @discardableResult
    func logdb(_ arguments: String..., input: String? = nil) throws -> Outcome { try logdb(arguments, input: input) }

    func logdb(_ arguments: [String], input: String? = nil) throws -> Outcome {
        let file = try input.map { try self.file("input-\(UInt64.random(in: 0 ... .max))", $0) }
        return try start(arguments, inputFile: file).wait()
    }

    /// Starts `logdb` with the file as its standard input, or nothing.
    func start(_ arguments: [String], inputFile: String? = nil) throws -> Running {
        try Running(arguments, input: .file(inputFile ?? "/dev/null"), in: folder)
    }

    /// Starts `logdb` with a pipe as its standard input.
    func startInteractively(_ arguments: String...) throws -> Running { try Running(arguments, input: .pipe, in: folder) }

    /// A process that goes away while a test writes to it must not take the test along.
    private static let ignoreBrokenPipes: Void = {
        _ = signal(SIGPIPE, SIG_IGN)
    }()
}

/// A run under way.
final class Running {
    enum Input {
        case file(String)
        case pipe
    }

    let process = Process()
    private let outputFile: URL
    private let errorFile: URL
    private var inputPipe: FileHandle?

    init(_ arguments: [String], input: Input, in folder: URL, executable: URL? = nil) throws {
        let name = UInt64.random(in: 0 ... .max)
        outputFile = folder.appendingPathComponent("output-\(name)")
        errorFile = folder.appendingPathComponent("error-\(name)")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        process.executableURL = try executable ?? Self.executable.get()
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        switch input {
        case .file(let path): process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        case .pipe:
            let pipe = Pipe()
            process.standardInput = pipe
            inputPipe = pipe.fileHandleForWriting
        }
        try process.run()
    }

    func send(_ text: String) { try? inputPipe?.write(contentsOf: Data(text.utf8)) }

    func endInput() {
        try? inputPipe?.close()
        inputPipe = nil
    }

    /// What was printed so far.
    var outputSoFar: String { (try? Data(contentsOf: outputFile)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    var outputBytesSoFar: Int {
        (try? FileManager.default.attributesOfItem(atPath: outputFile.path))?[.size] as? Int ?? 0
    }

    /// Complete lines printed so far.
    var linesSoFar: Int { outputSoFar.utf8.count { $0 == UInt8(ascii: "\n") } }

    /// Waits until `condition` holds, half a minute at most.
    func wait(until condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        while try !condition() {
            try #require(Date() < deadline, "it did not happen within half a minute")
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    func wait() throws -> Outcome {
        endInput()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal, output: outputSoFar,
            error: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
    }

    /// `logdb`, which the build leaves beside the test bundle: found from wherever that runs.
    static let executable = Result {
        var starts = Bundle.allBundles.map(\.bundleURL) + CommandLine.arguments.prefix(1).map { URL(fileURLWithPath: $0) }
        if let main = Bundle.main.executableURL { starts.append(main) }
        // On macOS a helper runs the bundle, which is named in an argument.
        starts += CommandLine.arguments.filter { $0.contains(".xctest") }.map { URL(fileURLWithPath: $0) }
        for start in starts {
            var folder = start.resolvingSymlinksInPath()
            for _ in 0..<5 {
                folder.deleteLastPathComponent()
                let candidate = folder.appendingPathComponent("logdb")
                if (try? candidate.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true { return candidate }
            }
        }
        throw MissingExecutable(lookedFrom: starts.map(\.path))
    }

    struct MissingExecutable: Error {
        var lookedFrom: [String]
    }
}

/// Expects a failure: status 1, nothing on stdout, exactly this line on stderr.
func expectFailure(_ outcome: Outcome, _ line: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(outcome.status == 1, sourceLocation: sourceLocation)
    #expect(outcome.error == "logdb: \(line)\n", sourceLocation: sourceLocation)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
}
