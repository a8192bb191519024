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
    let options = workload.freshOptions
    let explorer = Explorer(options, plan, seed: seed)
    let runner = Runner(disk, ledger, options)
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
            // Of each of the two appenders.
            plan.every = Scale.isDebug ? 19 : 1
            plan.seeds = Scale.seeds(3, debug: 1)
            plan.liveEvery = Scale.isDebug ? 95 : max(1, 2 / Scale.factor)
            plan.depth = Scale.isDebug ? 1 : 2
            plan.laterEvery = Scale.isDebug ? 5 : 1
            plan.laterLiveEvery = max(3, 61 / Scale.factor)
            plan.deadline = Scale.deadline()
            return plan
        }

        @Test(arguments: Workload.appended, DiskModel.allCases)
        func `at every operation of a workload a crash leaves what was acknowledged, and nothing half`(
            _ workload: Workload, _ model: DiskModel
        ) {
            var plan = plan
            if workload.isLarge {
                (plan.every, plan.liveEvery) = (plan.every * 3, plan.liveEvery * 24)
                (plan.laterEvery, plan.depth) = (plan.laterEvery * 5, 1)
            }
            if Scale.factor == 1 {
                plan.every *= workload.stride
                plan.liveEvery *= 4 * workload.stride
            }
            let violations = explore(workload, model, plan)
            #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        }

        @Test(arguments: DiskModel.allCases)
        func `at every operation of random workloads a crash leaves what was acknowledged, and nothing half`(_ model: DiskModel) {
            guard Scale.only == nil else { return }
            for seed in 0..<Scale.seeds(10, debug: 1) {
                let workload = Workload.random(seed: UInt64(seed), count: Scale.isDebug ? 12 : 30)
                for workload in [workload, workload.by(.sharedTail)] {
                    let violations = explore(workload, model, plan, seed: UInt64(seed))
                    #expect(violations.isEmpty, "\(workload.testDescription): \(violations.joined(separator: "\n"))")
                }
            }
        }
    }
}
