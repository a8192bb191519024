//===--- TransferLoopTests.swift - short counts and interruptions ----------===//

import LogDBFile
import LogDBSimulation
import Testing

@Suite struct TransferLoopTests {
    let disk = SimulatedDisk()
    let file: any File

    init() throws { file = try disk.directory().create("a") }

    @Test func `writes that are cut short are continued`() throws {
        disk.inject(Fault(.short(7), on: .write))
        try file.writeFully(pattern(1000), at: 5)
        #expect(disk.read("a") == [0, 0, 0, 0, 0] + pattern(1000))
        #expect(disk.operationCount == 1 + (1000 + 6) / 7)
    }

    @Test func `reads that are cut short are continued`() throws {
        try file.writeFully(pattern(1000), at: 0)
        disk.inject(Fault(.short(7), on: .read))
        #expect(try file.readAll() == pattern(1000))
    }

    @Test func `interrupted reads and writes are tried again`() throws {
        disk.inject(Fault(.error(.interrupted), times: 5))
        try file.writeFully(pattern(100), at: 0)
        disk.inject(Fault(.error(.interrupted), times: 5))
        #expect(try file.readAll() == pattern(100))
        #expect(disk.faultCount == 10)
    }

    @Test func `a write that accepts nothing is an error, not a loop`() throws {
        disk.inject(Fault(.short(0), on: .write, after: 1))
        disk.inject(Fault(.short(10), on: .write, times: 1))
        let error = #expect(throws: FileError.self) { try file.writeFully(pattern(100), at: 0) }
        #expect(error?.code == .diskFull)
    }

    @Test func `a failure halfway reports the offset it got to`() throws {
        disk.inject(Fault(.short(60), on: .write, times: 1))
        disk.inject(Fault(.error(.inputOutput), on: .write, after: 0, times: 1))
        let error = #expect(throws: FileError.self) { try file.writeFully(pattern(100), at: 1000) }
        #expect(error == FileError(.inputOutput, operation: .write, name: "a", offset: 1060))
        #expect(error.map { "\($0)" } == "Input/output error (pwrite a at byte 1060)")
        #expect(disk.size(of: "a") == 1060)
    }

    @Test func `a full disk takes what fits and then says so`() throws {
        let disk = SimulatedDisk(capacityBytes: 3 * 4096)
        let directory = disk.directory()
        let file = try directory.create("a")
        #expect(try directory.freeBytes() == 3 * 4096)
        expect(.diskFull) { try file.allocate(4 * 4096) }
        #expect(try file.size() == 0)
        let error = #expect(throws: FileError.self) { try file.writeFully(pattern(20_000), at: 100) }
        #expect(error == FileError(.diskFull, operation: .write, name: "a", offset: 3 * 4096))
        #expect(try directory.freeBytes() == 0)
        try file.writeFully([1, 2, 3], at: 50)
        #expect(try file.size() == 3 * 4096)
        try file.truncate(to: 4096)
        #expect(try directory.freeBytes() == 2 * 4096)
        try directory.remove("a")
        #expect(try directory.freeBytes() == 2 * 4096, "a file that is open keeps its blocks")
        try file.close()
        #expect(try directory.freeBytes() == 3 * 4096)
    }

    @Test func `space that was allocated can be written on a full disk`() throws {
        let disk = SimulatedDisk(capacityBytes: 4 * 4096)
        let directory = disk.directory()
        let log = try directory.create("log")
        try log.allocate(3 * 4096)
        let other = try directory.create("other")
        expect(.diskFull) { try other.writeFully(pattern(5000), at: 0) }
        try log.writeFully(pattern(3 * 4096), at: 0)
        #expect(try log.readAll() == pattern(3 * 4096))
    }
}
