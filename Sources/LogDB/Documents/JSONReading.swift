//===--- JSONReading.swift - from text to a JSON value ---------------------===//
//
// The tape (LogDBFormat) has checked the text; this walks it once, keeping the containers that are open on a stack of
// its own, so the depth of a text costs no thread stack.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension JSON {
    /// Reads one JSON value: RFC 8259, strictly, at most 1,000 containers deep.
    ///
    /// - Throws: ``LogDBError`` `.invalidDocument` with the reason and the byte offset if `text` is anything else. O(size).
    public init(parsing text: Span<UInt8>) throws(LogDBError) {
        let tape: JSONTape
        do throws(JSONError) { tape = try JSONTape(parsing: text) } catch {
            throw LogDBError(.invalidDocument, error.reason.rawValue, offset: UInt64(error.offset))
        }
        self = JSON.value(at: 0, of: tape.tokens, in: text)
    }

    /// Reads one JSON value, as ``init(parsing:)-span`` does.
    public init(parsing text: [UInt8]) throws(LogDBError) { try self.init(parsing: text.span) }

    /// Reads one JSON value, as ``init(parsing:)-span`` does.
    public init(parsing text: String) throws(LogDBError) {
        let bytes = Array(text.utf8)
        try self.init(parsing: bytes.span)
    }

    /// A container that is not complete yet.
    private struct Open {
        var end: Int
        var name = ""
        var values: [JSON] = []
        var object: JSONObject?

        mutating func add(_ value: JSON) {
            if object == nil { values.append(value) } else { object?[name] = .some(value) }
        }

        var value: JSON { object.map(JSON.object) ?? .array(values) }
    }

    /// The value whose token is at `root`.
    static func value(at root: Int, of tokens: [JSONToken], in text: Span<UInt8>) -> JSON {
        var open: [Open] = []
        var at = root
        while true {
            let token = tokens[at]
            at += 1
            var value: JSON
            switch token.kind {
            case .object, .array:
                open.append(Open(end: Int(token.next), object: token.kind == .object ? JSONObject() : nil))
                if at < Int(token.next) { continue }
                value = open.removeLast().value
            case .name:
                open[open.count - 1].name = JSONText.string(text, token.range, escaped: token.isEscaped)
                continue
            case .string: value = .string(JSONText.string(text, token.range, escaped: token.isEscaped))
            case .number: value = .number(JSONNumber(trusted: JSONText.raw(text, token.range)))
            case .true: value = .bool(true)
            case .false: value = .bool(false)
            case .null: value = .null
            }
            while true {
                if open.isEmpty { return value }
                open[open.count - 1].add(value)
                guard at == open[open.count - 1].end else { break }
                value = open.removeLast().value
            }
        }
    }
}
