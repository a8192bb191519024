//===--- CalendarTime.swift - times for people ------------------------------===//
//
// Milliseconds since 1970 UTC to and from ISO 8601. Days are counted as in Hinnant, "chrono-Compatible Low-Level Date Algorithms": the proleptic Gregorian
// calendar in eras of 400 years, without a table and without the system's time zones.
//===-----------------------------------------------------------------------===//

package enum CalendarTime {
    /// `2026-11-26T20:15:07.042Z`. Years that do not have four digits, as milliseconds.
    package static func text(_ milliseconds: Int64) -> String {
        let day = milliseconds.roundedDown(to: 86_400_000)
        let rest = milliseconds.subtracting(day)
        let (year, month, dayOfMonth) = date(ofDay: day / 86_400_000)
        guard (0...9999).contains(year) else { return "\(milliseconds) ms" }
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let clock =
            "\(digits(rest / 3_600_000, 2)):\(digits(rest / 60_000 % 60, 2)):\(digits(rest / 1000 % 60, 2)).\(digits(rest % 1000, 3))"
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfMonth, 2))T\(clock)Z"
    }

    /// Milliseconds of a time written as `2026-11-26`, `2026-11-26 20:15`, `2026-11-26T20:15:07.042Z`, or with an offset such as `+01:00`; UTC where none is
    /// given. nil for anything else.
    package static func milliseconds(_ text: String) -> Int64? {
        var rest = Substring(text)
        func number(_ count: Int) -> Int64? {
            let digits = rest.utf8.prefix(count)
            guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Int64(rest.prefix(count))
        }
        func take(_ characters: String) -> Bool {
            guard let first = rest.first, characters.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), (1...12).contains(month), take("-"), let day = number(2), day >= 1,
            day <= length(ofMonth: month, year)
        else { return nil }
        var result = self.day(year, month, day) * 86_400_000
        if rest.isEmpty { return result }
        guard take("T t"), let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60 else { return nil }
        result += hour * 3_600_000 + minute * 60_000
        if take(":") {
            guard let second = number(2), second <= 60 else { return nil }
            result += second * 1000
            if take(".,") {
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                guard (1...9).contains(digits.count) else { return nil }
                result += Int64((digits + "00").prefix(3)) ?? 0
                rest = rest.dropFirst(digits.count)
            }
        }
        if rest.isEmpty || rest == "Z" || rest == "z" { return result }
        let isAhead = rest.first == "+"
        guard take("+-"), let hours = number(2), hours < 24 else { return nil }
        _ = take(":")
        guard let minutes = rest.isEmpty ? 0 : number(2), minutes < 60, rest.isEmpty else { return nil }
        let offset = hours * 3_600_000 + minutes * 60_000
        return isAhead ? result - offset : result + offset
    }

    private static func length(ofMonth month: Int64, _ year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days since 1970-01-01.
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = day + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let mp = (5 * dayOfYear + 2) / 153
        let month = mp < 10 ? mp + 3 : mp - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
    }
}
