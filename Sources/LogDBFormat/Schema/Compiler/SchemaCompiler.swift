//===--- SchemaCompiler.swift - from a schema's text to its program --------===//
//
//      text ──▶ drafts, one for each subschema that keywords lead to ──▶ references resolved ──▶ SchemaAssembly: flat tables
//
//   * strict: a keyword that is not known, a value of a keyword that is not of its form, a reference that leads nowhere, each is an error that
//     names its place. Nothing is passed over.
//   * no recursion: subschemas wait in a list. Everything is bounded before it is built: text, subschemas, regular expressions.
//===-----------------------------------------------------------------------===//

package struct SchemaCompiler {
    /// The longest text of a schema, in bytes.
    package static let maximumLength = 1 << 20
    static let maximumSubschemas = 32_768

    var text: SchemaText
    var drafts: [SchemaDraft] = []
    var tables = SchemaProgram.Tables()
    var expressionBudget = RegexAutomaton.Budget()
    let assertsFormats: Bool
    private var draftOf: [Int: Int] = [:]
    /// Roots by URI, and places with an anchor by URI and anchor: tokens.
    private var resources: [String: Int] = [:]
    private var anchors: [String: Int] = [:]
    /// Drafts whose keywords were read.
    private var readCount = 0

    /// Compiles a schema.
    ///
    /// - Parameter assertsFormats: whether `format` is a rule, and not a remark.
    package static func compile(_ schema: [UInt8], assertsFormats: Bool = false) throws(SchemaError) -> SchemaProgram {
        guard schema.count <= maximumLength else {
            throw SchemaError(pointer: "", reason: "the schema has \(schema.count) bytes, more than \(maximumLength)")
        }
        let text: SchemaText
        do throws(JSONError) { text = try SchemaText(schema) } catch { throw SchemaError(pointer: "", reason: error.description) }
        var compiler = SchemaCompiler(text: text, assertsFormats: assertsFormats)
        return try compiler.run()
    }

    private init(text: SchemaText, assertsFormats: Bool) {
        self.text = text
        self.assertsFormats = assertsFormats
    }

    private mutating func run() throws(SchemaError) -> SchemaProgram {
        let root = try draft(0, base: URIReference(""))
        resources[""] = 0
        try readAll()
        var resolved = 0
        // Resolving may bring the meta-schema in, whose references are then resolved as well.
        while resolved < drafts.count {
            if let reference = drafts[resolved].reference {
                let target = try target(of: reference, drafts[resolved].base)
                drafts[resolved].edges.insert(SchemaDraft.Edge(kind: .all, target: target), at: 0)
            }
            resolved += 1
        }
        var assembly = SchemaAssembly(drafts: drafts, tables: tables, text: text)
        return try assembly.program(root: root)
    }

    func error(at token: Int, _ reason: String) -> SchemaError {
        SchemaError(pointer: text.pointer(at: text.range(token).lowerBound), reason: reason)
    }

    // MARK: - Subschemas

    /// The draft of the subschema at `token`; it is read later.
    mutating func draft(_ token: Int, base: URIReference) throws(SchemaError) -> Int {
        guard drafts.count < Self.maximumSubschemas else {
            throw error(at: token, "there are more than \(Self.maximumSubschemas) subschemas")
        }
        switch text.kind(token) {
        case .object, .true, .false: break
        default: throw error(at: token, "a schema is an object, true or false")
        }
        draftOf[token] = drafts.count
        drafts.append(SchemaDraft(token: token, base: base))
        return drafts.count - 1
    }

    private mutating func readAll() throws(SchemaError) {
        while readCount < drafts.count {
            try read(readCount)
            readCount += 1
        }
    }

    private mutating func read(_ number: Int) throws(SchemaError) {
        let token = drafts[number].token
        guard text.kind(token) == .object else {
            if text.kind(token) == .false {
                drafts[number].isFalse = true
                drafts[number].kinds = []
            }
            return
        }
        var keywords: [SchemaKeyword: Int] = [:]
        for (name, value) in text.members(token) {
            let word = text.string(name)
            guard let keyword = SchemaKeyword(rawValue: word) else { throw error(at: name, SchemaKeyword.refusal(of: word)) }
            guard keywords.updateValue(value, forKey: keyword) == nil else { throw error(at: name, "the keyword is there twice") }
        }
        // What the others are relative to comes first.
        if let id = keywords[.id] { try readIdentifier(id, of: number) }
        if let anchor = keywords[.anchor] { try readAnchor(anchor, of: number) }
        try readKeywords(keywords, of: number)
    }

    // MARK: - Names

    private mutating func readIdentifier(_ token: Int, of number: Int) throws(SchemaError) {
        var uri = URIReference(try string(token)).resolved(against: drafts[number].base)
        guard uri.fragment?.isEmpty ?? true else { throw error(at: token, "an identifier has no fragment: $anchor names a place") }
        uri.fragment = nil
        guard resources.updateValue(drafts[number].token, forKey: uri.withoutFragment) == nil else {
            throw error(at: token, "another schema has this identifier")
        }
        drafts[number].base = uri
    }

    private mutating func readAnchor(_ token: Int, of number: Int) throws(SchemaError) {
        let name = Array(try string(token).utf8)
        let isName =
            name.first.map { FormatReader.isLetter($0) || $0 == UInt8(ascii: "_") } ?? false
            && name.allSatisfy { FormatReader.isLetter($0) || ASCII.isDigit($0) || "-._".utf8.contains($0) }
        guard isName else { throw error(at: token, "an anchor begins with a letter or _, and goes on with letters, digits, - . and _") }
        let key = "\(drafts[number].base.withoutFragment)#\(String(decoding: name, as: UTF8.self))"
        guard anchors.updateValue(drafts[number].token, forKey: key) == nil else { throw error(at: token, "another place has this anchor") }
    }

    /// The draft that a reference leads to.
    private mutating func target(of token: Int, _ base: URIReference) throws(SchemaError) -> Int {
        let reference = text.string(token)
        let uri = URIReference(reference).resolved(against: base)
        let name = uri.withoutFragment
        if resources[name] == nil, name == MetaSchema.uri {
            let root: Int
            do throws(JSONError) { root = try text.append(Array(MetaSchema.text.utf8), name: name) } catch {
                preconditionFailure("the meta-schema is JSON")
            }
            // Its own identifier enters it among the resources.
            _ = try draft(root, base: URIReference(""))
            try readAll()
        }
        guard let root = resources[name] else {
            throw error(at: token, "\(reference) is no part of this schema, and nothing is fetched")
        }
        guard let fragment = uri.fragmentCharacters else { throw error(at: token, "\(reference) is not well formed") }
        let place: Int?
        if fragment.isEmpty {
            place = root
        } else if fragment[0] == UInt8(ascii: "/") {
            place = text.find(fragment, from: root)
        } else {
            place = anchors["\(name)#\(String(decoding: fragment, as: UTF8.self))"]
        }
        guard let place, let draft = draftOf[place] else {
            throw error(at: token, "\(reference) leads to no subschema")
        }
        return draft
    }
}

extension SchemaText {
    /// The token that a JSON pointer leads to from `root`.
    func find(_ pointer: [UInt8], from root: Int) -> Int? {
        var at = root
        for step in pointer.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            var name: [UInt8] = []
            var rest = step
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "~") else {
                    name.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "0"): name.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): name.append(UInt8(ascii: "/"))
                default: return nil
                }
            }
            switch kind(at) {
            case .object:
                guard let member = members(at).last(where: { characters($0.name) == name }) else { return nil }
                at = member.value
            case .array:
                let digits = String(decoding: name, as: UTF8.self)
                let elements = elements(at)
                guard let index = Int(digits), String(index) == digits, elements.indices.contains(index) else { return nil }
                at = elements[index]
            default: return nil
            }
        }
        return at
    }
}
