//===--- POSIXFile.swift - a file of the operating system ------------------===//
//
// Thin: one system call a method. What each promises stands at `File`.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

import CLogDB
import Synchronization

package final class POSIXFile: File {
    package let name: String
    /// For calls, inside the gate only. `descriptor` is for closing.
    private let number: Int32
    private let descriptor: Mutex<FileDescriptor?>
    private let gate = UseGate()

    /// macOS refuses transfers above 2 GiB with EINVAL, Linux shortens them.
    private static let maximumTransferBytes = 1 << 30

    init(_ descriptor: consuming FileDescriptor, name: String) {
        self.name = name
        self.number = descriptor.number
        self.descriptor = Mutex(descriptor)
    }

    package func size() throws(FileError) -> UInt64 {
        try using(.size) { () throws(FileError) in
            var status = stat()
            // SAFETY: fstat fills the structure it is given.
            guard unsafe fstat(number, &status) == 0 else { throw failure(errno, .size) }
            return UInt64(clamping: status.st_size)
        }
    }

    package func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int {
        guard enter() else { throw FileError(.closed, operation: .read, name: name, offset: offset) }
        defer { gate.leave() }
        // No file reaches beyond off_t, so what lies there is past the end.
        guard let position = off_t(exactly: offset) else { return 0 }
        let count = min(buffer.byteCount, Self.maximumTransferBytes)
        // SAFETY: pread writes at most `count` bytes, all inside the buffer.
        let result = unsafe buffer.withUnsafeMutableBytes { unsafe pread(number, $0.baseAddress, count, position) }
        guard result >= 0 else { throw failure(errno, .read, offset) }
        return result
    }

    package func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int {
        guard enter() else { throw FileError(.closed, operation: .write, name: name, offset: offset) }
        defer { gate.leave() }
        guard let position = off_t(exactly: offset) else { throw failure(EFBIG, .write, offset) }
        let count = min(bytes.byteCount, Self.maximumTransferBytes)
        // SAFETY: pwrite reads at most `count` bytes, all inside the span.
        let result = unsafe bytes.withUnsafeBytes { unsafe pwrite(number, $0.baseAddress, count, position) }
        guard result >= 0 else { throw failure(errno, .write, offset) }
        return result
    }

    package func allocate(_ byteCount: UInt64) throws(FileError) {
        guard byteCount > 0 else { return }
        guard let length = off_t(exactly: byteCount) else { throw failure(EFBIG, .allocate, byteCount) }
        try using(.allocate) { () throws(FileError) in
            let reason = reserveBlocks(number, length)
            switch reason {
            case 0: return
            case EOPNOTSUPP, EINVAL, ENOSYS: try extend(to: length)
            default: throw failure(reason, .allocate, byteCount)
            }
        }
    }

    /// For file systems that cannot reserve. Never shortens.
    private func extend(to length: off_t) throws(FileError) {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw failure(errno, .allocate) }
        guard status.st_size < length else { return }
        let reason = repeatingInterrupted { ftruncate(number, length) }.errno
        guard reason == 0 else { throw failure(reason, .allocate, UInt64(clamping: length)) }
    }

    package func deallocate(_ range: Range<UInt64>) {
        // Blocks of 4 KiB are the usual ones; what straddles one stays.
        let start = (range.lowerBound + 4095) & ~4095
        let end = range.upperBound & ~4095
        guard start < end, let offset = off_t(exactly: start), let length = off_t(exactly: end - start), enter() else { return }
        defer { gate.leave() }
        punchHole(number, offset, length)
    }

    package func truncate(to byteCount: UInt64) throws(FileError) {
        guard let length = off_t(exactly: byteCount) else { throw failure(EFBIG, .truncate, byteCount) }
        try using(.truncate) { () throws(FileError) in
            let reason = repeatingInterrupted { ftruncate(number, length) }.errno
            guard reason == 0 else { throw failure(reason, .truncate, byteCount) }
        }
    }

    package func sync() throws(FileError) {
        try using(.sync) { () throws(FileError) in
            let reason = syncDescriptor(number)
            guard reason == 0 else { throw failure(reason, .sync) }
        }
    }

    package func keepsBlocksInPlace() -> Bool {
        guard enter() else { return false }
        defer { gate.leave() }
        return POSIXRegion.isSafe(number)
    }

    package func map(_ byteCount: Int) throws(FileError) -> (any MappedRegion)? {
        try using(.size) { () throws(FileError) in POSIXRegion(descriptor: number, byteCount: byteCount) }
    }

    package func close() throws(FileError) {
        guard gate.close() else { return }
        let reason = descriptor.withLock { $0.take()?.close() } ?? 0
        guard reason == 0 else { throw failure(reason, .close) }
    }

    private func enter() -> Bool { gate.enter() }

    private func using<Result>(_ operation: FileOperation, _ body: () throws(FileError) -> Result) throws(FileError) -> Result {
        guard enter() else { throw FileError(.closed, operation: operation, name: name) }
        defer { gate.leave() }
        return try body()
    }

    private func failure(_ errno: Int32, _ operation: FileOperation, _ offset: UInt64? = nil) -> FileError {
        FileError(errno: errno, operation: operation, name: name, offset: offset)
    }
}

/// Gives blocks back where the file system can.
private func punchHole(_ number: Int32, _ offset: off_t, _ length: off_t) {
    #if canImport(Darwin)
        var hole = fpunchhole_t(fp_flags: 0, reserved: 0, fp_offset: offset, fp_length: length)
        // SAFETY: F_PUNCHHOLE reads one fpunchhole_t.
        _ = unsafe fcntl(number, F_PUNCHHOLE, &hole)
    #else
        logdb_punch_hole(number, Int64(offset), Int64(length))
    #endif
}

/// Returns `errno`, or 0 once the first `length` bytes have blocks and the size is at least `length`.
private func reserveBlocks(_ number: Int32, _ length: off_t) -> Int32 {
    #if canImport(Darwin)
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { return errno }
        guard status.st_size < length else { return 0 }
        var request = fstore_t(
            fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0, fst_length: length - status.st_size,
            fst_bytesalloc: 0)
        // SAFETY: F_PREALLOCATE reads and writes one fstore_t.
        let reserved = repeatingInterrupted { unsafe fcntl(number, F_PREALLOCATE, &request) }
        guard reserved.errno == 0 else { return reserved.errno }
        return repeatingInterrupted { ftruncate(number, length) }.errno
    #else
        // Returns its error instead of setting errno.
        while true {
            let reason = posix_fallocate(number, 0, length)
            if reason != EINTR { return reason }
        }
    #endif
}
