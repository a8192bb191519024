//===--- JSONNumeralWriting.swift - numbers as their shortest JSON text ----===//
//
// Integers are written digit for digit. A double is written with the fewest digits that read back as the same double,
// and an integral one without ".0", as Foundation's encoder does.
//
// The fast path for doubles: if v × 10^k (k ≤ 4) rounds to an integer n below 10^15 and n / 10^k is v again, then n has
// at most 15 digits. Decimals of at most 15 digits survive the way through a double (DBL_DIG), so no two of them give v,
// and n without its trailing zeros is the shortest. Everything else takes the standard library's printer.
//===-----------------------------------------------------------------------===//

extension JSONNumeral {
    package static func append(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 { output.append(ASCII.minus) }
        append(value.magnitude, to: &output)
    }

    package static func append(_ value: UInt64, to output: inout [UInt8]) {
        if value < 10 {
            output.append(ASCII.zero &+ UInt8(truncatingIfNeeded: value))
            return
        }
        // Twenty digits at most, the last one in the lowest byte of `low`.
        var low: UInt64 = 0
        var high: UInt64 = 0
        var top: UInt64 = 0
        var rest = value
        var count = 0
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            let letter = (digit &+ UInt64(ASCII.zero)) &<< UInt64((count & 7) &* 8)
            if count < 8 { low |= letter } else if count < 16 { high |= letter } else { top |= letter }
            rest = quotient
            count &+= 1
        }
        while count > 0 {
            count &-= 1
            let word = count < 8 ? low : count < 16 ? high : top
            output.append(UInt8(truncatingIfNeeded: word &>> UInt64((count & 7) &* 8)))
        }
    }

    /// Appends the shortest text of `value`; false, and nothing appended, if it is not finite.
    package static func append(_ value: Double, to output: inout [UInt8]) -> Bool {
        guard value.isFinite else { return false }
        if value.magnitude < 1e11, value != 0 {
            let scaled = (value * 1e4).rounded(.toNearestOrEven)
            if scaled / 1e4 == value {
                appendFixed(Int64(scaled), to: &output)
                return true
            }
        }
        appendPrinted(value.description, to: &output)
        return true
    }

    /// Appends the shortest text of `value`; false, and nothing appended, if it is not finite.
    package static func append(_ value: Float, to output: inout [UInt8]) -> Bool {
        guard value.isFinite else { return false }
        appendPrinted(value.description, to: &output)
        return true
    }

    /// `tenThousandths` / 10^4 without trailing zeros.
    private static func appendFixed(_ tenThousandths: Int64, to output: inout [UInt8]) {
        if tenThousandths < 0 { output.append(ASCII.minus) }
        let (whole, fraction) = tenThousandths.magnitude.quotientAndRemainder(dividingBy: 10_000)
        append(whole, to: &output)
        guard fraction > 0 else { return }
        output.append(ASCII.point)
        var rest = fraction
        var unit: UInt64 = 1_000
        while rest > 0 {
            output.append(ASCII.zero &+ UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    private static func appendPrinted(_ text: String, to output: inout [UInt8]) {
        output.append(contentsOf: text.utf8)
        if output.last == ASCII.zero, output[output.count - 2] == ASCII.point { output.removeLast(2) }
    }
}

// The same readings for a number kept as a string.
extension JSONNumeral {
    /// Whether the whole of `text` is one JSON number.
    package static func isNumber(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, first == ASCII.minus || ASCII.isDigit(first) else { return false }
        return (try? JSONGrammar.number(bytes.span, at: 0)) == bytes.count
    }

    package static func int64(_ text: String) -> Int64? {
        if let value = Int64(text) { return value }
        let bytes = Array(text.utf8)
        return int64(bytes.span, 0..<bytes.count)
    }

    package static func uint64(_ text: String) -> UInt64? {
        if let value = UInt64(text) { return value }
        let bytes = Array(text.utf8)
        return uint64(bytes.span, 0..<bytes.count)
    }

    package static func double(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        return double(bytes.span, 0..<bytes.count)
    }
}
