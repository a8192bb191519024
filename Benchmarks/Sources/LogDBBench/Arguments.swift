//===--- Arguments.swift - what to measure, and how much of it -------------===//

import Foundation

struct Arguments {
    static let help = """
        Usage: logdb-bench [--quick | --smoke] [--only NAME,…] [--results FOLDER] [--folder PATH] [--operations N] [--rounds N] [--check]
                           [--engines NAME,…] [--require-peers]

        Measures LogDB beside SQLite, RocksDB, LevelDB, LMDB, Redis, GRDB and the bare machine, each step in a process of its own, in turns.

          --quick          everything, smaller: under five minutes
          --smoke          everything, tiny: does it run, are the answers right?
          --only NAMES     some of: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")),
                           or of LogDB's own: \(Measure.allCases.map { "own." + $0.rawValue }.joined(separator: ", "))
          --engines NAMES  some of: \(Setting.Engine.allCases.map(\.rawValue).joined(separator: ", "))
          --results FOLDER where to write Markdown, JSON and plot; default: Benchmarks/results for a full run of everything, else nowhere
          --name NAME      of the files there; default: latest
          --folder PATH    where to make the databases, on the disk that is to be measured; default: a new folder in the current one
          --operations N   length of the history, default 1000000
          --rounds N       default 3; fewer say little
          --check          exit with 1 if a goal or limit is missed
          --require-peers  exit with 1, at once, if a peer is not installed
        """

    var scale = Scale.full
    var checks = false
    var requiresPeers = false
    /// Rivals' workloads.
    var workloads = Set(Workload.allCases)
    /// LogDB's own measures.
    var measures = Set(Measure.allCases)
    var engines = Set(Setting.Engine.allCases)
    var results: String?
    var name = "latest"
    var folder = "."

    var isQuick: Bool { scale.name != Scale.full.name }

    struct Wrong: Error { var message: String }

    init(_ words: some Sequence<String>) throws(Wrong) {
        var words = words.makeIterator()
        var operations: Int?
        var rounds: Int?
        func value(of option: String) throws(Wrong) -> String {
            guard let value = words.next() else { throw Wrong(message: "\(option) needs a value") }
            return value
        }
        func number(of option: String, from least: Int) throws(Wrong) -> Int {
            guard let number = Int(try value(of: option)), number >= least else {
                throw Wrong(message: "\(option) needs a number from \(least) up")
            }
            return number
        }
        while let word = words.next() {
            switch word {
            case "--quick": scale = .quick
            case "--smoke": scale = .smoke
            case "--check": checks = true
            case "--require-peers": requiresPeers = true
            case "--folder": folder = try value(of: word)
            case "--results": results = try value(of: word)
            case "--name": name = try value(of: word)
            case "--operations": operations = try number(of: word, from: 1000)
            case "--rounds": rounds = try number(of: word, from: 1)
            case "--only": try choose(try value(of: word))
            case "--engines":
                engines = []
                for name in try value(of: word).split(separator: ",") {
                    guard let engine = Setting.Engine(rawValue: String(name)) else {
                        throw Wrong(message: "there is no engine named \(name)")
                    }
                    engines.insert(engine)
                }
            default: throw Wrong(message: "unknown option \(word)")
            }
        }
        if let operations {
            scale.operations = operations
            scale.name = "\(operations.grouped) operations"
        }
        if let rounds { scale.rounds = rounds }
        if results == nil, scale.name == Scale.full.name, workloads.count == Workload.allCases.count,
            engines.count == Setting.Engine.allCases.count
        {
            results = Self.ownResults
        }
        if checks, isQuick { throw Wrong(message: "--check needs a full run: a smaller one judges nothing") }
    }

    private mutating func choose(_ names: String) throws(Wrong) {
        workloads = []
        measures = []
        for name in names.split(separator: ",") {
            if name.hasPrefix("own."), let measure = Measure(rawValue: String(name.dropFirst("own.".count))) {
                workloads.insert(.own)
                measures.insert(measure)
            } else if let workload = Workload(rawValue: String(name)) {
                workloads.insert(workload)
                if workload == .own { measures = Set(Measure.allCases) }
            } else {
                throw Wrong(message: "there is no workload named \(name)")
            }
        }
    }

    /// Beside the sources that this program was made from.
    private static var ownResults: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../results").standardizedFileURL.path
    }
}

/// LogDB's own measures, in the order of the report.
enum Measure: String, CaseIterable {
    case json, schema, put, disk, transaction, threads, size, replay, open, get, select, compaction, ladder, sqlite
}
