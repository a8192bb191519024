//===--- HistoryLines.swift - a whole history as lines of JSON --------------===//
//
//      {"history":1}                                                                       the first line: what this is, and its version
//      {"time":1790000000021,"table":"actors","id":1,"definition":{"name":"actors"}}       a table is made, or changed: as the catalog says it
//      {"time":1790000000021,"table":"actors","key":"goblin-7","value":{"hp":7}}           an operation; null deletes
//      {"savepoint":"before the boss","time":1790000000044}                                a savepoint, where it was made
//      {"savepoint":"before the boss","time":1790000000052,"released":true}
//      {"time":1790000000060,"table":"actors","drop":true}
//      {"time":1790000000060,"nothing":true}                                               something that is not left, see Chronicle.swift
//      {"history":"end","operations":7,"horizons":[{"operation":3,"time":1790000000044}],"ladders":[]}
//
// Each line but the first and the last has a number, from 1 on: that of the operation it becomes. The last one says how many there are, and from which on
// the history of all tables, or of one ("table", its id; 0 stands for tables that were dropped), is complete; and, where documents were cleared away because they had
// expired, which was the last of them ("expired"; without "table" of those that retain nothing).
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

/// Prints a chronicle.
struct HistoryPrinter: ChronicleSink {
    private var lines: OperationLines
    private var output = OutputBuffer()
    private var progress = ProgressLine(quiet: Descriptors.isTerminal(1), updatesPerLook: 1000)
    private var count = 0

    init(_ lines: OperationLines) { self.lines = lines }

    mutating func begin() { output.bytes.append("{\"history\":1}\n") }

    mutating func tell(_ operation: borrowing Operation) throws {
        try lines.appendTimed(operation, to: &output.bytes)
        try printed()
    }

    mutating func tell(definition document: Span<UInt8>, of table: String, id: UInt64, milliseconds: Int64) throws {
        output.bytes.append("{\"time\":\(milliseconds),\"table\":")
        JSONText.append(table, to: &output.bytes)
        output.bytes.append(",\"id\":\(id),\"definition\":")
        output.bytes.append(line: document)
        output.bytes.append("}\n")
        try printed()
    }

    mutating func tell(dropOf table: String, milliseconds: Int64) throws {
        output.bytes.append("{\"time\":\(milliseconds),\"table\":")
        JSONText.append(table, to: &output.bytes)
        output.bytes.append(",\"drop\":true}\n")
        try printed()
    }

    mutating func tell(savepoint name: String, isReleased: Bool, milliseconds: Int64) throws {
        output.bytes.append("{\"savepoint\":")
        JSONText.append(name, to: &output.bytes)
        output.bytes.append(",\"time\":\(milliseconds)\(isReleased ? ",\"released\":true" : "")}\n")
        try printed()
    }

    mutating func tellNothing(milliseconds: Int64) throws {
        output.bytes.append("{\"time\":\(milliseconds),\"nothing\":true}\n")
        try printed()
    }

    mutating func end(_ end: ChronicleEnd) {
        func append(_ table: UInt64?, _ horizon: HistoryHorizon, _ isFirst: Bool) {
            output.bytes.append(isFirst ? "{" : ",{")
            if let table { output.bytes.append("\"table\":\(table),") }
            output.bytes.append("\"operation\":\(horizon.sequence),\"time\":\(horizon.milliseconds)}")
        }
        output.bytes.append("{\"history\":\"end\",\"operations\":\(end.operations),\"horizons\":[")
        var isFirst = true
        if end.all.sequence > 0 {
            append(nil, end.all, true)
            isFirst = false
        }
        for (table, horizon) in end.tables.sorted(by: { $0.key < $1.key }) {
            append(table, horizon, isFirst)
            isFirst = false
        }
        output.bytes.append("],\"ladders\":[")
        for (index, (table, ladder)) in end.ladders.sorted(by: { $0.key < $1.key }).enumerated() {
            output.bytes.append(
                "\(index > 0 ? "," : ""){\"table\":\(table),\"checksum\":\(ladder.checksum),\"since\":\(ladder.since),\"now\":\(ladder.now)}"
            )
        }
        output.bytes.append("]")
        if !end.expired.isEmpty {
            let list = end.expired.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.map { table, horizon in
                "{\(table.map { "\"table\":\($0)," } ?? "")\"operation\":\(horizon.sequence),\"time\":\(horizon.milliseconds)}"
            }
            output.bytes.append(",\"expired\":[\(list.joined(separator: ","))]")
        }
        output.bytes.append("}\n")
    }

    private mutating func printed() throws {
        try output.flushIfFull()
        count += 1
        let (count, bytes) = (count, output.bytesWritten)
        progress.update { "\(count.grouped) lines, \(bytes.asBytes), \(Int(Double(count) / $0).grouped) a second" }
    }

    mutating func finish() throws {
        try output.flush()
        progress.finish { "\(counted(count, "line")) dumped in \($0.rounded(to: 1)) s" }
    }
}

/// What a line of a history asks for.
enum HistoryLine {
    case begin
    case end(ChronicleEnd)
    case definition(table: String, id: UInt64, document: Range<Int>, milliseconds: Int64)
    case drop(table: String, milliseconds: Int64)
    case savepoint(String, isReleased: Bool, milliseconds: Int64)
    case nothing(milliseconds: Int64)
}

extension ChronicleEnd {
    /// What the last line says.
    init(_ line: Span<UInt8>) throws {
        self.init()
        func number(_ slice: JSONSlice?, _ cursor: borrowing JSONCursor, _ name: String) throws(LineError) -> Int64 {
            guard let slice, slice.kind == .number, let value = cursor.int64(slice) else {
                throw LineError("\(name.debugDescription) is no number of 64 bits", at: slice?.range.lowerBound ?? 0)
            }
            return value
        }
        func forEach(
            _ name: String, isOptional: Bool = false,
            _ body: (_ members: [String: JSONSlice], _ cursor: borrowing JSONCursor) throws -> Void
        ) throws {
            let found = try JSONCursor.find([name], in: line)
            if found == nil, isOptional { return }
            guard let list = found, list.kind == .array else {
                throw LineError("there is no list \(name.debugDescription)", at: 0)
            }
            var elements = JSONCursor(line, inside: list)
            while let element = try elements.nextElement() {
                guard element.kind == .object else { throw LineError("not an object", at: element.range.lowerBound) }
                let text = line.extracting(element.range)
                var cursor = try JSONCursor(object: text)
                var members: [String: JSONSlice] = [:]
                while let member = try cursor.nextMember() { members[cursor.string(member.name)] = member.value }
                try body(members, cursor)
            }
        }
        operations = UInt64(clamping: try number(try JSONCursor.find(["operations"], in: line), try JSONCursor(object: line), "operations"))
        try forEach("horizons") { members, cursor in
            let horizon = HistoryHorizon(
                sequence: UInt64(clamping: try number(members["operation"], cursor, "operation")),
                milliseconds: try number(members["time"], cursor, "time"))
            guard members["table"] != nil else { return all = horizon }
            tables[UInt64(clamping: try number(members["table"], cursor, "table"))] = horizon
        }
        try forEach("expired", isOptional: true) { members, cursor in
            let table: UInt64? = members["table"] == nil ? nil : UInt64(clamping: try number(members["table"], cursor, "table"))
            expired[table] = ExpiryHorizon(
                sequence: UInt64(clamping: try number(members["operation"], cursor, "operation")),
                milliseconds: try number(members["time"], cursor, "time"))
        }
        try forEach("ladders") { members, cursor in
            guard let checksum = UInt32(exactly: try number(members["checksum"], cursor, "checksum")) else {
                throw LineError("the checksum of a ladder has more than 32 bits", at: 0)
            }
            ladders[UInt64(clamping: try number(members["table"], cursor, "table"))] = LadderRecord(
                checksum: checksum, since: try number(members["since"], cursor, "since"), now: try number(members["now"], cursor, "now"))
        }
    }
}
