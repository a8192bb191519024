//===--- JSONDecimal.swift - numbers compared digit for digit --------------===//
//
// A JSON number has any number of digits and any exponent, so it is compared where it stands, as text: its sign, its significant
// digits (those between the zeros at either end), and its magnitude, the power of ten that the point stands before them at.
//
//      -0012.500e3     minus, digits 125, magnitude 5: -0.125 × 10⁵          (a number of JSON has no leading zeros; this sketch has)
//
//   * 1, 1.0 and 10e-1 are one number; 0, -0 and 0e99 are one number.
//   * nothing here grows with an exponent: 1e1000000000 costs what 1e9 costs. An exponent beyond 64 bits is kept as its digits.
//===-----------------------------------------------------------------------===//

/// A number that the grammar has accepted, as its exact value.
struct JSONDecimal: ~Escapable {
    private let bytes: Span<UInt8>
    private let isMinus: Bool
    private let whole: Range<Int>
    private let fraction: Range<Int>
    /// The first significant digit, counted from the first digit.
    private let first: Int
    /// Significant digits; none for zero.
    let count: Int
    /// The value is 0.DIGITS × 10^magnitude.
    let magnitude: Magnitude

    enum Magnitude: Equatable {
        case small(Int)
        /// Beyond 64 bits: decimal digits without leading zeros.
        case large(isNegative: Bool, digits: [UInt8])
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        var at = range.lowerBound
        isMinus = bytes.byte(at: at) == ASCII.minus
        if isMinus { at &+= 1 }
        let end = range.upperBound
        let wholeEnd = min(JSONGrammar.digits(bytes, at: at), end)
        whole = at..<wholeEnd
        at = wholeEnd
        if at < end, bytes.byte(at: at) == ASCII.point {
            let fractionEnd = min(JSONGrammar.digits(bytes, at: at + 1), end)
            fraction = at + 1..<fractionEnd
            at = fractionEnd
        } else {
            fraction = at..<at
        }
        let digits = whole.count + fraction.count
        var first = 0
        while first < digits, Self.digit(first, whole, fraction, bytes) == 0 { first += 1 }
        self.first = first
        var last = digits
        while last > first, Self.digit(last - 1, whole, fraction, bytes) == 0 { last -= 1 }
        count = last - first
        magnitude = last == first ? .small(0) : Magnitude(exponent: bytes, at..<end, plus: whole.count - first)
    }

    var isZero: Bool { count == 0 }
    var isNegative: Bool { isMinus && count > 0 }

    /// Whether there is nothing behind the point: 1.0 and 1e3 are integers.
    var isInteger: Bool {
        switch magnitude {
        case .small(let magnitude): count == 0 || magnitude >= count
        case .large(let isNegative, _): !isNegative
        }
    }

    /// The significant digit at `index`; 0 behind the last one.
    func digit(_ index: Int) -> UInt8 {
        index < count ? Self.digit(first + index, whole, fraction, bytes) : 0
    }

    @inline(__always)
    private static func digit(_ index: Int, _ whole: Range<Int>, _ fraction: Range<Int>, _ bytes: Span<UInt8>) -> UInt8 {
        let at = index < whole.count ? whole.lowerBound &+ index : fraction.lowerBound &+ (index &- whole.count)
        return bytes.byte(at: at) &- ASCII.zero
    }

    /// -1, 0 or 1: how `a` compares with `b`.
    static func compare(_ a: borrowing JSONDecimal, _ b: borrowing JSONDecimal) -> Int {
        if a.isNegative != b.isNegative { return a.isNegative ? -1 : 1 }
        let sign = a.isNegative ? -1 : 1
        if a.isZero || b.isZero { return a.isZero && b.isZero ? 0 : a.isZero ? -sign : sign }
        let order = Magnitude.compare(a.magnitude, b.magnitude)
        if order != 0 { return order * sign }
        for index in 0..<max(a.count, b.count) {
            let (left, right) = (a.digit(index), b.digit(index))
            if left != right { return left < right ? -sign : sign }
        }
        return 0
    }
}

extension JSONDecimal.Magnitude {
    /// An exponent's text (`e` and what follows, or nothing) plus `shift`, which is a number of digits.
    fileprivate init(exponent bytes: Span<UInt8>, _ range: Range<Int>, plus shift: Int) {
        guard !range.isEmpty else {
            self = .small(shift)
            return
        }
        var at = range.lowerBound + 1
        let isNegative = bytes.byte(at: at) == ASCII.minus
        if !ASCII.isDigit(bytes.byte(at: at)) { at += 1 }
        while at < range.upperBound - 1, bytes.byte(at: at) == ASCII.zero { at += 1 }
        if range.upperBound - at <= 18 {
            var value = 0
            while at < range.upperBound {
                value = value * 10 + Int(bytes.byte(at: at) &- ASCII.zero)
                at += 1
            }
            self = .small((isNegative ? -value : value) + shift)
            return
        }
        // At least 10^18 and so far from zero that no number of digits changes its sign.
        var digits = [UInt8](bytes.extracting(at..<range.upperBound)).map { $0 &- ASCII.zero }
        Self.add(isNegative ? -shift : shift, to: &digits)
        var value: Int? = 0
        for digit in digits {
            guard let (product, overflow) = value?.multipliedReportingOverflow(by: 10), !overflow else {
                value = nil
                break
            }
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            value = carry ? nil : sum
        }
        if let value { self = .small(isNegative ? -value : value) } else { self = .large(isNegative: isNegative, digits: digits) }
    }

    /// Adds to a number of decimal digits that is greater than what may be taken from it.
    private static func add(_ value: Int, to digits: inout [UInt8]) {
        var carry = value
        var index = digits.count - 1
        while index >= 0, carry != 0 {
            let sum = Int(digits[index]) + carry
            let digit = ((sum % 10) + 10) % 10
            digits[index] = UInt8(digit)
            carry = (sum - digit) / 10
            index -= 1
        }
        while carry > 0 {
            digits.insert(UInt8(carry % 10), at: 0)
            carry /= 10
        }
        let zeros = digits.prefix { $0 == 0 }.count
        digits.removeFirst(min(zeros, digits.count - 1))
    }

    fileprivate static func compare(_ a: Self, _ b: Self) -> Int {
        switch (a, b) {
        case (.small(let a), .small(let b)): return a < b ? -1 : a > b ? 1 : 0
        case (.large(let isNegative, _), .small): return isNegative ? -1 : 1
        case (.small, .large(let isNegative, _)): return isNegative ? 1 : -1
        case (.large(let aIsNegative, let a), .large(let bIsNegative, let b)):
            if aIsNegative != bIsNegative { return aIsNegative ? -1 : 1 }
            let sign = aIsNegative ? -1 : 1
            if a.count != b.count { return a.count < b.count ? -sign : sign }
            for (left, right) in zip(a, b) where left != right { return left < right ? -sign : sign }
            return 0
        }
    }
}

/// A number of at most 18 characters without an exponent, as most are: `mantissa` × 10^-`scale`.
struct SmallDecimal: BitwiseCopyable, Sendable {
    var mantissa: Int64
    var scale: Int8

    static let zero = SmallDecimal(mantissa: 0, scale: 0)

    private init(mantissa: Int64, scale: Int8) {
        self.mantissa = mantissa
        self.scale = scale
    }

    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        guard end &- start <= 18 else { return nil }
        var at = start
        let isNegative = bytes.byte(at: at) == ASCII.minus
        if isNegative { at &+= 1 }
        var value: Int64 = 0
        var point = end
        while at < end {
            let byte = bytes.byte(at: at)
            let digit = byte &- ASCII.zero
            if digit < 10 {
                value = value &* 10 &+ Int64(digit)
            } else if byte == ASCII.point {
                point = at &+ 1
            } else {
                return nil
            }
            at &+= 1
        }
        mantissa = isNegative ? 0 &- value : value
        scale = Int8(truncatingIfNeeded: end &- point)
    }

    /// -1, 0 or 1: how `a` compares with `b`.
    @inline(__always)
    static func compare(_ a: SmallDecimal, _ b: SmallDecimal) -> Int {
        if a.scale == b.scale { return a.mantissa < b.mantissa ? -1 : a.mantissa > b.mantissa ? 1 : 0 }
        // Both mantissas are below 10^18 and both scales below 18, so the products fit 128 bits.
        let left = Int128(a.mantissa) * Int128(powers[Int(max(0, b.scale - a.scale))])
        let right = Int128(b.mantissa) * Int128(powers[Int(max(0, a.scale - b.scale))])
        return left < right ? -1 : left > right ? 1 : 0
    }

    private static let powers: [Int64] = (0..<19).map { exponent in (0..<exponent).reduce(1) { power, _ in power * 10 } }
}

/// What a number is divided by to see whether it is a multiple.
struct DecimalDivisor: BitwiseCopyable, Sendable {
    /// Significant digits that a divisor may have.
    static let maximumDigits = 18

    /// The divisor is `digits` × 10^`exponent`; `digits` is `rest` × 2^`twos` × 5^`fives`.
    private let rest: UInt64
    private let twos: Int
    private let fives: Int
    private let exponent: Int

    /// nil unless the number is positive, has at most `maximumDigits` significant digits and an exponent of 64 bits.
    init?(_ number: borrowing JSONDecimal) {
        guard !number.isNegative, !number.isZero, number.count <= Self.maximumDigits, case .small(let magnitude) = number.magnitude,
            magnitude > Int.min / 2, magnitude < Int.max / 2
        else { return nil }
        var rest: UInt64 = 0
        for index in 0..<number.count { rest = rest * 10 + UInt64(number.digit(index)) }
        exponent = magnitude - number.count
        twos = rest.trailingZeroBitCount
        rest >>= UInt64(twos)
        var fives = 0
        while rest % 5 == 0 {
            rest /= 5
            fives += 1
        }
        self.fives = fives
        self.rest = rest
    }

    /// Whether the number is an integer times the divisor.
    ///
    /// With the number as V × 10^e, V ending in no zero, and k = e - exponent: for k < 0 the quotient V / (digits × 10^-k) would
    /// need V to end in a zero. Otherwise 10^k takes up to k twos and fives off the divisor, and the rest of it must divide V.
    func divides(_ number: borrowing JSONDecimal) -> Bool {
        if number.isZero { return true }
        let shift: Int
        switch number.magnitude {
        case .small(let magnitude):
            let (difference, overflow) = (magnitude - number.count).subtractingReportingOverflow(exponent)
            shift = overflow ? (magnitude < 0 ? -1 : .max) : difference
        case .large(let isNegative, _): shift = isNegative ? -1 : .max
        }
        guard shift >= 0 else { return false }
        var divisor = rest << UInt64(max(0, twos - shift))
        for _ in 0..<max(0, fives - shift) { divisor *= 5 }
        guard divisor > 1 else { return true }
        var remainder: UInt64 = 0
        for index in 0..<number.count { remainder = (remainder * 10 + UInt64(number.digit(index))) % divisor }
        return remainder == 0
    }
}
