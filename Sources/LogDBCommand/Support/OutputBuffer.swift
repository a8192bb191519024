//===--- OutputBuffer.swift - standard output, in large writes -------------===//

/// Collects bytes for standard output. What is still in it when it goes is lost: `flush` is the last thing a verb does, also when
/// something failed meanwhile.
struct OutputBuffer {
    static let capacity = 256 << 10

    var bytes: [UInt8] = []
    private(set) var bytesWritten: UInt64 = 0

    init() { bytes.reserveCapacity(Self.capacity + 4096) }

    /// Writes what has gathered if it is worth a system call.
    @inline(__always)
    mutating func flushIfFull() throws {
        if bytes.count >= Self.capacity { try flush() }
    }

    mutating func flush() throws {
        guard !bytes.isEmpty else { return }
        defer {
            bytesWritten += UInt64(bytes.count)
            // One large document must not be paid for ever after.
            bytes.removeAll(keepingCapacity: bytes.count < 4 * Self.capacity)
        }
        try Descriptors.write(bytes.span, to: 1)
    }

    /// Appends a line and writes it at once: for whoever waits for it.
    mutating func say(_ line: String) throws {
        bytes.append(line)
        bytes.append(UInt8(ascii: "\n"))
        try flush()
    }
}

extension [UInt8] {
    /// Appends the digits of `value`.
    mutating func append(decimal value: some FixedWidthInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var first = count
        var rest = UInt64(value.magnitude)
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        // They came last digit first.
        var last = count - 1
        while first < last {
            swapAt(first, last)
            first += 1
            last -= 1
        }
    }
}
