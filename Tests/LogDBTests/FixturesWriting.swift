//===--- FixturesWriting.swift - makes the golden databases ----------------===//
//
// Runs only where LOGDB_REGENERATE_FIXTURES is set; see Fixtures/regenerate. Identities and times are new each time, so the bytes are, too:
// the tests compare what the fixtures mean. Fixtures of a released format are not made anew but kept; this is for adding some.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["LOGDB_REGENERATE_FIXTURES"] != nil), .serialized)
struct FixturesWriting {
    private static let codecs: [(String, Codec)] = [
        ("none", .none), ("lz4", .lz4), ("lz4hc-9", .lz4HC(level: 9)), ("zlib-6", .zlib(level: 6)),
    ]

    @Test(arguments: codecs.map(\.0)) func `closed, of each codec`(_ name: String) throws {
        let codec = Self.codecs.first { $0.0 == name }!.1
        try make("closed-\(name)") { path in
            var model = FixtureModel(try open(path, codec))
            try fill(&model, round: 1)
            try model.database.seal()
            try fill(&model, round: 2)
            try model.drop("dropped")
            try model.database.seal()
            // The same name, another table.
            try model.upsert("dropped", "reborn", #"{"again":true}"#)
            try fill(&model, round: 3)
            try model.database.seal()
            try fill(&model, round: 4)
            try model.database.close()
            return model
        }
    }

    @Test func `segments of all codecs in one database`() throws {
        try make("codecs") { path in
            var model: FixtureModel?
            for (round, codec) in Self.codecs.map(\.1).enumerated() {
                let database = try open(path, codec)
                if model == nil { model = FixtureModel(database) } else { model!.database = database }
                try fill(&model!, round: round)
                try database.seal()
                if round == 3 { try model!.upsert("actors", "last", "{}") }
                try database.close()
            }
            return model!
        }
    }

    @Test(arguments: codecs.map(\.0)) func `compacted, with each codec`(_ name: String) throws {
        try make("compacted-\(name)") { path in
            var model = FixtureModel(try open(path, Self.codecs.first { $0.0 == name }!.1))
            for round in 1...3 {
                try fill(&model, round: round)
                try model.database.seal()
            }
            try model.compact()
            try fill(&model, round: 4)
            try model.drop("dropped")
            // The base anew, of the base and what came since.
            try model.compact()
            try model.database.close()
            return model
        }
    }

    @Test func `a base, sealed segments behind it, and a raw one`() throws {
        try make("compacted-tail") { path in
            var model = FixtureModel(try open(path, .lz4))
            for round in 1...2 { try fill(&model, round: round) }
            try model.upsert("items", 99, #"{"only":"in the base"}"#)
            try model.upsert("items", 100, #"{"deleted":"in the tail"}"#)
            try model.upsert("items", 101, #"{"deleted":"in the raw segment"}"#)
            try model.compact()
            try fill(&model, round: 3)
            try model.delete("items", 100)
            try model.database.seal()
            try fill(&model, round: 4)
            try model.database.seal()
            try model.delete("items", 101)
            try model.delete("actors", "goblin-3")
            try model.upsert("actors", "goblin-4", #"{"in":"the raw segment"}"#)
            try model.database.close()
            return model
        }
    }

    @Test func `the last table dropped, and cleared away`() throws {
        try make("compacted-dropped") { path in
            var model = FixtureModel(try open(path, .lz4))
            try fill(&model, round: 1)
            try model.upsert("the last one", "key", "{}")
            try model.compact()
            try model.drop("the last one")
            try model.compact()
            try model.database.close()
            return model
        }
    }

    @Test func `several versions of a key, beside the base`() throws {
        var atSavepoint: [UInt8] = []
        try make("history") { path in
            var model = FixtureModel(try open(path, .lz4))
            try fill(&model, round: 1)
            for (table, retention) in [("actors", Retention.all), ("items", .versions(2))] {
                try model.database.setRetention(retention, of: table)
                model.skip()
            }
            try fill(&model, round: 2)
            try model.compact()
            try model.database.savepoint("before the third round")
            model.skip()
            atSavepoint = model.expectedDump
            try fill(&model, round: 3)
            try model.drop("Schlüssel 🔑")
            try fill(&model, round: 4)
            try model.compact()
            try fill(&model, round: 5)
            try model.database.close()
            return model
        }
        try save(atSavepoint, .savepoint, in: Fixture(name: "history").folder)
    }

    @Test func `a base segment of several blocks, one of them large`() throws {
        try make("compacted-large", packed: true) { path in
            var model = FixtureModel(
                try Database.open(
                    at: path,
                    options: Options {
                        $0.segmentSizeBytes = 8 << 20
                        $0.compaction = .manual
                        // A block of the base is a sixteenth of it.
                        $0.memoryBudgetBytes = 4 << 20
                    }))
            try fillMaps(&model)
            try bulk(&model, "tiles", 0..<4000, "first")
            try model.compact()
            try model.database.close()
            return model
        }
    }

    @Test func `a compaction that was given up, and gone on`() throws {
        try make("compacting", packed: true) { path in
            var model = try prepareCompaction(path)
            try model.interruptCompaction({ try isWellUnderWay(path) }, manifest: { try FixtureFrames.manifest(in: path) })
            try fill(&model, round: 5)
            try model.database.seal()
            try model.delete("tiles", 2)
            try model.upsert("tiles", 3, #"{"written":"later"}"#)
            try model.database.close()
            return model
        }
    }

    @Test func `killed in the middle of a compaction`() throws {
        try make("compacting-killed", packed: true) { path in
            try withFixtureFolder { folder in
                var model = try prepareCompaction(folder + "/db")
                let transaction = try model.database.begin()
                try transaction.upsert("actors", "goblin-1", json: #"{"never":"committed"}"#)
                model.skip()
                // Pinned by the transaction: these stay raw.
                try fill(&model, round: 5)
                try model.database.flush(to: .disk)
                try model.interruptCompaction(
                    {
                        guard try isWellUnderWay(folder + "/db") else { return false }
                        try FileManager.default.copyItem(atPath: folder + "/db", toPath: path)
                        return true
                    }, manifest: { try FixtureFrames.manifest(in: path) })
                transaction.rollback()
                try model.database.close()
                return model
            }
        }
    }

    /// A base of several segments, and a tail that changes some of each.
    private func prepareCompaction(_ path: String) throws -> FixtureModel {
        var model = FixtureModel(try open(path, .lz4))
        try fill(&model, round: 1)
        try bulk(&model, "tiles", 0..<4000, "first")
        try bulk(&model, "walls", 0..<600, "first")
        try model.compact()
        try fill(&model, round: 2)
        try bulk(&model, "tiles", stride(from: 0, to: 5000, by: 3), "second")
        for number in stride(from: 1, to: 4000, by: 25) { try model.delete("tiles", .integer(Int64(number))) }
        try model.drop("walls")
        try bulk(&model, "walls", 590..<610, "second")
        try model.database.seal()
        return model
    }

    /// Whether a compaction has switched in a segment of a second generation, and not the last one.
    private func isWellUnderWay(_ path: String) throws -> Bool { try FixtureFrames.manifest(in: path).base.contains { $0.generation == 2 } }

    private func bulk(_ model: inout FixtureModel, _ table: String, _ numbers: some Sequence<Int>, _ round: String) throws {
        for number in numbers {
            try model.upsert(
                table, .integer(Int64(number)), #"{"tile":\#(number),"kind":"grass","by":"goblin-\#(number % 16)","round":"\#(round)"}"#)
        }
    }

    @Test func `killed`() throws {
        try make("killed") { path in
            try withFixtureFolder { folder in
                var model = FixtureModel(try open(folder + "/db", .lz4))
                for round in 1...3 { try fill(&model, round: round) }
                try model.database.seal()
                try fill(&model, round: 4)
                try model.database.flush(to: .disk)
                // As a killed process leaves it: the writer is still there, but does nothing.
                try FileManager.default.copyItem(atPath: folder + "/db", toPath: path)
                return model
            }
        }
    }

    @Test func `killed, with a ring`() throws {
        try make("killed-ring") { path in
            try withFixtureFolder { folder in
                let options = Options {
                    $0.appender = .sharedTail
                    $0.ringBytes = 8 << 10
                    $0.drainsInBackground = false
                    $0.segmentSizeBytes = 64 << 10
                    $0.persistence = .process
                    $0.compaction = .manual
                }
                var model = FixtureModel(try Database.open(at: folder + "/db", options: options))
                // Round the ring, then some that are nowhere else.
                for round in 1...3 { try fill(&model, round: round) }
                try model.database.flush(to: .disk)
                for number in 0..<40 { try model.upsert("ring", .integer(Int64(number)), #"{"only":"in the ring"}"#) }
                #expect(try FileManager.default.attributesOfItem(atPath: folder + "/db/RING")[.size] as? Int == 12 << 10)
                try FileManager.default.copyItem(atPath: folder + "/db", toPath: path)
                return model
            }
        }
    }

    @Test func `torn`() throws { try make("torn") { try makeTorn($0) } }

    @Test func `recovered, with a torn manifest, and gone on`() throws {
        try make("recovered") { path in
            var model = try makeTorn(path)
            let manifest = URL(fileURLWithPath: path + "/MANIFEST-000001")
            var bytes = [UInt8](try Data(contentsOf: manifest))
            // Over the mark, as the first sector of an edit would be.
            let end = try #require(FixtureFrames.offsets(in: bytes).last)
            for index in 0..<40 { bytes[end + index] = UInt8(truncatingIfNeeded: index &* 37 | 1) }
            try Data(bytes).write(to: manifest)
            model.database = try open(path, .lz4)
            #expect(model.database.recovery.tornBytes > 0)
            try fill(&model, round: 5)
            try model.database.close()
            return model
        }
    }

    /// A hole where a frame that nobody had been promised did not reach the disk, with frames behind it that did.
    private func makeTorn(_ path: String) throws -> FixtureModel {
        try withFixtureFolder { folder in
            var model = FixtureModel(try open(folder + "/db", .lz4))
            try fill(&model, round: 1)
            try model.database.seal()
            try fill(&model, round: 2)
            try model.database.flush(to: .disk)
            for number in 1...3 { try model.upsert("actors", "kept", #"{"number":\#(number)}"#) }
            let lost = model.nextSequence
            for number in 1...3 { try model.upsert("actors", "kept", #"{"lost":\#(number)}"#) }
            try FileManager.default.copyItem(atPath: folder + "/db", toPath: path)
            let file = URL(fileURLWithPath: path + "/000002.log")
            var bytes = [UInt8](try Data(contentsOf: file))
            let frames = FixtureFrames.offsets(in: bytes)
            bytes[frames[frames.count - 4] + 50] ^= 1
            try Data(bytes).write(to: file)
            model.cut(from: lost)
            return model
        }
    }

    @Test func `a document larger than a block, and the longest key`() throws {
        try make("large-document", packed: true) { path in
            var model = FixtureModel(try open(path, .lz4))
            try fillMaps(&model)
            try model.database.seal()
            try model.upsert("maps", "small", #"{"tiles":[2]}"#)
            try model.database.close()
            return model
        }
    }

    private func fillMaps(_ model: inout FixtureModel) throws {
        try model.upsert("maps", "small", #"{"tiles":[]}"#)
        let row = (0..<64).map { String($0 % 10) }.joined(separator: ",")
        try model.upsert("maps", "large", "{\"rows\":[" + Array(repeating: "[\(row)]", count: 8700).joined(separator: ",\n") + "]}")
        try model.upsert("maps", .string(String(repeating: "長", count: 21_845)), #"{"key":"of 65,535 bytes"}"#)
        try model.upsert("maps", "another", #"{"tiles":[1]}"#)
    }

    @Test func `made by hand`() throws {
        try write(try HandmadeDatabase.holed(), dump: HandmadeDatabase.holedDump, "handmade")
        try write(try HandmadeDatabase.transactional(), dump: HandmadeDatabase.transactionsDump, "transactions")
    }

    private func write(_ database: HandmadeDatabase, dump: [UInt8], _ name: String) throws {
        let folder = try freshFolder(name)
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("db"), withIntermediateDirectories: false)
        for (file, bytes) in database.files { try Data(bytes).write(to: folder.appendingPathComponent("db/\(file)")) }
        try save(dump, .dump, in: folder)
        try save(database.operations, .operations, in: folder)
    }

    // MARK: - What they hold

    private func open(_ path: String, _ codec: Codec) throws -> Database {
        try Database.open(
            at: path,
            options: Options {
                $0.codec = codec
                $0.segmentSizeBytes = 64 << 10
                $0.compaction = .manual
            })
    }

    /// Some of everything.
    private func fill(_ model: inout FixtureModel, round: Int) throws {
        for number in 0..<12 {
            let name = "goblin-\((round * 7 + number * 5) % 16)"
            let place = #"{"map":"cave","x":\#(number),"y":\#(round)}"#
            try model.upsert("actors", .string(name), #"{"name":"\#(name)","hp":\#(number * round),"at":\#(place)}"#)
        }
        try model.batch([
            ("actors", "goblin-1", nil), ("items", 7, #"{"of":"the batch"}"#), ("items", .integer(.min), #"{"least":true}"#),
            ("items", .integer(.max), #"{"greatest":true}"#), ("items", -7, "{}"), ("actors", "goblin-2", #"{"round":\#(round)}"#),
        ])
        try model.upsert("items", 7, #"{"round":\#(round),"exact":123456789012345678901234567890.10e-400}"#)
        try model.upsert("items", "7", #"{"a string":"7"}"#)
        try model.upsert("Schlüssel 🔑", "ß–日本語-🗝️", #"{"text":"Grüße, 世界 🌍","escaped":"\u00e9\n\"\\"}"#)
        try model.upsert("Schlüssel 🔑", "e\u{301}", #"{"round":\#(round)}"#)
        try model.upsert("Schlüssel 🔑", "\u{e9}", "{ \"over\" :\n\t[ 1,\r\n 2 ] }")
        try model.upsert("Schlüssel 🔑", "\"\\/\u{0}\u{8}\u{c}\n\r\t\u{1f}\u{7f}\u{2028}", #"{"key":"of escapes"}"#)
        try model.upsert("Schlüssel 🔑", "", #"{"key":"empty"}"#)
        if round < 3 { try model.upsert("dropped", .integer(Int64(round)), #"{"gone":"with its table"}"#) }
        try model.delete("items", round % 2 == 0 ? -7 : 7)
        try model.delete("items", "never there")
        try model.delete("only deletes", "never there")
    }

    // MARK: - Saving

    private func freshFolder(_ name: String) throws -> URL {
        let folder = Fixture(name: name).folder
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func make(_ name: String, packed: Bool = false, _ body: (String) throws -> FixtureModel) throws {
        let folder = try freshFolder(name)
        let path = folder.appendingPathComponent("db").path
        let model = try body(path)
        var times: [UInt64: Int64] = [:]
        let database = try Database.openFixture(path)
        try database.replay { times[$0.sequenceNumber] = $0.milliseconds }
        try database.close()
        try save(model.expectedDump, .dump, in: folder, packed: packed)
        try save(try model.expectedOperations(times: times), .operations, in: folder, packed: packed)
    }

    private func save(_ lines: [UInt8], _ expectation: Fixture.Expectation, in folder: URL, packed: Bool = false) throws {
        let file = folder.appendingPathComponent(expectation.rawValue)
        guard packed else { return try Data(lines).write(to: file) }
        var output = ByteBuffer()
        try BlockCodec.zlib(level: 9).makeCompressor().compress(lines.span, into: &output)
        try Data(Array(output.span)).write(to: file.appendingPathExtension("gz"))
    }
}
