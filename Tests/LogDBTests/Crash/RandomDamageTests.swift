//===--- RandomDamageTests.swift - what no table of damage thinks of -------===//
//
// Larger databases and thousands of accidents: bits, runs of bytes, lost and misplaced sectors, cut and grown files, files that are gone,
// doubled, or hold what another held. Each is found, or what is read is exactly right.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// One accident.
private enum Accident: CaseIterable {
    case bit, bytes, zeros, misplaced, cut, grown, gone, doubled, replaced

    /// Those of which even a log that was not closed can tell. A sector that is lost there may take all that says it had been synced along.
    static let ofUnclosed: [Accident] = [.bit, .cut, .gone, .replaced]

    func happen(to disk: SimulatedDisk, _ random: inout SplitMix64) -> String {
        // The sealer may have been at work when the power went: a file it had just made has no byte that could be damaged.
        let files = disk.names.filter { !["LOCK", "READERS"].contains($0) && disk.size(of: $0) > 0 }
        let file = files[random.below(files.count)]
        let size = disk.size(of: file)
        // Files are allocated ahead: the written part is where it hurts.
        let written = (disk.read(file).lastIndex { $0 != 0 } ?? 0) + 1
        let offset = random.chance(1, in: 8) ? random.below(size) : random.below(written)
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
        case .misplaced:
            // A sector that was written where another belongs.
            let bytes = disk.read(file)
            let from = random.below(written) & ~511
            let to = offset & ~511
            for index in 0..<min(512, size - max(from, to)) { disk.setByte(at: to + index, of: file, to: bytes[from + index]) }
        case .cut: disk.truncate(file, to: offset)
        case .grown: disk.write(file, disk.read(file) + (0..<1 + random.below(5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case .gone: disk.delete(file)
        case .doubled:
            // The greatest number there is, or one that was given out and is free again.
            let name = "0000\(10 + random.below(40))" + file.dropFirst(6)
            if !file.hasPrefix("M"), !disk.exists(name) { disk.copy(file, to: name) }
        case .replaced:
            let other = files[random.below(files.count)]
            if other != file { disk.copy(other, to: file) }
        }
        return "\(self) of \(file) at \(offset)"
    }
}

extension Crash.Damaged {
    @Test(arguments: Specimen.large)
    func `an accident to a larger database is found, or read as if it had not happened`(_ specimen: Specimen) throws {
        #expect(specimen.disk.names.count > 8, "\(specimen.disk.names)")
        let accidents = specimen.name.hasSuffix("closed") ? Accident.allCases : Accident.ofUnclosed
        var noticed = 0
        var violations: [String] = []
        let count = Scale.seeds(5000, debug: 150)
        for seed in 0..<count where violations.count < 6 {
            var random = SplitMix64(seed: UInt64(seed))
            let accident = accidents[seed % accidents.count]
            var what = "\(accident)"
            Tally.count(.randomDamages)
            do {
                if try specimen.suffers("number \(seed)", writing: seed % 5 == 0, { what = accident.happen(to: $0, &random) }) {
                    noticed += 1
                }
            } catch { violations.append("\(what): \(error)") }
        }
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        #expect(noticed > count / 2)
    }
}
