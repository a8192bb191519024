//===--- DamageTests.swift - every byte of every kind of file --------------===//
//
// Small databases in which every byte is changed and every length tried; see Specimen.swift for what must hold then.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct Damaged {
        /// Tries `variants` of damage at each offset of each file.
        private func tryAll(
            _ specimen: Specimen, _ kind: Tally.Kind, _ variants: [(String, @Sendable (SimulatedDisk, String, Int) -> Void)]
        ) -> (violations: [String], noticed: Int) {
            var violations: [String] = []
            var noticed = 0
            for file in specimen.disk.names where !["LOCK", "READERS"].contains(file) {
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
            #expect(Specimen.all.count == 3)
            for specimen in Specimen.all {
                #expect(specimen.disk.names.count == 7)
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
            let files = specimen.disk.names.filter { !["LOCK", "READERS"].contains($0) }
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
