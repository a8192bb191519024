//===--- DirectoryContractTests.swift - what every Directory must do -------===//

import LogDBFile
import LogDBSimulation
import Testing

@Suite struct DirectoryContractTests {
    @Test(arguments: Implementation.allCases)
    func `names come and go`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            #expect(try directory.list() == [])
            try directory.create("a").close()
            try directory.create("b").close()
            #expect(try directory.list().sorted() == ["a", "b"])
            try directory.rename("a", to: "c")
            try directory.remove("b")
            #expect(try directory.list() == ["c"])
            try directory.sync()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `creating never opens what is there`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            try directory.create("a").close()
            expect(.alreadyExists) { try directory.create("a") }
        }
    }

    @Test(arguments: Implementation.allCases)
    func `opening, removing and renaming what is missing says so and creates nothing`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            expect(.notFound) { try directory.open("a", for: .reading) }
            expect(.notFound) { try directory.open("a", for: .readingAndWriting) }
            expect(.notFound) { try directory.remove("a") }
            expect(.notFound) { try directory.rename("a", to: "b") }
            let names = try directory.list()
            #expect(names == [])
        }
    }

    @Test(arguments: Implementation.allCases)
    func `renaming replaces the target, and open handles follow their file`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let old = try directory.create("target")
            try old.writeFully([1], at: 0)
            let new = try directory.create("new")
            try new.writeFully([2], at: 0)
            try directory.rename("new", to: "target")
            #expect(try directory.list() == ["target"])
            #expect(try old.readAll() == [1])
            let seen = try directory.open("target", for: .reading)
            #expect(try seen.readAll() == [2])
            #expect(new.name == "new")
            try old.close()
            try new.close()
            try seen.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a removed file stays usable through its handle, and its name can be given anew`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            try file.writeFully([1, 2], at: 0)
            try directory.remove("a")
            let second = try directory.create("a")
            try file.writeFully([3], at: 2)
            #expect(try file.readAll() == [1, 2, 3])
            #expect(try second.readAll() == [])
            try file.close()
            try second.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `names that are not plain are refused`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            for name in ["", ".", "..", "a/b", "/a", "a\0b"] {
                expect(.invalidName) { try directory.create(name) }
                expect(.invalidName) { try directory.open(name, for: .reading) }
                expect(.invalidName) { try directory.remove(name) }
                expect(.invalidName) { try directory.rename(name, to: "b") }
                expect(.invalidName) { try directory.rename("b", to: name) }
                expect(.invalidName) { try directory.lock(name) }
            }
            expect(.nameTooLong) { try directory.create(String(repeating: "n", count: 256)) }
            let names = try directory.list()
            #expect(names == [])
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a second lock fails at once and names the holder, until the first is released`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let lock = try directory.lock("LOCK")
            let holder = kind == .posix ? CurrentProcess.pid : SimulatedDisk.Settings().pid
            expect(.locked(by: holder)) { try directory.lock("LOCK") }
            lock.release()
            lock.release()
            let second = try directory.lock("LOCK")
            #expect(try directory.list() == ["LOCK"])
            // Reading the lock file and closing it must not release it, as it would with fcntl locks.
            let file = try directory.open("LOCK", for: .reading)
            #expect(String(decoding: try file.readAll(), as: UTF8.self) == "\(holder)\n")
            try file.close()
            expect(.locked(by: holder)) { try directory.lock("LOCK") }
            second.release()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `letting go of a lock releases it`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            for _ in 0..<3 { _ = try directory.lock("LOCK") }
        }
    }

    @Test(arguments: Implementation.allCases)
    func `free space is more than nothing`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let free = try directory.freeBytes()
            #expect(free > 0)
        }
    }
}
