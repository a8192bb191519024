//===--- JSONAgreementTests.swift - the readers against each other ---------===//
//
// Random damage to good documents; every reader must give the same verdict, and so must Foundation where it is as strict
// as we are: on Linux its parser also accepts trailing commas, lone surrogates, a byte order mark and other encodings.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB
import LogDBFormat
import Testing

struct JSONAgreementTests {
    static let seeds = [
        #"{"id":168507,"name":"Ice Devil","hp":180,"position":{"x":-8.13,"y":5.78,"place":"crossroads"},"conditions":[],"alive":true}"#,
        #"[null, true ,false,"\u00e9\ud83d\ude00\n", 1.5E+10, -0, {"":{}}, "äöü€𝄞", [[],[1,2,3]]]"#,
        #"{"table":"t","key":7,"value":{"a":[1e-7,0.25]},"op":"put"}"#,
    ]
    private static let alphabet = Array("{}[]:,\"\\ue0123.+-EtrufalsnD8C \n\t\u{1}xé€".utf8) + [0xFF, 0xC0, 0xED, 0xA0, 0x80]

    @Test(arguments: seeds, [1, 2, 3] as [UInt64]) func `damaged documents get one verdict from every reader`(seed: String, run: UInt64) {
        var random = SeededGenerator(seed: run &* 1_000 &+ UInt64(seed.utf8.count))
        var accepted = 0
        for round in 0..<4_000 {
            var text = Array(seed.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: text.remove(at: place)
                case 1: text.insert(Self.alphabet.randomElement(using: &random)!, at: place)
                case 2: text[place] = Self.alphabet.randomElement(using: &random)!
                case 3: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                default: text.removeLast(text.count - place)
                }
            }
            let verdict = JSONReaders.validatorError(text)
            let tree = JSONReaders.treeError(text) as? JSONError
            let cursor = JSONReaders.cursorError(text)
            guard verdict == tree, verdict == cursor else {
                Issue.record("round \(round): \(String(decoding: text, as: UTF8.self)): \(verdict as Any) \(tree as Any) \(cursor as Any)")
                return
            }
            if verdict == nil {
                accepted += 1
                // What we accept, Foundation accepts, but for numbers beyond a double; and what we write, we read back.
                let foundation = try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])
                if foundation == nil, !hasHugeNumber(text) { Issue.record("Foundation refuses \(String(decoding: text, as: UTF8.self))") }
                let json = try? JSON(parsing: text)
                #expect(json.flatMap { try? JSON(parsing: $0.serialized()) } == json)
            } else if let reason = verdict?.reason,
                ![.loneSurrogate, .invalidUTF8, .byteOrderMark, .invalidEscape, .trailingComma].contains(reason)
            {
                if !text.contains(0), (try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])) != nil {
                    Issue.record("Foundation accepts \(String(decoding: text, as: UTF8.self)), we: \(verdict!)")
                }
            }
        }
        #expect(accepted > 100, "the damage leaves nothing to accept: the test would prove little")
    }

    private func hasHugeNumber(_ text: [UInt8]) -> Bool { text.contains(UInt8(ascii: "e")) || text.contains(UInt8(ascii: "E")) }

    @Test func `random values survive being written and read, by us and by Foundation`() throws {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<1_000 {
            let value: JSON = ["root": Self.value(depth: 4, using: &random)]
            let text = value.serialized()
            #expect(try JSON(parsing: text) == value)
            #expect(try JSON(parsing: text).serialized() == text)
            try JSONValidator.validateDocument(text.span)
            #expect((try? JSONSerialization.jsonObject(with: Data(text))) != nil)
            #expect(try DocumentDecoder().decode(JSON.self, from: text) == value)
            #expect(try DocumentEncoder().encode(value) == text)
        }
    }

    static func value(depth: Int, using random: inout SeededGenerator) -> JSON {
        func string() -> String {
            String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0..<12, using: &random)).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 0...(Bool.random(using: &random) ? 0x7F : 0x1FFFF), using: &random))
                    }))
        }
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: return nil
        case 1: return .bool(Bool.random(using: &random))
        case 2: return JSON(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random))
        case 3: return JSON(Double.random(in: -1e6...1e6, using: &random)) ?? nil
        case 4: return .string(string())
        case 5: return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
        default:
            return .object(
                JSONObject((0..<Int.random(in: 0..<25, using: &random)).map { _ in (string(), value(depth: depth - 2, using: &random)) }))
        }
    }
}
