//===--- Specimen.swift - a database to be damaged --------------------------===//
//
// It is damaged and read. Each time reading finds the damage, or there is nothing to find because what is read is exactly right; never
// a wrong answer, a crash or a wait.
//
//   * closed: everything was acknowledged, so nothing may be missing.
//   * crashed, synced: nothing followed the last sync, so nothing may be missing, and the mark is all that says so.
//   * crashed: what was synced may not be missing, the rest may, but only from its end (a hole there is what a power cut leaves).
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// A database at rest, to be damaged.
struct Specimen: Sendable, CustomTestStringConvertible {
    var name: String
    var disk: SimulatedDisk
    var frames: [ModelFrame]
    /// Frames that may not be missing.
    var floor: Int
    var options: Options
    var testDescription: String { name }

    static let all: [Specimen] =
        (try? [make("closed", isClosed: true), make("crashed", isClosed: false), make("crashed, synced", isClosed: false, isSynced: true)])
        ?? []

    /// Sealed segments of three codecs, a raw one, a manifest.
    private static func make(_ name: String, isClosed: Bool, isSynced: Bool = false) throws -> Specimen {
        let disk = SimulatedDisk()
        let ledger = Ledger(Model())
        var options = Workload.random(seed: 0, count: 0).options
        var author = Author(seed: 21)
        for codec in [Codec.lz4, .zlib(level: 6), .none] {
            options.codec = codec
            let runner = Runner(disk, ledger, options)
            try runner.open()
            for _ in 0..<3 { try runner.perform(.write(author.change(sizes: 40..<300), .process)) }
            try runner.perform(.seal)
            try runner.close()
        }
        let runner = Runner(disk, ledger, options)
        try runner.open()
        try runner.perform(.batch((0..<3).map { _ in author.change(sizes: 40..<200) }, .process))
        try runner.perform(.dropTable("b", .process))
        try runner.perform(.write(author.change(tables: ["a"], sizes: 40..<300), .disk))
        let image: SimulatedDisk
        if isClosed {
            try runner.close()
            image = disk.afterCrash(.pessimistic)
        } else {
            // Synced so far; what follows is there, but nobody was told that it is safe.
            // Of what was acknowledged last only the mark speaks.
            for _ in 0..<(isSynced ? 0 : 2) { try runner.perform(.write(author.change(tables: ["a"], sizes: 40..<300), .process)) }
            image = disk.afterCrash(.optimistic)
            runner.abandon()
        }
        let model = ledger.withLock { $0 }
        return Specimen(
            name: name, disk: image, frames: model.frames, floor: isClosed ? model.frames.count : model.marks.disk, options: options)
    }

    /// Larger ones: about a dozen segments of two codecs, raw ones that a transaction kept from being sealed, and a manifest with a past.
    static let large: [Specimen] = (try? [makeLarge(isClosed: true), makeLarge(isClosed: false)]) ?? []

    private static func makeLarge(isClosed: Bool) throws -> Specimen {
        let disk = SimulatedDisk()
        let ledger = Ledger(Model())
        var options = Workload.random(seed: 0, count: 0).options
        var author = Author(seed: 31)
        for codec in [Codec.lz4, .zlib(level: 6)] {
            options.codec = codec
            let runner = Runner(disk, ledger, options)
            try runner.open()
            for _ in 0..<20 { try runner.perform(.write(author.change(sizes: 9000..<30_000), .process)) }
            try runner.perform(.seal)
            try runner.close()
        }
        let runner = Runner(disk, ledger, options)
        try runner.open()
        try runner.perform(.begin("x"))
        try runner.perform(.change("x", author.change(tables: ["a"])))
        for number in 0..<12 { try runner.perform(.write(author.change(sizes: 9000..<20_000), number % 4 == 3 ? .disk : .process)) }
        try runner.perform(.commit("x", .disk))
        let image: SimulatedDisk
        if isClosed {
            try runner.close()
            image = disk.afterCrash(.pessimistic)
        } else {
            for _ in 0..<3 { try runner.perform(.write(author.change(tables: ["a"], sizes: 40..<900), .process)) }
            image = disk.afterCrash(.optimistic)
            runner.abandon()
        }
        let model = ledger.withLock { $0 }
        return Specimen(
            name: isClosed ? "large, closed" : "large, crashed", disk: image, frames: model.frames,
            floor: isClosed ? model.frames.count : model.marks.disk, options: options)
    }

    /// Damages a copy and reads it in every way. Throws `Violation` for a wrong answer.
    ///
    /// - Returns: whether the damage was noticed.
    func suffers(_ what: String, writing: Bool, _ damage: (SimulatedDisk) -> Void) throws -> Bool {
        let image = disk.afterCrash(.optimistic)
        damage(image)
        let start = Clock.monotonicNanoseconds()
        defer { #expect(Clock.monotonicNanoseconds() - start < 5_000_000_000, "\(what) took long") }
        do {
            let isFound = try isNoticed(image, .readOnly)
            let report = try Database.verify(image.directory(), path: "simulated")
            if isFound, report.isSound { throw Violation("reading finds damage that verify does not") }
            if writing {
                let isFoundWriting = try isNoticed(image, .readWrite)
                if isFound != isFoundWriting {
                    throw Violation("reading \(isFound ? "finds" : "does not find") damage, writing does otherwise")
                }
            }
            return isFound || !report.isSound
        } catch let error as LogDBError where [.unsupportedFormat, .codecUnavailable].contains(error.code) { return true } catch {
            throw Violation("\(name), \(what): \(error)")
        }
    }

    private func isNoticed(_ image: SimulatedDisk, _ access: Options.Access) throws -> Bool {
        var options = options
        options.access = access
        let db: Database
        do { db = try Database.open(image.directory(), path: "simulated", options: options) } catch { return try isClear(error) }
        defer { try? db.close() }
        do { _ = try Check.contents(of: db) } catch { return try isClear(error) }
        try Check.identify(db, frames, floor: floor)
        return false
    }

    private func isClear(_ error: any Error) throws -> Bool {
        guard let error = error as? LogDBError, [.corrupted, .unsupportedFormat, .codecUnavailable].contains(error.code) else {
            throw error
        }
        return true
    }

    /// The offsets worth trying: all of the bytes that were written and some way beyond, a few of the zeros that follow.
    func offsets(of file: String) -> [Int] {
        let bytes = disk.read(file)
        let written = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
        let dense = min(bytes.count, written + 64)
        let step = Scale.isDebug ? 17 : 1
        return Array(stride(from: 0, to: dense, by: step)) + Array(stride(from: dense, to: bytes.count, by: 251 * step))
    }
}
