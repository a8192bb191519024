//===--- Count.swift - the statistics of a database ------------------------===//
//
// Sealed segments have counted themselves in their indexes; raw ones are read.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Database {
    /// Counts what the database holds and takes. Reads the index of each sealed segment and the raw segments, not the data.
    public func statistics() throws(LogDBError) -> Statistics {
        var result = Statistics()
        // Before this one begins to be one.
        result.readers = log.reaper.readers
        let snapshot = try log.snapshot()
        var tables: [UInt64: TableStatistics] = [:]
        for segment in snapshot.base + snapshot.history + snapshot.sealed {
            let (file, _) = try segment.open()
            let footer = try segment.footer(of: file)
            var bytes: UInt64 = 0
            for table in footer.tables {
                bytes += table.keyBytes + table.documentBytes
                // What is retained of older versions is told by the files.
                if segment.entry.order != .version { tables[table.table, default: TableStatistics(table: table.table)].add(table) }
            }
            result.sealedRawBytes += bytes
            result.sealedStoredBytes += segment.entry.fileLength
            result.files.append(
                Statistics.File(
                    name: segment.name, kind: segment.kind, bytes: segment.entry.fileLength,
                    rawBytes: bytes, operations: segment.entry.records,
                    firstSequenceNumber: segment.entry.firstSequence, lastSequenceNumber: segment.entry.lastSequence,
                    codec: segment.entry.codec.name))
        }
        for raw in snapshot.raw {
            let size = try mapped { () throws(FileError) in try raw.segment.file.size() }
            let first = raw.segment.header.firstSequence
            var file = Statistics.File(
                name: raw.segment.name, kind: "raw", bytes: size, rawBytes: 0, operations: 0, firstSequenceNumber: first,
                lastSequenceNumber: first - 1, codec: nil)
            do {
                try raw.segment.forEachRecord(until: raw.end, snapshot.fates) { record, sequence, _ in
                    let table = record.table
                    tables[table, default: TableStatistics(table: table)].add(record)
                    file.rawBytes += UInt64(record.key.count - 1 + record.document.count)
                    file.operations += 1
                    file.lastSequenceNumber = sequence
                }
            } catch { throw error as! LogDBError }
            result.files.append(file)
        }
        let (manifestName, manifestSize) = try log.manifest.nameAndSize()
        result.files.append(
            Statistics.File(
                name: manifestName, kind: "manifest", bytes: manifestSize, rawBytes: 0, operations: 0, firstSequenceNumber: 0,
                lastSequenceNumber: 0, codec: nil))
        result.appender = log.monitor.withLock { $0.isBesideRing ? .sharedTail : $0.appender.kind }
        if result.appender == .sharedTail, let size = try? log.directory.open(FileNames.ring, for: .reading).size() {
            result.files.append(
                Statistics.File(
                    name: FileNames.ring, kind: "ring", bytes: size, rawBytes: 0, operations: 0, firstSequenceNumber: 0,
                    lastSequenceNumber: 0, codec: nil))
        }
        if let size = try? log.directory.open(FileNames.spare, for: .reading).size() {
            result.files.append(
                Statistics.File(
                    name: FileNames.spare, kind: "spare", bytes: size, rawBytes: 0, operations: 0, firstSequenceNumber: 0,
                    lastSequenceNumber: 0, codec: nil))
        }
        // The catalog's own operations are not the user's.
        result.operations = tables.reduce(0) { $1.key == 0 ? $0 : $0 + $1.value.upserts + $1.value.deletes }
        result.rawBytes = result.files.reduce(0) { $0 + $1.rawBytes }
        result.storedBytes = result.files.reduce(0) { $0 + $1.bytes }
        result.firstSequenceNumber = result.files.first { $0.operations > 0 }?.firstSequenceNumber ?? 0
        result.lastSequenceNumber = snapshot.lastSequence
        result.tables = snapshot.tables.ids.sorted { $0.key < $1.key }.map { name, id in
            let table = tables[id] ?? TableStatistics(table: id)
            return Statistics.Table(
                name: name, upserts: table.upserts, deletes: table.deletes, keyBytes: table.keyBytes, documentBytes: table.documentBytes)
        }
        result.openTransactions = options.access == .readOnly ? try snapshot.undecidedTransactions() : log.openTransactions
        result.compactedSequenceNumber = snapshot.compactedSequence
        result.digest = try snapshot.knownDigest()
        result.compactionFailure = log.monitor.withLock { $0.compactionFailure }
        result.waitingFiles = log.reaper.waitingNames
        for name in result.waitingFiles {
            // One that is gone by now does not count.
            if let size = try? log.directory.open(name, for: .reading).size() { result.waitingBytes += size }
        }
        result.recovery = lastRecoveryReport
        return result
    }
}

extension Log {
    fileprivate var openTransactions: [Statistics.OpenTransaction] {
        monitor.withLock { state in
            let end = state.position + state.tailLength
            let numbers = state.raw.map(\.segment.number)
            return state.transactions.pinning.map { transaction in
                Statistics.OpenTransaction(
                    operations: transaction.operations, bytes: transaction.bytes,
                    pinnedSegments: numbers.count { $0 >= transaction.firstSegment }, pinnedBytes: end - transaction.startPosition)
            }
        }
    }
}

extension Snapshot {
    /// Transactions with operations in the raw segments and no commit, in order of their beginnings.
    fileprivate func undecidedTransactions() throws(LogDBError) -> [Statistics.OpenTransaction] {
        var found: [UInt64: Statistics.OpenTransaction] = [:]
        guard let last = raw.last else { return [] }
        let end = last.segment.header.basePosition + last.end
        for (index, segment) in raw.enumerated() {
            var scanner = FrameScanner(segment.segment.file, seed: segment.segment.seed, from: RawSegment.frameOrigin, limit: segment.end)
            while scanner.offset < segment.end {
                let header = try segment.segment.nextFrame(&scanner)
                guard header.kind == .transactionOperations else { continue }
                let start = segment.segment.header.basePosition + scanner.frameOffset
                do {
                    try segment.segment.forEachRecord(in: scanner.payload, of: header, at: scanner.frameOffset) { number, record, _ in
                        guard let number, !fates.isCommitted(number) else { return }
                        var transaction =
                            found[number]
                            ?? Statistics.OpenTransaction(
                                operations: 0, bytes: 0, pinnedSegments: raw.count - index, pinnedBytes: end - start)
                        transaction.operations += 1
                        transaction.bytes += UInt64(record.key.count + record.document.count)
                        found[number] = transaction
                    }
                } catch { throw error as! LogDBError }
            }
        }
        // The number is the sequence number of the first operation.
        return found.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension SealedSegment {
    fileprivate var kind: String {
        switch entry.order {
        case .log: "sealed"
        case .key: "base"
        case .version: "history"
        }
    }
}

extension TableStatistics {
    fileprivate mutating func add(_ other: TableStatistics) {
        upserts += other.upserts
        deletes += other.deletes
        keyBytes += other.keyBytes
        documentBytes += other.documentBytes
    }
}
