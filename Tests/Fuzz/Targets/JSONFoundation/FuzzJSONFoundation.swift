//===--- FuzzJSONFoundation.swift - one text, read by us and by Foundation ----===//
//
//      input    a text
//
//   * what we accept, Foundation accepts, and both read the same value: every string, every number as a double.
//   * what we refuse, Foundation refuses, where it is as strict as we are: on Linux its parser also accepts trailing commas, lone
//     surrogates, a byte order mark and other encodings. It gives up at a depth of 512 and at numbers beyond a double, and
//     drops byte order marks in strings.
//===-----------------------------------------------------------------------===//

import Foundation
import FuzzSupport
import LogDB
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    fuzzJSON(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private func fuzzJSON(_ text: [UInt8]) {
    let verdict: JSONError?
    do throws(JSONError) {
        try JSONValidator.validateText(text.span)
        verdict = nil
    } catch { verdict = error }
    if let reason = verdict?.reason {
        if [.loneSurrogate, .invalidUTF8, .byteOrderMark, .invalidEscape, .trailingComma].contains(reason) || text.contains(0) { return }
    } else if text.count(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }) >= 500 {
        return
    }
    let foundation = try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])
    guard verdict == nil else { return require(foundation == nil, "Foundation accepts, we: \(verdict!)") }
    guard let value = try? JSON(parsing: text) else { return require(false, "the tree refuses what the validator accepts") }
    guard let foundation else { return require(holdsHugeNumber(value), "Foundation refuses what we accept") }
    compare(value, foundation)
}

private func holdsHugeNumber(_ value: JSON) -> Bool {
    switch value {
    case .number(let number): Double(number.text).map { !$0.isFinite || $0 == 0 } ?? true
    case .array(let elements): elements.contains(where: holdsHugeNumber)
    case .object(let object): object.contains { holdsHugeNumber($0.value) }
    default: false
    }
}

private func compare(_ ours: JSON, _ theirs: Any) {
    switch ours {
    case .null: require(theirs is NSNull, "null is \(theirs)")
    case .bool(let value): require((theirs as? NSNumber)?.boolValue == value, "\(value) is \(theirs)")
    case .number(let number):
        guard let their = theirs as? NSNumber, let our = Double(number.text) else { return require(false, "\(number) is \(theirs)") }
        // Where a number has more digits than a double, Foundation takes a decimal, which it converts by many roundings.
        require(our == their.doubleValue || abs(our - their.doubleValue) <= abs(our) * 1e-12, "\(number) is \(their)")
    case .string(let text):
        guard !text.unicodeScalars.contains("\u{FEFF}") else { return }
        require((theirs as? String).map { $0.unicodeScalars.elementsEqual(text.unicodeScalars) } ?? false, "\"\(text)\" is \(theirs)")
    case .array(let elements):
        guard let their = theirs as? [Any], their.count == elements.count else { return require(false, "an array is \(theirs)") }
        for (our, their) in zip(elements, their) { compare(our, their) }
    case .object(let object):
        guard let their = theirs as? [String: Any] else { return require(false, "an object is \(theirs)") }
        // Names that differ for us may be equal for Foundation, whose dictionary compares as Unicode does.
        guard their.count == object.count else { return }
        for (name, our) in object where !name.unicodeScalars.contains("\u{FEFF}") {
            guard let other = their[name] else { return require(false, "\"\(name)\" is missing in \(theirs)") }
            compare(our, other)
        }
    }
}
