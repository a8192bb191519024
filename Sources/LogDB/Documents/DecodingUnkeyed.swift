//===--- DecodingUnkeyed.swift - arrays and single values ------------------===//
//
// The other two faces of DecodingSource; see DecodingKeyed.swift.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct UnkeyedInput: UnkeyedDecodingContainer {
    private let source: DecodingSource
    private let index: Int
    private let end: Int
    private var at: Int
    private(set) var currentIndex = 0

    init(_ source: DecodingSource, _ index: Int) throws {
        guard source.kind(at: index) == .array else { throw source.mismatch([Any].self, "an array", at: index) }
        self.source = source
        self.index = index
        at = index + 1
        end = source.next(after: index)
    }

    var codingPath: [any CodingKey] { source.path(to: index) }
    var isAtEnd: Bool { at >= end }

    /// How many elements there are. O(count).
    var count: Int? {
        var count = 0
        var at = index + 1
        while at < end {
            at = source.next(after: at)
            count += 1
        }
        return count
    }

    /// Reads the element, and moves on if that succeeds.
    @inline(__always)
    private mutating func element<T>(_ type: Any.Type, _ read: (Int) throws -> T) throws -> T {
        guard !isAtEnd else {
            let path = codingPath + [PathKey(intValue: currentIndex)]
            throw DecodingError.valueNotFound(
                type, .init(codingPath: path, debugDescription: "no element \(currentIndex) in \(source.place(of: index))"))
        }
        let value = try read(at)
        at = source.next(after: at)
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd else { return try element(Never.self) { _ in false } }
        guard source.isNull(at: at) else { return false }
        at = source.next(after: at)
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try element(type) { [source] in try source.value(type, at: $0) } }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try element(type) { [source] in KeyedDecodingContainer(try KeyedInput<Nested>(source, $0)) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try element([Any].self) { [source] in try UnkeyedInput(source, $0) }
    }

    mutating func superDecoder() throws -> any Decoder {
        try element((any Decoder).self) { [source] in ValueDecoder(source: source, index: $0) }
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try element(type) { [source] in try source.bool(at: $0) } }
    mutating func decode(_ type: String.Type) throws -> String { try element(type) { [source] in try source.string(at: $0) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try element(type) { [source] in try source.double(at: $0) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try element(type) { [source] in try source.float(at: $0) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try element(type) { [source] in try source.signed(type, at: $0) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try element(type) { [source] in try source.signed(type, at: $0) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try element(type) { [source] in try source.signed(type, at: $0) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try element(type) { [source] in try source.signed(type, at: $0) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try element(type) { [source] in try source.signed(type, at: $0) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try element(type) { [source] in try source.unsigned(type, at: $0) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try element(type) { [source] in try source.unsigned(type, at: $0) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try element(type) { [source] in try source.unsigned(type, at: $0) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try element(type) { [source] in try source.unsigned(type, at: $0) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try element(type) { [source] in try source.unsigned(type, at: $0) } }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try element(type) { [source] in try source.wide(type, at: $0) } }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try element(type) { [source] in try source.wide(type, at: $0) } }
}

struct SingleInput: SingleValueDecodingContainer {
    let source: DecodingSource
    let index: Int

    var codingPath: [any CodingKey] { source.path(to: index) }
    func decodeNil() -> Bool { source.isNull(at: index) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try source.value(type, at: index) }

    func decode(_ type: Bool.Type) throws -> Bool { try source.bool(at: index) }
    func decode(_ type: String.Type) throws -> String { try source.string(at: index) }
    func decode(_ type: Double.Type) throws -> Double { try source.double(at: index) }
    func decode(_ type: Float.Type) throws -> Float { try source.float(at: index) }
    func decode(_ type: Int.Type) throws -> Int { try source.signed(type, at: index) }
    func decode(_ type: Int8.Type) throws -> Int8 { try source.signed(type, at: index) }
    func decode(_ type: Int16.Type) throws -> Int16 { try source.signed(type, at: index) }
    func decode(_ type: Int32.Type) throws -> Int32 { try source.signed(type, at: index) }
    func decode(_ type: Int64.Type) throws -> Int64 { try source.signed(type, at: index) }
    func decode(_ type: UInt.Type) throws -> UInt { try source.unsigned(type, at: index) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try source.unsigned(type, at: index) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try source.unsigned(type, at: index) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try source.unsigned(type, at: index) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try source.unsigned(type, at: index) }
    func decode(_ type: Int128.Type) throws -> Int128 { try source.wide(type, at: index) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try source.wide(type, at: index) }
}
