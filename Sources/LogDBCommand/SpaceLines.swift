//===--- SpaceLines.swift - what logdb stats --tables prints ---------------===//

import LogDB

extension SpaceReport {
    var asJSON: JSON {
        [
            "tables": .array(tables.map(\.asJSON)),
            "garbage": JSON((garbage * 1000).rounded() / 1000) ?? .null,
            "largest": .array(largest.map(\.asJSON)),
            "busiest": .array(busiest.map(\.asJSON)),
            "compaction": compaction?.asJSON ?? .null,
            "obstacle": obstacle.map { .string("\($0)") } ?? .null,
        ]
    }

    func describe(to bytes: inout [UInt8]) {
        // Few databases retain anything.
        let retains = tables.contains { $0.retained.operations > 0 }
        func amounts(_ table: Table) -> [Amount] { [table.live, table.dead, table.deletes] + (retains ? [table.retained] : []) }
        let rows = tables.map { table in
            [table.name ?? "(dropped)"] + amounts(table).flatMap { [$0.operations.grouped, $0.bytes.asBytes] }
        }
        appendTable(["table", "live", "", "superseded", "", "deletes", ""] + (retains ? ["retained", ""] : []), rows, to: &bytes)
        appendTable(["largest documents", "bytes"], largest.map { ["\($0.table) \($0.key)", $0.bytes.asBytes] }, to: &bytes)
        appendTable(
            ["busiest keys since the last compaction", "operations", "bytes"],
            busiest.map { ["\($0.table) \($0.key)", "\($0.operations.grouped) or more", $0.bytes.asBytes] }, to: &bytes)
        bytes.append("\n\((garbage * 100).rounded(to: 1)) % of the bytes are superseded, deleted or dropped. ")
        if let obstacle {
            bytes.append("\(obstacle)\n")
        } else if let compaction, !compaction.isEmpty {
            bytes.append(
                "Compaction would free about \(compaction.estimatedGainBytes.asBytes), and needs at most \(compaction.peakExtraBytes.asBytes) meanwhile.\n"
            )
        } else {
            bytes.append("What is sealed is compact.\n")
        }
    }
}

extension SpaceReport.Table {
    fileprivate var asJSON: JSON {
        [
            "name": name.map { .string($0) } ?? .null, "live": live.asJSON, "dead": dead.asJSON, "deletes": deletes.asJSON,
            "retained": retained.asJSON,
        ]
    }
}

extension SpaceReport.Amount {
    fileprivate var asJSON: JSON { ["operations": JSON(operations), "bytes": JSON(bytes)] }
}

extension SpaceReport.Entry {
    fileprivate var asJSON: JSON {
        ["table": .string(table), "key": key.asJSON, "operations": JSON(operations), "bytes": JSON(bytes)]
    }
}

extension Key {
    fileprivate var asJSON: JSON {
        switch self {
        case .string(let text): .string(text)
        case .integer(let number): JSON(number)
        }
    }
}
