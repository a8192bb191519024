//===--- SchemaAssembly.swift - from drafts to flat tables -----------------===//
//
//   * nodes are numbered so that edges lead from smaller to greater numbers. Where that cannot be, the schema would look at a value for
//     ever, and is refused.
//   * a draft that only stands for another one has no node; one that admits everything has none either, unless an edge leads to it.
//===-----------------------------------------------------------------------===//

struct SchemaAssembly {
    private let drafts: [SchemaDraft]
    private var tables: SchemaProgram.Tables
    private let text: SchemaText
    /// What each draft stands for in the end: itself, or the last of those that each stand for the next.
    private var standsFor: [Int] = []
    private var nodeOf: [Int32] = []

    init(drafts: [SchemaDraft], tables: SchemaProgram.Tables, text: SchemaText) {
        self.drafts = drafts
        self.tables = tables
        self.text = text
    }

    mutating func program(root: Int) throws(SchemaError) -> SchemaProgram {
        // Those that edges lead to come first.
        let order = try order()
        standsFor = Array(drafts.indices)
        for draft in order { if let target = drafts[draft].alias { standsFor[draft] = standsFor[target] } }
        nodeOf = [Int32](repeating: SchemaProgram.any, count: drafts.count)
        let numbered = order.reversed().filter { standsFor[$0] == $0 }
        for (number, draft) in numbered.enumerated() { nodeOf[draft] = Int32(number) }
        for draft in numbered { try emit(drafts[draft]) }
        return SchemaProgram(tables, text: text, root: child(root))
    }

    /// All drafts, each behind those that edges lead to from it.
    private func order() throws(SchemaError) -> [Int] {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: drafts.count)
        var result: [Int] = []
        for start in drafts.indices where marks[start] == .new {
            var way: [(draft: Int, edge: Int)] = [(start, 0)]
            marks[start] = .open
            while let (draft, edge) = way.last {
                guard edge < drafts[draft].edges.count else {
                    marks[draft] = .done
                    result.append(draft)
                    way.removeLast()
                    continue
                }
                way[way.count - 1].edge += 1
                let target = drafts[draft].edges[edge].target
                switch marks[target] {
                case .done: break
                case .new:
                    marks[target] = .open
                    way.append((target, 0))
                case .open:
                    throw SchemaError(
                        pointer: text.pointer(at: text.range(drafts[target].token).lowerBound),
                        reason: "the schema leads back to itself without a step into the value, and would never end")
                }
            }
        }
        return result
    }

    /// The node of a draft for a value inside; `any` if there is nothing to look at.
    private func child(_ draft: Int?) -> Int32 {
        guard let draft else { return SchemaProgram.any }
        let target = standsFor[draft]
        return drafts[target].isTrivial ? SchemaProgram.any : nodeOf[target]
    }

    private mutating func emit(_ draft: SchemaDraft) throws(SchemaError) {
        var node = SchemaNode()
        node.kinds = draft.kinds
        node.integersOnly = draft.integersOnly
        node.isFalse = draft.isFalse
        node.text = UInt32(text.range(draft.token).lowerBound)
        if !draft.bounds.isEmpty || draft.divisor != nil {
            node.number = Int32(tables.numbers.count)
            tables.numbers.append(
                NumberRule(bounds: Int32(tables.bounds.count), boundCount: Int32(draft.bounds.count), divisor: draft.divisor))
            tables.bounds += draft.bounds
        }
        if let string = draft.string {
            node.string = Int32(tables.strings.count)
            tables.strings.append(string)
        }
        if !draft.values.isEmpty {
            node.values = Int32(tables.values.count)
            node.valuesCount = Int32(draft.values.count)
            tables.values += draft.values
        }
        var bits: [[UInt8]: Int32] = [:]
        if let object = draft.object {
            node.object = Int32(tables.objects.count)
            bits = emit(object)
        }
        if let array = draft.array {
            node.array = Int32(tables.arrays.count)
            emit(array)
        }
        node.edges = Int32(tables.edges.count)
        for edge in draft.edges {
            let target = standsFor[edge.target]
            if edge.kind == .all, drafts[target].isTrivial { continue }
            tables.edges.append(SchemaEdge(kind: edge.kind, target: nodeOf[target], bit: bits[edge.name] ?? -1))
        }
        node.edgeCount = Int32(tables.edges.count) - node.edges
        tables.nodes.append(node)
    }

    // MARK: - Objects

    /// Returns the bits of the names whose presence matters.
    private mutating func emit(_ object: SchemaDraft.Object) -> [[UInt8]: Int32] {
        var rule = ObjectRule()
        rule.minimum = object.minimum
        rule.maximum = object.maximum
        rule.additional = child(object.additional)
        rule.hasAdditional = object.additional != nil
        rule.unevaluated = child(object.unevaluated)
        rule.hasUnevaluated = object.unevaluated != nil
        rule.names = child(object.names)

        var bits: [[UInt8]: Int32] = [:]
        let dependent = object.dependencies.flatMap { [$0.name] + $0.required }
        for name in object.required + dependent + object.triggers where bits[name] == nil { bits[name] = Int32(bits.count) }
        rule.bitCount = Int32(bits.count)

        rule.properties = Int32(tables.properties.count)
        var properties: [[UInt8]: Int32] = [:]
        for (name, draft) in object.properties { properties[name] = emit(name, child(draft), isDeclared: true, bits[name] ?? -1) }
        for (name, bit) in bits.sorted(by: { $0.value < $1.value }) where properties[name] == nil {
            properties[name] = emit(name, SchemaProgram.any, isDeclared: false, bit)
        }
        rule.propertyCount = Int32(properties.count)
        makeSlots(&rule)

        rule.requirements = Int32(tables.requirements.count)
        for name in object.required {
            let bit = bits[name] ?? 0
            if bit < 64 { rule.required |= 1 << UInt64(bit) }
            tables.requirements.append(SchemaRequirement(property: properties[name] ?? 0, bit: bit, keyword: .required))
        }
        for (condition, names) in object.dependencies {
            for name in names {
                tables.requirements.append(
                    SchemaRequirement(
                        property: properties[name] ?? 0, bit: bits[name] ?? 0, condition: properties[condition] ?? 0,
                        conditionBit: bits[condition] ?? 0, keyword: .dependentRequired))
            }
        }
        rule.requirementCount = Int32(tables.requirements.count) - rule.requirements

        rule.patterns = Int32(tables.patterns.count)
        rule.patternCount = Int32(object.patterns.count)
        for (expression, draft) in object.patterns { tables.patterns.append(SchemaPattern(expression: expression, node: child(draft))) }
        rule.isPlain =
            rule.patternCount == 0 && rule.names == SchemaProgram.any && !rule.hasUnevaluated && rule.bitCount <= 64 && !rule.countsNames
        tables.objects.append(rule)
        return bits
    }

    private mutating func emit(_ name: [UInt8], _ node: Int32, isDeclared: Bool, _ bit: Int32) -> Int32 {
        let start = UInt32(tables.names.count)
        tables.names += name
        tables.properties.append(
            SchemaProperty(
                prefix: SchemaProgram.prefix(name.span, 0, name.count),
                suffix: name.count > 8 ? SchemaProgram.prefix(name.span, name.count - 8, 8) : 0, name: start,
                nameLength: UInt32(name.count), node: node,
                isDeclared: isDeclared, bit: bit))
        return Int32(tables.properties.count - 1)
    }

    /// A table of hashes, half empty, where there are more properties than one wants to compare.
    private mutating func makeSlots(_ rule: inout ObjectRule) {
        guard rule.propertyCount > SchemaProgram.propertiesWithoutTable else { return }
        var size = 16
        while size < 2 * Int(rule.propertyCount) { size *= 2 }
        rule.slots = Int32(tables.slots.count)
        rule.slotMask = Int32(size - 1)
        tables.slots += [Int32](repeating: -1, count: size)
        for index in rule.properties..<rule.properties + rule.propertyCount {
            let property = tables.properties[Int(index)]
            let name = Int(property.name)..<Int(property.name + property.nameLength)
            var slot = Int(truncatingIfNeeded: JSONHash.bytes(tables.names.span, name)) & (size - 1)
            while tables.slots[Int(rule.slots) + slot] >= 0 { slot = (slot + 1) & (size - 1) }
            tables.slots[Int(rule.slots) + slot] = index
        }
    }

    // MARK: - Arrays

    private mutating func emit(_ array: SchemaDraft.Array) {
        var rule = ArrayRule()
        rule.prefix = Int32(tables.prefixItems.count)
        rule.prefixCount = Int32(array.prefix.count)
        tables.prefixItems += array.prefix.map(child)
        rule.items = child(array.items)
        rule.hasItems = array.items != nil
        rule.contains = child(array.contains)
        rule.hasContains = array.contains != nil
        rule.minimumContains = array.minimumContains
        rule.maximumContains = array.maximumContains
        rule.unevaluated = child(array.unevaluated)
        rule.hasUnevaluated = array.unevaluated != nil
        rule.isUnique = array.isUnique
        rule.minimum = array.minimum
        rule.maximum = array.maximum
        rule.isPlain = !rule.hasContains && !rule.hasUnevaluated && !rule.isUnique
        tables.arrays.append(rule)
    }
}
