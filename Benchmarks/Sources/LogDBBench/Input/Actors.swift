//===--- Actors.swift - the documents that all engines are given -----------===//
//
// A document is exactly 250 bytes of JSON, an actor of a game as it is saved:
//
//      {"id":"actor-00000012345","updated":1790000000007,"name":"Ice Imp","hp":12,"level":3,"position":{"x":-8.13,"y":5.7,
//       "place":"crossroads"},"conditions":["prone"],"inventory":{"gold":7,"potions":2},"note":"waits below the old bridge"}
//      └─ 50 bytes: key and time are put in for each operation ─┘└─ 200 bytes: one of 32,732 bodies, made beforehand ─────┘
//
//   * an actor keeps its name; which of the 98 bodies of its creature it has changes with each operation.
//   * the time differs in each operation, so a key is never written with what it has: SQLite would leave such a page alone.
//===-----------------------------------------------------------------------===//

/// The same document as a Swift type: what an application would keep, and what `Codable` is measured with.
struct Actor: Codable, Equatable, Sendable {
    struct Position: Codable, Equatable, Sendable {
        var x: Double
        var y: Double
        var place: String
    }

    struct Inventory: Codable, Equatable, Sendable {
        var gold: Int
        var potions: Int
    }

    var id: String
    var updated: Int
    var name: String
    var hp: Int
    var level: Int
    var position: Position
    var conditions: [String]
    var inventory: Inventory
    var note: String
}

enum Actors {
    static let documentBytes = 250
    static let keyBytes = 17
    static let headBytes = 50
    static let bodyBytes = documentBytes - headBytes
    static let variants = 98

    /// A body as text, and as a value without its id and time.
    struct Bodies: Sendable {
        let text: [UInt8]
        let values: [Actor]
    }

    static let bodies: Bodies = {
        var random = SplitMix64(seed: 0xAC708)
        var text: [UInt8] = []
        var values: [Actor] = []
        text.reserveCapacity(Bestiary.count * variants * bodyBytes)
        values.reserveCapacity(Bestiary.count * variants)
        for creature in Bestiary.creatures {
            for _ in 0..<variants {
                let actor = make(creature, &random)
                append(actor, to: &text)
                values.append(actor)
            }
        }
        precondition(text.count == values.count * bodyBytes)
        return Bodies(text: text, values: values)
    }()

    private static let places = ["harbor", "old mill", "sunken temple", "crossroads", "high pass", "ember caves"]
    private static let conditions = ["blinded", "charmed", "frightened", "grappled", "poisoned", "prone", "stunned"]
    private static let words = """
        waits below the old bridge saw nothing owes two coins to a miller hunts at dusk fears fire guards her nest lost his way sings in \
        rain knows where it lies hidden keeps quiet about them sleeps by day trades salt for iron walks with limp wants revenge
        """.split(separator: " ").map(String.init)

    private static func make(_ creature: Creature, _ random: inout SplitMix64) -> Actor {
        let gone = random.below(creature.hitPoints + 1)
        var actor = Actor(
            id: "", updated: 0, name: String(decoding: creature.name, as: UTF8.self), hp: creature.hitPoints - gone,
            level: 1 + random.below(20),
            position: Actor.Position(
                x: Double(random.below(4001) - 2000) / 100, y: Double(random.below(4001) - 2000) / 100,
                place: places[random.below(places.count)]),
            conditions: random.below(3) == 0 ? [conditions[random.below(conditions.count)]] : [],
            inventory: Actor.Inventory(gold: random.below(200), potions: random.below(10)), note: "")
        var without: [UInt8] = []
        append(actor, to: &without)
        var room = bodyBytes - without.count
        precondition(room >= 0, "\(actor.name) leaves no room")
        // Words until the body has its length; the last one is cut.
        while room > 0 {
            var word = words[random.below(words.count)]
            if !actor.note.isEmpty { word = " " + word }
            word = String(word.prefix(room))
            actor.note += word
            room -= word.utf8.count
        }
        return actor
    }

    /// By hand, so that the bytes are the same whatever an encoder does about order and numbers.
    private static func append(_ actor: Actor, to text: inout [UInt8]) {
        let conditions = actor.conditions.map { "\"\($0)\"" }.joined(separator: ",")
        let position = #"{"x":\#(actor.position.x),"y":\#(actor.position.y),"place":"\#(actor.position.place)"}"#
        let inventory = #"{"gold":\#(actor.inventory.gold),"potions":\#(actor.inventory.potions)}"#
        let body =
            #""name":"\#(actor.name)","hp":\#(actor.hp),"level":\#(actor.level),"position":\#(position),"conditions":[\#(conditions)],"#
            + #""inventory":\#(inventory),"note":"\#(actor.note)"}"#
        text.append(contentsOf: body.utf8)
    }
}
