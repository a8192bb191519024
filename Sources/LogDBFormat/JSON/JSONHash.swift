//===--- JSONHash.swift - equal values have equal hashes -------------------===//
//
// For values compared as JSON Schema compares them: 1.0 equals 1, escapes do not matter, nor does the order of members. Hashes are
// made bottom up while a text is read, so that a container's costs no second look at what is in it:
//
//      array     a chain over the elements' hashes, in order
//      object    a sum over its members, each the mixture of its name's and its value's hash
//
//   * keyed with two random numbers of this process: nobody can prepare a text full of collisions.
//   * an object that repeats a name has a hash of its own; what it equals is left open, as RFC 8259 leaves it.
//   * a hash only finds candidates. `JSONEquivalence` decides.
//===-----------------------------------------------------------------------===//

enum JSONHash {
    private static let keys = (UInt64.random(in: 1 ... .max) | 1, UInt64.random(in: 1 ... .max) | 1)

    @inline(__always)
    static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let keys = keys
        let product = (a ^ keys.0).multipliedFullWidth(by: b ^ keys.1)
        return product.high ^ product.low
    }

    /// Of bytes as they stand.
    static func bytes(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var at = range.lowerBound
        var hash = UInt64(truncatingIfNeeded: range.count)
        while at &+ 8 <= range.upperBound, let word = bytes.word(at: at) {
            hash = mix(hash, word)
            at &+= 8
        }
        var rest: UInt64 = 0
        while at < range.upperBound {
            rest = rest &<< 8 | UInt64(bytes.byte(at: at))
            at &+= 1
        }
        return mix(hash ^ 0x73, rest)
    }

    /// Of the string in the literal at `start` ..< `end`.
    static func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> UInt64 {
        guard escaped else { return self.bytes(bytes, start + 1..<end - 1) }
        let text = JSONText.unescaped(bytes, start + 1..<end - 1)
        return self.bytes(text.span, 0..<text.count)
    }

    static func literal(first: UInt8) -> UInt64 { mix(UInt64(first), 0x6C) }

    static func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
        let number = JSONDecimal(bytes, start..<end)
        if number.isZero { return mix(0, 0x6E) }
        var hash: UInt64 = number.isNegative ? 0x2D : 0x2B
        var index = 0
        while index < number.count {
            var chunk: UInt64 = 0
            for _ in 0..<18 {
                chunk = chunk &* 10 &+ UInt64(number.digit(index))
                index &+= 1
            }
            hash = mix(hash, chunk)
        }
        switch number.magnitude {
        case .small(let magnitude): return mix(hash ^ 0x6E, UInt64(bitPattern: Int64(magnitude)))
        case .large(let isNegative, let digits): return mix(hash ^ (isNegative ? 1 : 2), self.bytes(digits.span, 0..<digits.count))
        }
    }

    /// Of any scalar.
    static func scalar(_ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int, escaped: Bool) -> UInt64 {
        switch kind {
        case .string: string(bytes, start, end, escaped: escaped)
        case .number: number(bytes, start, end)
        default: literal(first: bytes.byte(at: start))
        }
    }

    // A container's, in steps.

    @inline(__always) static func addElement(_ hash: UInt64, to running: inout UInt64) { running = mix(running ^ 0x61, hash) }
    @inline(__always) static func addMember(name: UInt64, _ hash: UInt64, to running: inout UInt64) { running &+= mix(name, hash ^ 0x6F) }
    @inline(__always) static func finish(_ running: UInt64, isObject: Bool) -> UInt64 { mix(running, isObject ? 0x7B : 0x5B) }
}

/// Hashes a whole text. Used for the values in a schema; a document's values are hashed on the way.
struct HashSink: JSONSink {
    private var open: [(running: UInt64, isObject: Bool, name: UInt64)] = []
    private(set) var hash: UInt64 = 0

    private mutating func add(_ hash: UInt64) {
        guard let last = open.indices.last else {
            self.hash = hash
            return
        }
        if open[last].isObject {
            JSONHash.addMember(name: open[last].name, hash, to: &open[last].running)
        } else {
            JSONHash.addElement(hash, to: &open[last].running)
        }
    }

    mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int) { open.append((0, object, 0)) }
    mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int) {
        guard let last = open.popLast() else { return }
        add(JSONHash.finish(last.running, isObject: object))
    }
    mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        guard let last = open.indices.last else { return }
        open[last].name = JSONHash.string(bytes, start, end, escaped: escaped)
    }
    mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        add(JSONHash.string(bytes, start, end, escaped: escaped))
    }
    mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) { add(JSONHash.number(bytes, start, end)) }
    mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8) { add(JSONHash.literal(first: first)) }
}
