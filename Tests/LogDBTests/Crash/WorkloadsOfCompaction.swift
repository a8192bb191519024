//===--- WorkloadsOfCompaction.swift - what is cleared away while the power goes ---===//

import LogDB

extension Workload {
    /// Sorted in memory; a base, and a base merged with what came later: overwritten, deleted, new.
    static var compactions: Workload {
        var author = Author(seed: 41)
        var steps: [Step] = []
        for round in 0..<3 {
            for number in 0..<6 {
                let key = Key.integer(Int64((number * 5 + round * 3) % 11))
                steps.append(author.put("t", key, 9000 + 700 * number, number % 3 == 2 ? .disk : .process))
            }
            steps.append(.write(Change(table: "t", key: .integer(Int64(round * 4)), document: nil), .process))
            steps.append(.compact())
        }
        return compacting("compactions", steps + [author.put("t", 3, 500, .disk), .reopen, .compact()])
    }

    /// Sorted in runs of a few kilobytes, more than can be merged at once, with large documents beside them; several segments come out, and
    /// the switch goes range by range.
    static var spilledCompactions: Workload {
        var author = Author(seed: 42)
        var steps: [Step] = []
        for round in 0..<2 {
            for number in 0..<14 {
                let key = Key.string("key\(number * 7 % 12)")
                steps.append(author.put(number % 5 == 4 ? "u" : "t", key, number % 4 == 1 ? 20_000 : 3000, .process))
            }
            steps.append(.write(Change(table: "t", key: .string("key\(round)"), document: nil), .disk))
            steps.append(.compact())
            steps.append(author.put("t", "between", 4000, .process))
        }
        var workload = compacting("compactions in runs", codec: .zlib(level: 6), steps)
        workload.options.sortBudgetBytes = 12 << 10
        return workload
    }

    /// In steps, because there is not room for all at once; and stopped on the way, and begun again.
    static var steppedCompactions: Workload {
        var author = Author(seed: 43)
        var steps: [Step] = []
        for number in 0..<20 { steps.append(author.put("t", .integer(Int64(number % 13)), 12_000, number % 7 == 6 ? .disk : .process)) }
        steps += [.compact(ceiling: 440 << 10, stopAfter: 20)]
        for number in 0..<5 { steps.append(author.put("t", .integer(Int64(number * 3)), 9000, .process)) }
        steps += [.write(Change(table: "t", key: 1, document: nil), .process), .compact(stopAfter: 30), .reopen]
        steps += [.compact(ceiling: 440 << 10), author.put("t", 1, 700, .disk)]
        return compacting("compactions in steps", codec: .none, steps)
    }

    /// Around transactions that are open, tables that are dropped, and a drop that is not on the disk yet.
    static var compactedTables: Workload {
        var author = Author(seed: 44)
        var steps: [Step] = [.begin("x"), .change("x", author.change(tables: ["a"], sizes: 900..<3000))]
        for round in 0..<2 {
            for number in 0..<5 { steps.append(author.put(["a", "b", "c"][number % 3], .integer(Int64(number)), 8000, .process)) }
            steps += [.dropTable("b", .process), .compact(), author.put("b", 1, 3000, .process)]
            steps += [.change("x", author.change(tables: ["a"], sizes: 900..<3000))]
            if round == 0 { steps += [.commit("x", .process), .compact(), .begin("x")] }
        }
        steps += [.dropTable("a", .process), .dropTable("b", .disk), .dropTable("c", .process), .compact(), .createTable("b", .disk)]
        return compacting("compactions and tables", steps + [.rollback("x"), .reopen, .compact()])
    }

    private static func compacting(_ name: String, codec: Codec = .lz4, _ steps: [Step]) -> Workload {
        var workload = Workload(name, codec: codec, steps)
        workload.stride = 3
        return workload
    }
}
