//===--- SchemaChecks.swift - rules that one value decides -----------------===//

extension SchemaProgram {
    // MARK: - Scalars

    /// The keyword that a scalar breaks; nil if none.
    @inline(__always)
    func check(
        _ node: Int, _ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int, escaped: Bool
    ) -> SchemaKeyword? {
        guard nodes[node].kinds.contains(JSONKinds(kind)) else { return .type }
        if kind == .number {
            if nodes[node].integersOnly, !Self.isInteger(bytes, start, end) { return .type }
            let rule = nodes[node].number
            if rule >= 0, let keyword = checkNumber(Int(rule), bytes, start, end) { return keyword }
        } else if kind == .string {
            let rule = nodes[node].string
            if rule >= 0, let keyword = checkString(Int(rule), bytes, start, end, escaped: escaped) { return keyword }
        }
        return nodes[node].valuesCount == 0 ? nil : checkValues(node, bytes, kind, start, end, escaped: escaped)
    }

    @inline(__always)
    private static func isInteger(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        var at = start &+ 1
        while at < end {
            if !ASCII.isDigit(bytes.byte(at: at)) { return JSONDecimal(bytes, start..<end).isInteger }
            at &+= 1
        }
        return true
    }

    private func checkNumber(_ rule: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> SchemaKeyword? {
        let first = Int(numbers[rule].bounds)
        let last = first &+ Int(numbers[rule].boundCount)
        if first < last {
            let value = SmallDecimal(bytes, start, end)
            for index in first..<last {
                let order: Int
                if let value, bounds[index].isSmall {
                    order = SmallDecimal.compare(value, bounds[index].small)
                } else {
                    order = longOrder(bytes, start, end, bounds[index])
                }
                if !bounds[index].admits(order) { return bounds[index].keyword }
            }
        }
        if let divisor = numbers[rule].divisor, !divisor.divides(JSONDecimal(bytes, start..<end)) { return .multipleOf }
        return nil
    }

    @inline(never)
    private func longOrder(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ bound: NumberBound) -> Int {
        let schema = text.bytes
        let limit = JSONDecimal(schema.span, Int(bound.start)..<Int(bound.end))
        return JSONDecimal.compare(JSONDecimal(bytes, start..<end), limit)
    }

    @inline(__always)
    private func checkString(_ index: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> SchemaKeyword? {
        let rule = strings[index]
        let length = end &- start &- 2
        // There are at most as many code points as bytes, however they are written.
        if length < Int(rule.minimum) { return .minLength }
        if rule.minimum > 0 || length > Int(rule.maximum) {
            let count = JSONText.codePoints(bytes, start &+ 1, end &- 1, escaped: escaped)
            if count < Int(rule.minimum) { return .minLength }
            if count > Int(rule.maximum) { return .maxLength }
        }
        guard rule.pattern >= 0 || rule.format != nil else { return nil }
        return checkText(rule, bytes, start, end, escaped: escaped)
    }

    @inline(never)
    private func checkText(_ rule: StringRule, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> SchemaKeyword? {
        if escaped {
            let text = JSONText.unescaped(bytes, start + 1..<end - 1)
            return checkText(rule, text.span)
        }
        return checkText(rule, bytes.extracting(start + 1..<end - 1))
    }

    private func checkText(_ rule: StringRule, _ text: Span<UInt8>) -> SchemaKeyword? {
        if rule.pattern >= 0, !expressions[Int(rule.pattern)].matches(text) { return .pattern }
        if let format = rule.format, !format.accepts(text) { return .format }
        return nil
    }

    // MARK: - Constants

    /// Whether a container of this kind is among the constants of a node, so that its hash is wanted.
    func hasCandidates(_ node: Int, _ kind: JSONKind) -> Bool {
        values[Int(nodes[node].values)..<Int(nodes[node].values + nodes[node].valuesCount)].contains { $0.kinds.contains(JSONKinds(kind)) }
    }

    @inline(never)
    private func checkValues(
        _ node: Int, _ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int, escaped: Bool
    ) -> SchemaKeyword? {
        let hash = JSONHash.scalar(bytes, kind, start, end, escaped: escaped)
        return checkValues(node, bytes, hash, kind, start, end)
    }

    /// The keyword that a container with this hash breaks.
    func checkContainer(_ node: Int, _ bytes: Span<UInt8>, _ hash: UInt64, _ start: Int, _ end: Int) -> SchemaKeyword? {
        checkValues(node, bytes, hash, JSONKind(first: bytes.byte(at: start)), start, end)
    }

    private func checkValues(
        _ node: Int, _ bytes: Span<UInt8>, _ hash: UInt64, _ kind: JSONKind, _ start: Int, _ end: Int
    ) -> SchemaKeyword? {
        for index in Int(nodes[node].values)..<Int(nodes[node].values + nodes[node].valuesCount) {
            let rule = values[index]
            guard rule.kinds.contains(JSONKinds(kind)), isCandidate(rule, bytes, hash, kind, start, end) else { return rule.keyword }
        }
        return nil
    }

    private func isCandidate(
        _ rule: ValuesRule, _ bytes: Span<UInt8>, _ hash: UInt64, _ kind: JSONKind, _ start: Int, _ end: Int
    ) -> Bool {
        var low = Int(rule.candidates)
        let last = low + Int(rule.count)
        var high = last
        while low < high {
            let middle = (low + high) / 2
            if candidates[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < last, candidates[low].hash == hash {
            let candidate = candidates[low]
            low += 1
            guard candidate.kind == kind else { continue }
            if equals(candidate, bytes, kind, start, end) { return true }
        }
        return false
    }

    private func equals(_ candidate: ValueCandidate, _ bytes: Span<UInt8>, _ kind: JSONKind, _ start: Int, _ end: Int) -> Bool {
        if kind == .true || kind == .false || kind == .null { return true }
        // As a rule both are spelled alike.
        let length = end - start
        if Int(candidate.end - candidate.start) == length {
            var at = 0
            while at < length, text.bytes[Int(candidate.start) + at] == bytes.byte(at: start + at) { at += 1 }
            if at == length { return true }
        }
        let schema = text.bytes
        return JSONEquivalence.equal(bytes, start..<end, schema.span, Int(candidate.start)..<Int(candidate.end))
    }

    // MARK: - Names

    /// Properties from which on a rule has a table of hashes.
    static let propertiesWithoutTable = 8

    /// Whether the name at `start` ..< `end`, without its quotes and without escapes, is that of a property.
    @inline(__always)
    func isName(_ property: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let length = end &- start
        guard Int(properties[property].nameLength) == length, Self.prefix(bytes, start, length) == properties[property].prefix else {
            return false
        }
        if length <= 8 { return true }
        guard bytes.word(at: end &- 8) == properties[property].suffix else { return false }
        return length <= 16 || middle(properties[property], bytes, start, length)
    }

    /// Whether a long name is the property's between its first and last eight bytes.
    private func middle(_ property: SchemaProperty, _ bytes: Span<UInt8>, _ start: Int, _ length: Int) -> Bool {
        for at in 8..<length - 8 where names[Int(property.name) + at] != bytes.byte(at: start + at) { return false }
        return true
    }

    /// The first eight bytes of a name, the first one lowest, zeros behind a shorter one.
    @inline(__always)
    static func prefix(_ bytes: Span<UInt8>, _ start: Int, _ length: Int) -> UInt64 {
        if let word = bytes.word(at: start) {
            return length >= 8 ? word : word & (1 &<< UInt64(length &* 8) &- 1)
        }
        var prefix: UInt64 = 0
        for index in 0..<min(length, 8) { prefix |= UInt64(bytes.byte(at: start + index)) << UInt64(index * 8) }
        return prefix
    }

    /// The property with the name in the literal at `start` ..< `end`; -1 if there is none.
    @inline(never)
    func findName(_ rule: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> Int {
        if objects[rule].propertyCount == 0 { return -1 }
        if escaped {
            let text = JSONText.unescaped(bytes, start + 1..<end - 1)
            return findName(rule, text.span, 0, text.count)
        }
        return findName(rule, bytes, start + 1, end - 1)
    }

    private func findName(_ rule: Int, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        let mask = Int(objects[rule].slotMask)
        guard mask >= 0 else {
            let first = Int(objects[rule].properties)
            for index in first..<first + Int(objects[rule].propertyCount) where isName(index, bytes, start, end) { return index }
            return -1
        }
        let table = Int(objects[rule].slots)
        var slot = Int(truncatingIfNeeded: JSONHash.bytes(bytes, start..<end)) & mask
        while true {
            let index = slots[table + slot]
            if index < 0 { return -1 }
            if isName(Int(index), bytes, start, end) { return Int(index) }
            slot = (slot + 1) & mask
        }
    }
}

extension JSONText {
    /// Code points of the string whose inside is at `start` ..< `end`.
    static func codePoints(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) -> Int {
        if escaped {
            let text = unescaped(bytes, start..<end)
            return codePoints(text.span, 0, text.count, escaped: false)
        }
        var count = 0
        var at = start
        while at &+ 8 <= end, let word = bytes.word(at: at) {
            // All but the bytes 10xxxxxx begin a code point.
            count &+= 8 &- (word & ~(word &<< 1) & 0x8080_8080_8080_8080).nonzeroBitCount
            at &+= 8
        }
        while at < end {
            if bytes.byte(at: at) & 0xC0 != 0x80 { count &+= 1 }
            at &+= 1
        }
        return count
    }
}
