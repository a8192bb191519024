//===--- SalvageRefusalTests.swift - what is not salvaged, and is not begun ---===//

import Foundation
import LogDB
import Testing

@Suite struct SalvageRefusalTests {
    private let scene: SalvageScene

    init() throws {
        scene = try SalvageScene { scene, db in
            for number in 0..<30 { try scene.put(db, "t", .integer(Int64(number)), 4000) }
        }
    }

    /// Expects a refusal that leaves all as it was.
    private func expectRefusal(
        _ code: LogDBError.Code, _ old: String, _ new: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = snapshot()
        let error = #expect(throws: LogDBError.self, sourceLocation: sourceLocation) { try Database.salvage(at: old, into: new) }
        #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
        #expect(snapshot() == before, sourceLocation: sourceLocation)
    }

    /// Every file of the test with its contents.
    private func snapshot() -> [String: Data] {
        var result: [String: Data] = [:]
        let all = FileManager.default.enumerator(atPath: scene.folder.path)
        while let name = all?.nextObject() as? String {
            // No folders: an empty one made for the new database may stay.
            if let bytes = FileManager.default.contents(atPath: scene.folder(name)) { result[name] = bytes }
        }
        return result
    }

    @Test func `a new database where there is something already`() throws {
        try expectRefusal(.alreadyExists, scene.old, scene.old)
        try expectRefusal(.alreadyExists, scene.old, scene.old + "/")
        let other = try Database.open(at: scene.folder("other"))
        try other.close()
        try expectRefusal(.alreadyExists, scene.old, scene.folder("other"))
        try FileManager.default.createDirectory(atPath: scene.folder("notes"), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: scene.folder("notes/todo.txt")))
        try expectRefusal(.alreadyExists, scene.old, scene.folder("notes"))
        try expectRefusal(.alreadyExists, scene.old, scene.folder("notes/todo.txt"))
        try FileManager.default.createSymbolicLink(atPath: scene.folder("link"), withDestinationPath: scene.old)
        try expectRefusal(.alreadyExists, scene.old, scene.folder("link"))
    }

    @Test func `a new database within the old one, or nowhere`() throws {
        try expectRefusal(.invalidPath, scene.old, scene.old + "/new")
        try expectRefusal(.invalidPath, scene.old, scene.folder("no such folder/new"))
    }

    @Test func `what is no database`() throws {
        try expectRefusal(.notFound, scene.folder("nothing"), scene.new)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: scene.folder("todo.txt")))
        try expectRefusal(.notADatabase, scene.folder("todo.txt"), scene.new)
        try FileManager.default.createDirectory(atPath: scene.folder("notes"), withIntermediateDirectories: true)
        try expectRefusal(.notFound, scene.folder("notes"), scene.new)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: scene.folder("notes/todo.txt")))
        try expectRefusal(.notFound, scene.folder("notes"), scene.new)
    }

    @Test func `a database that is open for writing`() throws {
        let db = try Database.open(at: scene.old, options: small())
        try expectRefusal(.locked, scene.old, scene.new)
        try db.close()
        try scene.salvage()
    }

    @Test func `a salvage that is stopped leaves an empty folder, which the next one takes`() throws {
        struct Stop: Error {}
        let before = scene.files.map(scene.bytes)
        #expect(throws: Stop.self) {
            // The last step of all.
            try Database.salvage(at: scene.old, into: scene.new, options: small()) { step in
                if step.bytesDone == step.bytesPlanned { throw Stop() }
            }
        }
        #expect(scene.folder.files("new").isEmpty)
        #expect(scene.files.map(scene.bytes) == before)
        let report = try scene.salvage()
        #expect(report.isComplete)
    }
}
