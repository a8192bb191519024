//===--- Surroundings.swift - a directory of either kind, for one test -----===//

import Foundation
import LogDBFile
import LogDBSimulation
import Testing

/// The implementations every contract test runs against.
enum Implementation: CaseIterable, CustomTestStringConvertible {
    case posix, simulated

    var testDescription: String { self == .posix ? "POSIX" : "simulated" }

    func withDirectory(_ body: (any Directory) throws -> Void) throws {
        switch self {
        case .posix: try withTemporaryPath { try body(POSIXDirectory.open(path: $0, create: true)) }
        case .simulated:
            let disk = SimulatedDisk()
            try body(disk.directory())
            #expect(disk.openHandles == [])
            #expect(disk.heldLocks == [])
        }
    }
}

/// Runs `body` with a path nothing is at, and removes what is there afterwards.
func withTemporaryPath(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "logdb-file-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}

/// Expects a ``FileError`` of this code.
func expect<R>(_ code: FileError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> R) {
    do {
        _ = try body()
        Issue.record("expected \(code), but it succeeded", sourceLocation: sourceLocation)
    } catch let error as FileError {
        #expect(error.code == code, sourceLocation: sourceLocation)
    } catch {
        Issue.record("expected \(code), but it threw \(error)", sourceLocation: sourceLocation)
    }
}

/// Bytes that differ everywhere, so that a shifted or lost byte shows.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) | 1 }
}
