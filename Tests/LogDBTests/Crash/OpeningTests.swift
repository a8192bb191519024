//===--- OpeningTests.swift - crashed again while picking up the pieces ----===//
//
// The explorer lets only some crashes live on. Here they are chosen by what they left: of all images of a run that rolls, seals and
// switches manifests one for each different set of files, and each of those is opened with a crash at each operation of its
// recovery, and again within the recovery from that.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// What interrupted work may leave in the folder.
enum Leftover {
    case temporaryManifest, twoManifests, rawAndSealed, severalRaw

    /// What a run of `workload` cannot but leave in some image.
    static func of(_ workload: Workload) -> [Leftover] {
        switch workload.name {
        case Workload.manifestSwitches.name: [.temporaryManifest, .twoManifests, .rawAndSealed]
        case Workload.interleaved.name: [.severalRaw, .rawAndSealed]
        default: [.severalRaw]
        }
    }

    func isIn(_ names: [String]) -> Bool {
        let raw = names.filter { $0.hasSuffix(".log") }
        switch self {
        case .temporaryManifest: return names.contains { $0.hasSuffix(".tmp") }
        case .twoManifests: return names.count { $0.hasPrefix("MANIFEST") && !$0.hasSuffix(".tmp") } > 1
        case .rawAndSealed: return names.contains { name in name.hasSuffix(".lz4") && raw.contains { $0.prefix(6) == name.prefix(6) } }
        // More than two there are where the sealer is slow, which no test can count on.
        case .severalRaw: return raw.count > 1
        }
    }
}

extension Crash {
    @Suite struct Openings {
        private struct Remains {
            var disk: SimulatedDisk
            var model: Model
            var names: [String]
        }

        /// Runs `workload` and keeps the first image of each set of files.
        private func remains(of workload: Workload, _ model: DiskModel) throws -> [Remains] {
            let disk = SimulatedDisk(model: model)
            let ledger = Ledger(Model())
            let runner = Runner(disk, ledger, workload.options)
            let found = Monitor<[String: Remains]>([:])
            disk.onOperation { disk, index, _, _ in
                for mode in [CrashMode.pessimistic, .optimistic, .random(seed: UInt64(index))] {
                    var marks = ledger.withLock { $0.marks }
                    marks.process = marks.disk
                    let image = disk.afterCrash(mode)
                    let frames = ledger.withLock { $0.frames }
                    let names = image.names
                    found.withLock { found in
                        let files = names.joined(separator: " ")
                        if found[files] == nil {
                            found[files] = Remains(disk: image, model: Model(frames: frames, marks: marks), names: names)
                        }
                    }
                }
            }
            try runner.open()
            for step in workload.steps { try runner.perform(step) }
            disk.onOperation(nil)
            try runner.close()
            return found.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
        }

        @Test(arguments: [Workload.manifestSwitches, .unsyncedRolls, .interleaved], DiskModel.allCases)
        func `whatever files a crash left, opening them may be crashed at each operation, twice over`(
            _ workload: Workload, _ model: DiskModel
        ) throws {
            let all = try remains(of: workload, model)
            for leftover in Leftover.of(workload) { #expect(all.contains { leftover.isIn($0.names) }, "no image with \(leftover)") }
            var plan = Explorer.Plan()
            plan.laterEvery = Scale.isDebug ? 7 : 1
            plan.laterSeeds = Scale.seeds(2, debug: 1)
            plan.laterLiveEvery = Scale.isDebug ? 21 : max(1, 13 / Scale.factor)
            plan.deadline = Scale.deadline()
            for (number, remains) in all.enumerated() where !Scale.isDebug || number.isMultiple(of: 5) {
                let explorer = Explorer(workload.options, plan, seed: UInt64(number))
                explorer.liveOn(remains.disk, remains.model, depth: 1, "\(remains.names)")
                #expect(explorer.violations.isEmpty, "\(explorer.violations.joined(separator: "\n"))")
            }
        }
    }
}
