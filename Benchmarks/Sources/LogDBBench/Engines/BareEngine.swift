//===--- BareEngine.swift - the least that keeps operations ----------------===//
//
// No engine: a file of frames, `length u32 · crc32c u32 · deleted u8 · key · document`, preallocated, written with pwrite and synced with
// fdatasync. It proves no document, compresses nothing and recovers nothing. What it takes is what the machine charges; an engine cannot
// be much faster, but for a writer that needs no system call at all. Threads that wait share a sync.
//===-----------------------------------------------------------------------===//

import CPeers
import Foundation

final class BareEngine: Engine {
    private let path: String
    fileprivate let log: BareLog
    private let isDurable: Bool

    init(_ setting: Setting, folder: String) throws {
        path = folder + "/bare.log"
        isDurable = setting.durability == .disk
        log = try BareLog(path)
    }

    func makeWriter() -> any Writer { BareWriter(log, isDurable: isDurable) }

    func reload(into destination: Destination) throws { try log.forEach(into: destination) }

    func compact() throws { throw SystemFailure(message: "a bare log is never compacted") }

    func close() throws { try log.close() }
}

private final class BareWriter: Writer {
    private let log: BareLog
    private let isDurable: Bool
    private var frames: [UInt8] = []

    init(_ log: BareLog, isDurable: Bool) {
        self.log = log
        self.isDurable = isDurable
    }

    func apply(_ slice: Slice, _ index: Int) throws { try applyBatch(slice, index..<(index + 1)) }

    func applyBatch(_ slice: Slice, _ range: Range<Int>) throws {
        frames.removeAll(keepingCapacity: true)
        for index in range {
            let start = frames.count
            frames.append(contentsOf: repeatElement(0, count: BareLog.headBytes))
            frames.append(slice.isDelete[index] ? 1 : 0)
            let key = index * Actors.keyBytes
            frames.append(contentsOf: slice.keyBytes[key..<(key + Actors.keyBytes)])
            if !slice.isDelete[index] {
                let document = index * Actors.documentBytes
                frames.append(contentsOf: slice.documents[document..<(document + Actors.documentBytes)])
            }
            BareLog.seal(&frames, from: start)
        }
        try log.append(frames, isDurable: isDurable)
    }
}

@safe final class BareLog: @unchecked Sendable {
    static let headBytes = 8
    private static let stepBytes: off_t = 64 << 20

    // SAFETY: everything below is touched under the lock, but for the descriptor, which stays what it is until close.
    private let condition = NSCondition()
    private let descriptor: Int32
    private let path: String
    private var end: off_t
    private var allocated: off_t
    private var durableEnd: off_t
    private var isSyncing = false

    init(_ path: String) throws {
        self.path = path
        descriptor = unsafe Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemFailure("open") }
        end = lseek(descriptor, 0, SEEK_END)
        allocated = end
        durableEnd = end
        try grow(to: end + 1)
    }

    static func seal(_ frames: inout [UInt8], from start: Int) {
        let payload = (start + headBytes)..<frames.count
        let checksum = Self.checksum(frames.span.extracting(payload))
        for byte in 0..<4 {
            frames[start + byte] = UInt8(truncatingIfNeeded: payload.count >> (8 * byte))
            frames[start + 4 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte))
        }
    }

    private static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        // SAFETY: reads inside the span.
        unsafe bytes.withUnsafeBufferPointer { unsafe machine_crc32c(0, $0.baseAddress!, $0.count) }
    }

    func append(_ frames: [UInt8], isDurable: Bool) throws {
        condition.lock()
        defer { condition.unlock() }
        if end + off_t(frames.count) > allocated { try grow(to: end + off_t(frames.count)) }
        // SAFETY: pwrite reads the array's bytes.
        guard unsafe frames.withUnsafeBytes({ unsafe pwrite(descriptor, $0.baseAddress, $0.count, end) }) == frames.count else {
            throw SystemFailure("pwrite")
        }
        end += off_t(frames.count)
        guard isDurable else { return }
        let mine = end
        while durableEnd < mine {
            if isSyncing {
                condition.wait()
                continue
            }
            isSyncing = true
            let covered = end
            condition.unlock()
            let result = sync()
            condition.lock()
            isSyncing = false
            guard result == 0 else { throw SystemFailure("fdatasync") }
            durableEnd = covered
            condition.broadcast()
        }
    }

    private func sync() -> Int32 {
        #if canImport(Darwin)
            fcntl(descriptor, F_FULLFSYNC)
        #else
            fdatasync(descriptor)
        #endif
    }

    private func grow(to least: off_t) throws {
        while allocated < least { allocated += Self.stepBytes }
        #if canImport(Darwin)
            guard ftruncate(descriptor, allocated) == 0 else { throw SystemFailure("ftruncate") }
        #else
            guard posix_fallocate(descriptor, 0, allocated) == 0 else { throw SystemFailure("posix_fallocate") }
        #endif
        guard fsync(descriptor) == 0 else { throw SystemFailure("fsync") }
    }

    /// Cuts what is allocated but not written, so that the size says what was stored.
    func close() throws {
        guard ftruncate(descriptor, end) == 0, Foundation.close(descriptor) == 0 else { throw SystemFailure("close") }
    }

    /// Reads the file in large pieces and checks every frame.
    func forEach(into destination: Destination) throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var filled = 0
        var place: off_t = 0
        while place < end || filled > 0 {
            // SAFETY: pread writes into the array behind what is filled.
            let got = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress! + filled, min($0.count - filled, Int(end - place)), place)
            }
            guard got >= 0 else { throw SystemFailure("pread") }
            place += off_t(got)
            filled += got
            var start = 0
            while filled - start >= Self.headBytes {
                let length = Int(Self.number(buffer, at: start))
                guard filled - start >= Self.headBytes + length else { break }
                let payload = buffer.span.extracting((start + Self.headBytes)..<(start + Self.headBytes + length))
                guard Self.checksum(payload) == Self.number(buffer, at: start + 4) else {
                    throw SystemFailure(message: "a frame of the bare log is damaged")
                }
                let key = payload.extracting(1..<(1 + Actors.keyBytes))
                if payload[0] == 1 { destination.remove(key) } else { destination.put(key, payload.extracting((1 + Actors.keyBytes)...)) }
                start += Self.headBytes + length
            }
            guard start > 0 else { throw SystemFailure(message: "the bare log ends in the middle of a frame") }
            // SAFETY: both ranges are in the array; memmove allows them to overlap.
            unsafe buffer.withUnsafeMutableBytes { unsafe _ = memmove($0.baseAddress!, $0.baseAddress! + start, filled - start) }
            filled -= start
        }
    }

    private static func number(_ bytes: [UInt8], at place: Int) -> UInt32 {
        UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16 | UInt32(bytes[place + 3]) << 24
    }
}
