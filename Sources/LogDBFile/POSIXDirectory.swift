//===--- POSIXDirectory.swift - a directory of the operating system --------===//
//
// Opened once; every name is resolved against that one descriptor (openat, renameat, unlinkat). So a directory that is renamed while
// open stays the same directory, and "which directory must be synced?" has one answer.
//
//   * every descriptor is close-on-exec: a child process must not inherit the lock.
//   * files are made 0644 and directories 0755, less the umask.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

package final class POSIXDirectory: Directory {
    package let path: String
    private let descriptor: FileDescriptor

    private init(_ descriptor: consuming FileDescriptor, path: String) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Opens the directory at `path`.
    ///
    /// - Parameter create: makes the last component if it is missing, and syncs its parent so that it stays. The parents must exist.
    /// - Throws: `.notFound`, `.notADirectory`, `.permissionDenied`, `.nameTooLong`, `.invalidName` (empty, or with a NUL byte).
    package static func open(path: String, create: Bool) throws(FileError) -> POSIXDirectory {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw FileError(.invalidName, operation: .openDirectory, name: path) }
        if create { try make(path) }
        return POSIXDirectory(try openDescriptor(path), path: path)
    }

    /// Whether both are the same directory, by whatever paths they were opened.
    package func isSame(as other: POSIXDirectory) throws(FileError) -> Bool {
        var mine = stat()
        var theirs = stat()
        // SAFETY: fstat fills the structures it is given.
        guard unsafe fstat(descriptor.number, &mine) == 0, unsafe fstat(other.descriptor.number, &theirs) == 0 else {
            throw FileError(errno: errno, operation: .openDirectory, name: path)
        }
        return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
    }

    /// The system's folder for temporary files, TMPDIR or /tmp; nil if it cannot be opened.
    package static func temporary() -> POSIXDirectory? {
        // SAFETY: getenv's text is copied at once.
        let path = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        return try? open(path: path.isEmpty ? "/tmp" : path, create: false)
    }

    private static func make(_ path: String) throws(FileError) {
        let made = unsafe mkdir(path, 0o755) == 0
        let reason = made ? 0 : errno
        guard made || reason == EEXIST else { throw FileError(errno: reason, operation: .makeDirectory, name: path) }
        // Also when it was there: whoever made it may have died before this line.
        do throws(FileError) {
            let parent = try openDescriptor(parentPath(of: path))
            let reason = syncDescriptor(parent.number, isDirectory: true)
            guard reason == 0 else { throw FileError(errno: reason, operation: .syncDirectory, name: parentPath(of: path)) }
        } catch {
            // A parent we may use but not read is no obstacle to a directory made long ago.
            if !made, error.code == .permissionDenied { return }
            throw error
        }
    }

    private static func openDescriptor(_ path: String) throws(FileError) -> FileDescriptor {
        #if canImport(Darwin)
            let (number, reason) = repeatingInterrupted { unsafe Darwin.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        #elseif canImport(Glibc)
            let (number, reason) = repeatingInterrupted { unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        #else
            let (number, reason) = repeatingInterrupted { unsafe Musl.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        #endif
        guard reason == 0 else { throw FileError(errno: reason, operation: .openDirectory, name: path) }
        return FileDescriptor(owning: number)
    }

    package static func parentPath(of path: String) -> String {
        var rest = path[...]
        while rest.count > 1, rest.last == "/" { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        while let last = rest.last, rest.index(before: rest.endIndex) > slash, last != "/" { rest.removeLast() }
        while rest.count > 1, rest.last == "/" { rest.removeLast() }
        return String(rest)
    }

    package func open(_ name: String, for access: FileAccess) throws(FileError) -> any File {
        // O_NONBLOCK: opening a FIFO somebody put there must not hang; for a regular file it means nothing.
        let flags = (access == .reading ? O_RDONLY : O_RDWR) | O_NONBLOCK
        let descriptor = try openAt(name, flags, .open)
        var status = stat()
        // SAFETY: fstat fills the structure it is given.
        guard unsafe fstat(descriptor.number, &status) == 0 else { throw FileError(errno: errno, operation: .open, name: name) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return POSIXFile(descriptor, name: name)
        case S_IFDIR: throw FileError(.isADirectory, operation: .open, name: name)
        default: throw FileError(errno: EINVAL, operation: .open, name: name)
        }
    }

    package func create(_ name: String) throws(FileError) -> any File {
        POSIXFile(try openAt(name, O_RDWR | O_CREAT | O_EXCL, .create), name: name)
    }

    package func rename(_ source: String, to target: String) throws(FileError) {
        try checkName(source, .rename)
        try checkName(target, .rename)
        guard unsafe renameat(descriptor.number, source, descriptor.number, target) == 0 else {
            throw FileError(errno: errno, operation: .rename, name: source)
        }
    }

    package func remove(_ name: String) throws(FileError) {
        try checkName(name, .remove)
        guard unsafe unlinkat(descriptor.number, name, 0) == 0 else { throw FileError(errno: errno, operation: .remove, name: name) }
    }

    package func sync() throws(FileError) {
        let reason = syncDescriptor(descriptor.number, isDirectory: true)
        guard reason == 0 else { throw FileError(errno: reason, operation: .syncDirectory, name: path) }
    }

    package func lock(_ name: String) throws(FileError) -> any DirectoryLock {
        let descriptor = try openAt(name, O_RDWR | O_CREAT, .lock)
        return try POSIXLock.take(descriptor, name: name)
    }

    package func lockShared(_ name: String) throws(FileError) -> any DirectoryLock {
        try POSIXLock.share(try openAt(name, O_RDONLY | O_NONBLOCK, .lock), name: name)
    }

    package func freeBytes() throws(FileError) -> UInt64 {
        var status = statvfs()
        // SAFETY: fstatvfs fills the structure it is given.
        guard unsafe fstatvfs(descriptor.number, &status) == 0 else { throw FileError(errno: errno, operation: .freeBytes, name: path) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : bytes
    }

    package func list() throws(FileError) -> [String] {
        // A descriptor of its own: a directory stream moves the cursor of the one it is given, and closes it.
        let number = try openAt(".", O_RDONLY | O_DIRECTORY, .list, checked: false).relinquish()
        // SAFETY: the stream owns the descriptor from here and is closed exactly once; an entry is used before the next is read.
        guard let stream = unsafe fdopendir(number) else {
            let reason = errno
            _ = FileDescriptor(owning: number).close()
            throw FileError(errno: reason, operation: .list, name: path)
        }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw FileError(errno: errno, operation: .list, name: path) }
                return names
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    private func openAt(
        _ name: String, _ flags: Int32, _ operation: FileOperation, checked: Bool = true
    ) throws(FileError) -> FileDescriptor {
        if checked { try checkName(name, operation) }
        let (number, reason) = repeatingInterrupted { unsafe openat(descriptor.number, name, flags | O_CLOEXEC, 0o644) }
        guard reason == 0 else { throw FileError(errno: reason, operation: operation, name: name) }
        return FileDescriptor(owning: number)
    }

    private func checkName(_ name: String, _ operation: FileOperation) throws(FileError) {
        guard FileError.isPlainName(name) else { throw FileError(.invalidName, operation: operation, name: name) }
    }
}

extension FileError {
    /// Returns whether a directory can hold this name: one component, no NUL, neither `.` nor `..`.
    package static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }
}
