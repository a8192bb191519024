//===--- SalvageReplay.swift - what is left, in order -----------------------===//
//
//      base, history  ──by number──┐
//                                  ├─▶  by number
//      log            ─────────────┘
//
// so that the last operation delivered of a key is its newest, and savepoints stand where they stood. What of the base has no numbers, for its index is damaged,
// is delivered behind everything up to the greatest number in its generation: it is older than what follows, and of each key the newest up to there.
//
// Where a compaction was under way base and history hold operations that the log has too; then the log has them delivered.
//
// In the history a delete stands before the older documents of its key. If it may have been in what is missing, these must not come back: the key at the edge
// of a hole is left out.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct SalvageReplay {
    let log: LogPlan
    let base: BasePlan
    let history: BasePlan
    let committed: Set<UInt64>

    /// An operation that counts. Its number is the old one, 0 where nobody knows it; so is its time.
    typealias Body = (_ record: Record, _ sequence: SequenceNumber, _ milliseconds: Int64) throws -> Void

    /// Delivers every operation that counts, those on the catalog too.
    ///
    /// - Parameters:
    ///   - sorter: made for it.
    ///   - lost: told of what held a moment ago and does not any more.
    ///   - progress: told of bytes of files that were read.
    func forEachRecord(
        sorting sorter: NumberSorter, lost: (SalvageFinding) -> Void, progress: (UInt64) throws -> Void, _ body: Body
    ) throws {
        for generation in base.generations {
            for survey in generation.segments where survey.isExact { try sort(survey, into: sorter, leavingFirst: false, lost, progress) }
        }
        for generation in history.generations {
            var isEdge = false
            for survey in generation.segments {
                try sort(survey, into: sorter, leavingFirst: isEdge || history.lacksSegments, lost, progress)
                isEdge = survey.holes.last.map { $0.nextBlock == survey.blocks.count } ?? false
            }
        }
        try sorter.sort()
        var compacted = try sorter.next()
        // What has no numbers, with those that it comes behind.
        var unnumbered = base.generations.map { (through: $0.lastSequence, surveys: $0.segments.filter { !$0.isExact }) }[...]
        var milliseconds: Int64 = 0
        func deliverUnnumbered(before sequence: SequenceNumber) throws {
            while let first = unnumbered.first, first.through < sequence {
                unnumbered.removeFirst()
                for survey in first.surveys {
                    let source = SealedSource(survey, shift: 0)
                    while try source.advance(lost) {
                        try source.forEachRecord { record, _, _, _ in try body(record, 0, milliseconds) }
                        try progress(source.storedBytes)
                    }
                }
            }
        }
        func deliverCompacted(before sequence: SequenceNumber) throws {
            while let cursor = compacted, cursor.sequence < sequence {
                try deliverUnnumbered(before: cursor.sequence)
                milliseconds = cursor.milliseconds
                try NumberSorter.unpack(cursor, body)
                compacted = try sorter.next()
            }
            try deliverUnnumbered(before: sequence)
        }
        try replayLog(lost, progress) { record, sequence, time in
            try deliverCompacted(before: sequence)
            milliseconds = time ?? milliseconds
            try body(record, sequence, milliseconds)
        }
        try deliverCompacted(before: .max)
    }

    private func sort(
        _ survey: SealedSurvey, into sorter: NumberSorter, leavingFirst: Bool, _ lost: (SalvageFinding) -> Void,
        _ progress: (UInt64) throws -> Void
    ) throws {
        let source = SealedSource(survey, shift: 0)
        var edges = survey.isHistory ? Set(survey.holes.map(\.nextBlock)) : []
        if leavingFirst { edges.insert(0) }
        var left: FullKey?
        var seen = 0
        while try source.advance({ finding in
            // What is lost now makes an edge as well.
            if survey.isHistory { edges.insert(seen + 1) }
            lost(finding)
        }) {
            var isFirst = edges.contains(source.index)
            try source.forEachRecord { record, sequence, milliseconds, _ in
                if isFirst {
                    left = FullKey(record)
                    isFirst = false
                }
                if let key = left {
                    if key == FullKey(record) { return }
                    left = nil
                }
                if logHolds(sequence) { return }
                try sorter.add(record, sequence, milliseconds ?? 0)
            }
            seen = source.index + 1
            try progress(source.storedBytes)
        }
    }

    /// Whether the operation with this number is one that the log has.
    private func logHolds(_ sequence: SequenceNumber) -> Bool {
        guard let first = log.parts.first?.first, sequence >= first, let last = log.parts.last?.last, sequence <= last else { return false }
        // The last hole that begins at or before the number.
        var low = 0
        var high = log.holes.count
        while low < high {
            let middle = (low + high) / 2
            if log.holes[middle].first <= sequence { low = middle + 1 } else { high = middle }
        }
        return low == 0 || !log.holes[low - 1].overlaps(sequence...sequence)
    }

    private func replayLog(
        _ lost: (SalvageFinding) -> Void, _ progress: (UInt64) throws -> Void,
        _ body: (Record, SequenceNumber, Int64?) throws -> Void
    ) throws {
        for part in log.parts {
            let sources = try part.sources.map { try $0.makeSource() }
            for source in sources { _ = try source.advance(lost) }
            var delivered: SequenceNumber = 0
            while let source = LogSource.earliest(of: sources) {
                try source.forEachRecord { record, sequence, milliseconds, transaction in
                    if let transaction, !committed.contains(transaction) { return }
                    if sources.count > 1 {
                        guard sequence > delivered else { return }
                        delivered = sequence
                    }
                    try body(record, sequence, milliseconds)
                }
                try progress(source.storedBytes)
                _ = try source.advance(lost)
            }
        }
    }
}

/// Some operations at a time: those of a frame, or of a block.
class LogSource {
    /// The number of the first of them; nil at the end.
    final var firstSequence: SequenceNumber?
    /// Bytes that they take in the file.
    final var storedBytes: UInt64 = 0

    func advance(_ lost: (SalvageFinding) -> Void) throws -> Bool { preconditionFailure("a source must know how to advance") }
    /// Calls `body` with each, its number, its time where it is known, and its transaction.
    func forEachRecord(_ body: (Record, SequenceNumber, Int64?, UInt64?) throws -> Void) throws {}

    static func earliest(of sources: [LogSource]) -> LogSource? {
        var result: LogSource?
        for source in sources {
            guard let first = source.firstSequence else { continue }
            if let least = result?.firstSequence, least <= first { continue }
            result = source
        }
        return result
    }
}

extension LogPart.Source {
    fileprivate func makeSource() throws -> LogSource {
        switch self {
        case .raw(let reading): try RawSource(reading)
        case .sealed(let reading): SealedSource(reading.survey, shift: reading.shift)
        }
    }
}

/// The blocks of a sealed segment that hold.
final class SealedSource: LogSource {
    private let survey: SealedSurvey
    private let shift: SequenceNumber
    private var file: (any File)?
    private let decompressor: any BlockDecompressor
    private var raw = ByteBuffer()
    private var next = 0
    private var entry: BlockEntry?

    init(_ survey: SealedSurvey, shift: SequenceNumber) {
        self.survey = survey
        self.shift = shift
        decompressor = survey.container.makeDecompressor()
    }

    override func advance(_ lost: (SalvageFinding) -> Void) throws -> Bool {
        raw.removeAll()
        raw.shrink(to: 2 * BlockBuilder.targetRawLength)
        while next < survey.blocks.count {
            var block = survey.blocks[next]
            next += 1
            block.firstSequence += shift
            storedBytes = UInt64(block.storedLength)
            if try unpack(block) {
                entry = block
                firstSequence = block.firstSequence
                return true
            }
            let behind = next < survey.blocks.count ? survey.blocks[next].firstSequence + shift - 1 : nil
            lost(
                SalvageFinding(
                    .lost, file: survey.file.name, bytes: block.offset..<(block.offset + UInt64(block.storedLength)),
                    from: survey.isKeyOrdered ? nil : block.firstSequence, through: survey.isKeyOrdered ? nil : behind,
                    operations: UInt64(block.recordCount), "a block changed while it was being read"))
        }
        entry = nil
        firstSequence = nil
        return false
    }

    private func unpack(_ block: BlockEntry) throws -> Bool {
        let handle = try file ?? survey.file.open()
        file = handle
        let stored = try mapped { () throws(FileError) in try handle.read(at: block.offset, count: block.storedLength) }
        guard stored.count == block.storedLength, block.checksum == 0 && !survey.isExact || Checksum.crc32c(stored.span) == block.checksum,
            (try? decompressor.decompress(stored.span, rawLength: block.rawLength, into: &raw)) != nil
        else { return false }
        return Self.isWhole(raw, block)
    }

    private static func isWhole(_ raw: borrowing ByteBuffer, _ block: BlockEntry) -> Bool {
        guard var reader = try? BlockReader(raw.span, entry: block) else { return false }
        do throws(FormatError) {
            while try reader.hasNext() { _ = try reader.next() }
            return true
        } catch { return false }
    }

    override func forEachRecord(_ body: (Record, SequenceNumber, Int64?, UInt64?) throws -> Void) throws {
        guard let entry else { return }
        try Self.forEachRecord(in: raw, entry, hasTimes: survey.isExact, body)
    }

    private static func forEachRecord(
        in raw: borrowing ByteBuffer, _ entry: BlockEntry, hasTimes: Bool, _ body: (Record, SequenceNumber, Int64?, UInt64?) throws -> Void
    ) throws {
        var reader = try BlockReader(raw.span, entry: entry)
        while try reader.hasNext() {
            let record = try reader.next()
            try body(record, reader.sequence, hasTimes ? reader.milliseconds : nil, nil)
        }
    }

    /// The number of the block at hand among those that held.
    var index: Int { next - 1 }
}

/// The frames of a raw segment that hold and have operations.
final class RawSource: LogSource {
    private let reading: RawReading
    private let file: any File
    private let seed: UInt32
    private var scanner: FrameScanner
    private var header: FrameHeader?
    private var run = -1
    private var runEnd: UInt64 = 0

    init(_ reading: RawReading) throws {
        self.reading = reading
        file = try reading.survey.file.open()
        // Where no seed is known there is no run.
        seed = reading.survey.seed ?? 0
        scanner = FrameScanner(file, seed: seed, from: 0, limit: 0)
    }

    override func advance(_ lost: (SalvageFinding) -> Void) throws -> Bool {
        while true {
            while let found = try mapped({ () throws(FileError) in try scanner.next() }) {
                guard found.kind == .operations || found.kind == .transactionOperations else { continue }
                header = found
                firstSequence = found.sequence
                storedBytes = UInt64(found.frameLength)
                return true
            }
            if scanner.offset < runEnd {
                let known = reading.runs[run]
                lost(
                    SalvageFinding(
                        .lost, file: file.name, bytes: scanner.offset..<runEnd, from: header?.sequence ?? known.firstSequence,
                        through: known.nextSequence, "frames changed while they were being read"))
            }
            run += 1
            guard run < reading.runs.count else { break }
            runEnd = reading.runs[run].end
            scanner = FrameScanner(file, seed: seed, from: reading.runs[run].start, limit: runEnd)
        }
        header = nil
        firstSequence = nil
        return false
    }

    override func forEachRecord(_ body: (Record, SequenceNumber, Int64?, UInt64?) throws -> Void) throws {
        guard let header else { return }
        try Self.forEachRecord(in: scanner, header, before: reading.limit, body)
    }

    private static func forEachRecord(
        in scanner: borrowing FrameScanner, _ header: FrameHeader, before limit: SequenceNumber,
        _ body: (Record, SequenceNumber, Int64?, UInt64?) throws -> Void
    ) throws {
        var reader = ByteReader(scanner.payload)
        let transaction = header.kind == .transactionOperations ? try reader.varint() : nil
        var sequence = header.sequence
        while !reader.isAtEnd, sequence < limit {
            let record = try reader.record()
            try body(record, sequence, header.milliseconds, transaction)
            sequence += 1
        }
    }
}
