//===--- ManifestEdit.swift - what is live, and how it changes -------------===//
//
// The payload of a manifest frame is a list of edits; a frame is atomic, so its edits happen together or not at all. The
// first frame of a manifest holds the edits that build the whole state.
//
//      1 addRaw       number · identity u64 · allocated                       a raw segment exists and is at least this long
//      2 closeRaw     number · end · endPosition · lastSequence               every byte before `end` is synced; nothing follows it
//      3 reopenRaw    number · allocated                                      appending goes on behind `end`
//      4 removeRaw    number
//      5 addSealed    number · identity u64 · method u8 · level u8 · order u8 · generation · fileLength · rawLength · records ·
//                     firstSequence · lastSequence · endPosition · digest u32 · flags u8 (1: holds operations on table 0, 2: holds documents that expire)
//                     takes the place of the raw segment of that number
//      6 removeSealed number
//      7 counters     nextSegment · nextTable · lastSequence · endPosition    floors: none of them ever goes back
//      8 recovered    time (signed) · tornBytes · segment · offset · removedFiles     what the last recovery found
//      9 addBase      the fields of addSealed, then least key and greatest key: table · length · bytes each
//     10 removeBase   number
//     11 compacted    number · identity u64 · lastSequence · endPosition · digest u32      the last segment of the log that the base took in
//     12 addHistory   as addBase           13 removeHistory number           14 horizon, 15 ladder, 16 expired: see FileFormat.md
//
// Every number without a width is a varint. Segments are listed in log order, which is the order of their numbers.
//===-----------------------------------------------------------------------===//

package struct RawSegmentEntry: Equatable, Sendable {
    package var number: UInt64
    package var identity: UInt64
    /// The file is at least this long, unless it was closed.
    package var allocated: UInt64
    /// Where a closed segment ends.
    package var end: UInt64?
    package var endPosition: UInt64 = 0
    package var lastSequence: UInt64 = 0

    package init(number: UInt64, identity: UInt64, allocated: UInt64) {
        self.number = number
        self.identity = identity
        self.allocated = allocated
    }
}

package struct SealedSegmentEntry: Equatable, Sendable {
    package var number: UInt64
    package var identity: UInt64
    package var codec: BlockCodec
    package var order: SegmentHeader.Order
    package var generation: UInt64
    package var fileLength: UInt64
    package var rawLength: UInt64
    package var records: UInt64
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    /// Log position of the end of the raw segment this one was made from.
    package var endPosition: UInt64
    package var digest: UInt32
    package var holdsCatalog: Bool
    package var holdsExpiring = false
    /// Key order only: the first key in it and the last.
    package var leastKey = FullKey(table: 0, key: [])
    package var greatestKey = FullKey(table: 0, key: [])

    package init(
        number: UInt64, identity: UInt64, codec: BlockCodec, order: SegmentHeader.Order = .log, generation: UInt64 = 0,
        fileLength: UInt64, rawLength: UInt64, records: UInt64, firstSequence: UInt64, lastSequence: UInt64, endPosition: UInt64,
        digest: UInt32, holdsCatalog: Bool
    ) {
        self.number = number
        self.identity = identity
        self.codec = codec
        self.order = order
        self.generation = generation
        self.fileLength = fileLength
        self.rawLength = rawLength
        self.records = records
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.endPosition = endPosition
        self.digest = digest
        self.holdsCatalog = holdsCatalog
    }
}

extension SealedSegmentEntry {
    fileprivate func append(to buffer: inout ByteBuffer) {
        buffer.append(varint: number)
        buffer.append(u64: identity)
        buffer.append(codec.code.method)
        buffer.append(codec.code.level)
        buffer.append(order.rawValue)
        for field in [generation, fileLength, rawLength, records, firstSequence, lastSequence, endPosition] { buffer.append(varint: field) }
        buffer.append(u32: digest)
        buffer.append((holdsCatalog ? 1 : 0) | (holdsExpiring ? 2 : 0) as UInt8)
    }
}

/// The last segment of the log that compaction took into the base: what the first one that is left must follow.
package struct CompactedLog: Equatable, Sendable {
    package var number: UInt64 = 0
    package var identity: UInt64 = 0
    package var lastSequence: UInt64 = 0
    package var endPosition: UInt64 = 0
    package var digest: UInt32 = 0

    package init() {}

    package init(number: UInt64, identity: UInt64, lastSequence: UInt64, endPosition: UInt64, digest: UInt32) {
        self.number = number
        self.identity = identity
        self.lastSequence = lastSequence
        self.endPosition = endPosition
        self.digest = digest
    }

    package init(_ segment: SealedSegmentEntry) {
        self.init(
            number: segment.number, identity: segment.identity, lastSequence: segment.lastSequence, endPosition: segment.endPosition,
            digest: segment.digest)
    }
}

/// From when on history is complete: every state as of `sequence` or later can be told.
package struct HistoryHorizon: Equatable, Sendable {
    package var sequence: UInt64
    /// When that operation was made, or later.
    package var milliseconds: Int64

    package init(sequence: UInt64 = 0, milliseconds: Int64 = 0) {
        self.sequence = sequence
        self.milliseconds = milliseconds
    }
}

/// What compactions have cleared away because it had expired.
package struct ExpiryHorizon: Equatable, Sendable {
    /// The greatest number of such a document's operation.
    package var sequence: UInt64
    /// The latest expiry of them: what was there at an earlier time is not known any more.
    package var milliseconds: Int64

    package init(sequence: UInt64 = 0, milliseconds: Int64 = 0) {
        self.sequence = sequence
        self.milliseconds = milliseconds
    }

    /// The horizon of both together.
    package func joined(_ other: ExpiryHorizon) -> ExpiryHorizon {
        ExpiryHorizon(sequence: max(sequence, other.sequence), milliseconds: max(milliseconds, other.milliseconds))
    }
}

/// Since when compactions have gone by one and the same ladder of a table.
package struct LadderRecord: Equatable, Sendable {
    /// Of the ladder, as the catalog spells it; 0 takes the record away.
    package var checksum: UInt32
    /// From when on each instant of a rung can be told, in milliseconds since 1970.
    package var since: Int64
    /// The latest time that a compaction measured from.
    package var now: Int64

    package init(checksum: UInt32, since: Int64, now: Int64) {
        self.checksum = checksum
        self.since = since
        self.now = now
    }
}

package struct RecoverySummary: Equatable, Sendable {
    package var milliseconds: Int64
    package var tornBytes: UInt64
    /// Where the log was cut: segment number and offset; 0 where nothing was.
    package var segment: UInt64
    package var offset: UInt64
    package var removedFiles: UInt64

    package init(milliseconds: Int64, tornBytes: UInt64, segment: UInt64, offset: UInt64, removedFiles: UInt64) {
        self.milliseconds = milliseconds
        self.tornBytes = tornBytes
        self.segment = segment
        self.offset = offset
        self.removedFiles = removedFiles
    }
}

package enum ManifestEdit: Equatable, Sendable {
    case addRaw(RawSegmentEntry)
    case closeRaw(number: UInt64, end: UInt64, endPosition: UInt64, lastSequence: UInt64)
    case reopenRaw(number: UInt64, allocated: UInt64)
    case removeRaw(number: UInt64)
    case addSealed(SealedSegmentEntry)
    case removeSealed(number: UInt64)
    case counters(nextSegment: UInt64, nextTable: UInt64, lastSequence: UInt64, endPosition: UInt64)
    case recovered(RecoverySummary)
    case addBase(SealedSegmentEntry)
    case removeBase(number: UInt64)
    case compacted(CompactedLog)
    case addHistory(SealedSegmentEntry)
    case removeHistory(number: UInt64)
    /// `table` nil: the horizon of all tables that have none of their own.
    case horizon(table: UInt64?, HistoryHorizon)
    case ladder(table: UInt64, LadderRecord)
    /// `table` nil: of all tables that have no horizon of their own.
    case expired(table: UInt64?, ExpiryHorizon)

    package func append(to buffer: inout ByteBuffer) {
        switch self {
        case .addRaw(let entry):
            buffer.append(1 as UInt8)
            buffer.append(varint: entry.number)
            buffer.append(u64: entry.identity)
            buffer.append(varint: entry.allocated)
        case .closeRaw(let number, let end, let endPosition, let lastSequence):
            buffer.append(2 as UInt8)
            for field in [number, end, endPosition, lastSequence] { buffer.append(varint: field) }
        case .reopenRaw(let number, let allocated):
            buffer.append(3 as UInt8)
            for field in [number, allocated] { buffer.append(varint: field) }
        case .removeRaw(let number):
            buffer.append(4 as UInt8)
            buffer.append(varint: number)
        case .addSealed(let entry):
            buffer.append(5 as UInt8)
            entry.append(to: &buffer)
        case .removeSealed(let number):
            buffer.append(6 as UInt8)
            buffer.append(varint: number)
        case .counters(let nextSegment, let nextTable, let lastSequence, let endPosition):
            buffer.append(7 as UInt8)
            for field in [nextSegment, nextTable, lastSequence, endPosition] { buffer.append(varint: field) }
        case .recovered(let summary):
            buffer.append(8 as UInt8)
            buffer.append(signedVarint: summary.milliseconds)
            for field in [summary.tornBytes, summary.segment, summary.offset, summary.removedFiles] { buffer.append(varint: field) }
        case .addBase(let entry):
            buffer.append(9 as UInt8)
            entry.append(to: &buffer)
            entry.leastKey.append(to: &buffer)
            entry.greatestKey.append(to: &buffer)
        case .removeBase(let number):
            buffer.append(10 as UInt8)
            buffer.append(varint: number)
        case .compacted(let log):
            buffer.append(11 as UInt8)
            buffer.append(varint: log.number)
            buffer.append(u64: log.identity)
            buffer.append(varint: log.lastSequence)
            buffer.append(varint: log.endPosition)
            buffer.append(u32: log.digest)
        case .addHistory(let entry):
            buffer.append(12 as UInt8)
            entry.append(to: &buffer)
            entry.leastKey.append(to: &buffer)
            entry.greatestKey.append(to: &buffer)
        case .removeHistory(let number):
            buffer.append(13 as UInt8)
            buffer.append(varint: number)
        case .horizon(let table, let horizon):
            buffer.append(14 as UInt8)
            buffer.append(varint: table.map { $0 + 1 } ?? 0)
            buffer.append(varint: horizon.sequence)
            buffer.append(signedVarint: horizon.milliseconds)
        case .ladder(let table, let record):
            buffer.append(15 as UInt8)
            buffer.append(varint: table)
            buffer.append(u32: record.checksum)
            buffer.append(signedVarint: record.since)
            buffer.append(signedVarint: record.now)
        case .expired(let table, let horizon):
            buffer.append(16 as UInt8)
            buffer.append(varint: table.map { $0 + 1 } ?? 0)
            buffer.append(varint: horizon.sequence)
            buffer.append(varint: UInt64(horizon.milliseconds))
        }
    }

    /// Decodes the edits of one frame.
    package static func decode(_ payload: Span<UInt8>) throws(FormatError) -> [ManifestEdit] {
        var reader = ByteReader(payload)
        var edits: [ManifestEdit] = []
        while !reader.isAtEnd { edits.append(try decodeOne(&reader)) }
        return edits
    }

    private static func decodeOne(_ reader: inout ByteReader) throws(FormatError) -> ManifestEdit {
        let start = reader.position
        switch try reader.u8() {
        case 1:
            return .addRaw(RawSegmentEntry(number: try reader.varint(), identity: try reader.u64(), allocated: try reader.varint()))
        case 2:
            return .closeRaw(
                number: try reader.varint(), end: try reader.varint(), endPosition: try reader.varint(),
                lastSequence: try reader.varint())
        case 3: return .reopenRaw(number: try reader.varint(), allocated: try reader.varint())
        case 4: return .removeRaw(number: try reader.varint())
        case 5:
            let entry = try decodeSealed(&reader)
            guard entry.order == .log, entry.generation == 0 else {
                throw FormatError(.corrupted, "the manifest lists a segment of the log in key order", at: start)
            }
            return .addSealed(entry)
        case 6: return .removeSealed(number: try reader.varint())
        case 7:
            return .counters(
                nextSegment: try reader.varint(), nextTable: try reader.varint(), lastSequence: try reader.varint(),
                endPosition: try reader.varint())
        case 8:
            return .recovered(
                RecoverySummary(
                    milliseconds: try reader.signedVarint(), tornBytes: try reader.varint(), segment: try reader.varint(),
                    offset: try reader.varint(), removedFiles: try reader.varint()))
        case 9:
            var entry = try decodeSealed(&reader)
            guard entry.order == .key else { throw FormatError(.corrupted, "the manifest lists a base segment in log order", at: start) }
            entry.leastKey = try reader.fullKey()
            entry.greatestKey = try reader.fullKey()
            return .addBase(entry)
        case 10: return .removeBase(number: try reader.varint())
        case 11:
            return .compacted(
                CompactedLog(
                    number: try reader.varint(), identity: try reader.u64(), lastSequence: try reader.varint(),
                    endPosition: try reader.varint(), digest: try reader.u32()))
        case 12:
            var entry = try decodeSealed(&reader)
            guard entry.order == .version else { throw FormatError(.corrupted, "the manifest lists history in another order", at: start) }
            entry.leastKey = try reader.fullKey()
            entry.greatestKey = try reader.fullKey()
            return .addHistory(entry)
        case 13: return .removeHistory(number: try reader.varint())
        case 14:
            let scope = try reader.varint()
            return .horizon(
                table: scope == 0 ? nil : scope - 1,
                HistoryHorizon(sequence: try reader.varint(), milliseconds: try reader.signedVarint()))
        case 15:
            return .ladder(
                table: try reader.varint(),
                LadderRecord(checksum: try reader.u32(), since: try reader.signedVarint(), now: try reader.signedVarint()))
        case 16:
            let scope = try reader.varint()
            let sequence = try reader.varint()
            let milliseconds = try reader.count(limit: Int(Expiry.range.upperBound), of: "an expiry")
            return .expired(
                table: scope == 0 ? nil : scope - 1, ExpiryHorizon(sequence: sequence, milliseconds: Int64(milliseconds)))
        case let tag: throw FormatError(.corrupted, "the manifest holds an edit of unknown kind \(tag)", at: start)
        }
    }

    private static func decodeSealed(_ reader: inout ByteReader) throws(FormatError) -> SealedSegmentEntry {
        let number = try reader.varint()
        let identity = try reader.u64()
        let codec = try BlockCodec(method: try reader.u8(), level: try reader.u8())
        let start = reader.position
        guard let order = SegmentHeader.Order(rawValue: try reader.u8()) else {
            throw FormatError(.corrupted, "the manifest names an unknown segment order", at: start)
        }
        let generation = try reader.varint()
        let fileLength = try reader.varint()
        let rawLength = try reader.varint()
        let records = try reader.varint()
        let firstSequence = try reader.varint()
        let lastSequence = try reader.varint()
        let endPosition = try reader.varint()
        let digest = try reader.u32()
        let flags = try reader.u8()
        guard flags < 4 else { throw FormatError(.corrupted, "the manifest has unknown flags \(flags)", at: reader.position - 1) }
        var entry = SealedSegmentEntry(
            number: number, identity: identity, codec: codec, order: order, generation: generation, fileLength: fileLength,
            rawLength: rawLength, records: records, firstSequence: firstSequence, lastSequence: lastSequence, endPosition: endPosition,
            digest: digest, holdsCatalog: flags & 1 == 1)
        entry.holdsExpiring = flags & 2 == 2
        return entry
    }
}
