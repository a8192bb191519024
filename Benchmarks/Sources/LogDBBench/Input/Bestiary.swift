//===--- Bestiary.swift - what the actors of the generated game are --------===//
//
// 334 kinds of creature with names of about eleven letters, sizes and hit points: as many and as varied as the stat blocks that real
// autosaves were measured with, but made here, so that the figures depend on nothing outside this folder.
//
//   * the same list every time: the sizes and hit points come from a generator with a fixed seed of its own.
//   * how varied the names are decides a good part of how well a log compresses. Do not shorten the lists.
//===-----------------------------------------------------------------------===//

struct Creature {
    var name: [UInt8]
    /// The name in small letters, with hyphens.
    var kind: [UInt8]
    var size: [UInt8]
    var hitPoints: Int
}

enum Bestiary {
    static let count = 334

    private static let ages = words(
        """
        Old Hoary Young Fledgling
        """)
    private static let hues = words(
        """
        Amber Ashen Cobalt Crimson Ivory Jade Leaden Ochre Sable Silver
        """)
    private static let regions = words(
        """
        Bog Cave Cliff Dune Fen Frost Moor River Storm Wood
        """)
    private static let families = words(
        """
        Giant Troll Elemental Wraith Hag Golem Mephit Newt
        """)
    private static let beasts = words(
        """
        Ape Badger Bat Boar Centipede Crab Eagle Elk Frog Hyena Lizard Octopus Owl Rat Scorpion Spider Toad Vulture Wasp
        Weasel Wolf
        """)
    private static let people = words(
        """
        Acolyte Archer Assassin Bandit Captain Commoner Cultist Druid Gladiator Guard Hermit Knight Mage Noble Pilgrim Priest
        Scout Smuggler Spy Thug Veteran Witch
        """)
    private static let lone = words(
        """
        Basilisk Bugbear Camel Cat Centaur Chimera Cockatrice Cyclops Deer Doppelganger Dryad Ettin Gargoyle Ghast Ghost Ghoul
        Goat Gorgon Griffon Harpy Hawk Hippogriff Hobgoblin Hydra Imp Jackal Kobold Kraken Lamia Lich Lion Manticore Mastiff
        Medusa Merrow Mimic Minotaur Mule Mummy Naga Nightmare Ogre Orc Owlbear Panther Pegasus Pixie Pony Raven Rhinoceros
        Roc Satyr Seal Shadow Shark Skeleton Specter Sphinx Sprite Stirge Succubus Tarrasque Tiger Treant Unicorn Vampire
        Wight Will-o'-Wisp Worg Wyvern Zombie
        """)

    /// Hit points in even steps from the weakest to the toughest: few are tough.
    private static let hitPoints = [1, 3, 9, 13, 18, 22, 26, 33, 45, 58, 68, 85, 110, 127, 144, 189, 297, 420]

    private static func words(_ text: String) -> [String] { text.split { $0 == " " || $0 == "\n" }.map(String.init) }

    /// All creatures, in an order that spreads the families over the actors' numbers.
    static let creatures: [Creature] = {
        var names = lone
        for age in ages { names += hues.map { "\(age) \($0) Dragon" } }
        for family in families { names += regions.map { "\($0) \(family)" } }
        for beast in beasts { names += [beast, "Giant \(beast)", "Swarm of \(beast)s"] }
        for person in people { names += [person, "\(person) Elder", "Fallen \(person)"] }
        for region in regions { names += ["\(region) Ooze", "\(region) Sprite"] }
        precondition(names.count >= count && Set(names).count == names.count, "the lists make \(names.count) names")
        names.removeLast(names.count - count)

        var random = SplitMix64(seed: 0x5EED)
        names.shuffle(using: &random)
        return names.map { name in
            let isLarge = name.contains("Dragon") || name.contains("Giant") || name.utf8.count % 3 == 0
            let size =
                switch random.next() % 10 {
                case 0: isLarge ? "Gargantuan" : "Tiny"
                case 1: isLarge ? "Huge" : "Small"
                default: isLarge ? "Large" : "Medium"
                }
            let place = random.unit() * Double(hitPoints.count - 1)
            let (below, above) = (hitPoints[Int(place)], hitPoints[Int(place) + 1])
            return Creature(
                name: Array(name.utf8),
                kind: name.lowercased().utf8.map { (97...122).contains($0) ? $0 : UInt8(ascii: "-") },
                size: Array(size.utf8), hitPoints: below + Int((place - place.rounded(.down)) * Double(above - below)))
        }
    }()
}

/// Steele, Lea and Flood's generator (OOPSLA 2014): one seed, the same figures on every machine.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
