//===--- TimeArguments.swift - moments, durations and retentions ------------===//
//
//      a moment      8204                       a sequence number
//                    2026-11-26 20:15           a time, UTC; also 2026-11-26T20:15:07.5+01:00, 2026-11-26, now
//                    2h ago                     units ms, s, min, h, d, w
//                    before the boss            the name of a savepoint
//                    sequence: time: savepoint: before it, where it could be two of these
//
//      time to live  never | 30min
//
//      a retention   latest | versions:5 | age:30d | all | ladder | ladder:all/1h,1h/1d,1d/30d
//===-----------------------------------------------------------------------===//

import ArgumentParser
import LogDB
import LogDBFile

/// A moment as it is spelled on the command line.
struct MomentArgument: ExpressibleByArgument {
    var moment: Moment

    init?(argument: String) {
        if let moment = Self.moment(argument) { self.moment = moment } else { return nil }
    }

    private static func moment(_ text: String) -> Moment? {
        for (prefix, read) in [("sequence:", sequence), ("time:", time), ("savepoint:", savepoint)] where text.hasPrefix(prefix) {
            return read(String(text.dropFirst(prefix.count)))
        }
        return sequence(text) ?? time(text) ?? savepoint(text)
    }

    private static func sequence(_ text: String) -> Moment? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return SequenceNumber(text).map { .sequence($0) }
    }

    private static func time(_ text: String) -> Moment? {
        if text == "now" { return .time(milliseconds: .max) }
        if text.hasSuffix(" ago") {
            guard let duration = DurationText.milliseconds(text.dropLast(4)) else { return nil }
            return .time(milliseconds: Clock.wallMilliseconds() - duration)
        }
        return CalendarTime.milliseconds(text).map { .time(milliseconds: $0) }
    }

    private static func savepoint(_ text: String) -> Moment? { text.isEmpty ? nil : .savepoint(text) }
}

enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Of a number and a unit; nil for anything else, and beyond a thousand years.
    static func milliseconds(_ text: some StringProtocol) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int64(digits), let known = units.first(where: { $0.name == unit }) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: known.milliseconds)
        return overflow || product > 31_622_400_000_000 ? nil : product
    }

    /// In the largest unit that needs no fraction.
    static func text(_ milliseconds: Int64) -> String {
        let unit = units.first { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

/// A time to live as it is spelled on the command line.
struct TimeToLiveArgument: ExpressibleByArgument {
    /// nil: never.
    var duration: Duration?

    init?(argument: String) {
        if argument == "never" { return }
        // A hundred years, as the engine counts them.
        guard let milliseconds = DurationText.milliseconds(argument), (1...3_162_240_000_000).contains(milliseconds) else { return nil }
        duration = .milliseconds(milliseconds)
    }

    var timeToLive: TimeToLive { duration.map { .after($0) } ?? .never }

    /// The same spelling.
    static func text(_ duration: Duration?) -> String { duration.map { DurationText.text($0.milliseconds) } ?? "never" }
}

/// A retention as it is spelled on the command line.
struct RetentionArgument: ExpressibleByArgument {
    var retention: Retention

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? parts[1] : nil
        switch (parts[0], value) {
        case ("latest", nil): retention = .latest
        case ("all", nil): retention = .all
        case ("ladder", nil): retention = .ladder
        case ("versions", let value?):
            guard let count = Int(value) else { return nil }
            retention = .versions(count)
        case ("age", let value?):
            guard let milliseconds = DurationText.milliseconds(value) else { return nil }
            retention = .age(.milliseconds(milliseconds))
        case ("ladder", let value?):
            var rungs: [Retention.Rung] = []
            for rung in value.split(separator: ",", omittingEmptySubsequences: false) {
                let ends = rung.split(separator: "/", omittingEmptySubsequences: false)
                guard ends.count == 2, let spacing = ends[0] == "all" ? 0 : DurationText.milliseconds(ends[0]),
                    let duration = DurationText.milliseconds(ends[1])
                else { return nil }
                rungs.append(Retention.Rung(every: .milliseconds(spacing), for: .milliseconds(duration)))
            }
            retention = .ladder(rungs)
        default: return nil
        }
        guard (try? retention.validate()) != nil else { return nil }
    }

    /// The same spelling.
    static func text(_ retention: Retention) -> String {
        func text(_ duration: Duration) -> String { DurationText.text(duration.milliseconds) }
        switch retention {
        case .latest: return "latest"
        case .all: return "all"
        case .versions(let count): return "versions:\(count)"
        case .age(let duration): return "age:\(text(duration))"
        case .ladder(let rungs):
            return "ladder:" + rungs.map { "\($0.spacing == .zero ? "all" : text($0.spacing))/\(text($0.duration))" }.joined(separator: ",")
        }
    }
}
