//===--- SalvageLogTests.swift - accidents to the log and the manifest ------===//

import LogDB
import Testing

@Suite struct SalvageLogTests {
    /// Four sealed segments of two tables, and a raw one of ten small operations.
    private func scene(_ codec: Codec = .lz4) throws -> SalvageScene {
        let scene = try SalvageScene(small(codec)) { scene, db in
            for number in 0..<60 {
                let key: Key = number % 4 == 0 ? .integer(Int64(number % 24)) : .string("key \(number % 23)")
                try scene.put(db, number % 3 == 0 ? "rooms" : "actors", key, 4000)
                if number % 10 == 9 { try scene.remove(db, "actors", key) }
            }
            try db.seal()
            for number in 0..<10 { try scene.put(db, "actors", .string("key \(number)"), 300, .disk) }
        }
        try #require(scene.sealed.count >= 4 && scene.raw.count == 1, "\(scene.files)")
        return scene
    }

    private static let codecs: [Codec] = [.none, .lz4, .lz4HC(level: 9), .zlib(level: 6)]

    @Test(arguments: codecs)
    func `of an undamaged database nothing is lost, not even the order`(_ codec: Codec) throws {
        let scene = try scene(codec)
        let report = try scene.salvage()
        #expect(report.findings.isEmpty && report.remarks.isEmpty && report.isComplete, "\(SalvageScene.lines(report))")
        #expect(report.operations == UInt64(scene.written.count))
        #expect(report.files == scene.files.count { $0 != "LOCK" && $0 != "READERS" })
        let db = try Database.open(at: scene.new)
        var count = 0
        try db.replay { operation in
            guard operation.table != "written later" else { return }
            let one = scene.written[count]
            let key = try operation.key
            let (table, document) = (operation.table, operation.isDelete ? nil : text(operation.document))
            #expect(table == one.table && key == one.key && document == one.document)
            count += 1
        }
        #expect(count == scene.written.count)
        try db.close()
    }

    // That they are in the ring only is what the fixture `killed-ring` proves.
    @Test(arguments: [false, true])
    func `what a killed writer had in the ring only is recovered`(_ isWithoutManifest: Bool) throws {
        var options = small()
        options.appender = .sharedTail
        options.ringBytes = 32 << 10
        options.drainsInBackground = false
        let scene = try SalvageScene(options, isKilled: true) { scene, db in
            for number in 0..<20 { try scene.put(db, "actors", .integer(Int64(number)), 3000) }
            try db.flush(to: .disk)
            for number in 0..<5 { try scene.put(db, "actors", .integer(Int64(number)), 300) }
        }
        if isWithoutManifest { try scene.delete(scene.manifest) }
        let report = try scene.salvage()
        #expect(report.lost.isEmpty, "\(SalvageScene.lines(report))")
        #expect(report.operations == UInt64(scene.written.count))
    }

    @Test func `without its manifest everything is there, and that more may be missing is said`() throws {
        let scene = try scene()
        try scene.delete(scene.manifest)
        let report = try scene.salvage()
        #expect(report.lost.isEmpty && report.uncertain.map(\.file) == ["MANIFEST"], "\(SalvageScene.lines(report))")
        #expect(!report.isComplete)
    }

    @Test(arguments: [0.0, 0.1, 0.4, 0.7, 0.95])
    func `a flipped byte in the manifest takes no document along`(_ place: Double) throws {
        let scene = try scene()
        // Behind the edits the file is reserved, and zeros.
        let written = try #require(scene.bytes(scene.manifest).lastIndex { $0 != 0 })
        let offset = Int(Double(written) * place)
        scene.flip(offset, of: scene.manifest)
        let report = try scene.salvage()
        #expect(report.lost.isEmpty, "\(SalvageScene.lines(report))")
        #expect(report.findings.contains { $0.file == scene.manifest }, "\(offset): \(SalvageScene.lines(report))")
    }

    @Test(arguments: [0, 30, 400])
    func `a manifest that was cut off takes no document along`(_ length: Int) throws {
        let scene = try scene()
        scene.truncate(scene.manifest, to: length)
        let report = try scene.salvage()
        #expect(report.lost.isEmpty && !report.isComplete, "\(SalvageScene.lines(report))")
    }

    @Test(arguments: [false, true])
    func `a missing segment in the middle is a loss of its operations and no others`(_ hasManifest: Bool) throws {
        let scene = try scene()
        let file = scene.sealed[1]
        let lost = try #require(scene.numbers[file])
        if !hasManifest { try scene.delete(scene.manifest) }
        try scene.delete(file)
        let report = try scene.salvage { lost.contains($0.sequence) }
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        #expect(report.lost[0].numbers == lost)
        #expect(report.lost[0].operations == UInt64(lost.count))
        if hasManifest {
            #expect(report.lost[0].file == file)
        } else {
            // Its name is nowhere; that of the one behind is.
            #expect(report.lost[0].reason.contains(scene.files.filter { $0.contains(".seg.") }[1]))
        }
    }

    @Test(arguments: codecs)
    func `a flipped byte in a sealed segment is a loss of its block`(_ codec: Codec) throws {
        let scene = try scene(codec)
        let file = scene.sealed[2]
        let lost = try #require(scene.numbers[file])
        let offset = scene.bytes(file).count / 2
        scene.flip(offset, of: file)
        let report = try scene.salvage { lost.contains($0.sequence) }
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        let finding = report.lost[0]
        #expect(finding.file == file && finding.numbers == lost && finding.operations == UInt64(lost.count))
        #expect(finding.bytes?.contains(UInt64(offset)) == true)
        #expect(finding.tables == ["actors", "rooms"])
    }

    @Test(arguments: [Codec.lz4, .zlib(level: 1)], [false, true])
    func `of a segment of many blocks only the bad one is lost`(_ codec: Codec, _ hasIndex: Bool) throws {
        var options = small(codec)
        options.segmentSizeBytes = 8 << 20
        let scene = try SalvageScene(options) { scene, db in
            for number in 0..<90 { try scene.put(db, "t", .integer(Int64(number % 70)), 60_000) }
            try db.seal()
        }
        let file = try #require(scene.sealed.first)
        let size = scene.bytes(file).count
        scene.flip(size / 2, of: file)
        if !hasIndex { scene.flip(size - 200, of: file) }
        let looked = try Database.salvage(at: scene.old, into: scene.folder("looked at"))
        try #require(looked.lost.count == 1, "\(SalvageScene.lines(looked))")
        let finding = looked.lost[0]
        #expect(finding.bytes?.contains(UInt64(size / 2)) == true && finding.bytes!.count < size / 3)
        let lost = try #require(finding.numbers)
        #expect((10..<30).contains(lost.count) && finding.operations == UInt64(lost.count))
        #expect(looked.findings.count == (hasIndex ? 1 : 2))
        let report = try scene.salvage { lost.contains($0.sequence) }
        #expect(report.findings == looked.findings)
    }

    @Test func `a flipped byte in a raw segment is a loss of its frame`() throws {
        let scene = try scene()
        let one = scene.written[scene.written.count - 5]
        let (file, offset) = try scene.place(of: one)
        scene.flip(offset + 100, of: file)
        let report = try scene.salvage { $0.sequence == one.sequence }
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        let finding = report.lost[0]
        #expect(finding.file == file && finding.numbers == one.sequence...one.sequence && finding.operations == 1)
        #expect(finding.bytes?.contains(UInt64(offset + 100)) == true)
    }

    @Test func `a raw segment without its header is still read`() throws {
        let scene = try scene()
        let file = scene.raw[0]
        var bytes = scene.bytes(file)
        for index in 0..<64 { bytes[index] = 0 }
        scene.write(bytes, to: file)
        let report = try scene.salvage()
        #expect(report.isComplete && report.findings.map(\.file) == [file], "\(SalvageScene.lines(report))")
    }

    @Test func `a raw segment that was cut off is a loss from there on`() throws {
        let scene = try scene()
        let one = scene.written[scene.written.count - 4]
        let (file, offset) = try scene.place(of: one)
        scene.truncate(file, to: offset + 10)
        let report = try scene.salvage { $0.sequence >= one.sequence }
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        #expect(report.lost[0].file == file && report.lost[0].numbers == one.sequence...scene.written.last!.sequence)
        #expect(report.lost[0].bytes?.upperBound ?? 0 > UInt64(offset))
    }

    @Test(arguments: codecs)
    func `a sealed segment that was cut in half is a loss of what is behind`(_ codec: Codec) throws {
        let scene = try scene(codec)
        let file = scene.sealed[1]
        let lost = try #require(scene.numbers[file])
        scene.truncate(file, to: scene.bytes(file).count / 2)
        let report = try scene.salvage { lost.contains($0.sequence) }
        try #require(report.lost.count == 1, "\(SalvageScene.lines(report))")
        #expect(report.lost[0].file == file && report.lost[0].numbers == lost)
    }

    @Test(arguments: codecs)
    func `a sealed segment without its last bytes loses nothing`(_ codec: Codec) throws {
        let scene = try scene(codec)
        let file = scene.sealed[1]
        scene.truncate(file, to: scene.bytes(file).count - 5)
        let report = try scene.salvage()
        #expect(report.isComplete && report.findings.map(\.file) == [file], "\(SalvageScene.lines(report))")
    }

    @Test(arguments: codecs, [0, 2])
    func `a single sealed file gives what is in it`(_ codec: Codec, _ index: Int) throws {
        let scene = try scene(codec)
        let kept = scene.sealed[index]
        let numbers = try #require(scene.numbers[kept])
        for file in scene.files where file != kept { try scene.delete(file) }
        // The catalog is in the first; table 1 was made for the first document.
        let names = index == 0 ? ["rooms": "rooms", "actors": "actors"] : ["rooms": "salvaged-table-1", "actors": "salvaged-table-2"]
        var expected: [String: [Key: String]] = [:]
        for (table, documents) in scene.expected(without: { !numbers.contains($0.sequence) }) { expected[names[table]!] = documents }
        let report = try scene.salvage(expecting: expected)
        #expect(!report.isComplete && report.uncertain.contains { $0.file == "MANIFEST" })
        #expect(report.tables.allSatisfy { $0.isNamedBySalvage == (index > 0) })
        if index > 0 {
            #expect(report.lost.map(\.numbers) == [1...numbers.lowerBound - 1], "\(SalvageScene.lines(report))")
            #expect(report.uncertain.filter { $0.tables.first?.hasPrefix("salvaged-table-") == true }.count == 2)
        }
    }

    @Test func `two segments that changed names are read as what they are`() throws {
        let scene = try scene()
        let (a, b) = (scene.sealed[1], scene.sealed[2])
        let (first, second) = (scene.bytes(a), scene.bytes(b))
        scene.write(second, to: a)
        scene.write(first, to: b)
        let report = try scene.salvage()
        #expect(report.isComplete, "\(SalvageScene.lines(report))")
    }

    // MARK: - Killed

    private func killed() throws -> SalvageScene {
        try SalvageScene(isKilled: true) { scene, db in
            for number in 0..<6 { try scene.put(db, "t", .integer(Int64(number)), 500, .disk) }
            for number in 6..<9 { try scene.put(db, "t", .integer(Int64(number)), 500, .process) }
        }
    }

    @Test func `a tail that nobody was promised is cut off as recovery does, and is no loss`() throws {
        let scene = try killed()
        let one = scene.written[7]
        let (file, offset) = try scene.place(of: one)
        scene.flip(offset + 20, of: file)
        let report = try scene.salvage { $0.sequence >= one.sequence }
        #expect(report.isComplete && report.findings.isEmpty && !report.remarks.isEmpty, "\(SalvageScene.lines(report))")
    }

    @Test func `damage to what was promised is a loss, and what is behind it is recovered`() throws {
        let scene = try killed()
        let one = scene.written[3]
        let (file, offset) = try scene.place(of: one)
        scene.flip(offset + 20, of: file)
        let report = try scene.salvage { $0.sequence == one.sequence }
        #expect(report.lost.map(\.numbers) == [one.sequence...one.sequence], "\(SalvageScene.lines(report))")
    }

    // MARK: - Tables

    @Test(arguments: [false, true])
    func `what was in a dropped table stays away`(_ hasManifest: Bool) throws {
        let scene = try SalvageScene { scene, db in
            for number in 0..<10 { try scene.put(db, "gone", .integer(Int64(number))) }
            for number in 0..<10 { try scene.put(db, "kept", .integer(Int64(number))) }
            try db.seal()
            try scene.drop(db, "gone")
            try scene.put(db, "gone", 3)
            try scene.put(db, "dropped too", 3)
            try scene.drop(db, "dropped too")
        }
        if !hasManifest { try scene.delete(scene.manifest) }
        let report = try scene.salvage()
        #expect(report.isComplete == hasManifest, "\(SalvageScene.lines(report))")
        #expect(report.tables.map(\.name) == ["gone", "kept"])
    }

    @Test func `of a table whose drop is lost the documents come back, under a name of their own`() throws {
        var dropped: [String: [Key: String]] = [:]
        let scene = try SalvageScene { scene, db in
            for number in 0..<10 { try scene.put(db, "gone", .integer(Int64(number))) }
            dropped = scene.expected()
            try db.seal()
            try scene.drop(db, "gone")
            try db.seal()
            for number in 5..<8 { try scene.put(db, "gone", .integer(Int64(number))) }
            try db.seal()
        }
        try scene.delete(scene.sealed[1])
        var expected = scene.expected()
        expected["salvaged-table-1"] = dropped["gone"]
        let report = try scene.salvage(expecting: expected)
        #expect(report.lost.count == 1 && report.uncertain.map(\.tables) == [["salvaged-table-1"]], "\(SalvageScene.lines(report))")
    }

    @Test func `an empty database is salvaged to an empty one`() throws {
        let scene = try SalvageScene { _, _ in }
        let report = try scene.salvage()
        #expect(report.isComplete && report.findings.isEmpty && report.tables.isEmpty, "\(SalvageScene.lines(report))")
    }
}
