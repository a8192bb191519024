//===--- JSONWriting.swift - from a JSON value to compact text -------------===//
//
// No whitespace, members in their order, numbers as they came, strings escaped as little as JSON allows.
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension JSON {
    /// The value as compact UTF-8 text. O(size); recurses as deep as the value is nested.
    public func serialized() -> [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// Appends the value as compact UTF-8 text.
    public func append(to output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(true): output.append(contentsOf: "true".utf8)
        case .bool(false): output.append(contentsOf: "false".utf8)
        case .number(let number): output.append(contentsOf: number.text.utf8)
        case .string(let string): JSONText.append(string, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.append(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONText.append(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.append(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// How many containers are nested, 0 for a scalar, counting no further than one beyond `limit`.
    func depth(limit: Int) -> Int {
        guard limit >= 0 else { return 1 }
        switch self {
        case .array(let elements): return 1 + (elements.lazy.map { $0.depth(limit: limit - 1) }.max() ?? 0)
        case .object(let object): return 1 + (object.lazy.map { $0.value.depth(limit: limit - 1) }.max() ?? 0)
        default: return 0
        }
    }
}
