//===--- Descriptors.swift - reading, writing and waiting, by number -------===//
//
// The system calls of the command that take a descriptor. The engine's files have their own floor (LogDBFile); this is for standard
// input and output and the files named on the command line, which may be pipes and terminals.
//
//   * reading waits in poll(2), together with the pipe that a signal writes to (Interruption.swift): a signal that comes between
//     looking and reading is not missed.
//   * a reader that is gone is `OutputClosed`, every other refusal a `CommandFailure` that names what was being done.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum Descriptors {
    enum Readiness {
        /// Reading will not block: there is something, or the end.
        case ready
        /// Nothing came in time.
        case idle
        /// A signal asks us to stop.
        case interrupted
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Whether reading `descriptor` never waits for anybody.
    static func isRegularFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        // SAFETY: fstat fills the structure it is given.
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Throws unless `path` is something that can be read from: found out before anything is created because of it.
    static func checkReadable(_ path: String) throws(CommandFailure) {
        var status = stat()
        // SAFETY: stat fills the structure it is given.
        guard unsafe stat(path, &status) == 0, unsafe access(path, R_OK) == 0 else { throw failure("cannot read \(path)") }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw CommandFailure("cannot read \(path): it is a folder") }
    }

    static func openForReading(_ path: String) throws(CommandFailure) -> Int32 {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot read \(path)") }
        return descriptor
    }

    static func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

    /// Waits until `descriptor` has something, at most `milliseconds` (nil: for ever), or until a signal asks us to stop.
    static func wait(for descriptor: Int32, milliseconds: Int32?) throws(CommandFailure) -> Readiness {
        while true {
            if Interruption.signal != nil { return .interrupted }
            var waits = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            // SAFETY: poll writes the results into the two structures it is given.
            let count = unsafe waits.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), milliseconds ?? -1) }
            if count < 0, errno != EINTR { throw failure("cannot wait for input") }
            if Interruption.signal != nil { return .interrupted }
            if count == 0 { return .idle }
            if count > 0, waits[0].revents != 0 { return .ready }
        }
    }

    /// Reads what is there into `memory`, waiting for something; returns how much, 0 at the end of the input.
    static func read(_ descriptor: Int32, into memory: UnsafeMutableRawBufferPointer, name: String) throws(CommandFailure) -> Int {
        while true {
            // SAFETY: read writes at most `memory.count` bytes.
            let count = unsafe systemRead(descriptor, memory.baseAddress, memory.count)
            if count >= 0 { return count }
            if errno != EINTR { throw failure("cannot read \(name)") }
        }
    }

    /// Writes all of `bytes`.
    static func write(_ bytes: Span<UInt8>, to descriptor: Int32) throws {
        var written = 0
        while written < bytes.count {
            // SAFETY: write reads at most the bytes of the span it is lent.
            let count = unsafe bytes.extracting(written...).withUnsafeBufferPointer {
                unsafe systemWrite(descriptor, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                throw OutputClosed()
            } else if errno != EINTR {
                throw failure("cannot write the output")
            }
        }
    }

    private static func failure(_ what: String) -> CommandFailure {
        let reason = errno
        // SAFETY: strerror gives a string of the C library that lives at least until its next call; this program has one such thread.
        return CommandFailure("\(what): \(unsafe String(cString: strerror(reason)))")
    }
}

extension Span<UInt8> {
    /// The first offset from `start` of `byte`, or nil. As fast as the C library can.
    func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start < count else { return nil }
        // SAFETY: memchr looks at the span's bytes from `start` only, and answers with an address among them or nil.
        return unsafe withUnsafeBytes { bytes in
            let base = bytes.baseAddress!
            guard let found = unsafe memchr(base + start, Int32(byte), count - start) else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    /// Whether `bytes` stand at `offset`.
    func holds(_ bytes: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, count - offset >= bytes.count else { return false }
        // SAFETY: memcmp looks at `bytes.count` bytes of either, and both have as many.
        return unsafe withUnsafeBytes { mine in
            unsafe bytes.withUnsafeBytes { unsafe $0.isEmpty || memcmp(mine.baseAddress! + offset, $0.baseAddress!, $0.count) == 0 }
        }
    }
}

extension [UInt8] {
    mutating func append(_ bytes: Span<UInt8>) {
        // SAFETY: the elements are copied before the pointer goes.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    mutating func append(_ text: String) { append(contentsOf: text.utf8) }
}

// The names are taken inside `Descriptors`, and differ by module.
private func systemRead(_ descriptor: Int32, _ memory: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, memory, count)
}

private func systemWrite(_ descriptor: Int32, _ memory: UnsafePointer<UInt8>?, _ count: Int) -> Int {
    unsafe write(descriptor, memory, count)
}
