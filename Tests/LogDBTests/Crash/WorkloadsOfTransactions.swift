//===--- WorkloadsOfTransactions.swift - several open, over segments -------===//

import LogDB

extension Workload {
    /// Small ones, ones that roll, two that interleave with each other and with plain writes, one that never ends.
    static var transactions: Workload {
        var author = Author(seed: 19)
        func made(_ name: String, _ key: Key, _ size: Int) -> Step {
            .change(name, Change(table: "t", key: key, document: author.document(size)))
        }
        var steps: [Step] = []
        for round in 0..<3 {
            let level: Persistence = round == 1 ? .process : .disk
            steps += [.begin("small"), made("small", 1, 2000), made("small", 2, 100), .commit("small", level)]
            steps += [.begin("large"), made("large", 1, 15_000), .begin("other"), made("other", 1, 9000)]
            steps += [author.put("t", 1, 5000, .process), made("large", 3, 20_000), made("other", 4, 18_000)]
            steps += [made("large", .integer(Int64(round)), 12_000), .commit("large", level), .createTable("n\(round)", .process)]
            steps.append(round == 1 ? .rollback("other") : .commit("other", .process))
            if round == 1 { steps += [.seal, .reopen] }
        }
        steps += [.begin("open"), made("open", 1, 300), author.put("t", 9, 400, .disk), made("open", 2, 300), .reopen]
        return Workload("transactions", steps)
    }

    /// Three that overlap, over rolls, while full segments wait for them to end: the one begun first ends last, one never commits, and
    /// plain writes, deletes and tables go on between.
    static var interleaved: Workload {
        var author = Author(seed: 23)
        func made(_ name: String, _ key: Key, _ size: Int?) -> Step {
            .change(name, Change(table: "t", key: key, document: size.map { author.document($0) }))
        }
        var steps: [Step] = [author.put("t", 1, 400, .disk), .begin("first"), made("first", 1, 14_000)]
        steps += [.begin("second"), made("second", 1, 17_000), made("first", 2, 12_000), author.put("t", 2, 16_000, .process)]
        steps += [made("second", 2, nil), .begin("never"), made("never", 2, 15_000), author.put("t", 3, 18_000, .disk)]
        steps += [made("first", 3, nil), .createTable("between", .process), made("second", 4, 13_000), made("never", 4, 11_000)]
        steps += [.commit("second", .process), author.put("between", 1, 15_000, .process), .seal, made("first", 4, 14_000)]
        steps += [author.put("t", 4, 9000, .process), .dropTable("between", .process), .rollback("never"), made("first", 5, 12_000)]
        steps += [author.put("t", 5, 19_000, .process), .commit("first", .disk), author.put("t", 6, 15_000, .process), .seal, .reopen]
        steps += [.begin("last"), made("last", 7, 500), author.put("t", 7, 15_000, .disk), .commit("last", .process)]
        return Workload("transactions that overlap", steps)
    }

    /// One that is forgotten while the log grows past what it may keep from being sealed.
    static var tooLarge: Workload {
        var author = Author(seed: 24)
        var steps: [Step] = [.begin("forgotten"), .change("forgotten", Change(table: "t", key: 1, document: author.document(900)))]
        steps += (0..<18).map { author.put("t", .integer(Int64($0)), 59_000, .process) }
        let explored = steps.count - 1
        steps += [.expired("forgotten"), .begin("next"), .change("next", Change(table: "t", key: 2, document: author.document(300)))]
        steps += [.commit("next", .disk), .seal]
        var workload = Workload("a transaction too large", exploredFrom: explored, steps)
        workload.options.maximumOpenTransactionBytes = 1 << 20
        return workload
    }
}
