//===--- RingTests.swift - the ring, and what becomes of it ----------------===//
//
// What the shared tail adds to what can go wrong: a process that dies between two stores, a ring that is not the one that belongs to the
// segment, a disk that takes nothing while the ring is full of what was promised.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFile
import LogDBFormat
import LogDBSimulation
import Testing

extension Crash {
    @Suite struct Ring {
        /// A ring that eight of `put`'s frames fill exactly: each lies where one lay a lap before.
        private static var options: Options {
            var options = Workload.all[0].by(.sharedTail).options
            options.ringBytes = 8 * 512
            return options
        }

        /// Its frame has 512 bytes: 40, and 13 before a document of 459.
        private func put(_ number: Int, _ persistence: Persistence = .process) -> Step {
            var author = Author(seed: UInt64(number))
            return .write(Change(table: "t", key: .integer(Int64(number)), document: author.document(459)), persistence)
        }

        private func explored(_ steps: [Step], _ model: DiskModel) -> [String] {
            var workload = Workload("ring", steps).by(.sharedTail)
            workload.options = Self.options
            var plan = Explorer.Plan()
            plan.seeds = 3
            plan.liveEvery = 3
            plan.depth = 1
            plan.laterEvery = Scale.isDebug ? 3 : 1
            plan.deadline = Scale.deadline()
            return explore(workload, model, plan)
        }

        @Test(arguments: DiskModel.allCases)
        func `killed or cut off between any two stores, and in the recovery from that, it keeps what was acknowledged`(_ model: DiskModel) {
            // Round the ring, past it, a sync, a transaction of two frames.
            var author = Author(seed: 5)
            var steps = (0..<10).map { put($0) }
            steps += [author.put("t", "large", 3000, .process), put(10, .disk), put(11), .begin("x")]
            steps += [.change("x", author.change(sizes: 100..<300)), put(12), .change("x", author.change(sizes: 100..<300))]
            steps += [.commit("x", .process), put(13)]
            let violations = explored(steps, model)
            #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        }

        /// A killed writer's disk: `safe` documents at `.disk`, then `more` at `.process`.
        private func killed(safe: Int, more: Int, body: (SimulatedDisk) throws -> Void = { _ in }) throws -> SimulatedDisk {
            let disk = SimulatedDisk()
            let runner = Runner(disk, Ledger(Model()), Self.options)
            try runner.open()
            for number in 0..<safe { try runner.perform(put(number, .disk)) }
            try body(disk)
            for number in safe..<safe + more { try runner.perform(put(number)) }
            defer { runner.abandon() }
            return disk.afterKill()
        }

        /// How many documents there are, read only and then opened for writing, which must find the same, and again when that was closed.
        private func count(_ disk: SimulatedDisk, sourceLocation: SourceLocation = #_sourceLocation) throws -> Int {
            var options = Self.options
            var counts: [Int] = []
            for access in [Options.Access.readOnly, .readWrite, .readOnly, .readWrite] {
                options.access = access
                let db = try Database.open(disk.directory(), path: "simulated", options: options)
                var numbers: Set<Int64> = []
                try db.select("t") { if case .integer(let number) = try $0.key { numbers.insert(number) } }
                #expect(numbers == Set(0..<Int64(numbers.count)), sourceLocation: sourceLocation)
                counts.append(numbers.count)
                try db.close()
            }
            #expect(Set(counts).count == 1, "\(counts)", sourceLocation: sourceLocation)
            #expect(!disk.exists("RING"), sourceLocation: sourceLocation)
            return counts[0]
        }

        @Test func `what the process had only stored is there when it was killed, however far round the ring it was`() throws {
            for more in 0...17 { #expect(try count(killed(safe: 3, more: more)) == 3 + more) }
        }

        // Draining stops in the middle of a frame: its front was stored over in the ring while the file lacked its end, and recovery stopped there.
        @Test func `frames of any length, drained in part when the process is killed, are there`() throws {
            var random = SplitMix64(seed: 31)
            for _ in 0..<3 {
                let disk = SimulatedDisk()
                let runner = Runner(disk, Ledger(Model()), Self.options)
                try runner.open()
                for number in 0..<40 {
                    var author = Author(seed: UInt64(number))
                    let document = author.document(60 + random.below(800))
                    try runner.perform(.write(Change(table: "t", key: .integer(Int64(number)), document: document), .process))
                    #expect(try count(disk.afterKill()) == number + 1)
                }
                runner.abandon()
            }
        }

        @Test func `a ring that is missing, foreign, damaged, cut off or garbage takes nothing from what the segment has`() throws {
            let disk = try killed(safe: 3, more: 4)
            let foreign = try killed(safe: 2, more: 6).read("RING")
            var random = SplitMix64(seed: 9)
            let ring = disk.read("RING")
            func isHarmless(_ bytes: [UInt8]?, _ what: String) throws {
                let image = disk.afterCrash(.optimistic)
                image.delete("RING")
                if let bytes { image.write("RING", bytes) }
                #expect(try count(image) == 3, "\(what)")
            }
            #expect(try count(disk.afterCrash(.optimistic)) == 7)
            try isHarmless(nil, "missing")
            try isHarmless(foreign, "of another database")
            try isHarmless([], "empty")
            try isHarmless(Array(ring.prefix(20)), "a piece of its header")
            try isHarmless(Array(ring.prefix(ring.count - 1)), "cut off")
            try isHarmless([UInt8](repeating: 0, count: ring.count), "zeros")
            try isHarmless((0..<ring.count).map { _ in UInt8(random.below(256)) }, "garbage")
            for offset in 0..<60 {
                var flipped = ring
                flipped[offset] ^= 4
                // The version is proven by the checksum like all else.
                try isHarmless(flipped, "byte \(offset)")
            }
            for _ in 0..<40 {
                // Pages of all ages, as a power cut leaves them: a beginning of what was in the ring, and never anything else.
                var mixed = ring
                for sector in 8..<ring.count / 512 where random.chance(1, in: 3) {
                    let other = random.below(2) == 0 ? foreign[sector * 512..<sector * 512 + 512] : ring[4096..<4608]
                    mixed.replaceSubrange(sector * 512..<sector * 512 + 512, with: other)
                }
                let image = disk.afterCrash(.optimistic)
                image.write("RING", mixed)
                #expect((3...7).contains(try count(image)))
            }
        }

        @Test func `a ring of an older state of the database is not mistaken for the newest`() throws {
            var older: [UInt8] = []
            let disk = try killed(safe: 12, more: 3) { older = $0.read("RING") }
            disk.write("RING", older)
            #expect(try count(disk) == 12)
        }

        @Test func `a ring of a later version is refused, for it may hold what was acknowledged`() throws {
            let disk = try killed(safe: 1, more: 1)
            var ring = disk.read("RING")
            ring[8] = 2
            let sum = Checksum.crc32c(ring.span.extracting(0..<56))
            for byte in 0..<4 { ring[56 + byte] = UInt8(truncatingIfNeeded: sum >> (8 * byte)) }
            disk.write("RING", ring)
            for access in [Options.Access.readOnly, .readWrite] {
                var options = Self.options
                options.access = access
                let error = #expect(throws: LogDBError.self) { try Database.open(disk.directory(), path: "simulated", options: options) }
                #expect(error?.code == .unsupportedFormat)
            }
        }

        // Appending in the old segment again would give numbers and places a second time that frames in the old ring have, and after a power cut such a
        // ring may be back: a frame of it could then follow one that is not the one it was appended behind.
        @Test func `after a kill with a ring appending goes on in a new segment`() throws {
            let disk = try killed(safe: 2, more: 2)
            let before = Set(try disk.directory().list().filter { $0.hasSuffix(".log") })
            let db = try Database.open(disk.directory(), path: "simulated", options: Self.options)
            try db.upsert("t", 100, json: "{}", persistence: .process)
            let after = Set(try disk.directory().list().filter { $0.hasSuffix(".log") })
            #expect(!after.subtracting(before).isEmpty)
            try db.close()
        }

        @Test func `what recovery found in the ring is in the segment before the manifest says that it is kept`() throws {
            let disk = try killed(safe: 2, more: 5)
            var operations = 0
            let images = Monitor<[SimulatedDisk]>([])
            disk.onOperation { disk, _, _, _ in images.withLock { $0 += [disk.afterKill(), disk.afterCrash(.optimistic)] } }
            try Database.open(disk.directory(), path: "simulated", options: Self.options).close()
            disk.onOperation(nil)
            for image in images.withLock({ $0 }) {
                operations += 1
                // The ring is of no matter once the segment is closed.
                let withoutRing = image.afterKill()
                let isClosed = try isLastClosed(withoutRing)
                if isClosed { withoutRing.delete("RING") }
                #expect(try count(isClosed ? withoutRing : image) == 7)
            }
            #expect(operations > 10)
        }

        private func isLastClosed(_ disk: SimulatedDisk) throws -> Bool {
            var options = Self.options
            options.access = .readOnly
            let db = try Database.open(disk.directory(), path: "simulated", options: options)
            defer { try? db.close() }
            return db.recovery.wasClosed
        }

        @Test func `a disk that is full for the drain loses nothing, and what waits is read meanwhile`() throws {
            let disk = SimulatedDisk()
            let db = try Database.open(disk.directory(), path: "simulated", options: Self.options)
            for number in 0..<4 { try db.upsert("t", .integer(Int64(number)), json: #"{"n":1}"#, persistence: .process) }
            disk.inject(Fault(.error(.diskFull), on: .write))
            #expect(try contents(db)["t"]?.count == 4)
            #expect(try db.document("t", 3) != nil)
            try db.upsert("t", 4, json: #"{"n":1}"#, persistence: .process)
            disk.removeFaults()
            try db.upsert("t", 5, json: #"{"n":1}"#, persistence: .disk)
            #expect(try contents(db)["t"]?.count == 6)
            try db.close()
        }

        @Test func `a disk that fails the drain poisons, and the ring keeps what was acknowledged`() throws {
            let disk = SimulatedDisk()
            let db = try Database.open(disk.directory(), path: "simulated", options: Self.options)
            for number in 0..<4 { try db.upsert("t", .integer(Int64(number)), json: #"{"n":1}"#, persistence: .process) }
            disk.inject(Fault(.errorAfterWriting(.inputOutput, bytes: 60), on: .write))
            #expect(throws: LogDBError.self) { try db.flush(to: .disk) }
            #expect(try contents(db)["t"]?.count == 4)
            #expect(throws: LogDBError.self) { try db.upsert("t", 9, json: "{}", persistence: .process) }
            #expect(throws: LogDBError.self) { try db.close() }
            disk.removeFaults()
            #expect(try count(disk) == 4)
        }

        @Test func `where files cannot be mapped appending is positional, and leaves no ring`() throws {
            let disk = SimulatedDisk()
            disk.settings.canMap = false
            let db = try Database.open(disk.directory(), path: "simulated", options: Self.options)
            try db.upsert("t", 1, json: "{}", persistence: .process)
            #expect(try db.statistics().appender == .positional)
            #expect(!disk.exists("RING"))
            let other = SimulatedDisk().directory()
            let mapped = try Database.open(other, path: "simulated", options: Self.options)
            try mapped.upsert("t", 1, json: "{}", persistence: .process)
            #expect(try mapped.statistics().appender == .sharedTail)
            #expect(other.disk.exists("RING"))
            try mapped.close()
            #expect(!other.disk.exists("RING"))
            try db.close()
        }
    }
}
