//===--- Arguments.swift - what to measure, and how much of it -------------===//

struct Arguments {
    static let help = """
        Usage: logdb-bench [--quick] [--only NAME,…] [--json] [--check] [--folder PATH] [--operations N]

        Measures LogDB beside bare system calls and SQLite, in turns, and says which limits hold.

          --quick         a few seconds, small databases; no verdicts
          --only NAMES    some of: \(Measure.allCases.map(\.rawValue).joined(separator: ", "))
          --json          one JSON object a line instead of the table
          --check         exit with 1 if a limit is missed
          --folder PATH   where to make the databases, on the disk that is to be measured; default: a new folder in the current one
          --operations N  length of the generated log, default 1000000 (quick: 50000); the limits on sizes and speed are meant for the default
        """

    var isQuick = false
    var isJSON = false
    var checks = false
    var only = Set(Measure.allCases)
    var folder = "."
    var operations: Int?

    struct Wrong: Error { var message: String }

    init(_ words: some Sequence<String>) throws(Wrong) {
        var words = words.makeIterator()
        func value(of option: String) throws(Wrong) -> String {
            guard let value = words.next() else { throw Wrong(message: "\(option) needs a value") }
            return value
        }
        while let word = words.next() {
            switch word {
            case "--quick": isQuick = true
            case "--json": isJSON = true
            case "--check": checks = true
            case "--folder": folder = try value(of: word)
            case "--operations":
                let text = try value(of: word)
                guard let number = Int(text), number >= 1000 else { throw Wrong(message: "--operations needs a number from 1000 up") }
                operations = number
            case "--only":
                only = []
                for name in try value(of: word).split(separator: ",") {
                    guard let measure = Measure(rawValue: String(name)) else { throw Wrong(message: "there is no measure named \(name)") }
                    only.insert(measure)
                }
            default: throw Wrong(message: "unknown option \(word)")
            }
        }
        if checks, isQuick { throw Wrong(message: "--check needs a full run: a quick one judges nothing") }
    }
}

/// What can be asked for by name, in the order of the report.
enum Measure: String, CaseIterable {
    case put, disk, transaction, threads, size, replay, open, get, select, sqlite
}
