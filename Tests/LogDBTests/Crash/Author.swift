//===--- Author.swift - documents and steps from one seed ------------------===//

import LogDB
import LogDBSimulation

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

    /// Of kinds that go by no clock.
    mutating func retention() -> Retention { [.latest, .all, .all, .versions(2)][random.below(4)] }

    private mutating func transaction() -> String { ["x", "y"][random.below(2)] }

    /// Any step, with the weights of a program that mostly writes.
    mutating func step() -> Step {
        switch random.below(38) {
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
        case 32: return .compact()
        case 33:
            return .compact(ceiling: random.chance(1, in: 2) ? 300 << 10 : nil, stopAfter: random.chance(1, in: 2) ? random.below(60) : nil)
        case 34: return .savepoint(transaction(), level())
        case 35: return .release(transaction(), level())
        case 36, 37: return .retain(["a", "b"][random.below(2)], retention(), level())
        default: return .write(Change(table: "a", key: 1, document: nil), level())
        }
    }
}
