//===--- SchemaContainment.swift - whether one schema allows all that another does ---===//
//
// A proof from the structure of two schemas: what is *given* of a value (the old schema, and all that its allOf and $ref lead to) must imply each
// keyword of the *goal* (the new one). Where no proof is found the answer is no, which means: not known.
//
//      given   {"type":"integer","minimum":5}      goal   {"type":"number","minimum":0}         5 ≥ 0, integers are numbers
//
//   * sound, not complete: a keyword that nothing given accounts for ends the proof; where the given has anyOf or oneOf, each branch must prove it.
//   * schemas may be recursive. A pair that is being proven is taken for proven when it is met again, further down in the value: an induction over the
//     value's size. Along one value no schema leads back to itself (the compiler refuses that), so there is no circle without a way down.
//   * bounded: a number of steps, and then the answer is no.
//===-----------------------------------------------------------------------===//

package struct SchemaContainment {
    /// A subschema of either side.
    private struct Node: Hashable {
        var isNew: Bool
        var token: Int
    }

    private struct Claim: Hashable {
        var given: [Node]
        var goal: Node
    }

    /// Kinds of values, with numbers that are integers told from others.
    private struct Kinds: OptionSet {
        let rawValue: UInt8
        static let object = Kinds(rawValue: 1)
        static let array = Kinds(rawValue: 2)
        static let string = Kinds(rawValue: 4)
        static let integer = Kinds(rawValue: 8)
        static let fraction = Kinds(rawValue: 16)
        static let boolean = Kinds(rawValue: 32)
        static let null = Kinds(rawValue: 64)
        static let number: Kinds = [.integer, .fraction]
        static let all: Kinds = [.object, .array, .string, .number, .boolean, .null]
    }

    private static let maximumSteps = 50_000
    private static let maximumDepth = 100

    private let old: SchemaText
    private let new: SchemaText
    /// Whether `format` is a rule in the new one, and in both.
    private let assertsFormats: Bool
    private let givesFormats: Bool
    private var steps = 0
    private var depth = 0
    private var underWay: Set<Claim> = []
    private var known: [Node: [SchemaKeyword: Int]] = [:]
    private var properties: [Node: [[UInt8]: Node]] = [:]

    /// Whether every value that `old` allows is certain to be allowed by `new`.
    package static func proves(
        that new: SchemaProgram, assertingFormats newFormats: Bool, admitsAllOf old: SchemaProgram, assertingFormats oldFormats: Bool
    ) -> Bool {
        if new.root == SchemaProgram.any { return true }
        if new.text.bytes == old.text.bytes { return oldFormats || !newFormats }
        guard new.text.namesNoPlaces, old.text.namesNoPlaces else { return false }
        var proof = SchemaContainment(old: old.text, new: new.text, assertsFormats: newFormats, givesFormats: oldFormats)
        return proof.implies([Node(isNew: false, token: 0)], Node(isNew: true, token: 0))
    }

    private init(old: SchemaText, new: SchemaText, assertsFormats: Bool, givesFormats: Bool) {
        self.old = old
        self.new = new
        self.assertsFormats = assertsFormats
        self.givesFormats = givesFormats
    }

    // MARK: - Looking things up

    private func text(_ node: Node) -> SchemaText { node.isNew ? new : old }
    private func kind(_ node: Node) -> JSONToken.Kind { text(node).kind(node.token) }

    private mutating func keywords(_ node: Node) -> [SchemaKeyword: Int] {
        if let keywords = known[node] { return keywords }
        var keywords: [SchemaKeyword: Int] = [:]
        let text = text(node)
        if text.kind(node.token) == .object {
            for (name, value) in text.members(node.token) {
                if let keyword = SchemaKeyword(rawValue: text.string(name)) { keywords[keyword] = value }
            }
        }
        known[node] = keywords
        return keywords
    }

    private mutating func child(_ node: Node, _ keyword: SchemaKeyword) -> Node? {
        keywords(node)[keyword].map { Node(isNew: node.isNew, token: $0) }
    }

    private mutating func list(_ node: Node, _ keyword: SchemaKeyword) -> [Node] {
        guard let list = keywords(node)[keyword] else { return [] }
        return text(node).elements(list).map { Node(isNew: node.isNew, token: $0) }
    }

    /// The members of a keyword that is a map, by name.
    private mutating func map(_ node: Node, _ keyword: SchemaKeyword) -> [(name: [UInt8], node: Node)] {
        guard let map = keywords(node)[keyword] else { return [] }
        let text = text(node)
        return text.members(map).map { (text.characters($0.name), Node(isNew: node.isNew, token: $0.value)) }
    }

    private mutating func property(_ name: [UInt8], of node: Node) -> Node? {
        if let properties = properties[node] { return properties[name] }
        let table = Dictionary(map(node, .properties).map { ($0.name, $0.node) }, uniquingKeysWith: { $1 })
        properties[node] = table
        return table[name]
    }

    private mutating func names(_ node: Node, _ keyword: SchemaKeyword) -> Set<[UInt8]> {
        let text = text(node)
        return Set(list(node, keyword).map { text.characters($0.token) })
    }

    private func target(_ node: Node, _ reference: Int) -> Node? {
        let text = text(node)
        let pointer = text.characters(reference)
        guard pointer.first == UInt8(ascii: "#"), !pointer.contains(UInt8(ascii: "%")) else { return nil }
        if pointer.count == 1 { return Node(isNew: node.isNew, token: 0) }
        return text.find(Array(pointer.dropFirst()), from: 0).map { Node(isNew: node.isNew, token: $0) }
    }

    private static let logic: Set<SchemaKeyword> = [
        .schema, .id, .anchor, .defs, .comment, .title, .description, .default, .examples, .deprecated, .readOnly, .writeOnly,
        .contentEncoding,
        .contentMediaType, .contentSchema, .then, .else,
    ]

    /// Whether a schema has no rule at all.
    private mutating func isTrivial(_ node: Node) -> Bool {
        if kind(node) == .true { return true }
        guard kind(node) == .object else { return false }
        return keywords(node).keys.allSatisfy { Self.logic.contains($0) || ($0 == .format && !assertsFormats) }
    }

    // MARK: - What is given

    /// The given schemas and all that hold with them.
    private mutating func closure(_ given: [Node]) -> [Node] {
        var result: Set<Node> = []
        var pending = given
        while let node = pending.popLast() {
            guard result.insert(node).inserted else { continue }
            pending += list(node, .allOf)
            if let reference = keywords(node)[.ref], let target = target(node, reference) { pending.append(target) }
        }
        return result.sorted { ($0.isNew ? 1 : 0, $0.token) < ($1.isNew ? 1 : 0, $1.token) }
    }

    private func kinds(named word: String) -> Kinds {
        switch word {
        case "object": .object
        case "array": .array
        case "string": .string
        case "number": .number
        case "integer": .integer
        case "boolean": .boolean
        default: .null
        }
    }

    private func kind(of value: Int, in text: SchemaText) -> Kinds {
        switch text.kind(value) {
        case .object: return .object
        case .array: return .array
        case .string, .name: return .string
        case .true, .false: return .boolean
        case .null: return .null
        case .number:
            let bytes = text.bytes
            return JSONDecimal(bytes.span, text.range(value)).isInteger ? .integer : .fraction
        }
    }

    private mutating func kinds(_ node: Node) -> Kinds {
        let text = text(node)
        if text.kind(node.token) == .false { return [] }
        let keywords = keywords(node)
        var kinds = Kinds.all
        if let type = keywords[.type] {
            let words = text.kind(type) == .array ? text.elements(type) : [type]
            kinds = words.reduce(Kinds()) { $0.union(self.kinds(named: text.string($1))) }
        }
        if let value = keywords[.const] { kinds.formIntersection(kind(of: value, in: text)) }
        if let values = keywords[.enum] {
            kinds.formIntersection(text.elements(values).reduce(Kinds()) { $0.union(kind(of: $1, in: text)) })
        }
        return kinds
    }

    private mutating func required(_ given: [Node]) -> Set<[UInt8]> {
        given.reduce(into: []) { $0.formUnion(names($1, .required)) }
    }

    /// What is given of the member `name`.
    private mutating func member(_ name: [UInt8], of given: [Node]) -> [Node] {
        var result: [Node] = []
        for node in given {
            if let property = property(name, of: node) {
                result.append(property)
            } else if keywords(node)[.patternProperties] == nil, let additional = child(node, .additionalProperties) {
                result.append(additional)
            }
        }
        return result
    }

    /// What is given of the item at `index`, or behind all that are told apart.
    private mutating func item(_ index: Int?, of given: [Node]) -> [Node] {
        var result: [Node] = []
        for node in given {
            let prefix = list(node, .prefixItems)
            if let index, index < prefix.count {
                result.append(prefix[index])
            } else if let items = child(node, .items) {
                result.append(items)
            }
        }
        return result
    }

    // MARK: - Proving

    private mutating func implies(_ assumed: [Node], _ goal: Node) -> Bool {
        steps += 1
        guard steps <= Self.maximumSteps, depth < Self.maximumDepth else { return false }
        if isTrivial(goal) { return true }
        let given = closure(assumed)
        if given.contains(goal) { return true }
        let claim = Claim(given: given, goal: goal)
        guard underWay.insert(claim).inserted else { return true }
        depth += 1
        defer {
            depth -= 1
            underWay.remove(claim)
        }
        var kinds = Kinds.all
        for node in given { kinds.formIntersection(self.kinds(node)) }
        if kinds.isEmpty { return true }
        if kind(goal) != .false, keywords(goal).allSatisfy({ isImplied($0.key, $0.value, of: goal, given, kinds) }) { return true }
        // Case by case.
        for node in given {
            for keyword in [SchemaKeyword.anyOf, .oneOf] {
                let branches = list(node, keyword)
                if branches.isEmpty || branches.contains(where: { given.contains($0) }) { continue }
                return branches.allSatisfy { implies(given + [$0], goal) }
            }
        }
        return false
    }

    private mutating func isImplied(_ keyword: SchemaKeyword, _ value: Int, of goal: Node, _ given: [Node], _ kinds: Kinds) -> Bool {
        switch keyword {
        case .type: return kinds.isSubset(of: self.kinds(typeOnly: value, text(goal)))
        case .const: return areValues(given, among: [value], of: goal)
        case .enum: return areValues(given, among: text(goal).elements(value), of: goal)

        case .allOf: return list(goal, .allOf).allSatisfy { implies(given, $0) }
        case .ref: return target(goal, value).map { implies(given, $0) } ?? false
        case .anyOf: return list(goal, .anyOf).contains { implies(given, $0) }
        case .oneOf:
            // Exactly one of the same ones.
            let goals = list(goal, .oneOf)
            return given.contains { node in
                let branches = list(node, .oneOf)
                return branches.count == goals.count
                    && zip(branches, goals).allSatisfy { implies([$0], $1) && implies([$1], $0) }
            }
        case .not:
            guard let goal = child(goal, .not) else { return false }
            return given.contains { node in child(node, .not).map { implies([goal], $0) } ?? false }
        case .if: return isConditionImplied(goal, given)

        case .minimum, .exclusiveMinimum, .maximum, .exclusiveMaximum:
            return kinds.isDisjoint(with: .number) || isBoundImplied(keyword, value, of: goal, given)
        case .multipleOf: return kinds.isDisjoint(with: .number) || isMultipleImplied(value, of: goal, given)
        case .minLength, .maxLength: return kinds.isDisjoint(with: .string) || isCountImplied(keyword, value, of: goal, given)
        case .pattern: return kinds.isDisjoint(with: .string) || isSameString(keyword, value, of: goal, given)
        case .format:
            return !assertsFormats || kinds.isDisjoint(with: .string) || (givesFormats && isSameString(keyword, value, of: goal, given))

        case .minProperties:
            if kinds.isDisjoint(with: .object) || isCountImplied(keyword, value, of: goal, given) { return true }
            return UInt64(required(given).count) >= count(value, text(goal))
        case .maxProperties: return kinds.isDisjoint(with: .object) || isCountImplied(keyword, value, of: goal, given)
        case .required: return kinds.isDisjoint(with: .object) || names(goal, .required).isSubset(of: required(given))
        case .properties:
            return kinds.isDisjoint(with: .object)
                || map(goal, .properties).allSatisfy { name, node in implies(member(name, of: given), node) }
        case .patternProperties: return kinds.isDisjoint(with: .object) || arePatternsImplied(goal, given)
        case .additionalProperties: return kinds.isDisjoint(with: .object) || areOthersImplied(goal, given)
        case .propertyNames:
            guard let goal = child(goal, .propertyNames) else { return false }
            return kinds.isDisjoint(with: .object) || implies(given.compactMap { child($0, .propertyNames) }, goal)
        case .dependentRequired: return kinds.isDisjoint(with: .object) || areDependenciesImplied(goal, given)
        case .dependentSchemas:
            if kinds.isDisjoint(with: .object) { return true }
            return map(goal, .dependentSchemas).allSatisfy { name, node in
                implies(given + given.flatMap { map($0, .dependentSchemas).filter { $0.name == name }.map(\.node) }, node)
            }

        case .minItems, .maxItems: return kinds.isDisjoint(with: .array) || isCountImplied(keyword, value, of: goal, given)
        case .prefixItems:
            return kinds.isDisjoint(with: .array)
                || list(goal, .prefixItems).enumerated().allSatisfy { index, node in implies(item(index, of: given), node) }
        case .items:
            if kinds.isDisjoint(with: .array) { return true }
            guard let items = child(goal, .items) else { return false }
            let first = list(goal, .prefixItems).count
            let told = given.map { list($0, .prefixItems).count }.max() ?? 0
            return (first..<max(first, told)).allSatisfy { implies(item($0, of: given), items) } && implies(item(nil, of: given), items)
        case .contains: return kinds.isDisjoint(with: .array) || isContainsImplied(goal, given)
        case .minContains, .maxContains: return true
        case .uniqueItems:
            if kinds.isDisjoint(with: .array) || text(goal).kind(value) == .false { return true }
            return given.contains { node in keywords(node)[.uniqueItems].map { text(node).kind($0) == .true } ?? false }

        case .unevaluatedProperties: return kinds.isDisjoint(with: .object) || isVerbatim(goal, given)
        case .unevaluatedItems: return kinds.isDisjoint(with: .array) || isVerbatim(goal, given)
        default: return Self.logic.contains(keyword)
        }
    }

    private func kinds(typeOnly value: Int, _ text: SchemaText) -> Kinds {
        let words = text.kind(value) == .array ? text.elements(value) : [value]
        return words.reduce(Kinds()) { $0.union(kinds(named: text.string($1))) }
    }

    /// Whether something given lists values, all of which are among the goal's.
    private mutating func areValues(_ given: [Node], among goals: [Int], of goal: Node) -> Bool {
        given.contains { node in
            let keywords = keywords(node)
            let text = text(node)
            guard let values = keywords[.const].map({ [$0] }) ?? keywords[.enum].map({ text.elements($0) }) else { return false }
            return values.allSatisfy { value in goals.contains { isEqual(value, text, $0, self.text(goal)) } }
        }
    }

    private mutating func isEqual(_ a: Int, _ left: SchemaText, _ b: Int, _ right: SchemaText) -> Bool {
        steps += 1
        guard steps <= Self.maximumSteps, left.kind(a) == right.kind(b) else { return false }
        let (leftBytes, rightBytes) = (left.bytes, right.bytes)
        return JSONEquivalence.equal(leftBytes.span, left.range(a), rightBytes.span, right.range(b))
    }

    private mutating func isConditionImplied(_ goal: Node, _ given: [Node]) -> Bool {
        guard let condition = child(goal, .if) else { return false }
        let then = child(goal, .then)
        let otherwise = child(goal, .else)
        if then.map({ implies(given, $0) }) ?? true, otherwise.map({ implies(given, $0) }) ?? true { return true }
        return given.contains { node in
            guard let known = child(node, .if), implies([known], condition), implies([condition], known) else { return false }
            let thens = given + [known] + [child(node, .then)].compactMap { $0 }
            let elses = given + [child(node, .else)].compactMap { $0 }
            return (then.map { implies(thens, $0) } ?? true) && (otherwise.map { implies(elses, $0) } ?? true)
        }
    }

    // MARK: Numbers and strings

    /// How the number at `a` compares with that at `b`.
    private func order(_ a: Int, _ left: SchemaText, _ b: Int, _ right: SchemaText) -> Int {
        let (leftBytes, rightBytes) = (left.bytes, right.bytes)
        let x = JSONDecimal(leftBytes.span, left.range(a))
        let y = JSONDecimal(rightBytes.span, right.range(b))
        return JSONDecimal.compare(x, y)
    }

    private mutating func isBoundImplied(_ keyword: SchemaKeyword, _ value: Int, of goal: Node, _ given: [Node]) -> Bool {
        let isLower = keyword == .minimum || keyword == .exclusiveMinimum
        let isExclusive = keyword == .exclusiveMinimum || keyword == .exclusiveMaximum
        return given.contains { node in
            let keywords = keywords(node)
            func isWithin(_ bound: SchemaKeyword, orAt: Bool) -> Bool {
                guard let token = keywords[bound] else { return false }
                let order = order(token, text(node), value, text(goal)) * (isLower ? 1 : -1)
                return order > 0 || (orAt && order == 0)
            }
            return isWithin(isLower ? .minimum : .maximum, orAt: !isExclusive)
                || isWithin(isLower ? .exclusiveMinimum : .exclusiveMaximum, orAt: true)
        }
    }

    private mutating func isMultipleImplied(_ value: Int, of goal: Node, _ given: [Node]) -> Bool {
        let text = text(goal)
        let bytes = text.bytes
        guard let divisor = DecimalDivisor(JSONDecimal(bytes.span, text.range(value))) else { return false }
        return given.contains { node in
            guard let known = keywords(node)[.multipleOf] else { return false }
            let text = self.text(node)
            let bytes = text.bytes
            return divisor.divides(JSONDecimal(bytes.span, text.range(known)))
        }
    }

    /// A count; more than 64 bits hold is as good as the most that they do.
    private func count(_ value: Int, _ text: SchemaText) -> UInt64 {
        let bytes = text.bytes
        return JSONNumeral.uint64(bytes.span, text.range(value)) ?? .max
    }

    private mutating func isCountImplied(_ keyword: SchemaKeyword, _ value: Int, of goal: Node, _ given: [Node]) -> Bool {
        let isLower = [.minLength, .minProperties, .minItems].contains(keyword)
        let limit = count(value, text(goal))
        if isLower, limit == 0 { return true }
        return given.contains { node in
            guard let known = keywords(node)[keyword] else { return false }
            let count = count(known, text(node))
            return isLower ? count >= limit : count <= limit
        }
    }

    private mutating func isSameString(_ keyword: SchemaKeyword, _ value: Int, of goal: Node, _ given: [Node]) -> Bool {
        let wanted = text(goal).characters(value)
        return given.contains { node in keywords(node)[keyword].map { text(node).characters($0) == wanted } ?? false }
    }

    // MARK: Objects and arrays

    private mutating func arePatternsImplied(_ goal: Node, _ given: [Node]) -> Bool {
        map(goal, .patternProperties).allSatisfy { pattern, node in
            implies(given.flatMap { map($0, .patternProperties).filter { $0.name == pattern }.map(\.node) }, node)
        }
    }

    /// The members that the goal does not name and that match none of its patterns.
    private mutating func areOthersImplied(_ goal: Node, _ given: [Node]) -> Bool {
        guard let others = child(goal, .additionalProperties) else { return false }
        let named = Set(map(goal, .properties).map(\.name))
        let patterns = Set(map(goal, .patternProperties).map(\.name))
        for node in given {
            for (name, _) in map(node, .properties) where !named.contains(name) {
                guard implies(member(name, of: given), others) else { return false }
            }
        }
        // Of names that nothing given has: those that match a pattern of one that is given …
        var rest: [Node] = []
        for node in given {
            guard let additional = child(node, .additionalProperties) else { continue }
            let known = map(node, .patternProperties)
            let others = known.filter { !patterns.contains($0.name) }
            if others.isEmpty { rest.append(additional) }
        }
        // … unless the goal has the pattern too, are not told apart, so what is given with other patterns says nothing here.
        return implies(rest, others)
    }

    private mutating func areDependenciesImplied(_ goal: Node, _ given: [Node]) -> Bool {
        let required = required(given)
        return map(goal, .dependentRequired).allSatisfy { name, list in
            let text = text(list)
            let wanted = Set(text.elements(list.token).map { text.characters($0) }).subtracting(required)
            if wanted.isEmpty { return true }
            return given.contains { node in
                map(node, .dependentRequired).contains { other in
                    let text = self.text(other.node)
                    return other.name == name && wanted.isSubset(of: Set(text.elements(other.node.token).map { text.characters($0) }))
                }
            }
        }
    }

    private mutating func isContainsImplied(_ goal: Node, _ given: [Node]) -> Bool {
        guard let wanted = child(goal, .contains) else { return false }
        let least = keywords(goal)[.minContains].map { count($0, text(goal)) } ?? 1
        let most = keywords(goal)[.maxContains].map { count($0, text(goal)) } ?? .max
        if least == 0, most == .max { return true }
        return given.contains { node in
            guard let known = child(node, .contains) else { return false }
            let knownLeast = keywords(node)[.minContains].map { count($0, text(node)) } ?? 1
            let knownMost = keywords(node)[.maxContains].map { count($0, text(node)) } ?? .max
            return (least == 0 || (knownLeast >= least && implies([known], wanted)))
                && (most == .max || (knownMost <= most && implies([wanted], known)))
        }
    }

    /// Whether the goal itself is given, word for word, and refers to nothing else.
    private func isVerbatim(_ goal: Node, _ given: [Node]) -> Bool {
        let text = text(goal)
        let range = text.range(goal.token)
        let bytes = Array(text.bytes[range])
        guard !text.refers(in: range) else { return false }
        return given.contains { node in
            let other = self.text(node)
            return Array(other.bytes[other.range(node.token)]) == bytes
        }
    }
}

extension SchemaText {
    /// Whether references lead to places by their JSON pointers only.
    fileprivate var namesNoPlaces: Bool {
        for (index, token) in tokens.enumerated() where token.kind == .name {
            let name = string(index)
            if name == SchemaKeyword.id.rawValue || name == SchemaKeyword.anchor.rawValue { return false }
        }
        return true
    }

    fileprivate func refers(in range: Range<Int>) -> Bool {
        tokens.indices.contains { tokens[$0].kind == .name && range.contains(tokens[$0].range.lowerBound) && string($0) == "$ref" }
    }
}
