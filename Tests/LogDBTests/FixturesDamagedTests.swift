//===--- FixturesDamagedTests.swift - each damage has its error ------------===//
//
// Fixtures/v1/damaged.json lists what can happen to a file, and the error that opening or reading must then give. An entry without
// a code is damage that takes nothing away: the fixture must read as if nothing had happened.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct FixtureDamage: Decodable, Sendable, CustomTestStringConvertible {
    /// The fixture, and the file in its folder.
    var base: String
    var file: String
    /// flip, truncate, append, delete, swap, replace, version, codec, edit.
    var damage: String
    /// Where: from the start of the file, from its end where negative, from the start of `frame` where there is one.
    var at: Int?
    /// Which frame, from the first; from the last where negative.
    var frame: Int?
    /// The other file for `swap`, or FIXTURE/FILE for `replace`.
    var with: String?
    /// For `edit`: the payload of one more frame at the manifest's end, in hexadecimal. All checksums hold.
    var edits: String?
    /// nil where nothing is lost.
    var code: String?
    /// The file that the error names; `file` where it is missing.
    var names: String?

    static let all: [FixtureDamage] = {
        let file = Fixture.v1.appendingPathComponent("damaged.json")
        do { return try JSONDecoder().decode([FixtureDamage].self, from: Data(contentsOf: file)) } catch {
            preconditionFailure("\(file.path): \(error)")
        }
    }()

    var testDescription: String {
        let place = [frame.map { "frame \($0)" }, at.map(String.init), with, edits.map { "\($0.prefix(12))… of \($0.count / 2) bytes" }]
            .compactMap(\.self).joined(separator: " ")
        return "\(base) \(file): \(damage) \(place)"
    }

    /// Does it to the database at `path`.
    func apply(to path: String) throws {
        let url = URL(fileURLWithPath: path + "/" + file)
        var bytes = [UInt8](try Data(contentsOf: url))
        func place() throws -> Int {
            let at = try #require(at)
            guard let frame else { return at < 0 ? bytes.count + at : at }
            // The last offset is that of the mark or of the end.
            let offsets = FixtureFrames.offsets(in: bytes).dropLast()
            return offsets[frame < 0 ? offsets.count + frame : frame] + at
        }
        switch damage {
        case "flip": bytes[try place()] ^= 1
        case "truncate": bytes.removeSubrange(try place()...)
        case "append": bytes.append(0)
        case "delete": return try FileManager.default.removeItem(at: url)
        case "swap":
            let other = URL(fileURLWithPath: path + "/" + (try #require(with)))
            try Data(contentsOf: other).write(to: url)
            return try Data(bytes).write(to: other)
        case "replace":
            let parts = try #require(with).split(separator: "/")
            bytes = [UInt8](try Data(contentsOf: Fixture.v1.appendingPathComponent("\(parts[0])/db/\(parts[1])")))
        case "edit": try append(edits: try #require(edits), to: &bytes)
        case "version": rewrite(&bytes, at: 8, 2)
        case "codec": rewrite(&bytes, at: 48, 9)
        default: Issue.record("damaged.json names the unknown damage \(damage)")
        }
        try Data(bytes).write(to: url)
    }

    /// Adds a frame where the mark stands.
    private func append(edits: String, to bytes: inout [UInt8]) throws {
        let payload = try stride(from: 0, to: edits.utf8.count, by: 2).map { index in
            try #require(UInt8(edits.dropFirst(index).prefix(2), radix: 16))
        }
        let offsets = FixtureFrames.offsets(in: bytes)
        let end = try #require(offsets.last)
        var identity = ByteReader(bytes.span.extracting(40...))
        var frame = FrameBuilder()
        frame.begin()
        frame.buffer.append(payload)
        frame.finish(
            .manifestEdits, sequence: UInt64(offsets.count), durableEnd: UInt64(end), milliseconds: HandmadeDatabase.time,
            seed: Checksum.seed(identity: try identity.u64()))
        bytes.replaceSubrange(end..<(end + frame.buffer.count), with: Array(frame.buffer.span))
    }

    /// Changes a byte of the file header and makes its checksum fit.
    private func rewrite(_ bytes: inout [UInt8], at offset: Int, _ value: UInt8) {
        let start = file.hasSuffix(".lz4") ? 8 : file.hasSuffix(".gz") ? 16 : 0
        bytes[start + offset] = value
        let end = start + Int(bytes[start + 12]) - 4
        let checksum = Checksum.crc32c(bytes.span.extracting(start..<end))
        for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index)) }
    }
}

@Suite struct FixturesDamagedTests {
    @Test(arguments: FixtureDamage.all)
    func `damage is an error that names the file, or takes nothing away`(_ damage: FixtureDamage) throws {
        let fixture = Fixture(name: damage.base)
        try fixture.withCopy { path in
            try damage.apply(to: path)
            let before = try contents(path)
            for access in [Options.Access.readOnly, .readWrite] {
                guard let code = damage.code else {
                    FixtureLines.expectSame(try read(path, .readOnly), try fixture.expected(.dump), "dump")
                    continue
                }
                do {
                    _ = try read(path, access)
                    Issue.record("reading with \(access) gave an answer")
                } catch let error as LogDBError {
                    #expect(error.code.rawValue == code, "\(error)")
                    #expect(error.file == damage.names ?? damage.file, "\(error)")
                }
                if access == .readOnly { #expect(try contents(path) == before, "reading changed the files") }
            }
        }
    }

    @Test(arguments: FixtureDamage.all) func `verify finds what reading finds`(_ damage: FixtureDamage) throws {
        try Fixture(name: damage.base).withCopy { path in
            try damage.apply(to: path)
            let report = try Database.verify(at: path)
            guard let code = damage.code else {
                #expect(report.damages == [])
                return
            }
            #expect(report.damages.contains { $0.code.rawValue == code && $0.file == damage.names ?? damage.file }, "\(report.damages)")
        }
    }

    @Test(arguments: FixtureDamage.all) func `the second reader refuses what the engine refuses`(_ damage: FixtureDamage) throws {
        let fixture = Fixture(name: damage.base)
        try fixture.withCopy { path in
            try damage.apply(to: path)
            let second = try SecondReader(path)
            guard let code = damage.code else {
                #expect(second.status == 0, "\(second.error)")
                return FixtureLines.expectSame(second.output, try fixture.expected(.dump), "dump")
            }
            #expect(second.status == 1)
            #expect(second.output == [])
            #expect(second.error.hasPrefix("\(code): "), "\(second.error)")
            #expect(second.error.contains("(\(damage.names ?? damage.file) at byte "), "\(second.error)")
        }
    }

    @Test(arguments: [
        Fixture(name: "closed-lz4"), Fixture(name: "closed-zlib-6"), Fixture(name: "killed"), Fixture(name: "compacted-tail"),
    ])
    func `a flipped bit anywhere is noticed or takes nothing away`(_ fixture: Fixture) throws {
        let expected = try fixture.expected(.dump)
        try fixture.withCopy { path in
            for file in try FileManager.default.contentsOfDirectory(atPath: path) {
                let url = URL(fileURLWithPath: path + "/" + file)
                let whole = [UInt8](try Data(contentsOf: url))
                // Every 61st byte, and the bits in turn; what is empty is looked at less closely.
                for at in stride(from: 0, to: whole.count, by: 61) where whole[at] != 0 || at % 13 == 0 {
                    var bytes = whole
                    bytes[at] ^= 1 << UInt8(at % 8)
                    try Data(bytes).write(to: url)
                    do {
                        let found = try read(path, .readOnly)
                        if found != expected { Issue.record("byte \(at) of \(file) changed the answer") }
                    } catch let error as LogDBError {
                        #expect(error.code == .corrupted || error.code == .unsupportedFormat, "byte \(at) of \(file): \(error)")
                    }
                }
                try Data(whole).write(to: url)
            }
        }
    }

    private func read(_ path: String, _ access: Options.Access) throws -> [UInt8] {
        let database = try Database.open(at: path, options: Options { $0.access = access })
        defer { try? database.close() }
        return try FixtureLines.dump(database)
    }

    private func contents(_ path: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            files[name] = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
        }
        return files
    }
}
