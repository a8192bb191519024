//===--- JSONPointer.swift - where in a text something stands --------------===//
//
// RFC 6901: "/" before each member's name or element's index, `~` and `/` in names as ~0 and ~1. Control characters in names are written
// as JSON writes them, so that a pointer stays on its line.
//
// Made only when there is something to say, by reading the text again up to the place.
//===-----------------------------------------------------------------------===//

package enum JSONPointer {
    /// The pointer to the value, or the member of the name, that starts at `offset` or holds it. The text must be valid up to there.
    package static func text(of offset: Int, in bytes: Span<UInt8>) -> String {
        var sink = PathSink(target: offset)
        _ = try? JSONGrammar.value(bytes, at: JSONGrammar.whitespace(bytes, at: 0), sink: &sink)
        var result: [UInt8] = []
        for step in sink.path {
            switch step {
            case .element(let index): result += "/\(index)".utf8
            case .member(let name, let escaped): append(JSONText.string(bytes, name, escaped: escaped), to: &result)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `name` as a step of a pointer.
    package static func step(_ name: String) -> String {
        var result: [UInt8] = []
        append(name, to: &result)
        return String(decoding: result, as: UTF8.self)
    }

    private static func append(_ name: String, to result: inout [UInt8]) {
        result.append(UInt8(ascii: "/"))
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "~"): result += "~0".utf8
            case UInt8(ascii: "/"): result += "~1".utf8
            case 0..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                result += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            default: result.append(byte)
            }
        }
    }
}

/// Keeps the way to where it is until the target is reached.
private struct PathSink: JSONSink {
    enum Step {
        case element(Int)
        case member(Range<Int>, escaped: Bool)
    }

    let target: Int
    private(set) var path: [Step] = []
    private var isFound = false
    /// Whether the innermost container is an array, in which a value is a step of its own.
    private var arrays: [Bool] = []

    init(target: Int) { self.target = target }

    private mutating func arrive(_ start: Int) {
        guard !isFound, arrays.last == true, case .element(let index) = path.last else { return }
        path[path.count - 1] = .element(index + 1)
        if start >= target { isFound = true }
    }

    mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int) {
        arrive(start)
        if start >= target { isFound = true }
        guard !isFound else { return }
        arrays.append(!object)
        path.append(object ? .member(0..<0, escaped: false) : .element(-1))
    }

    mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int) {
        guard !isFound else { return }
        // The place may be in the container itself, behind its last member.
        path.removeLast()
        arrays.removeLast()
        if end > target { isFound = true }
    }

    mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        guard !isFound else { return }
        path[path.count - 1] = .member(start..<end, escaped: escaped)
        if end > target { isFound = true }
    }

    private mutating func scalar(_ start: Int, _ end: Int) {
        arrive(start)
        if end > target { isFound = true }
    }

    mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) { scalar(start, end) }
    mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) { scalar(start, end) }
    mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8) { scalar(start, end) }
}
