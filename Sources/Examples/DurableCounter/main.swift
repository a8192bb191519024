//===--- main.swift - a count that survives being killed -------------------===//
//
//      swift run -c release durable-counter
//
// A child process counts page views, each of them on the disk before it is reported, and is killed with SIGKILL at a random moment.
// The parent opens the database again: no view that was reported is missing. Three times over, on the same count.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

/// Counts until somebody ends it.
func count(in path: String) throws {
    let database = try Database.open(at: path)
    let views = try database.counter("pages", "front", field: "views")
    while true {
        // Read once when the counter was made; a step is one write and no read, and durable when it returns. Threads may share a
        // counter, and share their syncs then. `persistence: .interval(.seconds(1))` costs a hundredth of it and may lose a second.
        let value = try views.increment(persistence: .disk)
        print(value)
        fflush(nil)
    }
}

/// Runs `count` in a process of its own, kills it, and returns the last count that it reported.
func countAndKill(in path: String) throws -> Int64 {
    let child = Process()
    child.executableURL = Bundle.main.executableURL
    child.arguments = ["count", path]
    let reports = Pipe()
    child.standardOutput = reports
    try child.run()
    Thread.sleep(forTimeInterval: .random(in: 0.1...0.5))
    kill(child.processIdentifier, SIGKILL)
    let text = String(decoding: try reports.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    child.waitUntilExit()
    // The last line may have been cut off by the kill.
    return text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1).last.flatMap { Int64($0) } ?? 0
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "count" {
    try count(in: CommandLine.arguments[2])
} else {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("durable-counter-\(getpid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    var before: Int64 = 0
    for round in 1...3 {
        let reported = max(before, try countAndKill(in: folder.path))
        let database = try Database.open(at: folder.path)
        let kept = try database.counter("pages", "front", field: "views").value
        try database.close()
        print("killed \(round): \(reported - before) views reported since the last time, \(kept) kept in all")
        // One more may be there than was reported: killed between the disk and the report.
        guard kept == reported || kept == reported + 1 else {
            print("the count is \(kept), reported were \(reported)")
            exit(1)
        }
        before = kept
    }
}
