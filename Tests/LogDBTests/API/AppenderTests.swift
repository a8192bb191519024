//===--- AppenderTests.swift - the choice of an appender, on a real disk ----===//
//
// Whether the shared tail works here depends on the file system of the folder for temporary files and on what the process may lock in memory. Where
// it does not, writes must reach the log all the same.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFile
import Testing

@Suite struct AppenderTests {
    private func options(_ appender: Appender, segment: Int = 1 << 20) -> Options {
        Options {
            $0.appender = appender
            $0.segmentSizeBytes = segment
            $0.persistence = .process
            $0.compaction = .manual
        }
    }

    private static let padding = String(repeating: "x", count: 300)

    private func put(_ db: Database, _ number: Int) throws {
        try db.upsert("t", .integer(Int64(number)), json: #"{"n":\#(number),"t":"\#(Self.padding)"}"#)
    }

    private func count(_ db: Database) throws -> Int {
        var count = 0
        try db.replay("t") { operation in
            let key = try operation.key
            #expect(key == .integer(Int64(count)))
            count += 1
        }
        return count
    }

    @Test(arguments: Appender.allCases)
    func `what was written is read, beside the writer too, and is there after a close`(_ appender: Appender) throws {
        let folder = TemporaryFolder()
        let db = try Database.open(at: folder(), options: options(appender))
        var reading = options(appender)
        reading.access = .readOnly
        for number in 0..<12_000 {
            try put(db, number)
            if number % 1500 == 777 {
                #expect(try count(db) == number + 1)
                let reader = try Database.open(at: folder(), options: reading)
                #expect(try count(reader) == number + 1)
                try reader.close()
            }
        }
        // One that does not fit the ring, and one behind it.
        try db.upsert("large", 1, json: #"{"t":"\#(String(repeating: "y", count: 5 << 20))"}"#)
        try put(db, 12_000)
        // As a killed process leaves it. Not while a segment is being sealed: a copy is not made in one moment.
        for _ in 0..<3000 where folder.files().filter({ $0.hasSuffix(".log") }).count > 1 { Clock.sleep(nanoseconds: 10_000_000) }
        folder.copy(to: "killed")
        #expect(try db.statistics().appender != .automatic)
        try db.close()
        #expect(!folder.files().contains("RING"))
        for name in ["killed", "test.logdb"] {
            let again = try Database.open(at: folder(name), options: options(appender))
            #expect(try count(again) == 12_001)
            #expect(try again.document("large", 1) != nil)
            try again.close()
            #expect(!folder.files(name).contains("RING"))
        }
    }

    @Test func `a few writes are not worth a ring, many are`() throws {
        let folder = TemporaryFolder()
        let asked = try Database.open(at: folder("asked"), options: options(.sharedTail))
        try put(asked, 0)
        let best = try asked.statistics().appender
        try asked.close()
        let db = try Database.open(at: folder(), options: options(.automatic))
        for number in 0..<100 { try put(db, number) }
        #expect(try db.statistics().appender == .positional)
        var number = 100
        // It is made in a thread of its own.
        for _ in 0..<400 {
            if number > 2000, try db.statistics().appender == best { break }
            for _ in 0..<500 {
                try put(db, number)
                number += 1
            }
            if number > 4000 { Clock.sleep(nanoseconds: 5_000_000) }
        }
        #expect(try db.statistics().appender == best)
        #expect(folder.files().contains("RING") == (best == .sharedTail))
        #expect(try count(db) == number)
        try db.close()
        let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
        #expect(try reader.statistics().appender == .positional)
        try reader.close()
    }

    @Test func `who waits for the disk at every write gets no ring by himself`() throws {
        let folder = TemporaryFolder()
        let db = try Database.open(at: folder(), options: options(.automatic))
        let document = #"{"t":"\#(String(repeating: "z", count: 100_000))"}"#
        for number in 0..<30 { try db.upsert("t", .integer(Int64(number)), json: document, persistence: .disk) }
        #expect(try db.statistics().appender == .positional)
        #expect(!folder.files().contains("RING"))
        try db.close()
    }

    @Test func `many who wait for the disk at once get a ring`() async throws {
        let folder = TemporaryFolder()
        let asked = try Database.open(at: folder("asked"), options: options(.sharedTail))
        try put(asked, 0)
        let best = try asked.statistics().appender
        try asked.close()
        let db = try Database.open(at: folder(), options: options(.automatic, segment: 4 << 20))
        var puts = 0
        for _ in 0..<400 {
            if puts > 0, try db.statistics().appender == best { break }
            try await withThrowingTaskGroup { group in
                for task in 0..<32 {
                    group.addTask {
                        for number in 0..<4 {
                            try await db.upsert("t\(task)", .integer(Int64(number)), json: Array(#"{"n":1}"#.utf8), persistence: .disk)
                        }
                    }
                }
                try await group.waitForAll()
            }
            puts += 128
        }
        #expect(try db.statistics().appender == best)
        #expect(try db.statistics().tables.count == 32)
        try db.close()
    }

    @Test func `several threads and a reader use the ring at once`() throws {
        let folder = TemporaryFolder()
        let db = try Database.open(at: folder(), options: options(.sharedTail, segment: 8 << 20))
        let acknowledged = Monitor([Int](repeating: 0, count: 3))
        let writers = try (0..<3).map { thread in
            try BackgroundThread(name: "writer \(thread)") {
                for number in 1...4000 {
                    do {
                        try db.upsert(
                            "t\(thread)", .integer(Int64(number)), json: #"{"t":"\#(Self.padding)"}"#,
                            persistence: number % 500 == 0 ? .disk : .process)
                    } catch { Issue.record("\(error)") }
                    acknowledged.withLock { $0[thread] = number }
                }
            }
        }
        for _ in 0..<6 {
            let floors = acknowledged.withLock { $0 }
            let reader = try Database.open(at: folder(), options: Options { $0.access = .readOnly })
            for thread in 0..<3 {
                var last: Int64 = 0
                try reader.replay("t\(thread)") { operation in
                    let key = try operation.key
                    #expect(key == .integer(last + 1))
                    last += 1
                }
                #expect(last >= floors[thread])
            }
            try reader.close()
        }
        for writer in writers { writer.join() }
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
    }
}
