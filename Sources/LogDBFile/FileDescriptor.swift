//===--- FileDescriptor.swift - a descriptor that closes once --------------===//
//
// The floor for system calls that take a descriptor. What is here is `errno` and numbers; names and meaning are added above.
//
//   * owned by exactly one value; closed by `close()` or, silently, by going away. Never twice: the number may be someone else's by then.
//   * close is never repeated on EINTR: on Linux the descriptor is gone by then (close(2), NOTES).
//   * what may block is repeated on EINTR here, except pread and pwrite: their loops are in FileLoops.swift.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct FileDescriptor: ~Copyable, Sendable {
    /// The number, valid while this value lives.
    let number: Int32

    /// Takes over a descriptor nobody else will close.
    init(owning number: Int32) { self.number = number }

    deinit { _ = closeOnce(number) }

    /// Closes and returns `errno`, 0 for success.
    consuming func close() -> Int32 {
        let number = self.number
        discard self
        return closeOnce(number)
    }

    /// Gives the descriptor to someone who will close it.
    consuming func relinquish() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}

private func closeOnce(_ number: Int32) -> Int32 {
    #if canImport(Darwin)
        let result = Darwin.close(number)
    #elseif canImport(Glibc)
        let result = Glibc.close(number)
    #else
        let result = Musl.close(number)
    #endif
    // EINTR: closed all the same, and what it interrupted was not ours to wait for.
    return result == 0 || errno == EINTR ? 0 : errno
}

/// Runs a call that returns -1 and `errno`, again after a signal. Returns `errno`, or 0 and the result.
func repeatingInterrupted(_ call: () -> Int32) -> (result: Int32, errno: Int32) {
    while true {
        let result = call()
        if result >= 0 { return (result, 0) }
        let reason = errno
        if reason != EINTR { return (result, reason) }
    }
}

/// Pushes everything written to a descriptor to the medium, past the drive's cache where the system lets us. Returns `errno` or 0.
func syncDescriptor(_ number: Int32, isDirectory: Bool = false) -> Int32 {
    #if canImport(Darwin)
        // fsync(2) on Darwin stops at the drive's cache. Network and some foreign file systems know only that one.
        let full = repeatingInterrupted { fcntl(number, F_FULLFSYNC) }
        if full.errno == 0 { return 0 }
        guard full.errno == ENOTSUP || full.errno == ENOTTY || full.errno == EINVAL else { return full.errno }
        let reason = repeatingInterrupted { fsync(number) }.errno
    #else
        // A directory's entries are its data, but fdatasync of one is a road less travelled.
        let reason = repeatingInterrupted { isDirectory ? fsync(number) : fdatasync(number) }.errno
    #endif
    // A file system that cannot sync directories (some network and FUSE ones) says EINVAL; there is nothing better to be had from it.
    return isDirectory && reason == EINVAL ? 0 : reason
}
