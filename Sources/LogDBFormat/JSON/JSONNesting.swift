//===--- JSONNesting.swift - which containers are open, one bit each -------===//
//
//      depth 1 … 64        in one register (`innermost`), the innermost container in bit 0: 1 = object, 0 = array
//      every 64 deeper     the full register moves into `outer`, 16 words on the stack
//
//   * depth never exceeds 1,024 (JSONGrammar.maximumNestingDepth is below that), so `outer` never overflows; nothing is allocated, nothing recurses.
//===-----------------------------------------------------------------------===//

/// The open containers of a JSON text, as bits.
struct JSONNesting {
    private(set) var depth = 0
    private var innermost: UInt64 = 0
    private var outer = SIMD16<UInt64>()

    @inline(__always) init() {}

    @inline(__always) var isEmpty: Bool { depth == 0 }
    @inline(__always) var isInObject: Bool { innermost & 1 == 1 }

    /// Opens a container; false, and nothing changed, when `limit` are open already.
    @inline(__always)
    mutating func open(object: Bool, limit: Int) -> Bool {
        guard depth < limit else { return false }
        if depth & 63 == 0, depth > 0 { spill() }
        innermost = innermost &<< 1 | (object ? 1 : 0)
        depth &+= 1
        return true
    }

    @inline(__always)
    mutating func close() {
        depth &-= 1
        innermost &>>= 1
        if depth & 63 == 0, depth > 0 { refill() }
    }

    @inline(never) private mutating func spill() { outer[depth &>> 6 &- 1] = innermost }
    @inline(never) private mutating func refill() { innermost = outer[depth &>> 6 &- 1] }
}
