//===--- OperationLines.swift - operations as lines of JSON ----------------===//
//
//      {"table":"actors","key":"goblin-7","value":{"hp":7}}                                            dump, get
//      {"sequence":9,"time":1790000000021,"table":"actors","key":7,"value":{"hp":7}}                   dump --operations
//      {"sequence":10,"time":1790000000022,"table":"actors","key":7,"delete":true}
//      {"table":"sessions","key":"alice","value":{"token":7},"expires":1790001800021}                  all of these, where a document expires
//      {"table":"actors","keys":"string","formats":true,"schema":{"type":"object"}}                    dump
//      {"table":"actors","retention":{"keep":"versions","count":5}}                                    dump
//      {"table":"sessions","timeToLive":1800000}                                                       dump
//      {"time":1790000000021,"table":"actors","key":"goblin-7","value":{"hp":7}}                       dump --history, see HistoryLines
//
//   * members in this order, no spaces between them, the document byte for byte as stored. One exception: a newline or carriage
//     return in a document or a schema, which JSON allows between tokens only, is printed as a space, so that it stays one line.
//   * a string key or table is escaped as little as JSON allows, so equal keys make equal lines.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

struct OperationLines {
    /// `"table":"…","key":` of the last line's table.
    private var tableMembers: [UInt8] = []
    private var table: String?
    /// Tables with a time to live: where it is loaded, a document without expiry must be said to have none.
    private let expiringTables: Set<String>
    private var isExpiring = false

    /// - Parameter database: where the operations come from.
    init(_ database: Database) throws {
        expiringTables = Set(try database.tables.filter { try database.timeToLive(of: $0) != nil })
    }

    /// Appends the line of a live document.
    @inline(__always)
    mutating func append(document operation: borrowing Operation, to bytes: inout [UInt8]) throws {
        bytes.append(UInt8(ascii: "{"))
        appendAddress(operation.table, try operation.key, to: &bytes)
        appendValue(operation, to: &bytes)
    }

    /// Appends the line of an operation in the log.
    mutating func append(_ operation: borrowing Operation, to bytes: inout [UInt8]) throws {
        bytes.append(contentsOf: Self.sequenceMember)
        bytes.append(decimal: operation.sequenceNumber)
        bytes.append(contentsOf: Self.timeMember)
        bytes.append(decimal: operation.milliseconds)
        bytes.append(UInt8(ascii: ","))
        appendAddress(operation.table, try operation.key, to: &bytes)
        if operation.isDelete {
            bytes.append(",\"delete\":true}\n")
        } else {
            appendValue(operation, to: &bytes)
        }
    }

    /// Appends the line of a table's schema: which keys it takes, whether `format` is a rule, and what its documents must be.
    static func append(_ schema: SchemaVersion, of table: String, to bytes: inout [UInt8]) {
        bytes.append("{\"table\":")
        JSONText.append(table, to: &bytes)
        if let keys = schema.keys { bytes.append(",\"keys\":\"\(keys.rawValue)\"") }
        if schema.assertsFormats { bytes.append(",\"formats\":true") }
        bytes.append(",\"schema\":")
        if let text = schema.text { bytes.append(line: text.span) } else { bytes.append("null") }
        bytes.append(contentsOf: lineEnd)
    }

    /// Appends the line of a table's retention, which is not that of a new table.
    static func append(_ retention: Retention, of table: String, to bytes: inout [UInt8]) {
        guard let text = retention.encoded else { return }
        bytes.append("{\"table\":")
        JSONText.append(table, to: &bytes)
        bytes.append(",\"retention\":")
        bytes.append(line: text.span)
        bytes.append(contentsOf: lineEnd)
    }

    /// Appends the line of a table's time to live.
    static func append(timeToLive: Duration, of table: String, to bytes: inout [UInt8]) {
        bytes.append("{\"table\":")
        JSONText.append(table, to: &bytes)
        bytes.append(",\"timeToLive\":\(timeToLive.milliseconds)}\n")
    }

    /// Appends the line of an operation as `load` reads it, with its time.
    mutating func appendTimed(_ operation: borrowing Operation, to bytes: inout [UInt8]) throws {
        bytes.append("{\"time\":")
        bytes.append(decimal: operation.milliseconds)
        bytes.append(UInt8(ascii: ","))
        appendAddress(operation.table, try operation.key, to: &bytes)
        if operation.isDelete { bytes.append(",\"value\":null}\n") } else { appendValue(operation, to: &bytes) }
    }

    /// Appends the line of an operation as `load` reads it, without number and time.
    mutating func appendChange(_ operation: borrowing Operation, to bytes: inout [UInt8]) throws {
        bytes.append(UInt8(ascii: "{"))
        appendAddress(operation.table, try operation.key, to: &bytes)
        if operation.isDelete { bytes.append(",\"value\":null}\n") } else { appendValue(operation, to: &bytes) }
    }

    @inline(__always)
    private mutating func appendAddress(_ table: String, _ key: Key, to bytes: inout [UInt8]) {
        if self.table != table { remember(table) }
        bytes.append(contentsOf: tableMembers)
        switch key {
        case .integer(let value): bytes.append(decimal: value)
        case .string(let text): JSONText.append(text, to: &bytes)
        }
    }

    private mutating func remember(_ table: String) {
        self.table = table
        isExpiring = expiringTables.contains(table)
        tableMembers = Array("\"table\":".utf8)
        JSONText.append(table, to: &tableMembers)
        tableMembers.append(",\"key\":")
    }

    private static let sequenceMember = Array("{\"sequence\":".utf8)
    private static let timeMember = Array(",\"time\":".utf8)
    private static let valueMember = Array(",\"value\":".utf8)
    private static let expiresMember = Array(",\"expires\":".utf8)
    private static let null = Array("null".utf8)
    private static let lineEnd = Array("}\n".utf8)

    @inline(__always)
    private func appendValue(_ operation: borrowing Operation, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.valueMember)
        bytes.append(line: operation.document)
        if let expires = operation.expires {
            bytes.append(contentsOf: Self.expiresMember)
            bytes.append(decimal: expires)
        } else if isExpiring {
            bytes.append(contentsOf: Self.expiresMember)
            bytes.append(contentsOf: Self.null)
        }
        bytes.append(contentsOf: Self.lineEnd)
    }

    /// Appends the value of a version and the end of its line; its expiry as a time for people.
    static func appendVersion(_ operation: borrowing Operation, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: valueMember)
        bytes.append(line: operation.document)
        if let expires = operation.expires {
            bytes.append(contentsOf: expiresMember)
            JSONText.append(CalendarTime.text(expires), to: &bytes)
        }
        bytes.append(contentsOf: lineEnd)
    }
}

extension [UInt8] {
    /// Appends JSON text with spaces for the newlines between its tokens.
    @inline(__always)
    mutating func append(line text: Span<UInt8>) {
        let start = count
        append(text)
        if text.firstIndex(of: UInt8(ascii: "\n")) != nil || text.firstIndex(of: UInt8(ascii: "\r")) != nil {
            for index in start..<count where self[index] == UInt8(ascii: "\n") || self[index] == UInt8(ascii: "\r") {
                self[index] = UInt8(ascii: " ")
            }
        }
    }
}
