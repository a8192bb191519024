//===--- SchemaProgram+Checking.swift - a document against a schema --------===//

extension SchemaProgram {
    /// Proves that `bytes` is one JSON value of any kind, and valid.
    ///
    /// - Returns: nil if it is valid, else what it does that it must not.
    /// - Throws: `JSONError` if it is no JSON; that comes first, wherever a rule is broken.
    package func violation(in bytes: Span<UInt8>) throws(JSONError) -> SchemaViolation? {
        try failure(in: bytes, isDocument: false).map { describe($0, in: bytes) }
    }

    /// The same for a document, which is an object.
    package func violation(inDocument bytes: Span<UInt8>) throws(JSONError) -> SchemaViolation? {
        try failure(in: bytes, isDocument: true).map { describe($0, in: bytes) }
    }

    @inline(never)
    private func failure(in bytes: Span<UInt8>, isDocument: Bool) throws(JSONError) -> SchemaFailure? {
        if root == Self.any {
            if isDocument { try JSONValidator.validateDocument(bytes) } else { try JSONValidator.validateText(bytes) }
            return nil
        }
        guard bytes.count < Int(UInt32.max) else { throw JSONError(offset: Int(UInt32.max), reason: .longerThan4GiB) }
        let start = JSONGrammar.whitespace(bytes, at: 0)
        let scratch = pool.take()
        defer { pool.giveBack(scratch) }
        var sink = unsafe SchemaSink(self, scratch.stacks)
        // The stacks may have grown, and moved.
        defer { unsafe scratch.stacks = sink.scratch }
        let end = try JSONGrammar.value(bytes, at: start, sink: &sink)
        if isDocument, bytes.byte(at: start) != ASCII.openBrace { throw JSONError(offset: start, reason: .notAnObject) }
        try JSONGrammar.nothingMore(bytes, after: end)
        return sink.failure
    }

    // MARK: - In words

    private func describe(_ failure: SchemaFailure, in bytes: Span<UInt8>) -> SchemaViolation {
        let node = nodes[Int(failure.node)]
        if failure.isTooMuch {
            return SchemaViolation(
                pointer: "", rule: "the schema asks for too much at once for this document", schemaPointer: text.pointer(at: Int(node.text))
            )
        }
        let pointer = JSONPointer.text(of: Int(failure.start), in: bytes)
        let place = text.pointer(at: Int(node.text))
        if node.isFalse { return SchemaViolation(pointer: pointer, rule: Self.refusal(place), schemaPointer: place) }
        let isName = isName(at: Int(failure.start), in: bytes)
        return SchemaViolation(
            pointer: pointer, rule: (isName ? "the name " : "") + sentence(failure, node, in: bytes),
            schemaPointer: place + JSONPointer.step(failure.keyword.rawValue))
    }

    /// What the schema `false` means where it stands.
    private static func refusal(_ place: String) -> String {
        if place.hasSuffix("/additionalProperties") || place.hasSuffix("/unevaluatedProperties") { return "the member is not allowed" }
        if place.hasSuffix("/items") || place.hasSuffix("/unevaluatedItems") { return "the item is not allowed" }
        return "nothing is allowed here"
    }

    /// Whether the string at `offset` is a member's name.
    private func isName(at offset: Int, in bytes: Span<UInt8>) -> Bool {
        guard bytes.byte(at: offset) == ASCII.quote else { return false }
        var escaped = false
        guard let end = try? JSONGrammar.string(bytes, at: offset, escaped: &escaped) else { return false }
        return bytes.byte(at: JSONGrammar.whitespace(bytes, at: end)) == ASCII.colon
    }

    private func sentence(_ failure: SchemaFailure, _ node: SchemaNode, in bytes: Span<UInt8>) -> String {
        let value = Self.excerpt(bytes, Int(failure.start))
        let count = Int(failure.detail)
        switch failure.keyword {
        case .type: return "\(value) is not \(types(node))"
        case .const: return "\(value) is not \(constant(node))"
        case .enum: return "\(value) is none of the values in enum"
        case .minimum, .exclusiveMinimum, .maximum, .exclusiveMaximum: return "\(value) \(bound(failure.keyword, node))"
        case .multipleOf: return "\(value) is not a multiple of \(argument(of: node, .multipleOf))"
        case .minLength: return "\(value) is shorter than \(Self.counted(argument(of: node, .minLength), "character"))"
        case .maxLength: return "\(value) is longer than \(Self.counted(argument(of: node, .maxLength), "character"))"
        case .pattern: return "\(value) does not match the pattern \(argument(of: node, .pattern))"
        case .format: return "\(value) is not of the format \(argument(of: node, .format))"
        case .required: return "the member \(requirement(count).missing) is missing"
        case .dependentRequired:
            let names = requirement(count)
            return "the member \(names.missing) is missing, which \(names.condition) needs"
        case .minProperties: return "\(Self.counted("\(count)", "member")), fewer than \(argument(of: node, .minProperties))"
        case .maxProperties: return "\(Self.counted("\(count)", "member")), more than \(argument(of: node, .maxProperties))"
        case .minItems: return "\(Self.counted("\(count)", "item")), fewer than \(argument(of: node, .minItems))"
        case .maxItems: return "\(Self.counted("\(count)", "item")), more than \(argument(of: node, .maxItems))"
        case .uniqueItems: return "\(value) equals an item before it"
        case .contains: return "no item is as contains asks"
        case .minContains:
            return "\(Self.counted("\(count)", "item")) as contains asks, fewer than \(argument(of: node, .minContains))"
        case .maxContains:
            return "\(Self.counted("\(count)", "item")) as contains asks, more than \(argument(of: node, .maxContains))"
        case .anyOf: return "\(value) matches none of the \(count) schemas in anyOf"
        case .oneOf: return "\(value) matches \(count == 0 ? "none" : "\(count)") of the schemas in oneOf, not exactly one"
        case .not: return "\(value) matches the schema in not"
        default: return "\(value) is not valid"
        }
    }

    /// The value at `offset`, short enough for a message.
    private static func excerpt(_ bytes: Span<UInt8>, _ offset: Int) -> String {
        switch bytes.byte(at: offset) {
        case ASCII.openBrace: return "an object"
        case ASCII.openBracket: return "an array"
        default: break
        }
        var sink = JSONNoSink()
        guard let end = try? JSONGrammar.value(bytes, at: offset, sink: &sink) else { return "the value" }
        guard end - offset > 60 else { return JSONText.raw(bytes, offset..<end) }
        var cut = offset + 40
        while bytes.byte(at: cut) & 0xC0 == 0x80 { cut -= 1 }
        return JSONText.raw(bytes, offset..<cut) + "…"
    }

    private func types(_ node: SchemaNode) -> String {
        var names: [String] = []
        for (kinds, name) in [
            (JSONKinds.object, "an object"), (.array, "an array"), (.string, "a string"),
            (.number, node.integersOnly ? "an integer" : "a number"), (.boolean, "true or false"), (.null, "null"),
        ] where node.kinds.isSuperset(of: kinds) {
            names.append(name)
        }
        guard let last = names.popLast() else { return "allowed" }
        return names.isEmpty ? last : "\(names.joined(separator: ", ")) or \(last)"
    }

    /// What a keyword of a node says, as it stands in the schema.
    private func argument(of node: SchemaNode, _ keyword: SchemaKeyword) -> String {
        guard let token = text.tokens.firstIndex(where: { $0.start == node.text && $0.kind == .object }),
            let value = text.members(token).first(where: { text.string($0.name) == keyword.rawValue })?.value
        else { return keyword.rawValue }
        let bytes = text.bytes
        if text.kind(value) == .string, keyword == .format { return text.string(value) }
        return Self.excerpt(bytes.span, text.range(value).lowerBound)
    }

    private func constant(_ node: SchemaNode) -> String {
        let constant = argument(of: node, .const)
        return constant.hasPrefix("an ") ? "the one that const allows" : constant
    }

    private func bound(_ keyword: SchemaKeyword, _ node: SchemaNode) -> String {
        let limit = argument(of: node, keyword)
        switch keyword {
        case .minimum: return "is below the minimum \(limit)"
        case .maximum: return "is above the maximum \(limit)"
        case .exclusiveMinimum: return "is not above the exclusive minimum \(limit)"
        default: return "is not below the exclusive maximum \(limit)"
        }
    }

    private func requirement(_ index: Int) -> (missing: String, condition: String) {
        let requirement = requirements[index]
        func name(_ property: Int32) -> String {
            guard property >= 0 else { return "" }
            let property = properties[Int(property)]
            var literal: [UInt8] = []
            let name = names[Int(property.name)..<Int(property.name + property.nameLength)]
            JSONText.append(String(decoding: name, as: UTF8.self), to: &literal)
            return String(decoding: literal, as: UTF8.self)
        }
        return (name(requirement.property), name(requirement.condition))
    }

    private static func counted(_ count: String, _ noun: String) -> String { "\(count) \(noun)\(count == "1" ? "" : "s")" }
}
