//===--- Times.swift - the formats of RFC 3339 -----------------------------===//
//
//      1998-12-31T23:59:60.5Z       date "T" time; "t" and "z" will do
//      P1Y2M3DT4H5M6S, P2W          units in order, none left out between two
//===-----------------------------------------------------------------------===//

extension FormatReader {
    mutating func dateTime() -> Bool { date() && take("T", "t") && time() }

    mutating func date() -> Bool {
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2) else { return false }
        guard (1...12).contains(month) else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        return (1...days).contains(day)
    }

    mutating func time() -> Bool {
        guard let hour = digits(2), take(":"), let minute = digits(2), take(":"), let second = digits(2) else { return false }
        guard hour < 24, minute < 60, second <= 60 else { return false }
        if take("."), !someDigits() { return false }
        var offset = 0
        if !take("Z", "z") {
            let isNegative = next == UInt8(ascii: "-")
            guard take("+", "-"), let hours = digits(2), take(":"), let minutes = digits(2), hours < 24, minutes < 60 else { return false }
            offset = (hours * 60 + minutes) * (isNegative ? -1 : 1)
        }
        // Leap seconds are inserted at midnight UTC.
        let universal = ((hour * 60 + minute - offset) % 1440 + 1440) % 1440
        return second < 60 || universal == 1439
    }

    mutating func duration() -> Bool {
        guard take("P") else { return false }
        if next == UInt8(ascii: "T") { return durationTime() }
        guard someDigits() else { return false }
        if take("W") { return true }
        guard units(["Y", "M", "D"]) else { return false }
        return isAtEnd || durationTime()
    }

    private mutating func durationTime() -> Bool { take("T") && someDigits() && units(["H", "M", "S"]) }

    /// The unit of a number that was read, and further numbers with the units that follow it, each directly.
    private mutating func units(_ units: [Unicode.Scalar]) -> Bool {
        guard var index = units.firstIndex(where: { UInt8(ascii: $0) == next }) else { return false }
        at += 1
        while ASCII.isDigit(next) {
            index += 1
            guard someDigits(), index < units.count, take(units[index]) else { return false }
        }
        return true
    }
}
