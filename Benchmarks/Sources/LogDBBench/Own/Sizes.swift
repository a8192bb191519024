//===--- Sizes.swift - bytes on the disk, loading, and SQLite's whole job --===//
//
// Raw bytes are those of keys and documents, nothing else. Stored bytes are those of all files of the closed database.
//===-----------------------------------------------------------------------===//

import LogDB

extension Bench {
    func measureSizes() throws {
        let campaign = campaign
        let raw = Double(campaign.rawBytes)
        let documents = campaign.steps.count { !$0.isDelete }
        report.title("size and loading of \(campaign.count) operations in batches of 1000, sealing included")
        report.note(
            "\(Unit.bytes.format(raw)) of keys and documents, \(campaign.text.count / max(1, documents)) bytes a document, "
                + "\(campaign.live.count) live keys at the end")
        let limits: [Codec: Double] = [.lz4: 0.25, .lz4HC(level: 9): 0.17, .zlib(level: 6): 0.155]
        for (codec, name) in Self.codecs {
            let loaded = try database(codec)
            report.add(
                Line(
                    what: "stored / raw, \(name)", value: Double(loaded.storedBytes) / raw, unit: .share,
                    more: Unit.bytes.format(Double(loaded.storedBytes)), limit: limits[codec].map { .atMost($0) }))
        }
        for (codec, name) in Self.codecs {
            let loaded = try database(codec)
            report.add(
                Line(
                    what: "load and seal, \(name)", value: Double(campaign.count) / loaded.nanoseconds * 1e9, unit: .perSecond,
                    more: Unit.bytes.format(raw / loaded.nanoseconds * 1e9) + "/s"))
        }
    }

    /// The application's own dictionary, filled from the disk: what a game does when it starts.
    func measureSQLite() throws {
        report.title("the whole job beside SQLite: load \(campaign.count) operations, keep them, fill a dictionary")
        let ours = try database(.lz4)
        let theirs = try sqlite()
        let rate = { (loaded: Loaded) in Double(self.campaign.count) / loaded.nanoseconds * 1e9 }
        report.add(
            Line(
                what: "load, batches of 1000 at .process, sealed", value: rate(ours), unit: .perSecond,
                beside: ("SQLite, OFF", rate(theirs))))
        let reader = try Database.open(at: ours.path, options: Options { $0.access = .readOnly })
        let peer = try SQLite(theirs.path, .off)
        let expected = campaign.live.count
        func check(_ count: Int) throws {
            guard count == expected else { throw SystemFailure(message: "a dictionary of \(count) instead of \(expected) keys") }
        }
        let passes = try racePasses(
            [
                Contender("replay") { _ in
                    var dictionary: [String: [UInt8]] = [:]
                    try reader.replay(Campaign.table) { operation in
                        guard case .string(let key) = try operation.key else { return }
                        if operation.isDelete {
                            dictionary[key] = nil
                        } else {
                            dictionary[key] = [UInt8](copying: operation.document)
                        }
                    }
                    try check(dictionary.count)
                },
                Contender("select") { _ in
                    var dictionary: [String: [UInt8]] = [:]
                    try reader.select(Campaign.table) { operation in
                        guard case .string(let key) = try operation.key else { return }
                        dictionary[key] = [UInt8](copying: operation.document)
                    }
                    try check(dictionary.count)
                },
                Contender("sqlite") { _ in
                    var dictionary: [String: [UInt8]] = [:]
                    try peer.forEach { key, document in dictionary[String(copying: key)] = [UInt8](copying: document) }
                    try check(dictionary.count)
                },
            ], passes: calls(5, quick: 3))
        try reader.close()
        report.add(Line(what: "fill a dictionary by replay", value: passes[0], unit: .nanoseconds, beside: ("SQLite, SELECT", passes[2])))
        report.add(Line(what: "fill a dictionary by select", value: passes[1], unit: .nanoseconds, beside: ("SQLite, SELECT", passes[2])))
        report.add(
            Line(
                what: "files, every operation kept", value: Double(ours.storedBytes), unit: .bytes,
                beside: ("SQLite, live rows only", Double(theirs.storedBytes))))
        report.add(
            Line(
                what: "files, every operation kept", value: Double(ours.storedBytes), unit: .bytes,
                beside: ("SQLite with WAL", Double(theirs.peakBytes))))
    }
}
