import LogDB
import LogDBFile
import LogDBSimulation
import Testing

extension Crash {
    // A large write that was refused had a segment made for it, which stayed empty; the next one, acknowledged, needed a larger one. After a
    // kill the empty segment in the middle was left out of the count of positions, and the database was called damaged.
    @Suite struct EmptySegments {
        private static let options = Options { $0.segmentSizeBytes = 64 << 10 }

        private func document(_ length: Int) -> [UInt8] { Array(#"{"x":"\#(String(repeating: "x", count: length))"}"#.utf8) }

        @Test(arguments: DiskModel.allCases)
        func `a write that finds the disk full on its way into a new segment leaves a database that opens`(_ model: DiskModel) throws {
            for room in stride(from: 4 << 10, through: 400 << 10, by: 12 << 10) {
                let disk = SimulatedDisk(model: model)
                disk.settings.capacityBytes = 64 << 20
                let database = try Database.open(disk.directory(), path: "simulated", options: Self.options)
                let transaction = try database.begin()
                try transaction.upsert("a", 0, json: document(10).span)
                try database.upsert("a", 1, json: document(10).span)
                let used = UInt64(64 << 20) - (try disk.directory().freeBytes())
                disk.settings.capacityBytes = used + UInt64(room)
                var kept: Set<Int64> = [1]
                for (key, length) in [(2, 62_000), (3, 250_000), (4, 62_000), (5, 62_000)] as [(Int64, Int)] {
                    do {
                        try database.upsert("a", .integer(key), json: document(length).span)
                        kept.insert(key)
                    } catch { #expect(error.code == .diskFull) }
                }
                disk.settings.capacityBytes = nil
                try database.upsert("a", 6, json: document(300_000).span)
                for image in [disk.afterKill(), disk.afterCrash(.pessimistic), disk.afterCrash(.random(seed: 1))] {
                    let reopened = try Database.open(image.directory(), path: "simulated", options: Self.options)
                    for key in kept.union([6]) { #expect(try reopened.document("a", .integer(key)) != nil, "\(room) \(key)") }
                    #expect(try reopened.document("a", 0) == nil)
                    try reopened.seal()
                    try reopened.close()
                    #expect(try Database.verify(image.directory(), path: "simulated").damages == [])
                }
                transaction.rollback()
                try database.close()
            }
        }

        @Test func `a write that is refused makes no segment`() throws {
            let disk = SimulatedDisk(model: .strictPOSIX)
            let database = try Database.open(disk.directory(), path: "simulated", options: Self.options)
            try database.upsert("a", 1, json: document(10).span)
            let before = try disk.directory().list().sorted()
            #expect(throws: LogDBError.self) { try database.upsert("", 2, json: document(62_000).span) }
            #expect(throws: LogDBError.self) {
                try database.upsert("a", .string(String(repeating: "k", count: 65_536)), json: document(10).span)
            }
            #expect(try disk.directory().list().sorted() == before)
            try database.close()
        }
    }
}
