//===--- EncodingPart.swift - the text that is being encoded ---------------===//
//
// `encode(to:)` of a value writes straight into `bytes`; the container it opened is closed when it returns. `open` has
// the offset of the bracket of each container not yet closed. Only the innermost may be written to.
//
// `nestedContainer` and `superEncoder` hand out containers that live on beside their parent, in any order. Each gets a
// part of its own; the parent remembers at which offset it belongs, and `finish` puts the parts together. A value that
// asks for none of these, as nearly all do, is written once and never moved.
//
//   * coding paths are not kept: when an error needs one, it is read from the text written so far (EncodingPath.swift).
//   * a throw cuts the text back to where the failed member began, so `try?` around an `encode` leaves valid text.
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class EncodingPart {
    // SAFETY: the dynamic exclusivity checks took a third of the time of an encode. None of the accesses below calls out while
    // it lasts: each is one append, cut or read of this file, and user code runs only between them.
    @safe @exclusivity(unchecked) private(set) var bytes: [UInt8]
    /// Where this part's text begins in `bytes`.
    let base: Int
    /// Path and number of the containers around this part.
    let outerPath: [any CodingKey]
    let outerDepth: Int
    let userInfo: [CodingUserInfoKey: any Sendable]

    @safe @exclusivity(unchecked) private(set) var open: [Int] = []
    @safe @exclusivity(unchecked) private var children: [(offset: Int, part: EncodingPart)] = []

    /// Takes over the bytes, and with them the capacity, until `takeBytes`.
    init(taking output: inout [UInt8], userInfo: [CodingUserInfoKey: any Sendable]) {
        bytes = output
        output = []
        base = bytes.count
        outerPath = []
        outerDepth = 0
        self.userInfo = userInfo
        open.reserveCapacity(8)
    }

    private init(childOf parent: EncodingPart, path: [any CodingKey]) {
        bytes = []
        base = 0
        outerPath = path
        outerDepth = parent.outerDepth + parent.open.count
        userInfo = parent.userInfo
    }

    func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    func cut(to offset: Int) { bytes.removeLast(bytes.count - offset) }

    /// Writes `value` at the end. If that fails, cuts back to `mark`, where the member or element it is for began.
    func write<T: Encodable>(_ value: T, mark: Int? = nil) throws {
        let start = bytes.count
        let childCount = children.count
        let openCount = open.count
        do {
            if try writeKnown(value) { return }
            try checkDepth(value)
            try value.encode(to: ValueEncoder(part: self, start: start))
            if open.count > openCount {
                try checkDepth(value)
                closeInnermost()
            } else if bytes.count == start, children.count == childCount {
                bytes.append(contentsOf: "{}".utf8)
            }
        } catch {
            bytes.removeLast(bytes.count - (mark ?? start))
            children.removeLast(children.count - childCount)
            open.removeLast(open.count - openCount)
            throw error
        }
    }

    private func checkDepth(_ value: Any) throws {
        guard outerDepth + open.count > JSONGrammar.maximumNestingDepth else { return }
        let text = "nested deeper than \(JSONGrammar.maximumNestingDepth) containers"
        throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: text))
    }

    /// Types that are not written as their own `encode(to:)` says.
    private func writeKnown<T: Encodable>(_ value: T) throws -> Bool {
        if T.self == JSON.self, let json = value as? JSON {
            try write(json: json)
            return true
        }
        return try writeFoundationValue(value)
    }

    func write(json: JSON) throws {
        let room = JSONGrammar.maximumNestingDepth - outerDepth - open.count
        if json.append(to: &bytes, limit: room) { return }
        let text = "nested deeper than \(JSONGrammar.maximumNestingDepth) containers"
        throw EncodingError.invalidValue(json, .init(codingPath: path(upTo: bytes.count), debugDescription: text))
    }

    // Scalars.

    func writeNull() { bytes.append(contentsOf: "null".utf8) }
    func write(_ value: Bool) { bytes.append(contentsOf: value ? "true".utf8 : "false".utf8) }
    func write(_ value: String) { JSONText.append(value, to: &bytes) }
    func write(signed value: Int64) { JSONNumeral.append(value, to: &bytes) }
    func write(unsigned value: UInt64) { JSONNumeral.append(value, to: &bytes) }
    func write(digits text: String) { bytes.append(contentsOf: text.utf8) }

    /// False, and nothing written, if `value` is not finite.
    func write(_ value: Double) -> Bool { JSONNumeral.append(value, to: &bytes) }
    func write(_ value: Float) -> Bool { JSONNumeral.append(value, to: &bytes) }

    // Containers.

    /// Opens the container of the value that begins at `start`, or finds it open.
    func openContainer(_ bracket: UInt8, at start: Int) {
        if open.last == start {
            precondition(bytes[start] == bracket, "a value asked for both a keyed and an unkeyed container")
            return
        }
        precondition(bytes.count == start, "a value asked for a container after it had been encoded")
        open.append(start)
        bytes.append(bracket)
    }

    private func closeInnermost() {
        let bracket = bytes[open.removeLast()]
        bytes.append(bracket + 2)  // in ASCII, `}` is `{` + 2 and `]` is `[` + 2
    }

    /// Whether the container that began at `start` is the one that may be written to.
    func isInnermost(_ start: Int) -> Bool { open.last == start }

    /// Writes the comma that the next member or element needs. Returns the offset to cut back to should it fail.
    func beginElement(of start: Int) -> Int {
        let mark = bytes.count
        if mark > start + 1 || children.last?.offset == mark { bytes.append(UInt8(ascii: ",")) }
        return mark
    }

    /// Writes the comma, the name and the colon of the next member. Returns the offset to cut back to should it fail.
    func beginMember(_ name: String, of start: Int) -> Int {
        let mark = bytes.count
        JSONText.appendMemberName(name, comma: mark > start + 1 || children.last?.offset == mark, to: &bytes)
        return mark
    }

    /// A part whose text will stand here.
    func child(path: [any CodingKey]) -> EncodingPart {
        let part = EncodingPart(childOf: self, path: path)
        children.append((bytes.count, part))
        return part
    }

    /// Closes what is open and puts the children where they belong.
    func finish() throws {
        try checkDepth("a nested container")
        while !open.isEmpty { closeInnermost() }
        if bytes.count == base, children.isEmpty { bytes.append(contentsOf: "{}".utf8) }
        if children.isEmpty { return }
        var joined = Array(bytes[..<base])
        var copied = base
        for (offset, part) in children {
            try part.finish()
            joined += bytes[copied..<offset]
            joined += part.bytes
            copied = offset
        }
        joined += bytes[copied...]
        bytes = joined
        children = []
    }
}
