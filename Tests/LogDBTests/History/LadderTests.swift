//===--- LadderTests.swift - a year of autosaves ---------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct LadderTests {
    /// An autosave every few hours, compacted every few days, with keys that come and go.
    @Test func `a year of autosaves with the ladder stays small, and every rung's instant is told`() throws {
        let hour: Int64 = 3_600_000
        let start: Int64 = 1_790_000_000_000
        let clock = WallClock(milliseconds: start)
        var options = small()
        options.clock = clock
        let disk = SimulatedDisk(model: .ext4Like)
        var db = try Database.open(disk.directory(), path: "simulated", options: options)
        try db.setRetention(.ladder, of: "saves")
        var random = SplitMix64(seed: 7)
        var states: [(time: Int64, state: [Key: [UInt8]])] = [(start, [:])]
        for number in 0..<1500 {
            clock.milliseconds += Int64(random.below(12)) * hour + Int64(random.below(Int(hour)))
            var state = states.last!.state
            let key = Key.integer(Int64(random.below(6)))
            if random.chance(1, in: 6) {
                try db.delete("saves", key)
                state[key] = nil
            } else {
                let document = Array(#"{"n":\#(number),"t":"\#(String(repeating: "x", count: 300))"}"#.utf8)
                try db.upsert("saves", key, json: document.span)
                state[key] = document
            }
            states.append((clock.milliseconds, state))
            if number % 17 == 16 { try db.compact() }
            if number % 200 == 199 {
                try db.close()
                db = try Database.open(disk.directory(), path: "simulated", options: options)
            }
        }
        try db.compact()
        let now = clock.milliseconds
        var told = 0
        for back in stride(from: Int64(0), to: 40 * 24, by: 3) {
            let time = now - back * hour - 1234
            let state = try db.state(asOf: .time(milliseconds: time))
            var found: [Key: [UInt8]] = [:]
            let instant: Int64?
            do {
                instant = try state.instant(of: "saves")
                try state.select { found[try $0.key] = Array($0.document) }
            } catch let error as LogDBError where error.code == .historyIncomplete {
                #expect(back >= 29 * 24, "\(back) hours back is not told: \(error)")
                continue
            }
            told += 1
            let meant = instant ?? time
            #expect(meant <= time && time - meant <= 24 * hour)
            if back < 22 { #expect(time - meant <= hour) }
            #expect(found == states.last { $0.time <= meant }!.state, "\(back) hours back, as of \(meant)")
        }
        #expect(told >= 29 * 8)
        // By number, which no rung has, it is refused.
        #expect(throws: LogDBError.self) { try db.state(asOf: .sequence(700)).select { _ in } }
        var versions = 0
        for key in 0..<6 { versions += try db.history(of: .integer(Int64(key)), in: "saves").count }
        #expect(versions < 6 * (31 + 25 + 8) && versions > 40)
        // Another ladder says nothing of what the old one left.
        try db.setRetention(.ladder([.init(every: .seconds(7200), for: .seconds(90 * 86_400))]), of: "saves")
        #expect(throws: LogDBError.self) { try db.state(asOf: .time(milliseconds: now - 100 * hour)).select { _ in } }
        try db.compact()
        #expect(throws: LogDBError.self) { try db.state(asOf: .time(milliseconds: now - 100 * hour)).select { _ in } }
        try db.close()
    }
}
