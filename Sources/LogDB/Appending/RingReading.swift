//===--- RingReading.swift - what the ring holds beyond the segment --------===//
//
// The last raw segment's frames go on in the ring where those in the file stop: the byte at log position p is at p mod capacity. Of what is found
// there a frame counts if
//
//   * it holds: both checksums, seeded with the segment's identity, so it was appended to this segment;
//   * its sequence number is the next one, so it is the frame that came next, and not one that lay at this place a ring's length before;
//   * being without an operation, it ends a transaction that has not ended: of those the sequence number alone does not tell.
//
// At the first place that has no such frame the log ends. So nothing can be read from a ring that is missing, foreign, damaged, older, or, after
// a power cut, a mixture of all its states, but frames that were appended, in their order.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct RingReading {
    let database: FileHeader.DatabaseIdentity
    private let file: any File
    private let capacity: UInt64

    /// Opens the ring in `directory`; nil where there is none, or, if a database is named, none of that one.
    ///
    /// - Throws: where there is one that cannot be read, or is of a later version: it may hold what was acknowledged.
    static func open(in directory: any Directory, database: FileHeader.DatabaseIdentity?) throws(LogDBError) -> RingReading? {
        let file: any File
        let bytes: [UInt8]
        let size: UInt64
        do throws(FileError) {
            file = try directory.open(FileNames.ring, for: .reading)
            bytes = try file.read(at: 0, count: RingHeader.length)
            size = try file.size()
        } catch {
            if error.code == .notFound { return nil }
            throw LogDBError(error)
        }
        let header: RingHeader
        do throws(FormatError) { header = try RingHeader(decoding: bytes.span) } catch {
            if error.kind == .unsupportedFormat { throw LogDBError(error, in: FileNames.ring) }
            return nil
        }
        guard database == nil || header.file.database == database, size >= UInt64(RingHeader.origin) + header.capacity else { return nil }
        return RingReading(database: header.file.database, file: file, capacity: header.capacity)
    }

    /// The frames from log position `position` on, at most `limit` bytes and what the ring can hold.
    ///
    /// - Parameter sequence: the number of the next operation.
    /// - Parameter hasEnded: whether the transaction of this number was committed or rolled back.
    func frames(
        from position: UInt64, seed: UInt32, sequence: SequenceNumber, limit: UInt64, hasEnded: (UInt64) -> Bool
    ) throws(LogDBError) -> [UInt8] {
        // All at once: beside a writer it is then one moment's ring, up to where the writer was just storing.
        let line = try bytes(at: position, count: Int(min(limit, capacity)))
        let span = line.span
        var end = 0
        var sequence = sequence
        var ended: Set<UInt64> = []
        scan: while span.count - end >= FrameHeader.length {
            guard let header = FrameHeader.decode(span.extracting(end..<(end + FrameHeader.length)), seed: seed),
                header.sequence == sequence, header.frameLength <= span.count - end
            else { break }
            let payload = (end + FrameHeader.length)..<(end + header.frameLength)
            guard header.validates(span.extracting(payload), seed: seed) else { break }
            var reader = ByteReader(span.extracting(payload.lowerBound..<(payload.lowerBound + header.payloadLength)))
            do throws(FormatError) {
                switch header.kind {
                case .operations: break
                case .transactionOperations: _ = try reader.varint()
                case .commit, .rollback:
                    let number = try reader.varint()
                    guard !hasEnded(number), ended.insert(number).inserted else { break scan }
                case .mark, .manifestEdits: break scan
                }
                while !reader.isAtEnd {
                    _ = try reader.record()
                    sequence += 1
                }
            } catch { break scan }
            end += header.frameLength
        }
        return Array(line[..<end])
    }

    private func bytes(at position: UInt64, count: Int) throws(LogDBError) -> [UInt8] {
        let place = position % capacity
        let first = min(count, Int(capacity - place))
        return try mapped { () throws(FileError) in
            var bytes = try file.read(at: UInt64(RingHeader.origin) + place, count: first)
            if first < count { bytes += try file.read(at: UInt64(RingHeader.origin), count: count - first) }
            return bytes
        }
    }
}
