//===--- SchemaSink.swift - validating while the text is read --------------===//
//
// A sink of the one grammar: the pass that proves a text to be JSON proves it valid under its schema as well. Nothing is read twice, and
// no value is kept.
//
//      before a value    its nodes are known: those of its name or index, for each node that looks at the container around it (`pending`)
//      value begins      an entry for each node, and for those that edges lead to from there: each once, however many lead to it
//      scalar            each entry's rules are checked
//      container         its entries wait for its end, on a stack, and say what is pending for each value inside
//      value ends        edges are resolved, greatest node first; each root's result goes to the entries around that asked for it
//
//   * so a document costs at most its values times the schema's nodes, whatever refers to what.
//   * an entry that must be valid for the document to be (`isAsserted`) ends it as soon as it fails; others remember their first failure.
//   * values nobody looks at are counted open and closed (`skip`), and that is all.
//   * most values have one root without edges, in a container of the same kind: `isPlain` frames and `pending` ≥ 0 are their short way.
//===-----------------------------------------------------------------------===//

struct SchemaSink: JSONSink {
    /// For `pending`: several entries, from `mark`, with links from `linkMark`.
    private static let several: Int32 = -2

    let program: SchemaProgram
    var scratch: SchemaStacks
    /// For arrays whose items must be unique.
    var sets: [UniqueItems] = []
    var top: SchemaFrame
    /// Containers open that nobody looks at; very many once the document has failed.
    var skip = 0
    /// Containers open whose hash is being made.
    var hashDepth = 0
    var lastHash: UInt64 = 0
    /// The node of the next value, `any`, or `several`.
    private var pending: Int32
    private var mark = 0
    private var linkMark = 0
    /// What the document fails for.
    private(set) var failure: SchemaFailure?

    init(_ program: SchemaProgram, _ scratch: SchemaStacks) {
        self.program = program
        self.scratch = scratch
        pending = program.root
        top = SchemaFrame(kind: .document, isPlain: true, isAsserted: true, isSingle: true, first: 0, end: 0, start: 0)
    }

    // MARK: - The grammar's calls

    @inline(__always)
    mutating func name(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        if hashDepth != 0 { hashName(bytes, start, end, escaped: escaped) }
        if skip != 0 { return }
        if top.isPlain {
            pending = plainMember(bytes, start, end, escaped: escaped)
        } else {
            severalForMember(bytes, start, end, escaped: escaped)
        }
    }

    @inline(__always)
    mutating func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        scalar(bytes, .string, start, end, escaped: escaped)
    }

    @inline(__always)
    mutating func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) { scalar(bytes, .number, start, end, escaped: false) }

    @inline(__always)
    mutating func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, first: UInt8) {
        scalar(bytes, JSONKind(first: first), start, end, escaped: false)
    }

    @inline(__always)
    mutating func opened(_ bytes: Span<UInt8>, object: Bool, at start: Int) {
        if skip == 0 {
            if top.kind == .array { findPendingForItem() }
            if pending != SchemaProgram.any {
                if !beginLightly(object ? .object : .array, at: start) { begin(object ? .object : .array, at: start) }
                return
            }
        }
        skip &+= 1
        if hashDepth != 0 { openHash(object: object, at: start) }
    }

    @inline(__always)
    mutating func closed(_ bytes: Span<UInt8>, object: Bool, end: Int) {
        if hashDepth != 0 { closeHash(bytes, end) }
        if skip != 0 {
            skip &-= 1
            return
        }
        if top.isLight { finishLightly(end) } else { finish(bytes, end) }
    }

    @inline(__always)
    private mutating func scalar(_ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int, escaped: Bool) {
        if hashDepth != 0 { addHash(bytes, JSONHash.scalar(bytes, kind, start, end, escaped: escaped), start, end) }
        if skip != 0 { return }
        if top.kind == .array { findPendingForItem() }
        if pending == SchemaProgram.any { return }
        if pending >= 0 {
            if program.nodes[Int(pending)].edgeCount == 0 {
                if let keyword = program.check(Int(pending), bytes, kind, start, end, escaped: escaped) {
                    failSole(keyword, start, end)
                }
                return
            }
        }
        severalForScalar(bytes, kind, start, end, escaped: escaped)
    }

    // MARK: - Failing

    mutating func fail(_ entry: Int, _ failure: SchemaFailure) {
        guard !scratch.entries[entry].hasFailed else { return }
        scratch.entries[entry].hasFailed = true
        scratch.entries[entry].failure = failure
        if scratch.entries[entry].isAsserted { stop(failure) }
    }

    /// The document has failed: what follows must still be JSON, but nobody looks at it.
    private mutating func stop(_ failure: SchemaFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        skip = .max / 2
        hashDepth = 0
    }

    /// The one root of a value in a plain container has failed.
    @inline(never)
    private mutating func failSole(_ keyword: SchemaKeyword, _ start: Int, _ end: Int) {
        let failure = SchemaFailure(pending, keyword, start, end)
        if top.isAsserted { stop(failure) } else { fail(Int(top.first), failure) }
    }

    // MARK: - What is pending

    /// The node of the member with this name, in a plain object.
    @inline(__always)
    private mutating func plainMember(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> Int32 {
        guard top.rule >= 0 else { return SchemaProgram.any }
        let rule = Int(top.rule)
        let entry = Int(top.first)
        if !top.isAsserted, scratch.entries[entry].hasFailed { return SchemaProgram.any }
        let found = property(rule, entry, bytes, start, end, escaped: escaped)
        if found >= 0, program.properties[found].isDeclared { return program.properties[found].node }
        return program.objects[rule].additional
    }

    /// Looks a name up in a rule's properties, and notes that it is there. -1 if it is none of them.
    @inline(__always)
    private mutating func property(
        _ rule: Int, _ entry: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool
    ) -> Int {
        let first = program.objects[rule].properties
        let hint = scratch.entries[entry].hint
        var found = -1
        if !escaped, hint < program.objects[rule].propertyCount {
            let candidate = Int(first &+ hint)
            if program.isName(candidate, bytes, start &+ 1, end &- 1) { found = candidate }
        }
        if found < 0 {
            found = program.findName(rule, bytes, start, end, escaped: escaped)
            if found < 0 { return -1 }
        }
        scratch.entries[entry].hint = Int32(truncatingIfNeeded: found) &- first &+ 1
        let bit = program.properties[found].bit
        if bit >= 0 { note(bit, entry) }
        return found
    }

    @inline(__always)
    private mutating func note(_ bit: Int32, _ entry: Int) {
        if bit < 64 {
            scratch.entries[entry].seen |= 1 &<< UInt64(bit)
        } else {
            scratch.moreSeen[Int(scratch.entries[entry].moreSeen) + Int(bit) / 64 - 1] |= 1 << UInt64(bit % 64)
        }
    }

    func hasSeen(_ bit: Int32, _ entry: Int) -> Bool {
        if bit < 64 { return scratch.entries[entry].seen >> UInt64(bit) & 1 == 1 }
        let more = Int(scratch.entries[entry].moreSeen)
        return more >= 0 && scratch.moreSeen[more + Int(bit) / 64 - 1] >> UInt64(bit % 64) & 1 == 1
    }

    @inline(never)
    private mutating func severalForMember(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        top.count += 1
        if top.countsNames { scratch.names.append(JSONHash.string(bytes, start, end, escaped: escaped)) }
        // Names first: their entries come and go, those of the value stay.
        for entry in Int(top.first)..<Int(top.end) where !scratch.entries[entry].hasFailed {
            guard let rule = objectRule(entry), program.objects[rule].names != SchemaProgram.any else { continue }
            checkName(program.objects[rule].names, entry, bytes, start, end, escaped: escaped)
        }
        if failure != nil { return }
        startSeveral()
        let unescaped = escaped ? JSONText.unescaped(bytes, start + 1..<end - 1) : []
        for entry in Int(top.first)..<Int(top.end) where !scratch.entries[entry].hasFailed {
            guard let number = objectRule(entry) else { continue }
            var isEvaluated = false
            let found = property(number, entry, bytes, start, end, escaped: escaped)
            let rule = program.objects[number]
            if found >= 0, program.properties[found].isDeclared {
                request(program.properties[found].node, entry, .value)
                isEvaluated = true
            }
            for index in Int(rule.patterns)..<Int(rule.patterns + rule.patternCount) {
                let matches =
                    escaped
                    ? program.patterns[index].expression.matches(unescaped.span)
                    : program.patterns[index].expression.matches(bytes.extracting(start + 1..<end - 1))
                guard matches else { continue }
                request(program.patterns[index].node, entry, .value)
                isEvaluated = true
            }
            if !isEvaluated, rule.hasAdditional {
                request(rule.additional, entry, .value)
                isEvaluated = true
            }
            if top.tracksEvaluation { track(entry, isEvaluated, rule.hasUnevaluated, rule.unevaluated) }
        }
        finishSeveral()
    }

    /// Finds what is pending for the next item of an array.
    @inline(__always)
    private mutating func findPendingForItem() {
        let index = top.count
        top.count &+= 1
        guard top.isPlain else { return severalForItem(index) }
        guard top.rule >= 0, top.isAsserted || !scratch.entries[Int(top.first)].hasFailed else {
            pending = SchemaProgram.any
            return
        }
        let rule = Int(top.rule)
        pending =
            index < UInt32(bitPattern: program.arrays[rule].prefixCount)
            ? program.prefixItems[Int(program.arrays[rule].prefix) &+ Int(index)] : program.arrays[rule].items
    }

    @inline(never)
    private mutating func severalForItem(_ index: UInt32) {
        startSeveral()
        for entry in Int(top.first)..<Int(top.end) where !scratch.entries[entry].hasFailed {
            guard let number = arrayRule(entry) else { continue }
            let rule = program.arrays[number]
            var isEvaluated = true
            if index < UInt32(rule.prefixCount) {
                request(program.prefixItems[Int(rule.prefix) + Int(index)], entry, .value)
            } else if rule.hasItems {
                request(rule.items, entry, .value)
            } else {
                isEvaluated = false
            }
            let isSettled =
                scratch.entries[entry].contained >= rule.minimumContains && rule.maximumContains == .max && !top.tracksEvaluation
            if rule.hasContains, !isSettled {
                if rule.contains == SchemaProgram.any {
                    scratch.entries[entry].contained += 1
                    isEvaluated = true
                } else {
                    request(rule.contains, entry, .contains)
                }
            }
            if top.tracksEvaluation { track(entry, isEvaluated, rule.hasUnevaluated, rule.unevaluated) }
        }
        finishSeveral()
    }

    private mutating func track(_ entry: Int, _ isEvaluated: Bool, _ hasUnevaluated: Bool, _ unevaluated: Int32) {
        if !isEvaluated && hasUnevaluated { request(unevaluated, entry, .unevaluated) }
        // If an entry with `unevaluated…` is valid at all it has evaluated whatever is in the container.
        if isEvaluated || hasUnevaluated {
            scratch.links.append(SchemaLink(parent: Int32(truncatingIfNeeded: entry), child: -1, role: .evaluates))
        }
    }

    private func objectRule(_ entry: Int) -> Int? {
        let index = program.nodes[Int(scratch.entries[entry].node)].object
        return index < 0 ? nil : Int(index)
    }

    private func arrayRule(_ entry: Int) -> Int? {
        let index = program.nodes[Int(scratch.entries[entry].node)].array
        return index < 0 ? nil : Int(index)
    }

    private mutating func startSeveral() {
        mark = scratch.entries.count
        linkMark = scratch.links.count
        reservePlaces()
    }

    private mutating func finishSeveral() {
        pending = scratch.links.count == linkMark ? SchemaProgram.any : Self.several
    }

    private mutating func reservePlaces() {
        if scratch.places.count < program.nodes.count {
            scratch.places.append(repeating: -1, count: program.nodes.count - scratch.places.count)
        }
    }

    /// Has `node` look at the value to come, for `parent`.
    private mutating func request(_ node: Int32, _ parent: Int, _ role: SchemaLink.Role) {
        guard node != SchemaProgram.any else { return }
        let child = enter(node, from: mark, isAsserted: role == .value && scratch.entries[parent].isAsserted)
        scratch.links.append(SchemaLink(parent: Int32(truncatingIfNeeded: parent), child: child, role: role))
    }

    /// The entry of `node` among those from `first` on; a new one if there is none.
    private mutating func enter(_ node: Int32, from first: Int, isAsserted: Bool) -> Int32 {
        let place = scratch.places[Int(node)]
        if place >= first, place < scratch.entries.count, scratch.entries[Int(place)].node == node {
            if isAsserted { scratch.entries[Int(place)].isAsserted = true }
            return place
        }
        guard scratch.entries.count < SchemaStacks.maximumEntries else {
            stop(SchemaFailure(node, .schema, 0, 0, isTooMuch: true))
            return Int32(truncatingIfNeeded: scratch.entries.count - 1)
        }
        let new = Int32(truncatingIfNeeded: scratch.entries.count)
        scratch.entries.append(SchemaEntry(node: node, isAsserted: isAsserted))
        scratch.places[Int(node)] = new
        return new
    }

    // MARK: - Values

    /// Makes the entries of a value that begins: its roots are there, or one is pending. Returns the first one.
    private mutating func enterRoots() -> (first: Int, links: Int, isSingle: Bool) {
        if pending == Self.several { return (mark, linkMark, false) }
        let first = scratch.entries.count
        scratch.entries.append(SchemaEntry(node: pending, isAsserted: top.isAsserted))
        return (first, scratch.links.count, true)
    }

    /// Follows edges from the entries from `first` on, and fails those that do not admit the kind. Returns whether there are edges.
    private mutating func expand(from first: Int, _ kind: JSONKind, _ start: Int) -> Bool {
        var hasEdges = false
        var at = first
        while at < scratch.entries.count {
            let number = scratch.entries[at].node
            let node = Int(number)
            if !program.nodes[node].kinds.contains(JSONKinds(kind)) {
                fail(at, SchemaFailure(number, .type, start, start))
                if failure != nil { return false }
            } else if program.nodes[node].edgeCount > 0 {
                if !hasEdges {
                    hasEdges = true
                    reservePlaces()
                    for index in first..<scratch.entries.count {
                        scratch.places[Int(scratch.entries[index].node)] = Int32(truncatingIfNeeded: index)
                    }
                }
                let isAsserted = scratch.entries[at].isAsserted
                for index in Int(program.nodes[node].edges)..<Int(program.nodes[node].edges + program.nodes[node].edgeCount) {
                    let edge = program.edges[index]
                    _ = enter(edge.target, from: first, isAsserted: edge.kind == .all && isAsserted)
                }
                if failure != nil { return false }
            }
            at += 1
        }
        return hasEdges
    }

    @inline(never)
    private mutating func severalForScalar(_ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int, escaped: Bool) {
        let (first, links, isSingle) = enterRoots()
        checkScalar(from: first, bytes, kind, start, end, escaped: escaped)
        if failure != nil { return }
        deliver(from: first, links, isSingle)
    }

    private mutating func checkScalar(from first: Int, _ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int, escaped: Bool) {
        let hasEdges = expand(from: first, kind, start)
        if failure != nil { return }
        for index in first..<scratch.entries.count where !scratch.entries[index].hasFailed {
            let node = scratch.entries[index].node
            guard let keyword = program.check(Int(node), bytes, kind, start, end, escaped: escaped) else { continue }
            fail(index, SchemaFailure(node, keyword, start, end))
        }
        if hasEdges { resolve(first, scratch.entries.count, start, end) }
    }

    private mutating func checkName(_ node: Int32, _ parent: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        let first = scratch.entries.count
        scratch.entries.append(SchemaEntry(node: node, isAsserted: scratch.entries[parent].isAsserted))
        checkScalar(from: first, bytes, .string, start, end, escaped: escaped)
        if failure != nil { return }
        let result = scratch.entries[first]
        scratch.entries.truncate(to: first)
        if result.hasFailed { fail(parent, result.failure) }
    }

    /// Begins a container that one node without edges looks at, if that is all there is to it.
    @inline(__always)
    private mutating func beginLightly(_ kind: JSONKind, at start: Int) -> Bool {
        guard pending >= 0, hashDepth == 0 else { return false }
        let node = Int(pending)
        guard program.nodes[node].edgeCount == 0, program.nodes[node].valuesCount == 0 else { return false }
        guard program.nodes[node].kinds.contains(JSONKinds(kind)) else {
            failSole(.type, start, start)
            if failure == nil { skip = 1 }
            return true
        }
        let rule = kind == .object ? program.nodes[node].object : program.nodes[node].array
        if rule < 0 {
            skip = 1
            return true
        }
        guard kind == .object ? program.objects[Int(rule)].isPlain : program.arrays[Int(rule)].isPlain else { return false }
        let first = Int32(truncatingIfNeeded: scratch.entries.count)
        scratch.entries.append(SchemaEntry(node: pending, isAsserted: top.isAsserted))
        scratch.frames.append(top)
        top = SchemaFrame(
            kind: kind == .object ? .object : .array, isLight: true, isPlain: true, isAsserted: top.isAsserted, isSingle: true,
            first: first, end: first &+ 1, rule: rule, start: UInt32(truncatingIfNeeded: start))
        return true
    }

    @inline(never)
    private mutating func begin(_ kind: JSONKind, at start: Int) {
        let (first, links, isSingle) = enterRoots()
        let hasEdges = expand(from: first, kind, start)
        if failure != nil { return }
        let marks = SchemaMarks(
            links: links, names: scratch.names.count, records: scratch.records.count, evaluators: scratch.evaluators.count,
            moreSeen: scratch.moreSeen.count)
        var frame = SchemaFrame(
            kind: kind == .object ? .object : .array, isSingle: isSingle, first: Int32(truncatingIfNeeded: first),
            end: Int32(truncatingIfNeeded: scratch.entries.count), start: UInt32(truncatingIfNeeded: start))
        frame.hasEdges = hasEdges
        var isUnique = false
        var isHashed = hashDepth != 0
        var isPlain = scratch.entries.count - first == 1
        for index in first..<scratch.entries.count where !scratch.entries[index].hasFailed {
            let node = Int(scratch.entries[index].node)
            if program.nodes[node].valuesCount > 0, program.hasCandidates(node, kind) { isHashed = true }
            if kind == .object, let rule = objectRule(index) {
                if program.objects[rule].hasUnevaluated { frame.tracksEvaluation = true }
                if program.objects[rule].countsNames { frame.countsNames = true }
                let bits = Int(program.objects[rule].bitCount)
                if bits > 64 {
                    scratch.entries[index].moreSeen = Int32(truncatingIfNeeded: scratch.moreSeen.count)
                    scratch.moreSeen.append(repeating: 0, count: (bits - 1) / 64)
                }
                isPlain = isPlain && program.objects[rule].isPlain
                frame.rule = Int32(truncatingIfNeeded: rule)
            } else if kind == .array, let rule = arrayRule(index) {
                if program.arrays[rule].hasUnevaluated { frame.tracksEvaluation = true }
                if program.arrays[rule].isUnique { isUnique = true }
                isPlain = isPlain && program.arrays[rule].isPlain
                frame.rule = Int32(truncatingIfNeeded: rule)
            }
        }
        frame.isPlain = isPlain
        frame.isAsserted = isPlain && scratch.entries[first].isAsserted
        frame.isHashed = isHashed || isUnique
        scratch.frames.append(top)
        scratch.marks.append(marks)
        top = frame
        if frame.isHashed {
            openHash(object: kind == .object, at: start)
            if isUnique { expectUniqueItems(first, scratch.entries.count) }
        }
    }

    /// A light container has ended.
    @inline(__always)
    private mutating func finishLightly(_ end: Int) {
        let first = Int(top.first)
        if !scratch.entries[first].hasFailed { checkEndLightly(first, end) }
        if failure != nil { return }
        if let outer = scratch.frames.popLast() { top = outer }
        if scratch.entries[first].hasFailed { fail(Int(top.first), scratch.entries[first].failure) }
        scratch.entries.truncate(to: first)
    }

    /// A container that somebody looks at has ended.
    @inline(never)
    private mutating func finish(_ bytes: Span<UInt8>, _ end: Int) {
        let frame = top
        for entry in Int(frame.first)..<Int(frame.end) where !scratch.entries[entry].hasFailed { checkEnd(entry, bytes, end) }
        if failure != nil { return }
        if frame.hasEdges { resolve(Int(frame.first), Int(frame.end), Int(frame.start), end) }
        if failure != nil { return }
        guard let outer = scratch.frames.popLast(), let marks = scratch.marks.popLast() else { return }
        scratch.names.truncate(to: marks.names)
        scratch.records.truncate(to: marks.records)
        scratch.evaluators.truncate(to: marks.evaluators)
        scratch.moreSeen.truncate(to: marks.moreSeen)
        top = outer
        deliver(from: Int(frame.first), marks.links, frame.isSingle)
    }

    /// Tells the entries of the container around a value what became of its roots, and forgets it.
    private mutating func deliver(from first: Int, _ links: Int, _ isSingle: Bool) {
        if isSingle {
            // The root of the document is asserted, and would have ended it.
            if scratch.entries[first].hasFailed { fail(Int(top.first), scratch.entries[first].failure) }
        } else {
            for index in links..<scratch.links.count {
                let link = scratch.links[index]
                switch link.role {
                case .value:
                    let child = scratch.entries[Int(link.child)]
                    if child.hasFailed { fail(Int(link.parent), child.failure) }
                case .contains: if !scratch.entries[Int(link.child)].hasFailed { scratch.entries[Int(link.parent)].contained += 1 }
                case .unevaluated:
                    let child = scratch.entries[Int(link.child)]
                    if child.hasFailed { rescue(link.parent, from: links, child.failure) }
                case .evaluates: break
                }
            }
            scratch.links.truncate(to: links)
        }
        scratch.entries.truncate(to: first)
    }
}

extension SchemaFailure {
    @inline(__always)
    init(_ node: Int32, _ keyword: SchemaKeyword, _ start: Int, _ end: Int, detail: UInt32 = 0, isTooMuch: Bool = false) {
        self.init(
            node: node, keyword: keyword, start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end), detail: detail,
            isTooMuch: isTooMuch)
    }
}
