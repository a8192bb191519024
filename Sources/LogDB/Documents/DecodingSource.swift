//===--- DecodingSource.swift - one document that is being decoded ---------===//
//
// Text and tape, shared by all containers of one `decode`. A value is known by the index of its token.
//
//   * members are mostly asked for in the order in which they stand. `hint` is the name token behind the member that was
//     decoded last, valid for the object `hintOwner` only; a look-up tries it before it searches.
//   * coding paths are not kept: when an error needs one, it is found by walking the tape (`path`).
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class DecodingSource {
    let bytes: [UInt8]
    let tokens: [JSONToken]
    let userInfo: [CodingUserInfoKey: any Sendable]
    // SAFETY: plain integers, read and written whole; no access lasts beyond its own statement.
    @safe @exclusivity(unchecked) var hint = 0
    @safe @exclusivity(unchecked) var hintOwner = -1

    init(bytes: [UInt8], tokens: [JSONToken], userInfo: [CodingUserInfoKey: any Sendable]) {
        self.bytes = bytes
        self.tokens = tokens
        self.userInfo = userInfo
    }

    func kind(at index: Int) -> JSONToken.Kind { tokens[index].kind }
    func isNull(at index: Int) -> Bool { tokens[index].kind == .null }

    /// The token behind the value at `index`.
    func next(after index: Int) -> Int { Int(tokens[index].next) }

    /// Any value. Types that are not read as their own `init(from:)` says come first.
    func value<T: Decodable>(_ type: T.Type, at index: Int) throws -> T {
        // SAFETY: the types are one. A cast would look up the metadata of an optional, which takes as long as making the string.
        if T.self == String.self { return unsafe unsafeBitCast(try string(at: index), to: T.self) }
        if T.self == JSON.self || isFoundationValue(type), let value = try specialValue(type, at: index) { return value }
        return try T(from: ValueDecoder(source: self, index: index))
    }

    @inline(never)
    private func specialValue<T: Decodable>(_ type: T.Type, at index: Int) throws -> T? {
        if T.self == JSON.self { return json(at: index) as? T }
        return try foundationValue(type, at: index)
    }

    func json(at index: Int) -> JSON {
        let bytes = bytes  // a local owner for the span
        return JSON.value(at: index, of: tokens, in: bytes.span)
    }

    func string(at index: Int) throws -> String {
        let bytes = bytes  // a local owner for the span
        let token = tokens[index]
        guard token.kind == .string else { throw mismatch(String.self, "a string", at: index) }
        return JSONText.string(bytes.span, token.range, escaped: token.isEscaped)
    }

    func bool(at index: Int) throws -> Bool {
        switch tokens[index].kind {
        case .true: return true
        case .false: return false
        default: throw mismatch(Bool.self, "true or false", at: index)
        }
    }

    func signed<T: FixedWidthInteger>(_ type: T.Type, at index: Int) throws -> T {
        let bytes = bytes  // a local owner for the span
        let token = tokens[index]
        guard token.kind == .number else { throw mismatch(type, "a number", at: index) }
        guard let value = JSONNumeral.int64(bytes.span, token.range).flatMap({ T(exactly: $0) }) else { throw misfit(type, at: index) }
        return value
    }

    func unsigned<T: FixedWidthInteger>(_ type: T.Type, at index: Int) throws -> T {
        let bytes = bytes  // a local owner for the span
        let token = tokens[index]
        guard token.kind == .number else { throw mismatch(type, "a number", at: index) }
        guard let value = JSONNumeral.uint64(bytes.span, token.range).flatMap({ T(exactly: $0) }) else { throw misfit(type, at: index) }
        return value
    }

    /// Integers wider than 64 bits, which must stand without fraction or exponent.
    func wide<T: FixedWidthInteger>(_ type: T.Type, at index: Int) throws -> T {
        guard let value = T(try numberText(type, at: index)) else { throw misfit(type, at: index) }
        return value
    }

    func double(at index: Int) throws -> Double {
        let bytes = bytes  // a local owner for the span
        let token = tokens[index]
        guard token.kind == .number else { throw mismatch(Double.self, "a number", at: index) }
        guard let value = JSONNumeral.double(bytes.span, token.range) else { throw misfit(Double.self, at: index) }
        return value
    }

    func float(at index: Int) throws -> Float {
        // From the digits: rounding to a double first could round twice.
        guard let value = Float(try numberText(Float.self, at: index)), value.isFinite else { throw misfit(Float.self, at: index) }
        return value
    }

    func numberText(_ type: Any.Type, at index: Int) throws -> String {
        let bytes = bytes  // a local owner for the span
        let token = tokens[index]
        guard token.kind == .number else { throw mismatch(type, "a number", at: index) }
        return JSONText.raw(bytes.span, token.range)
    }
}

// What goes wrong, and where.
extension DecodingSource {
    /// The path of the value at `index`. O(tokens before it).
    func path(to index: Int) -> [any CodingKey] {
        var path: [any CodingKey] = []
        var container = 0
        while container < index {
            var at = container + 1
            var position = 0
            let isObject = tokens[container].kind == .object
            while true {
                let value = isObject ? at + 1 : at
                let next = Int(tokens[value].next)
                if index < next {
                    path.append(isObject ? PathKey(stringValue: name(at: at)) : PathKey(intValue: position))
                    container = value
                    break
                }
                guard next < Int(tokens[container].next) else { return path }
                at = next
                position += 1
            }
        }
        return path
    }

    func name(at index: Int) -> String {
        let bytes = bytes  // a local owner for the span
        return JSONText.string(bytes.span, tokens[index].range, escaped: tokens[index].isEscaped)
    }

    private func context(_ text: String, at index: Int) -> DecodingError.Context {
        .init(codingPath: path(to: index), debugDescription: "\(text), at byte \(tokens[index].start) of the document")
    }

    func mismatch(_ type: Any.Type, _ expected: String, at index: Int) -> DecodingError {
        let found =
            switch tokens[index].kind {
            case .object: "an object"
            case .array: "an array"
            case .string, .name: "a string"
            case .number: "a number"
            case .true, .false: "a boolean"
            case .null: "null"
            }
        if tokens[index].kind == .null { return .valueNotFound(type, context("expected \(expected), found null", at: index)) }
        return .typeMismatch(type, context("expected \(expected), found \(found)", at: index))
    }

    func misfit(_ type: Any.Type, at index: Int) -> DecodingError {
        let bytes = bytes  // a local owner for the span
        let digits = JSONText.raw(bytes.span, tokens[index].range)
        return .dataCorrupted(context("\(digits.prefix(40)) does not fit \(type)", at: index))
    }

    func corrupted(_ text: String, at index: Int) -> DecodingError { .dataCorrupted(context(text, at: index)) }
}
