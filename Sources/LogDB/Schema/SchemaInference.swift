//===--- SchemaInference.swift - a schema proposed from what is there ---------===//
//
// Looks at every live document once and keeps, for each place in them, what kinds of values stood there and how often. What it proposes
// admits each document that it saw.
//
//      {"hp":7,"at":[3,4]}  {"hp":9,"at":[1,2],"name":"Ice Devil"}
//                                        hp: 2 integers    at: 2 arrays of 4 integers    name: 1 string          required: hp, at
//
//   * bounded: so many places, so many different names in an object, so deep; beyond that anything is admitted.
//   * an object with very many names is a dictionary: its values share one place.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A schema that ``Database/inferSchema(of:)`` proposes.
public struct SchemaProposal: Sendable {
    /// Live documents that it was made from. All of them are valid by it.
    public let documents: UInt64
    /// The kind of all keys; nil if there are both, or none.
    public let keys: KeyType?
    public let schema: JSON
}

extension Database {
    /// Proposes a schema from the live documents of `table`.
    ///
    /// It says what types there are, which members are always there, and, where many strings take few values, which. Every document that is there is
    /// valid by it. Nothing is set: look at it, change what is chance, and pass it to ``setSchema(_:keys:documents:persistence:)``.
    ///
    /// Reads every live document, within the memory budget of ``select(_:_:)`` and a few MiB.
    ///
    /// - Throws: `.noSuchTable`; as ``select(_:_:)``.
    public func inferSchema(of table: String) throws(LogDBError) -> SchemaProposal {
        let snapshot = try log.snapshot()
        guard snapshot.tables.ids[table] != nil else {
            throw LogDBError(.noSuchTable, "there is no table \(TableDefinition.brief(.string(table)))")
        }
        let survey = SchemaSurvey()
        let root = SchemaPlace()
        var keys: Set<KeyType> = []
        var documents: UInt64 = 0
        do {
            try select(table, in: snapshot) { operation in
                documents += 1
                let key = try operation.key
                for kind in KeyType.allCases where kind.admits(key) { keys.insert(kind) }
                try survey.add(operation.document, to: root)
            }
        } catch { throw error as! LogDBError }
        var schema = JSONObject([("$schema", .string("https://json-schema.org/draft/2020-12/schema")), ("type", .string("object"))])
        if case .object(let found) = root.schema() { for name in found.keys { schema[name] = found[name] } }
        return SchemaProposal(documents: documents, keys: keys.count == 1 ? keys.first : nil, schema: .object(schema))
    }
}

/// A place in documents, such as /position/x, and the values that were seen there.
private final class SchemaPlace {
    var nulls = 0
    var booleans = 0
    var integers = 0
    var fractions = 0
    var strings = 0
    var arrays = 0
    var objects = 0
    /// Different strings; nil once there are too many, or one is too long.
    var words: Set<[UInt8]>? = []
    var items: SchemaPlace?
    /// By the bytes of their names: as Swift's strings different ones may be equal.
    var members: [[UInt8]: SchemaPlace] = [:]
    /// In the order in which they first came.
    var names: [[UInt8]] = []
    /// The values of a dictionary.
    var values: SchemaPlace?
    /// Objects that it is a member of, each counted once, whatever names it repeats; and the last of them.
    var presence = 0
    var lastObject = 0
    /// Whether it is not known what its parts may be.
    var isOpen = false

    var count: Int { nulls + booleans + integers + fractions + strings + arrays + objects }

    /// Strings that were seen so often in so few values are taken for an enumeration.
    private static let leastWords = 100
    static let mostWords = 8
    static let longestWord = 40

    /// A schema that admits what was seen.
    func schema() -> JSON {
        var types: [String] = []
        if objects > 0 { types.append("object") }
        if arrays > 0 { types.append("array") }
        if strings > 0 { types.append("string") }
        if fractions > 0 { types.append("number") } else if integers > 0 { types.append("integer") }
        if booleans > 0 { types.append("boolean") }
        if nulls > 0 { types.append("null") }
        guard !types.isEmpty else { return .bool(true) }
        var result = JSONObject([("type", types.count == 1 ? .string(types[0]) : .array(types.map(JSON.string)))])
        if let words, strings >= Self.leastWords, strings + nulls == count {
            let values = words.map { String(decoding: $0, as: UTF8.self) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            result["enum"] = .array(values.map(JSON.string) + (nulls > 0 ? [.null] : []))
        }
        if isOpen { return .object(result) }
        if objects > 0 {
            if let values {
                result["additionalProperties"] = values.schema()
            } else if !names.isEmpty {
                result["properties"] = .object(JSONObject(names.map { (String(decoding: $0, as: UTF8.self), members[$0]!.schema()) }))
                let required = names.filter { members[$0]!.presence == objects }
                if !required.isEmpty { result["required"] = .array(required.map { .string(String(decoding: $0, as: UTF8.self)) }) }
            }
        }
        if let items { result["items"] = items.schema() }
        return .object(result)
    }
}

/// Adds values to places, within bounds.
private final class SchemaSurvey {
    private static let maximumPlaces = 10_000
    private static let maximumNames = 200
    private static let maximumDepth = 64
    private var places = 1

    /// Adds a document. Of a name that it repeats every value counts, as it does when a document is validated.
    func add(_ document: Span<UInt8>, to place: SchemaPlace) throws(LogDBError) {
        do throws(JSONError) {
            var cursor = try JSONCursor(object: document)
            place.objects += 1
            try addMembers(of: &cursor, to: place, depth: 0)
        } catch { throw LogDBError(.invalidDocument, error.reason.rawValue, offset: UInt64(error.offset)) }
    }

    private func add(_ value: JSONSlice, of cursor: borrowing JSONCursor, to place: SchemaPlace, depth: Int) throws(JSONError) {
        switch value.kind {
        case .null: place.nulls += 1
        case .true, .false: place.booleans += 1
        case .number: if cursor.int64(value) != nil { place.integers += 1 } else { place.fractions += 1 }
        case .string:
            place.strings += 1
            if place.words != nil { add(word: cursor.string(value), to: place) }
        case .array:
            place.arrays += 1
            var inside = JSONCursor(cursor.bytes, inside: value)
            while let item = try inside.nextElement() {
                guard let part = part(of: place, place.items, depth) else { return }
                place.items = part
                try add(item, of: inside, to: part, depth: depth + 1)
            }
        case .object:
            place.objects += 1
            var inside = JSONCursor(cursor.bytes, inside: value)
            try addMembers(of: &inside, to: place, depth: depth)
        }
    }

    private func add(word: String, to place: SchemaPlace) {
        if word.utf8.count > SchemaPlace.longestWord {
            place.words = nil
        } else {
            place.words?.insert(Array(word.utf8))
            if place.words!.count > SchemaPlace.mostWords { place.words = nil }
        }
    }

    private func addMembers(of cursor: inout JSONCursor, to place: SchemaPlace, depth: Int) throws(JSONError) {
        while let member = try cursor.nextMember() {
            if place.isOpen { return }
            let name = Array(cursor.string(member.name).utf8)
            if place.values == nil, place.members[name] == nil, place.names.count >= Self.maximumNames { makeDictionary(of: place) }
            if let values = place.values {
                try add(member.value, of: cursor, to: values, depth: depth + 1)
                continue
            }
            let known = place.members[name]
            guard let part = part(of: place, known, depth) else { return }
            if known == nil {
                place.members[name] = part
                place.names.append(name)
            }
            if part.lastObject != place.objects {
                part.lastObject = place.objects
                part.presence += 1
            }
            try add(member.value, of: cursor, to: part, depth: depth + 1)
        }
    }

    /// The place of a part, a new one if there is none; nil, and anything is admitted there, beyond the bounds.
    private func part(of place: SchemaPlace, _ known: SchemaPlace?, _ depth: Int) -> SchemaPlace? {
        if place.isOpen { return nil }
        if let known { return known }
        guard places < Self.maximumPlaces, depth < Self.maximumDepth else {
            open(place)
            return nil
        }
        places += 1
        return SchemaPlace()
    }

    private func open(_ place: SchemaPlace) {
        place.isOpen = true
        (place.items, place.members, place.names, place.values) = (nil, [:], [], nil)
    }

    private func makeDictionary(of place: SchemaPlace) {
        let values = SchemaPlace()
        for name in place.names { merge(place.members[name]!, into: values) }
        (place.members, place.names, place.values) = ([:], [], values)
    }

    /// Adds what was seen at `other` to what was seen at `place`.
    private func merge(_ other: SchemaPlace, into place: SchemaPlace) {
        place.presence += other.presence
        place.nulls += other.nulls
        place.booleans += other.booleans
        place.integers += other.integers
        place.fractions += other.fractions
        place.strings += other.strings
        place.arrays += other.arrays
        place.objects += other.objects
        if let words = other.words { place.words?.formUnion(words) } else { place.words = nil }
        if let words = place.words, words.count > SchemaPlace.mostWords { place.words = nil }
        if other.isOpen { open(place) }
        if place.isOpen { return }
        if let items = other.items {
            if place.items == nil { place.items = SchemaPlace() }
            merge(items, into: place.items!)
        }
        if let values = other.values {
            if place.values == nil { makeDictionary(of: place) }
            merge(values, into: place.values!)
        }
        for name in other.names {
            if let values = place.values {
                merge(other.members[name]!, into: values)
                continue
            }
            if place.members[name] == nil {
                if place.names.count >= Self.maximumNames {
                    makeDictionary(of: place)
                    merge(other.members[name]!, into: place.values!)
                    continue
                }
                place.members[name] = SchemaPlace()
                place.names.append(name)
            }
            merge(other.members[name]!, into: place.members[name]!)
        }
    }
}
