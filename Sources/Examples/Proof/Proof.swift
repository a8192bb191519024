//===--- Proof.swift - killing a program, for its own good ------------------===//
//
// What the examples share, and nothing that an application needs: each example starts itself again as a child process, kills that with
// SIGKILL in the middle of its work, and proves from what is left that nothing was lost.
//
//   * a line that came through the pipe was printed after its write was acknowledged. The last line may be cut off: it does not count.
//   * SIGKILL proves what dies with a process. What a power cut takes is proven by the simulated disk of the tests, see CrashSafety.md.
//   * nothing hangs: after two minutes the system's own alarm ends parent and child.
//===-----------------------------------------------------------------------===//

import Foundation

/// Runs an example: `child` in the process that is to be killed, `prove` in the one that kills. Ends the process, with status 0 only if all holds.
public func example(_ name: String, child: ([String]) throws -> Void, prove: (String) throws -> Void) -> Never {
    alarm(120)
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
        if arguments.first == "child" {
            try child(Array(arguments.dropFirst()))
        } else {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(getpid())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try prove(folder.path)
            print("\(name): all as it must be")
        }
    } catch {
        print("\(name) FAILED: \(error)")
        exit(1)
    }
    exit(0)
}

/// What a child has said by the time it ended.
public struct Ending {
    /// Complete lines only.
    public var lines: [String]
    /// Whether it was killed; else it came to its end by itself.
    public var wasKilled: Bool

    /// The last report, as a number.
    public var last: Int { lines.last.flatMap { Int($0) } ?? 0 }
}

/// Runs this program as a child. Kills it with SIGKILL `seconds` after its first report, unless it has come to its end by then.
public func kill(after seconds: ClosedRange<Double>, _ arguments: String...) throws -> Ending {
    let child = Process()
    child.executableURL = Bundle.main.executableURL
    child.arguments = ["child"] + arguments
    let pipe = Pipe()
    child.standardOutput = pipe
    try child.run()
    let pid = child.processIdentifier
    var output = Data()
    var isKilling = false
    // Ends when the child has gone, since nobody else holds the pipe.
    while case let part = pipe.fileHandleForReading.availableData, !part.isEmpty {
        output += part
        guard !isKilling else { continue }
        isKilling = true
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: .random(in: seconds))
            Foundation.kill(pid, SIGKILL)
        }
    }
    child.waitUntilExit()
    let wasKilled = child.terminationReason == .uncaughtSignal
    try require(
        wasKilled ? child.terminationStatus == SIGKILL : child.terminationStatus == 0, "the child ended with \(child.terminationStatus)")
    var lines = output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    lines.removeLast()
    return Ending(lines: lines.map { String(decoding: $0, as: UTF8.self) }, wasKilled: wasKilled)
}

/// Tells the parent, at once.
public func report(_ something: some CustomStringConvertible) {
    print(something)
    fflush(nil)
}

public struct Broken: Error, CustomStringConvertible {
    public var description: String
}

/// Throws unless it holds.
public func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    guard holds else { throw Broken(description: what()) }
}
