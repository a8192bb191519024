//===--- SchemaSink+Results.swift - from parts to wholes -------------------===//
//
// What is known of an entry when its value ends: counts and names, the edges to other entries of the same value, and for
// `unevaluated…` whether somebody else has evaluated what it does not allow.
//
// Evaluated means: by an entry that edges lead to from the one with `unevaluated…`, through entries that are valid and not through
// `not` (core, 10.3 and 11). Which those are is known only at the end; so a value that is not allowed is recorded with all that may have
// evaluated it.
//===-----------------------------------------------------------------------===//

extension SchemaSink {
    /// Checks what could not be before the container had ended.
    mutating func checkEnd(_ index: Int, _ bytes: Span<UInt8>, _ end: Int) {
        let number = scratch.entries[index].node
        let node = Int(number)
        let start = Int(top.start)
        if top.kind == .object, program.nodes[node].object >= 0 {
            let rule = Int(program.nodes[node].object)
            checkNames(index, rule, end)
            if program.objects[rule].countsNames { checkCount(index, program.objects[rule], start, end) }
        } else if top.kind == .array, program.nodes[node].array >= 0 {
            let rule = program.arrays[Int(program.nodes[node].array)]
            checkCount(index, rule.minimum, rule.maximum, end)
            if rule.hasContains {
                let contained = scratch.entries[index].contained
                if contained < rule.minimumContains {
                    let keyword: SchemaKeyword = rule.minimumContains == 1 ? .contains : .minContains
                    fail(index, SchemaFailure(number, keyword, start, end, detail: contained))
                }
                if contained > rule.maximumContains { fail(index, SchemaFailure(number, .maxContains, start, end, detail: contained)) }
            }
        }
        if program.nodes[node].valuesCount > 0, let keyword = program.checkContainer(node, bytes, lastHash, start, end) {
            fail(index, SchemaFailure(number, keyword, start, end))
        }
    }

    /// The same for a light frame, whose rule is plain.
    @inline(__always)
    mutating func checkEndLightly(_ index: Int, _ end: Int) {
        let rule = Int(top.rule)
        if top.kind == .object {
            checkNames(index, rule, end)
        } else {
            checkCount(index, program.arrays[rule].minimum, program.arrays[rule].maximum, end)
        }
    }

    @inline(__always)
    private mutating func checkNames(_ index: Int, _ rule: Int, _ end: Int) {
        // Where each name that must be there has a bit of the first word, and none asks for others, one look is enough.
        let required = program.objects[rule].required
        let count = Int(program.objects[rule].requirementCount)
        if count == 0 || (required & ~scratch.entries[index].seen == 0 && required.nonzeroBitCount == count) { return }
        findMissingName(index, rule, end)
    }

    @inline(never)
    private mutating func findMissingName(_ index: Int, _ rule: Int, _ end: Int) {
        let first = Int(program.objects[rule].requirements)
        for number in first..<first + Int(program.objects[rule].requirementCount) {
            let requirement = program.requirements[number]
            if requirement.condition >= 0, !hasSeen(requirement.conditionBit, index) { continue }
            if hasSeen(requirement.bit, index) { continue }
            let node = scratch.entries[index].node
            return fail(index, SchemaFailure(node, requirement.keyword, Int(top.start), end, detail: UInt32(number)))
        }
    }

    @inline(__always)
    private mutating func checkCount(_ index: Int, _ minimum: UInt32, _ maximum: UInt32, _ end: Int) {
        if top.count >= minimum, top.count <= maximum { return }
        let keyword: SchemaKeyword = top.count < minimum ? .minItems : .maxItems
        fail(index, SchemaFailure(scratch.entries[index].node, keyword, Int(top.start), end, detail: top.count))
    }

    private mutating func checkCount(_ index: Int, _ rule: ObjectRule, _ start: Int, _ end: Int) {
        // Counting different names is work, and only needed where repeated ones could make a difference.
        let count = top.count > rule.maximum || (top.count >= rule.minimum && rule.minimum > 1) ? namesCount : top.count
        let node = scratch.entries[index].node
        if count < rule.minimum { fail(index, SchemaFailure(node, .minProperties, start, end, detail: count)) }
        if count > rule.maximum { fail(index, SchemaFailure(node, .maxProperties, start, end, detail: count)) }
    }

    /// Different names of the object that ends: one that is repeated counts once.
    private var namesCount: UInt32 {
        var names: [UInt64] = []
        for index in marks.names..<scratch.names.count { names.append(scratch.names[index]) }
        names.sort()
        var count: UInt32 = 0
        var last: UInt64?
        for name in names where name != last {
            count += 1
            last = name
        }
        return count
    }

    /// Where the stacks stood when the innermost frame that is not light began.
    private var marks: SchemaMarks { scratch.marks[scratch.marks.count - 1] }

    // MARK: - Edges

    /// Resolves the edges of the entries from `first` to `end`, which look at one value.
    mutating func resolve(_ first: Int, _ end: Int, _ valueStart: Int, _ valueEnd: Int) {
        // Values inside have used the places for their own entries.
        var only = -1
        var order: [Int32] = []
        for index in first..<end {
            let node = scratch.entries[index].node
            scratch.places[Int(node)] = Int32(truncatingIfNeeded: index)
            guard !scratch.entries[index].hasFailed, program.nodes[Int(node)].edgeCount > 0 else { continue }
            if only < 0, order.isEmpty {
                only = index
            } else {
                if order.isEmpty { order.append(scratch.entries[only].node) }
                order.append(node)
            }
        }
        if order.isEmpty {
            if only >= 0 { resolve(only, valueStart, valueEnd) }
            return
        }
        order.sort(by: >)
        for node in order {
            resolve(Int(scratch.places[Int(node)]), valueStart, valueEnd)
            if failure != nil { return }
        }
    }

    private func hasFailed(_ edge: SchemaEdge) -> Bool { scratch.entries[Int(scratch.places[Int(edge.target)])].hasFailed }

    private mutating func resolve(_ index: Int, _ start: Int, _ end: Int) {
        let node = scratch.entries[index].node
        let edges = Int(program.nodes[Int(node)].edges)..<Int(program.nodes[Int(node)].edges + program.nodes[Int(node)].edgeCount)
        var anyOf = (count: 0, matched: 0)
        var oneOf = (count: 0, matched: 0)
        var condition = true
        for edge in program.edges[edges] {
            let failed = hasFailed(edge)
            var isBinding = false
            switch edge.kind {
            case .all: isBinding = true
            case .dependent: isBinding = hasSeen(edge.bit, index)
            case .any: anyOf = (anyOf.count + 1, anyOf.matched + (failed ? 0 : 1))
            case .one: oneOf = (oneOf.count + 1, oneOf.matched + (failed ? 0 : 1))
            case .not: if !failed { fail(index, SchemaFailure(node, .not, start, end)) }
            case .if: condition = !failed
            case .then: isBinding = condition
            case .else: isBinding = !condition
            }
            if isBinding, failed { fail(index, scratch.entries[Int(scratch.places[Int(edge.target)])].failure) }
        }
        if anyOf.count > 0, anyOf.matched == 0 { fail(index, SchemaFailure(node, .anyOf, start, end, detail: UInt32(anyOf.count))) }
        if oneOf.count > 0, oneOf.matched != 1 { fail(index, SchemaFailure(node, .oneOf, start, end, detail: UInt32(oneOf.matched))) }
        if top.tracksEvaluation, !scratch.entries[index].hasFailed { checkRecords(of: index) }
    }

    // MARK: - Evaluation

    /// A value that the `unevaluated…` of `parent` does not allow: it may have been evaluated by others. Links of the value begin at `links`.
    mutating func rescue(_ parent: Int32, from links: Int, _ failure: SchemaFailure) {
        let start = scratch.evaluators.count
        for index in links..<scratch.links.count {
            let link = scratch.links[index]
            switch link.role {
            case .contains where !scratch.entries[Int(link.child)].hasFailed:
                if link.parent == parent {
                    scratch.evaluators.truncate(to: start)
                    return
                }
                scratch.evaluators.append(link.parent)
            case .evaluates where link.parent != parent: scratch.evaluators.append(link.parent)
            default: break
            }
        }
        let count = scratch.evaluators.count - start
        if count == 0 || program.nodes[Int(scratch.entries[Int(parent)].node)].edgeCount == 0 {
            scratch.evaluators.truncate(to: start)
            return fail(Int(parent), failure)
        }
        if isLastRecord(of: parent, start, count) {
            scratch.evaluators.truncate(to: start)
            return
        }
        guard scratch.evaluators.count < SchemaStacks.maximumEntries else {
            return fail(Int(parent), SchemaFailure(failure.node, failure.keyword, 0, 0, isTooMuch: true))
        }
        scratch.records.append(
            EvaluationRecord(
                entry: parent, evaluators: Int32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: count), failure: failure))
    }

    /// Whether the last record says what one with these evaluators would. Most members of an object have the same ones.
    private func isLastRecord(of parent: Int32, _ start: Int, _ count: Int) -> Bool {
        guard scratch.records.count > marks.records else { return false }
        let last = scratch.records[scratch.records.count - 1]
        guard last.entry == parent, Int(last.count) == count else { return false }
        for index in 0..<count where scratch.evaluators[Int(last.evaluators) + index] != scratch.evaluators[start + index] { return false }
        return true
    }

    /// Fails the entry if a value that it does not allow was not evaluated by those that edges lead to.
    private mutating func checkRecords(of index: Int) {
        var records: [EvaluationRecord] = []
        for number in marks.records..<scratch.records.count where Int(scratch.records[number].entry) == index {
            records.append(scratch.records[number])
        }
        guard !records.isEmpty else { return }
        var reached: Set<Int32> = [Int32(truncatingIfNeeded: index)]
        var waiting = [Int32(truncatingIfNeeded: index)]
        while let at = waiting.popLast() {
            let node = program.nodes[Int(scratch.entries[Int(at)].node)]
            guard node.edgeCount > 0 else { continue }
            var condition = true
            for edge in program.edges[Int(node.edges)..<Int(node.edges + node.edgeCount)] {
                let failed = hasFailed(edge)
                let passes: Bool
                switch edge.kind {
                case .all, .any, .one: passes = true
                case .if:
                    condition = !failed
                    passes = true
                case .not: passes = false
                case .then: passes = condition
                case .else: passes = !condition
                case .dependent: passes = hasSeen(edge.bit, Int(at))
                }
                let target = scratch.places[Int(edge.target)]
                if passes, !failed, reached.insert(target).inserted { waiting.append(target) }
            }
        }
        for record in records {
            let evaluators = Int(record.evaluators)..<Int(record.evaluators + record.count)
            if !evaluators.contains(where: { reached.contains(scratch.evaluators[$0]) }) { return fail(index, record.failure) }
        }
    }
}
