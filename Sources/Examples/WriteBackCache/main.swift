//===--- main.swift - messages, batched to a file, none lost ----------------===//
//
//      swift run -c release write-back-cache
//
// Messages come one by one, and each sender wants to hear at once that its message is safe; they go to a file that is only worth writing in batches.
// Between the two stands an outbox in LogDB. The process is killed with SIGKILL again and again; in the end each message is in the file once, in order.
//
//   1  a message is put into the outbox at `.disk`; then its sender is told.
//   2  a batch is appended to the file, and the file is synced.
//   3  one batch for LogDB: delete these messages, and note how long the file is now. It happens as a whole, or not at all.
//
// Killed between 2 and 3 the file is longer than what is noted, and its messages are still in the outbox. So at its start the program cuts the file to
// what is noted, and writes them again: none lost, none doubled. Without the note they would be doubled, and a reader would have to look at their numbers.
//===-----------------------------------------------------------------------===//

import ExampleProof
import Foundation
import LogDB

struct Message: Codable {
    var text: String
}

struct Archive: Codable {
    /// Of the file, how many bytes count.
    var bytes: UInt64 = 0
    /// The number of the last message in them.
    var lastMessage: Int64 = 0
}

final class WriteBackCache {
    private let database: Database
    private let outbox: Table<Int64, Message>
    private let file: FileHandle
    private var archive: Archive
    /// What is in the outbox, by number. The database is read only when the program starts.
    private var waiting: [Int64: Message] = [:]
    private(set) var lastMessage: Int64

    /// Small, so that the proof often kills it between the file and the note.
    static let batchSize = 4

    init(in folder: String) throws {
        database = try Database.open(at: folder + "/outbox.logdb")
        outbox = database.table("outbox", Int64.self, Message.self)
        try outbox.load(into: &waiting)
        archive = try database.get("state", "archive", as: Archive.self) ?? Archive()
        lastMessage = waiting.keys.max() ?? archive.lastMessage
        let path = folder + "/messages.txt"
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        // A new file is there after a power cut only if its folder was synced. (Whoever made it may have been killed before that.)
        try sync(folder: folder)
        guard let file = FileHandle(forUpdatingAtPath: path) else { throw CocoaError(.fileReadNoPermission) }
        self.file = file
        guard try file.seekToEnd() >= archive.bytes else { throw CocoaError(.fileReadCorruptFile) }
        // What was appended and never noted goes.
        try file.truncate(atOffset: archive.bytes)
    }

    /// Takes a message. It is safe, also from a power cut, when this returns: the database's level is `.disk` unless it says otherwise.
    func accept(_ text: String) throws -> Int64 {
        let message = Message(text: text)
        try outbox.upsert(message, forKey: lastMessage + 1)
        lastMessage += 1
        waiting[lastMessage] = message
        if waiting.count >= Self.batchSize { try writeBack() }
        return lastMessage
    }

    /// Moves what is waiting to the file.
    func writeBack() throws {
        let numbers = waiting.keys.sorted()
        guard let last = numbers.last else { return }
        let text = Data(numbers.map { "\($0) \(waiting[$0]?.text ?? "")\n" }.joined().utf8)
        // Behind what counts; an earlier attempt, on a full disk, may have left something there.
        try file.truncate(atOffset: archive.bytes)
        try file.write(contentsOf: text)
        // Before it is noted that they are there they must be.
        try file.synchronize()
        archive = Archive(bytes: archive.bytes + UInt64(text.count), lastMessage: last)
        var done = Batch()
        for number in numbers { try done.delete("outbox", .integer(number)) }
        try done.upsert("state", "archive", encoding: archive)
        try database.write(done)
        waiting = [:]
    }

    func close() throws {
        try file.close()
        try database.close()
    }
}

func sync(folder: String) throws {
    let descriptor = unsafe open(folder, O_RDONLY)
    guard descriptor >= 0 else { throw CocoaError(.fileReadNoPermission) }
    defer { Foundation.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
}

// MARK: - The proof

example("write-back-cache") { arguments in
    let cache = try WriteBackCache(in: arguments[0])
    while true { report(try cache.accept("message \(cache.lastMessage + 1)")) }
} prove: { folder in
    var told: Int64 = 0
    for round in 1...10 {
        let ending = try kill(after: 0.03...0.2, folder)
        try require(ending.wasKilled && ending.last > told, "nothing was accepted")
        told = Int64(ending.last)
        // Each time: the next process would give a lost message's number to another one, and nobody would ever know.
        let left = try WriteBackCache(in: folder)
        try require((told...told + 1).contains(left.lastMessage), "\(told) were told, \(left.lastMessage) are left")
        try left.close()
        print("killed \(round): \(told) senders were told so far that their message is safe")
    }
    let cache = try WriteBackCache(in: folder)
    try cache.writeBack()
    let accepted = cache.lastMessage
    try cache.close()
    // One more may be there than senders were told, a round: killed between the disk and the report.
    try require((told...told + 1).contains(accepted), "\(told) were told, \(accepted) accepted")
    let lines = try String(contentsOfFile: folder + "/messages.txt", encoding: .utf8).split(separator: "\n")
    try require(lines.count == Int(accepted), "\(lines.count) lines in the file, \(accepted) messages")
    for (index, line) in lines.enumerated() {
        try require(line == "\(index + 1) message \(index + 1)", "line \(index + 1) is \(line)")
    }
    print("\(lines.count) messages in the file: none lost, none doubled, in order")
}
