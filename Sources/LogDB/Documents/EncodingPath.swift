//===--- EncodingPath.swift - where in the document an encoder stands ------===//
//
// A coding path is wanted only when something fails, so nobody keeps one: it is read from the text written so far, whose
// open brackets and last names say where it ends.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A coding key made from a member name or an element's index.
struct PathKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "Index \(intValue)"
        self.intValue = intValue
    }

    static let superclass = PathKey(stringValue: "super")
}

extension EncodingPart {
    /// The path of the value that begins at `end`; shorter if the text is gone already. O(end).
    func path(upTo end: Int) -> [any CodingKey] {
        let bytes = bytes  // a local owner for the span
        var stack: [(isObject: Bool, name: Range<Int>, index: Int, wantsName: Bool)] = []
        var at = base
        let end = min(end, bytes.count)
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "{"): stack.append((true, 0..<0, 0, true))
            case UInt8(ascii: "["): stack.append((false, 0..<0, 0, false))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): stack.removeLast()
            case UInt8(ascii: ",") where !stack.isEmpty:
                stack[stack.count - 1].index += 1
                stack[stack.count - 1].wantsName = stack[stack.count - 1].isObject
            case UInt8(ascii: "\""):
                let start = at
                at += 1
                while bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
                if stack.last?.wantsName == true {
                    stack[stack.count - 1].name = start..<at + 1
                    stack[stack.count - 1].wantsName = false
                }
            default: break
            }
            at += 1
        }
        return outerPath
            + stack.map { level in
                level.isObject
                    ? PathKey(stringValue: JSONText.string(bytes.span, level.name, escaped: true)) : PathKey(intValue: level.index)
            }
    }
}
