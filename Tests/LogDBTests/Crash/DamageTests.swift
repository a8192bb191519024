//===--- DamageTests.swift - every byte of every kind of file --------------===//
//
// Small databases in which every byte is changed and every length tried. Each time reading finds the damage, or there is nothing to find
// because what is read is exactly right; never a wrong answer, a crash or a wait.
//
//   * closed: everything was acknowledged, so nothing may be missing.
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

    static let all: [Specimen] = (try? [make("closed", isClosed: true), make("crashed", isClosed: false)]) ?? []

    /// Sealed segments of three codecs, a raw one, a manifest.
    private static func make(_ name: String, isClosed: Bool) throws -> Specimen {
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
            for _ in 0..<2 { try runner.perform(.write(author.change(tables: ["a"], sizes: 40..<300), .process)) }
            image = disk.afterCrash(.optimistic)
            runner.abandon()
        }
        let model = ledger.withLock { $0 }
        return Specimen(
            name: name, disk: image, frames: model.frames, floor: isClosed ? model.frames.count : model.marks.disk, options: options)
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

extension Crash {
    @Suite struct Damaged {
        /// Tries `variants` of damage at each offset of each file.
        private func tryAll(
            _ specimen: Specimen, _ kind: Tally.Kind, _ variants: [(String, @Sendable (SimulatedDisk, String, Int) -> Void)]
        ) -> (violations: [String], noticed: Int) {
            var violations: [String] = []
            var noticed = 0
            for file in specimen.disk.names where file != "LOCK" {
                for offset in specimen.offsets(of: file) {
                    for (name, damage) in variants where violations.count < 6 {
                        Tally.count(kind)
                        do {
                            if try specimen.suffers("\(name) \(file) at \(offset)", writing: offset % 7 == 0, { damage($0, file, offset) })
                            {
                                noticed += 1
                            }
                        } catch { violations.append("\(error)") }
                    }
                }
            }
            return (violations, noticed)
        }

        @Test func `the specimens are what they should be`() throws {
            #expect(Specimen.all.count == 2)
            for specimen in Specimen.all {
                #expect(specimen.disk.names.count == 6)
                let isNoticed = try specimen.suffers("nothing", writing: true) { _ in }
                #expect(!isNoticed)
            }
        }

        @Test(arguments: Specimen.all)
        func `a changed byte is found, or read as if it had not been changed`(_ specimen: Specimen) {
            let result = tryAll(
                specimen, .flips,
                [
                    ("one bit of", { $0.flipBit($2, at: $2, of: $1) }),
                    ("all bits of", { disk, file, offset in for bit in 0..<8 { disk.flipBit(bit, at: offset, of: file) } }),
                ])
            #expect(result.violations.isEmpty, "\(result.violations.joined(separator: "\n"))")
            #expect(result.noticed > 100)
        }

        @Test(arguments: Specimen.all)
        func `a file that was cut off is found, or nothing is missing`(_ specimen: Specimen) {
            let result = tryAll(specimen, .truncations, [("cut off", { $0.truncate($1, to: $2) })])
            #expect(result.violations.isEmpty, "\(result.violations.joined(separator: "\n"))")
            #expect(result.noticed > 100)
        }

        // Of the closed one only: in a log that was not closed a lost sector may take all that says it had been synced along.
        @Test func `a lost sector of a closed database is found, or nothing is missing`() {
            let result = tryAll(
                Specimen.all[0], .flips,
                [
                    (
                        "a sector of zeros in",
                        { disk, file, offset in
                            let start = offset & ~511
                            disk.zero(start..<min(start + 512, disk.size(of: file)), of: file)
                        }
                    )
                ])
            #expect(result.violations.isEmpty, "\(result.violations.joined(separator: "\n"))")
        }

        @Test(arguments: Specimen.all)
        func `a missing file is found, and so are two that were swapped`(_ specimen: Specimen) throws {
            let files = specimen.disk.names.filter { $0 != "LOCK" }
            for file in files {
                // Without its manifest a folder of segments is no new database.
                #expect(try specimen.suffers("without \(file)", writing: true) { $0.delete(file) }, "\(file) missing")
                for other in files where other < file {
                    #expect(
                        try specimen.suffers("swapping \(file) and \(other)", writing: true) { $0.swap(file, other) }, "\(file), \(other)")
                }
            }
        }
    }
}
