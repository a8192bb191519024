//===--- JSONReaders.swift - every reader's verdict on one text ------------===//
//
// Validator, tape with tree, and cursor are asked separately, so that a reader that stops using the common grammar is
// noticed by every test that uses this file.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

enum JSONReaders {
    static func validatorError(_ text: [UInt8]) -> JSONError? {
        do throws(JSONError) { try JSONValidator.validateText(text.span) } catch { return error }
        return nil
    }

    static func treeError(_ text: [UInt8]) -> (any Error)? {
        do { _ = try JSON(parsing: text) } catch {
            // What users see is the engine's error; the sentence and the byte are the grammar's.
            guard error.code == .invalidDocument, let offset = error.offset, let reason = JSONError.Reason(rawValue: error.message) else {
                return error
            }
            return JSONError(offset: Int(offset), reason: reason)
        }
        return nil
    }

    /// Steps through everything with cursors. Nil also for texts that are neither object nor array, which no cursor reads.
    static func cursorError(_ text: [UInt8]) -> JSONError? {
        let first = text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        do throws(JSONError) {
            switch first {
            case UInt8(ascii: "{"):
                var cursor = try JSONCursor(object: text.span)
                while let member = try cursor.nextMember() { try walk(text.span, member.value) }
            case UInt8(ascii: "["):
                var cursor = try JSONCursor(array: text.span)
                while let element = try cursor.nextElement() { try walk(text.span, element) }
            default: return validatorError(text)
            }
        } catch { return error }
        return nil
    }

    private static func walk(_ text: Span<UInt8>, _ slice: JSONSlice) throws(JSONError) {
        guard slice.kind == .object || slice.kind == .array, slice.range.count < 10_000 else { return }
        var cursor = JSONCursor(text, inside: slice)
        if slice.kind == .object {
            while let member = try cursor.nextMember() { try walk(text, member.value) }
        } else {
            while let element = try cursor.nextElement() { try walk(text, element) }
        }
    }
}

/// A small generator with a seed, so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
