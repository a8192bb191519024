//===--- DocumentDecoder.swift - from a document to a Codable value --------===//
//
// The text becomes a tape (LogDBFormat), the containers walk the tape, and strings and numbers are made from the text
// only when a value asks for them. How: DecodingSource.swift.
//
// The meaning is that of Foundation's JSONDecoder with default strategies. Two things differ: of members with the same
// name the last one counts (as in ``JSON``), and `1e400` is an error for every type, never an infinity.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// Decodes values from documents.
public struct DocumentDecoder: Sendable {
    /// Handed to every `init(from:)`, as Foundation's decoder does.
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    public init() {}

    /// Decodes a value from `text`, one JSON value in UTF-8.
    ///
    /// - Throws: `DecodingError`, with the path and the byte offset in its description. For malformed text it is
    ///   `.dataCorrupted` with the underlying error of the grammar.
    public func decode<T: Decodable>(_ type: T.Type = T.self, from text: [UInt8]) throws -> T {
        let tape: JSONTape
        do {
            tape = try JSONTape(parsing: text.span)
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: error.description, underlyingError: error))
        }
        return try DecodingSource(bytes: text, tokens: tape.tokens, userInfo: userInfo).value(type, at: 0)
    }

    /// Decodes a value from `text`, as ``decode(_:from:)-array``; costs one copy of the text.
    public func decode<T: Decodable>(_ type: T.Type = T.self, from text: Span<UInt8>) throws -> T {
        var copy: [UInt8] = []
        copy.reserveCapacity(text.count)
        // SAFETY: the pointer does not leave the closure.
        unsafe text.withUnsafeBufferPointer { unsafe copy.append(contentsOf: $0) }
        return try decode(type, from: copy)
    }
}
