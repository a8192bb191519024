//===--- main.swift - a million page views, and a slow store ----------------===//
//
//      swift run -c release durable-counter
//
// Views of ten pages are counted, a million in all, while a slow store, which takes 20 ms for a write, is brought up to date now and then. The process
// is killed with SIGKILL again and again until the million is full. No view that was reported is missing, none is counted twice, and the store has the
// same counts in the end.
//
//   * a step is one write of a microsecond at `.interval`: it survives the process at once, and a power cut after 100 milliseconds.
//   * the store gets counts, not steps, so a write that is repeated after a crash does no harm.
//   * before the store gets a count, `flush()` takes it to the disk: so the store is never ahead of the log, also after a power cut.
//===-----------------------------------------------------------------------===//

import ExampleProof
import Foundation
import LogDB

let pageCount = 10
let wanted = 1_000_000

/// Something that takes its time: a service far away, or a database with a transaction for each write. Here one small file a page.
struct SlowStore {
    let folder: String

    func write(_ count: Int64, for page: Int) throws {
        Thread.sleep(forTimeInterval: 0.02)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("\(count)".utf8).write(to: URL(fileURLWithPath: "\(folder)/page-\(page)"), options: .atomic)
    }

    func read(_ page: Int) -> Int64 {
        let text = try? String(contentsOfFile: "\(folder)/page-\(page)", encoding: .utf8)
        return text.flatMap { Int64($0) } ?? 0
    }
}

/// The counts of all pages, each a document of its own.
struct PageViews: Sendable {
    let database: Database
    let counters: [Counter]

    init(at path: String) throws {
        let database = try Database.open(at: path, options: Options { $0.persistence = .interval(.milliseconds(100)) })
        self.database = database
        // Each is read once, here; a step is a write and no read.
        counters = try (0..<pageCount).map { try database.counter("pages", .integer(Int64($0)), field: "views") }
    }

    var total: Int { counters.reduce(0) { $0 + Int($1.value) } }

    /// Brings the store up to date. Meanwhile counting goes on: what is counted then comes the next time.
    func write(to store: SlowStore) throws {
        for (page, counter) in counters.enumerated() {
            let count = counter.value
            guard store.read(page) != count else { continue }
            try database.flush(to: .disk)
            try store.write(count, for: page)
        }
    }
}

// MARK: - The proof

example("durable-counter") { arguments in
    let views = try PageViews(at: arguments[0])
    let store = SlowStore(folder: arguments[1])
    Thread.detachNewThread {
        while true { do { try views.write(to: store) } catch { exit(2) } }
    }
    // Reported each thousand: a report costs more than a view.
    for number in views.total..<wanted {
        try views.counters[number % pageCount].increment()
        if (number + 1) % 1000 == 0 { report(number + 1) }
    }
    try views.database.flush(to: .disk)
} prove: { folder in
    let (path, store) = (folder + "/views.logdb", SlowStore(folder: folder + "/store"))
    var (kills, before) = (0, 0)
    while true {
        let ending = try kill(after: 0.1...0.3, path, store.folder)
        let views = try PageViews(at: path)
        let total = views.total
        // Up to a thousand more than were reported, as only each thousand is.
        let told = max(ending.last, before)
        try require((told...told + 1000).contains(total), "\(told) were reported, \(total) are kept")
        before = total
        for (page, counter) in views.counters.enumerated() {
            // The log is in order: what is kept is the beginning of what was counted, without holes.
            let expected = Int64((total - page + pageCount - 1) / pageCount)
            try require(counter.value == expected, "page \(page) has \(counter.value) views of \(total), not \(expected)")
            try require(store.read(page) <= counter.value, "the store is ahead of the log")
        }
        if ending.wasKilled {
            kills += 1
            print(
                "killed \(kills): \(total) views kept, \(ending.last) reported; the store knows of \((0..<pageCount).reduce(0) { $0 + store.read($1) })"
            )
        } else {
            try views.write(to: store)
            let stored = (0..<pageCount).reduce(0) { $0 + store.read($1) }
            try require(total == wanted && stored == Int64(wanted), "\(total) views kept, \(stored) in the store, \(wanted) counted")
            try views.database.close()
            print("the million is full after \(kills) kills: none lost, none doubled, and the store has all of them")
            return
        }
        try views.database.close()
    }
}
