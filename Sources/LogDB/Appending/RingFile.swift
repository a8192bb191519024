//===--- RingFile.swift - making the ring, and doing without ---------------===//
//
// A ring is made when a session's writes are worth one, and goes with the session. Before a store touches it every byte of it was written
// and synced: its blocks are there for good, and a full disk cannot be met (see MappedRegion). Where anything about that fails, or the
// file system is none on which it holds, there is no ring, and appending stays positional: that is slower, and nothing else.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

enum RingFile {
    /// Makes the ring of a database; nil where that cannot be done.
    static func make(in directory: any Directory, database: FileHeader.DatabaseIdentity, capacity: Int) -> (any MappedRegion)? {
        do throws(FileError) {
            do throws(FileError) { try directory.remove(FileNames.ring) } catch { guard error.code == .notFound else { throw error } }
            let file = try directory.create(FileNames.ring)
            if let region = try fill(file, database: database, capacity: capacity) { return region }
        } catch {}
        remove(from: directory)
        return nil
    }

    private static func fill(
        _ file: any File, database: FileHeader.DatabaseIdentity, capacity: Int
    ) throws(FileError) -> (any MappedRegion)? {
        let size = RingHeader.origin + capacity
        // Asked before it is made as large as it will be: most refusals are the file system's.
        try file.writeFully([UInt8](repeating: 0, count: RingHeader.origin), at: 0)
        guard try file.map(RingHeader.origin) != nil else { return nil }
        try file.allocate(UInt64(size))
        let zeros = [UInt8](repeating: 0, count: min(capacity, 1 << 20))
        var offset = RingHeader.origin
        while offset < size {
            let count = min(zeros.count, size - offset)
            try file.writeFully(zeros.span.extracting(..<count), at: UInt64(offset))
            offset += count
        }
        var header = ByteBuffer()
        RingHeader(database: database, identity: .random(in: 1 ... .max), capacity: UInt64(capacity)).append(to: &header)
        try file.writeFully(header.span, at: 0)
        try file.sync()
        return try file.map(size)
    }

    static func remove(from directory: any Directory) { try? directory.remove(FileNames.ring) }
}
