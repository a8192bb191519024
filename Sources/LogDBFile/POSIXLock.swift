//===--- POSIXLock.swift - one writer a directory --------------------------===//
//
// flock(2), not fcntl: a fcntl lock belongs to the process, so a second open of the same database in one process would succeed, and
// closing *any* descriptor of the file would drop it. A flock lock belongs to the open file and dies with the last process that has it.
//
//   * the number in the file is for error messages. It is never what decides: numbers are reused, and a killed writer leaves its own.
//   * between taking the lock and writing the number, others may read the number before; they report a wrong pid, never a wrong answer.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

import Synchronization

final class POSIXLock: DirectoryLock {
    private let descriptor: Mutex<FileDescriptor?>

    private init(_ descriptor: consuming FileDescriptor) { self.descriptor = Mutex(descriptor) }

    static func take(_ descriptor: consuming FileDescriptor, name: String) throws(FileError) -> POSIXLock {
        let number = descriptor.number
        let reason = repeatingInterrupted { flock(number, LOCK_EX | LOCK_NB) }.errno
        guard reason == 0 else {
            var error = FileError(errno: reason, operation: .lock, name: name)
            if reason == EWOULDBLOCK { error.code = .locked(by: readPid(number)) }
            throw error
        }
        writePid(number)
        return POSIXLock(descriptor)
    }

    /// Takes the lock together with others; writes nothing.
    static func share(_ descriptor: consuming FileDescriptor, name: String) throws(FileError) -> POSIXLock {
        let number = descriptor.number
        let reason = repeatingInterrupted { flock(number, LOCK_SH | LOCK_NB) }.errno
        guard reason == 0 else { throw FileError(errno: reason, operation: .lock, name: name) }
        return POSIXLock(descriptor)
    }

    deinit { release() }

    func release() {
        descriptor.withLock { held in
            guard let descriptor = held.take() else { return }
            // Explicitly: a child forked without exec has the descriptor too, and closing ours alone would leave it locked.
            _ = flock(descriptor.number, LOCK_UN)
            _ = descriptor.close()
        }
    }

    /// A full disk must not keep a database from being opened, so what goes wrong here is ignored.
    private static func writePid(_ number: Int32) {
        _ = ftruncate(number, 0)
        let text = Array("\(getpid())\n".utf8)
        // SAFETY: pwrite reads the array's own bytes.
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(number, $0.baseAddress, $0.count, 0) }
    }

    private static func readPid(_ number: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        // SAFETY: pread writes at most the array's own length.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(number, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
