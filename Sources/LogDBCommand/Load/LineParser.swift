//===--- LineParser.swift - from a line to what it asks for ----------------===//
//
// Two ways that agree:
//
//   `parse`   goes through the whole line with the one JSON grammar and says exactly what is wrong, and where.
//   `guess`   for the line that looks like the one before it. It compares the beginning with the last line's, reads a plain key and
//             takes for the document all that is left, but for the line's closing brace:
//
//                 {"table":"actors","key":"goblin-7","value":{"hp":7,"name":"Goblin"}}
//                 └─ as before ──────────┘└─ plain ─┘└──────┘└─ taken unread ────────┘└ }
//
//             The engine proves every document when it is written. If it accepts this one, the line as a whole was an object with
//             just these three members, so `parse` would have found the same. If not, `parse` says why. So the usual line is read
//             once and not twice.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

struct LineParser {
    let form: LineForm

    /// `{"table":"actors","key":` of the last line that `parse` understood.
    private var usualStart: [UInt8] = []
    private var usualTable = ""
    private static let usualMiddle = Array(#","value":"#.utf8)
    private static let null = Array("null".utf8)

    init(_ form: LineForm) { self.form = form }

    /// What `line` asks for if it has the usual form. The document is still to be proven.
    func guess(_ line: Span<UInt8>) -> InputLine? {
        guard !usualStart.isEmpty, line.holds(usualStart, at: 0) else { return nil }
        guard let (key, keyEnd) = plainKey(line, at: usualStart.count), line.holds(Self.usualMiddle, at: keyEnd) else { return nil }
        let start = keyEnd + Self.usualMiddle.count
        guard line.count - start >= 3, line[line.count - 1] == UInt8(ascii: "}") else { return nil }
        let document = start..<line.count - 1
        // From brace to brace: space around the document is not part of it.
        let last = line[document.upperBound - 1]
        if line[document.lowerBound] == UInt8(ascii: "{"), last == UInt8(ascii: "}") {
            return .upsert(table: usualTable, key: key, document: document)
        }
        return document.count == 4 && line.holds(Self.null, at: document.lowerBound) ? .delete(table: usualTable, key: key) : nil
    }

    /// A string key of ASCII without escapes, or an integer key of at most 18 digits.
    private func plainKey(_ line: Span<UInt8>, at start: Int) -> (Key, end: Int)? {
        guard start < line.count else { return nil }
        var at = start
        if line[at] == UInt8(ascii: "\"") {
            at += 1
            while at < line.count, line[at] != UInt8(ascii: "\"") {
                guard line[at] >= 0x20, line[at] < 0x80, line[at] != UInt8(ascii: "\\") else { return nil }
                at += 1
            }
            guard at < line.count else { return nil }
            return (.string(JSONText.raw(line, start + 1..<at)), at + 1)
        }
        let isNegative = line[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let first = at
        var value: Int64 = 0
        while at < line.count, line[at] &- 0x30 < 10, at - first < 19 {
            value = value &* 10 &+ Int64(line[at] &- 0x30)
            at += 1
        }
        guard (1...18).contains(at - first), line[first] != UInt8(ascii: "0") || at - first == 1 else { return nil }
        return (.integer(isNegative ? -value : value), at)
    }

    /// What `line` asks for, all of it read.
    mutating func parse(_ line: Span<UInt8>) throws(LineError) -> InputStep {
        do {
            return switch form {
            case .operations: try step(line)
            case .documents(let table, let keyPath): .operation(try document(line, table, keyPath), transaction: nil)
            }
        } catch let error as JSONError {
            throw LineError(error)
        } catch let error as LineError {
            throw error
        } catch {
            throw LineError("\(error)", at: 0)
        }
    }

    /// The members that a line may have.
    private struct Members {
        var table: JSONMember?
        var key: JSONMember?
        var value: JSONMember?
        var op: JSONMember?
        var tx: JSONMember?
        var schema: JSONMember?
        var keys: JSONMember?
        var formats: JSONMember?
        var time: JSONMember?
        var retention: JSONMember?
        var history: JSONMember?
        var definition: JSONMember?
        var id: JSONMember?
        var drop: JSONMember?
        var savepoint: JSONMember?
        var released: JSONMember?
        var nothing: JSONMember?
        var operations: JSONMember?
        var horizons: JSONMember?
        var ladders: JSONMember?
        var expired: JSONMember?
        var expires: JSONMember?
        var timeToLive: JSONMember?

        init(of line: Span<UInt8>) throws {
            var cursor = try JSONCursor(object: line)
            while let member = try cursor.nextMember() {
                let name = cursor.string(member.name)
                let place =
                    switch name {
                    case "table": \Members.table
                    case "key": \Members.key
                    case "value": \Members.value
                    case "op": \Members.op
                    case "tx": \Members.tx
                    case "schema": \Members.schema
                    case "keys": \Members.keys
                    case "formats": \Members.formats
                    case "time": \Members.time
                    case "retention": \Members.retention
                    case "history": \Members.history
                    case "definition": \Members.definition
                    case "id": \Members.id
                    case "drop": \Members.drop
                    case "savepoint": \Members.savepoint
                    case "released": \Members.released
                    case "nothing": \Members.nothing
                    case "operations": \Members.operations
                    case "horizons": \Members.horizons
                    case "ladders": \Members.ladders
                    case "expired": \Members.expired
                    case "expires": \Members.expires
                    case "timeToLive": \Members.timeToLive
                    default: throw LineError("unknown member \(name.debugDescription)", at: member.name.range.lowerBound)
                    }
                guard self[keyPath: place] == nil else {
                    throw LineError("a second member \(name.debugDescription)", at: member.name.range.lowerBound)
                }
                self[keyPath: place] = member
            }
        }

        /// Whether it has a member that only lines of a history have.
        var isOfHistory: Bool {
            history != nil || definition != nil || id != nil || drop != nil || savepoint != nil || released != nil || nothing != nil
                || operations != nil || horizons != nil || ladders != nil
        }

        private var all: [JSONMember] {
            [
                table, key, value, op, tx, schema, keys, formats, time, retention, history, definition, id, drop, savepoint, released,
                nothing, operations, horizons, ladders, expired, expires, timeToLive,
            ].compactMap { $0 }
        }

        func refuseOthers(than names: Set<String>, in cursor: borrowing JSONCursor) throws(LineError) {
            for member in all where !names.contains(cursor.string(member.name)) {
                throw LineError(
                    "such a line has no member \(cursor.string(member.name).debugDescription)", at: member.name.range.lowerBound)
            }
        }
    }

    private mutating func step(_ line: Span<UInt8>) throws -> InputStep {
        let members = try Members(of: line)
        let cursor = try JSONCursor(object: line)
        if members.isOfHistory { return .history(try history(line, members, cursor)) }
        if let retention = members.retention { return try self.retention(retention.value, members, cursor) }
        if let time = members.timeToLive { return try timeToLive(time.value, members, cursor) }
        if let schema = members.schema { return .schema(try self.schema(schema.value, members, cursor)) }
        if let member = members.keys ?? members.formats {
            throw LineError(
                "\(cursor.string(member.name).debugDescription) goes with a member \"schema\", and there is none",
                at: member.name.range.lowerBound)
        }
        var transaction: String?
        if let tx = members.tx {
            guard tx.value.kind == .string else { throw LineError("the transaction's name is not a string", at: tx.value.range.lowerBound) }
            transaction = cursor.string(tx.value)
        }
        if members.time != nil {
            if let member = members.tx ?? members.op {
                throw LineError(
                    "a line with \"time\" has no member \(cursor.string(member.name).debugDescription): the operations of a transaction are made when they are loaded",
                    at: member.name.range.lowerBound)
            }
            return .timed(try operation(line, members, cursor), milliseconds: try time(members, cursor))
        }
        guard let op = members.op else { return .operation(try operation(line, members, cursor), transaction: transaction) }
        if let member = members.table ?? members.key ?? members.value ?? members.expires {
            throw LineError(
                "a line with \"op\" has no member \(cursor.string(member.name).debugDescription)", at: member.name.range.lowerBound)
        }
        switch op.value.kind == .string ? cursor.string(op.value) : "" {
        case "begin": return .begin(transaction)
        case "commit": return .commit(transaction)
        case "rollback": return .rollback(transaction)
        default: throw LineError("the op is none of \"begin\", \"commit\", \"rollback\"", at: op.value.range.lowerBound)
        }
    }

    private func time(_ members: Members, _ cursor: borrowing JSONCursor) throws(LineError) -> Int64 {
        guard let time = members.time?.value else { throw LineError("there is no member \"time\"", at: 0) }
        guard time.kind == .number, let value = cursor.int64(time) else {
            throw LineError("the time is no whole number of milliseconds", at: time.range.lowerBound)
        }
        return value
    }

    private func table(_ members: Members, _ cursor: borrowing JSONCursor) throws(LineError) -> String {
        guard let table = members.table?.value else { throw LineError("there is no member \"table\"", at: 0) }
        guard table.kind == .string else { throw LineError("the table is not a string", at: table.range.lowerBound) }
        return cursor.string(table)
    }

    private func retention(_ retention: JSONSlice, _ members: Members, _ cursor: borrowing JSONCursor) throws(LineError) -> InputStep {
        try members.refuseOthers(than: ["table", "retention"], in: cursor)
        guard retention.kind == .object else { throw LineError("the retention is not an object", at: retention.range.lowerBound) }
        return .retention(table: try table(members, cursor), retention.range)
    }

    /// A line that only a history has.
    private func history(_ line: Span<UInt8>, _ members: Members, _ cursor: borrowing JSONCursor) throws -> HistoryLine {
        if let history = members.history?.value {
            if history.kind == .number {
                try members.refuseOthers(than: ["history"], in: cursor)
                guard cursor.int64(history) == 1 else {
                    throw LineError("the history is of a version that is not known: this one reads version 1", at: history.range.lowerBound)
                }
                return .begin
            }
            try members.refuseOthers(than: ["history", "operations", "horizons", "ladders", "expired"], in: cursor)
            guard history.kind == .string, cursor.string(history) == "end" else {
                throw LineError("the history is neither 1 nor \"end\"", at: history.range.lowerBound)
            }
            return .end(try ChronicleEnd(line))
        }
        for flag in [members.drop, members.released, members.nothing] {
            if let value = flag?.value, value.kind != .true { throw LineError("the member can only be true", at: value.range.lowerBound) }
        }
        let milliseconds = try time(members, cursor)
        if let savepoint = members.savepoint?.value {
            try members.refuseOthers(than: ["savepoint", "time", "released"], in: cursor)
            guard savepoint.kind == .string else { throw LineError("the savepoint is not a string", at: savepoint.range.lowerBound) }
            return .savepoint(cursor.string(savepoint), isReleased: members.released != nil, milliseconds: milliseconds)
        }
        if members.nothing != nil {
            try members.refuseOthers(than: ["nothing", "time"], in: cursor)
            return .nothing(milliseconds: milliseconds)
        }
        if members.drop != nil {
            try members.refuseOthers(than: ["table", "time", "drop"], in: cursor)
            return .drop(table: try table(members, cursor), milliseconds: milliseconds)
        }
        try members.refuseOthers(than: ["table", "time", "id", "definition"], in: cursor)
        guard let definition = members.definition?.value, definition.kind == .object else {
            throw LineError("the definition is not an object", at: members.definition?.value.range.lowerBound ?? 0)
        }
        guard let id = members.id?.value, id.kind == .number, let number = cursor.int64(id), number > 0 else {
            throw LineError("the table's id is no number from 1 on", at: members.id?.value.range.lowerBound ?? 0)
        }
        return .definition(table: try table(members, cursor), id: UInt64(number), document: definition.range, milliseconds: milliseconds)
    }

    private func schema(_ schema: JSONSlice, _ members: Members, _ cursor: borrowing JSONCursor) throws(LineError) -> SchemaLine {
        if let member = members.key ?? members.value ?? members.op ?? members.tx ?? members.expires {
            throw LineError(
                "a line with \"schema\" has no member \(cursor.string(member.name).debugDescription)", at: member.name.range.lowerBound)
        }
        guard let table = members.table?.value else { throw LineError("there is no member \"table\"", at: 0) }
        guard table.kind == .string else { throw LineError("the table is not a string", at: table.range.lowerBound) }
        var result = SchemaLine(table: cursor.string(table))
        if let keys = members.keys?.value {
            guard keys.kind == .string, let type = KeyType(rawValue: cursor.string(keys)) else {
                throw LineError("the keys are neither \"string\" nor \"integer\"", at: keys.range.lowerBound)
            }
            result.keys = type
        }
        if let formats = members.formats?.value {
            guard formats.kind == .true || formats.kind == .false else {
                throw LineError("the formats are neither true nor false", at: formats.range.lowerBound)
            }
            result.formats = formats.kind == .true
        }
        if schema.kind != .null { result.documents = schema.range }
        return result
    }

    private func timeToLive(_ time: JSONSlice, _ members: Members, _ cursor: borrowing JSONCursor) throws(LineError) -> InputStep {
        if let member = members.key ?? members.value ?? members.op ?? members.tx ?? members.expires ?? members.schema ?? members.keys
            ?? members.formats
        {
            throw LineError(
                "a line with \"timeToLive\" has no member \(cursor.string(member.name).debugDescription)",
                at: member.name.range.lowerBound)
        }
        guard let table = members.table?.value else { throw LineError("there is no member \"table\"", at: 0) }
        guard table.kind == .string else { throw LineError("the table is not a string", at: table.range.lowerBound) }
        if time.kind == .null { return .timeToLive(nil, table: cursor.string(table)) }
        guard time.kind == .number, let milliseconds = cursor.int64(time) else {
            throw LineError("the time to live is neither a whole number of milliseconds nor null", at: time.range.lowerBound)
        }
        return .timeToLive(.milliseconds(milliseconds), table: cursor.string(table))
    }

    /// When a document expires; nil where the line does not say.
    private func expiry(_ expires: JSONSlice?, _ cursor: borrowing JSONCursor) throws(LineError) -> TimeToLive? {
        guard let expires else { return nil }
        if expires.kind == .null { return .never }
        guard expires.kind == .number, let milliseconds = cursor.int64(expires), Expiry.range.contains(milliseconds) else {
            throw LineError(
                "the expiry is neither null nor 0 to \(Expiry.range.upperBound) milliseconds since 1970", at: expires.range.lowerBound)
        }
        return .until(milliseconds: milliseconds)
    }

    private mutating func operation(_ line: Span<UInt8>, _ members: Members, _ cursor: borrowing JSONCursor) throws -> InputLine {
        let (table, key, value) = (members.table?.value, members.key?.value, members.value?.value)
        guard let table else { throw LineError("there is no member \"table\"", at: 0) }
        guard let key else { throw LineError("there is no member \"key\"", at: 0) }
        guard let value else { throw LineError("there is no member \"value\"", at: 0) }
        guard table.kind == .string else { throw LineError("the table is not a string", at: table.range.lowerBound) }
        let name = cursor.string(table)
        let operationKey = try self.key(key, of: cursor)
        let timeToLive = try expiry(members.expires?.value, cursor)
        if members.tx == nil { remember(line, table: table, key: key, name: name) }
        switch value.kind {
        case .object: return .upsert(table: name, key: operationKey, document: value.range, timeToLive: timeToLive)
        case .null: return .delete(table: name, key: operationKey)
        default: throw LineError("the value is neither an object nor null", at: value.range.lowerBound)
        }
    }

    private func document(_ line: Span<UInt8>, _ table: String, _ keyPath: [String]) throws -> InputLine {
        let cursor = try JSONCursor(object: line)
        guard let field = try JSONCursor.find(keyPath, in: line) else {
            throw LineError("there is no key: the document has no field \(keyPath.joined(separator: ".").debugDescription)", at: 0)
        }
        // The one object of the line, without the space around it: JSON's space, and all of it below its braces.
        var range = 0..<line.count
        while let first = range.first, line[first] <= 0x20 { range.removeFirst() }
        while let last = range.last, line[last] <= 0x20 { range.removeLast() }
        return .upsert(table: table, key: try key(field, of: cursor), document: range)
    }

    private func key(_ slice: JSONSlice, of cursor: borrowing JSONCursor) throws(LineError) -> Key {
        switch slice.kind {
        case .string: return .string(cursor.string(slice))
        case .number:
            let digits = slice.range.dropFirst(cursor.bytes[slice.range.lowerBound] == UInt8(ascii: "-") ? 1 : 0)
            for at in digits where cursor.bytes[at] &- 0x30 >= 10 {
                throw LineError("the key is a number with a fraction or an exponent: a key is a string or a 64-bit integer", at: at)
            }
            guard let value = cursor.int64(slice) else {
                throw LineError("the key does not fit 64 bits: a key is a string or a 64-bit integer", at: slice.range.lowerBound)
            }
            return .integer(value)
        default: throw LineError("the key is neither a string nor an integer", at: slice.range.lowerBound)
        }
    }

    /// Notes how this line begins, if it begins as `guess` wants it.
    private mutating func remember(_ line: Span<UInt8>, table: JSONSlice, key: JSONSlice, name: String) {
        guard table.range.upperBound < key.range.lowerBound, !line.holds(usualStart, at: 0) || usualStart.isEmpty else { return }
        let start = [UInt8](line.extracting(0..<key.range.lowerBound))
        let literal = [UInt8](line.extracting(table.range))
        guard start == Array(#"{"table":"#.utf8) + literal + Array(#","key":"#.utf8) else { return }
        usualStart = start
        usualTable = name
    }
}
