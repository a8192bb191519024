//===--- Arguments.swift - options with a spelling of their own ------------===//
//
//      --persistence   process | disk | interval:100ms       units ms, s, min
//      --codec         none | lz4 | lz4hc[:LEVEL] | zlib[:LEVEL]
//      --appender      automatic | positional | shared-tail
//      --segment-size  65536 | 64KiB | 32MiB | 1GiB          K, KB and KiB are all 1024
//
// What does not parse or is out of range is wrong usage (64), found before anything is opened.
//===-----------------------------------------------------------------------===//

import ArgumentParser
import LogDB

/// A level as it is spelled on the command line.
struct PersistenceArgument: ExpressibleByArgument {
    var level: Persistence

    static let disk = Self(level: .disk)

    private init(level: Persistence) { self.level = level }

    init?(argument: String) {
        switch argument {
        case "process": level = .process
        case "disk": level = .disk
        default:
            guard argument.hasPrefix("interval:"), let duration = Self.duration(argument.dropFirst(9)) else { return nil }
            level = .interval(duration)
            guard (try? level.validate()) != nil else { return nil }
        }
    }

    var defaultValueDescription: String {
        switch level {
        case .process: "process"
        case .disk: "disk"
        case .interval(let duration): "interval:\(duration / .milliseconds(1))ms"
        }
    }

    private static func duration(_ text: Substring) -> Duration? {
        for (unit, milliseconds) in [("ms", 1), ("min", 60_000), ("s", 1000)] where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), number > 0, number <= 3_600_000 else { return nil }
            return .milliseconds(number * milliseconds)
        }
        return nil
    }
}

/// An appender as it is spelled on the command line.
struct AppenderArgument: ExpressibleByArgument {
    var appender: Appender

    init(_ appender: Appender) { self.appender = appender }

    init?(argument: String) {
        guard let appender = Appender.allCases.first(where: { $0.spelling == argument }) else { return nil }
        self.appender = appender
    }

    var defaultValueDescription: String { appender.spelling }
}

extension Appender {
    var spelling: String {
        switch self {
        case .automatic: "automatic"
        case .positional: "positional"
        case .sharedTail: "shared-tail"
        }
    }
}

/// A codec as it is spelled on the command line.
struct CodecArgument: ExpressibleByArgument {
    var codec: Codec

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        let level = parts.count == 2 ? Int(parts[1]) : nil
        guard parts.count == 1 || level != nil else { return nil }
        switch (parts[0], level) {
        case ("none", nil): codec = .none
        case ("lz4", nil): codec = .lz4
        case ("lz4hc", let level): codec = .lz4HC(level: level ?? 9)
        case ("zlib", let level): codec = .zlib(level: level ?? 6)
        default: return nil
        }
        guard (try? codec.validate()) != nil else { return nil }
    }
}

/// A number of bytes, with or without a unit.
struct ByteSizeArgument: ExpressibleByArgument {
    var bytes: Int

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let shift: Int
        switch argument.dropFirst(digits.count).lowercased() {
        case "", "b": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        default: return nil
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        bytes = value
    }
}

/// DB, the first argument of every verb.
struct DatabasePath: ParsableArguments {
    @Argument(help: ArgumentHelp("The database: a folder.", valueName: "db"))
    var path: String
}

/// TABLE KEY, and what kind of key it is.
struct DocumentAddress: ParsableArguments {
    @Argument(help: "The table.")
    var table: String

    @Argument(help: ArgumentHelp("The key. Put -- before a negative number.", valueName: "key"))
    var keyText: String

    @Flag(help: "The key is a 64-bit integer. \"7\" and 7 are different keys.")
    var integerKey = false

    func validate() throws {
        guard !integerKey || Int64(keyText) != nil else {
            throw ValidationError("'\(keyText)' is no 64-bit integer: leave out --integer-key")
        }
    }

    var key: Key { integerKey ? Int64(keyText).map(Key.integer) ?? .string(keyText) : .string(keyText) }
}
