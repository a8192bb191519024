//===--- Ladder.swift - a year of autosaves ---------------------------------===//
//
// What a save history with a ladder takes on the disk. A clock set by hand goes through a year: three hours of play a day, an autosave each ten minutes of them.
// Each writes 200 actors of the thousand around the player, in a world of 10,000; the player moves on a little each day. The database compacts itself, when it would. At the end of each day
// is noted what the folder takes. Beside it the same year without a retention.
//===-----------------------------------------------------------------------===//

import Foundation
@_spi(Simulation) import LogDB

/// What a day left.
struct LadderSample {
    var day: Int
    var folderBytes: Int
    /// Of keys and documents, uncompressed.
    var liveBytes: Int
    /// Operations in the files: live documents, older versions, deletes.
    var versions: Int
}

extension Bench {
    private static let world = 10_000
    private static let around = 1000
    private static let changed = 200
    private static let savesADay = 18
    /// 2026-01-01, 18:00 UTC.
    private static let beginning: Int64 = 1_767_290_400_000

    func measureLadder() throws {
        let days = arguments.isQuick ? 20 : 365
        report.title(
            "\(days) days of autosaves: \(Self.savesADay) a day, of \(Self.changed) actors out of the \(Self.around) around the player, \(Self.world) in the world"
        )
        let (ladder, written) = try year(days, .ladder)
        let (latest, _) = try year(days, .latest)
        guard let last = ladder.last, let lastLatest = latest.last else { throw SystemFailure(message: "no day has passed") }
        let most = ladder.map(\.folderBytes).max() ?? 0
        report.add(
            Line(
                what: "the folder at its largest, with the ladder", value: Double(most), unit: .bytes,
                more: "of \(Unit.bytes.format(Double(written))) written",
                beside: ("live documents", Double(last.liveBytes)), limit: .ratioAtMost(4)))
        report.add(
            Line(
                what: "the folder at the end, with the ladder", value: Double(last.folderBytes), unit: .bytes,
                more: "\(last.versions) versions", beside: ("without", Double(lastLatest.folderBytes))))
        guard let results = arguments.results else { return }
        try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
        let plot = LadderPlot(ladder: ladder, latest: latest, written: written, documents: Self.world)
        try plot.svg.write(toFile: results + "/ladder.svg", atomically: true, encoding: .utf8)
        report.note("drawn in \(results)/ladder.svg")
    }

    /// Plays so many days. Returns what each left, and what was written in all.
    private func year(_ days: Int, _ retention: Retention) throws -> ([LadderSample], written: Int) {
        let path = fresh("ladder")
        let clock = ManualClock(milliseconds: Self.beginning)
        let options = Options {
            $0.segmentSizeBytes = 4 << 20
            $0.follow(clock)
        }
        let database = try Database.open(at: path, options: options)
        try database.setRetention(retention, of: "actors")
        var random = SystemlessRandom(state: 2026)
        var lengths = [Int](repeating: 0, count: Self.world)
        var written = 0
        func save(_ actors: some Sequence<Int>) throws {
            var batch = Batch()
            for actor in actors {
                let (key, json) = Self.actor(actor, &random)
                try batch.upsert("actors", .string(key), json: json)
                lengths[actor] = key.utf8.count + json.utf8.count
                written += lengths[actor]
            }
            try database.write(batch, persistence: .process)
        }
        for start in stride(from: 0, to: Self.world, by: 1000) { try save(start..<start + 1000) }
        var samples: [LadderSample] = []
        for day in 0..<days {
            clock.milliseconds = Self.beginning + Int64(day) * 86_400_000
            for _ in 0..<Self.savesADay {
                clock.milliseconds += 600_000
                var actors: Set<Int> = []
                while actors.count < Self.changed { actors.insert((day * 300 + Int(random.next() % UInt64(Self.around))) % Self.world) }
                try save(actors.sorted())
                // The simulated year is over before a thread in the background would have begun.
                try database.compactIfDue()
            }
            let statistics = try database.statistics()
            samples.append(
                LadderSample(
                    day: day, folderBytes: size(of: path), liveBytes: lengths.reduce(0, +),
                    versions: Int(statistics.files.reduce(0) { $0 + $1.operations })))
        }
        var documents = 0
        try database.select("actors") { _ in documents += 1 }
        guard documents == Self.world else { throw SystemFailure(message: "\(documents) actors are left of \(Self.world)") }
        try database.close()
        try? FileManager.default.removeItem(atPath: path)
        return (samples, written)
    }

    private static func actor(_ number: Int, _ random: inout SystemlessRandom) -> (key: String, json: String) {
        let (a, b) = (random.next(), random.next())
        let json = """
            {"name":"Actor \(number)","hp":\(a % 1000),"mp":\(a >> 10 % 500),"position":{"x":\(Double(b % 900_000) / 100),"y":\(Double(b >> 20 % 900_000) / 100)},\
            "inventory":[{"item":"sword-\(a >> 20 % 40)","count":\(a >> 33 % 9)},{"item":"potion-\(b >> 11 % 30)","count":\(b >> 50 % 20)}],\
            "quest":"chapter \(a >> 40 % 12)","mood":"\(["calm", "angry", "afraid", "curious"][Int(b >> 7 % 4)])","flags":[true,false,true],"level":\(a >> 55 % 100)}
            """
        return ("actor-\(number)", json)
    }
}

/// SplitMix64: the same year each time.
private struct SystemlessRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
