//===--- JSONNumeral.swift - the number behind the digits ------------------===//
//
// Works on the bytes of a number that the grammar has accepted. Nothing is rounded on the way to an integer: 1.0, 10e-1
// and 1 are the integer 1, -0 is 0, and 1.5 or 9223372036854775808 as Int64 are nil.
//
// Doubles: with at most 19 digits below 2^53 and a power of ten within 10^±22, digits and power are exact doubles and one
// correctly rounded operation gives the nearest double (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
// Everything else goes to the C library, which rounds correctly as well.
//===-----------------------------------------------------------------------===//

package enum JSONNumeral {
    /// The exact value as Int64; nil if it has a fraction or does not fit.
    package static func int64(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard let (negative, magnitude) = integer(bytes, range) else { return nil }
        guard negative else { return Int64(exactly: magnitude) }
        return magnitude == 1 << 63 ? .min : Int64(exactly: magnitude).map { -$0 }
    }

    /// The exact value as UInt64; nil if it is negative, has a fraction or does not fit.
    package static func uint64(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard let (negative, magnitude) = integer(bytes, range), !negative || magnitude == 0 else { return nil }
        return magnitude
    }

    /// The nearest double; nil if the magnitude is beyond the largest one. Too small a magnitude is 0.
    package static func double(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        let parts = Parts(bytes, range)
        var mantissa: UInt64 = 0
        if parts.whole.count + parts.fraction.count <= 19 {
            for at in parts.whole { mantissa = mantissa &* 10 &+ UInt64(bytes.byte(at: at) &- ASCII.zero) }
            for at in parts.fraction { mantissa = mantissa &* 10 &+ UInt64(bytes.byte(at: at) &- ASCII.zero) }
            let power = parts.exponent - parts.fraction.count
            if mantissa < 1 << 53, power >= -22, power <= 22 {
                let digits = Double(mantissa)
                let value = power < 0 ? digits / powersOfTen[-power] : digits * powersOfTen[power]
                return parts.negative ? -value : value
            }
        }
        guard let value = Double(JSONText.raw(bytes, range)), value.isFinite else { return nil }
        return value
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// Sign and magnitude, if the value is an integer whose magnitude fits 64 bits.
    private static func integer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (negative: Bool, magnitude: UInt64)? {
        var at = range.lowerBound
        let negative = bytes.byte(at: at) == ASCII.minus
        if negative { at &+= 1 }
        guard range.upperBound &- at <= 19 else { return longInteger(bytes, range) }
        var magnitude: UInt64 = 0
        while at < range.upperBound {
            let digit = bytes.byte(at: at) &- ASCII.zero
            guard digit < 10 else { return longInteger(bytes, range) }
            magnitude = magnitude &* 10 &+ UInt64(digit)
            at &+= 1
        }
        return (negative, magnitude)
    }

    /// The same for numbers with a fraction, an exponent or many digits.
    @inline(never)
    private static func longInteger(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (negative: Bool, magnitude: UInt64)? {
        let parts = Parts(bytes, range)
        var magnitude: UInt64 = 0
        var zeros = 0  // zeros not yet multiplied in: they may be cancelled by the exponent
        for digits in [parts.whole, parts.fraction] {
            for at in digits {
                let digit = UInt64(bytes.byte(at: at) &- ASCII.zero)
                if digit == 0 {
                    if magnitude > 0 { zeros += 1 }
                    continue
                }
                guard magnitude == 0 || scale(&magnitude, by: zeros + 1) else { return nil }
                zeros = 0
                let (sum, overflow) = magnitude.addingReportingOverflow(digit)
                guard !overflow else { return nil }
                magnitude = sum
            }
        }
        if magnitude == 0 { return (parts.negative, 0) }
        let power = parts.exponent - parts.fraction.count + zeros
        guard power >= 0, scale(&magnitude, by: power) else { return nil }
        return (parts.negative, magnitude)
    }

    /// Multiplies by 10^power; false if that does not fit.
    private static func scale(_ magnitude: inout UInt64, by power: Int) -> Bool {
        guard power < 20 else { return false }
        for _ in 0..<power {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            guard !overflow else { return false }
            magnitude = product
        }
        return true
    }

    /// The parts of a number's text. The exponent is clamped far beyond anything that could be cancelled by digits.
    private struct Parts {
        var negative = false
        var whole: Range<Int>
        var fraction: Range<Int>
        var exponent = 0

        init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            var at = range.lowerBound
            if bytes.byte(at: at) == ASCII.minus {
                negative = true
                at &+= 1
            }
            let end = range.upperBound
            func digits() -> Range<Int> {
                let start = at
                while at < end, ASCII.isDigit(bytes.byte(at: at)) { at &+= 1 }
                return start..<at
            }
            whole = digits()
            fraction = at..<at
            if at < end, bytes.byte(at: at) == ASCII.point {
                at &+= 1
                fraction = digits()
            }
            guard at < end else { return }
            at &+= 1
            let sign = bytes.byte(at: at)
            if !ASCII.isDigit(sign) { at &+= 1 }
            for index in digits() where exponent < 1 << 48 { exponent = exponent * 10 + Int(bytes.byte(at: index) &- ASCII.zero) }
            if sign == ASCII.minus { exponent = -exponent }
        }
    }
}
