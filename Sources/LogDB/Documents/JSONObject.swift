//===--- JSONObject.swift - members in their order, names only once --------===//
//
//   * `names` and `values` run in parallel, in the order in which the names first came.
//   * a name occurs once. Of members with the same name in a text the last value wins, in the first one's place; so do
//     JavaScript and most readers (RFC 8259, section 4, leaves it open).
//   * names are compared as UTF-8 bytes are, not as Swift strings: "é" and "e" + "´" are different members.
//   * beyond `indexThreshold` members an index from name to place answers look-ups; below, comparing is faster.
//===-----------------------------------------------------------------------===//

/// The members of a JSON object, in order.
///
/// Look-up, replacing and appending cost O(1) on average, removing O(members).
public struct JSONObject: Sendable {
    private var names: [String] = []
    private var values: [JSON] = []
    private var index: [ExactName: Int]?

    private static let indexThreshold = 16

    public init() {}

    /// Takes the members in order; of a repeated name the last value wins, in the first one's place.
    public init(_ members: some Sequence<(String, JSON)>) {
        for (name, value) in members { self[name] = value }
    }

    public var count: Int { values.count }
    public var isEmpty: Bool { values.isEmpty }

    /// The names, in order.
    public var keys: [String] { names }

    /// The value under `name`. Setting nil removes the member; setting `.null` (or `JSON.null`) stores a null.
    public subscript(name: String) -> JSON? {
        get { place(of: name).map { values[$0] } }
        set {
            switch (newValue, place(of: name)) {
            case (let value?, let place?): values[place] = value
            case (let value?, nil): append(name, value)
            case (nil, let place?): remove(at: place)
            case (nil, nil): break
            }
        }
    }

    /// The value under `name`, `.null` if absent, to be changed in place. A member that was absent and stays null is not added.
    subscript(orNull name: String) -> JSON {
        get { place(of: name).map { values[$0] } ?? .null }
        _modify {
            if let place = place(of: name) {
                yield &values[place]
            } else {
                var value = JSON.null
                defer { if !value.isNull { append(name, value) } }
                yield &value
            }
        }
    }

    mutating func reserveCapacity(_ count: Int) {
        names.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    private mutating func append(_ name: String, _ value: JSON) {
        names.append(name)
        values.append(value)
        if index != nil {
            index?[ExactName(name)] = names.count - 1
        } else if names.count > Self.indexThreshold {
            rebuildIndex()
        }
    }

    private mutating func remove(at place: Int) {
        names.remove(at: place)
        values.remove(at: place)
        rebuildIndex()
    }

    private mutating func rebuildIndex() {
        index = nil
        guard names.count > Self.indexThreshold else { return }
        index = Dictionary(uniqueKeysWithValues: names.enumerated().map { (ExactName($1), $0) })
    }

    private func place(of name: String) -> Int? {
        if let index { return index[ExactName(name)] }
        let length = name.utf8.count
        return names.firstIndex { $0.utf8.count == length && ExactName($0) == ExactName(name) }
    }
}

/// A name that is equal only to the same bytes.
private struct ExactName: Hashable {
    let name: String
    init(_ name: String) { self.name = name }

    static func == (left: ExactName, right: ExactName) -> Bool {
        left.name == right.name && left.name.utf8.elementsEqual(right.name.utf8)
    }

    func hash(into hasher: inout Hasher) {
        // Equal bytes are equal strings, so the string's own hash will do.
        hasher.combine(name)
    }
}

extension JSONObject: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { values.count }
    public subscript(position: Int) -> (name: String, value: JSON) { (names[position], values[position]) }
}

extension JSONObject: ExpressibleByDictionaryLiteral, CustomStringConvertible {
    public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }

    /// The object as compact JSON text.
    public var description: String { JSON.object(self).description }
}
