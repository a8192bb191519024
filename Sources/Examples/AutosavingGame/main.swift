//===--- main.swift - a game that saves each turn ---------------------------===//
//
//      swift run -c release autosaving-game
//
// Each turn the hero walks, fights or trades, and whatever changed is saved as one batch. The process is killed with SIGKILL in the middle of a
// turn, six times, and goes on from its save each time. Nothing may be saved by half: gold that left the hero has reached the merchant.
//
//   * a batch is there as a whole, or not at all, also after a power cut.
//   * `.interval(.seconds(1))` costs a microsecond: the turn survives the process at once, and a power cut one second later. What the player would not
//     play again, a boss beaten, is worth `.disk`; that takes everything before it to the disk as well.
//   * a savepoint keeps the game as it was before a boss, whatever is compacted; the player may go back to it. It is an operation like all others: where
//     the save that follows it is there after a power cut, so is it.
//===-----------------------------------------------------------------------===//

import ExampleProof
import LogDB

struct Actor: Codable, Equatable {
    var hp: Int
    var gold: Int
    var x = 0
}

struct Clock: Codable, Equatable {
    var turn = 0
    var bossesBeaten = 0
}

/// The game as it is in memory: the database is only read when it starts.
struct Game: Equatable {
    var clock = Clock()
    var actors = ["hero": Actor(hp: 100, gold: 500), "merchant": Actor(hp: 40, gold: 500), "wolf": Actor(hp: 11, gold: 0)]

    /// Plays a turn and returns who has changed; a turn depends on nothing but the game, so that the proof can play it again.
    mutating func play() -> [String] {
        clock.turn += 1
        let price = clock.turn % 2 == 0 ? 7 : -7
        switch clock.turn % 4 {
        case 0, 1:
            actors["hero"]?.gold -= price
            actors["merchant"]?.gold += price
            return ["hero", "merchant"]
        case 2:
            actors["hero"]?.x += 1
            return ["hero"]
        default:
            if clock.turn % 100 == 3 { clock.bossesBeaten += 1 }
            // Dead, or back again.
            actors["wolf"] = actors["wolf"] == nil ? Actor(hp: 11, gold: 0) : nil
            return ["wolf"]
        }
    }
}

/// The game and where it is kept.
struct SavedGame {
    let database: Database
    var game = Game()

    /// Opens the save, or begins a new game: then there is no clock.
    init(at path: String) throws {
        database = try Database.open(at: path, options: Options { $0.persistence = .interval(.seconds(1)) })
        try load()
    }

    private mutating func load() throws {
        guard let clock = try database.get("world", "clock", as: Clock.self) else { return }
        game.clock = clock
        game.actors = [:]
        try database.table("actors", String.self, Actor.self).load(into: &game.actors)
    }

    mutating func playTurn() throws {
        let bossesBefore = game.clock.bossesBeaten
        let changed = game.play()
        let hasBeatenBoss = game.clock.bossesBeaten > bossesBefore
        let name = "before boss \(game.clock.bossesBeaten)"
        // It is there if the process was killed right after it.
        if hasBeatenBoss, try !database.savepoints.contains(where: { $0.name == name }) { try database.savepoint(name) }
        // The first save has everything; later ones have what changed. The clock is in all of them, so that a save says which turn it is.
        var save = Batch()
        for name in game.clock.turn == 1 ? ["hero", "merchant", "wolf"] : changed {
            if let actor = game.actors[name] {
                try save.upsert("actors", .string(name), encoding: actor)
            } else {
                try save.delete("actors", .string(name))
            }
        }
        try save.upsert("world", "clock", encoding: game.clock)
        try database.write(save, persistence: hasBeatenBoss ? .disk : nil)
        // Those before the last but one nobody goes back to.
        if hasBeatenBoss { for old in try database.savepoints.dropLast(2) { try database.releaseSavepoint(old.name) } }
    }

    /// The player does not like how it went.
    mutating func goBack(to savepoint: Savepoint) throws {
        try database.revert(to: .savepoint(savepoint.name), persistence: .disk)
        try load()
    }
}

// MARK: - The proof

example("autosaving-game") { arguments in
    var saved = try SavedGame(at: arguments[0])
    while true {
        try saved.playTurn()
        report(saved.game.clock.turn)
    }
} prove: { folder in
    var expected = Game()
    for round in 1...6 {
        let before = expected.clock.turn
        let ending = try kill(after: 0.05...0.3, folder + "/game.logdb")
        let saved = try SavedGame(at: folder + "/game.logdb")
        try saved.database.close()
        let turn = saved.game.clock.turn
        // One turn more may be there than was reported: killed between the save and the report.
        try require(
            ending.wasKilled && (ending.last...ending.last + 1).contains(turn), "turn \(ending.last) was reported, turn \(turn) is saved")
        while expected.clock.turn < turn { _ = expected.play() }
        try require(saved.game == expected, "turn \(turn) is saved as \(saved.game), it was \(expected)")
        let gold = saved.game.actors.values.reduce(0) { $0 + $1.gold }
        try require(gold == 1000, "there were 1000 pieces of gold, now there are \(gold)")
        print("killed \(round): \(turn - before) turns played, turn \(turn) is saved, whole; 1000 pieces of gold, none lost, none made")
    }
    // And back to before the last boss but one; the log is compacted first, which keeps what the savepoint wants.
    var saved = try SavedGame(at: folder + "/game.logdb")
    guard let savepoint = try saved.database.savepoints.first else { return print("no boss was met") }
    try saved.database.compact()
    try saved.goBack(to: savepoint)
    try saved.database.close()
    var then = Game()
    while "before boss \(then.clock.bossesBeaten + 1)" != savepoint.name || then.clock.turn % 100 != 2 { _ = then.play() }
    try require(saved.game == then, "\(savepoint.name) it was \(then), now it is \(saved.game)")
    print("back from turn \(expected.clock.turn) to turn \(then.clock.turn), \(savepoint.name)")
}
