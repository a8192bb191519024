//===--- Space.swift - live, dead and deleted bytes ------------------------===//
//
//      all operations   of base segments as their indexes count them, of the log by reading it
//      live             by a select
//      dead             the upserts that are left
//      retained         of history segments as their indexes count them
//===-----------------------------------------------------------------------===//

import LogDBFormat

extension Database {
    func space(in snapshot: Snapshot, largest count: Int) throws -> SpaceReport {
        var upserts: [UInt64: SpaceReport.Amount] = [:]
        var deletes: [UInt64: SpaceReport.Amount] = [:]
        var live: [UInt64: SpaceReport.Amount] = [:]
        for segment in snapshot.base {
            for table in try segment.footer(of: try segment.open().0).tables {
                upserts[table.table, default: .init()].add(table.upserts, bytes: table.keyBytes + table.documentBytes)
            }
        }
        var retained: [UInt64: SpaceReport.Amount] = [:]
        for segment in snapshot.history {
            for table in try segment.footer(of: try segment.open().0).tables {
                retained[table.table, default: .init()].add(table.upserts + table.deletes, bytes: table.keyBytes + table.documentBytes)
            }
        }
        var heavy = HeavyKeys()
        try snapshot.forEachLogRecord(budget: options.memoryBudgetBytes) { record in
            let bytes = UInt64(record.key.count - 1 + record.document.count)
            if record.isDelete {
                deletes[record.table, default: .init()].add(1, bytes: bytes)
            } else {
                upserts[record.table, default: .init()].add(1, bytes: bytes)
            }
            if snapshot.tableName(record.table) != nil { heavy.add(table: record.table, key: record.key, bytes: bytes) }
        }
        var report = SpaceReport()
        try select(nil, in: snapshot) { operation in
            let bytes = UInt64(operation.encodedKey.count - 1 + operation.stored.count)
            live[operation.tableID, default: .init()].add(1, bytes: bytes)
            if report.largest.count < count || bytes > report.largest.last?.bytes ?? .max {
                let entry = SpaceReport.Entry(table: operation.table, key: try operation.key, operations: 1, bytes: bytes)
                report.largest.insert(entry, at: report.largest.firstIndex { $0.bytes < bytes } ?? report.largest.count)
                if report.largest.count > count { report.largest.removeLast() }
            }
        }
        report.busiest = try heavy.most(count).map {
            SpaceReport.Entry(
                table: snapshot.tableName($0.key.table) ?? "", key: try Key(decoding: $0.key.key.span), operations: $0.operations,
                bytes: $0.bytes)
        }
        var dropped = SpaceReport.Table()
        for id in Set(upserts.keys).union(deletes.keys).union(retained.keys) where id != 0 {
            var table = SpaceReport.Table(name: snapshot.tableName(id))
            let written = upserts[id] ?? .init()
            table.live = live[id] ?? .init()
            // An index that lies may name less than there is.
            table.dead.add(
                written.operations - min(written.operations, table.live.operations),
                bytes: written.bytes - min(written.bytes, table.live.bytes))
            table.deletes = deletes[id] ?? .init()
            table.retained = retained[id] ?? .init()
            if table.name == nil {
                dropped.dead.add(table.dead.operations, bytes: table.dead.bytes)
                dropped.deletes.add(table.deletes.operations, bytes: table.deletes.bytes)
                dropped.retained.add(table.retained.operations, bytes: table.retained.bytes)
            } else {
                report.tables.append(table)
            }
        }
        report.tables.sort { $0.name! < $1.name! }
        if dropped != SpaceReport.Table() { report.tables.append(dropped) }
        return report
    }
}

extension SpaceReport.Amount {
    fileprivate mutating func add(_ operations: UInt64, bytes: UInt64) {
        self.operations += operations
        self.bytes += bytes
    }
}

extension Snapshot {
    /// Delivers the operations that are not compacted yet, in no particular order.
    fileprivate func forEachLogRecord(budget: Int, _ body: (Record) throws -> Void) throws {
        let stream = BlockStream(sealed, budget: budget)
        defer { stream.stop() }
        while let block = try stream.next() {
            try block.segment!.forEachRecord(in: block.raw, of: block.entry!) { record, _, _ in try body(record) }
        }
        for raw in raw { try raw.segment.forEachRecord(until: raw.end, fates) { record, _, _ in try body(record) } }
    }
}
