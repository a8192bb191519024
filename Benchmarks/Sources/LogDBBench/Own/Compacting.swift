//===--- Compacting.swift - what clearing away costs ------------------------===//
//
// Nine bytes of key and a document of 250 bytes, every key written twice, all of it in the log: nothing is compacted before. The time of an
// operation must not grow with their number. Beside it the `.disk` puts of somebody who goes on writing.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

extension Bench {
    func measureCompaction() throws {
        report.title("compaction of a log in which every key was written twice")
        var first: (name: String, value: Double)?
        for keys in arguments.isQuick ? [10_000, 100_000] : [100_000, 1_000_000, 10_000_000] {
            let path = fresh("compaction")
            let options = Options { $0.compaction = .manual }
            let database = try Database.open(at: path, options: options)
            try write(keys, twiceTo: database)
            try database.seal()
            var raw = 0.0
            var compacted: CompactionReport?
            let nanoseconds = try time {
                compacted = try database.compact { progress in raw = max(raw, Double(progress.bytesPlanned)) }
            }
            guard compacted?.documents ?? 0 >= UInt64(keys) else {
                throw SystemFailure(message: "documents are missing after the compaction")
            }
            let each = nanoseconds / Double(2 * keys)
            report.add(
                Line(
                    what: "an operation, of \(2 * keys)", value: each, unit: .nanoseconds,
                    more: String(format: "%.0f MB/s raw", Double(2 * keys * 259) / nanoseconds * 1e3), beside: first,
                    limit: first == nil ? nil : .ratioAtMost(2)))
            if first == nil { first = ("of \(2 * keys)", each) }
            if keys == 1_000_000 || arguments.isQuick && keys == 100_000 { try putBesideCompaction(of: database, keys) }
            try database.close()
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Puts at .disk before and during a compaction.
    private func putBesideCompaction(of database: Database, _ keys: Int) throws {
        try write(keys, twiceTo: database)
        try database.seal()
        let inputs = inputs
        func put(while goesOn: () -> Bool) throws -> [Double] {
            var times: [Double] = []
            while goesOn() {
                let start = now()
                try inputs.put(times.count, into: database, .disk)
                times.append(Double(now() - start))
            }
            return times.sorted()
        }
        let idleEnd = now() + 2_000_000_000
        let idle = try put { now() < idleEnd }
        let flag = Flag()
        let thread = Thread {
            _ = try? database.compact()
            flag.raise()
        }
        thread.start()
        let busy = try put { !flag.isRaised }
        func share(_ sorted: [Double], _ part: Double) -> Double { sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] }
        report.add(
            Line(
                what: "put at .disk beside it, p99", value: share(busy, 0.99), unit: .nanoseconds, more: "of \(busy.count)",
                beside: ("idle", share(idle, 0.99)), limit: .ratioAtMost(3)))
        report.add(
            Line(
                what: "put at .disk beside it, median", value: share(busy, 0.5), unit: .nanoseconds,
                beside: ("idle", share(idle, 0.5))))
    }

    private func write(_ keys: Int, twiceTo database: Database) throws {
        let inputs = inputs
        for round in 0..<2 {
            for start in stride(from: 0, to: keys, by: 1000) {
                var batch = Batch()
                for index in start..<min(start + 1000, keys) {
                    // All keys once, in no order: the step has no factor in common with a power of ten.
                    try inputs.put(document: index + round, under: .integer(Int64(index &* 7_654_321 % keys)), into: &batch)
                }
                try database.write(batch, persistence: .process)
            }
        }
    }
}

private final class Flag: @unchecked Sendable {
    // SAFETY: touched under the lock only.
    private let lock = NSLock()
    private var value = false

    func raise() { lock.withLock { value = true } }
    var isRaised: Bool { lock.withLock { value } }
}
