//===--- SalvageCensus.swift - transactions and tables ----------------------===//
//
// What must be known before the first operation can be written anew: which transactions happened, which tables there are in the end and what they are
// called. Sealed segments were counted when they were looked through; raw ones are read once more, in the order of the log.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct SalvageCensus {
    private(set) var transactions = TransactionLedger()
    private struct Known {
        var order: (SequenceNumber, UInt64)
        /// nil where it was dropped.
        var name: String?
        var entry: CatalogEntry
    }
    /// The newest that base and log know of each table.
    private var newest: [UInt64: Known] = [:]
    /// The newest that the history knows.
    private var past: [UInt64: Known] = [:]
    /// A name that each table had at some time.
    private(set) var everNamed: [UInt64: String] = [:]
    /// Tables with operations.
    private var used: Set<UInt64> = []
    private var usedInPast: Set<UInt64> = []
    private let holes: [LogHole]

    init(_ log: LogPlan, _ base: BasePlan, _ history: BasePlan, progress: (UInt64) throws -> Void) throws {
        holes = log.holes
        for generation in base.generations + history.generations {
            for survey in generation.segments {
                if survey.isHistory { usedInPast.formUnion(survey.tables.keys) } else { used.formUnion(survey.tables.keys) }
                everNamed.merge(survey.names) { _, new in new }
                for operation in survey.catalog.values {
                    enter(operation, survey.isExact ? operation.sequence : 0, generation.number, isPast: survey.isHistory)
                }
            }
        }
        for part in log.parts {
            if part.followsGap { transactions.passGap() }
            for source in part.sources {
                switch source {
                case .sealed(let reading):
                    used.formUnion(reading.survey.tables.keys)
                    everNamed.merge(reading.survey.names) { _, new in new }
                    for operation in reading.survey.catalog.values { enter(operation, operation.sequence + reading.shift, .max) }
                case .raw(let reading): try read(reading, progress)
                }
            }
        }
        if log.endsWithGap { transactions.passGap() }
        transactions.finish()
        used.remove(0)
        usedInPast.remove(0)
    }

    private mutating func enter(
        _ operation: CatalogOperation, _ sequence: SequenceNumber, _ generation: UInt64, isPast: Bool = false
    ) {
        if let name = operation.name { everNamed[operation.id] = name }
        let order = (sequence, generation)
        let known = Known(order: order, name: operation.name, entry: operation.entry)
        if isPast {
            if let other = past[operation.id], other.order > order { return }
            past[operation.id] = known
        } else {
            if let other = newest[operation.id], other.order > order { return }
            newest[operation.id] = known
        }
    }

    private mutating func read(_ reading: RawReading, _ progress: (UInt64) throws -> Void) throws {
        guard let seed = reading.survey.seed else { return transactions.passGap() }
        let file = try reading.survey.file.open()
        var nextHole = 0
        func passHoles(before offset: UInt64, _ transactions: inout TransactionLedger) {
            while nextHole < reading.holes.count, reading.holes[nextHole].bytes?.lowerBound ?? 0 < offset {
                transactions.passGap()
                nextHole += 1
            }
        }
        for run in reading.runs {
            passHoles(before: run.start, &transactions)
            var scanner = FrameScanner(file, seed: seed, from: run.start, limit: run.end)
            while let header = try mapped({ () throws(FileError) in try scanner.next() }) {
                try take(header, scanner.payload, before: reading.limit)
            }
            try progress(run.end)
        }
        passHoles(before: .max, &transactions)
    }

    private mutating func take(_ header: FrameHeader, _ payload: Span<UInt8>, before limit: SequenceNumber) throws {
        let transaction = RawFrame.transaction(payload, of: header)
        switch header.kind {
        case .commit:
            guard let transaction else { return }
            let holes = holes
            transactions.commit(transaction, at: header.sequence) { range in holes.contains { $0.overlaps(range) } }
        case .rollback: if let transaction { transactions.rollBack(transaction) }
        case .operations, .transactionOperations:
            var reader = ByteReader(payload)
            if header.kind == .transactionOperations { _ = try reader.varint() }
            var sequence = header.sequence
            while !reader.isAtEnd, sequence < limit {
                let record = try reader.record()
                used.insert(record.table)
                if let transaction { transactions.add(transaction, record, sequence) }
                if record.table == 0, let operation = CatalogOperation(record, sequence) { enter(operation, sequence, .max) }
                sequence += 1
            }
        case .mark, .manifestEdits: break
        }
    }

    // MARK: - Names

    /// What the catalog says of a table beside its name.
    func entry(of table: UInt64) -> CatalogEntry {
        (newest[table] ?? past[table])?.entry ?? CatalogEntry(name: "")
    }

    /// The tables to be made, by id, and what there is to say of their names.
    ///
    /// - Parameter hasLosses: whether an entry of the catalog in base or log may be missing. If none can be, a table without one was dropped, whatever the history has of it.
    func tables(hasLosses: Bool) -> (names: [UInt64: String], findings: [SalvageFinding]) {
        var newest = newest
        var used = used
        if hasLosses {
            newest.merge(past) { $0.order > $1.order ? $0 : $1 }
            used.formUnion(usedInPast)
        }
        var names: [UInt64: String] = [:]
        var findings: [SalvageFinding] = []
        var taken: Set<String> = []
        // Of two tables with one name the later is the one that has it: the other was dropped or renamed, and that is lost.
        for (id, entry) in newest.sorted(by: { $0.key > $1.key }) {
            guard let name = entry.name, names.count < Catalog.maximumTables, (try? Catalog.validate(name: name)) != nil,
                taken.insert(name).inserted
            else { continue }
            names[id] = name
        }
        for id in used.sorted() where names[id] == nil {
            let isDropped = newest[id].map { $0.name == nil } ?? false
            guard !isDropped, hasLosses || newest[id]?.name != nil else { continue }
            guard names.count < Catalog.maximumTables else {
                findings.append(
                    SalvageFinding(.lost, file: nil, "there are more tables than a database can have: table \(id) was left out"))
                continue
            }
            var name = "salvaged-table-\(id)"
            var copy = 2
            while !taken.insert(name).inserted {
                name = "salvaged-table-\(id)-\(copy)"
                copy += 1
            }
            names[id] = name
            findings.append(
                SalvageFinding(
                    .uncertain, file: nil, tables: [id],
                    newest[id]?.name == nil
                        ? "the table's name is lost, or that it was dropped: what was read of it is in \"\(name)\""
                        : "the table's name is that of a later table, so it was dropped or renamed, and that is lost: what was read of it is in \"\(name)\""
                ))
        }
        return (names, findings)
    }
}

extension LogHole {
    func overlaps(_ range: ClosedRange<SequenceNumber>) -> Bool { first <= range.upperBound && last ?? .max >= range.lowerBound }
}
