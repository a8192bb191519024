//===--- SchemaDraft.swift - one subschema, being compiled -----------------===//
//
// What a subschema's keywords say, with other subschemas by the numbers of their drafts. `SchemaAssembly` makes the flat tables of it.
//===-----------------------------------------------------------------------===//

struct SchemaDraft {
    /// Where it stands in the text.
    let token: Int
    /// What its references are relative to.
    var base: URIReference

    var kinds = JSONKinds.all
    var integersOnly = false
    var isFalse = false
    var bounds: [NumberBound] = []
    var divisor: DecimalDivisor?
    var string: StringRule?
    var values: [ValuesRule] = []
    var object: Object?
    var array: Array?
    var edges: [Edge] = []
    /// The token of what `$ref` says.
    var reference: Int?

    struct Edge {
        var kind: SchemaEdge.Kind
        var target: Int
        /// Of a dependent schema: the name that it depends on.
        var name: [UInt8] = []
    }

    struct Object {
        var properties: [(name: [UInt8], draft: Int)] = []
        var patterns: [(expression: RegularExpression, draft: Int)] = []
        var additional: Int?
        var names: Int?
        var unevaluated: Int?
        var required: [[UInt8]] = []
        var dependencies: [(name: [UInt8], required: [[UInt8]])] = []
        /// Names that edges depend on.
        var triggers: [[UInt8]] = []
        var minimum: UInt32 = 0
        var maximum: UInt32 = .max
    }

    struct Array {
        var prefix: [Int] = []
        var items: Int?
        var contains: Int?
        var minimumContains: UInt32 = 1
        var maximumContains: UInt32 = .max
        var unevaluated: Int?
        var isUnique = false
        var minimum: UInt32 = 0
        var maximum: UInt32 = .max
    }

    /// Whether it says nothing but where its edges lead.
    var hasNoRules: Bool {
        kinds == .all && !integersOnly && !isFalse && bounds.isEmpty && divisor == nil && string == nil && values.isEmpty && object == nil
            && array == nil
    }

    /// Whether it admits everything.
    var isTrivial: Bool { hasNoRules && edges.isEmpty }

    /// The draft that it only stands for, if it does.
    var alias: Int? {
        guard hasNoRules, edges.count == 1, edges[0].kind == .all else { return nil }
        return edges[0].target
    }
}
