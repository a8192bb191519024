//===--- WorkloadsOfWrites.swift - writes, rolls, seals, sessions ----------===//

import LogDB

extension Workload {
    static var plainWrites: Workload {
        var author = Author(seed: 11)
        var steps: [Step] = []
        for round in 0..<4 {
            steps.append(author.put("t", .integer(Int64(round)), 3000, .process))
            steps.append(author.put("t", .integer(7), 500, .disk))
            steps.append(author.put("t", "string", 9000, .interval(.milliseconds(1))))
            steps.append(.write(Change(table: "t", key: .integer(Int64(round)), document: nil), round.isMultiple(of: 2) ? .process : .disk))
        }
        return Workload("plain writes at each level", steps + [.flush])
    }

    static var batches: Workload {
        var author = Author(seed: 12)
        let steps = (0..<10).map { round in
            Step.batch(
                (0..<3 + round).map { _ in author.change(tables: ["a", "b", "c\(round)"], sizes: 100..<2500) },
                round % 3 == 1 ? .disk : .process)
        }
        return Workload("batches", steps)
    }

    static var rolls: Workload {
        var author = Author(seed: 13)
        let steps = (0..<22).map { author.put("t", .integer(Int64($0 % 5)), 14_000, $0 % 4 == 3 ? .disk : .process) }
        return Workload("rolls, synced now and then", steps)
    }

    static var unsyncedRolls: Workload {
        var author = Author(seed: 14)
        let steps = (0..<20).map { author.put("t", .integer(Int64($0)), 19_000, .process) }
        return Workload("rolls, never synced until the end", steps + [.flush])
    }

    static var tables: Workload {
        var author = Author(seed: 15)
        var steps: [Step] = []
        for round in 0..<4 {
            steps.append(.createTable("kept\(round)", round.isMultiple(of: 2) ? .disk : .process))
            steps.append(author.put("a", 1, 4000, .process))
            steps.append(author.put("b", 1, 9000, .disk))
            steps.append(.dropTable(round.isMultiple(of: 2) ? "a" : "b", .process))
            steps.append(author.put("a", 2, 5000, .process))
            if round == 2 { steps.append(.seal) }
        }
        return Workload("tables made and dropped", steps + [.dropTable("kept1", .disk), .reopen, .createTable("last", .disk)])
    }

    static var sessions: Workload {
        var author = Author(seed: 16)
        var steps: [Step] = []
        for round in 0..<6 {
            steps.append(author.put("t", .integer(Int64(round)), 7000 + 3000 * round, .process))
            if round != 3 { steps.append(author.put("t", 0, 1500, .disk)) }
            steps.append(.reopen)
        }
        return Workload("sessions", steps)
    }

    /// Each segment in the file of one before, over frames of the same lengths and of others, synced and not.
    static var recycled: Workload {
        var author = Author(seed: 23)
        var steps: [Step] = []
        for round in 0..<5 {
            for number in 0..<2 + round % 3 {
                steps.append(author.put("t", .integer(Int64(number)), 4000, number.isMultiple(of: 2) ? .disk : .process))
            }
            if round == 2 { steps += [.begin("x"), .change("x", author.change(sizes: 40..<4000)), .commit("x", .process)] }
            steps.append(.seal)
        }
        steps += [author.put("t", 0, 4000, .disk), .reopen, author.put("t", 1, 700, .process)]
        return Workload("recycled files", steps)
    }

    static var sealedAtOnce: Workload {
        var author = Author(seed: 17)
        var steps: [Step] = []
        for round in 0..<5 {
            steps.append(author.put("t", .integer(Int64(round)), 4000, .process))
            steps.append(.seal)
            if round == 2 { steps.append(.reopen) }
        }
        return Workload("sealed at once", codec: .lz4HC(level: 9), steps)
    }

    static var zlib: Workload {
        var author = Author(seed: 18)
        var steps = (0..<12).map { author.put("t", .integer(Int64($0 % 3)), 11_000, $0 % 5 == 4 ? .disk : .interval(.milliseconds(1))) }
        steps.insert(.seal, at: 8)
        return Workload("deflated", codec: .zlib(level: 6), steps)
    }

    /// With a manifest that is written anew every few edits, and so gets another number and the old one is removed, within a session and at
    /// the first edit of the next.
    static var manifestSwitches: Workload {
        var author = Author(seed: 20)
        var steps: [Step] = []
        for round in 0..<7 {
            steps.append(author.put("t", .integer(Int64(round)), 6000, .process))
            steps.append(.seal)
            steps.append(author.put("t", 0, 900, round.isMultiple(of: 2) ? .disk : .process))
            if round == 2 || round == 4 { steps.append(.reopen) }
        }
        var workload = Workload("manifest switches", steps)
        workload.options.manifestGrowthBytes = 300
        return workload
    }

    static var counters: Workload {
        var author = Author(seed: 22)
        var steps: [Step] = []
        for round in 0..<8 {
            steps += [.count("visits", .disk), .count(7, .process), .count("visits", .process)]
            if round == 2 || round == 5 { steps.append(.reopen) }
            if round == 3 { steps += [author.put("t", 1, 9000, .process), .seal] }
        }
        return Workload("counters", steps)
    }
}
