//===--- SalvageDamageTests.swift - thousands of accidents, salvaged --------===//
//
// What must hold after each of them stands in SalvageCheck.swift.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// One accident to one file.
enum SalvageAccident: CaseIterable {
    case bit, bytes, zeros, cut, gone, grown, copied, renamed, swapped

    func happen(to disk: SimulatedDisk, _ random: inout SplitMix64) -> String {
        let files = disk.names.filter { $0 != "LOCK" && $0 != "READERS" && disk.size(of: $0) > 0 }
        let file = files[random.below(files.count)]
        let size = disk.size(of: file)
        let written = (disk.read(file).lastIndex { $0 != 0 } ?? 0) + 1
        let offset =
            random.chance(1, in: 8) ? random.below(size) : random.chance(1, in: 6) ? random.below(min(200, written)) : random.below(written)
        switch self {
        case .bit: disk.flipBit(random.below(8), at: offset, of: file)
        case .bytes:
            for place in offset..<min(size, offset + 1 + random.below(64)) {
                disk.setByte(at: place, of: file, to: UInt8(truncatingIfNeeded: random.next()))
            }
        case .zeros:
            let length = [512, 4096, 16_384][random.below(3)]
            let start = offset / length * length
            disk.zero(start..<min(size, start + length), of: file)
        case .cut: disk.truncate(file, to: offset)
        case .gone: disk.delete(file)
        case .grown: disk.write(file, disk.read(file) + (0..<1 + random.below(5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case .copied: disk.copy(file, to: "copy of \(file)")
        case .renamed:
            disk.copy(file, to: file.hasPrefix("M") ? "MANIFEST-009999" : "0099\(10 + random.below(80))" + file.dropFirst(6))
            disk.delete(file)
        case .swapped:
            let other = files[random.below(files.count)]
            if other != file { disk.swap(file, other) }
        }
        return "\(self) \(file) at \(offset)"
    }
}

@Suite struct SalvageDamageTests {
    @Test func `the specimens are what they should be`() throws {
        let all = SalvageSpecimen.all
        try #require(all.count == 12)
        for specimen in all {
            #expect(specimen.readable.count > 20)
            #expect(specimen.disk.names.count >= 5, "\(specimen.name): \(specimen.disk.names)")
        }
        let bases = all.filter { $0.disk.names.contains { $0.contains(".base.") } }
        #expect(bases.count == 3)
        #expect(all.filter { $0.disk.names.filter { $0.hasSuffix(".log") }.count > 3 }.count >= 2)
    }

    @Test(arguments: SalvageSpecimen.all)
    func `a database without damage salvages to the same documents and operations`(_ specimen: SalvageSpecimen) throws {
        let salvaged = try #require(try specimen.salvage("nothing"))
        #expect(salvaged.report.isComplete)
        #expect(salvaged.report.findings.isEmpty, "\(salvaged.report.findings)")
        #expect(specimen.mayRepeat || salvaged.report.operations == UInt64(specimen.readable.count))
    }

    @Test(arguments: SalvageSpecimen.all)
    func `after any accident all is there that no finding names`(_ specimen: SalvageSpecimen) {
        var violations: [String] = []
        for seed in 0..<specimen.seeds(1000, debug: 13) where violations.count < 5 {
            var random = SplitMix64(seed: UInt64(seed))
            let accident = SalvageAccident.allCases[seed % SalvageAccident.allCases.count]
            var what = "\(accident)"
            Tally.count(.salvages)
            do { try specimen.salvage("accident \(seed)") { what = accident.happen(to: $0, &random) } } catch {
                violations.append("\(what): \(error)")
            }
        }
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }

    @Test(arguments: SalvageSpecimen.all)
    func `after several accidents nothing is invented`(_ specimen: SalvageSpecimen) {
        var violations: [String] = []
        for seed in 0..<specimen.seeds(300, debug: 5) where violations.count < 5 {
            var random = SplitMix64(seed: UInt64(1_000_000 + seed))
            var what: [String] = []
            Tally.count(.salvages)
            do {
                try specimen.salvage("accidents \(seed)", isOneAccident: false) { disk in
                    for _ in 0..<2 + random.below(4) where disk.names.count > 3 {
                        what.append(SalvageAccident.allCases[random.below(SalvageAccident.allCases.count)].happen(to: disk, &random))
                    }
                }
            } catch { violations.append("\(what): \(error)") }
        }
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }
}
