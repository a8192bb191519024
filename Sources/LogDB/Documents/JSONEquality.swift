//===--- JSONEquality.swift - when two JSON values are the same ------------===//
//
// What "equal" means is said at ``JSON``. Neither function recurses without a bound: comparing keeps its own list of
// what is still to be compared, and a hash looks only `hashedDepth` containers deep; what lies deeper counts by its size.
//===-----------------------------------------------------------------------===//

extension JSON: Hashable {
    public static func == (left: JSON, right: JSON) -> Bool {
        var pending: [(JSON, JSON)] = []
        guard agree(left, right, &pending) else { return false }
        while let (left, right) = pending.popLast() {
            guard agree(left, right, &pending) else { return false }
        }
        return true
    }

    /// False if the two differ as far as can be seen from here; pairs inside them that must be equal, too, go to `pending`.
    private static func agree(_ left: JSON, _ right: JSON, _ pending: inout [(JSON, JSON)]) -> Bool {
        switch (left, right) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.number(let left), .number(let right)): return left == right
        case (.string(let left), .string(let right)): return left == right
        case (.array(let left), .array(let right)):
            guard left.count == right.count else { return false }
            for (left, right) in zip(left, right) { pending.append((left, right)) }
            return true
        case (.object(let left), .object(let right)):
            guard left.count == right.count else { return false }
            for (name, value) in left {
                guard let other = right[name] else { return false }
                pending.append((value, other))
            }
            return true
        default: return false
        }
    }

    private static let hashedDepth = 4

    public func hash(into hasher: inout Hasher) { hash(into: &hasher, depth: Self.hashedDepth) }

    private func hash(into hasher: inout Hasher, depth: Int) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let elements):
            hasher.combine(elements.count)
            guard depth > 0 else { return }
            for element in elements { element.hash(into: &hasher, depth: depth - 1) }
        case .object(let object):
            hasher.combine(object.count)
            guard depth > 0 else { return }
            // A sum does not depend on the order of its terms.
            var sum = 0
            for (name, value) in object {
                var member = Hasher()
                member.combine(name)
                value.hash(into: &member, depth: depth - 1)
                sum &+= member.finalize()
            }
            hasher.combine(sum)
        }
    }
}

extension JSONObject: Hashable {
    /// Whether both hold the same names with equal values, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool { JSON.object(left) == JSON.object(right) }
    public func hash(into hasher: inout Hasher) { JSON.object(self).hash(into: &hasher) }
}
