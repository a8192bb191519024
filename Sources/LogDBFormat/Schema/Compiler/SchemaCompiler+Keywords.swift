//===--- SchemaCompiler+Keywords.swift - what each keyword says ------------===//

extension SchemaCompiler {
    /// Reads the keywords of a draft, whose values are tokens.
    mutating func readKeywords(_ keywords: [SchemaKeyword: Int], of number: Int) throws(SchemaError) {
        let base = drafts[number].base
        // In the order of the text, so that the first mistake in it is the one that is named.
        for (keyword, token) in keywords.sorted(by: { $0.value < $1.value }) {
            switch keyword {
            case .id, .anchor: break
            case .schema: try checkDialect(token)
            case .ref:
                _ = try string(token)
                drafts[number].reference = token
            case .defs: _ = try map(token, base)
            case .comment, .title, .description, .contentEncoding, .contentMediaType: _ = try string(token)
            case .default: break
            case .examples: _ = try elements(token)
            case .deprecated, .readOnly, .writeOnly: _ = try boolean(token)
            case .contentSchema: _ = try draft(token, base: base)

            case .type: try readType(token, of: number)
            case .const: drafts[number].values.append(values([token], .const))
            case .enum: drafts[number].values.append(values(try elements(token), .enum))
            case .allOf, .anyOf, .oneOf: try readList(keyword, token, of: number)
            case .not: try addEdge(.not, token, of: number)
            // In this order, wherever they stand; `then` and `else` mean nothing without `if`.
            case .if:
                try addEdge(.if, token, of: number)
                if let then = keywords[.then] { try addEdge(.then, then, of: number) }
                if let otherwise = keywords[.else] { try addEdge(.else, otherwise, of: number) }
            case .then, .else: if keywords[.if] == nil { _ = try draft(token, base: base) }

            case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum, .multipleOf: try readNumber(keyword, token, of: number)
            case .minLength, .maxLength, .pattern, .format: try readString(keyword, token, of: number)
            case .properties, .patternProperties, .additionalProperties, .propertyNames, .required, .minProperties, .maxProperties,
                .dependentRequired, .dependentSchemas, .unevaluatedProperties:
                try readObject(keyword, token, of: number)
            case .items, .prefixItems, .contains, .minContains, .maxContains, .minItems, .maxItems, .uniqueItems, .unevaluatedItems:
                try readArray(keyword, token, of: number)
            }
        }
    }

    private func checkDialect(_ token: Int) throws(SchemaError) {
        let dialect = try string(token)
        guard dialect == MetaSchema.uri || dialect == MetaSchema.uri + "#" else {
            throw error(at: token, "the schema is written for \(dialect): this is draft 2020-12, \(MetaSchema.uri)")
        }
    }

    private mutating func readType(_ token: Int, of number: Int) throws(SchemaError) {
        let names = text.kind(token) == .array ? text.elements(token) : [token]
        guard !names.isEmpty else { throw error(at: token, "type names at least one type") }
        var kinds: JSONKinds = []
        var seen: Set<String> = []
        for name in names {
            let word = try string(name)
            guard seen.insert(word).inserted else { throw error(at: name, "the type is there twice") }
            switch word {
            case "object": kinds.insert(.object)
            case "array": kinds.insert(.array)
            case "string": kinds.insert(.string)
            case "number", "integer": kinds.insert(.number)
            case "boolean": kinds.formUnion(.boolean)
            case "null": kinds.insert(.null)
            default: throw error(at: name, "there is no type \"\(word)\": object, array, string, number, integer, boolean, null")
            }
        }
        drafts[number].kinds = kinds
        drafts[number].integersOnly = seen.contains("integer") && !seen.contains("number")
    }

    /// The values at these tokens, of a `const` or an `enum`.
    private mutating func values(_ tokens: [Int], _ keyword: SchemaKeyword) -> ValuesRule {
        var kinds: JSONKinds = []
        var candidates: [ValueCandidate] = []
        for token in tokens {
            let range = text.range(token)
            let kind = JSONKind(first: text.bytes[range.lowerBound])
            kinds.insert(JSONKinds(kind))
            var sink = HashSink()
            _ = try? JSONGrammar.value(text.bytes.span, at: range.lowerBound, sink: &sink)
            candidates.append(
                ValueCandidate(hash: sink.hash, start: UInt32(range.lowerBound), end: UInt32(range.upperBound), kind: kind))
        }
        candidates.sort { $0.hash < $1.hash }
        let rule = ValuesRule(candidates: Int32(tables.candidates.count), count: Int32(candidates.count), kinds: kinds, keyword: keyword)
        tables.candidates += candidates
        return rule
    }

    private mutating func addEdge(_ kind: SchemaEdge.Kind, _ token: Int, of number: Int) throws(SchemaError) {
        let target = try draft(token, base: drafts[number].base)
        drafts[number].edges.append(SchemaDraft.Edge(kind: kind, target: target))
    }

    private mutating func readList(_ keyword: SchemaKeyword, _ token: Int, of number: Int) throws(SchemaError) {
        let kind: SchemaEdge.Kind = keyword == .allOf ? .all : keyword == .anyOf ? .any : .one
        let schemas = try elements(token)
        guard !schemas.isEmpty else { throw error(at: token, "\(keyword.rawValue) lists at least one schema") }
        for schema in schemas { try addEdge(kind, schema, of: number) }
    }

    // MARK: - Numbers and strings

    private mutating func readNumber(_ keyword: SchemaKeyword, _ token: Int, of number: Int) throws(SchemaError) {
        guard text.kind(token) == .number else { throw error(at: token, "\(keyword.rawValue) is a number") }
        let range = text.range(token)
        guard keyword == .multipleOf else {
            let small = SmallDecimal(text.bytes.span, range.lowerBound, range.upperBound)
            drafts[number].bounds.append(
                NumberBound(
                    small: small ?? .zero, isSmall: small != nil, keyword: keyword, start: UInt32(range.lowerBound),
                    end: UInt32(range.upperBound)))
            return
        }
        drafts[number].divisor = try divisor(token)
    }

    private func divisor(_ token: Int) throws(SchemaError) -> DecimalDivisor {
        let value = JSONDecimal(text.bytes.span, text.range(token))
        guard !value.isZero, !value.isNegative else { throw error(at: token, "multipleOf is a number above 0") }
        guard let divisor = DecimalDivisor(value) else {
            throw error(
                at: token, "multipleOf has more than \(DecimalDivisor.maximumDigits) significant digits, or an exponent beyond 64 bits")
        }
        return divisor
    }

    private mutating func readString(_ keyword: SchemaKeyword, _ token: Int, of number: Int) throws(SchemaError) {
        var rule = drafts[number].string ?? StringRule()
        switch keyword {
        case .minLength: rule.minimum = try count(token, keyword)
        case .maxLength: rule.maximum = try count(token, keyword)
        case .pattern:
            rule.pattern = Int32(tables.expressions.count)
            tables.expressions.append(try expression(token, try string(token)))
        default:
            let name = try string(token)
            guard assertsFormats else { return }
            guard let format = StringFormat(rawValue: name) else { throw error(at: token, "the format \"\(name)\" cannot be asserted") }
            rule.format = format
        }
        drafts[number].string = rule
    }

    private mutating func expression(_ token: Int, _ pattern: String) throws(SchemaError) -> RegularExpression {
        do throws(RegexError) { return try RegularExpression(pattern, &expressionBudget) } catch {
            throw self.error(at: token, "the pattern cannot be used: \(error.reason), at character \(error.offset + 1)")
        }
    }

    // MARK: - Objects and arrays

    private mutating func readObject(_ keyword: SchemaKeyword, _ token: Int, of number: Int) throws(SchemaError) {
        let base = drafts[number].base
        var object = drafts[number].object ?? SchemaDraft.Object()
        switch keyword {
        case .properties: for (name, draft) in try map(token, base) { object.properties.append((text.characters(name), draft)) }
        case .patternProperties:
            for (name, draft) in try map(token, base) { object.patterns.append((try expression(name, text.string(name)), draft)) }
        case .additionalProperties: object.additional = try draft(token, base: base)
        case .unevaluatedProperties: object.unevaluated = try draft(token, base: base)
        case .propertyNames: object.names = try draft(token, base: base)
        case .required: object.required = try names(token)
        case .minProperties: object.minimum = try count(token, keyword)
        case .maxProperties: object.maximum = try count(token, keyword)
        case .dependentRequired:
            for (name, value) in try members(token) { object.dependencies.append((text.characters(name), try names(value))) }
        default:
            for (name, draft) in try map(token, base) {
                object.triggers.append(text.characters(name))
                drafts[number].edges.append(SchemaDraft.Edge(kind: .dependent, target: draft, name: text.characters(name)))
            }
        }
        drafts[number].object = object
    }

    private mutating func readArray(_ keyword: SchemaKeyword, _ token: Int, of number: Int) throws(SchemaError) {
        let base = drafts[number].base
        var array = drafts[number].array ?? SchemaDraft.Array()
        switch keyword {
        case .items:
            guard text.kind(token) != .array else {
                throw error(at: token, "items is one schema: draft 2020-12 calls a list of them prefixItems")
            }
            array.items = try draft(token, base: base)
        case .prefixItems:
            let schemas = try elements(token)
            guard !schemas.isEmpty else { throw error(at: token, "prefixItems lists at least one schema") }
            for schema in schemas { array.prefix.append(try draft(schema, base: base)) }
        case .contains: array.contains = try draft(token, base: base)
        case .minContains: array.minimumContains = try count(token, keyword)
        case .maxContains: array.maximumContains = try count(token, keyword)
        case .minItems: array.minimum = try count(token, keyword)
        case .maxItems: array.maximum = try count(token, keyword)
        case .uniqueItems: array.isUnique = try boolean(token)
        default: array.unevaluated = try draft(token, base: base)
        }
        drafts[number].array = array
    }

    // MARK: - Values of keywords

    func string(_ token: Int) throws(SchemaError) -> String {
        guard text.kind(token) == .string else { throw error(at: token, "it is a string here") }
        return text.string(token)
    }

    private func boolean(_ token: Int) throws(SchemaError) -> Bool {
        switch text.kind(token) {
        case .true: return true
        case .false: return false
        default: throw error(at: token, "it is true or false here")
        }
    }

    private func elements(_ token: Int) throws(SchemaError) -> [Int] {
        guard text.kind(token) == .array else { throw error(at: token, "it is an array here") }
        return text.elements(token)
    }

    /// The members of an object, each name once.
    private func members(_ token: Int) throws(SchemaError) -> [(name: Int, value: Int)] {
        guard text.kind(token) == .object else { throw error(at: token, "it is an object here") }
        let members = text.members(token)
        var seen: Set<[UInt8]> = []
        for (name, _) in members where !seen.insert(text.characters(name)).inserted { throw error(at: name, "the name is there twice") }
        return members
    }

    /// The subschemas that are the members of an object.
    private mutating func map(_ token: Int, _ base: URIReference) throws(SchemaError) -> [(name: Int, draft: Int)] {
        var result: [(name: Int, draft: Int)] = []
        for (name, value) in try members(token) { result.append((name, try draft(value, base: base))) }
        return result
    }

    /// Different strings.
    private func names(_ token: Int) throws(SchemaError) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        for element in try elements(token) {
            guard text.kind(element) == .string else { throw error(at: element, "it is a name, a string, here") }
            guard seen.insert(text.characters(element)).inserted else { throw error(at: element, "the name is there twice") }
            result.append(text.characters(element))
        }
        return result
    }

    /// A whole number from 0; more than can be counted is as good as the most that can be.
    private func count(_ token: Int, _ keyword: SchemaKeyword) throws(SchemaError) -> UInt32 {
        let reason = "\(keyword.rawValue) is a whole number, 0 or more"
        guard text.kind(token) == .number else { throw error(at: token, reason) }
        let value = JSONDecimal(text.bytes.span, text.range(token))
        guard value.isInteger, !value.isNegative else { throw error(at: token, reason) }
        return JSONNumeral.uint64(text.bytes.span, text.range(token)).map { UInt32(clamping: $0) } ?? .max
    }
}
