//===--- InputBuffer.swift - bytes that came in and are not used yet -------===//
//
//      ┌───────────── count ─────────────┬──────── room ────────┐
//      │ used, then dropped │ still needed │ the next read(2) …   │
//      └────────────────────┴──────────────┴──────────────────────┘
//
// Owns its memory, so that a read fills it without clearing it first.
//===-----------------------------------------------------------------------===//

@safe
struct InputBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: `count` bytes at `base` were read into, and the span cannot outlive this borrow.
            let bytes = unsafe Span<UInt8>(_unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: count)
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// Appends what can be read, at most `room` bytes, waiting for something; returns how many, 0 at the end of the input.
    mutating func read(from descriptor: Int32, room: Int, name: String) throws(CommandFailure) -> Int {
        if count + room > capacity { resize(to: max(2 * capacity, count + room)) }
        // SAFETY: the line above made room for `room` bytes behind the `count` that are there.
        let target = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: room)
        let got = try unsafe Descriptors.read(descriptor, into: target, name: name)
        count += got
        return got
    }

    /// Forgets the first `number` bytes and moves the rest to the front. Gives back memory that one long line needed.
    mutating func removeFirst(_ number: Int, keepingAtMost limit: Int) {
        precondition((0...count).contains(number))
        // SAFETY: both ranges lie within `count`; memmove, which this is, allows them to overlap.
        unsafe base.copyMemory(from: base + number, byteCount: count - number)
        count -= number
        if capacity > limit, count < limit / 2 { resize(to: limit) }
    }

    private mutating func resize(to newCapacity: Int) {
        let moved = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
        // SAFETY: `count` bytes fit both: callers never make it smaller than that.
        unsafe moved.copyMemory(from: base, byteCount: count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = newCapacity
    }
}
