//===--- FailedSyncTests.swift - a sync that failed must not be believed ---===//

import LogDBFile
import LogDBSimulation
import Testing

@Suite struct FailedSyncTests {
    // "fsyncgate", 2018: PostgreSQL retried a failed fsync, the retry succeeded, and the data was never written: the kernel had marked the
    // pages clean. On this disk the same program loses the same data.
    @Test func `a retried sync succeeds and loses what the first should have written`() throws {
        let (disk, file) = try prepared(.dropsDirty)
        disk.inject(Fault(.error(.inputOutput), on: .sync, times: 1))
        try file.writeFully([2], at: 0)
        expect(.inputOutput) { try file.sync() }
        try file.sync()
        #expect(try file.readAll()[0] == 2, "the cache still shows it")
        for mode in [CrashMode.pessimistic, .optimistic, .random(seed: 1)] { #expect(disk.afterCrash(mode).read("a")[0] == 1) }
        disk.evictCleanPages()
        #expect(try file.readAll()[0] == 1, "and then it does not")
    }

    @Test func `what is written after the failure is kept by the next sync`() throws {
        let (disk, file) = try prepared(.dropsDirty)
        disk.inject(Fault(.error(.inputOutput), on: .sync, times: 1))
        try file.writeFully([2], at: 0)
        try file.writeFully([2], at: 600)
        expect(.inputOutput) { try file.sync() }
        try file.writeFully([3], at: 601)
        try file.sync()
        let image = disk.afterCrash(.pessimistic).read("a")
        #expect(image[0] == 1 && image[600] == 2 && image[601] == 3)
    }

    @Test func `the friendly disk writes it at the second try`() throws {
        let (disk, file) = try prepared(.keepsDirty)
        disk.inject(Fault(.error(.inputOutput), on: .sync, times: 1))
        try file.writeFully([2], at: 0)
        expect(.inputOutput) { try file.sync() }
        #expect(disk.afterCrash(.pessimistic).read("a")[0] == 1)
        try file.sync()
        #expect(disk.afterCrash(.pessimistic).read("a")[0] == 2)
    }

    private func prepared(_ failedSync: FailedSync) throws -> (SimulatedDisk, any File) {
        let disk = SimulatedDisk()
        disk.settings.failedSync = failedSync
        let file = try disk.directory().create("a")
        try file.writeFully([UInt8](repeating: 1, count: 1024), at: 0)
        try file.sync()
        try disk.directory().sync()
        return (disk, file)
    }
}

@Suite struct FaultTests {
    @Test func `a fault hits the calls it names, from the one it names, as often as it says`() throws {
        let disk = SimulatedDisk()
        let directory = disk.directory()
        let files = try ["a", "b"].map { try directory.create($0) }
        disk.inject(Fault(.error(.diskFull), on: .write, name: "b", after: 1, times: 1))
        var failed: [String] = []
        for round in 0..<3 {
            for file in files { do { try file.writeFully([1], at: 0) } catch { failed.append("\(file.name)\(round)") } }
        }
        #expect(failed == ["b1"])
        #expect(disk.faultCount == 1)
    }

    @Test func `every call of a run can be failed by its number`() throws {
        func work(_ disk: SimulatedDisk) throws {
            let directory = disk.directory()
            let lock = try directory.lock("LOCK")
            let file = try directory.create("a")
            try file.allocate(4096)
            try file.writeFully([1], at: 0)
            try file.truncate(to: 10)
            _ = try file.readAll()
            try file.sync()
            try file.close()
            try directory.rename("a", to: "b")
            try directory.sync()
            try directory.remove("b")
            _ = try directory.list()
            _ = try directory.freeBytes()
            lock.release()
        }
        let whole = SimulatedDisk()
        try work(whole)
        for number in 0..<whole.callCount {
            let disk = SimulatedDisk()
            disk.inject(Fault(.error(.inputOutput), after: number, times: 1))
            expect(.inputOutput) { try work(disk) }
            #expect(disk.faultCount == 1)
            #expect(disk.openHandles == [] && disk.heldLocks == [])
        }
    }

    @Test func `a write may fail after storing its first bytes`() throws {
        let disk = SimulatedDisk()
        let file = try disk.directory().create("a")
        disk.inject(Fault(.errorAfterWriting(.diskFull, bytes: 3), on: .write))
        expect(.diskFull) { try file.writeFully([1, 2, 3, 4, 5], at: 0) }
        #expect(disk.read("a") == [1, 2, 3])
    }

    @Test func `damage is seen by programs and survives a crash`() throws {
        let disk = SimulatedDisk()
        disk.write("a", [1, 2, 3])
        disk.write("b", pattern(5000))
        disk.flipBit(1, at: 0, of: "a")
        disk.copy("a", to: "c")
        disk.setByte(at: 2, of: "c", to: 77)
        disk.swap("a", "b")
        disk.truncate("a", to: 4500)
        disk.zero(10..<20, of: "a")
        let image = disk.afterCrash(.pessimistic)
        #expect(image.read("b") == [3, 2, 3])
        #expect(image.read("c") == [3, 2, 77])
        #expect(image.read("a") == Array(pattern(5000)[..<10]) + [UInt8](repeating: 0, count: 10) + pattern(5000)[20..<4500])
        disk.delete("a")
        #expect(disk.names == ["b", "c"])
        #expect(disk.afterCrash(.pessimistic).names == ["b", "c"])
    }
}
