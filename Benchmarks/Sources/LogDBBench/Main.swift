//===--- Main.swift - logdb-bench ------------------------------------------===//
//
// Parses, makes a folder, lets the rivals take turns, runs LogDB's own measures, writes the report, removes the folder. This program
// starts itself again for each step (StepRunner.swift) and for what of the own measures needs a process of its own (Own/Child.swift).
//===-----------------------------------------------------------------------===//

import Foundation

// On the main thread: a server that a step starts dies with the thread that started it.
@main @MainActor struct Main {
    static func main() async {
        let words = CommandLine.arguments.dropFirst()
        if words.first == StepRunner.option { return await StepRunner.run(Array(words.dropFirst())) }
        if words.first == Child.option { return Child.run(Array(words.dropFirst())) }
        if words.contains("--help") { return print(Arguments.help) }
        let arguments: Arguments
        do throws(Arguments.Wrong) { arguments = try Arguments(words) } catch {
            complain("logdb-bench: \(error.message)\n\n\(Arguments.help)")
            exit(64)
        }
        let folder = URL(fileURLWithPath: arguments.folder).path + "/logdb-bench.\(getpid())"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let missed = try await run(arguments, in: folder)
            try FileManager.default.removeItem(atPath: folder)
            if missed > 0, arguments.checks { exit(1) }
        } catch {
            complain("logdb-bench: \(error)")
            try? FileManager.default.removeItem(atPath: folder)
            exit(1)
        }
    }

    /// How many goals and limits were missed.
    private static func run(_ arguments: Arguments, in folder: String) async throws -> Int {
        var surroundings = Surroundings(folder: folder)
        let rivalry = try Rivalry(arguments.scale, arguments.workloads, arguments.engines, folder: folder)
        if arguments.requiresPeers, !rivalry.notes.isEmpty { throw SystemFailure(message: "a peer is missing: try .ci/setup benchmarks") }
        // What was measured before a failure is worth keeping; the failure is said, and is the exit status.
        var failure: (any Error)?
        do { try rivalry.run() } catch { failure = error }
        var run = Run(
            name: arguments.name, scale: arguments.scale.name, operations: arguments.scale.operations, rounds: arguments.scale.rounds,
            largest: arguments.scale.growth.last ?? 0, workloads: arguments.workloads, surroundings: surroundings,
            figures: rivalry.figures,
            notes: rivalry.notes + (failure.map { ["The run ended early: \($0)"] } ?? []), own: [])
        var missed = run.goals.count { $0.verdict == .missed && arguments.workloads.contains($0.workload) }
        if failure == nil, arguments.workloads.contains(.own) {
            do { try await own(arguments, folder, &run, &missed) } catch { failure = error }
        }
        surroundings.loadAtMost = rivalry.greatestLoad
        run.surroundings = surroundings
        if !run.figures.all.isEmpty { print(Markdown(run: run).text) }
        if let results = arguments.results {
            try run.write(to: results)
            print("Written to \(results)/\(run.name).md, .json and .svg")
        }
        if let failure { throw failure }
        return missed
    }

    private static func own(_ arguments: Arguments, _ folder: String, _ run: inout Run, _ missed: inout Int) async throws {
        let bench = try Bench(arguments, folder: folder)
        defer {
            missed += bench.report.missed
            run.own = bench.report.text
        }
        bench.printSurroundings()
        for measure in Measure.allCases where arguments.measures.contains(measure) { try await own(measure, bench) }
    }

    private static func own(_ measure: Measure, _ bench: Bench) async throws {
        switch measure {
        case .json: try bench.measureJSON()
        case .schema: try bench.measureSchemas()
        case .put: try bench.measurePuts()
        case .disk: try bench.measureDisk()
        case .transaction: try bench.measureTransactions()
        case .threads: try await bench.measureThreads()
        case .size: try bench.measureSizes()
        case .replay: try bench.measureReplay()
        case .open: try bench.measureOpening()
        case .get: try bench.measureGets()
        case .select: try bench.measureSelect()
        case .compaction: try bench.measureCompaction()
        case .ladder: try bench.measureLadder()
        case .sqlite: try bench.measureSQLite()
        }
    }

    private static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
