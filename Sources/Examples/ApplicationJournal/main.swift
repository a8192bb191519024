//===--- main.swift - a job that was interrupted ----------------------------===//
//
//      swift run -c release application-journal
//
// A job renames two hundred photos, which takes a while. Whoever is interrupted in it must be able to go on, or to take it back; anything but a folder
// with half of the names. The process is killed with SIGKILL on the way, also while it goes on, and also while it takes back.
//
//   1  the whole plan is written to the journal at `.disk`, before the first file is touched.
//   2  each step looks where its file is, and so may be repeated. No step is taken for done because of a note: the rename may be lost in a power cut
//      when the note is not, and the other way round.
//   3  that it is to be taken back is written as well, at `.disk`, before the first step back: a job does not change its direction at a crash.
//   4  when all is done and the folder is synced, the plan is deleted. A plan in the journal is a job that was interrupted.
//===-----------------------------------------------------------------------===//

import ExampleProof
import Foundation
import LogDB

struct Rename: Codable {
    var from: String
    var to: String
}

struct Job: Codable {
    enum Direction: String, Codable, CaseIterable { case forward, back }

    var steps: [Rename]
    var direction = Direction.forward
}

struct Journal {
    private let database: Database
    private let jobs: Table<String, Job>
    private let folder: String

    init(at path: String, for folder: String) throws {
        database = try Database.open(at: path)
        // What the table has, this program can read, whoever wrote it.
        jobs = try database.table("jobs", String.self, Job.self, schema: Schema(describing: Job.self))
        self.folder = folder
    }

    var unfinished: [String: Job] {
        get throws { Dictionary(uniqueKeysWithValues: try jobs.all().map { ($0.key, $0.document) }) }
    }

    func start(_ name: String, _ steps: [Rename]) throws {
        // On the disk when it returns.
        try jobs.upsert(Job(steps: steps), forKey: name)
        try goOn(name)
    }

    func takeBack(_ name: String) throws {
        guard var job = try jobs.get(name) else { return }
        job.direction = .back
        try jobs.upsert(job, forKey: name)
        try goOn(name)
    }

    /// Brings a job to its end, in the direction that it has.
    func goOn(_ name: String) throws {
        guard let job = try jobs.get(name) else { return }
        for step in job.direction == .forward ? job.steps : job.steps.reversed() {
            let (from, to) = job.direction == .forward ? (step.from, step.to) : (step.to, step.from)
            if FileManager.default.fileExists(atPath: "\(folder)/\(from)") {
                try FileManager.default.moveItem(atPath: "\(folder)/\(from)", toPath: "\(folder)/\(to)")
                Thread.sleep(forTimeInterval: 0.003)
            }
            report(to)
        }
        // The names are on the disk before it is forgotten what they were to be.
        try sync(folder)
        try jobs.delete(name)
    }

    private func sync(_ folder: String) throws {
        let descriptor = unsafe open(folder, O_RDONLY)
        guard descriptor >= 0 else { throw CocoaError(.fileReadNoPermission) }
        defer { Foundation.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func close() throws { try database.close() }
}

// MARK: - The proof

let names = (0..<200).map { "IMG_\(1000 + $0).jpg" }
let newNames = (0..<200).map { "Lisbon \($0 + 1).jpg" }

example("application-journal") { arguments in
    let journal = try Journal(at: arguments[0], for: arguments[1])
    switch arguments[2] {
    case "start": try journal.start("rename", zip(names, newNames).map { Rename(from: $0, to: $1) })
    case "take back": try journal.takeBack("rename")
    default: for name in try journal.unfinished.keys { try journal.goOn(name) }
    }
    try journal.close()
} prove: { folder in
    let (path, photos) = (folder + "/journal.logdb", folder + "/photos")
    try FileManager.default.createDirectory(atPath: photos, withIntermediateDirectories: true)
    for name in names { try Data(name.utf8).write(to: URL(fileURLWithPath: "\(photos)/\(name)")) }

    for (decision, wanted) in [("take back", names), ("go on", newNames)] {
        var kills = 0
        var what = "start"
        var halves: [Int] = []
        while true {
            let ending = try kill(after: what == "start" ? 0.1...0.15 : 0.02...0.1, path, photos, what)
            let there = try FileManager.default.contentsOfDirectory(atPath: photos)
            try require(there.count == names.count, "\(there.count) photos are left of \(names.count)")
            guard ending.wasKilled else { break }
            kills += 1
            halves.append(there.filter { $0.hasPrefix("Lisbon") }.count)
            // Decided once; killed after that, it only goes on, in the direction that is written down.
            what = what == "start" ? decision : "go on"
        }
        let there = try FileManager.default.contentsOfDirectory(atPath: photos)
        try require(kills > 0, "it was over before it could be killed")
        try require(there.sorted() == wanted.sorted(), "\(there.filter { !wanted.contains($0) }.count) photos have the wrong name")
        for (old, now) in zip(names, wanted) {
            let content = try String(contentsOfFile: "\(photos)/\(now)", encoding: .utf8)
            try require(content == old, "\(now) was \(content), not \(old)")
        }
        let journal = try Journal(at: path, for: photos)
        try require(try journal.unfinished.isEmpty, "the journal still has a job")
        try journal.close()
        print(
            "killed \(kills) times with \(halves.map(String.init).joined(separator: ", ")) of 200 photos renamed, then: \(decision). All have the right name"
        )
    }
}
