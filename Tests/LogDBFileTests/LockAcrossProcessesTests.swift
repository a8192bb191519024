//===--- LockAcrossProcessesTests.swift - the lock and other processes -----===//

import Foundation
import LogDBFile
import Testing

#if os(Linux)
    // util-linux's flock takes the same kind of lock.
    @Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/flock"))) struct LockAcrossProcessesTests {
        @Test func `another process's lock is respected, and its death is the end of it`() throws {
            try withTemporaryPath { path in
                let directory = try POSIXDirectory.open(path: path, create: true)
                let holder = Process()
                let pipe = Pipe()
                holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
                // The lock is held by the shell that flock turns into, whose number it writes.
                holder.arguments = ["--no-fork", path + "/LOCK", "/bin/sh", "-c", "echo $$ > '\(path)/LOCK'; echo ready; exec sleep 60"]
                holder.standardOutput = pipe
                try holder.run()
                #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self) == "ready\n")
                expect(.locked(by: holder.processIdentifier)) { try directory.lock("LOCK") }
                kill(holder.processIdentifier, SIGKILL)
                holder.waitUntilExit()
                #expect(!CurrentProcess.isAlive(holder.processIdentifier))
                // The file still names the dead one. It does not matter.
                let lock = try directory.lock("LOCK")
                let file = try directory.open("LOCK", for: .reading)
                #expect(String(decoding: try file.readAll(), as: UTF8.self) == "\(CurrentProcess.pid)\n")
                let refused = try run("/usr/bin/flock", "--nonblock", "--conflict-exit-code", "17", path + "/LOCK", "/bin/true")
                #expect(refused.status == 17)
                lock.release()
                #expect(try run("/usr/bin/flock", "--nonblock", path + "/LOCK", "/bin/true").status == 0)
            }
        }
    }
#endif
