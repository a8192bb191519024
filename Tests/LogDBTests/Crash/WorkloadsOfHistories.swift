//===--- WorkloadsOfHistories.swift - the past, kept while the power goes ---===//

import LogDB

extension Workload {
    /// Tables that keep all, some and nothing; more than one segment of history, sorted in runs; a retention that is taken back.
    static var histories: Workload {
        var author = Author(seed: 61)
        var steps: [Step] = [.retain("all", .all, .process), .retain("some", .versions(2), .disk)]
        for round in 0..<3 {
            for number in 0..<9 {
                let table = ["all", "some", "none"][number % 3]
                steps.append(author.put(table, .integer(Int64((number + round) % 4)), 5000 + 900 * number, number == 4 ? .disk : .process))
            }
            steps.append(.write(Change(table: "all", key: .integer(Int64(round)), document: nil), .process))
            steps.append(.compact())
        }
        steps += [.retain("all", .latest, .process), author.put("all", 1, 700, .process), .reopen, .compact()]
        var workload = Workload("histories", steps)
        workload.stride = 3
        workload.options.sortBudgetBytes = 12 << 10
        return workload
    }

    /// Documents that expire between compactions, of tables that keep all, some and nothing, over older ones that never do; in the log, in the base and in the history.
    static var expiries: Workload {
        var author = Author(seed: 63)
        func put(_ table: String, _ key: Int, _ size: Int, until time: Int64?, _ level: Persistence = .process) -> Step {
            let document = author.document(size)
            return .write(Change(table: table, key: .integer(Int64(key)), document: document, expires: time.map { start + $0 }), level)
        }
        let tables = ["all", "some", "none"]
        var steps: [Step] = [.retain("all", .all, .process), .retain("some", .age(.seconds(30)), .process), .live("none", 5000, .disk)]
        steps += (0..<6).map { put(tables[$0 % 3], $0 / 3, 6000 + 800 * $0, until: 10_000_000) } + [.compact()]
        for round in 0..<3 {
            let end = Int64(round * 40_000 + 20_000)
            steps += (0..<6).map { put(tables[$0 % 3], $0 / 3, 5000 + 900 * $0, until: end + Int64($0 * 1000), $0 == 4 ? .disk : .process) }
            steps += [.savepoint("s\(round)", .process), round == 1 ? .seal : .compact()]
            steps += [.tick(23_000), round == 2 ? .compact(stopAfter: 12) : .compact()]
            if round == 1 { steps += [.reopen, .release("s0", .process)] }
            steps += [.tick(17_000)]
        }
        steps += [.retain("all", .latest, .process), .release("s2", .disk), .compact(), .live("none", nil, .process)]
        var workload = Workload("expiries", steps + [put("none", 0, 700, until: nil), .compact()])
        workload.hasClock = true
        workload.stride = 3
        workload.options.sortBudgetBytes = 12 << 10
        return workload
    }

    /// Savepoints made and released between compactions, what they keep overwritten, deleted and dropped.
    static var savepoints: Workload {
        var author = Author(seed: 62)
        var steps: [Step] = [author.put("t", 1, 9000, .process), author.put("t", 2, 9000, .process), .savepoint("one", .process)]
        steps += [
            author.put("t", 1, 8000, .disk), .write(Change(table: "t", key: 2, document: nil), .process),
            author.put("u", 1, 9000, .process),
        ]
        steps += [.savepoint("two", .disk), .dropTable("u", .process), author.put("t", 1, 7000, .process), .compact()]
        steps += [
            author.put("t", 2, 6000, .process), author.put("u", 2, 9000, .process), .release("one", .process),
            .savepoint("three", .process),
        ]
        steps += [.begin("x"), .change("x", author.change(tables: ["t"], sizes: 900..<3000)), .compact(), .commit("x", .process)]
        steps += [
            .dropTable("t", .process), .compact(stopAfter: 10), .reopen, .release("two", .disk), .compact(), .release("three", .process),
        ]
        var workload = Workload("savepoints", codec: .zlib(level: 3), steps + [author.put("u", 3, 700, .process), .compact()])
        workload.stride = 3
        return workload
    }
}
