//===--- TableDefinition.swift - a table's schema in the catalog ------------===//
//
// The catalog's document of a table holds all versions of its schema; the last one is in force:
//
//      {"name":"actors","retention":{…},"timeToLive":1800000,"versions":[{"version":1,"time":1790000000021,"keys":"string","formats":true,"schema":{…}}, …]}
//
// So a version is there, or not, with one operation, and goes wherever the catalog goes. In memory is only the last one; it is compiled when
// the first write needs it. See FileFormat.md, Table 0.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class TableDefinition: Sendable {
    let version: SchemaVersion
    private let compiled: Monitor<Schema?>

    /// - Parameter schema: that of documents, where it is compiled already.
    init(_ version: SchemaVersion, _ schema: Schema? = nil) {
        self.version = version
        compiled = Monitor(schema)
    }

    /// The schema of documents, ready to be used; nil: any document.
    func schema() throws(LogDBError) -> Schema? {
        guard version.text != nil else { return nil }
        return try compiled.withLock { schema throws(LogDBError) in
            if let schema { return schema }
            schema = try version.documents()
            return schema
        }
    }

    /// What is wrong with `json` under `key`; nil if nothing is.
    ///
    /// - Throws: `.unsupportedFormat` if the schema cannot be used.
    func problem(_ key: Key, _ json: Span<UInt8>) throws(LogDBError) -> LogDBError? {
        if let keys = version.keys, !keys.admits(key) {
            let kind = if case .integer = key { "an integer" } else { "a string" }
            return LogDBError(.keyMismatch, "the key is \(kind), and only \(keys.rawValue) keys are allowed")
        }
        let schema = try schema()
        do throws(JSONError) {
            guard let schema else {
                try JSONValidator.validateDocument(json)
                return nil
            }
            return try schema.program.violation(inDocument: json).map { LogDBError(.schemaViolation, "\($0)") }
        } catch { return LogDBError(.invalidDocument, error.reason.rawValue, offset: UInt64(error.offset)) }
    }

    /// A key, short enough for a message.
    static func brief(_ key: Key) -> String {
        guard case .string(let text) = key else { return "\(key)" }
        let shown = text.unicodeScalars.count > 60 ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(40))) + "…" : text
        var literal: [UInt8] = []
        JSONText.append(shown, to: &literal)
        return String(decoding: literal, as: UTF8.self)
    }
}

// MARK: - Bytes

/// What the catalog's document of one table says.
struct CatalogEntry {
    var name: String
    var retention = Retention.latest
    /// In milliseconds; nil: documents that do not say when never expire.
    var timeToLive: Int64?
    /// The versions' bytes, each a JSON object, the last one in force.
    var versions: [[UInt8]] = []

    /// The most that a document may have. Older versions are forgotten before that, the oldest first.
    static let maximumBytes = 4 << 20

    init(name: String, retention: Retention = .latest, timeToLive: Int64? = nil, versions: [[UInt8]] = []) {
        self.name = name
        self.retention = retention
        self.timeToLive = timeToLive
        self.versions = versions
    }

    /// - Throws: `FormatError` if it is no document of the catalog.
    init(decoding document: Span<UInt8>, of id: UInt64) throws(FormatError) {
        var name: String?
        var list: JSONSlice?
        var kept: JSONSlice?
        var time: Int64??
        do throws(JSONError) {
            var cursor = try JSONCursor(object: document)
            while let member = try cursor.nextMember() {
                if cursor.matches(member.name, "name") { name = member.value.kind == .string ? cursor.string(member.value) : nil }
                if cursor.matches(member.name, "versions") { list = member.value }
                if cursor.matches(member.name, "retention") { kept = member.value }
                if cursor.matches(member.name, "timeToLive") { time = .some(cursor.int64(member.value)) }
            }
            if let list, list.kind == .array {
                var elements = JSONCursor(document, inside: list)
                while let element = try elements.nextElement() {
                    guard element.kind == .object else { throw JSONError(offset: element.range.lowerBound, reason: .notAnObject) }
                    versions.append(Array(document.extracting(element.range)))
                }
            } else if list != nil {
                throw JSONError(offset: 0, reason: .notAnArray)
            }
        } catch { throw FormatError(.corrupted, "the catalog's entry for table \(id) cannot be read: \(error.reason.rawValue)") }
        guard let name else { throw FormatError(.corrupted, "the catalog's entry for table \(id) has no name") }
        self.name = name
        if let time { timeToLive = try TimeToLive.decode(time, of: id) }
        if let kept { retention = try Retention(decoding: document.extracting(kept.range), of: id) }
    }

    /// The document. Forgets as many old versions as must be for it to stay within `maximumBytes`.
    mutating func document() -> [UInt8] {
        var bytes = versions.reduce(0) { $0 + $1.count + 1 }
        var forgotten = 0
        while bytes > Self.maximumBytes, forgotten < versions.count - 1 {
            bytes -= versions[forgotten].count + 1
            forgotten += 1
        }
        versions.removeFirst(forgotten)
        let kept = retention.encoded
        if versions.isEmpty, kept == nil, timeToLive == nil { return Catalog.document(name: name) }
        var document = Array(#"{"name":"#.utf8)
        JSONText.append(name, to: &document)
        if let kept { document += Array(#","retention":"#.utf8) + kept }
        if let timeToLive { document += Array(#","timeToLive":\#(timeToLive)"#.utf8) }
        if versions.isEmpty { return document + [UInt8(ascii: "}")] }
        document += Array(#","versions":["#.utf8)
        for (index, version) in versions.enumerated() {
            if index > 0 { document.append(UInt8(ascii: ",")) }
            document += version
        }
        document += Array("]}".utf8)
        return document
    }

    /// The version in force, if there is one.
    func definition(of id: UInt64) throws(FormatError) -> TableDefinition? {
        guard let last = versions.last else { return nil }
        return TableDefinition(try SchemaVersion(decoding: last.span, of: id))
    }
}

extension SchemaVersion {
    init(decoding bytes: Span<UInt8>, of id: UInt64) throws(FormatError) {
        var number: Int64?
        var time: Int64?
        var keys: String?
        var text: [UInt8]?
        var formats = false
        do throws(JSONError) {
            var cursor = try JSONCursor(object: bytes)
            while let member = try cursor.nextMember() {
                let value = member.value
                switch cursor.string(member.name) {
                case "version": number = cursor.int64(value)
                case "time": time = cursor.int64(value)
                case "formats": formats = value.kind == .true
                case "schema": text = Array(bytes.extracting(value.range))
                case "keys": keys = value.kind == .string ? cursor.string(value) : ""
                default: break
                }
            }
        } catch { throw FormatError(.corrupted, "the schema of table \(id) cannot be read: \(error.reason.rawValue)") }
        guard let number = number.flatMap({ Int(exactly: $0) }), number > 0, let time else {
            throw FormatError(.corrupted, "a version of the schema of table \(id) has no number or no time")
        }
        if let keys, KeyType(rawValue: keys) == nil {
            throw FormatError(.unsupportedFormat, "table \(id) takes keys of a kind that this version does not know, \"\(keys)\"")
        }
        self.init(
            number: number, milliseconds: time, keys: keys.flatMap { KeyType(rawValue: $0) }, text: text,
            assertsFormats: formats)
    }

    /// The version as it stands in the catalog.
    func encoded() -> [UInt8] {
        var bytes = Array(#"{"version":\#(number),"time":\#(milliseconds)"#.utf8)
        if let keys { bytes += Array(#","keys":"\#(keys.rawValue)""#.utf8) }
        if assertsFormats { bytes += Array(#","formats":true"#.utf8) }
        if let text {
            bytes += Array(#","schema":"#.utf8)
            bytes += text
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
