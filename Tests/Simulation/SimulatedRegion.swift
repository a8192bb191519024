//===--- SimulatedRegion.swift - mapped memory of the simulated disk -------===//
//
// A store goes to the file's page cache, and is an operation: what it leaves is seen by a kill exactly, by a power cut sector by sector, old,
// new or something in between. No fault meets it, as none can.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class SimulatedRegion: MappedRegion {
    private let disk: SimulatedDisk
    /// Keeps the inode.
    private let file: SimulatedFile
    private let inode: Int
    let byteCount: Int

    init(_ disk: SimulatedDisk, _ file: SimulatedFile, inode: Int, byteCount: Int) {
        self.disk = disk
        self.file = file
        self.inode = inode
        self.byteCount = byteCount
    }

    func store(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && bytes.byteCount <= byteCount - offset, "a store beyond the region")
        // SAFETY: the inode copies the range it is given.
        unsafe bytes.withUnsafeBytes { source in
            // Behind the crash there is nobody to store.
            try? disk.perform(.store, file.name) { state, _ in unsafe state.volume.inodes[inode]?.write(source, at: offset) }
        }
    }

    func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) throws(FileError) -> Result) throws(FileError) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "a range beyond the region")
        let bytes = disk.state.withLock { state in
            state.volume.inodes[inode]?.current.bytes(range) ?? [UInt8](repeating: 0, count: range.count)
        }
        let span = bytes.span
        // SAFETY: a byte has no padding.
        return try body(unsafe span.bytes)
    }
}
