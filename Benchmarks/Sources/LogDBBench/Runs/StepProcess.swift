//===--- StepProcess.swift - starting a step and watching it ---------------===//

import Foundation

enum StepProcess {
    struct Result {
        var outcome: Outcome
        /// The most that the database's files took while the step ran, over what they took before.
        var extraDiskBytes = 0
    }

    /// Runs the step in a process of its own. Watched, the disk is looked at every few milliseconds.
    static func run(_ step: Step, watchesDisk: Bool = false) throws -> Result {
        guard let program = Bundle.main.executablePath else { throw SystemFailure(message: "this program does not know its own path") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [StepRunner.option, String(decoding: try JSONEncoder().encode(step), as: UTF8.self)]
        let pipe = Pipe()
        process.standardOutput = pipe
        let before = watchesDisk ? Disk.usedBytes(step.folder) : 0
        var most = before
        try process.run()
        if watchesDisk {
            while process.isRunning {
                most = max(most, Disk.usedBytes(step.folder, by: family(of: process.processIdentifier)))
                usleep(4000)
            }
        }
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw SystemFailure(message: "\(step.setting.name): the step \(step.action) ended with \(process.terminationStatus)")
        }
        let outcome = try JSONDecoder().decode(Outcome.self, from: output)
        return Result(outcome: outcome, extraDiskBytes: most - before)
    }

    /// A process and its children: an engine's server, and what that has forked to compact.
    private static func family(of process: Int32) -> [Int32] {
        var found = [process]
        var next = 0
        while next < found.count {
            let path = "/proc/\(found[next])/task/\(found[next])/children"
            let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            found += children.split(separator: " ").compactMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            next += 1
        }
        return found
    }
}
