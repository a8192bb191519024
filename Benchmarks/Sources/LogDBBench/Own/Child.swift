//===--- Child.swift - what needs a process of its own ---------------------===//
//
//      replay PATH     prints by how many bytes the peak of resident memory grew, and how many operations there were
//      write PATH N    writes one transaction of N operations; prints by how many bytes the peak grew
//      fill PATH       fills the active segment almost to the brim and kills itself with SIGKILL
//
// Growth is the peak after the replay less the resident memory before it, so what the runtime takes at the start does not count.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

enum Child {
    static let option = "--child"

    static func start(_ words: [String]) throws -> String {
        guard let program = Bundle.main.executablePath else { throw SystemFailure(message: "this program does not know its own path") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [option] + words
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func run(_ words: [String]) {
        do {
            switch words.first {
            case "replay": try replay(words[1])
            case "write": try write(words[1], Int(words[2]) ?? 0)
            case "fill": try fill(words[1])
            default: throw SystemFailure(message: "a child without a job")
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    private static func replay(_ path: String) throws {
        let database = try Database.open(at: path, options: Options { $0.access = .readOnly })
        let before = try residentBytes(peak: false)
        var count = 0
        try database.replay { _ in count += 1 }
        print(try residentBytes(peak: true) - before, count)
        try database.close()
    }

    private static func write(_ path: String, _ count: Int) throws {
        let database = try Database.open(at: path)
        let document = Array(#"{"made":"in one transaction, however long it takes"}"#.utf8)
        let transaction = try database.begin()
        try transaction.upsert(Campaign.table, 0, json: document.span)
        let before = try residentBytes(peak: false)
        for index in 1..<Int64(count) { try transaction.upsert(Campaign.table, .integer(index), json: document.span) }
        try transaction.commit(persistence: .disk)
        print(try residentBytes(peak: true) - before)
        try database.close()
    }

    private static func fill(_ path: String) throws {
        let database = try Database.open(at: path)
        let document = [UInt8](repeating: UInt8(ascii: " "), count: 248) + [UInt8](ascii: "{}")
        // 312 bytes a frame, and room is left for deletes at the end of a segment.
        for index in 0..<(32 << 20) / 312 - 1000 {
            try database.upsert(Campaign.table, .integer(Int64(index)), json: document.span, persistence: .process)
        }
        kill(getpid(), SIGKILL)
    }

    /// From /proc, since getrusage's peak on Linux begins with that of the process that started this one.
    private static func residentBytes(peak: Bool) throws -> Int {
        #if os(Linux)
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            for line in status.split(separator: "\n") where line.hasPrefix(peak ? "VmHWM:" : "VmRSS:") {
                let words = line.split { $0 == " " || $0 == "\t" }
                if words.count > 1, let kibibytes = Int(words[1]) { return kibibytes * 1024 }
            }
            throw SystemFailure(message: "/proc/self/status says nothing of memory")
        #else
            var usage = rusage()
            // SAFETY: getrusage fills the structure it is given.
            guard unsafe getrusage(RUSAGE_SELF, &usage) == 0 else { throw SystemFailure("getrusage") }
            return usage.ru_maxrss
        #endif
    }
}

extension [UInt8] {
    fileprivate init(ascii text: String) { self = Array(text.utf8) }
}
