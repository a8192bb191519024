//===--- CrashPointTests.swift - every crash point of every workload -------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// Everything that proves promises 1 to 6 by making it hard to keep them.
@Suite enum Crash {}

/// Runs `workload` with a crash at each of its operations; returns what was wrong.
func explore(_ workload: Workload, _ model: DiskModel, _ plan: Explorer.Plan, seed: UInt64 = 1, settings: SimulatedDisk.Settings? = nil)
    -> [String]
{
    let disk = SimulatedDisk(model: model)
    if let settings { disk.settings = settings }
    let ledger = Ledger(Model())
    let explorer = Explorer(workload.options, plan, seed: seed)
    let runner = Runner(disk, ledger, workload.options)
    var number = -1
    do {
        if workload.exploredFrom == 0 { explorer.watch(disk, ledger) }
        try runner.open()
        for step in workload.steps {
            number += 1
            if number == workload.exploredFrom, number > 0 { explorer.watch(disk, ledger) }
            try runner.perform(step)
        }
        try runner.close()
        explorer.examine(disk, ledger, 0, depth: plan.depth, "after the end")
        try Check.noLeaks(disk)
    } catch {
        runner.abandon()
        explorer.report("step \(number): \(error)")
    }
    disk.onOperation(nil)
    return explorer.violations
}

extension Crash {
    @Suite struct Points {
        private var plan: Explorer.Plan {
            var plan = Explorer.Plan()
            plan.seeds = Scale.seeds(4, debug: 1)
            plan.liveEvery = Scale.isDebug ? 11 : max(1, 8 / Scale.factor)
            plan.depth = Scale.isDebug ? 1 : 2
            plan.laterLiveEvery = 11
            return plan
        }

        @Test(arguments: Workload.named, DiskModel.allCases)
        func `at every operation of a workload a crash leaves what was acknowledged, and nothing half`(
            _ workload: Workload, _ model: DiskModel
        ) {
            var plan = plan
            plan.deadline = Scale.deadline(seconds: 12)
            let violations = explore(workload, model, plan)
            #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        }

        @Test(arguments: DiskModel.allCases)
        func `at every operation of random workloads a crash leaves what was acknowledged, and nothing half`(_ model: DiskModel) {
            guard Scale.only == nil else { return }
            var plan = plan
            plan.deadline = Scale.deadline(seconds: 30)
            for seed in 0..<Scale.seeds(6, debug: 1) {
                let workload = Workload.random(seed: UInt64(seed), count: Scale.isDebug ? 12 : 30)
                let violations = explore(workload, model, plan, seed: UInt64(seed))
                #expect(violations.isEmpty, "seed \(seed): \(violations.joined(separator: "\n"))")
            }
        }
    }
}
