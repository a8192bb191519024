//===--- DecodingKeyed.swift - what init(from:) reads from: objects --------===//
//
// Thin faces of DecodingSource: the source and a token index.
//
//   * if an object repeats a name, look-ups search all of it and take the last; that it does is found out once, when the
//     container is made, by the names' hashes.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// The decoder of the value whose token is at `index`.
struct ValueDecoder: Decoder {
    let source: DecodingSource
    let index: Int

    var codingPath: [any CodingKey] { source.path(to: index) }
    var userInfo: [CodingUserInfoKey: Any] { source.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try KeyedInput<Key>(source, index))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try UnkeyedInput(source, index) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleInput(source: source, index: index) }
}

struct KeyedInput<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let source: DecodingSource
    private let index: Int
    private let end: Int
    private let repeatsNames: Bool

    init(_ source: DecodingSource, _ index: Int) throws {
        guard source.kind(at: index) == .object else { throw source.mismatch([String: Any].self, "an object", at: index) }
        self.source = source
        self.index = index
        end = source.next(after: index)
        repeatsNames = source.repeatsNames(in: index)
    }

    var codingPath: [any CodingKey] { source.path(to: index) }

    var allKeys: [Key] {
        var keys: [Key] = []
        var seen: Set<String> = []
        var at = index + 1
        while at < end {
            let name = source.name(at: at)
            if !repeatsNames || seen.insert(name).inserted, let key = Key(stringValue: name) { keys.append(key) }
            at = source.next(after: at + 1)
        }
        return keys
    }

    /// The name token of member `key`.
    private func find(_ key: some CodingKey) -> Int? {
        let name = key.stringValue
        if !repeatsNames, source.hintOwner == index, source.hint < end, source.matches(source.hint, name) { return source.hint }
        var found: Int?
        var at = index + 1
        while at < end {
            if source.matches(at, name) {
                found = at
                if !repeatsNames { break }
            }
            at = source.next(after: at + 1)
        }
        return found
    }

    /// Reads the member `key`, and expects the one behind it next.
    @inline(__always)
    private func member<T>(_ key: Key, _ read: (Int) throws -> T) throws -> T {
        guard let name = find(key) else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "no member \"\(key.stringValue)\" in \(source.place(of: index))"))
        }
        let value = try read(name + 1)
        source.hint = source.next(after: name + 1)
        source.hintOwner = index
        return value
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { find(key).map { source.isNull(at: $0 + 1) } ?? true }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try member(key) { try source.value(type, at: $0) } }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try member(key) { KeyedDecodingContainer(try KeyedInput<Nested>(source, $0)) }
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try member(key) { try UnkeyedInput(source, $0) } }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) { ValueDecoder(source: source, index: $0) } }

    func superDecoder() throws -> any Decoder {
        guard let name = find(PathKey.superclass) else {
            throw DecodingError.keyNotFound(
                PathKey.superclass, .init(codingPath: codingPath, debugDescription: "no member \"super\" in \(source.place(of: index))"))
        }
        return ValueDecoder(source: source, index: name + 1)
    }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try member(key) { try source.bool(at: $0) } }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key) { try source.string(at: $0) } }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try member(key) { try source.double(at: $0) } }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try member(key) { try source.float(at: $0) } }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try member(key) { try source.signed(type, at: $0) } }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try member(key) { try source.signed(type, at: $0) } }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try member(key) { try source.signed(type, at: $0) } }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try member(key) { try source.signed(type, at: $0) } }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try member(key) { try source.signed(type, at: $0) } }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try member(key) { try source.unsigned(type, at: $0) } }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try member(key) { try source.unsigned(type, at: $0) } }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try member(key) { try source.unsigned(type, at: $0) } }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try member(key) { try source.unsigned(type, at: $0) } }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try member(key) { try source.unsigned(type, at: $0) } }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try member(key) { try source.wide(type, at: $0) } }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try member(key) { try source.wide(type, at: $0) } }
}

extension DecodingSource {
    func matches(_ name: Int, _ text: String) -> Bool {
        let bytes = bytes  // a local owner for the span
        let token = tokens[name]
        return JSONText.matches(bytes.span, token.range, escaped: token.isEscaped, text)
    }

    /// Whether two members of the object at `index` have the same name.
    func repeatsNames(in index: Int) -> Bool {
        // Hashes that fall on different ones of 256 bits are different; only a second hit on a bit needs a closer look.
        var seen = SIMD4<UInt64>()
        var at = index + 1
        var count = 0
        let end = next(after: index)
        while at < end {
            let hash = tokens[at].next
            let word = Int(hash & 3)
            let bit: UInt64 = 1 &<< UInt64(hash &>> 2 & 63)
            if seen[word] & bit != 0, count > 64 || hasHash(hash, from: index + 1, to: at) { return comparesEqualNames(in: index) }
            seen[word] |= bit
            count += 1
            at = next(after: at + 1)
        }
        return false
    }

    private func hasHash(_ hash: UInt32, from first: Int, to last: Int) -> Bool {
        var at = first
        while at < last {
            if tokens[at].next == hash { return true }
            at = next(after: at + 1)
        }
        return false
    }

    private func comparesEqualNames(in index: Int) -> Bool {
        var names: [(hash: UInt32, token: Int)] = []
        var at = index + 1
        let end = next(after: index)
        while at < end {
            names.append((tokens[at].next, at))
            at = next(after: at + 1)
        }
        names.sort { $0.hash < $1.hash }
        // Names with equal hashes stand together now. More than a few of them, without being equal, is an attack: a set decides.
        var first = 0
        while first < names.count {
            var last = first + 1
            while last < names.count, names[last].hash == names[first].hash { last += 1 }
            if last - first > 1 {
                let group = Set(names[first..<last].map { Array(name(at: $0.token).utf8) })
                if group.count < last - first { return true }
            }
            first = last
        }
        return false
    }

    /// "the document" or "member a.b", for messages.
    func place(of index: Int) -> String {
        let path = path(to: index).map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        let start = "at byte \(tokens[index].start) of the document"
        return path.isEmpty ? "the document" : "\(path.joined(separator: ".")), \(start)"
    }
}
