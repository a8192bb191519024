//===--- Campaign.swift - a game's autosaves, from one seed ----------------===//
//
// What the load, replay, size and read measures are fed with: the history of a game that saves each actor that changed. Popular
// actors change far more often than others (number = 200,000 · u³·²), so most of a long history is overwritten; 3 in 100 changes of
// a living actor remove it. One document:
//
//      {"id":168507,"name":"Ice Imp","kind":"ice-imp","size":"Large","hp":180,"hpMax":180,"level":1,"xp":0,
//       "position":{"x":-8.13,"y":5.78,"place":"crossroads"},"conditions":[],"inventory":{"gold":7,"potions":2},
//       "alive":true,"updated":1790000000021}
//
//   * all documents stand back to back in one array, so that reading them costs the measures nothing but a span.
//   * the same seed and count make the same bytes on every machine.
//===-----------------------------------------------------------------------===//

import LogDB

struct Campaign {
    struct Step {
        var actor: Int
        /// Where the document stands in `text`; empty for a delete.
        var document: Range<Int>
        var isDelete: Bool { document.isEmpty }
    }

    static let table = "actors"

    /// Documents, back to back.
    private(set) var text: [UInt8] = []
    private(set) var steps: [Step] = []
    /// Key of each actor by number.
    let keys: [Key]
    /// Which step was the last of each actor that is alive at the end.
    private(set) var live: [Int: Int] = [:]
    /// Bytes of all keys and documents: what sizes are compared with.
    private(set) var rawBytes = 0

    var count: Int { steps.count }

    init(steps count: Int, seed: UInt64 = 7) {
        let actors = max(1, min(200_000, count / 5))
        keys = (0..<actors).map { .string("actor-" + String(repeating: "0", count: 7 - String($0).count) + String($0)) }
        steps.reserveCapacity(count)
        text.reserveCapacity(count * 256)
        var random = SplitMix64(seed: seed)
        var world: [SavedActor?] = Array(repeating: nil, count: actors)
        var clock = 1_790_000_000_000
        for index in 0..<count {
            clock += 1 + random.below(40)
            let number = min(actors - 1, Int(Double(actors) * power(random.unit())))
            let start = text.count
            rawBytes += 13
            if world[number] != nil, random.unit() < 0.03 {
                world[number] = nil
                live[number] = nil
            } else {
                var actor = world[number] ?? SavedActor(number)
                actor.change(&random, clock)
                actor.append(to: &text)
                world[number] = actor
                live[number] = index
                rawBytes += text.count - start
            }
            steps.append(Step(actor: number, document: start..<text.count))
        }
    }

    /// u³·² without a mathematics library: u³ times the fifth root of u, by Newton's method.
    private func power(_ u: Double) -> Double {
        guard u > 0 else { return 0 }
        var root = 1.0
        for _ in 0..<40 {
            let fourth = root * root * root * root
            root -= (fourth * root - u) / (5 * fourth)
        }
        return u * u * u * root
    }
}

/// One actor as the game holds it. Coordinates are in hundredths.
private struct SavedActor {
    var number: Int
    var hitPoints: Int
    var level = 1
    var experience = 0
    var x = 0
    var y = 0
    var place: Int
    var conditions: [Int] = []
    var gold: Int
    var potions = 2
    var updated = 0

    static let places = ["harbor", "old mill", "sunken temple", "crossroads", "high pass", "ember caves"].map { Array($0.utf8) }
    static let allConditions = ["blinded", "charmed", "frightened", "grappled", "poisoned", "prone", "stunned"].map { Array($0.utf8) }

    var creature: Creature { Bestiary.creatures[number % Bestiary.count] }

    init(_ number: Int) {
        self.number = number
        hitPoints = Bestiary.creatures[number % Bestiary.count].hitPoints
        place = number % Self.places.count
        gold = number % 50
    }

    mutating func change(_ random: inout SplitMix64, _ clock: Int) {
        let kind = random.unit()
        if kind < 0.45 {
            x += random.below(1801) - 900
            y += random.below(1801) - 900
        } else if kind < 0.75 {
            hitPoints = max(0, min(creature.hitPoints, hitPoints + random.below(27) - 14))
            var chosen: Set<Int> = []
            let wanted = [0, 0, 0, 1, 1, 2][random.below(6)]
            while chosen.count < wanted { chosen.insert(random.below(Self.allConditions.count)) }
            conditions = chosen.sorted()
        } else if kind < 0.92 {
            gold = max(0, gold + random.below(51) - 20)
            potions = random.below(10)
        } else {
            experience += 10 + random.below(391)
            level = 1 + experience / 1000
            place = random.below(Self.places.count)
        }
        updated = clock
    }

    func append(to text: inout [UInt8]) {
        func put(_ part: StaticString) { part.withUTF8Buffer { unsafe text.append(contentsOf: $0) } }
        func put(_ number: Int) { text.append(contentsOf: String(number).utf8) }
        /// As the shortest decimal: 5.7, -0.13, 2.0.
        func put(hundredths number: Int) {
            if number < 0 { text.append(UInt8(ascii: "-")) }
            put(abs(number) / 100)
            text.append(UInt8(ascii: "."))
            let fraction = abs(number) % 100
            text.append(UInt8(ascii: "0") + UInt8(fraction / 10))
            if fraction % 10 != 0 { text.append(UInt8(ascii: "0") + UInt8(fraction % 10)) }
        }
        let creature = creature
        put(#"{"id":"#)
        put(number)
        put(#","name":""#)
        text += creature.name
        put(#"","kind":""#)
        text += creature.kind
        put(#"","size":""#)
        text += creature.size
        put(#"","hp":"#)
        put(hitPoints)
        put(#","hpMax":"#)
        put(creature.hitPoints)
        put(#","level":"#)
        put(level)
        put(#","xp":"#)
        put(experience)
        put(#","position":{"x":"#)
        put(hundredths: x)
        put(#","y":"#)
        put(hundredths: y)
        put(#","place":""#)
        text += Self.places[place]
        put(#""},"conditions":["#)
        for (index, condition) in conditions.enumerated() {
            put(index == 0 ? "\"" : ",\"")
            text += Self.allConditions[condition]
            put("\"")
        }
        put(#"],"inventory":{"gold":"#)
        put(gold)
        put(#","potions":"#)
        put(potions)
        put(#"},"alive":true,"updated":"#)
        put(updated)
        put("}")
    }
}
