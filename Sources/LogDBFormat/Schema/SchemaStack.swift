//===--- SchemaStack.swift - a stack that costs what an array of C does ----===//
//
// Validating pushes and pops for every container of a document, and looks at the top for every value. An Array would be asked each time
// whether anybody else holds it. This one holds plain values only, checks its bounds like an Array, and belongs to whoever says so:
// copies share the memory, and `deallocate` must be called once (SchemaScratch does).
//===-----------------------------------------------------------------------===//

@safe
struct SchemaStack<Element: BitwiseCopyable>: BitwiseCopyable {
    private var base: UnsafeMutablePointer<Element>?
    private(set) var count = 0
    private(set) var capacity = 0

    init() { unsafe base = nil }

    // SAFETY of all: the first `count` of `capacity` elements at `base` are initialised, and no index goes beyond `count`.

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe base.unsafelyUnwrapped[index]
        }
        nonmutating _modify {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            yield unsafe &base.unsafelyUnwrapped[index]
        }
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(to: max(16, capacity &* 2)) }
        unsafe (base.unsafelyUnwrapped + count).initialize(to: element)
        count &+= 1
    }

    mutating func append(repeating element: Element, count number: Int) {
        for _ in 0..<number { append(element) }
    }

    @inline(__always)
    mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count)
        count = newCount
    }

    @inline(__always)
    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count &-= 1
        return unsafe base.unsafelyUnwrapped[count]
    }

    @inline(never)
    private mutating func grow(to newCapacity: Int) {
        let grown = UnsafeMutablePointer<Element>.allocate(capacity: newCapacity)
        if let base = unsafe base {
            unsafe grown.initialize(from: base, count: count)
            unsafe base.deallocate()
        }
        unsafe base = grown
        capacity = newCapacity
    }

    /// Gives the memory back.
    mutating func deallocate() {
        if let base = unsafe base { unsafe base.deallocate() }
        unsafe base = nil
        count = 0
        capacity = 0
    }
}
