//===--- Reading.swift - the whole log and single documents ----------------===//
//
// From warm files: what is measured is this library and the processor, not the disk. All answers are checked against what was
// written, outside of the time taken where that is not part of the job.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

extension Bench {
    func measureReplay() throws {
        report.title("replay of \(campaign.count) sealed operations, warm, to an empty closure")
        let loaded = try Self.codecs.map { try database($0.codec) }
        let readers = try loaded.map { try Database.open(at: $0.path, options: Options { $0.access = .readOnly }) }
        let expected = campaign.count
        let passes = try racePasses(
            readers.map { reader in
                Contender("") { _ in
                    var count = 0
                    try reader.replay { _ in count += 1 }
                    guard count == expected else { throw SystemFailure(message: "replay gave \(count) of \(expected) operations") }
                }
            }, passes: calls(7, quick: 3))
        for (index, codec) in Self.codecs.enumerated() {
            let rate = Double(expected) / passes[index] * 1e9
            report.add(Line(what: "replay, \(codec.name)", value: rate, unit: .perSecond, limit: codec.codec == .lz4 ? .atLeast(3e6) : nil))
        }
        for reader in readers { try reader.close() }
        for (index, codec) in Self.codecs.enumerated() {
            let words = try Child.start(["replay", loaded[index].path]).split(separator: " ")
            guard words.count == 2, let grown = Double(words[0]), Int(words[1]) == expected else {
                throw SystemFailure(message: "the replaying process said \(words)")
            }
            report.add(
                Line(what: "peak memory growth of a replay, \(codec.name)", value: grown, unit: .bytes, limit: .atMost(64 * 1_048_576)))
        }
    }

    func measureOpening() throws {
        report.title("opening for writing")
        let clean = try database(.lz4).path
        let passes = calls(30, quick: 5)
        var samples = Samples()
        for _ in 0..<passes {
            var database: Database?
            samples.add(UInt64(try time { database = try Database.open(at: clean) }))
            try database?.close()
        }
        report.add(line("open after close, \(campaign.count) operations sealed", samples, nil))

        let killed = fresh("killed")
        _ = try? Child.start(["fill", killed])
        var recoveries = Samples()
        for number in 0..<calls(9, quick: 3) {
            let copy = fresh("killed-\(number)")
            try FileManager.default.copyItem(atPath: killed, toPath: copy)
            var database: Database?
            recoveries.add(UInt64(try time { database = try Database.open(at: copy) }))
            guard let report = database?.recovery, !report.wasClosed, report.lastSequenceNumber > 0 else {
                throw SystemFailure(message: "the killed writer left nothing to recover")
            }
            try database?.close()
            try FileManager.default.removeItem(atPath: copy)
        }
        report.add(line("open after a kill, active 32 MiB segment full", recoveries, nil))
    }

    func measureGets() throws {
        report.title("get of one key out of \(campaign.live.count), warm")
        let calls = calls(2000, quick: 300)
        let campaign = campaign
        let alive = campaign.live.keys.sorted()
        var random = SplitMix64(seed: 11)
        let uniform = (0..<(calls + 200)).map { _ in alive[random.below(alive.count)] }
        let recent = (0..<(calls + 200)).map { _ in campaign.steps[campaign.count - 1 - random.below(2000)].actor }
        let peer = try SQLite(try sqlite().path, .off)

        func check(_ document: [UInt8]?, _ actor: Int) throws {
            let expected = campaign.live[actor].map { campaign.text[campaign.steps[$0].document] }
            guard document.map({ $0[...] }) == expected else {
                throw SystemFailure(message: "get of actor \(actor) gave the wrong document")
            }
        }
        for (codec, name) in Self.codecs.dropLast() {
            let path = try database(codec).path
            var first = Samples()
            for number in 0..<5 {
                let reader = try Database.open(at: path, options: Options { $0.access = .readOnly })
                first.add(
                    UInt64(try time { try check(try reader.document(Campaign.table, campaign.keys[uniform[number]]), uniform[number]) }))
                try reader.close()
            }
            let reader = try Database.open(at: path, options: Options { $0.access = .readOnly })
            let results = try race(
                [
                    Contender("get") { try check(try reader.document(Campaign.table, campaign.keys[uniform[$0]]), uniform[$0]) },
                    Contender("recent") { try check(try reader.document(Campaign.table, campaign.keys[recent[$0]]), recent[$0]) },
                    Contender("sqlite") { try check(try peer.get(self.text(campaign.keys[uniform[$0]])), uniform[$0]) },
                ], calls: calls, turn: 50, warmUp: 200)
            try reader.close()
            report.add(line("first get after opening, \(name)", first, nil))
            report.add(line("get of any live key, \(name)", results[0], ("SQLite", results[2].median)))
            report.add(line("get of a key changed lately, \(name)", results[1], ("SQLite", results[2].median)))
        }
        try measureUnsealedGets(calls)
    }

    /// The last part of the log, not sealed yet.
    private func measureUnsealedGets(_ calls: Int) throws {
        let path = fresh("unsealed")
        let writer = try Database.open(at: path)
        let steps = max(0, campaign.count - 80_000)..<campaign.count
        try load(into: writer, steps: steps)
        try writer.close()
        // For reading only: a writer would seal it behind our back.
        let reader = try Database.open(at: path, options: Options { $0.access = .readOnly })
        var random = SplitMix64(seed: 12)
        var samples = Samples()
        var first = 0.0
        for number in 0..<calls {
            let key = campaign.keys[campaign.steps[steps.lowerBound + random.below(steps.count)].actor]
            let duration = try time { _ = try reader.document(Campaign.table, key) }
            if number == 0 { first = duration } else { samples.add(UInt64(duration)) }
        }
        try reader.close()
        report.add(Line(what: "first get, \(steps.count) operations not sealed", value: first, unit: .nanoseconds))
        report.add(line("get of a key not sealed", samples, nil))
    }

    func measureSelect() throws {
        report.title("select of all \(campaign.live.count) live documents, warm, in order of keys")
        let reader = try Database.open(at: try database(.lz4).path, options: Options { $0.access = .readOnly })
        let peer = try SQLite(try sqlite().path, .off)
        let expected = campaign.live.count
        func check(_ count: Int) throws {
            guard count == expected else { throw SystemFailure(message: "select gave \(count) of \(expected) documents") }
        }
        let passes = try racePasses(
            [
                Contender("select") { _ in
                    var count = 0
                    try reader.select(Campaign.table) { _ in count += 1 }
                    try check(count)
                },
                Contender("sqlite") { _ in
                    var count = 0
                    try peer.forEach { (_, _) in count += 1 }
                    try check(count)
                },
            ], passes: calls(5, quick: 3))
        try reader.close()
        report.add(Line(what: "select, lz4", value: passes[0], unit: .nanoseconds, beside: ("SQLite", passes[1])))
    }
}
