//===--- Bench.swift - what the measures share -----------------------------===//
//
// A folder that is removed at the end, the generated log, and databases that are made once and read by several measures: one of each
// codec with the whole log in it, sealed, and SQLite with the same.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

final class Bench {
    let arguments: Arguments
    let report: Report
    let folder: String
    private var databases: [Codec: Loaded] = [:]
    private var peer: Loaded?

    /// A database on the disk, closed, and how long it took to make.
    struct Loaded {
        var path: String
        var nanoseconds: Double
        var storedBytes: Int
        /// With everything that was waiting to be folded in: SQLite's WAL.
        var peakBytes: Int
    }

    static let codecs: [(codec: Codec, name: String)] = [
        (.lz4, "lz4"), (.lz4HC(level: 9), "lz4hc:9"), (.zlib(level: 6), "zlib:6"), (.none, "none"),
    ]

    init(_ arguments: Arguments, folder: String) throws {
        self.arguments = arguments
        report = Report(judges: !arguments.isQuick)
        self.folder = folder + "/own"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    /// As many calls as a full run makes, or few.
    func calls(_ full: Int, quick: Int) -> Int { arguments.isQuick ? quick : full }

    /// A path in the folder where nothing is.
    func fresh(_ name: String) -> String {
        let path = folder + "/" + name
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        return path
    }

    func printSurroundings() {
        let load = Surroundings.load
        report.title("\(ProcessInfo.processInfo.processorCount) processors, load average \(String(format: "%.1f", load)), in \(folder)")
        if load > 1 { report.note("others are at work on this machine: read the ratios, not the times") }
    }

    // MARK: - Inputs

    /// The generated log.
    private(set) lazy var campaign = Campaign(steps: arguments.isQuick ? 50_000 : 1_000_000)

    /// What single puts write.
    private(set) lazy var inputs = Inputs()

    func text(_ key: Key) -> String {
        guard case .string(let text) = key else { preconditionFailure("generated keys are strings") }
        return text
    }

    // MARK: - Databases

    /// The path of a database with the whole log, sealed by `codec` and closed.
    func database(_ codec: Codec) throws -> Loaded {
        if let known = databases[codec] { return known }
        let path = fresh("sealed-\(databases.count)")
        let options = Options { [isQuick = arguments.isQuick] options in
            // What is measured is the log; compaction has steps of its own.
            options.compaction = .manual
            options.codec = codec
            if isQuick { options.segmentSizeBytes = 2 << 20 }
        }
        _ = campaign
        let nanoseconds = try time {
            let database = try Database.open(at: path, options: options)
            try load(into: database)
            try database.seal()
            try database.close()
        }
        let bytes = size(of: path)
        let loaded = Loaded(path: path, nanoseconds: nanoseconds, storedBytes: bytes, peakBytes: bytes)
        databases[codec] = loaded
        return loaded
    }

    /// Writes the log in batches of 1,000 at `.process`.
    func load(into database: Database, steps: Range<Int>? = nil) throws {
        let steps = steps ?? 0..<campaign.count
        for start in stride(from: steps.lowerBound, to: steps.upperBound, by: 1000) {
            var batch = Batch()
            for step in campaign.steps[start..<min(start + 1000, steps.upperBound)] {
                let key = campaign.keys[step.actor]
                if step.isDelete {
                    try batch.delete(Campaign.table, key)
                } else {
                    try batch.upsert(Campaign.table, key, json: campaign.text.span.extracting(step.document))
                }
            }
            try database.write(batch, persistence: .process)
        }
    }

    /// SQLite with the whole log, in transactions of 1,000 that are handed to the system.
    func sqlite() throws -> Loaded {
        if let peer { return peer }
        let path = fresh("peer.sqlite")
        _ = campaign
        var peak = 0
        let nanoseconds = try time {
            let peer = try SQLite(path, .off)
            for start in stride(from: 0, to: campaign.count, by: 1000) {
                try peer.begin()
                for step in campaign.steps[start..<min(start + 1000, campaign.count)] {
                    let key = text(campaign.keys[step.actor])
                    if step.isDelete { try peer.delete(key) } else { try peer.upsert(key, campaign.text.span.extracting(step.document)) }
                }
                try peer.commit()
            }
            peak = size(of: path) + size(of: path + "-wal")
        }
        let loaded = Loaded(path: path, nanoseconds: nanoseconds, storedBytes: size(of: path), peakBytes: peak)
        peer = loaded
        return loaded
    }

    /// Bytes of a file, or of all files of a folder.
    func size(of path: String) -> Int {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path))?.map { path + "/" + $0 } ?? [path]
        return files.reduce(0) { $0 + ((try? FileManager.default.attributesOfItem(atPath: $1)[.size] as? Int) ?? 0) }
    }

    /// Bytes that `write` adds to the log: what a bare write is to be compared with it must write too.
    func logBytes(of write: (Database) throws -> Void) throws -> Int {
        func rawBytes(_ body: (Database) throws -> Void) throws -> Int {
            let path = fresh("length")
            let database = try Database.open(at: path)
            try database.createTable(Campaign.table)
            try body(database)
            try database.close()
            // Opened for reading only: a writer might seal it under our eyes.
            let reader = try Database.open(at: path, options: Options { $0.access = .readOnly })
            defer { try? reader.close() }
            return try reader.statistics().files.reduce(0) { $0 + ($1.kind == "raw" ? Int($1.bytes) : 0) }
        }
        return try rawBytes(write) - rawBytes { _ in }
    }
}
