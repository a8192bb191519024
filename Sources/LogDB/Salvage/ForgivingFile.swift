//===--- ForgivingFile.swift - a file on a disk that cannot read all of it ----===//
//
// A sector that the disk refuses to read (EIO) reads as zeros here, and is remembered. No checksum holds over it, so it becomes a loss like any
// other; without this one bad sector would end the salvage. Only reading: nothing that changes a file is passed on.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class ForgivingFile: File {
    /// What the smallest disks call a sector, and systems a page.
    private static let sector = 4096

    private let base: any File
    private let length: UInt64
    private let refused: Monitor<Set<UInt64>>

    /// - Parameter refused: takes the numbers of the sectors that could not be read.
    init(_ base: any File, size: UInt64, refused: Monitor<Set<UInt64>>) {
        self.base = base
        length = size
        self.refused = refused
    }

    var name: String { base.name }

    /// As when the salvage began.
    func size() throws(FileError) -> UInt64 { length }

    func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int {
        guard offset < length else { return 0 }
        let wanted = min(buffer.byteCount, Int(clamping: length - offset))
        var all = buffer._mutatingExtracting(0..<wanted)
        do throws(FileError) { return try base.read(into: &all, at: offset) } catch {
            guard error.code == .inputOutput else { throw error }
        }
        // To the end of the sector, on its own.
        let count = min(wanted, Self.sector - Int(offset % UInt64(Self.sector)))
        var rest = buffer._mutatingExtracting(0..<count)
        do throws(FileError) { return try base.read(into: &rest, at: offset) } catch {
            guard error.code == .inputOutput else { throw error }
            // SAFETY: a byte may hold anything, zero too.
            unsafe rest.withUnsafeMutableBytes { bytes in for index in 0..<count { unsafe bytes[index] = 0 } }
            refused.withLock { _ = $0.insert(offset / UInt64(Self.sector)) }
            return count
        }
    }

    private func refusal(_ operation: FileOperation) -> FileError { FileError(.readOnlyFileSystem, operation: operation, name: name) }
    func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int { throw refusal(.write) }
    func allocate(_ byteCount: UInt64) throws(FileError) { throw refusal(.allocate) }
    func deallocate(_ range: Range<UInt64>) {}
    func truncate(to byteCount: UInt64) throws(FileError) { throw refusal(.truncate) }
    func sync() throws(FileError) { throw refusal(.sync) }
    func close() throws(FileError) { try base.close() }
}
