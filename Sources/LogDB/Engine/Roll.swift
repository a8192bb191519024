//===--- Roll.swift - room for the next frame ------------------------------===//
//
// When the active segment is full the next one is made on the spot, about a millisecond for each segment, and the full one is left
// to the sealer. Its file is the spare, if there is one (see Spare.swift). A new segment exists for recovery once the manifest names it, and it is named only after its header, its
// size and its name are on the disk.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Full segments that may wait for the sealer before a writer waits for it: bounded disk, bounded recovery.
    static let maximumBacklog = 4
    /// Room kept in the active segment for deletes when the disk is full.
    static let deleteReserve: UInt64 = 64 << 10
    /// A segment gets no less, however full the disk, except where deletes need it.
    private static let leastRoom: UInt64 = 64 << 10
    private static let pageSize: UInt64 = 4096

    /// The part of a segment that only deletes may use, and only when there is no room for another segment.
    @inline(__always)
    static func reserve(of allocated: UInt64) -> UInt64 { min(deleteReserve, allocated / 16) }

    /// Sees to it that the active segment has room for the tail and a frame of `payload` bytes, rolling to a new one where it has not.
    /// May wait for the sealer, and others may append meanwhile.
    @inline(__always)
    func makeRoom(for payload: Int, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        // The tail's open frame will be padded and this one may need a header of its own.
        let length = UInt64(FrameHeader.length + FrameHeader.padded(payload)) + lock.state.tailLength
        if lock.state.transactions.oldestStart != .max { expireTransactions(lock) }
        if lock.state.position - lock.state.durable > lock.state.ringThreshold { askForRing(&lock.state) }
        if lock.state.wantsSpare, !lock.state.hasAskedForSpare { askForSpare(&lock.state) }
        if lock.state.position >= lock.state.paceAt {
            try keepPace(lock)
            return try makeRoomAgain(for: payload, onlyDeletes: onlyDeletes, lock)
        }
        if lock.state.isActive {
            let active = lock.state.raw.count - 1
            let allocated = lock.state.raw[active].allocated
            let room = allocated - lock.state.raw[active].end
            let mayMove = lock.state.movesToSpare && !mustWaitForSealer(lock.state)
            lock.state.movesToSpare = false
            if room >= length + Self.reserve(of: allocated) {
                if mayMove { try roll(for: length, mayUseReserve: true, lock) }
                return
            }
            if mustWaitForSealer(lock.state) {
                // Others append meanwhile, roll, begin and end transactions: nothing that was looked at before holds after it.
                try waitForSealer(lock)
                return try makeRoomAgain(for: payload, onlyDeletes: onlyDeletes, lock)
            }
        }
        try moveOn(for: payload, length, onlyDeletes: onlyDeletes, lock)
    }

    /// Makes a segment for a frame that has no room. A disk that is full while the sealer works may not be when it is done: two files hold the same
    /// until one of them goes.
    @inline(never)
    private func moveOn(
        for payload: Int, _ length: UInt64, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>
    ) throws(LogDBError) {
        do throws(LogDBError) {
            guard lock.state.isActive else { return try activate(for: length, onlyDeletes: onlyDeletes, lock) }
            let active = lock.state.raw[lock.state.raw.count - 1]
            try roll(for: length, mayUseReserve: onlyDeletes && active.allocated - active.end >= length, lock)
        } catch {
            guard error.code == .diskFull, isSealing(lock.state) else { throw error }
            while isSealing(lock.state) { _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000) }
            try lock.state.checkWritable()
            try makeRoomAgain(for: payload, onlyDeletes: onlyDeletes, lock)
        }
    }

    private func isSealing(_ state: borrowing LogState) -> Bool {
        (state.isSealing || state.sealableCount > 0 && state.sealFailure == nil) && state.failure == nil && !state.isStopping
    }

    @inline(never)
    private func askForSpare(_ state: inout LogState) {
        state.hasAskedForSpare = true
        state.sparesAskedFor += 1
        state.wantsSpare = spare != nil && state.keepsBlocksInPlace ?? false && UInt64(options.segmentSizeBytes) >= Spare.leastToMake
        if state.wantsSpare { wakeSealer() }
    }

    private func expireTransactions(_ lock: borrowing EnteredMonitor<LogState>) {
        let limit = UInt64(options.maximumOpenTransactionBytes)
        let end = lock.state.position + lock.state.tailLength
        guard end > limit, lock.state.transactions.oldestStart < end - limit else { return }
        lock.state.transactions.expire(before: end - limit, limit: limit)
        wakeSealer()
    }

    func mustWaitForSealer(_ state: borrowing LogState) -> Bool {
        state.sealableCount >= Self.maximumBacklog && state.sealFailure == nil && state.failure == nil && !state.isStopping
    }

    @inline(never)
    private func waitForSealer(_ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        while mustWaitForSealer(lock.state) {
            // Its thread may not have found room to start.
            wakeSealer()
            // Not for ever: what ends the wait may also be a failure in another thread.
            _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000)
        }
        try lock.state.checkWritable()
    }

    @inline(never)
    private func makeRoomAgain(
        for payload: Int, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>
    ) throws(LogDBError) {
        try makeRoom(for: payload, onlyDeletes: onlyDeletes, lock)
    }

    @inline(never)
    private func roll(for length: UInt64, mayUseReserve: Bool, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        do throws(LogDBError) {
            try lock.state.drain()
            try lock.state.drainAppender()
            try addSegment(for: length, &lock.state)
        } catch {
            if error.code == .diskFull, mayUseReserve { return }
            throw error
        }
        // A full segment is a new chance for a sealer that found the disk full.
        lock.state.sealFailure = nil
        wakeSealer()
        setPace(&lock.state)
    }

    /// Makes a segment take appends at the first write of a session.
    @inline(never)
    private func activate(
        for length: UInt64, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>
    ) throws(LogDBError) {
        let size = UInt64(options.segmentSizeBytes)
        if lock.state.mayReopen, let last = lock.state.raw.last, last.end + length + Self.reserve(of: size) <= size {
            try reopen(last, for: length, onlyDeletes: onlyDeletes, &lock.state)
        } else {
            try addSegment(for: length, onlyDeletes: onlyDeletes, &lock.state)
            lock.state.mayReopen = false
            wakeSealer()
        }
        setPace(&lock.state)
    }

    /// Goes on in a segment that an earlier session ended. What may lie behind its end is cut off and the cut made durable before
    /// the manifest opens the segment again: stale frames must not be able to join the log.
    private func reopen(
        _ last: RawProgress, for length: UInt64, onlyDeletes: Bool, _ state: inout LogState
    ) throws(LogDBError) {
        let segment = last.segment
        let allocated: UInt64
        do throws(FileError) {
            try segment.file.truncate(to: last.end)
            allocated = try Self.allocate(
                segment.file, wanted: UInt64(options.segmentSizeBytes), needed: last.end + length, kept: last.end, onlyDeletes: onlyDeletes)
            try segment.file.sync()
            // A ring of it that was removed must not come back once numbers and places are given out again.
            try directory.sync()
        } catch {
            let failure = LogDBError(error)
            if failure.code != .diskFull { state.poison(failure) }
            throw failure
        }
        try appendToManifest([.reopenRaw(number: segment.number, allocated: allocated)], &state)
        state.raw[state.raw.count - 1].allocated = allocated
        state.isActive = true
        beginAppending(&state)
    }

    /// A segment whose file is there: header, size and name are on the disk, and the manifest does not know it yet.
    private struct MadeSegment {
        var file: any File
        var header: RawSegmentHeader
        var allocated: UInt64
        var staleSeeds: Set<UInt32> = []
    }

    /// Makes a new segment the active one: file, size, header, sync; name, sync; and only then the manifest.
    private func addSegment(for length: UInt64, onlyDeletes: Bool = false, _ state: inout LogState) throws(LogDBError) {
        let number = manifest.state.nextSegment
        let name = FileNames.raw(number).name
        let made: MadeSegment
        do throws(FileError) {
            // A failed attempt may have left one behind; the manifest does not know it.
            do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { throw error } }
            let needed = RawSegment.frameOrigin + length
            let wanted = max(UInt64(options.segmentSizeBytes), needed + needed / 8 + Self.deleteReserve)
            let recycled = try recycle(to: name, number, for: needed, state)
            made =
                if let recycled { recycled } else {
                    try create(name, number, wanted: wanted, needed: needed, onlyDeletes: onlyDeletes, state)
                }
        } catch {
            let failure = LogDBError(error)
            if !failure.code.leavesDiskAsItWas { state.poison(failure) }
            throw failure
        }
        do throws(LogDBError) {
            let entry = RawSegmentEntry(number: number, identity: made.header.file.identity, allocated: made.allocated)
            try appendToManifest([.addRaw(entry)], &state)
        } catch {
            if error.code == .diskFull { try? directory.remove(name) }
            throw error
        }
        if spare != nil, state.keepsBlocksInPlace == nil { state.keepsBlocksInPlace = made.file.keepsBlocksInPlace() }
        let progress = RawProgress(
            segment: RawSegment(file: made.file, header: made.header), end: RawSegment.frameOrigin, allocated: made.allocated,
            staleSeeds: made.staleSeeds, isRecyclable: state.keepsBlocksInPlace ?? false, lastSequence: state.nextSequence - 1)
        // The log position counts every byte of every file, headers too, and this one's is on the disk.
        if state.durable == state.position { state.durable = progress.endPosition }
        state.position = progress.endPosition
        state.raw.append(progress)
        state.isActive = true
        beginAppending(&state)
    }

    private func header(_ number: UInt64, staleSeeds: Set<UInt32>, _ state: borrowing LogState) -> RawSegmentHeader {
        RawSegmentHeader(
            file: FileHeader(
                kind: .rawSegment, database: manifest.database, number: number,
                identity: RawSegmentHeader.drawIdentity(staleSeeds: staleSeeds)),
            basePosition: state.position, firstSequence: state.nextSequence,
            predecessorNumber: state.raw.last?.segment.number ?? state.lastSealed.number,
            predecessorIdentity: state.raw.last?.segment.identity ?? state.lastSealed.identity)
    }

    /// Writes the new segment's header over the spare's, and lets it have the new name: in this order, for what stands under the name of a raw segment
    /// is taken for what its header says. When it returns, header, size and name are on the disk.
    ///
    /// - Returns: nil where there is no spare that `needed` bytes fit in, or it turned out to be of no use.
    private func recycle(
        to name: String, _ number: UInt64, for needed: UInt64, _ state: borrowing LogState
    ) throws(FileError) -> MadeSegment? {
        guard let spare, let held = spare.take(fitting: { needed + Self.reserve(of: $0) <= $0 }) else { return nil }
        defer { spare.finishTaking() }
        let header = header(number, staleSeeds: held.seeds, state)
        var bytes = ByteBuffer()
        header.append(to: &bytes)
        do throws(FileError) {
            let file = try directory.open(FileNames.spare, for: .readingAndWriting)
            guard try file.size() == held.size else {
                try? directory.remove(FileNames.spare)
                return nil
            }
            try file.writeFully(bytes.span, at: 0)
            try file.sync()
            try directory.rename(FileNames.spare, to: name)
            try directory.sync()
            // By its new name, for errors to tell.
            let segment = try directory.open(name, for: .readingAndWriting)
            return MadeSegment(file: segment, header: header, allocated: held.size, staleSeeds: held.seeds)
        } catch {
            try? directory.remove(FileNames.spare)
            try? directory.remove(name)
            // A new file may do.
            if error.code == .notFound || error.code == .diskFull { return nil }
            throw error
        }
    }

    /// Creates the file of a segment that has room for `needed` bytes. When it returns, header, size and name are on the disk.
    private func create(
        _ name: String, _ number: UInt64, wanted: UInt64, needed: UInt64, onlyDeletes: Bool, _ state: borrowing LogState
    ) throws(FileError) -> MadeSegment {
        let header = header(number, staleSeeds: [], state)
        var bytes = ByteBuffer()
        header.append(to: &bytes)
        let file = try directory.create(name)
        do throws(FileError) {
            let allocated = try Self.allocate(file, wanted: wanted, needed: needed, kept: 0, onlyDeletes: onlyDeletes)
            try file.writeFully(bytes.span, at: 0)
            try file.sync()
            try directory.sync()
            return MadeSegment(file: file, header: header, allocated: allocated)
        } catch {
            try? directory.remove(name)
            throw error
        }
    }

    /// Reserves `wanted` bytes, or on a disk too full for that half of what is beyond `kept`, a quarter …, as long as `needed` fit with the
    /// reserve for deletes; deletes take what there is. The first `kept` bytes stay.
    private static func allocate(
        _ file: any File, wanted: UInt64, needed: UInt64, kept: UInt64, onlyDeletes: Bool
    ) throws(FileError) -> UInt64 {
        let exact = (needed + pageSize - 1) / pageSize * pageSize
        var size = wanted
        while true {
            do throws(FileError) {
                try file.allocate(size)
                return size
            } catch {
                let smaller = kept + (size - kept) / 2
                if error.code == .diskFull, smaller - kept >= leastRoom, smaller >= needed + (onlyDeletes ? 0 : reserve(of: smaller)) {
                    size = smaller
                } else if error.code == .diskFull, onlyDeletes, exact < size {
                    size = exact
                } else {
                    try? file.truncate(to: kept)
                    throw error
                }
                try file.truncate(to: kept)
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

extension LogState {
    /// Whether a write of `payload` bytes to `table` can be appended as it is: nothing to be rolled, created or waited for. Most can.
    @inline(__always)
    mutating func isReady(for payload: Int, _ table: String, _ options: Options) throws(LogDBError) -> Bool {
        try checkWritable()
        guard isActive, tableID(table) != nil, position - durable <= ringThreshold, !wantsSpare || hasAskedForSpare, !movesToSpare,
            position < paceAt
        else {
            return false
        }
        let tailLength = tailLength
        if transactions.oldestStart != .max,
            position + tailLength - transactions.oldestStart > UInt64(options.maximumOpenTransactionBytes)
        {
            return false
        }
        let active = raw.count - 1
        let allocated = raw[active].allocated
        let length = UInt64(FrameHeader.length + FrameHeader.padded(payload)) + tailLength
        return allocated >= raw[active].end + length + Log.reserve(of: allocated)
    }
}
