//===--- CrashModelTests.swift - what a power cut may keep, rule by rule ---===//
//
// Each rule of the simulated disk as a fact. Where a rule says "may", many seeds must show both outcomes, and nothing else.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBSimulation
import Testing

/// What `look` sees on a thousand random images.
func outcomes<T: Hashable>(_ disk: SimulatedDisk, seeds: Range<UInt64> = 0..<1000, _ look: (SimulatedDisk) -> T) -> Set<T> {
    Set(seeds.map { look(disk.afterCrash(.random(seed: $0))) })
}

@Suite struct NamesAfterCrashTests {
    @Test(arguments: DiskModel.allCases)
    func `an unsynced name may be there or not`(_ model: DiskModel) throws {
        let disk = SimulatedDisk(model: model)
        try disk.directory().create("a").close()
        #expect(disk.afterCrash(.pessimistic).names == [])
        #expect(disk.afterCrash(.optimistic).names == ["a"])
        #expect(outcomes(disk) { $0.names } == [[], ["a"]])
    }

    @Test(arguments: DiskModel.allCases)
    func `a synced directory keeps its names, and a removed name may come back until the next sync`(_ model: DiskModel) throws {
        let disk = SimulatedDisk(model: model)
        let directory = disk.directory()
        let file = try directory.create("a")
        try file.writeFully([1], at: 0)
        try file.sync()
        try file.close()
        try directory.sync()
        #expect(outcomes(disk) { $0.names } == [["a"]])
        try directory.remove("a")
        #expect(disk.afterCrash(.pessimistic).read("a") == [1])
        #expect(outcomes(disk) { $0.names } == [[], ["a"]])
        try directory.sync()
        #expect(outcomes(disk) { $0.names } == [[]])
    }

    @Test func `ext4-like: directory operations survive in order`() throws {
        let disk = SimulatedDisk(model: .ext4Like)
        let directory = disk.directory()
        for name in ["a", "b", "c"] { try directory.create(name).close() }
        try directory.remove("a")
        #expect(outcomes(disk) { $0.names } == [[], ["a"], ["a", "b"], ["a", "b", "c"], ["b", "c"]])
    }

    @Test func `strict POSIX: each directory operation survives for itself`() throws {
        let disk = SimulatedDisk(model: .strictPOSIX)
        let directory = disk.directory()
        for name in ["a", "b", "c"] { try directory.create(name).close() }
        #expect(outcomes(disk) { $0.names }.count == 8)
    }

    @Test func `ext4-like: syncing a new file keeps its name and all journaled before, but nothing after`() throws {
        let disk = SimulatedDisk(model: .ext4Like)
        let directory = disk.directory()
        try directory.create("before").close()
        let file = try directory.create("a")
        try directory.create("after").close()
        try file.writeFully([1], at: 0)
        try file.sync()
        #expect(disk.afterCrash(.pessimistic).names == ["a", "before"])
        #expect(outcomes(disk) { $0.names } == [["a", "before"], ["a", "after", "before"]])
    }

    @Test func `strict POSIX: syncing a file does not keep its name`() throws {
        let disk = SimulatedDisk(model: .strictPOSIX)
        let file = try disk.directory().create("a")
        try file.sync()
        #expect(disk.afterCrash(.pessimistic).names == [])
        #expect(outcomes(disk) { $0.names } == [[], ["a"]])
    }

    @Test(arguments: DiskModel.allCases)
    func `a rename that replaces leaves the old file or the new one, never neither`(_ model: DiskModel) throws {
        let disk = SimulatedDisk(model: model)
        let directory = disk.directory()
        for (name, byte) in [("current", UInt8(1)), ("new", 2)] {
            let file = try directory.create(name)
            try file.writeFully([byte], at: 0)
            try file.sync()
            try file.close()
        }
        try directory.sync()
        try directory.rename("new", to: "current")
        #expect(outcomes(disk) { $0.read("current") } == [[1], [2]])
        #expect(outcomes(disk) { $0.names } == [["current", "new"], ["current"]])
        try directory.sync()
        #expect(outcomes(disk) { $0.read("current") } == [[2]])
    }

    @Test(arguments: DiskModel.allCases)
    func `a renamed file that was not synced may be empty`(_ model: DiskModel) throws {
        let disk = SimulatedDisk(model: model)
        let directory = disk.directory()
        let file = try directory.create("new")
        try file.writeFully([2], at: 0)
        try directory.rename("new", to: "current")
        try directory.sync()
        #expect(outcomes(disk) { $0.read("current") } == [[], [0], [2]])
    }
}

@Suite struct BytesAfterCrashTests {
    let disk = SimulatedDisk()
    let file: any File

    init() throws {
        let directory = disk.directory()
        file = try directory.create("a")
        try file.writeFully([UInt8](repeating: 1, count: 2048), at: 0)
        try file.sync()
        try directory.sync()
    }

    @Test func `what was synced is kept`() {
        #expect(outcomes(disk) { $0.read("a") } == [[UInt8](repeating: 1, count: 2048)])
    }

    @Test func `each unsynced sector is kept or lost for itself`() throws {
        try file.writeFully([UInt8](repeating: 2, count: 2048), at: 0)
        #expect(disk.afterCrash(.pessimistic).read("a") == [UInt8](repeating: 1, count: 2048))
        #expect(disk.afterCrash(.optimistic).read("a") == [UInt8](repeating: 2, count: 2048))
        let firstThree = outcomes(disk) { image in [0, 512, 1024].map { image.read("a")[$0] } }
        #expect(firstThree.count == 8)
        for image in outcomes(disk, { $0.read("a") }) {
            for sector in 0..<3 { #expect(Set(image[sector * 512..<(sector + 1) * 512]).count == 1, "only the last sector is torn") }
        }
    }

    @Test func `the sector written last may be torn at any byte: new in front, old behind`() throws {
        try file.writeFully([UInt8](repeating: 2, count: 2048), at: 0)
        let splits = outcomes(disk, seeds: 0..<10_000) { image in image.read("a")[1536...].prefix { $0 == 2 }.count }
        #expect(splits == Set(0...512))
        for image in outcomes(disk, { $0.read("a") }) { #expect(image[1536...].drop { $0 == 2 }.allSatisfy { $0 == 1 }) }
    }

    @Test func `a sector written twice may hold either version, or neither`() throws {
        try file.writeFully([2], at: 0)
        try file.writeFully([3], at: 0)
        try file.writeFully([9], at: 512)
        #expect(outcomes(disk) { $0.read("a")[0] } == [1, 2, 3])
    }

    @Test func `an unsynced extension may have its size without its data`() throws {
        try file.writeFully([UInt8](repeating: 2, count: 1024), at: 2048)
        #expect(disk.afterCrash(.pessimistic).size(of: "a") == 2048)
        let seen = outcomes(disk) { image in [image.size(of: "a")] + image.read("a").dropFirst(2048).prefix(1).map { Int($0) } }
        #expect(seen == [[2048], [3072, 0], [3072, 2]])
    }

    @Test func `a file that grew several times has one of its sizes`() throws {
        for size in [3000, 4000, 5000] { try file.truncate(to: UInt64(size)) }
        #expect(outcomes(disk) { $0.size(of: "a") } == [2048, 3000, 4000, 5000])
    }

    @Test func `a cut that is lost leaves what it cut, one that is kept takes it for good`() throws {
        try file.truncate(to: 512)
        try file.allocate(2048)
        let seen = outcomes(disk) { image in [image.size(of: "a")] + image.read("a").dropFirst(512).prefix(1).map { Int($0) } }
        #expect(seen == [[2048, 1], [512], [2048, 0]])
        try file.sync()
        #expect(outcomes(disk) { $0.read("a") }.count == 1)
        #expect(disk.afterCrash(.pessimistic).read("a")[512...].allSatisfy { $0 == 0 })
    }

    @Test func `preallocated zeros are kept once synced, and written sectors come and go on top`() throws {
        try file.allocate(65536)
        try file.sync()
        try file.writeFully([7], at: 40_000)
        #expect(outcomes(disk) { $0.size(of: "a") } == [65536])
        #expect(outcomes(disk) { $0.read("a")[40_000] } == [0, 7])
    }

    @Test func `a killed process loses nothing but its handles and locks`() throws {
        let lock = try disk.directory().lock("LOCK")
        try file.writeFully([2], at: 0)
        let killed = disk.afterKill()
        #expect(killed.read("a")[0] == 2)
        #expect(killed.names == ["LOCK", "a"])
        #expect(killed.openHandles == [] && killed.heldLocks == [])
        try killed.directory().lock("LOCK").release()
        // The power may still go after the process did.
        #expect(killed.afterCrash(.pessimistic).read("a")[0] == 1)
        lock.release()
    }

    @Test func `taking an image changes nothing, in the run or in the image`() throws {
        try file.writeFully([2], at: 0)
        let image = disk.afterCrash(.optimistic)
        try file.writeFully([3], at: 0)
        let opened = try image.directory().open("a", for: .readingAndWriting)
        try opened.writeFully([4], at: 1)
        #expect(Array(image.read("a")[..<2]) == [2, 4])
        #expect(Array(disk.read("a")[..<2]) == [3, 1])
        #expect(disk.openHandles == ["a"])
    }
}

@Suite struct CrashPointTests {
    @Test func `from the crash point on every call fails, and the image is that of the moment before`() throws {
        let disk = SimulatedDisk()
        let directory = disk.directory()
        disk.crash(atOperation: 2)
        let file = try directory.create("a")
        try file.writeFully([1], at: 0)
        expect(.deviceGone) { try file.sync() }
        expect(.deviceGone) { try file.read(at: 0, count: 1) }
        expect(.deviceGone) { try directory.list() }
        expect(.deviceGone) { try file.close() }
        #expect(disk.hasCrashed && disk.operationCount == 2)
        #expect(disk.afterCrash(.optimistic).read("a") == [1])
        #expect(disk.openHandles == [])
    }

    @Test func `the hook sees the disk before each operation, by name and number`() throws {
        let disk = SimulatedDisk()
        let seen = Monitor<[String]>([])
        disk.onOperation { disk, index, operation, name in
            let bytes = disk.exists("a") ? disk.read("a") : []
            seen.withLock { $0.append("\(index) \(operation) \(name) \(bytes)") }
        }
        let directory = disk.directory()
        let file = try directory.create("a")
        try file.writeFully([1], at: 0)
        _ = try file.readAll()
        try file.sync()
        try directory.sync()
        try file.close()
        #expect(seen.withLock { $0 } == ["0 create a []", "1 write a []", "2 sync a [1]", "3 syncDirectory . [1]"])
    }

    @Test(arguments: DiskModel.allCases)
    func `one seed makes one image`(_ model: DiskModel) throws {
        func image() throws -> [UInt64] {
            let disk = SimulatedDisk(model: model)
            let directory = disk.directory()
            for name in 0..<20 {
                let file = try directory.create("\(name)")
                try file.writeFully(pattern(3000), at: 0)
                if name % 3 == 0 { try file.sync() }
                try file.close()
            }
            return (0..<50).map { disk.afterCrash(.random(seed: $0)).fingerprint }
        }
        let first = try image()
        #expect(try image() == first)
        #expect(Set(first).count > 40)
    }

    @Test func `the canary: a disk that lies about syncing loses what was synced`() throws {
        let disk = SimulatedDisk()
        disk.settings.liesAboutSync = true
        let file = try disk.directory().create("a")
        try file.writeFully([1], at: 0)
        try file.sync()
        try disk.directory().sync()
        #expect(disk.afterCrash(.pessimistic).read("a") == [])
        disk.settings.skipsDirectorySync = true
        try disk.directory().create("b").close()
        try disk.directory().sync()
        #expect(disk.afterCrash(.pessimistic).names == ["a"])
    }
}
