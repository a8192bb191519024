//===--- Retention.swift - which older versions of documents are kept -------===//
//
// What a table's catalog entry says beside its schema:
//
//      {"name":"actors","retention":{"keep":"versions","count":5}}
//      "keep": "all"  |  "versions", "count"  |  "age", "milliseconds"  |  "ladder", "rungs":[{"spacing":0,"for":3600000}, …]
//
// Who decides, version by version, is in VersionKeeper.swift.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// Which older versions of its documents a table keeps when the database is compacted. Set with ``Database/setRetention(_:of:persistence:)``.
///
/// What has been superseded stays readable until a compaction clears it away; retention says what even a compaction must leave. What a savepoint needs is
/// kept whatever the retention.
public enum Retention: Sendable, Hashable {
    /// The newest document of each key. The default.
    case latest
    /// The newest `count` documents of each key, 2 ... 1,000,000, and the deletes between them.
    case versions(Int)
    /// What was valid at any moment of the last `duration`, one second or more.
    case age(Duration)
    /// Every operation, for ever.
    case all
    /// What was valid at certain instants: see ``Rung``. Up to 16 rungs.
    case ladder([Rung])

    /// One rung of a ladder: how close the kept instants are to each other, and how far back they reach.
    ///
    /// `Rung(every: .seconds(3600), for: .seconds(86_400))` keeps what was valid at each full hour (UTC) of the last day. With a spacing of zero all versions of
    /// that time are kept. Instants are multiples of the spacing since 1970, so that every compaction chooses the same.
    public struct Rung: Sendable, Hashable {
        public var spacing: Duration
        public var duration: Duration

        public init(every spacing: Duration, for duration: Duration) {
            self.spacing = spacing
            self.duration = duration
        }
    }

    /// Everything for an hour, hourly for a day, daily for a month: what long save histories want.
    public static let ladder: Retention = .ladder([
        Rung(every: .zero, for: .seconds(3600)), Rung(every: .seconds(3600), for: .seconds(86_400)),
        Rung(every: .seconds(86_400), for: .seconds(30 * 86_400)),
    ])
}

extension Retention {
    static let versionRange = 2...1_000_000
    static let maximumRungs = 16
    /// A thousand years.
    private static let longest: Int64 = 1000 * 366 * 86_400_000

    /// Throws `.invalidOption` for a value out of its range.
    package func validate() throws(LogDBError) {
        switch self {
        case .latest, .all: return
        case .versions(let count):
            guard Self.versionRange.contains(count) else {
                throw LogDBError(.invalidOption, "retention keeps \(count) versions: choose 2 to 1,000,000, or .latest")
            }
        case .age(let duration):
            guard (1000...Self.longest).contains(duration.milliseconds) else {
                throw LogDBError(.invalidOption, "retention keeps versions for \(duration): choose a second to a thousand years")
            }
        case .ladder(let rungs):
            guard (1...Self.maximumRungs).contains(rungs.count) else {
                throw LogDBError(.invalidOption, "a ladder has \(rungs.count) rungs: choose 1 to \(Self.maximumRungs)")
            }
            for rung in rungs {
                let spacing = rung.spacing.milliseconds
                guard (1000...Self.longest).contains(rung.duration.milliseconds), spacing == 0 || (1000...Self.longest).contains(spacing)
                else {
                    throw LogDBError(
                        .invalidOption,
                        "a rung has a spacing of \(rung.spacing) and lasts \(rung.duration): choose a second to a thousand years")
                }
            }
        }
    }

    // MARK: - Bytes

    /// The member's value; nil where none is written.
    package var encoded: [UInt8]? {
        switch self {
        case .latest: nil
        case .all: Array(#"{"keep":"all"}"#.utf8)
        case .versions(let count): Array(#"{"keep":"versions","count":\#(count)}"#.utf8)
        case .age(let duration): Array(#"{"keep":"age","milliseconds":\#(duration.milliseconds)}"#.utf8)
        case .ladder(let rungs):
            Array(
                (#"{"keep":"ladder","rungs":["#
                    + rungs.map { #"{"spacing":\#($0.spacing.milliseconds),"for":\#($0.duration.milliseconds)}"# }.joined(separator: ",")
                    + "]}").utf8)
        }
    }

    /// What tells one ladder from another; nil for what is none.
    var ladderChecksum: UInt32? {
        guard case .ladder = self, let encoded else { return nil }
        return max(1, Checksum.crc32c(encoded.span))
    }

    /// What `encoded` stands for, given by somebody: `{"keep":"latest"}` too.
    package init(json: Span<UInt8>) throws(LogDBError) {
        if (try? JSONCursor.find(["keep"], in: json)).flatMap({ $0 }).map({ Array(json.extracting($0.range)) == Array("\"latest\"".utf8) })
            == true
        {
            self = .latest
            return
        }
        do throws(FormatError) { self = try Retention(decoding: json, of: 0) } catch {
            throw LogDBError(
                .invalidOption,
                "the retention is none of {\"keep\":\"latest\"}, {\"keep\":\"versions\",\"count\":5}, {\"keep\":\"age\",\"milliseconds\":60000}, {\"keep\":\"all\"} and {\"keep\":\"ladder\",\"rungs\":[{\"spacing\":0,\"for\":3600000}]}, within their limits"
            )
        }
    }

    init(decoding bytes: Span<UInt8>, of id: UInt64) throws(FormatError) {
        var keep = ""
        var count: Int64?
        var milliseconds: Int64?
        var rungs: [Rung] = []
        do throws(JSONError) {
            var cursor = try JSONCursor(object: bytes)
            while let member = try cursor.nextMember() {
                switch cursor.string(member.name) {
                case "keep": keep = member.value.kind == .string ? cursor.string(member.value) : ""
                case "count": count = cursor.int64(member.value)
                case "milliseconds": milliseconds = cursor.int64(member.value)
                case "rungs":
                    guard member.value.kind == .array else { throw JSONError(offset: member.value.range.lowerBound, reason: .notAnArray) }
                    var elements = JSONCursor(bytes, inside: member.value)
                    while let element = try elements.nextElement(), rungs.count <= Self.maximumRungs {
                        guard element.kind == .object else { throw JSONError(offset: element.range.lowerBound, reason: .notAnObject) }
                        rungs.append(try Rung(decoding: bytes.extracting(element.range)))
                    }
                default: break
                }
            }
        } catch { throw FormatError(.corrupted, "the retention of table \(id) cannot be read: \(error.reason.rawValue)") }
        switch keep {
        case "all": self = .all
        case "versions": self = .versions(Int(clamping: count ?? 0))
        case "age": self = .age(.milliseconds(milliseconds ?? 0))
        case "ladder": self = .ladder(rungs)
        default: throw FormatError(.unsupportedFormat, "table \(id) has a retention that this version does not know, \"\(keep)\"")
        }
        do throws(LogDBError) { try validate() } catch {
            throw FormatError(.corrupted, "the retention of table \(id) makes no sense: \(error.message)")
        }
    }
}

extension Retention.Rung {
    fileprivate init(decoding bytes: Span<UInt8>) throws(JSONError) {
        var (spacing, duration): (Int64, Int64) = (-1, 0)
        var cursor = try JSONCursor(object: bytes)
        while let member = try cursor.nextMember() {
            if cursor.matches(member.name, "spacing") { spacing = cursor.int64(member.value) ?? -1 }
            if cursor.matches(member.name, "for") { duration = cursor.int64(member.value) ?? 0 }
        }
        self.init(every: .milliseconds(spacing), for: .milliseconds(duration))
    }
}

extension Duration {
    /// Whole milliseconds, those that have no place in 64 bits cut off.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, isOver) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return isOver ? .max : sum
    }
}
