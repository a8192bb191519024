//===--- Main.swift - logdb-bench ------------------------------------------===//
//
// Parses, makes a folder, runs the measures one after the other, removes the folder. Two measures need a process of their own, for a
// peak of memory that is nobody else's and for a writer that is killed: this program starts itself again for them (Child.swift).
//===-----------------------------------------------------------------------===//

import Foundation

@main struct Main {
    static func main() async {
        let words = CommandLine.arguments.dropFirst()
        if words.first == Child.option { return Child.run(Array(words.dropFirst())) }
        if words.contains("--help") { return print(Arguments.help) }
        let arguments: Arguments
        do throws(Arguments.Wrong) { arguments = try Arguments(words) } catch {
            complain("logdb-bench: \(error.message)\n\n\(Arguments.help)")
            exit(64)
        }
        do {
            let bench = try Bench(arguments)
            defer { bench.cleanUp() }
            bench.printSurroundings()
            for measure in Measure.allCases where arguments.only.contains(measure) { try await run(measure, bench) }
            let missed = bench.report.missed
            if missed > 0 { bench.report.title(missed == 1 ? "1 limit was missed." : "\(missed) limits were missed.") }
            if missed > 0, arguments.checks {
                bench.cleanUp()
                exit(1)
            }
        } catch {
            complain("logdb-bench: \(error)")
            exit(1)
        }
    }

    private static func run(_ measure: Measure, _ bench: Bench) async throws {
        switch measure {
        case .put: try bench.measurePuts()
        case .disk: try bench.measureDisk()
        case .transaction: try bench.measureTransactions()
        case .threads: try await bench.measureThreads()
        case .size: try bench.measureSizes()
        case .replay: try bench.measureReplay()
        case .open: try bench.measureOpening()
        case .get: try bench.measureGets()
        case .select: try bench.measureSelect()
        case .sqlite: try bench.measureSQLite()
        }
    }

    private static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
