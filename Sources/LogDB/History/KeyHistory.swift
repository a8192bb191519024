//===--- KeyHistory.swift - all that is left of one key ----------------------===//
//
// Newest first, and streaming: the raw segments from the last one on, each by an index of where the key's operations stand; the sealed ones, block by block from
// the end; then base and history, merged. What a compaction under way has added to these stands in the log as well, and is met there.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// One version of a document, see ``Database/history(of:in:limit:)``.
public struct Version: Sendable, Hashable {
    public let sequenceNumber: SequenceNumber
    /// When it was written, in milliseconds since 1970 UTC, by the writer's clock.
    public let milliseconds: Int64
    /// The document, byte for byte; nil for a delete.
    public let document: [UInt8]?
    /// When it expires, or did, in milliseconds since 1970 UTC; nil: never.
    public let expires: Int64?
}

/// From when on everything is there.
public struct CompleteSince: Sendable, Hashable {
    /// The state after this operation, and after each later one, can be told.
    public let sequenceNumber: SequenceNumber
    /// When that was, or somewhat later; nil if it is not known.
    public let milliseconds: Int64?
}

extension Database {
    /// Delivers every operation on `key` that is left, newest first.
    ///
    /// What is left: everything that no compaction has taken in, and what the table's retention and savepoints have kept. Reads all of the log that
    /// is not compacted, as far as the key may be in it, and a few blocks of the rest. Memory: ``Options/memoryBudgetBytes`` at most, plus the largest
    /// document. Operations are delivered as they were written, whatever has expired since.
    ///
    /// - Returns: from when on nothing is missing.
    /// - Throws: what `body` throws; `.noSuchTable`; ``LogDBError`` `.corrupted` if damage is met.
    @discardableResult
    public func history(_ table: String, _ key: Key, _ body: (borrowing Operation) throws -> Void) throws -> CompleteSince {
        let snapshot = try log.snapshot()
        let horizons = Horizons(log.manifest.state, snapshot)
        guard let id = snapshot.tables.ids[table] else {
            throw LogDBError(.noSuchTable, "there is no table \(TableDefinition.brief(.string(table)))")
        }
        var encoded = ByteBuffer(capacity: 64)
        try key.append(to: &encoded)
        let bytes = Array(encoded.span)
        try snapshot.history(of: FullKey(table: id, key: bytes), table, budget: options.memoryBudgetBytes, body)
        let horizon = horizons.horizon(id)
        // What was cleared away because it had expired was superseded by nothing.
        return CompleteSince(
            sequenceNumber: max(1, horizon.sequence, horizons.expiry(id).sequence + 1),
            milliseconds: horizon.milliseconds == .max || horizon.milliseconds == 0 ? nil : horizon.milliseconds)
    }

    /// The newest versions of `key`, newest first, `limit` at most; as ``history(_:_:_:)``.
    public func history(of key: Key, in table: String, limit: Int = .max) throws(LogDBError) -> [Version] {
        var versions: [Version] = []
        guard limit > 0 else { return [] }
        do {
            try history(table, key) { operation in
                versions.append(
                    Version(
                        sequenceNumber: operation.sequenceNumber, milliseconds: operation.milliseconds,
                        document: operation.isDelete ? nil : Array(operation.document), expires: operation.expires))
                if versions.count == limit { throw Enough() }
            }
        } catch is Enough {
        } catch { throw error as! LogDBError }
        return versions
    }
}

private struct Enough: Error {}

extension Snapshot {
    fileprivate func history(of key: FullKey, _ name: String, budget: Int, _ body: (borrowing Operation) throws -> Void) throws {
        let range = KeyRange(lower: key, upper: FullKey(table: key.table, key: key.key + [0]))
        for raw in raw.reversed() { try history(of: key, name, in: raw, body) }
        let hash = KeyCoding.hash(table: key.table, key: key.key.span)
        for segment in sealed.reversed() {
            let footer = try segment.footer(of: try segment.open().0)
            if let index = footer.keyIndex, index.block(of: hash, count: footer.blocks.count) == nil { continue }
            try history(of: key, name, in: segment, range, budget: budget, body)
        }
        let rows = generations + LogDB.generations(of: history)
        let merge = Merge(rows.map { SegmentCursor($0, range: range, budget: budget / rows.count, ceiling: compactedSequence) })
        merge.versions = VersionRule.all
        while let cursor = try merge.next() {
            try body(Operation(cursor.record, table: name, sequenceNumber: cursor.sequence, milliseconds: cursor.milliseconds))
        }
    }

    private func history(of key: FullKey, _ name: String, in raw: Raw, _ body: (borrowing Operation) throws -> Void) throws {
        // Where its frames stand, a few bytes for each operation: the documents are read once more, from the last one on.
        var frames: [UInt64] = []
        var scanner = FrameScanner(raw.segment.file, seed: raw.segment.seed, from: RawSegment.frameOrigin, limit: raw.end)
        while scanner.offset < raw.end {
            let header = try raw.segment.nextFrame(&scanner)
            let offset = scanner.frameOffset
            guard header.kind == .operations || header.kind == .transactionOperations else { continue }
            try raw.segment.forEachRecord(in: scanner.payload, of: header, at: offset) { number, record, _ in
                guard record.table == key.table, equal(record.key, key.key.span), number.map({ fates.counts($0) }) ?? true else { return }
                if frames.last != offset { frames.append(offset) }
            }
        }
        for offset in frames.reversed() {
            var scanner = FrameScanner(raw.segment.file, seed: raw.segment.seed, from: offset, limit: raw.end, chunkSize: 4096)
            let header = try raw.segment.nextFrame(&scanner)
            var found: [(number: SequenceNumber, length: Int)] = []
            try raw.segment.forEachRecord(in: scanner.payload, of: header, at: offset) { _, record, sequence in
                if record.table == key.table, equal(record.key, key.key.span) { found.append((sequence, record.document.count)) }
            }
            // Mostly one. Of a batch that wrote the key again and again some are taken at a time, from the end.
            while let last = found.last {
                var length = 0
                var start = found.count
                while start > 0, start == found.count || length + found[start - 1].length <= Self.batchBytes {
                    start -= 1
                    length += found[start].length
                }
                let first = found[start].number
                found.removeSubrange(start...)
                var versions: [(number: SequenceNumber, isDelete: Bool, document: [UInt8])] = []
                try raw.segment.forEachRecord(in: scanner.payload, of: header, at: offset) { _, record, sequence in
                    guard sequence >= first, sequence <= last.number, record.table == key.table, equal(record.key, key.key.span) else {
                        return
                    }
                    versions.append((sequence, record.isDelete, Array(record.document)))
                }
                for version in versions.reversed() {
                    let record = Record(
                        table: key.table, key: key.key.span, isDelete: version.isDelete, document: version.document.span)
                    try body(Operation(record, table: name, sequenceNumber: version.number, milliseconds: header.milliseconds))
                }
            }
        }
    }

    /// Documents of one frame that are held at a time.
    private static let batchBytes = 1 << 20

    private func history(
        of key: FullKey, _ name: String, in segment: SealedSegment, _ range: KeyRange, budget: Int,
        _ body: (borrowing Operation) throws -> Void
    ) throws {
        let stream = BlockStream([segment], range: range, isReversed: true, budget: budget / 2)
        defer { stream.stop() }
        let cursor = PlacesCursor()
        var places = BlockPlaces()
        while let block = try stream.next() {
            do throws(FormatError) { try places.read(block.raw, entry: block.entry!) } catch {
                throw LogDBError(error, in: segment.name, at: block.entry!.offset)
            }
            for place in places.places.reversed() where place.tag >> 1 == key.table {
                // SAFETY: the block is not given back before the next one is asked for.
                unsafe block.raw.withUnsafeBytes { bytes in unsafe cursor.show(place, in: bytes) }
                guard equal(cursor.key, key.key.span) else { continue }
                try body(Operation(cursor.record, table: name, sequenceNumber: cursor.sequence, milliseconds: cursor.milliseconds))
            }
        }
    }
}

/// Shows records of a block that somebody else holds.
private final class PlacesCursor: RecordCursor {}
