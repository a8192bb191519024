//===--- EncodingUnkeyed.swift - arrays and single values ------------------===//
//
// The other two faces of EncodingPart; see EncodingKeyed.swift.
//===-----------------------------------------------------------------------===//

struct UnkeyedOutput: UnkeyedEncodingContainer, Output {
    let part: EncodingPart
    let start: Int
    private(set) var count = 0

    init(part: EncodingPart, start: Int) {
        self.part = part
        self.start = start
    }

    @discardableResult
    private mutating func begin() throws -> Int {
        guard part.isInnermost(start) else { throw refuse(count, "the container was written to after its value had been encoded", nil) }
        count += 1
        return part.beginElement(of: start)
    }

    private mutating func child() -> EncodingPart {
        precondition(part.isInnermost(start), "a container was written to after its value had been encoded")
        _ = part.beginElement(of: start)
        count += 1
        return part.child(path: codingPath + [PathKey(intValue: count - 1)])
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        let mark = try begin()
        do { try part.write(value, mark: mark) } catch {
            count -= 1
            throw error
        }
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        nested(keyedBy: type, in: child())
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nestedUnkeyed(in: child()) }
    mutating func superEncoder() -> any Encoder { ValueEncoder(part: child(), start: 0) }

    mutating func encodeNil() throws {
        try begin()
        part.writeNull()
    }

    mutating func encode(_ value: Bool) throws {
        try begin()
        part.write(value)
    }

    mutating func encode(_ value: String) throws {
        try begin()
        part.write(value)
    }

    mutating func encode(_ value: Int) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    mutating func encode(_ value: Int8) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    mutating func encode(_ value: Int16) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    mutating func encode(_ value: Int32) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    mutating func encode(_ value: Int64) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    mutating func encode(_ value: UInt) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    mutating func encode(_ value: UInt8) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    mutating func encode(_ value: UInt16) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    mutating func encode(_ value: UInt32) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    mutating func encode(_ value: UInt64) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    mutating func encode(_ value: Int128) throws {
        try begin()
        part.write(digits: String(value))
    }

    mutating func encode(_ value: UInt128) throws {
        try begin()
        part.write(digits: String(value))
    }

    mutating func encode(_ value: Double) throws { try write(value, key: PathKey(intValue: count), mark: begin()) }

    mutating func encode(_ value: Float) throws { try write(value, key: PathKey(intValue: count), mark: begin()) }
}

struct SingleOutput: SingleValueEncodingContainer, Output {
    let part: EncodingPart
    let start: Int

    @discardableResult
    private func begin() throws -> Int {
        guard part.bytes.count == start else { throw refuse("a second value", "a single value container takes one value", nil) }
        return start
    }

    func encode<T: Encodable>(_ value: T) throws { try part.write(value, mark: begin()) }

    func encodeNil() throws {
        try begin()
        part.writeNull()
    }

    func encode(_ value: Bool) throws {
        try begin()
        part.write(value)
    }

    func encode(_ value: String) throws {
        try begin()
        part.write(value)
    }

    func encode(_ value: Int) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int8) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int16) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int32) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    func encode(_ value: Int64) throws {
        try begin()
        part.write(signed: Int64(value))
    }

    func encode(_ value: UInt) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt8) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt16) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt32) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: UInt64) throws {
        try begin()
        part.write(unsigned: UInt64(value))
    }

    func encode(_ value: Int128) throws {
        try begin()
        part.write(digits: String(value))
    }

    func encode(_ value: UInt128) throws {
        try begin()
        part.write(digits: String(value))
    }

    func encode(_ value: Double) throws { try write(value, mark: begin()) }

    func encode(_ value: Float) throws { try write(value, mark: begin()) }
}
