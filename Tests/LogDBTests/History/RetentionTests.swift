//===--- RetentionTests.swift - what compaction keeps of the past -----------===//
//
// Random histories on a simulated disk, with documents that expire, compared with a model that remembers everything. The clock is the test's, and goes back now and then.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

@Suite struct RetentionTests {
    @Test(arguments: 0..<UInt64(Scale.isDebug ? 20 : 400))
    func `compaction keeps what retention and savepoints want, and every moment that is told is told right`(_ seed: UInt64) throws {
        var trial = try RetentionTrial(seed: seed)
        try trial.run()
    }
}

private struct RetentionTrial {
    private var random: SplitMix64
    private var author: Author
    private let seed: UInt64
    private let disk = SimulatedDisk(model: .ext4Like)
    private var options = Options()
    private let clock: WallClock
    private var db: Database
    private var model = PastModel()
    /// The latest time that a compaction went by.
    private var latestCompaction: Int64 = 0
    private static let tables = ["a", "b", "c"]

    init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        author = Author(seed: seed ^ 0xBEEF)
        clock = WallClock(milliseconds: 1_790_000_000_000)
        options.segmentSizeBytes = 64 << 10
        options.memoryBudgetBytes = 4 << 20
        options.codec = [.none, .lz4, .zlib(level: 2)][random.below(3)]
        options.sortBudgetBytes = [nil, 4 << 10, 20 << 10][random.below(3)]
        options.compaction = .manual
        options.persistence = .process
        options.clock = clock
        if random.chance(1, in: 3) { options.manifestGrowthBytes = 256 }
        db = try Database.open(disk.directory(), path: "simulated", options: options)
    }

    mutating func run() throws {
        for number in 0..<50 + random.below(120) {
            do { try act() } catch { throw Violation("seed \(seed), act \(number): \(error)") }
        }
        do {
            try compact()
            try db.close()
            let report = try Database.verify(disk.directory(), path: "simulated")
            guard report.isSound, report.remarks.isEmpty else { throw Violation("verify finds \(report.damages) \(report.remarks)") }
            options.access = .readOnly
            db = try Database.open(disk.directory(), path: "simulated", options: options)
            try check(samples: 12)
            try copy()
            try db.close()
        } catch { throw Violation("seed \(seed), at the end: \(error)") }
    }

    private mutating func act() throws {
        switch random.below(42) {
        case 0..<20: try write(1)
        case 20..<23: try write(2 + random.below(6))
        case 23..<25: clock.milliseconds += Int64(random.below(20_000_000))
        case 25: clock.milliseconds -= Int64(random.below(9_000_000))
        case 26, 27: try setRetention()
        case 28, 29: try savepoint()
        case 30: try release()
        case 31: try drop()
        case 32: try reopen()
        case 33: try db.seal()
        case 34: try transaction()
        case 38: try copy()
        case 39: try revert()
        case 35..<38: try compact()
        case 40, 41: try setTimeToLive()
        default: try check(samples: 4)
        }
    }

    private mutating func key() -> Key { [.string("k\(random.below(5))"), .integer(Int64(random.below(3)))][random.below(2)] }

    /// Notes that `count` operations come, the creation of `names` first; returns the number before them.
    private mutating func begin(_ names: [String]) throws -> UInt64 {
        var last = try db.statistics().lastSequenceNumber
        var seen: Set<String> = []
        for name in names where model.table(name) == nil && seen.insert(name).inserted {
            last += 1
            model.create(name, last)
            model.note(last, clock.milliseconds)
        }
        return last
    }

    private mutating func write(_ count: Int) throws {
        clock.milliseconds += Int64(random.below(400_000))
        // Just at an instant of a ladder.
        if random.chance(1, in: 3) { clock.milliseconds -= clock.milliseconds % 600_000 }
        var changes: [Change] = []
        for _ in 0..<count {
            let document = random.chance(1, in: 4) ? nil : author.document(40 + random.below([200, 3000, 9000][random.below(3)]))
            changes.append(Change(table: Self.tables[random.below(3)], key: key(), document: document))
        }
        let last = try begin(changes.map(\.table))
        var batch = Batch()
        var times: [TimeToLive?] = []
        for change in changes {
            times.append(timeToLive())
            if let document = change.document {
                try batch.upsert(change.table, change.key, json: document.span, timeToLive: times.last!)
            } else {
                try batch.delete(change.table, change.key)
            }
        }
        let numbers = try db.write(batch)!
        guard numbers.lowerBound == last + 1 else { throw Violation("the batch begins with \(numbers.lowerBound), not \(last + 1)") }
        for (offset, change) in changes.enumerated() {
            note(change, numbers.lowerBound + UInt64(offset), expires(times[offset], change.table))
        }
    }

    private mutating func note(_ change: Change, _ sequence: UInt64, _ expires: Int64?) {
        model.note(sequence, clock.milliseconds)
        model.write(model.table(change.table)!, change.key, change.document, sequence, clock.milliseconds, expires: expires)
    }

    private mutating func timeToLive() -> TimeToLive? {
        switch random.below(8) {
        case 0, 1: .after(.milliseconds(1 + random.below([100_000, 4_000_000, 90_000_000][random.below(3)])))
        case 2: .until(milliseconds: clock.milliseconds + Int64(random.below(2_000_000)) - 500_000)
        case 3: .never
        default: nil
        }
    }

    /// When a document expires that is written now.
    private func expires(_ timeToLive: TimeToLive?, _ table: String) -> Int64? {
        switch timeToLive {
        case .never: nil
        case .until(let milliseconds): milliseconds
        case .after(let duration): clock.milliseconds + duration.milliseconds
        case nil: model.table(table).flatMap { model.timesToLive[$0] }.map { clock.milliseconds + $0 }
        }
    }

    private mutating func setTimeToLive() throws {
        let name = Self.tables[random.below(3)]
        let time: Int64? = [nil, 1000, 600_000, 20_000_000][random.below(4)]
        let before = try db.statistics().lastSequenceNumber
        let isNew = model.table(name) == nil
        try db.setTimeToLive(time.map { .milliseconds($0) }, of: name)
        let after = try db.statistics().lastSequenceNumber
        if after > before { model.note(after, clock.milliseconds) }
        if isNew { model.create(name, after) }
        model.live(model.table(name)!, time)
        let known = try db.timeToLive(of: name)
        guard known == time.map({ .milliseconds($0) }) else { throw Violation("the time to live is \(String(describing: known))") }
    }

    private mutating func transaction() throws {
        let table = Self.tables[random.below(3)]
        _ = try begin([table])
        let commits = random.chance(2, in: 3)
        let transaction = try db.begin()
        var changes: [(Change, UInt64, Int64?)] = []
        for _ in 0..<1 + random.below(4) {
            let change = Change(table: table, key: key(), document: author.document(60 + random.below(2000)))
            let time = timeToLive()
            let number = try transaction.upsert(table, change.key, json: change.document!.span, timeToLive: time)
            changes.append((change, number, expires(time, table)))
            let isThere = expires(time, table).map { $0 > clock.milliseconds } ?? true
            guard try transaction.document(table, change.key) == (isThere ? change.document : nil) else {
                throw Violation("a transaction does not see what it wrote, or sees what has expired")
            }
        }
        if commits {
            try transaction.commit()
            for (change, sequence, expires) in changes { note(change, sequence, expires) }
        } else {
            transaction.rollback()
        }
    }

    private mutating func setRetention() throws {
        let name = Self.tables[random.below(3)]
        let retention: Retention = [
            .latest, .versions(2 + random.below(3)), .all, .age(.seconds(60 + random.below(20_000))), .ladder,
            .ladder([.init(every: .seconds(600), for: .seconds(7200)), .init(every: .seconds(3600), for: .seconds(40_000))]),
        ][random.below(6)]
        let before = try db.statistics().lastSequenceNumber
        let isNew = model.table(name) == nil
        try db.setRetention(retention, of: name)
        let after = try db.statistics().lastSequenceNumber
        if after > before { model.note(after, clock.milliseconds) }
        if isNew { model.create(name, after) }
        model.retain(model.table(name)!, retention)
        let known = try db.retention(of: name)
        guard known == retention else { throw Violation("the retention is \(known), not \(retention)") }
    }

    private mutating func savepoint() throws {
        let name = "save \(random.below(4))"
        do {
            let savepoint = try db.savepoint(name)
            guard model.savepoints[name] == nil else { throw Violation("a savepoint is made twice") }
            model.save(name, savepoint.sequenceNumber)
            model.note(savepoint.sequenceNumber, savepoint.milliseconds)
        } catch let error as LogDBError where error.code == .savepointExists && model.savepoints[name] != nil {}
    }

    private mutating func release() throws {
        guard let name = model.savepoints.keys.sorted().first else { return }
        model.note(try db.releaseSavepoint(name), clock.milliseconds)
        model.release(name)
    }

    private mutating func drop() throws {
        guard let table = model.table(Self.tables[random.below(3)]) else { return }
        let sequence = try db.dropTable(model.tables[table].name)
        model.note(sequence, clock.milliseconds)
        model.drop(table, sequence)
    }

    private mutating func reopen() throws {
        try db.close()
        db = try Database.open(disk.directory(), path: "simulated", options: options)
    }

    private mutating func compact() throws {
        let digest = try db.digest()
        latestCompaction = max(latestCompaction, clock.milliseconds)
        try db.compact()
        let statistics = try db.statistics()
        model.compact(now: clock.milliseconds, through: statistics.compactedSequenceNumber, last: statistics.lastSequenceNumber)
        guard try db.digest() == digest, try db.statistics().digest == digest else { throw Violation("compaction changed the documents") }
        try check(samples: 6)
    }

    /// A chronicle of all that is left makes another database with the same past, and so does a salvage.
    private mutating func copy() throws {
        // What a compaction has found expired is gone for good; in a copy it would be back while the clock is behind that.
        clock.milliseconds = max(clock.milliseconds, latestCompaction)
        let other = SimulatedDisk(model: .ext4Like)
        var writing = options
        writing.access = .readWrite
        if random.chance(1, in: 2) {
            try db.close()
            let report = try Database.salvage(
                disk.directory(), path: "simulated", into: other.directory(), newPath: "copy", options: writing)
            guard report.findings.isEmpty else { throw Violation("salvage finds \(report.findings)") }
            db = try Database.open(disk.directory(), path: "simulated", options: options)
        } else {
            let copy = try Database.open(other.directory(), path: "copy", options: writing)
            var writer = try HistoryWriter(copy)
            try writer.end(try db.chronicle(&writer))
            try copy.close()
        }
        let copy = try Database.open(other.directory(), path: "copy", options: writing)
        var times: [Int64] = [.min, .max]
        for _ in 0..<min(12, model.moments.count) {
            times.append(model.moments[random.below(model.moments.count)].milliseconds + Int64(random.below(3)) - 1)
        }
        try PastLikeness(original: db, copy: copy).check(tables: Self.tables, times: times)
        // And a chronicle of the copy is that of the original: everything has its place.
        if random.chance(1, in: 2) {
            try copy.compact()
            let digest = try db.digest()
            guard try copy.digest() == digest else { throw Violation("compacting the copy changed its documents") }
            for savepoint in try db.savepoints {
                let then = try PastLikeness.contents { try db.state(asOf: .savepoint(savepoint.name)).select(nil, $0) }
                guard try PastLikeness.contents({ try copy.state(asOf: .savepoint(savepoint.name)).select(nil, $0) }) == then else {
                    throw Violation("compacting the copy changed the state of savepoint \(savepoint.name)")
                }
            }
        }
        try copy.close()
    }

    // MARK: Questions

    private mutating func check(samples: Int) throws {
        let last = try db.statistics().lastSequenceNumber
        let present = model.state(last, at: clock.milliseconds, isPresent: true)
        guard try Self.contents({ try db.select(nil, $0) }) == present else { throw Violation("select delivers other documents") }
        for table in Self.tables {
            var loaded: [Key: [UInt8]] = [:]
            for (key, document) in try db.loadAll(table) { loaded[key] = document.array }
            guard loaded == present[table] ?? [:] else { throw Violation("loading delivers other documents") }
            var delivered: [Key: [UInt8]] = [:]
            try db.load(table, into: &delivered)
            guard delivered == loaded else { throw Violation("loading into a dictionary delivers other documents") }
            var replayed: [Key: [UInt8]] = [:]
            try db.replay(table) { replayed[try $0.key] = $0.isDelete ? nil : Array($0.document) }
            guard replayed == loaded else { throw Violation("replay leads to other documents") }
            for key in [.string("k0"), .string("k1"), .integer(0), .integer(1)] as [Key] {
                guard try db.document(table, key) == loaded[key] else { throw Violation("get of \(key) finds something else") }
            }
        }
        let known = Dictionary(uniqueKeysWithValues: try db.savepoints.map { ($0.name, $0.sequenceNumber) })
        guard known == model.savepoints else { throw Violation("savepoints are \(known), not \(model.savepoints)") }
        try checkHistories()
        for name in model.savepoints.keys {
            try check(.savepoint(name), model.savepoints[name]!, model.times(of: model.savepoints[name]!))
        }
        for _ in 0..<samples {
            let sequence = UInt64(random.below(Int(last) + 2))
            try check(
                .sequence(sequence), min(sequence, last), sequence > last ? [clock.milliseconds] : model.times(of: sequence),
                isPresent: sequence > last)
        }
        guard let moment = model.moments.isEmpty ? nil : model.moments[random.below(model.moments.count)] else { return }
        try checkDiff(UInt64(random.below(Int(last) + 1)), UInt64(random.below(Int(last) + 1)))
        try checkTime(moment.milliseconds + Int64(random.below(3)) - 1)
    }

    private func checkHistories() throws {
        for (address, entries) in model.kept where model.tables[address.table].dropped == .max {
            let name = model.tables[address.table].name
            var found = try db.history(of: address.key, in: name).map {
                PastModel.Entry(
                    sequence: $0.sequenceNumber, milliseconds: $0.milliseconds, document: $0.document, expires: $0.expires)
            }
            // The delete in place of one that has expired may stay until the next time.
            while let last = found.last, last.document == nil, model.gone[last.sequence] != nil { found.removeLast() }
            var entries = entries
            while let first = entries.first, first.document == nil, model.gone[first.sequence] != nil { entries.removeFirst() }
            guard found == entries.reversed() else {
                throw Violation(
                    "\(name)/\(address.key) has the versions \(Self.brief(found)), not \(Self.brief(entries.reversed())); \(model.retentions[address.table] ?? .latest)"
                )
            }
        }
    }

    private static func brief(_ entries: [PastModel.Entry]) -> String {
        entries.map { entry in
            let expires = entry.expires.map { " until \($0)" } ?? ""
            return "\(entry.sequence) at \(entry.milliseconds)\(expires)\(entry.document == nil ? " deleted" : "")"
        }.joined(separator: ", ")
    }

    /// - Parameter times: that of the moment; several where only one of them is it.
    private func check(_ moment: Moment, _ sequence: UInt64, _ times: [Int64], isPresent: Bool = false) throws {
        let state = try db.state(asOf: moment)
        guard state.sequenceNumber == sequence else { throw Violation("\(moment) is \(state.sequenceNumber), not \(sequence)") }
        do {
            let found = model.certain(try Self.contents { try state.select(nil, $0) }, sequence)
            guard times.contains(where: { found == model.certain(model.state(sequence, at: $0, isPresent: isPresent), sequence) }) else {
                throw Violation("the state as of \(moment) is another")
            }
        } catch let error as LogDBError where error.code == .historyIncomplete {
            guard !times.allSatisfy({ model.isTold(sequence, at: $0) }) else {
                throw Violation("the state as of \(moment) is not told: \(error)")
            }
        }
        for name in Self.tables {
            // The one of that name that was there then.
            let possible = times.map { model.certain(model.state(sequence, at: $0, isPresent: isPresent), sequence)[name] ?? [:] }
            do {
                var found: [Key: [UInt8]] = [:]
                try state.select(name) { found[try $0.key] = Array($0.document) }
                found = model.certain([name: found], sequence)[name] ?? [:]
                guard let expected = possible.first(where: { $0 == found }) else {
                    throw Violation(
                        "the state of \(name) as of \(moment) has \(found.keys.sorted()), not \(possible[0].keys.sorted()), or other documents"
                    )
                }
                for key in expected.keys.sorted().prefix(2) {
                    guard try state.document(name, key) == expected[key] else { throw Violation("a document as of \(moment) is another") }
                }
            } catch let error as LogDBError where error.code == .historyIncomplete {
                if let table = model.table(name), model.tables[table].created <= sequence,
                    times.allSatisfy({ model.isTold(table, sequence, at: $0) })
                {
                    throw Violation("the state of \(name) as of \(moment) is not told: \(error)")
                }
            }
        }
    }

    /// A difference turns one state into the other, and says nothing that is not needed.
    private func checkDiff(_ from: UInt64, _ to: UInt64) throws {
        // What expires in between is told by the times, which are not always certain.
        let times = (model.times(of: from), model.times(of: to))
        guard times.0.count == 1, times.1.count == 1 else { return }
        var state = model.state(from, at: times.0[0])
        guard state == model.certain(state, from), model.state(to, at: times.1[0]) == model.certain(model.state(to, at: times.1[0]), to)
        else { return }
        do {
            try db.diff(from: .sequence(from), to: .sequence(to)) { operation in
                let (table, key) = (operation.table, try operation.key)
                let old = state[table]?[key]
                if operation.isDelete {
                    guard old != nil else { throw Violation("a difference deletes what is not there") }
                    state[table]?[key] = nil
                } else {
                    guard old != Array(operation.document) else { throw Violation("a difference writes what is there") }
                    state[table, default: [:]][key] = Array(operation.document)
                }
                if state[table]?.isEmpty == true { state[table] = nil }
            }
            guard state == model.state(to, at: times.1[0]) else { throw Violation("the difference of \(from) and \(to) leads elsewhere") }
        } catch let error as LogDBError where error.code == .historyIncomplete {
            guard !model.isTold(from, at: times.0[0]) || !model.isTold(to, at: times.1[0]) else {
                throw Violation("the difference of \(from) and \(to): \(error)")
            }
        }
    }

    /// A table, or one key of it, is what it was; all else stays.
    private mutating func revert() throws {
        let last = try db.statistics().lastSequenceNumber
        let sequence = UInt64(random.below(Int(last) + 1))
        let name = Self.tables[random.below(3)]
        let key = random.chance(1, in: 3) ? key() : nil
        let times = model.times(of: sequence)
        guard times.count == 1 else { return }
        let now = model.state(last, at: clock.milliseconds, isPresent: true)
        guard model.certain(model.state(sequence, at: times[0]), sequence) == model.state(sequence, at: times[0]) else { return }
        // What was there then and has not expired by now.
        let then = (model.state(sequence, at: times[0])[name] ?? [:]).filter { key, document in
            model.all.contains { address, entries in
                address.key == key && model.tables[address.table].name == name
                    && entries.contains { $0.document == document && $0.expires ?? .max > clock.milliseconds }
            }
        }
        let report: RevertReport
        do {
            if let key {
                report = try db.revert(name, key, to: .sequence(sequence))
            } else {
                report = try db.revert(name, to: .sequence(sequence))
            }
        } catch let error as LogDBError where error.code == .historyIncomplete { return }
        var expected = now
        if let key { expected[name, default: [:]][key] = then[key] } else { expected[name] = then }
        if expected[name]?.isEmpty == true { expected[name] = nil }
        guard try Self.contents({ try db.select(nil, $0) }) == expected else {
            throw Violation("\(name) is not what it was at \(sequence)")
        }
        // What was written is noted: the model cannot know the numbers beforehand.
        let after = try db.statistics().lastSequenceNumber
        guard after > last else { return }
        if model.table(name) == nil { model.create(name, last + 1) }
        var changes: [(UInt64, Key, [UInt8]?, Int64?)] = []
        try db.replay { operation in
            if operation.sequenceNumber > last {
                changes.append(
                    (operation.sequenceNumber, try operation.key, operation.isDelete ? nil : Array(operation.document), operation.expires))
            }
        }
        guard UInt64(changes.count) == report.upserts + report.deletes else { throw Violation("\(report), and \(changes.count) are there") }
        for number in last + 1...after { model.note(number, clock.milliseconds) }
        for (number, key, document, expires) in changes {
            model.write(model.table(name)!, key, document, number, clock.milliseconds, expires: expires)
        }
    }

    /// Times stand for numbers; where the clock went back, for the last operation that is left and not later.
    private func checkTime(_ milliseconds: Int64) throws {
        let state = try db.state(asOf: .time(milliseconds: milliseconds))
        let all = model.moments.last { $0.milliseconds <= milliseconds }?.sequence ?? 0
        // Numbers that were used and do not count make no difference.
        guard !model.moments.contains(where: { $0.sequence > all && $0.sequence <= state.sequenceNumber }) else {
            throw Violation("the time \(milliseconds) is operation \(state.sequenceNumber), which is behind \(all)")
        }
        do {
            // Instants of ladders need a clock that does not go back: see LadderTests.
            if try Self.tables.contains(where: { try state.instant(of: $0) != nil }) { return }
            let sequence = state.sequenceNumber
            let found = model.certain(try Self.contents { try state.select(nil, $0) }, sequence)
            guard found == model.certain(model.state(sequence, at: min(milliseconds, clock.milliseconds)), sequence) else {
                throw Violation("the state as of a time is another")
            }
        } catch let error as LogDBError where error.code == .historyIncomplete {}
    }

    private static func contents(_ select: ((borrowing Operation) throws -> Void) throws -> Void) throws -> [String: [Key: [UInt8]]] {
        var result: [String: [Key: [UInt8]]] = [:]
        try select { operation in
            result[operation.table, default: [:]][try operation.key] = Array(operation.document)
        }
        return result
    }
}
