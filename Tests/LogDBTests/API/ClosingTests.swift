import Foundation
import LogDB
import LogDBFile
import LogDBSimulation
import Testing

/// What other threads do while `close()` is at work.
@Suite struct ClosingTests {
    private static let options = Options {
        $0.segmentSizeBytes = 64 << 10
        $0.persistence = .process
    }
    private let disk = SimulatedDisk(model: .strictPOSIX)
    private let directory: HookedDirectory

    init() { directory = HookedDirectory(disk.directory()) }

    private static func document(_ length: Int) -> String { #"{"x":"\#(String(repeating: "x", count: length))"}"# }

    private func open() throws -> Database { try Database.open(directory, path: "simulated", options: Self.options) }

    /// Calls `body` once, when the next sync of a raw segment has returned.
    private func whileClosing(_ body: @escaping @Sendable () -> Void) {
        let isArmed = Monitor(true)
        directory.set {
            $0.afterSync = { name in
                guard name.hasSuffix(".log"),
                    isArmed.withLock({ armed in
                        defer { armed = false }
                        return armed
                    })
                else { return }
                body()
            }
        }
    }

    // close() took the end of the log for what it recorded as synced after its sync, and let others write in between. After a power cut
    // the database could not be opened: a frame that had been "synced" was not there.
    @Test func `what is written while close syncs is refused, and does not make the database claim what it has not got`() throws {
        let database = try open()
        try database.upsert("a", 1, json: Self.document(100))
        let refused = Monitor<LogDBError.Code?>(nil)
        whileClosing {
            do throws(LogDBError) { try database.upsert("a", 2, json: Self.document(5000)) } catch { refused.withLock { $0 = error.code } }
        }
        try database.close()
        #expect(refused.withLock { $0 } == .closed)
        for mode in [CrashMode.pessimistic, .optimistic, .random(seed: 1), .random(seed: 2)] {
            let reopened = try Database.open(disk.afterCrash(mode).directory(), path: "simulated", options: Self.options)
            #expect(try reopened.document("a", 1) != nil)
            #expect(reopened.recovery.wasClosed)
            try reopened.close()
        }
    }

    // The first roll of a session fell into close(): the sealer started after close() had looked for it, and went on in the files of the
    // next opening, whose manifest it overwrote.
    @Test func `no background thread starts once close has looked for it`() throws {
        var database = try open()
        try database.upsert("a", 0, json: "{}")
        try database.close()
        database = try open()
        try database.upsert("a", 1, json: Self.document(100))
        let closing = database
        whileClosing {
            for key in 2..<5 { _ = try? closing.upsert("a", .integer(Int64(key)), json: Self.document(50_000)) }
        }
        directory.set { $0.beforeWrite = { name in if name.contains(".seg") { Thread.sleep(forTimeInterval: 0.2) } } }
        try database.close()
        let second = try open()
        try second.upsert("a", 77, json: "{}", persistence: .disk)
        Thread.sleep(forTimeInterval: 0.5)
        try second.upsert("a", 78, json: "{}", persistence: .disk)
        try second.close()
        let third = try open()
        #expect(try third.document("a", 77) != nil && third.document("a", 78) != nil && third.document("a", 1) != nil)
        try third.close()
    }

    // A writer that waited for the sealer, or a call of seal(), waited for ever once the sealer had ended with the close.
    @Test(arguments: [false, true])
    func `whoever waits for the sealer is let go when the database is closed`(_ seals: Bool) throws {
        let database = try open()
        for key in 0..<4 { try database.upsert("a", .integer(Int64(key)), json: Self.document(50_000)) }
        Thread.sleep(forTimeInterval: 0.2)
        try database.upsert("a", 1, json: "{}")
        let ended = DispatchSemaphore(value: 0)
        whileClosing {
            Thread.detachNewThread {
                if seals {
                    _ = try? database.seal()
                } else {
                    for key in 0..<100 { _ = try? database.upsert("a", .integer(Int64(key)), json: Self.document(50_000)) }
                }
                ended.signal()
            }
            Thread.sleep(forTimeInterval: 0.2)
        }
        try database.close()
        #expect(ended.wait(timeout: .now() + 120) == .success)
    }

    // A writer that had waited for the sealer went on with the room that it had found before: others had appended meanwhile, and it wrote
    // beyond the segment's end.
    @Test func `writers that wait for the sealer look again when they go on`() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(
            at: folder(),
            options: Options {
                $0.segmentSizeBytes = 64 << 10
                $0.persistence = .process
                $0.codec = .zlib(level: 9)
            })
        var random = SplitMix64(seed: 3)
        func noise(_ length: Int) -> String {
            #"{"x":"\#(String(decoding: (0..<length).map { _ in UInt8(97 + random.below(26)) }, as: UTF8.self))"}"#
        }
        let large = (0..<4).map { noise(20_000 + 9_000 * $0) }
        let small = noise(3000)
        let end = Date(timeIntervalSinceNow: 1.5)
        let failures = Monitor<[String]>([])
        let group = DispatchGroup()
        for thread in 0..<8 {
            group.enter()
            Thread.detachNewThread {
                do {
                    while Date() < end {
                        if thread < 4 {
                            try database.upsert("a", .integer(Int64(thread)), json: large[thread])
                        } else {
                            let transaction = try database.begin()
                            for _ in 0..<12 { try transaction.upsert("a", .integer(Int64(thread)), json: small) }
                            transaction.rollback()
                        }
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
                group.leave()
            }
        }
        group.wait()
        #expect(failures.withLock { $0 } == [])
        try database.close()
        #expect(try Database.verify(at: folder()).damages == [])
    }
}
