//===--- SalvageBaseTests.swift - accidents to a compacted database ---------===//

import LogDB
import Testing

@Suite struct SalvageBaseTests {
    /// Numbers up to this one are compacted.
    private struct Compacted {
        var scene: SalvageScene
        var through: SequenceNumber = 0

        /// Whether an operation was in this file of the base, or left out of it for a newer one that is in it.
        func wasIn(_ file: String) throws -> (SalvageScene.Written) -> Bool {
            // In key order, file by file; the first of all is the table's entry in the catalog.
            let keys: [Key?] = [nil] + Set(scene.written.filter { $0.sequence <= through }.map(\.key)).sorted()
            let before = scene.bases.filter { $0 < file }.reduce(0) { $0 + Int(scene.counts[$1] ?? 0) }
            let own = Set(keys[before..<before + Int(try #require(scene.counts[file]))])
            return { $0.sequence <= through && own.contains($0.key) }
        }
    }

    private func compacted(_ codec: Codec = .lz4) throws -> Compacted {
        var through: SequenceNumber = 0
        let scene = try SalvageScene(small(codec)) { scene, db in
            for number in 0..<100 { try scene.put(db, "docs", .integer(Int64(number * 37 % 80)), 5000) }
            try db.compact()
            through = try db.statistics().compactedSequenceNumber
            for number in 0..<8 { try scene.put(db, "docs", .integer(Int64(number * 10)), 5000) }
            try scene.remove(db, "docs", 1)
            try db.seal()
            for number in 0..<4 { try scene.put(db, "docs", .integer(Int64(number * 10)), 300) }
        }
        try #require(scene.bases.count >= 3 && scene.sealed.count == 1 && scene.raw.count == 1, "\(scene.files)")
        return Compacted(scene: scene, through: through)
    }

    private static let codecs: [Codec] = [.none, .lz4, .lz4HC(level: 9), .zlib(level: 6)]

    @Test(arguments: codecs)
    func `a compacted database without damage loses nothing`(_ codec: Codec) throws {
        let report = try compacted(codec).scene.salvage()
        #expect(report.isComplete && report.findings.isEmpty && report.remarks.isEmpty, "\(SalvageScene.lines(report))")
    }

    @Test func `without its manifest everything is there`() throws {
        let scene = try compacted().scene
        try scene.delete(scene.manifest)
        let report = try scene.salvage()
        #expect(report.lost.isEmpty && !report.isComplete, "\(SalvageScene.lines(report))")
    }

    @Test(arguments: [false, true])
    func `a missing file of the base is a loss of its documents and no others`(_ hasManifest: Bool) throws {
        let one = try compacted()
        let scene = one.scene
        let file = scene.bases[1]
        let wasIn = try one.wasIn(file)
        let manifest = scene.manifest
        try scene.delete(file)
        if !hasManifest { try scene.delete(manifest) }
        let report = try scene.salvage(without: wasIn)
        #expect(!report.isComplete)
        guard hasManifest else { return #expect(report.uncertain.contains { $0.reason.contains("from the base") }) }
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        let finding = report.lost[0]
        #expect(finding.file == file && finding.operations == scene.counts[file] && finding.tables == ["docs"])
        #expect(finding.numbers.map { $0.upperBound <= one.through } == true)
    }

    @Test(arguments: codecs)
    func `a flipped byte in the base is a loss of its block`(_ codec: Codec) throws {
        let one = try compacted(codec)
        let scene = one.scene
        let file = scene.bases[1]
        let offset = scene.bytes(file).count / 2
        scene.flip(offset, of: file)
        let report = try scene.salvage(without: try one.wasIn(file))
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        let finding = report.lost[0]
        #expect(finding.file == file && finding.operations == scene.counts[file] && finding.tables == ["docs"])
        #expect(finding.bytes?.contains(UInt64(offset)) == true && finding.numbers != nil)
    }

    @Test func `where the log behind a base is missing the documents of the base stand`() throws {
        let one = try compacted()
        let scene = one.scene
        let (sealed, raw) = (scene.sealed[0], scene.raw[0])
        for file in [sealed, raw] { try scene.delete(file) }
        let report = try scene.salvage { $0.sequence > one.through }
        #expect(report.lost.map(\.file) == [sealed, raw], "\(SalvageScene.lines(report))")
        #expect(report.lost.first?.numbers == scene.numbers[sealed])
    }

    @Test func `base and log may both be hurt, and the catalog with them`() throws {
        let one = try compacted()
        let scene = one.scene
        let (base, sealed) = (scene.bases[0], scene.sealed[0])
        let wasIn = try one.wasIn(base)
        let numbers = try #require(scene.numbers[sealed])
        try scene.delete(base)
        scene.flip(scene.bytes(sealed).count / 2, of: sealed)
        let expected = scene.expected { wasIn($0) || numbers.contains($0.sequence) }
        let report = try scene.salvage(expecting: ["salvaged-table-1": try #require(expected["docs"])])
        #expect(Set(report.lost.map(\.file)) == [base, sealed], "\(SalvageScene.lines(report))")
        #expect(report.tables.map(\.isNamedBySalvage) == [true])
    }

    @Test func `a base alone gives its documents`() throws {
        let one = try compacted()
        let scene = one.scene
        for file in scene.files where !scene.bases.contains(file) { try scene.delete(file) }
        let report = try scene.salvage { $0.sequence > one.through }
        #expect(report.lost.isEmpty && report.uncertain.contains { $0.file == "MANIFEST" }, "\(SalvageScene.lines(report))")
    }
}
