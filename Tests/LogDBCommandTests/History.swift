//===--- History.swift - input whose every beginning is known --------------===//

/// Numbered operations: upserts of a few hundred keys in two tables, every thirteenth a delete. Line `i` is always the same.
enum History {
    static let length = 120_000
    private static let lines = (0..<length).map(makeLine)

    static func line(_ index: Int) -> String { lines[index] }

    private static func makeLine(_ index: Int) -> String {
        let table = index % 5 == 0 ? "rooms" : "actors"
        let key = index % 5 == 0 ? "\(index * 7 % 211)" : "\"actor-\(index * 31 % 307)\""
        let value = index % 13 == 12 ? "null" : "{\"number\":\(index),\"text\":\"\(String(repeating: "abc ", count: index % 40))\"}"
        return "{\"table\":\"\(table)\",\"key\":\(key),\"value\":\(value)}"
    }

    static func text(_ range: Range<Int>) -> String { lines[range].joined(separator: "\n") + "\n" }

    /// What a dictionary fed with the first `count` lines holds, as a set of dump lines.
    static func documents(after count: Int) -> Set<String> {
        var newest: [Substring: String] = [:]
        for line in lines[..<count] { newest[address(line)] = line }
        return Set(newest.values.filter { !$0.hasSuffix("null}") })
    }

    /// `{"table":…,"key":…` of a line: up to its second comma.
    private static func address(_ line: String) -> Substring {
        let commas = line.utf8.indices.lazy.filter { line.utf8[$0] == UInt8(ascii: ",") }
        return line[..<commas.dropFirst().first!]
    }

    /// The first of `operations`, lines of `dump --operations`, that is not line `start` and following of the history; nil if all are.
    static func firstStranger(in operations: [String], from start: Int = 0) -> String? {
        for (operation, line) in zip(operations, lines[start...]) {
            let tail = line.hasSuffix("null}") ? "\(line.dropFirst().dropLast(13))\"delete\":true}" : String(line.dropFirst())
            guard operation.hasPrefix("{\"sequence\":"), operation.hasSuffix(tail) else { return operation }
        }
        return operations.count > length - start ? operations[length - start] : nil
    }
}
