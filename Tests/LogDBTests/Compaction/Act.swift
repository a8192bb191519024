//===--- Act.swift - what a random trial does, and who thinks it up --------===//

import LogDB
import LogDBSimulation

/// A step, or a question whose answer is compared with a dictionary's.
enum Act: Sendable {
    case step(Step)
    case select(String, KeySelection)
    case get(String, Key)
    case load(String)
    /// Everything that can be read.
    case check
    /// Does the acts of `meanwhile` while it is under way, one at each report of progress; and asks their questions whenever a new segment is
    /// written to.
    case compact(ceiling: UInt64?, stopAfter: Int?, meanwhile: [Act])
}

extension Act: CustomStringConvertible {
    var description: String {
        switch self {
        case .step(.write(let change, let level)): "write \(Self.told(change)) at \(level)"
        case .step(.batch(let changes, let level)): "batch \(changes.map(Self.told).joined(separator: ", ")) at \(level)"
        case .step(.change(let name, let change)): "in \(name): \(Self.told(change))"
        case .step(let step): "\(step)"
        case .select(let table, let keys):
            "select \(table) from \(Self.told(keys.from)) to \(Self.told(keys.to)) prefix \(keys.prefix.map { "\($0.debugDescription)" } ?? "any")"
                + (keys.limit == .max ? "" : " limit \(keys.limit)") + (keys.isReversed ? " backwards" : "")
        case .get(let table, let key): "get \(table)/\(Self.told(key))"
        case .load(let table): "load \(table)"
        case .check: "check"
        case .compact(let ceiling, let stopAfter, let meanwhile):
            "compact" + (ceiling.map { ", ceiling \($0)" } ?? "") + (stopAfter.map { ", stopped after \($0) reports" } ?? "")
                + (meanwhile.isEmpty ? "" : ", meanwhile [\(meanwhile.map(\.description).joined(separator: "; "))]")
        }
    }

    private static func told(_ key: Key?) -> String {
        switch key {
        case nil: "any"
        case .integer(let number): "\(number)"
        case .string(let text): text.debugDescription
        }
    }

    private static func told(_ change: Change) -> String {
        "\(change.table)/\(told(change.key)) \(change.document.map { "\($0.count) bytes" } ?? "delete")"
    }
}

extension Act {
    /// The same with something left out.
    var simpler: [Act] {
        let small = Array("{}".utf8)
        func reduced(_ change: Change) -> Change? {
            guard let document = change.document, document.count > 2 else { return nil }
            return Change(table: change.table, key: change.key, document: small)
        }
        switch self {
        case .step(.write(let change, let level)): return reduced(change).map { [.step(.write($0, level))] } ?? []
        case .step(.change(let name, let change)): return reduced(change).map { [.step(.change(name, $0))] } ?? []
        case .step(.batch(let changes, let level)): return changes.map { .step(.write($0, level)) }
        case .compact(let ceiling, let stopAfter, let meanwhile):
            var list: [Act] = []
            if !meanwhile.isEmpty { list.append(.compact(ceiling: ceiling, stopAfter: stopAfter, meanwhile: [])) }
            for index in meanwhile.indices where meanwhile.count > 1 {
                var fewer = meanwhile
                fewer.remove(at: index)
                list.append(.compact(ceiling: ceiling, stopAfter: stopAfter, meanwhile: fewer))
            }
            if ceiling != nil { list.append(.compact(ceiling: nil, stopAfter: stopAfter, meanwhile: meanwhile)) }
            if stopAfter != nil { list.append(.compact(ceiling: ceiling, stopAfter: nil, meanwhile: meanwhile)) }
            return list
        case .select(let table, let keys) where keys != KeySelection(): return [.select(table, KeySelection()), .get(table, 1)]
        default: return []
        }
    }
}

/// Thinks up acts from one seed.
struct Inventor {
    private var random: SplitMix64
    private var author: Author
    private static let tables = ["a", "b", "c"]
    /// Where keys change their length, type or sign, and one begins another.
    private static let keys: [Key] =
        [
            .integer(.min), -300, -1, 0, 1, 2, 255, 256, .integer(.max), "", "\u{0}", "a", "ab", "abc", "abd", "b", "ä", "äb", "\u{7F}",
            "\u{10FFFF}",
        ]
        + (0..<12).map { .string("key\($0)") }

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        author = Author(seed: seed ^ 0x5EED)
    }

    mutating func options() -> Options {
        var options = Options()
        options.segmentSizeBytes = 64 << 10
        options.memoryBudgetBytes = 4 << 20
        options.codec = [.none, .lz4, .lz4HC(level: 4), .zlib(level: 3)][random.below(4)]
        options.sortBudgetBytes = [nil, 4 << 10, 12 << 10, 40 << 10][random.below(4)]
        options.compaction = random.chance(1, in: 5) ? .automatic(garbage: 0.1, segments: 1) : .manual
        if random.chance(1, in: 3) { options.manifestGrowthBytes = 256 }
        return options
    }

    mutating func acts() -> [Act] { (0..<8 + random.below(40)).map { _ in act() } }

    private mutating func table() -> String { Self.tables[random.below(Self.tables.count)] }
    private mutating func key() -> Key { Self.keys[random.below(Self.keys.count)] }
    private mutating func name() -> String { ["x", "y"][random.below(2)] }

    private mutating func change() -> Change {
        let size = 40 + random.below(1 + random.below([300, 3000, 14_000][random.below(3)]))
        return Change(table: table(), key: key(), document: random.chance(1, in: 5) ? nil : author.document(size))
    }

    private mutating func selection() -> KeySelection {
        var keys = KeySelection()
        if random.chance(1, in: 3) { keys.from = key() }
        if random.chance(1, in: 3) { keys.to = key() }
        if random.chance(1, in: 3) { keys.prefix = ["", "a", "ab", "key", "key1", "ä", "\u{10FFFF}", "zz"][random.below(8)] }
        if random.chance(1, in: 3) { keys = keys.limited(to: random.below(5)) }
        if random.chance(1, in: 2) { keys = keys.backwards() }
        return keys
    }

    private mutating func act() -> Act {
        switch random.below(64) {
        case 60: return .step(.savepoint(name(), author.level()))
        case 61: return .step(.release(name(), author.level()))
        case 62, 63: return .step(.retain(table(), author.retention(), author.level()))
        case 0..<21, 59: return .step(.write(change(), author.level()))
        case 21..<26: return .step(.batch((0..<1 + random.below(8)).map { _ in change() }, author.level()))
        case 26: return .step(.createTable(table(), author.level()))
        case 27, 28: return .step(.dropTable(table(), author.level()))
        case 29, 30: return .step(.seal)
        case 31, 32: return .step(.reopen)
        case 33, 34: return .step(.begin(name()))
        case 35..<40: return .step(.change(name(), change()))
        case 40..<42: return .step(.commit(name(), author.level()))
        case 42: return .step(.rollback(name()))
        case 43..<47: return .select(table(), selection())
        case 47, 48: return .get(table(), key())
        case 49: return .load(table())
        case 50: return .check
        case 51..<54: return .compact(ceiling: nil, stopAfter: nil, meanwhile: [])
        default:
            return .compact(
                ceiling: random.chance(1, in: 2) ? UInt64(250 + random.below(400)) << 10 : nil,
                stopAfter: random.chance(1, in: 3) ? random.below(12) : nil, meanwhile: (0..<random.below(8)).map { _ in beside() })
        }
    }

    /// An act that can be done while a compaction is under way, in its own thread.
    private mutating func beside() -> Act {
        switch random.below(19) {
        case 16: .step(.savepoint(name(), author.level()))
        case 17: .step(.release(name(), author.level()))
        case 18: .step(.retain(table(), author.retention(), author.level()))
        case 0..<5: .step(.write(change(), author.level()))
        case 5: .step(.batch((0..<1 + random.below(4)).map { _ in change() }, author.level()))
        case 6: .step(.dropTable(table(), author.level()))
        case 7: .step(.begin(name()))
        case 8: .step(.change(name(), change()))
        case 9: .step(.commit(name(), author.level()))
        case 10: .step(.seal)
        case 11, 12: .select(table(), selection())
        case 13: .load(table())
        case 14: .get(table(), key())
        default: .check
        }
    }
}
