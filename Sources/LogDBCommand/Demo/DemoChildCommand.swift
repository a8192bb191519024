//===--- DemoChildCommand.swift - the game that is killed ------------------===//

import ArgumentParser
import LogDB

/// Plays and saves for ever, each save one batch at `.disk`. Prints the number of a save once it is acknowledged, and not before.
struct DemoChildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-child", abstract: "The process that 'logdb demo' kills.", shouldDisplay: false)

    @OptionGroup var database: DatabasePath

    @Argument(help: "What the world is made from.")
    var seed: UInt64

    func run() throws {
        let database = try Database.open(at: database.path)
        var world = GameWorld(seed: seed)
        var output = OutputBuffer()
        while true {
            try database.write(Batch(world.nextSave()), persistence: .disk)
            try output.say("\(world.saves)")
        }
    }
}
