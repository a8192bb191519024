//===--- FileLoops.swift - from single attempts to whole transfers ---------===//
//
// The only place that knows about short counts and EINTR. Shared by every `File`, the simulated one included.
//
//   * an interrupted attempt transferred nothing and is repeated.
//   * a short read or write is continued where it stopped.
//   * a write that accepts nothing would loop for ever; it is an error.
//===-----------------------------------------------------------------------===//

extension File {
    /// Writes all of `bytes`.
    ///
    /// - Throws: the error of the attempt that failed, its offset that of the first byte not written. Everything before it was written.
    package func writeFully(_ bytes: RawSpan, at offset: UInt64) throws(FileError) {
        var written = 0
        while written < bytes.byteCount {
            let position = offset + UInt64(written)
            let rest = bytes.extracting(written..<bytes.byteCount)
            let count: Int
            do throws(FileError) {
                count = try write(rest, at: position)
            } catch {
                if error.code == .interrupted { continue }
                throw error
            }
            guard count > 0 else { throw FileError(.diskFull, operation: .write, name: name, offset: position) }
            precondition(count <= rest.byteCount, "a write of \(rest.byteCount) bytes claims to have written \(count)")
            written += count
        }
    }

    package func writeFully(_ bytes: Span<UInt8>, at offset: UInt64) throws(FileError) {
        // SAFETY: a byte has no padding and any byte may be read.
        try unsafe writeFully(bytes.bytes, at: offset)
    }

    package func writeFully(_ bytes: [UInt8], at offset: UInt64) throws(FileError) {
        try writeFully(bytes.span, at: offset)
    }

    /// Fills `buffer` from the file, as far as the file goes.
    ///
    /// - Returns: how many bytes were read; fewer than the buffer holds only where the file ends.
    package func readFully(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int {
        var done = 0
        while done < buffer.byteCount {
            var rest = buffer._mutatingExtracting(done..<buffer.byteCount)
            let room = rest.byteCount
            let count: Int
            do throws(FileError) {
                count = try read(into: &rest, at: offset + UInt64(done))
            } catch {
                if error.code == .interrupted { continue }
                throw error
            }
            if count == 0 { break }
            precondition(count <= room, "a read of \(room) bytes claims to have read \(count)")
            done += count
        }
        return done
    }

    /// Fills all of `buffer`'s elements, as far as the file goes; the rest keeps its bytes.
    package func readFully(into buffer: inout [UInt8], at offset: UInt64) throws(FileError) -> Int {
        var bytes = buffer.mutableSpan
        // SAFETY: any bit pattern is a valid byte.
        var raw = unsafe bytes.mutableBytes
        return try readFully(into: &raw, at: offset)
    }

    /// Reads `count` bytes, or what there is of them before the end of the file.
    ///
    /// Allocates no more than the file can deliver, so `count` may come from the disk.
    package func read(at offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        precondition(count >= 0, "a negative count")
        let end = try size()
        guard count > 0, offset < end else { return [] }
        let wanted = Int(clamping: min(UInt64(count), end - offset))
        var bytes = [UInt8](repeating: 0, count: wanted)
        let got = try readFully(into: &bytes, at: offset)
        if got < wanted { bytes.removeLast(wanted - got) }
        return bytes
    }

    /// Reads the whole file.
    package func readAll() throws(FileError) -> [UInt8] {
        try read(at: 0, count: .max)
    }
}
