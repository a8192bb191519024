//===--- POSIXRegion.swift - a file of the operating system in memory ------===//
//
// Where a store can never become a signal, and nowhere else:
//
//   * on file systems that write a block back to where it is (ext2 to ext4, tmpfs). One that writes copies - btrfs, ZFS, APFS, F2FS, and XFS, on which
//     a copy of a file may share its blocks - needs room for a store, and has only SIGBUS to say that there is none.
//   * locked in memory (mlock), so that no page ever has to be read again from a disk that may be gone by then. Systems let a process lock
//     some MiB (RLIMIT_MEMLOCK); one that does not has no mapping.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

import CLogDB

/// SAFETY: the mapping is made in init and undone in deinit, so its address never changes. Who uses which bytes when is agreed on by those who
/// hold it, see `MappedRegion`.
@safe final class POSIXRegion: MappedRegion, @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    let byteCount: Int

    /// Maps the first `byteCount` bytes of a file; nil where that cannot be done, or not safely.
    init?(descriptor: Int32, byteCount: Int) {
        guard byteCount > 0, Self.isSafe(descriptor) else { return nil }
        // SAFETY: a new mapping at a place of the system's choosing; MAP_FAILED is checked for.
        let mapping = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else { return nil }
        // Makes every page present and writable, too.
        guard unsafe mlock(mapping, byteCount) == 0 else {
            _ = unsafe munmap(mapping, byteCount)
            return nil
        }
        unsafe start = mapping
        self.byteCount = byteCount
    }

    /// Whether a store to a block that was written never needs another.
    static func isSafe(_ descriptor: Int32) -> Bool { logdb_keeps_blocks_in_place(descriptor) == 1 }

    deinit { _ = unsafe munmap(start, byteCount) }

    func store(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && bytes.byteCount <= byteCount - offset, "a store beyond the region")
        // SAFETY: the target lies inside the mapping, the source in the span.
        unsafe bytes.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe (start + offset).copyMemory(from: address, byteCount: source.count)
        }
    }

    func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) throws(FileError) -> Result) throws(FileError) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "a range beyond the region")
        // SAFETY: the range lies inside the mapping, which lives as long as self; nobody stores to it meanwhile.
        let bytes = unsafe UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
        return try body(unsafe bytes.bytes)
    }
}
