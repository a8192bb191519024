//===--- File.swift - the seam to the disk: bytes --------------------------===//
//
// Contracts only. The requirements are single attempts, as the system offers them: a read or a write may transfer less than asked
// and may be interrupted. The loops that make them whole stand once, in FileLoops.swift, so the simulated disk exercises the
// very loops that run in production.
//
//   * positional: there is no cursor, so any number of threads may use one file at once.
//   * a write is atomic towards nothing: a crash may keep any subset of its sectors, and part of one.
//   * bytes never written read as zeros.
//===-----------------------------------------------------------------------===//

package protocol File: AnyObject, Sendable {
    /// The name the file was opened or created under; a later rename does not change it.
    var name: String { get }

    /// Returns the file's size in bytes, unsynced writes included.
    func size() throws(FileError) -> UInt64

    /// Reads once, at most `buffer.byteCount` bytes.
    ///
    /// - Returns: how many bytes were read: fewer than asked is no error, 0 is the end of the file (or an empty buffer).
    /// - Throws: `.interrupted` (nothing was read), `.inputOutput`.
    func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int

    /// Writes once, at most all of `bytes`, extending the file where needed.
    ///
    /// - Returns: how many bytes were written, from the front.
    /// - Throws: `.interrupted` (nothing was written), `.diskFull`, `.inputOutput`. After the last, what the range holds is unknown.
    func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int

    /// Reserves blocks for the first `byteCount` bytes, and extends the size to `byteCount` if it is less. New bytes read as zeros.
    ///
    /// Where the file system cannot reserve, only the size is set; a later write may then still find the disk full. On a copy-on-write
    /// file system a reservation is no promise either.
    ///
    /// - Throws: `.diskFull`; the size may or may not have grown.
    func allocate(_ byteCount: UInt64) throws(FileError)

    /// Sets the size. Bytes cut off are gone, bytes added read as zeros and have no blocks.
    func truncate(to byteCount: UInt64) throws(FileError)

    /// Gives the blocks of `range` back to the disk; its bytes read as zeros, the size stays. For what is being used up while more is written.
    ///
    /// Advice: where the file system cannot do it, the blocks stay until the file goes. Only whole blocks inside the range are given back.
    func deallocate(_ range: Range<UInt64>)

    /// Makes every write, allocation and truncation that *returned before this call began* durable: bytes and size, not the name.
    ///
    /// After an error the bytes' fate is unknown and **stays** unknown: the system may have marked them clean, and a second sync would
    /// then succeed without having written them (PostgreSQL's "fsyncgate", 2018). Never retry on the same file.
    func sync() throws(FileError)

    /// Whether a block that was written once is written to the same place ever after, so that it needs no room; false where that is not known.
    func keepsBlocksInPlace() -> Bool

    /// Maps the first `byteCount` bytes, which the file must have, all of them written and synced, for as long as the region lives. Closing or
    /// removing the file does not end that.
    ///
    /// - Returns: nil where a store could ever fail, see ``MappedRegion``.
    func map(_ byteCount: Int) throws(FileError) -> (any MappedRegion)?

    /// Closes the handle; a second call does nothing. Letting go of the last reference closes too, but swallows the error.
    ///
    /// Closing makes nothing durable. Calls after it throw `.closed`; calls *during* it on other threads finish first.
    ///
    /// - Throws: what the system reported; the handle is closed all the same.
    func close() throws(FileError)
}
