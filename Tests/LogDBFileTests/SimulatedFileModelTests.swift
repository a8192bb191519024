//===--- SimulatedFileModelTests.swift - the simulation against plain arrays ===//
//
// The simulated disk shares pages, merges ranges and remembers versions. A plain array does none of that and must agree with it.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBSimulation
import Testing

@Suite struct SimulatedFileModelTests {
    @Test(arguments: 0..<UInt64(60))
    func `reads see every write, the pessimist the last sync, the optimist everything, and chance nothing that never was`(seed: UInt64)
        throws
    {
        var random = SplitMix64(seed: seed)
        let disk = SimulatedDisk(model: seed % 2 == 0 ? .ext4Like : .strictPOSIX)
        let file = try disk.directory().create("a")
        try disk.directory().sync()
        var model: [UInt8] = []
        var synced: [UInt8] = []
        // Per sector, all contents it had since the last sync.
        var history: [Int: Set<[UInt8]>] = [:]
        var sizes: Set<Int> = [0]

        for _ in 0..<80 {
            switch random.below(10) {
            case 0..<6:
                let offset = random.below(20_000)
                let bytes = pattern(1 + random.below(random.chance(1, in: 4) ? 9000 : 300), seed: random.next())
                try file.writeFully(bytes, at: UInt64(offset))
                let end = offset + bytes.count
                if model.count < end { model += [UInt8](repeating: 0, count: end - model.count) }
                model.replaceSubrange(offset..<end, with: bytes)
            case 6:
                let size = random.below(25_000)
                try file.truncate(to: UInt64(size))
                if size < model.count { model.removeLast(model.count - size) }
                model += [UInt8](repeating: 0, count: size - model.count)
            case 7:
                let size = random.below(25_000)
                try file.allocate(UInt64(size))
                if size > model.count { model += [UInt8](repeating: 0, count: size - model.count) }
            default:
                try file.sync()
                synced = model
                history = [:]
                sizes = [model.count]
            }
            sizes.insert(model.count)
            #expect(disk.read("a") == model)
            #expect(disk.afterCrash(.pessimistic).read("a") == synced)
            #expect(disk.afterCrash(.optimistic).read("a") == model)

            for sector in 0..<64 { history[sector, default: [padded(synced, sector)]].insert(padded(model, sector)) }
            for _ in 0..<3 {
                let image = disk.afterCrash(.random(seed: random.next())).read("a")
                #expect(sizes.contains(image.count))
                for sector in 0..<(image.count + 511) / 512 where !explains(history[sector]!, padded(image, sector)) {
                    Issue.record("sector \(sector) holds what it never held")
                }
            }
        }
    }

    private func padded(_ bytes: [UInt8], _ sector: Int) -> [UInt8] {
        let part = bytes.dropFirst(sector * 512).prefix(512)
        return part + [UInt8](repeating: 0, count: 512 - part.count)
    }

    /// Every byte is one this sector had at that place since the last sync, or a zero behind a size that did not survive.
    private func explains(_ versions: Set<[UInt8]>, _ image: [UInt8]) -> Bool {
        versions.contains(image)
            || image.indices.allSatisfy { index in image[index] == 0 || versions.contains { $0[index] == image[index] } }
    }

    @Test func `a hundred thousand images of a small database are affordable`() throws {
        let disk = SimulatedDisk()
        let directory = disk.directory()
        for number in 0..<6 {
            let file = try directory.create("\(number).log")
            try file.allocate(65536)
            try file.writeFully(pattern(20_000), at: 0)
            try file.sync()
            try file.close()
        }
        try directory.sync()
        let file = try directory.open("5.log", for: .readingAndWriting)
        for write in 0..<20 { try file.writeFully(pattern(200), at: UInt64(20_000 + write * 200)) }
        let count = 20_000
        let start = Clock.monotonicNanoseconds()
        for seed in 0..<UInt64(count) { _ = disk.afterCrash(.random(seed: seed)) }
        let perImage = (Clock.monotonicNanoseconds() - start) / UInt64(count)
        #expect(perImage < 1_000_000, "\(perImage) ns an image")
        print("crash image: \(perImage) ns")
    }
}
