//===--- PropertyTests.swift - thousands of random lives of a database -----===//
//
//      swift test -c release --filter PropertyTests
//      LOGDB_PROPERTY_SEED=1234 swift test --filter PropertyTests        only this one
//      LOGDB_CRASH_SCALE=10 …                                           ten times as many
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import Testing

@Suite struct PropertyTests {
    private static let only = ProcessInfo.processInfo.environment["LOGDB_PROPERTY_SEED"].flatMap(UInt64.init)

    // Two threads at it.
    @Test(arguments: [0, 1])
    func `random writes, transactions, drops, compactions, reopenings and questions agree with a dictionary`(_ half: Int) {
        for seed in 0..<UInt64(Scale.seeds(3000, debug: 60)) where Int(seed % 2) == half {
            if let only = Self.only, only != seed { continue }
            let trial = Trial(seed: seed)
            guard let failure = trial.failure() else { continue }
            let least = trial.shrunk()
            let story = least.map { "  \($0)" }.joined(separator: "\n")
            Issue.record(
                """
                seed \(seed): \(failure)
                \(least.count) of its \(trial.acts.count) acts are enough (codec \(trial.options.codec), \
                sort budget \(trial.options.sortBudgetBytes ?? 0), \(trial.options.compaction)):
                \(story)
                \(Trial.failure(of: least, trial.options) ?? "which does not fail every time")
                """)
            return
        }
    }

    @Test func `what fails is shrunk to what it takes to fail`() {
        // Fails if a 7 comes before a 9 that is at least 40 behind in value.
        func fails(_ list: [Int]) -> Bool {
            guard let seven = list.firstIndex(where: { $0 % 10 == 7 }) else { return false }
            return list[seven...].contains { $0 % 10 == 9 && $0 >= list[seven] + 40 }
        }
        let list = (0..<200).map { ($0 * 37) % 201 }
        #expect(fails(list))
        let least = shrunk(list, simpler: { $0 >= 10 ? [$0 - 10] : [] }, fails: fails)
        #expect(least == [7, 49])
    }
}
