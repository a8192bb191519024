//===--- RawSurvey.swift - which frames of a raw segment hold ---------------===//
//
//      | header | run of frames | bad | run of frames | bad … | zeros |
//
// Reads the file once, from front to back, and notes the runs of frames that hold: whole, proven, decodable, with sequence numbers that go on from one
// to the next. What a gap between them means, and whether a run is part of the log at all, is for the plan to say: that needs the other files.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// Frames that hold, one behind the other.
struct FrameRun {
    var start: UInt64
    var end: UInt64
    /// The sequence number of the first frame, and the one that a frame behind the last would have.
    var firstSequence: SequenceNumber
    var nextSequence: SequenceNumber
}

struct RawSurvey {
    let file: SalvageFile
    /// The seed of the frames' checksums; nil where the header is gone and no frame told it.
    var seed: UInt32?
    var runs: [FrameRun] = []
    /// The greatest log position that a frame or mark claims to be synced.
    var claim: UInt64 = 0
    /// Offset behind the last byte that is not zero.
    var writtenEnd: UInt64 = 0
    /// Offset behind which nothing was looked at, because it was too much.
    var givenUp: UInt64?

    /// Runs kept for one file, and searches for the next. Behind the last of them the file is given up: so much damage leaves little to hope
    /// for, and a list of it must end.
    static let maximumRuns = 20_000

    /// - Parameter identities: those that the file may have, where its header does not say.
    /// - Parameter ring: where the writer may have left what the file lacks.
    init(_ file: SalvageFile, identities: [UInt64], ring: RingReading? = nil, progress: (UInt64) throws -> Void) throws {
        self.file = file
        let handle = try file.open()
        var meter = WorkMeter(fileSize: file.size)
        if let header = file.header {
            seed = Checksum.seed(identity: header.identity)
        } else {
            seed = try mapped { () throws(FileError) in
                try Self.findSeed(handle, size: file.size, identities.map { Checksum.seed(identity: $0) }, &meter)
            }
        }
        guard let seed else {
            writtenEnd = file.size
            try progress(file.size)
            return
        }
        // Where the header is gone it cannot be told, and everything that is not zero may have been a frame.
        let isRecycled = file.rawHeader?.isRecycled ?? false
        var position = RawSegment.frameOrigin
        var searches = 0
        while position < file.size {
            let stop = try follow(handle, seed, from: position, progress)
            let search = try mapped { () throws(FileError) in
                try FrameSearch.next(handle, seed: seed, isRecycled: isRecycled, from: stop, limit: file.size, &meter)
            }
            claim = max(claim, search.claim)
            writtenEnd = max(writtenEnd, search.writtenEnd)
            guard let found = search.offset else {
                if meter.isExhausted { givenUp = stop }
                break
            }
            searches += 1
            guard max(runs.count, searches) < Self.maximumRuns else {
                givenUp = found
                writtenEnd = file.size
                break
            }
            position = found
        }
        if let ring { try goOn(in: ring, seed) }
        try progress(file.size)
    }

    /// Takes in what the ring holds behind the last run.
    private mutating func goOn(in ring: RingReading, _ seed: UInt32) throws {
        guard let header = file.rawHeader, header.file.database == ring.database else { return }
        let start = runs.last?.end ?? RawSegment.frameOrigin
        guard start < file.size else { return }
        // What of the ring cannot be read is as if it were not there.
        let bytes = try? ring.frames(
            from: header.basePosition &+ start, seed: seed, sequence: runs.last?.nextSequence ?? header.firstSequence,
            limit: file.size - start
        ) { _ in false }
        guard let bytes, !bytes.isEmpty else { return }
        file.continuation = (start, bytes)
        _ = try follow(try file.open(), seed, from: start) { _ in }
    }

    /// Follows frames from `start`, in as many runs as their numbers make. Returns where that ends.
    private mutating func follow(
        _ handle: any File, _ seed: UInt32, from start: UInt64, _ progress: (UInt64) throws -> Void
    ) throws -> UInt64 {
        var scanner = FrameScanner(handle, seed: seed, from: start, limit: file.size)
        var run: FrameRun?
        var end = start
        while let header = try mapped({ () throws(FileError) in try scanner.next() }) {
            guard header.sequence < 1 << 62, let count = RawFrame.recordCount(scanner.payload, of: header) else {
                // It says what no frame of a segment says: it does not hold, whatever its checksum. Looking goes on behind it.
                if let run { runs.append(run) }
                run = nil
                end = scanner.offset
                return end
            }
            let next = header.sequence + UInt64(count)
            if run == nil || run!.nextSequence != header.sequence {
                if let run { runs.append(run) }
                run = FrameRun(start: scanner.frameOffset, end: 0, firstSequence: header.sequence, nextSequence: next)
            }
            end = scanner.offset
            run!.end = end
            run!.nextSequence = next
            if end & 0xF_FFFF < UInt64(header.frameLength) { try progress(end) }
        }
        claim = max(claim, scanner.claim)
        writtenEnd = max(writtenEnd, end)
        if let run { runs.append(run) }
        return end
    }

    // MARK: - Without a header

    /// The seed of the first frame that holds with any of `seeds`; where there are none the one that the first whole frame itself was made with.
    private static func findSeed(
        _ handle: any File, size: UInt64, _ seeds: [UInt32], _ meter: inout WorkMeter
    ) throws(FileError) -> UInt32? {
        for seed in seeds {
            let search = try FrameSearch.next(handle, seed: seed, from: RawSegment.frameOrigin, limit: size, &meter)
            if search.offset != nil { return seed }
        }
        // Where it is known what its frames were made with, others are left from an earlier life of the file.
        guard seeds.isEmpty else { return nil }
        var position = RawSegment.frameOrigin
        while position < size, !meter.isExhausted {
            let chunk = try handle.read(at: position, count: Int(clamping: min(1 << 20, size - position)))
            var index = 0
            while index + FrameHeader.length <= chunk.count, !meter.isExhausted {
                let bytes = chunk.span.extracting(index..<(index + FrameHeader.length))
                let start = position + UInt64(index)
                index += 8
                guard let seed = FrameHeader.seed(fitting: bytes), let header = FrameHeader.decode(bytes, seed: seed),
                    header.payloadLength > 0, UInt64(header.frameLength) <= size - start
                else { continue }
                let payload = try handle.read(at: start + UInt64(FrameHeader.length), count: header.frameLength - FrameHeader.length)
                if header.validates(payload.span, seed: seed),
                    RawFrame.recordCount(payload.span.extracting(0..<header.payloadLength), of: header) != nil
                {
                    return seed
                }
                meter.pay(header.frameLength)
            }
            guard chunk.count == 1 << 20 else { break }
            position += UInt64(index)
        }
        return nil
    }
}

/// The contents of a frame of a raw segment.
enum RawFrame {
    /// How many records a proven frame holds; nil for one that no raw segment can hold.
    static func recordCount(_ payload: Span<UInt8>, of header: FrameHeader) -> Int? {
        var reader = ByteReader(payload)
        var count = 0
        do throws(FormatError) {
            switch header.kind {
            case .operations: break
            case .transactionOperations: _ = try reader.varint()
            case .commit, .rollback:
                _ = try reader.varint()
                return reader.isAtEnd ? 0 : nil
            case .mark, .manifestEdits: return nil
            }
            while !reader.isAtEnd {
                _ = try reader.record()
                count += 1
            }
            return count
        } catch { return nil }
    }

    /// The number of the transaction that the frame belongs to, begins or ends.
    static func transaction(_ payload: Span<UInt8>, of header: FrameHeader) -> UInt64? {
        guard header.kind != .operations else { return nil }
        var reader = ByteReader(payload)
        return try? reader.varint()
    }
}
