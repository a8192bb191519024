//===--- ContinuedFile.swift - a raw segment with what the ring holds of it ---===//
//
//      file     ▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░        up to `start` as it is
//      ring                 ▓▓▓▓           from there on the bytes that were in the ring
//
// Reads as the segment would if the ring had been drained. Writes go to the file: who reads a part and writes it back drains it.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class ContinuedFile: File {
    private let file: any File
    private let start: UInt64
    private let bytes: [UInt8]

    init(_ file: any File, at start: UInt64, with bytes: [UInt8]) {
        self.file = file
        self.start = start
        self.bytes = bytes
    }

    var name: String { file.name }

    func size() throws(FileError) -> UInt64 { try max(file.size(), start + UInt64(bytes.count)) }

    func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int {
        let end = start + UInt64(bytes.count)
        if offset >= end || buffer.byteCount == 0 { return try file.read(into: &buffer, at: offset) }
        if offset < start {
            var part = buffer._mutatingExtracting(0..<Int(clamping: min(UInt64(buffer.byteCount), start - offset)))
            return try file.read(into: &part, at: offset)
        }
        let from = Int(offset - start)
        let count = min(buffer.byteCount, bytes.count - from)
        // SAFETY: both ranges were just bounded.
        unsafe buffer.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + count]))
            }
        }
        return count
    }

    func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int { try file.write(bytes, at: offset) }
    func allocate(_ byteCount: UInt64) throws(FileError) { try file.allocate(byteCount) }
    func truncate(to byteCount: UInt64) throws(FileError) { try file.truncate(to: byteCount) }
    func deallocate(_ range: Range<UInt64>) { file.deallocate(range) }
    func sync() throws(FileError) { try file.sync() }
    func close() throws(FileError) { try file.close() }
}
