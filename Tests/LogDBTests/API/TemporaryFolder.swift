//===--- TemporaryFolder.swift - a place for a test's database -------------===//

import Foundation
import LogDB

/// A folder that goes when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "logdb-test-" + UUID().uuidString
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A path within it.
    func callAsFunction(_ name: String = "test.logdb") -> String { path + "/" + name }

    func files(_ name: String = "test.logdb") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self(name))) ?? []).sorted()
    }

    func bytes(_ file: String, in name: String = "test.logdb") -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: self(name) + "/" + file) ?? Data())
    }

    func write(_ bytes: [UInt8], to file: String, in name: String = "test.logdb") {
        try! Data(bytes).write(to: URL(fileURLWithPath: self(name) + "/" + file))
    }

    /// Copies a database as it lies there, as after its writer was killed. Where a file goes meanwhile (that of a segment that was just sealed), once more.
    func copy(_ name: String = "test.logdb", to copy: String) {
        for _ in 0..<100 {
            try? FileManager.default.removeItem(atPath: self(copy))
            do {
                try FileManager.default.copyItem(atPath: self(name), toPath: self(copy))
                return
            } catch CocoaError.fileNoSuchFile, CocoaError.fileReadNoSuchFile {
                Thread.sleep(forTimeInterval: 0.01)
            } catch { fatalError("\(name) cannot be copied: \(error)") }
        }
        fatalError("\(name) cannot be copied: files go all the time")
    }
}

/// What a database holds, table by table: each key with its document as text.
func contents(_ database: Database) throws -> [String: [Key: String]] {
    var result: [String: [Key: String]] = [:]
    try database.select { operation in
        result[operation.table, default: [:]][try operation.key] = text(operation.document)
    }
    return result
}

func text(_ bytes: Span<UInt8>) -> String {
    var copy: [UInt8] = []
    for index in bytes.indices { copy.append(bytes[index]) }
    return String(decoding: copy, as: UTF8.self)
}

/// Options with the smallest segments, which roll and seal soon.
func small(_ codec: Codec = .lz4, _ persistence: Persistence = .process) -> Options {
    Options {
        $0.segmentSizeBytes = 64 << 10
        $0.codec = codec
        $0.persistence = persistence
        // What is about the log must find all of it.
        $0.compaction = .manual
    }
}
