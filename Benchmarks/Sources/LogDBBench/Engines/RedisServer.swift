//===--- RedisServer.swift - redis-server, started for one step ------------===//
//
// A server of its own on a unix socket, without a TCP port, with nothing but the append-only file. It dies with the process that started
// it, however that ends.
//===-----------------------------------------------------------------------===//

import CPeers
import Foundation

final class RedisServer {
    static let program = "redis-server"

    static var unavailable: String? { programPath == nil ? "redis-server is not installed" : nil }

    static var version: String {
        guard let programPath, let text = try? Subprocess.output(of: [programPath, "--version"]) else { return "" }
        // Redis server v=7.0.15 sha=…
        let word = text.split(separator: " ").first { $0.hasPrefix("v=") }
        return word.map { String($0.dropFirst(2)) } ?? text
    }

    private static let programPath: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        let folders: [String] = path.split(separator: ":").map(String.init) + ["/usr/sbin"]
        return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    let process: Int32
    private let socket: String

    /// Returns once the server has loaded what is in the folder and answers.
    init(folder: String, synchronization: String, rewritesByItself: Bool) throws {
        guard let programPath = Self.programPath else { throw SystemFailure(message: "redis-server is not installed") }
        // A socket's path must be short, which the folder's may not be.
        socket = FileManager.default.temporaryDirectory.path + "/logdb-bench.\(getpid()).sock"
        try? FileManager.default.removeItem(atPath: socket)
        process = Subprocess.spawn([
            programPath, "--port", "0", "--unixsocket", socket, "--dir", folder, "--daemonize", "no", "--save", "",
            "--appendonly", "yes", "--appendfsync", synchronization,
            // How often it looks whether a rewrite has ended: a hundred times a second instead of ten.
            "--hz", "100", "--auto-aof-rewrite-percentage", rewritesByItself ? "100" : "0",
        ])
        guard process > 0 else { throw SystemFailure("fork") }
        try waitUntilReady()
    }

    private func waitUntilReady() throws {
        while true {
            var status: Int32 = 0
            guard unsafe waitpid(process, &status, WNOHANG) == 0 else { throw SystemFailure(message: "redis-server ended at once") }
            if let connection = try? RedisConnection(socket), (try? connection.command(["PING"])) == .status("PONG") { return }
            usleep(500)
        }
    }

    func connect() throws -> RedisConnection { try RedisConnection(socket) }

    /// Writes what is buffered, syncs it and ends.
    func stop() throws {
        let connection = try connect()
        // No answer comes: the connection is closed.
        _ = try? connection.command(["SHUTDOWN", "NOSAVE"])
        var status: Int32 = 0
        guard unsafe waitpid(process, &status, 0) == process, status == 0 else {
            throw SystemFailure(message: "redis-server ended with status \(status)")
        }
        try? FileManager.default.removeItem(atPath: socket)
    }
}
