//===--- BareFile.swift - the floor: what the system calls alone cost ------===//
//
// The least that anyone can do who wants bytes to reach a file: one call to write them and, for the disk, one to sync them. Preallocated
// as the engine does it, with blocks reserved and the size set; or filled with zeros, which spares the file system from marking blocks as
// written at each sync; or growing with each write.
//===-----------------------------------------------------------------------===//

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

struct SystemFailure: Error, CustomStringConvertible {
    var description: String

    init(_ call: String) { description = "\(call) failed: \(unsafe String(cString: strerror(errno)))" }
    init(message: String) { description = message }
}

final class BareFile {
    enum Kind { case preallocated, zeroed, growing }

    private let number: Int32
    private var end: off_t = 0

    /// Creates the file, with room for `byteCount` bytes where it does not grow.
    init(_ path: String, _ kind: Kind, byteCount: Int = 0) throws {
        number = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard number >= 0 else { throw SystemFailure("open") }
        switch kind {
        case .growing: return
        case .preallocated:
            #if canImport(Darwin)
                guard ftruncate(number, off_t(byteCount)) == 0 else { throw SystemFailure("ftruncate") }
            #else
                guard posix_fallocate(number, 0, off_t(byteCount)) == 0 else { throw SystemFailure("posix_fallocate") }
            #endif
        case .zeroed:
            let zeros = [UInt8](repeating: 0, count: 1 << 20)
            for start in stride(from: 0, to: byteCount, by: zeros.count) {
                try writeAll(zeros.span, min(zeros.count, byteCount - start), at: off_t(start))
            }
        }
        guard fsync(number) == 0 else { throw SystemFailure("fsync") }
    }

    deinit { _ = close(number) }

    /// One `pwrite` behind the last one.
    @inline(__always)
    func append(_ bytes: borrowing [UInt8]) throws {
        try writeAll(bytes.span, bytes.count, at: end)
        end += off_t(bytes.count)
    }

    /// One `write`, which extends a growing file.
    @inline(__always)
    func extend(_ bytes: borrowing [UInt8]) throws {
        // SAFETY: write reads at most `count` bytes, all inside the array.
        let written = unsafe bytes.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw SystemFailure("write") }
    }

    /// As `Persistence.disk` syncs.
    @inline(__always)
    func sync() throws {
        #if canImport(Darwin)
            guard fcntl(number, F_FULLFSYNC) == 0 else { throw SystemFailure("F_FULLFSYNC") }
        #else
            guard fdatasync(number) == 0 else { throw SystemFailure("fdatasync") }
        #endif
    }

    @inline(__always)
    private func writeAll(_ bytes: Span<UInt8>, _ count: Int, at offset: off_t) throws {
        // SAFETY: pwrite reads at most `count` bytes, all inside the span.
        let written = unsafe bytes.withUnsafeBufferPointer { unsafe pwrite(number, $0.baseAddress, count, offset) }
        guard written == count else { throw SystemFailure("pwrite") }
    }
}
