//===--- FuzzJSON.swift - one text, every reader ---------------------------===//
//
//      input    a text
//
//   * validator, tape with tree, and cursor give the same verdict: the same reason at the same byte.
//   * JSONReference, which shares no line with them, accepts and refuses the same texts.
//   * a document is a text that is an object. An accepted text, written by us, reads as the same value and is written the same.
//   * integers and doubles are what the standard library makes of the digits.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDB
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzJSON(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzJSON(_ text: Span<UInt8>) {
    let verdict = validatorError(text)
    require(verdict.map { $0.offset >= 0 && $0.offset <= text.count } ?? true, "the fault lies within the text")
    let cursor = cursorError(text)
    require(cursor == verdict, "the cursor says \(String(describing: cursor)), the validator \(String(describing: verdict))")
    var reference = JSONReference(text)
    let isText = reference.accepts()
    require(isText == (verdict == nil), "the reference says \(isText), the validator \(String(describing: verdict))")
    let document = documentError(text)
    require((document == nil) == (verdict == nil && firstByte(text) == UInt8(ascii: "{")), "a document is a text that is an object")

    let tape: JSONTape
    do throws(JSONError) { tape = try JSONTape(parsing: text) } catch {
        require(error == verdict, "the tape says \(error), the validator \(String(describing: verdict))")
        return
    }
    require(verdict == nil, "the tape accepts, the validator says \(String(describing: verdict))")
    for token in tape.tokens where token.kind == .number { checkNumber(text, token.range) }
    guard let value = try? JSON(parsing: text) else { return require(false, "the tree refuses what the tape accepts") }
    let written = value.serialized()
    guard let again = try? JSON(parsing: written) else { return require(false, "what was written is not JSON") }
    require(again == value, "a value, written and read")
    require(again.hashValue == value.hashValue, "equal values have equal hashes")
    requireEqual(again.serialized().span, written.span, "a value, written twice")
}

private func firstByte(_ text: Span<UInt8>) -> UInt8? {
    for index in 0..<text.count where ![0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { return text[index] }
    return nil
}

private func validatorError(_ text: Span<UInt8>) -> JSONError? {
    do throws(JSONError) { try JSONValidator.validateText(text) } catch { return error }
    return nil
}

private func documentError(_ text: Span<UInt8>) -> JSONError? {
    do throws(JSONError) { try JSONValidator.validateDocument(text) } catch { return error }
    return nil
}

/// Steps through everything with cursors; the validator's verdict for a text that is neither object nor array, which no cursor reads.
private func cursorError(_ text: Span<UInt8>) -> JSONError? {
    do throws(JSONError) {
        switch firstByte(text) {
        case UInt8(ascii: "{"):
            var cursor = try JSONCursor(object: text)
            while let member = try cursor.nextMember() {
                require(cursor.matches(member.name, cursor.string(member.name)), "a name matches itself")
                try walk(text, member.value)
            }
        case UInt8(ascii: "["):
            var cursor = try JSONCursor(array: text)
            while let element = try cursor.nextElement() { try walk(text, element) }
        default: return validatorError(text)
        }
    } catch { return error }
    return nil
}

/// One level deeper: to step through all levels would take the square of the depth.
private func walk(_ text: Span<UInt8>, _ slice: JSONSlice) throws(JSONError) {
    require(slice.range.lowerBound < slice.range.upperBound && slice.range.upperBound <= text.count, "a value lies within the text")
    guard slice.kind == .object || slice.kind == .array else { return }
    var cursor = JSONCursor(text, inside: slice)
    if slice.kind == .object {
        while try cursor.nextMember() != nil {}
    } else {
        while try cursor.nextElement() != nil {}
    }
}

private func checkNumber(_ text: Span<UInt8>, _ range: Range<Int>) {
    let digits = JSONText.raw(text, range)
    require(JSONNumeral.isNumber(digits), "\(digits) is a number")
    let double = JSONNumeral.double(text, range)
    let expected = Double(digits)
    if let expected, expected.isFinite {
        require(double?.bitPattern == expected.bitPattern, "\(digits) is \(expected), not \(String(describing: double))")
    } else {
        require(double == nil, "\(digits) is beyond every double, not \(String(describing: double))")
    }
    let int = JSONNumeral.int64(text, range)
    let uint = JSONNumeral.uint64(text, range)
    if let plain = Int64(digits) { require(int == plain, "\(digits) is \(plain), not \(String(describing: int))") }
    if let plain = UInt64(digits) { require(uint == plain, "\(digits) is \(plain), not \(String(describing: uint))") }
    // An integer in any other spelling is at least the double that it is nearest to.
    if let int { require(double == Double(int), "\(digits) is \(int) and \(String(describing: double))") }
    if let uint { require(double == Double(uint), "\(digits) is \(uint) and \(String(describing: double))") }
    require(int == nil || uint == nil || UInt64(exactly: int!) == uint, "\(digits) is \(int!) and \(uint!)")
    if let double {
        var output: [UInt8] = []
        require(JSONNumeral.append(double, to: &output), "a finite double can be written")
        let written = String(decoding: output, as: UTF8.self)
        require(Double(written) == double, "\(double) is written as \(written)")
    }
}
