//===--- EncodingKeyed.swift - what encode(to:) writes to ------------------===//
//
// Thin faces of EncodingPart. Each holds the part and the offset of its bracket (or of its value), so it fits into the
// inline buffer of an existential: handing one out allocates nothing but what the standard library's wrappers need.
//
// A container may be written to until the `encode(to:)` that opened it returns; later writes throw.
//===-----------------------------------------------------------------------===//

/// The encoder of the value that begins at `start`.
struct ValueEncoder: Encoder {
    let part: EncodingPart
    let start: Int

    var codingPath: [any CodingKey] { part.path(upTo: start) }
    var userInfo: [CodingUserInfoKey: Any] { part.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        part.openContainer(UInt8(ascii: "{"), at: start)
        return KeyedEncodingContainer(KeyedOutput(part: part, start: start))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        part.openContainer(UInt8(ascii: "["), at: start)
        return UnkeyedOutput(part: part, start: start)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleOutput(part: part, start: start) }
}

/// What the three containers share: a place to write the next value to, and what to say if it cannot be written.
protocol Output {
    var part: EncodingPart { get }
    var start: Int { get }
}

extension Output {
    var codingPath: [any CodingKey] { part.path(upTo: start) }

    func refuse(_ value: Any, _ reason: String, _ key: (any CodingKey)?) -> EncodingError {
        EncodingError.invalidValue(value, .init(codingPath: codingPath + (key.map { [$0] } ?? []), debugDescription: reason))
    }

    func write(_ value: Double, key: (any CodingKey)? = nil, mark: Int) throws {
        guard !part.write(value) else { return }
        part.cut(to: mark)
        throw refuse(value, "JSON has no number for \(value)", key)
    }

    func write(_ value: Float, key: (any CodingKey)? = nil, mark: Int) throws {
        guard !part.write(value) else { return }
        part.cut(to: mark)
        throw refuse(value, "JSON has no number for \(value)", key)
    }

    func nested<Key: CodingKey>(keyedBy type: Key.Type, in child: EncodingPart) -> KeyedEncodingContainer<Key> {
        child.openContainer(UInt8(ascii: "{"), at: 0)
        return KeyedEncodingContainer(KeyedOutput(part: child, start: 0))
    }

    func nestedUnkeyed(in child: EncodingPart) -> any UnkeyedEncodingContainer {
        child.openContainer(UInt8(ascii: "["), at: 0)
        return UnkeyedOutput(part: child, start: 0)
    }
}

struct KeyedOutput<Key: CodingKey>: KeyedEncodingContainerProtocol, Output {
    let part: EncodingPart
    let start: Int

    @discardableResult
    private func begin(_ key: Key) throws -> Int {
        guard part.isInnermost(start) else { throw refuse(key, "the container was written to after its value had been encoded", key) }
        return part.beginMember(key.stringValue, of: start)
    }

    private func child(_ key: any CodingKey) -> EncodingPart {
        precondition(part.isInnermost(start), "a container was written to after its value had been encoded")
        _ = part.beginMember(key.stringValue, of: start)
        return part.child(path: codingPath + [key])
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try part.write(value, mark: begin(key)) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        nested(keyedBy: type, in: child(key))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nestedUnkeyed(in: child(key)) }
    func superEncoder() -> any Encoder { ValueEncoder(part: child(PathKey.superclass), start: 0) }
    func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(part: child(key), start: 0) }

    func encodeNil(forKey key: Key) throws {
        try begin(key)
        part.writeNull()
    }

    func encode(_ value: Bool, forKey key: Key) throws {
        try begin(key)
        part.write(value)
    }

    func encode(_ value: String, forKey key: Key) throws {
        try begin(key)
        part.write(value)
    }

    func encode(_ value: Int, forKey key: Key) throws {
        try begin(key)
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int8, forKey key: Key) throws {
        try begin(key)
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int16, forKey key: Key) throws {
        try begin(key)
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int32, forKey key: Key) throws {
        try begin(key)
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int64, forKey key: Key) throws {
        try begin(key)
        part.write(signed: Int64(value))
    }

    func encode(_ value: UInt, forKey key: Key) throws {
        try begin(key)
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt8, forKey key: Key) throws {
        try begin(key)
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt16, forKey key: Key) throws {
        try begin(key)
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt32, forKey key: Key) throws {
        try begin(key)
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt64, forKey key: Key) throws {
        try begin(key)
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: Int128, forKey key: Key) throws {
        try begin(key)
        part.write(digits: String(value))
    }

    func encode(_ value: UInt128, forKey key: Key) throws {
        try begin(key)
        part.write(digits: String(value))
    }

    func encode(_ value: Double, forKey key: Key) throws { try write(value, key: key, mark: begin(key)) }

    func encode(_ value: Float, forKey key: Key) throws { try write(value, key: key, mark: begin(key)) }
}
