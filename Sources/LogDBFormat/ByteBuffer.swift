//===--- ByteBuffer.swift - bytes being encoded ----------------------------===//
//
// A growable run of bytes that is written front to back, patched where a length is known late, and handed on as a span.
// It owns its memory and keeps it when emptied, so the steady state of a writer allocates nothing.
//
// All integers are little-endian. A varint is LEB128: seven bits a byte, least significant first, at most ten bytes.
//===-----------------------------------------------------------------------===//

@safe
package struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    package private(set) var capacity: Int
    package private(set) var count = 0

    package init(capacity: Int = 256) {
        unsafe base = .allocate(byteCount: max(capacity, 16), alignment: 16)
        self.capacity = max(capacity, 16)
    }

    deinit { unsafe base.deallocate() }

    package var isEmpty: Bool { count == 0 }

    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: count bytes at base are initialised, and the span cannot outlive this borrow.
            let bytes = unsafe Span<UInt8>(_unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: count)
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// Lends the contents as memory. It stays where it is until something is appended or taken back.
    package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Forgets the contents, keeps the memory.
    @inline(__always)
    package mutating func removeAll() { count = 0 }

    /// Forgets everything behind the first `newCount` bytes.
    package mutating func truncate(to newCount: Int) {
        precondition(newCount <= count)
        count = newCount
    }

    /// Takes `range` out; what stands behind it moves up.
    package mutating func remove(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        memmoveDown(from: range.upperBound, to: range.lowerBound)
        count -= range.count
    }

    /// Bytes that `append(varint:)` takes for `value`.
    package static func varintLength(_ value: UInt64) -> Int { max(1, (70 - value.leadingZeroBitCount) / 7) }

    private mutating func memmoveDown(from source: Int, to target: Int) {
        // SAFETY: both lie within the count bytes; copyMemory allows overlap.
        unsafe (base + target).copyMemory(from: base + source, byteCount: count - source)
    }

    /// Gives memory beyond `limit` bytes back: one large document must not be paid for ever after.
    package mutating func shrink(to limit: Int) {
        guard capacity > limit, count <= limit else { return }
        resize(to: limit)
    }

    @inline(__always)
    package mutating func reserve(_ additional: Int) {
        if count + additional > capacity { resize(to: max(capacity * 2, count + additional)) }
    }

    @inline(never)
    private mutating func resize(to newCapacity: Int) {
        let grown = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
        unsafe grown.copyMemory(from: base, byteCount: count)
        unsafe base.deallocate()
        unsafe base = grown
        capacity = newCapacity
    }

    // SAFETY of the appends: reserve() made room for exactly what each of them stores.

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    package mutating func append(_ bytes: Span<UInt8>) {
        reserve(bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { unsafe (base + count).copyMemory(from: start, byteCount: source.count) }
        }
        count += bytes.count
    }

    package mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

    package mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { source in
            reserve(source.count)
            if let start = source.baseAddress { unsafe (base + count).copyMemory(from: start, byteCount: source.count) }
            count += source.count
        }
    }

    @inline(__always)
    package mutating func append(u16 value: UInt16) { append(integer: value) }
    @inline(__always)
    package mutating func append(u32 value: UInt32) { append(integer: value) }
    @inline(__always)
    package mutating func append(u64 value: UInt64) { append(integer: value) }

    @inline(__always)
    private mutating func append<I: FixedWidthInteger & BitwiseCopyable>(integer value: I) {
        reserve(MemoryLayout<I>.size)
        unsafe base.storeBytes(of: value.littleEndian, toByteOffset: count, as: I.self)
        count += MemoryLayout<I>.size
    }

    @inline(__always)
    package mutating func append(varint value: UInt64) {
        reserve(10)
        var rest = value
        while rest >= 0x80 {
            unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            count += 1
            rest >>= 7
        }
        unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    package mutating func append(varint value: Int) { append(varint: UInt64(value)) }

    /// A signed varint: zigzag, so that small numbers of either sign are short.
    @inline(__always)
    package mutating func append(signedVarint value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    package mutating func append(zeros number: Int) {
        guard number > 0 else { return }
        reserve(number)
        unsafe (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: number)
        count += number
    }

    @inline(__always)
    package mutating func patch(u32 value: UInt32, at offset: Int) { patch(integer: value, at: offset) }
    @inline(__always)
    package mutating func patch(u64 value: UInt64, at offset: Int) { patch(integer: value, at: offset) }

    @inline(__always)
    private mutating func patch<I: FixedWidthInteger & BitwiseCopyable>(integer value: I, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<I>.size <= count)
        unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: I.self)
    }

    /// Lets `fill` write up to `room` bytes behind the contents; it returns how many it wrote.
    package mutating func appendUninitialized<E: Error>(
        _ room: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        reserve(room)
        let written = try unsafe fill(UnsafeMutableRawBufferPointer(start: base + count, count: room))
        precondition(written >= 0 && written <= room)
        count += written
    }
}

extension Array where Element == UInt8 {
    package init(_ bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
