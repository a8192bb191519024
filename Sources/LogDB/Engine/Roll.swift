//===--- Roll.swift - room for the next frame ------------------------------===//
//
// When the active segment is full the next one is made on the spot, about a millisecond for each segment, and the full one is left
// to the sealer. A new segment exists for recovery once the manifest names it, and it is named only after its header, its
// size and its name are on the disk.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Full segments that may wait for the sealer before a writer waits for it: bounded disk, bounded recovery.
    static let maximumBacklog = 4
    /// Room kept in the active segment for deletes when the disk is full.
    static let deleteReserve: UInt64 = 64 << 10

    /// The part of a segment that only deletes may use, and only when there is no room for another segment.
    @inline(__always)
    private static func reserve(of allocated: UInt64) -> UInt64 { min(deleteReserve, allocated / 16) }

    /// Sees to it that the active segment has room for the tail and a frame of `payload` bytes, rolling to a new one where it has not.
    /// May wait for the sealer, and others may append meanwhile.
    @inline(__always)
    func makeRoom(for payload: Int, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        // The tail's open frame will be padded and this one may need a header of its own.
        let length = UInt64(FrameHeader.length + FrameHeader.padded(payload)) + lock.state.tailLength
        if lock.state.transactions.oldestStart != .max { expireTransactions(lock) }
        if lock.state.isActive {
            let active = lock.state.raw.count - 1
            let allocated = lock.state.raw[active].allocated
            let room = allocated - lock.state.raw[active].end
            if room >= length + Self.reserve(of: allocated) { return }
            return try roll(for: length, mayUseReserve: onlyDeletes && room >= length, lock)
        }
        try activate(for: length, lock)
    }

    private func expireTransactions(_ lock: borrowing EnteredMonitor<LogState>) {
        let limit = UInt64(options.maximumOpenTransactionBytes)
        let end = lock.state.position + lock.state.tailLength
        guard end > limit, lock.state.transactions.oldestStart < end - limit else { return }
        lock.state.transactions.expire(before: end - limit, limit: limit)
        wakeSealer()
    }

    @inline(never)
    private func roll(for length: UInt64, mayUseReserve: Bool, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        if lock.state.sealableCount >= Self.maximumBacklog, lock.state.sealFailure == nil {
            while lock.state.sealableCount >= Self.maximumBacklog, lock.state.sealFailure == nil, lock.state.failure == nil {
                // Not for ever: what ends the wait may also be a failure in another thread.
                _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000)
            }
            try lock.state.checkWritable()
            // Somebody else may have rolled meanwhile.
            if lock.state.isActive, let active = lock.state.raw.last,
                active.allocated - active.end >= length + Self.reserve(of: active.allocated)
            {
                return
            }
        }
        do throws(LogDBError) {
            try lock.state.drain()
            try addSegment(for: length, &lock.state)
        } catch {
            if error.code == .diskFull, mayUseReserve { return }
            throw error
        }
        // A full segment is a new chance for a sealer that found the disk full.
        lock.state.sealFailure = nil
        wakeSealer()
    }

    /// Makes a segment take appends at the first write of a session.
    @inline(never)
    private func activate(for length: UInt64, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        let size = UInt64(options.segmentSizeBytes)
        if lock.state.mayReopen, let last = lock.state.raw.last, last.end + length + Self.reserve(of: size) <= size {
            try reopen(last, for: length, &lock.state)
        } else {
            try addSegment(for: length, &lock.state)
            lock.state.mayReopen = false
            wakeSealer()
        }
    }

    /// Goes on in a segment that an earlier session ended. What may lie behind its end is cut off and the cut made durable before
    /// the manifest opens the segment again: stale frames must not be able to join the log.
    private func reopen(_ last: RawProgress, for length: UInt64, _ state: inout LogState) throws(LogDBError) {
        let segment = last.segment
        let allocated: UInt64
        do throws(FileError) {
            try segment.file.truncate(to: last.end)
            allocated = try Self.allocate(
                segment.file, wanted: UInt64(options.segmentSizeBytes), needed: last.end + length, kept: last.end)
            try segment.file.sync()
        } catch {
            let failure = LogDBError(error)
            if failure.code != .diskFull { state.poison(failure) }
            throw failure
        }
        try appendToManifest([.reopenRaw(number: segment.number, allocated: allocated)], &state)
        state.raw[state.raw.count - 1].allocated = allocated
        state.isActive = true
    }

    /// Makes a new segment the active one: file, size, header, sync; name, sync; and only then the manifest.
    private func addSegment(for length: UInt64, _ state: inout LogState) throws(LogDBError) {
        let number = manifest.state.nextSegment
        let header = RawSegmentHeader(
            file: FileHeader(kind: .rawSegment, database: manifest.database, number: number, identity: .random(in: 1 ... .max)),
            basePosition: state.position, firstSequence: state.nextSequence,
            predecessorNumber: state.raw.last?.segment.number ?? state.sealed.last?.entry.number ?? 0,
            predecessorIdentity: state.raw.last?.segment.identity ?? state.sealed.last?.entry.identity ?? 0)
        let name = FileNames.raw(number).name
        let file: any File
        let allocated: UInt64
        do throws(FileError) {
            // A failed attempt may have left one behind; the manifest does not know it.
            do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { throw error } }
            (file, allocated) = try create(name, header, for: RawSegment.frameOrigin + length)
        } catch {
            let failure = LogDBError(error)
            if failure.code != .diskFull { state.poison(failure) }
            throw failure
        }
        do throws(LogDBError) {
            try appendToManifest([.addRaw(RawSegmentEntry(number: number, identity: header.file.identity, allocated: allocated))], &state)
        } catch {
            if error.code == .diskFull { try? directory.remove(name) }
            throw error
        }
        let progress = RawProgress(
            segment: RawSegment(file: file, header: header), end: RawSegment.frameOrigin, allocated: allocated,
            lastSequence: state.nextSequence - 1)
        // The log position counts every byte of every file, headers too, and this one's is on the disk.
        if state.durable == state.position { state.durable = progress.endPosition }
        state.position = progress.endPosition
        state.raw.append(progress)
        state.isActive = true
    }

    /// Creates the file of a segment that has room for `needed` bytes. When it returns, header, size and name are on the disk.
    private func create(_ name: String, _ header: RawSegmentHeader, for needed: UInt64) throws(FileError) -> (any File, UInt64) {
        var bytes = ByteBuffer()
        header.append(to: &bytes)
        let file = try directory.create(name)
        do throws(FileError) {
            let wanted = max(UInt64(options.segmentSizeBytes), needed + needed / 8 + Self.deleteReserve)
            let allocated = try Self.allocate(file, wanted: wanted, needed: needed, kept: 0)
            try file.writeFully(bytes.span, at: 0)
            try file.sync()
            try directory.sync()
            return (file, allocated)
        } catch {
            try? directory.remove(name)
            throw error
        }
    }

    /// Reserves `wanted` bytes, or on a disk too full for that the half, the quarter …, as long as `needed` fit. The first `kept` stay.
    private static func allocate(_ file: any File, wanted: UInt64, needed: UInt64, kept: UInt64) throws(FileError) -> UInt64 {
        var size = wanted
        while true {
            do throws(FileError) {
                try file.allocate(size)
                return size
            } catch {
                let smaller = size / 2
                guard error.code == .diskFull, smaller >= 64 << 10, smaller >= needed + reserve(of: smaller) else {
                    try? file.truncate(to: kept)
                    throw error
                }
                try file.truncate(to: kept)
                size = smaller
            }
        }
    }

    private func appendToManifest(_ edits: [ManifestEdit], _ state: inout LogState) throws(LogDBError) {
        do throws(LogDBError) { try manifest.append(edits) } catch {
            if error.code != .diskFull { state.poison(error) }
            throw error
        }
    }
}
