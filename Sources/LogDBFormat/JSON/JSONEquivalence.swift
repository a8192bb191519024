//===--- JSONEquivalence.swift - whether two values are equal, exactly -----===//
//
// As JSON Schema compares values (core, 4.2.2): numbers by value, strings by their characters after escapes are resolved and without
// normalization, arrays in order, objects in any order of members. Of a repeated name the last value counts.
//
// Only asked where two hashes agree, so it may take its time: linear, no recursion.
//===-----------------------------------------------------------------------===//

enum JSONEquivalence {
    /// Whether the valid values at the two ranges are equal.
    static func equal(_ left: Span<UInt8>, _ leftRange: Range<Int>, _ right: Span<UInt8>, _ rightRange: Range<Int>) -> Bool {
        let left = left.extracting(leftRange)
        let right = right.extracting(rightRange)
        guard let leftTokens = try? JSONTape(parsing: left).tokens, let rightTokens = try? JSONTape(parsing: right).tokens else {
            return false
        }
        var pending = [(0, 0)]
        while let (a, b) = pending.popLast() {
            guard scalarsAgree(left, leftTokens[a], right, rightTokens[b]) else { return false }
            switch leftTokens[a].kind {
            case .array:
                var (x, y) = (a + 1, b + 1)
                let (endX, endY) = (Int(leftTokens[a].next), Int(rightTokens[b].next))
                while x < endX, y < endY {
                    pending.append((x, y))
                    x = Int(leftTokens[x].next)
                    y = Int(rightTokens[y].next)
                }
                guard x == endX, y == endY else { return false }
            case .object:
                let mine = members(left, leftTokens, of: a)
                let theirs = members(right, rightTokens, of: b)
                guard mine.count == theirs.count else { return false }
                for (name, value) in mine {
                    guard let other = theirs[name] else { return false }
                    pending.append((value, other))
                }
            default: break
            }
        }
        return true
    }

    private static func scalarsAgree(_ left: Span<UInt8>, _ a: JSONToken, _ right: Span<UInt8>, _ b: JSONToken) -> Bool {
        guard a.kind == b.kind else { return false }
        switch a.kind {
        case .string: return text(left, a) == text(right, b)
        case .number:
            let (x, y) = (JSONDecimal(left, a.range), JSONDecimal(right, b.range))
            return JSONDecimal.compare(x, y) == 0
        default: return true
        }
    }

    private static func members(_ bytes: Span<UInt8>, _ tokens: [JSONToken], of object: Int) -> [[UInt8]: Int] {
        var result: [[UInt8]: Int] = [:]
        var at = object + 1
        while at < Int(tokens[object].next) {
            result[text(bytes, tokens[at])] = at + 1
            at = Int(tokens[at + 1].next)
        }
        return result
    }

    private static func text(_ bytes: Span<UInt8>, _ token: JSONToken) -> [UInt8] {
        JSONText.unescaped(bytes, token.range.lowerBound + 1..<token.range.upperBound - 1)
    }
}
