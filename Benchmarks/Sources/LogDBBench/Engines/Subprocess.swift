//===--- Subprocess.swift - other programs, and this one again -------------===//

import CPeers
import Foundation

enum Subprocess {
    /// Starts a program that dies with this process; its id, or -1.
    static func spawn(_ words: [String]) -> Int32 {
        // SAFETY: the strings and the array stand until the child has its own copy of everything, which it has when fork returns.
        var pointers: [UnsafePointer<CChar>?] = unsafe words.map { unsafe UnsafePointer(strdup($0)) }
        defer { unsafe pointers.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { unsafe machine_spawn($0.baseAddress!) }
    }

    /// What a program prints.
    static func output(of words: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
