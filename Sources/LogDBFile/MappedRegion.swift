//===--- MappedRegion.swift - the seam to the disk: shared memory ----------===//
//
// The first bytes of a file as memory that outlives the process: a store is visible to every reader of the file at once, and stays when the
// process is killed at any instruction. It is no write: nothing says when, in what order or whether at all it reaches the medium, so after a
// power cut each page is as old or as new as it likes.
//
//   * a store makes no system call, allocates nothing and cannot fail. So a file is mapped only where its blocks are there and stay where they
//     are: elsewhere a full disk would be met in the middle of a store, and would be a signal.
//   * no two threads use the same bytes at once, one of them storing. Keeping them apart, and in order, is the caller's.
//===-----------------------------------------------------------------------===//

package protocol MappedRegion: AnyObject, Sendable {
    var byteCount: Int { get }

    /// Stores `bytes` from `offset` on. They must lie inside the region.
    func store(_ bytes: RawSpan, at offset: Int)

    /// Hands `range` to `body` where it lies.
    func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) throws(FileError) -> Result) throws(FileError) -> Result
}

extension File {
    /// A file that cannot be mapped.
    package func map(_ byteCount: Int) throws(FileError) -> (any MappedRegion)? { nil }
    package func keepsBlocksInPlace() -> Bool { false }
}
