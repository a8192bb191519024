//===--- SalvageReplay.swift - what is left, in order -----------------------===//
//
//      base, oldest generation … newest      log, by number
//
// so that the last operation delivered of a key is its newest. Where a compaction was under way the base holds operations that the log has too; then the
// log has them delivered, and the base only those that the log lost, in their place: behind all that the log has up to the generation's
// greatest number, which is older.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct SalvageReplay {
    let log: LogPlan
    let base: BasePlan
    let committed: Set<UInt64>

    /// Delivers every operation that counts, those on the catalog too.
    ///
    /// - Parameters:
    ///   - lost: told of what held a moment ago and does not any more.
    ///   - progress: told of bytes of files that were read.
    func forEachRecord(
        lost: (SalvageFinding) -> Void, progress: (UInt64) throws -> Void, _ body: (Record, SequenceNumber) throws -> Void
    ) throws {
        var from: SequenceNumber = 0
        for generation in base.generations {
            let through = max(from, generation.lastSequence)
            if through > from {
                try replayLog(from + 1, through, lost, progress, body)
                from = through
            }
            for survey in generation.segments {
                let source = SealedSource(survey, shift: 0)
                while try source.advance(lost) {
                    try source.forEachRecord { record, sequence, _ in
                        if survey.isExact, logHolds(sequence) { return }
                        try body(record, sequence)
                    }
                    try progress(source.storedBytes)
                }
            }
        }
        try replayLog(from + 1, .max, lost, progress, body)
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
        _ from: SequenceNumber, _ through: SequenceNumber, _ lost: (SalvageFinding) -> Void, _ progress: (UInt64) throws -> Void,
        _ body: (Record, SequenceNumber) throws -> Void
    ) throws {
        for part in log.parts where part.first <= through && (part.last >= from || part.number == log.parts.last?.number) {
            let sources = try part.sources.map { try $0.makeSource() }
            for source in sources { _ = try source.advance(lost) }
            var delivered: SequenceNumber = 0
            while let source = LogSource.earliest(of: sources) {
                try source.forEachRecord { record, sequence, transaction in
                    if let transaction, !committed.contains(transaction) { return }
                    if sources.count > 1 {
                        guard sequence > delivered else { return }
                        delivered = sequence
                    }
                    guard sequence >= from, sequence <= through else { return }
                    try body(record, sequence)
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
    func forEachRecord(_ body: (Record, SequenceNumber, UInt64?) throws -> Void) throws {}

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

    override func forEachRecord(_ body: (Record, SequenceNumber, UInt64?) throws -> Void) throws {
        guard let entry else { return }
        try Self.forEachRecord(in: raw, entry, body)
    }

    private static func forEachRecord(
        in raw: borrowing ByteBuffer, _ entry: BlockEntry, _ body: (Record, SequenceNumber, UInt64?) throws -> Void
    ) throws {
        var reader = try BlockReader(raw.span, entry: entry)
        while try reader.hasNext() {
            let record = try reader.next()
            try body(record, reader.sequence, nil)
        }
    }
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

    override func forEachRecord(_ body: (Record, SequenceNumber, UInt64?) throws -> Void) throws {
        guard let header else { return }
        try Self.forEachRecord(in: scanner, header, before: reading.limit, body)
    }

    private static func forEachRecord(
        in scanner: borrowing FrameScanner, _ header: FrameHeader, before limit: SequenceNumber,
        _ body: (Record, SequenceNumber, UInt64?) throws -> Void
    ) throws {
        var reader = ByteReader(scanner.payload)
        let transaction = header.kind == .transactionOperations ? try reader.varint() : nil
        var sequence = header.sequence
        while !reader.isAtEnd, sequence < limit {
            let record = try reader.record()
            try body(record, sequence, transaction)
            sequence += 1
        }
    }
}
