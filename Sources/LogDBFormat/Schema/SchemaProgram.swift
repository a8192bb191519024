//===--- SchemaProgram.swift - a schema as flat tables ---------------------===//
//
// What the compiler makes of a schema's text, and all that validating looks at: structures of numbers in arrays, each naming its parts by
// index. Nothing in it is counted, copied or allocated while a document is read, and any number of threads may read it at once.
//
//      nodes       one for each subschema: kinds it admits, and its rules by index
//      edges       from a node to those that look at the same value: allOf, anyOf, oneOf, not, if, then, else, dependentSchemas, $ref
//      objects, properties, arrays, numbers, strings, values      the rules, and what they consist of
//
//   * an edge leads to a node with a greater number, so results are known in descending order, and no value is looked at without end.
//   * `SchemaProgram.any` stands for a node that admits everything: nothing has to be looked at.
//===-----------------------------------------------------------------------===//

/// The kinds of JSON values as a set of bits; the bit of a kind is its raw value's.
struct JSONKinds: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    @inline(__always) init(rawValue: UInt8) { self.rawValue = rawValue }
    @inline(__always) init(_ kind: JSONKind) { rawValue = 1 &<< kind.rawValue }

    static let object = JSONKinds(.object)
    static let array = JSONKinds(.array)
    static let string = JSONKinds(.string)
    static let number = JSONKinds(.number)
    static let boolean: JSONKinds = [JSONKinds(.true), JSONKinds(.false)]
    static let null = JSONKinds(.null)
    static let all: JSONKinds = [.object, .array, .string, .number, .boolean, .null]
}

/// One subschema.
struct SchemaNode: BitwiseCopyable, Sendable {
    var kinds = JSONKinds.all
    /// Of numbers only integers.
    var integersOnly = false
    /// Holds for nothing: the schema `false`.
    var isFalse = false
    /// Whether it has rules for scalars: `number`, `string`, `values`.
    var number: Int32 = -1
    var string: Int32 = -1
    /// `const` and `enum`, in `values`.
    var values: Int32 = -1
    var valuesCount: Int32 = 0
    var object: Int32 = -1
    var array: Int32 = -1
    var edges: Int32 = -1
    var edgeCount: Int32 = 0
    /// Where its text begins.
    var text: UInt32 = 0
}

struct SchemaEdge: BitwiseCopyable, Sendable {
    enum Kind: UInt8, Sendable { case all, any, one, not, `if`, then, `else`, dependent }

    var kind: Kind
    var target: Int32
    /// Of a dependent schema: the bit of the name that it depends on.
    var bit: Int32 = -1
}

struct ObjectRule: BitwiseCopyable, Sendable {
    var properties: Int32 = 0
    var propertyCount: Int32 = 0
    /// A table of hashes of names, in `slots`; its length is a power of two. Empty for a few properties.
    var slots: Int32 = 0
    var slotMask: Int32 = -1
    var patterns: Int32 = 0
    var patternCount: Int32 = 0
    /// Nodes, or `any`.
    var additional: Int32 = SchemaProgram.any
    var names: Int32 = SchemaProgram.any
    var unevaluated: Int32 = SchemaProgram.any
    var hasAdditional = false
    var hasUnevaluated = false
    /// Names whose presence matters have bits; those that must be there, of the first 64.
    var required: UInt64 = 0
    var bitCount: Int32 = 0
    /// Names that must be there, in `requirements`, each perhaps only where another one is.
    var requirements: Int32 = 0
    var requirementCount: Int32 = 0
    var minimum: UInt32 = 0
    var maximum: UInt32 = .max

    /// Whether a member is looked at by one node at most, its value's, and nothing else has to be kept. Set last.
    var isPlain = false

    var countsNames: Bool { minimum > 0 || maximum < .max }
}

struct SchemaProperty: BitwiseCopyable, Sendable {
    /// The name's first eight bytes, the first one lowest, zeros behind a shorter one; all of it in `names`.
    var prefix: UInt64
    /// Its last eight bytes, if it has more than eight.
    var suffix: UInt64
    var name: UInt32
    var nameLength: UInt32
    /// Its node, or `any`.
    var node: Int32
    /// Whether it stands in `properties`, and not only where names are required.
    var isDeclared: Bool
    var bit: Int32
}

struct SchemaRequirement: BitwiseCopyable, Sendable {
    /// The property that must be there.
    var property: Int32
    var bit: Int32
    /// The property that asks for it, or -1: always.
    var condition: Int32 = -1
    var conditionBit: Int32 = -1
    var keyword: SchemaKeyword
}

struct SchemaPattern: Sendable {
    var expression: RegularExpression
    var node: Int32
}

struct ArrayRule: BitwiseCopyable, Sendable {
    /// Nodes of the first items, in `prefixItems`.
    var prefix: Int32 = 0
    var prefixCount: Int32 = 0
    var items: Int32 = SchemaProgram.any
    var hasItems = false
    var contains: Int32 = SchemaProgram.any
    var hasContains = false
    var isUnique = false
    var unevaluated: Int32 = SchemaProgram.any
    var hasUnevaluated = false
    var minimumContains: UInt32 = 1
    var maximumContains: UInt32 = .max
    var minimum: UInt32 = 0
    var maximum: UInt32 = .max

    /// Whether an item is looked at by one node at most, and nothing else has to be kept. Set last.
    var isPlain = false
}

/// A bound of a number: in full in the schema's text, and as a small decimal where it is one.
struct NumberBound: BitwiseCopyable, Sendable {
    var small: SmallDecimal
    var isSmall: Bool
    var keyword: SchemaKeyword
    var start: UInt32
    var end: UInt32

    /// Whether a number that compares with the bound like this is within it.
    @inline(__always)
    func admits(_ order: Int) -> Bool {
        switch keyword {
        case .minimum: order >= 0
        case .maximum: order <= 0
        case .exclusiveMinimum: order > 0
        default: order < 0
        }
    }
}

struct NumberRule: BitwiseCopyable, Sendable {
    /// In `bounds`.
    var bounds: Int32 = 0
    var boundCount: Int32 = 0
    var divisor: DecimalDivisor?
}

struct StringRule: BitwiseCopyable, Sendable {
    /// In code points.
    var minimum: UInt32 = 0
    var maximum: UInt32 = .max
    /// In `expressions`.
    var pattern: Int32 = -1
    var format: StringFormat?
}

/// The values of a `const` or an `enum`, sorted by hash, in `candidates`.
struct ValuesRule: BitwiseCopyable, Sendable {
    var candidates: Int32
    var count: Int32
    /// The kinds that occur among them.
    var kinds: JSONKinds
    var keyword: SchemaKeyword
}

struct ValueCandidate: BitwiseCopyable, Sendable {
    var hash: UInt64
    var start: UInt32
    var end: UInt32
    var kind: JSONKind
}

/// A compiled schema.
package final class SchemaProgram: Sendable {
    static let any: Int32 = -1

    struct Tables: Sendable {
        var nodes: [SchemaNode] = []
        var edges: [SchemaEdge] = []
        var objects: [ObjectRule] = []
        var properties: [SchemaProperty] = []
        var slots: [Int32] = []
        var names: [UInt8] = []
        var requirements: [SchemaRequirement] = []
        var patterns: [SchemaPattern] = []
        var arrays: [ArrayRule] = []
        var prefixItems: [Int32] = []
        var numbers: [NumberRule] = []
        var bounds: [NumberBound] = []
        var strings: [StringRule] = []
        var expressions: [RegularExpression] = []
        var values: [ValuesRule] = []
        var candidates: [ValueCandidate] = []
    }

    let nodes: [SchemaNode]
    let edges: [SchemaEdge]
    let objects: [ObjectRule]
    let properties: [SchemaProperty]
    let slots: [Int32]
    let names: [UInt8]
    let requirements: [SchemaRequirement]
    let patterns: [SchemaPattern]
    let arrays: [ArrayRule]
    let prefixItems: [Int32]
    let numbers: [NumberRule]
    let bounds: [NumberBound]
    let strings: [StringRule]
    let expressions: [RegularExpression]
    let values: [ValuesRule]
    let candidates: [ValueCandidate]
    /// The schema's text, for constants and for messages.
    let text: SchemaText
    /// The node of the whole schema, or `any`.
    let root: Int32
    let pool = SchemaScratch.Pool()

    init(_ tables: Tables, text: SchemaText, root: Int32) {
        nodes = tables.nodes
        edges = tables.edges
        objects = tables.objects
        properties = tables.properties
        slots = tables.slots
        names = tables.names
        requirements = tables.requirements
        patterns = tables.patterns
        arrays = tables.arrays
        prefixItems = tables.prefixItems
        numbers = tables.numbers
        bounds = tables.bounds
        strings = tables.strings
        expressions = tables.expressions
        values = tables.values
        candidates = tables.candidates
        self.text = text
        self.root = root
    }
}
