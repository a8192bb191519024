//===--- POSIXDirectoryTests.swift - what only a real file system shows ----===//

import Foundation
import LogDBFile
import Testing

// Serialized: one test counts this process's descriptors.
@Suite(.serialized) struct POSIXDirectoryTests {
    @Test func `opening a directory tells apart why it cannot be`() throws {
        try withTemporaryPath { path in
            expect(.notFound) { try POSIXDirectory.open(path: path, create: false) }
            expect(.notFound) { try POSIXDirectory.open(path: path + "/deeper", create: true) }
            expect(.invalidName) { try POSIXDirectory.open(path: "", create: true) }
            expect(.invalidName) { try POSIXDirectory.open(path: "a\0b", create: true) }
            expect(.nameTooLong) { try POSIXDirectory.open(path: path + String(repeating: "n", count: 256), create: true) }
            _ = try POSIXDirectory.open(path: path, create: true)
            _ = try POSIXDirectory.open(path: path + "/", create: true)
            try POSIXDirectory.open(path: path, create: false).create("file").close()
            expect(.notADirectory) { try POSIXDirectory.open(path: path + "/file", create: true) }
            expect(.notADirectory) { try POSIXDirectory.open(path: path + "/file", create: false) }
            expect(.notADirectory) { try POSIXDirectory.open(path: path + "/file/x", create: true) }
        }
    }

    @Test func `a directory without permissions is refused, not taken for missing`() throws {
        try withTemporaryPath { path in
            let directory = try POSIXDirectory.open(path: path, create: true)
            try directory.create("a").close()
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path + "/a")
            defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path + "/a") }
            // Root may do everything.
            if getuid() != 0 { expect(.permissionDenied) { try directory.open("a", for: .reading) } }
        }
    }

    @Test func `subdirectories and pipes are not files`() throws {
        try withTemporaryPath { path in
            let directory = try POSIXDirectory.open(path: path, create: true)
            _ = try POSIXDirectory.open(path: path + "/sub", create: true)
            expect(.isADirectory) { try directory.open("sub", for: .reading) }
            expect(.isADirectory) { try directory.open("sub", for: .readingAndWriting) }
            #expect(unsafe mkfifo(path + "/pipe", 0o644) == 0)
            expect(.other) { try directory.open("pipe", for: .reading) }
        }
    }

    @Test func `the parent of a path is found without looking at the disk`() {
        #expect(POSIXDirectory.parentPath(of: "a") == ".")
        #expect(POSIXDirectory.parentPath(of: "a/") == ".")
        #expect(POSIXDirectory.parentPath(of: "a/b") == "a")
        #expect(POSIXDirectory.parentPath(of: "a//b//") == "a")
        #expect(POSIXDirectory.parentPath(of: "/a") == "/")
        #expect(POSIXDirectory.parentPath(of: "//a") == "/")
        #expect(POSIXDirectory.parentPath(of: "/") == "/")
        #expect(POSIXDirectory.parentPath(of: "/a/b") == "/a")
    }

    @Test func `a directory renamed while open stays the same directory`() throws {
        try withTemporaryPath { path in
            let directory = try POSIXDirectory.open(path: path, create: true)
            try FileManager.default.moveItem(atPath: path, toPath: path + "-moved")
            defer { try? FileManager.default.removeItem(atPath: path + "-moved") }
            try directory.create("a").close()
            #expect(try POSIXDirectory.open(path: path + "-moved", create: false).list() == ["a"])
        }
    }

    #if os(Linux)
        @Test func `no way through the house leaks a descriptor, and no child inherits one`() throws {
            func mine(_ path: String) throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
                }.filter { $0.hasPrefix(path) }
            }
            try withTemporaryPath { path in
                do {
                    let directory = try POSIXDirectory.open(path: path, create: true)
                    _ = try POSIXDirectory.open(path: path + "/sub", create: true)
                    let closed = try directory.create("a")
                    let dropped = try directory.open("a", for: .reading)
                    let lock = try directory.lock("LOCK")
                    #expect(try mine(path).count == 4)
                    let child = try run("/bin/ls", "-l", "/proc/self/fd")
                    #expect(!child.output.contains(path))
                    expect(.locked(by: CurrentProcess.pid)) { try directory.lock("LOCK") }
                    expect(.alreadyExists) { try directory.create("a") }
                    expect(.isADirectory) { try directory.open("sub", for: .reading) }
                    for _ in 0..<10 { _ = try directory.list() }
                    try closed.close()
                    _ = dropped.name
                    _ = lock
                }
                #expect(try mine(path) == [])
            }
        }
    #endif
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: String...) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}
