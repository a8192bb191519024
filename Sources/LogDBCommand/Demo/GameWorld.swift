//===--- GameWorld.swift - a game that saves itself ------------------------===//
//
// The same seed makes the same game, so a process that never met the one that wrote can say what must be there. A save is a few
// changed actors, sometimes a dead one, and the clock:
//
//      save 1     actors/goblin-0012 {…}   actors/wolf-0007 {…}   world/clock {"save":1,…}
//      save 2     actors/goblin-0012 null  world/clock {"save":2,…}
//
// Some actors change far more often than others, as in real saves.
//===-----------------------------------------------------------------------===//

import LogDB

/// SplitMix64 (Steele, Lea, Flood 2014): small, good enough, and the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

struct GameWorld {
    struct Change: Equatable {
        var table: String
        var key: Key
        /// nil deletes.
        var document: [UInt8]?
    }

    private struct Actor {
        var kind: Int
        var hp: Int
        var x = 0
        var y = 0
        var gold: Int
        var xp = 0
        var conditions: [Int] = []
        var place: Int
        var isAlive = true
    }

    private static let kinds = [
        ("goblin", 7), ("ice-devil", 180), ("wolf", 11), ("archmage", 99), ("treant", 138), ("bandit", 11), ("lich", 135), ("ogre", 59),
    ]
    private static let places = ["harbor", "old mill", "sunken temple", "crossroads", "high pass", "ember caves"]
    private static let conditions = ["blinded", "charmed", "frightened", "grappled", "poisoned", "prone", "stunned"]

    private var random: SeededGenerator
    private var actors: [Actor]
    private(set) var saves = 0
    private var clock = 1_790_000_000_000

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        actors = (0..<2000).map { number in
            let kind = number % Self.kinds.count
            return Actor(kind: kind, hp: Self.kinds[kind].1, gold: number % 50, place: number % Self.places.count)
        }
    }

    /// What changed since the save before: 2 to 12 operations that belong together.
    mutating func nextSave() -> [Change] {
        saves += 1
        clock += Int.random(in: 20...4000, using: &random)
        var changes: [Change] = []
        for _ in 0..<Int.random(in: 1...11, using: &random) {
            let share = Double.random(in: 0..<1, using: &random)
            changes.append(change(Int(Double(actors.count) * share * share * share)))
        }
        let clockDocument = #"{"save":\#(saves),"time":\#(clock),"actors":\#(actors.count(where: \.isAlive))}"#
        changes.append(Change(table: "world", key: "clock", document: Array(clockDocument.utf8)))
        return changes
    }

    private mutating func change(_ number: Int) -> Change {
        let kind = Self.kinds[actors[number].kind]
        let digits = String(number)
        let key = Key.string("\(kind.0)-\(String(repeating: "0", count: 4 - digits.count))\(digits)")
        guard actors[number].isAlive else {
            actors[number].isAlive = true
            actors[number].hp = kind.1
            return Change(table: "actors", key: key, document: document(number, kind))
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45:
            actors[number].x += Int.random(in: -900...900, using: &random)
            actors[number].y += Int.random(in: -900...900, using: &random)
        case 45..<75:
            actors[number].hp = max(1, min(kind.1, actors[number].hp + Int.random(in: -14...12, using: &random)))
            actors[number].conditions = (0..<Self.conditions.count).filter { _ in Int.random(in: 0..<9, using: &random) == 0 }
        case 75..<90:
            actors[number].gold = max(0, actors[number].gold + Int.random(in: -20...30, using: &random))
        case 90..<97:
            actors[number].xp += Int.random(in: 10...400, using: &random)
            actors[number].place = Int.random(in: 0..<Self.places.count, using: &random)
        default:
            actors[number].isAlive = false
            return Change(table: "actors", key: key, document: nil)
        }
        return Change(table: "actors", key: key, document: document(number, kind))
    }

    private func document(_ number: Int, _ kind: (String, Int)) -> [UInt8] {
        let actor = actors[number]
        var text =
            #"{"id":\#(number),"kind":"\#(kind.0)","hp":\#(actor.hp),"hpMax":\#(kind.1),"level":\#(1 + actor.xp / 1000),"xp":\#(actor.xp)"#
        text += #","position":{"x":\#(Self.hundredths(actor.x)),"y":\#(Self.hundredths(actor.y)),"place":"\#(Self.places[actor.place])"}"#
        text += #","conditions":[\#(actor.conditions.map { "\"\(Self.conditions[$0])\"" }.joined(separator: ","))]"#
        text += #","inventory":{"gold":\#(actor.gold),"potions":2},"alive":true,"updated":\#(clock)}"#
        return Array(text.utf8)
    }

    private static func hundredths(_ value: Int) -> String {
        let rest = value.magnitude % 100
        return "\(value < 0 ? "-" : "")\(value.magnitude / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension Batch {
    /// A save, to be there as a whole or not at all.
    init(_ changes: [GameWorld.Change]) throws(LogDBError) {
        self.init()
        for change in changes {
            if let document = change.document {
                try upsert(change.table, change.key, json: document.span)
            } else {
                try delete(change.table, change.key)
            }
        }
    }
}
