//===--- main.swift - settings that are never lost --------------------------===//
//
//      swift run -c release desktop-settings
//
// The settings of a desktop application: a few `Codable` types, saved whenever one of them changes, also while a window is being dragged. The process is
// killed with SIGKILL in the middle of that. The settings are those of the last change, whole, and the next version of the application reads them.
//
//   * there is no file that is written anew and no moment at which it is empty: a change is appended to a log.
//   * `.interval(.seconds(1))`: what was set survives the process at once and a power cut one second later; and a laptop's disk is not synced a hundred
//     times a second for a window. For what took the user work, `.disk`.
//   * what belongs together is one batch: the list of recent files and the file that is open.
//   * members that were added later are optional, or read with a default: a settings file is older than the application more often than not.
//===-----------------------------------------------------------------------===//

import ExampleProof
import Foundation
import LogDB
import Synchronization

/// A part of the settings, kept under a name.
protocol SettingsPart: Codable, Equatable {
    static var name: Key { get }
    /// As long as nothing was set.
    init()
}

struct Window: SettingsPart {
    static let name: Key = "window"
    var x = 100
    var y = 100
    var isFullScreen = false
}

struct Recent: SettingsPart {
    static let name: Key = "recent"
    var files: [String] = []
}

struct Session: SettingsPart {
    static let name: Key = "session"
    var openFile: String?
}

/// Version 2 of the application has one member more.
struct WindowOfVersion2: SettingsPart {
    static let name: Key = "window"
    var x = 100
    var y = 100
    var isFullScreen = false
    var sidebarWidth: Int?
}

struct Settings {
    private let database: Database

    init(at path: String) throws {
        database = try Database.open(at: path, options: Options { $0.persistence = .interval(.seconds(1)) })
    }

    func get<Part: SettingsPart>(_ type: Part.Type = Part.self) throws -> Part {
        try database.get("settings", Part.name, as: Part.self) ?? Part()
    }

    func set(_ part: some SettingsPart, persistence: Persistence? = nil) throws {
        try database.upsert("settings", type(of: part).name, encoding: part, persistence: persistence)
    }

    /// Two parts, of which both are there or none is.
    func openFile(_ file: String) throws {
        var recent = try get(Recent.self)
        recent.files = [file] + recent.files.filter { $0 != file }.prefix(9)
        var change = Batch()
        try change.upsert("settings", Recent.name, encoding: recent)
        try change.upsert("settings", Session.name, encoding: Session(openFile: file))
        try database.write(change)
    }

    /// How many there have been.
    var operations: Int { get throws { Int(try database.statistics().lastSequenceNumber) } }

    func close() throws { try database.close() }
}

// MARK: - The proof

/// Where the window is after so many steps, and which file is open.
func window(after step: Int) -> Window { Window(x: 100 + step, y: 100 - step, isFullScreen: step % 2 == 1) }
func file(after step: Int) -> String { "chapter-\(step / 2 % 12).txt" }

/// Opens the settings beside the application, again and again: what belongs together is never seen apart. (A kill between two writes is rare, and would
/// hardly ever find out.)
final class Onlooker: Sendable {
    private let path: String
    private let state = Mutex((looks: 0, problem: String?.none))

    init(at path: String) {
        self.path = path
        Thread.detachNewThread { [self] in
            while state.withLock({ $0.problem == nil }) { look() }
        }
    }

    private func look() {
        // Not there yet, or being opened by the next process.
        guard let database = try? Database.open(at: path, options: Options { $0.access = .readOnly }) else { return }
        defer { try? database.close() }
        do {
            let recent = try database.get("settings", Recent.name, as: Recent.self)
            let session = try database.get("settings", Session.name, as: Session.self)
            state.withLock {
                $0.looks += 1
                if recent?.files.first != session?.openFile {
                    $0.problem =
                        "\(recent?.files.first ?? "nothing") is the most recent file, and \(session?.openFile ?? "nothing") is open"
                }
            }
        } catch { state.withLock { $0.problem = "\(error)" } }
    }

    /// How often it has looked. Throws what it saw that must not be.
    func check() throws -> Int {
        let (looks, problem) = state.withLock { $0 }
        try require(problem == nil, "seen while the application ran: \(problem ?? "")")
        return looks
    }
}

example("desktop-settings") { arguments in
    let settings = try Settings(at: arguments[0])
    var step = try settings.get(Window.self).x - 100
    while true {
        // Again, where the last process was killed before it.
        if step % 2 == 0 { try settings.openFile(file(after: step)) }
        step += 1
        try settings.set(window(after: step))
        report(step)
    }
} prove: { folder in
    let path = folder + "/settings.logdb"
    let onlooker = Onlooker(at: path)
    for round in 1...6 {
        let ending = try kill(after: 0.05...0.3, path)
        let settings = try Settings(at: path)
        let found = try settings.get(Window.self)
        let step = found.x - 100
        try require(ending.wasKilled && (ending.last...ending.last + 1).contains(step), "step \(ending.last) was reported, \(step) is kept")
        try require(found == window(after: step), "the window is \(found): that it never was")
        let (recent, session) = (try settings.get(Recent.self), try settings.get(Session.self))
        try require(recent.files.first == session.openFile && recent.files.count <= 10, "\(recent) does not go with \(session)")
        // The file of these two steps; or of those before, where the first of these was not made any more.
        let possible = [file(after: step), file(after: max(0, step - 1))]
        try require(possible.contains(session.openFile ?? ""), "\(session) is open after step \(step)")
        // A later setting hides one that got lost, but each is an operation: one a step, and two more for each second step.
        let operations = try settings.operations
        try require(operations >= 2 * step, "there were \(operations) operations, of \(step) steps")
        let later = try settings.get(WindowOfVersion2.self)
        try require(later.x == found.x && later.sidebarWidth == nil, "version 2 reads \(later)")
        try settings.close()
        print(
            "killed \(round): the window is where it was at step \(step), \(session.openFile ?? "nothing") is open, and first of \(recent.files.count) recent files"
        )
    }
    let looks = try onlooker.check()
    try require(looks >= 10, "there were \(looks) looks from outside: too few to say anything")
    print("seen from outside \(looks) times: the most recent file was always the one that was open")
}
