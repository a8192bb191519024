//===--- Limits.swift - what the machine charges ---------------------------===//
//
// The bare calls under everything: no engine that makes the same promises can be faster than these, in the same minute on the same disk.
//===-----------------------------------------------------------------------===//

import CPeers
import Foundation

struct Limits {
    let folder: String
    /// Of one operation with its frame.
    static let frameBytes = 8 + 1 + Actors.keyBytes + Actors.documentBytes

    func outcome() throws -> Outcome {
        var outcome = Outcome()
        let frame = [UInt8](repeating: 0x5A, count: Self.frameBytes)
        let hundred = [UInt8](repeating: 0x5A, count: Self.frameBytes * 100)
        outcome.figures["flush of one operation, preallocated"] = try flush(frame, .preallocated, calls: 300)
        outcome.figures["flush of one operation, in blocks written before"] = try flush(frame, .zeroed, calls: 300)
        outcome.figures["flush of one operation, growing file"] = try flush(frame, .growing, calls: 300)
        outcome.figures["flush of a hundred operations, preallocated"] = try flush(hundred, .preallocated, calls: 200)
        outcome.figures["write of one operation, no flush"] = try write(frame, calls: 50_000)
        let text = Array(Slice(History(count: 50_000), 0..<50_000).documents)
        outcome.figures["copy"] = rate(text.count) {
            // SAFETY: both have the same length.
            var copy = [UInt8](repeating: 0, count: text.count)
            return { unsafe copy.withUnsafeMutableBytes { unsafe $0.copyBytes(from: text) } }
        }
        outcome.figures["CRC-32C"] = rate(text.count) {
            { unsafe text.withUnsafeBufferPointer { unsafe _ = machine_crc32c(0, $0.baseAddress!, $0.count) } }
        }
        try measureLZ4(text, &outcome)
        return outcome
    }

    /// Median nanoseconds of a write and its sync.
    private func flush(_ bytes: [UInt8], _ kind: BareFile.Kind, calls: Int) throws -> Double {
        let path = folder + "/limits"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try BareFile(path, kind, byteCount: bytes.count * (calls + 1))
        var samples = Samples()
        for _ in 0..<calls {
            let began = now()
            if kind == .growing { try file.extend(bytes) } else { try file.append(bytes) }
            try file.sync()
            samples.add(now() - began)
        }
        return samples.median
    }

    private func write(_ bytes: [UInt8], calls: Int) throws -> Double {
        let path = folder + "/limits"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try BareFile(path, .preallocated, byteCount: bytes.count * (calls + 1))
        var samples = Samples()
        for _ in 0..<calls {
            let began = now()
            try file.append(bytes)
            samples.add(now() - began)
        }
        return samples.median
    }

    /// Bytes a second of the best of five passes: what the machine can do when nobody disturbs it.
    private func rate(_ count: Int, _ prepare: () -> () -> Void) -> Double {
        let pass = prepare()
        var samples = Samples()
        for _ in 0..<5 {
            let began = now()
            pass()
            samples.add(now() - began)
        }
        return Double(count) / samples.least * 1e9
    }

    private func measureLZ4(_ text: [UInt8], _ outcome: inout Outcome) throws {
        guard machine_has_lz4() else { return }
        // Blocks of the size that LogDB compresses.
        let size = 256 << 10
        var packed = [UInt8](repeating: 0, count: size + size / 100 + 64)
        var unpacked = [UInt8](repeating: 0, count: size)
        let count = unsafe text.withUnsafeBufferPointer { text in
            unsafe packed.withUnsafeMutableBufferPointer { packed in
                unsafe machine_lz4_compress(text.baseAddress!, Int32(size), packed.baseAddress!, Int32(packed.count))
            }
        }
        guard count > 0 else { throw SystemFailure(message: "LZ4 compressed nothing") }
        outcome.figures["LZ4 decoding"] = rate(size) {
            {
                unsafe packed.withUnsafeBufferPointer { packed in
                    unsafe unpacked.withUnsafeMutableBufferPointer { unpacked in
                        unsafe _ = machine_lz4_decompress(packed.baseAddress!, count, unpacked.baseAddress!, Int32(size))
                    }
                }
            }
        }
        guard unpacked[...] == text[..<size] else { throw SystemFailure(message: "LZ4 decoded something else") }
    }
}
