//===--- Directory.swift - the seam to the disk: names ---------------------===//
//
// Contracts only. The engine sees a disk through these two protocols, `Directory` and `File`, and through nothing else.
// ``POSIXDirectory`` is the real one; tests use a simulated disk that forgets exactly what the contracts allow it to forget.
//
// What is durable, and when. A name and the bytes under it are two things, made durable by two calls:
//
//      call                     visible at once   durable after
//      create, rename, remove   yes               sync() of the directory
//      write, allocate, …       yes               sync() of the file
//
//   * POSIX promises no more. After a power cut, of several unsynced names any may be there and any may be missing, in any order.
//     (ext4, XFS and APFS keep them in order, and a synced new file keeps its name; nothing here may depend on it.)
//   * a process that is killed loses nothing: what was visible stays visible.
//   * names are plain: not empty, no slash, no NUL. There are no subdirectories.
//   * every call may be made from any thread at any time.
//===-----------------------------------------------------------------------===//

package enum FileAccess: Sendable {
    case reading
    case readingAndWriting
}

package protocol Directory: AnyObject, Sendable {
    /// Lists the names in the directory, in no particular order, without `.` and `..`. Subdirectories are listed too.
    func list() throws(FileError) -> [String]

    /// Opens an existing regular file.
    ///
    /// - Throws: `.notFound`, `.permissionDenied`, `.isADirectory`, `.tooManyOpenFiles`. Nothing is created.
    func open(_ name: String, for access: FileAccess) throws(FileError) -> any File

    /// Creates an empty file for reading and writing. Never opens an existing one.
    ///
    /// The name is durable after ``sync()`` of this directory, not before and not by syncing the file.
    ///
    /// - Throws: `.alreadyExists`, `.diskFull`, `.permissionDenied`, `.readOnlyFileSystem`; nothing was created.
    func create(_ name: String) throws(FileError) -> any File

    /// Renames a file, atomically replacing one already called `target`. Handles that are open stay valid.
    ///
    /// At any moment, and after a power cut as well, `target` is the old file or the new one, whole. The new one's *bytes* are there
    /// only if it was synced before; which of the two names won is settled by ``sync()``.
    func rename(_ source: String, to target: String) throws(FileError)

    /// Removes a name. A handle that is open keeps the file readable and its blocks occupied until it is closed.
    ///
    /// Until ``sync()`` the name may come back after a power cut.
    func remove(_ name: String) throws(FileError)

    /// Makes every earlier `create`, `rename` and `remove` durable.
    ///
    /// After an error it is unknown which of them are; never try again and believe the answer.
    func sync() throws(FileError)

    /// Takes the exclusive advisory lock of the file called `name`, creating it if need be, and writes this process's number into it.
    ///
    /// The lock lives as long as the returned object and the process; the file stays. A dead process holds no lock, whatever the
    /// file says. Opening the lock file and closing it elsewhere in this process releases nothing.
    ///
    /// - Throws: `.locked(by:)` at once, without waiting, if anyone holds it, this process included.
    func lock(_ name: String) throws(FileError) -> any DirectoryLock

    /// Takes the advisory lock of the existing file called `name`, together with all others who share it; nobody can have it exclusively meanwhile.
    ///
    /// Opens the file for reading only, and changes nothing.
    ///
    /// - Throws: `.notFound`; `.locked` at once if somebody holds it exclusively.
    func lockShared(_ name: String) throws(FileError) -> any DirectoryLock

    /// Returns the bytes an unprivileged process could still allocate. Advice, not a promise.
    func freeBytes() throws(FileError) -> UInt64
}

/// A held lock. Letting go of the last reference releases it too.
package protocol DirectoryLock: AnyObject, Sendable {
    /// Releases the lock; a second call does nothing.
    func release()
}
