//===--- SchemaText.swift - the text of a schema, to walk about in ---------===//
//
// The tokens of a schema's text. Where the meta-schema is referred to, its text stands behind the user's, with offsets and tokens that
// go on counting, so that a place in either is one number.
//===-----------------------------------------------------------------------===//

package struct SchemaText: Sendable {
    package private(set) var bytes: [UInt8]
    private(set) var tokens: [JSONToken]
    /// Where each document's bytes and tokens begin, and what it is called in messages.
    private var documents: [(start: Int, token: Int, name: String)]

    init(_ bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        tokens = try JSONTape(parsing: bytes.span).tokens
        documents = [(0, 0, "")]
    }

    /// Adds a document behind those that are there. Returns the token of its root.
    mutating func append(_ other: [UInt8], name: String) throws(JSONError) -> Int {
        let (start, first) = (UInt32(bytes.count), UInt32(tokens.count))
        for var token in try JSONTape(parsing: other.span).tokens {
            token.start += start
            token.end += start
            if token.kind != .name { token.next += first }
            tokens.append(token)
        }
        bytes += other
        documents.append((Int(start), Int(first), name))
        return Int(first)
    }

    func kind(_ token: Int) -> JSONToken.Kind { tokens[token].kind }
    func range(_ token: Int) -> Range<Int> { tokens[token].range }

    /// The characters of a string or name, as they are after escapes.
    func characters(_ token: Int) -> [UInt8] {
        let range = tokens[token].range
        return JSONText.unescaped(bytes.span, range.lowerBound + 1..<range.upperBound - 1)
    }

    func string(_ token: Int) -> String { String(decoding: characters(token), as: UTF8.self) }

    /// The members of an object, as tokens.
    func members(_ object: Int) -> [(name: Int, value: Int)] {
        var result: [(name: Int, value: Int)] = []
        var at = object + 1
        while at < Int(tokens[object].next) {
            result.append((at, at + 1))
            at = Int(tokens[at + 1].next)
        }
        return result
    }

    /// The elements of an array, as tokens.
    func elements(_ array: Int) -> [Int] {
        var result: [Int] = []
        var at = array + 1
        while at < Int(tokens[array].next) {
            result.append(at)
            at = Int(tokens[at].next)
        }
        return result
    }

    /// The place of the value or name at `offset`, as messages write it.
    func pointer(at offset: Int) -> String {
        guard let document = documents.last(where: { $0.start <= offset }) else { return "" }
        let next = documents.first { $0.start > offset }?.start ?? bytes.count
        let pointer = JSONPointer.text(of: offset - document.start, in: bytes.span.extracting(document.start..<next))
        return document.name.isEmpty ? pointer : "\(document.name)#\(pointer)"
    }
}
