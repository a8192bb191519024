//===--- FileContractTests.swift - what every File must do -----------------===//

import LogDBFile
import LogDBSimulation
import Testing

@Suite struct FileContractTests {
    @Test(arguments: Implementation.allCases)
    func `what was written reads back, at any offset and across pages`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            let bytes = pattern(10_000)
            try file.writeFully(bytes, at: 777)
            #expect(try file.size() == 10_777)
            #expect(try file.read(at: 777, count: 10_000) == bytes)
            #expect(try file.read(at: 5000, count: 100) == Array(bytes[4223..<4323]))
            #expect(try file.readAll() == [UInt8](repeating: 0, count: 777) + bytes)
            try file.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `reading stops at the end of the file`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            try file.writeFully([1, 2, 3], at: 0)
            #expect(try file.read(at: 1, count: 100) == [2, 3])
            #expect(try file.read(at: 3, count: 1) == [])
            #expect(try file.read(at: .max, count: .max) == [])
            var buffer: [UInt8] = [9, 9, 9, 9, 9]
            #expect(try file.readFully(into: &buffer, at: 1) == 2)
            #expect(buffer == [2, 3, 9, 9, 9])
            var bytes = buffer.mutableSpan
            var raw = unsafe bytes.mutableBytes
            #expect(try file.read(into: &raw, at: 1 << 63) == 0)
            try file.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a write beyond the largest offset is a full disk, not a trap`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            expect(.diskFull) { try file.writeFully([1], at: .max) }
            expect(.diskFull) { try file.allocate(.max) }
            expect(.diskFull) { try file.truncate(to: .max) }
            try file.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `allocating extends with zeros and never shortens`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            try file.writeFully([1, 2, 3], at: 0)
            try file.allocate(65536)
            #expect(try file.size() == 65536)
            #expect(try file.readAll() == [1, 2, 3] + [UInt8](repeating: 0, count: 65533))
            try file.allocate(10)
            try file.allocate(0)
            #expect(try file.size() == 65536)
            try file.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `what truncation cut off does not come back when the file grows again`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            try file.writeFully(pattern(5000), at: 0)
            try file.truncate(to: 100)
            try file.truncate(to: 5000)
            #expect(try file.readAll() == Array(pattern(5000)[..<100]) + [UInt8](repeating: 0, count: 4900))
            try file.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a closed file refuses every call and closes again without complaint`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            try file.close()
            try file.close()
            expect(.closed) { try file.size() }
            expect(.closed) { try file.read(at: 0, count: 1) }
            expect(.closed) { try file.writeFully([1], at: 0) }
            expect(.closed) { try file.allocate(1) }
            expect(.closed) { try file.truncate(to: 1) }
            expect(.closed) { try file.sync() }
        }
    }

    @Test(arguments: Implementation.allCases)
    func `a file opened for reading is not written`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            try directory.create("a").close()
            let file = try directory.open("a", for: .reading)
            #expect(throws: FileError.self) { try file.writeFully([1], at: 0) }
            #expect(try file.size() == 0)
            try file.close()
        }
    }

    @Test(arguments: Implementation.allCases)
    func `many threads use one file at once, and closing it waits for them`(_ kind: Implementation) throws {
        try kind.withDirectory { directory in
            let file = try directory.create("a")
            let threads = try (0..<4).map { index in
                try BackgroundThread(name: "writer \(index)") {
                    for round in 0..<200 {
                        let offset = UInt64(index * 200 + round) * 64
                        do {
                            try file.writeFully([UInt8](repeating: UInt8(index + 1), count: 64), at: offset)
                            if round % 50 == 0 { try file.sync() }
                        } catch { Issue.record("\(error)") }
                    }
                }
            }
            for thread in threads { thread.join() }
            let expected = (0..<4).flatMap { [UInt8](repeating: UInt8($0 + 1), count: 200 * 64) }
            #expect(try file.readAll() == expected)

            let late = try BackgroundThread(name: "late") {
                while (try? file.writeFully([1], at: 0)) != nil {}
            }
            try file.close()
            late.join()
        }
    }
}
