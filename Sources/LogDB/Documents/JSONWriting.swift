//===--- JSONWriting.swift - from a JSON value to compact text -------------===//
//
// No whitespace, members in their order, numbers as they came, strings escaped as little as JSON allows.
//
// The containers that are open stand on a stack of its own, so depth costs no thread stack.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension JSON {
    /// The value as compact UTF-8 text. O(size).
    public func serialized() -> [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// Appends the value as compact UTF-8 text.
    public func append(to output: inout [UInt8]) { _ = append(to: &output, limit: .max) }

    /// A container whose elements or members are being written.
    private enum Open {
        case array([JSON], next: Int)
        case object(JSONObject, next: Int)
    }

    /// Appends the value as compact text; false, and nothing appended, if more than `limit` containers are nested.
    func append(to output: inout [UInt8], limit: Int) -> Bool {
        let start = output.count
        var open: [Open] = []
        var current = self
        while true {
            switch current {
            case .null: output.append(contentsOf: "null".utf8)
            case .bool(let value): output.append(contentsOf: value ? "true".utf8 : "false".utf8)
            case .number(let number): output.append(contentsOf: number.text.utf8)
            case .string(let string): JSONText.append(string, to: &output)
            case .array(let elements):
                output.append(UInt8(ascii: "["))
                open.append(.array(elements, next: 0))
            case .object(let object):
                output.append(UInt8(ascii: "{"))
                open.append(.object(object, next: 0))
            }
            if open.count > limit {
                output.removeLast(output.count - start)
                return false
            }
            guard let next = Self.next(&open, &output) else { return true }
            current = next
        }
    }

    /// Writes what stands before the next value and returns it; closes containers that have no more.
    private static func next(_ open: inout [Open], _ output: inout [UInt8]) -> JSON? {
        while let innermost = open.popLast() {
            switch innermost {
            case .array(let elements, let next):
                if next == elements.count {
                    output.append(UInt8(ascii: "]"))
                    continue
                }
                if next > 0 { output.append(UInt8(ascii: ",")) }
                open.append(.array(elements, next: next + 1))
                return elements[next]
            case .object(let object, let next):
                if next == object.count {
                    output.append(UInt8(ascii: "}"))
                    continue
                }
                let (name, value) = object[next]
                JSONText.appendMemberName(name, comma: next > 0, to: &output)
                open.append(.object(object, next: next + 1))
                return value
            }
        }
        return nil
    }
}
