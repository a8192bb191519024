//===--- Workload.swift - what is done to a database while it is made to suffer ---===//
//
// A list of steps, the same for the same seed. Documents are large for the smallest segment (64 KiB), so that a few steps roll, seal
// and switch. What the steps mean is in Model.swift, how they are carried out in Runner.swift.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBSimulation
import Testing

/// One upsert, or a delete where there is no document.
struct Change: Sendable, Hashable {
    var table: String
    var key: Key
    var document: [UInt8]?
}

enum Step: Sendable {
    case write(Change, Persistence)
    case batch([Change], Persistence)
    case createTable(String, Persistence)
    case dropTable(String, Persistence)
    case flush
    case seal
    /// Closes and opens again. Transactions that are open never happened.
    case reopen

    // Transactions go by names of the workload's own; several may be open. What names one that is not open does nothing.
    case begin(String)
    case change(String, Change)
    case commit(String, Persistence)
    case rollback(String)
}

struct Workload: Sendable, CustomTestStringConvertible {
    var name: String
    var options: Options
    var steps: [Step]
    /// Steps before this one only prepare; no images are taken.
    var exploredFrom = 0

    var testDescription: String { name }

    init(_ name: String, codec: Codec = .lz4, exploredFrom: Int = 0, _ steps: [Step]) {
        self.name = name
        self.steps = steps
        self.exploredFrom = exploredFrom
        options = Options {
            $0.segmentSizeBytes = 64 << 10
            $0.codec = codec
        }
    }
}

/// Makes documents and steps from one seed.
struct Author {
    private var random: SplitMix64
    private var count = 0
    /// Documents that do not compress and documents that do, cut from one text each.
    private static let noise = text(seed: 1, alphabet: 64)
    private static let prose = text(seed: 2, alphabet: 3)

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private static func text(seed: UInt64, alphabet: Int) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        return (0..<(64 << 10)).map { _ in letters[random.below(alphabet)] }
    }

    /// A document of exactly `byteCount` bytes, unlike any other.
    mutating func document(_ byteCount: Int) -> [UInt8] {
        count += 1
        var bytes = Array(#"{"n":\#(count),"r":\#(random.below(1_000_000)),"t":""#.utf8)
        let rest = max(0, byteCount - bytes.count - 2)
        let source = random.chance(1, in: 2) ? Self.noise : Self.prose
        let start = random.below(source.count - rest)
        bytes += source[start..<start + rest]
        bytes += Array(#""}"#.utf8)
        return bytes
    }

    mutating func put(_ table: String = "t", _ key: Key, _ byteCount: Int, _ level: Persistence) -> Step {
        .write(Change(table: table, key: key, document: document(byteCount)), level)
    }

    mutating func change(tables: [String] = ["a", "b"], keys: Int = 6, sizes: Range<Int> = 40..<12_000) -> Change {
        let number = random.below(keys)
        let key: Key = number.isMultiple(of: 2) ? .integer(Int64(number)) : .string("key\(number)")
        // Small documents are as frequent as large ones: log-uniform, roughly.
        let size = sizes.lowerBound + random.below(1 + random.below(sizes.count))
        return Change(table: tables[random.below(tables.count)], key: key, document: random.chance(1, in: 6) ? nil : document(size))
    }

    mutating func level() -> Persistence { [.process, .process, .disk, .interval(.milliseconds(1))][random.below(4)] }

    private mutating func transaction() -> String { ["x", "y"][random.below(2)] }

    /// Any step, with the weights of a program that mostly writes.
    mutating func step() -> Step {
        switch random.below(32) {
        case 0..<14: return .write(change(), level())
        case 14..<18: return .batch((0..<1 + random.below(5)).map { _ in change(sizes: 40..<4000) }, level())
        case 18: return .createTable(["a", "b", "c"][random.below(3)], level())
        case 19: return .dropTable(["a", "b", "c"][random.below(3)], level())
        case 20: return .flush
        case 21: return .seal
        case 22: return .reopen
        case 23: return .begin(transaction())
        case 24..<29: return .change(transaction(), change())
        case 29..<31: return .commit(transaction(), level())
        case 31: return .rollback(transaction())
        default: return .write(Change(table: "a", key: 1, document: nil), level())
        }
    }
}

extension Workload {
    /// The written ones: each is about one thing.
    static let named: [Workload] = [plainWrites, batches, rolls, unsyncedRolls, tables, sessions, sealedAtOnce, zlib, transactions]
        .filter { Scale.only.map($0.name.contains) ?? true }

    static func random(seed: UInt64, count: Int = 30) -> Workload {
        var author = Author(seed: seed)
        return Workload("random \(seed)", (0..<count).map { _ in author.step() })
    }

    private static var plainWrites: Workload {
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

    private static var batches: Workload {
        var author = Author(seed: 12)
        let steps = (0..<10).map { round in
            Step.batch(
                (0..<3 + round).map { _ in author.change(tables: ["a", "b", "c\(round)"], sizes: 100..<2500) },
                round % 3 == 1 ? .disk : .process)
        }
        return Workload("batches", steps)
    }

    private static var rolls: Workload {
        var author = Author(seed: 13)
        let steps = (0..<22).map { author.put("t", .integer(Int64($0 % 5)), 14_000, $0 % 4 == 3 ? .disk : .process) }
        return Workload("rolls, synced now and then", steps)
    }

    private static var unsyncedRolls: Workload {
        var author = Author(seed: 14)
        let steps = (0..<20).map { author.put("t", .integer(Int64($0)), 19_000, .process) }
        return Workload("rolls, never synced until the end", steps + [.flush])
    }

    private static var tables: Workload {
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

    private static var sessions: Workload {
        var author = Author(seed: 16)
        var steps: [Step] = []
        for round in 0..<6 {
            steps.append(author.put("t", .integer(Int64(round)), 7000 + 3000 * round, .process))
            if round != 3 { steps.append(author.put("t", 0, 1500, .disk)) }
            steps.append(.reopen)
        }
        return Workload("sessions", steps)
    }

    private static var sealedAtOnce: Workload {
        var author = Author(seed: 17)
        var steps: [Step] = []
        for round in 0..<5 {
            steps.append(author.put("t", .integer(Int64(round)), 4000, .process))
            steps.append(.seal)
            if round == 2 { steps.append(.reopen) }
        }
        return Workload("sealed at once", codec: .lz4HC(level: 9), steps)
    }

    /// Small ones, ones that roll, two that interleave with each other and with plain writes, one that never ends.
    private static var transactions: Workload {
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

    private static var zlib: Workload {
        var author = Author(seed: 18)
        var steps = (0..<12).map { author.put("t", .integer(Int64($0 % 3)), 11_000, $0 % 5 == 4 ? .disk : .interval(.milliseconds(1))) }
        steps.insert(.seal, at: 8)
        return Workload("deflated", codec: .zlib(level: 6), steps)
    }
}
