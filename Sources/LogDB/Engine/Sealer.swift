//===--- Sealer.swift - full segments become compressed ones ---------------===//
//
//      read frames  →  blocks  →  compressed file, synced  →  its name, synced  →  manifest edit, synced  →  raw file removed
//
// One thread, oldest segment first, so each sealed segment can name its sealed predecessor. A segment waits while a transaction with
// operations in it, or in an earlier one, is open; sealing leaves out what never committed. The manifest edit is the switch:
// before it the raw file is the segment and the sealed one a leftover, after it the other way round.
//
// A disk too full for the sealed file is no failure of the log: the raw segment stays, and sealing is tried again when the next
// one is full. A damaged raw segment stops writing: what was acknowledged cannot be read any more, and more must not be piled on it.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Tells the sealer that there may be something to seal. Where there is no room for its thread, the next one to tell tries again.
    func wakeSealer() { _ = sealer.wake { [self] in runSealer() } }

    private enum SealerTurn { case sealed, undecided, nothingToDo, stopping }

    /// The sealer's thread.
    func runSealer() {
        while true {
            let rings = sealer.bell.count
            let turn = sealNext()
            if case .stopping = turn { return }
            if case .nothingToDo = turn {
                if !makeSpare() { sealer.bell.wait(since: rings) }
                continue
            }
            // Only now is the raw file let go of, so that its room on the disk is free: who waits for that may look again.
            monitor.withLock { $0.sealing = nil }
            monitor.broadcast()
            // A new segment is a new chance; one that found no room a reason to make some.
            if case .sealed = turn { considerCompaction() }
        }
    }

    /// The raw file of a segment that is sealed.
    private struct Remains {
        var name: String
        var held: Spare.Held
        /// Also, whether all that was written to it is on the disk: what is not would have to go there, for nothing, with the next segment's header.
        var isRecyclable: Bool
        /// Held by those who still read it.
        weak var file: (any File)?
    }

    private func sealNext() -> SealerTurn {
        var remains: Remains?
        let turn = sealOldest(&remains)
        // Here, where the segment is let go of: who else holds it reads it.
        if let remains, !recycle(remains) { try? directory.remove(remains.name) }
        return turn
    }

    /// Keeps a raw file for the next segment, which will overwrite it: if nobody reads it, in this process or another, and the disk has room to spare.
    private func recycle(_ remains: Remains) -> Bool {
        // One that was made larger for a large document would be twice what is needed.
        let sizes = UInt64(options.segmentSizeBytes)...UInt64(options.segmentSizeBytes) + 2 * Self.deleteReserve
        guard let spare, spare.isMissing, remains.isRecyclable, sizes.contains(remains.held.size) else { return false }
        guard let free = try? directory.freeBytes(), free / Spare.segmentsFreeToKeep >= remains.held.size else { return false }
        // From the list it is gone, so whoever does not hold it by now never will. Other openings hold the lock of readers from before they look at the
        // manifest, so those who come later do not see it there.
        let isKept = remains.file == nil && reaper.whileUnread { spare.keep(remains.name, remains.held) }
        if !isKept { monitor.withLock { $0.hasAskedForSpare = $0.sparesAskedFor >= Spare.mostToMake } }
        return isKept
    }

    /// Makes a spare if one was asked for; false if there was nothing to do.
    private func makeSpare() -> Bool {
        let isAsked = monitor.withLock { state in
            defer { state.wantsSpare = false }
            return state.wantsSpare && state.hasAskedForSpare && !state.isStopping && state.failure == nil
        }
        let size = UInt64(options.segmentSizeBytes)
        guard isAsked, let spare, spare.isMissing, let free = try? directory.freeBytes(), free / Spare.segmentsFreeToMake >= size else {
            return false
        }
        spare.make(size: size) { monitor.withLock { !$0.isStopping && $0.failure == nil && $0.sealableCount == 0 } }
        guard spare.size > 0 else { return true }
        // A segment that is nearly full will be left soon enough, and an empty one is not worth a file.
        monitor.withLock { state in
            guard state.isActive, let active = state.raw.last else { return }
            state.movesToSpare = active.end > size / 64 && active.end < active.allocated / 4 * 3
        }
        return true
    }

    private func sealOldest(_ remains: inout Remains?) -> SealerTurn {
        let (next, position, isStopping) = monitor.withLock { state -> ((RawProgress, CompactedLog, Fates)?, UInt64, Bool) in
            guard state.sealableCount > 0, state.failure == nil, state.sealFailure == nil else { return (nil, 0, state.isStopping) }
            let committed = state.transactions.committed
            state.sealing = state.raw[0].segment.number
            return ((state.raw[0], state.lastSealed, Fates(committed)), committed.isEmpty ? 0 : state.position, false)
        }
        guard let (segment, predecessor, fates) = next else { return isStopping ? .stopping : .nothingToDo }
        // A commit may stand in a later segment, and not be on the disk. Sealed, the operations that rely on it would be there without it:
        // after a power cut a transaction half there. So it goes first. A failure has poisoned the log; the next round sees it.
        do throws(LogDBError) { try waitUntilDurable(position) } catch { return .undecided }
        let result: Result<SealedSegment, LogDBError>
        do throws(LogDBError) { result = .success(try seal(segment, after: predecessor, fates)) } catch { result = .failure(error) }
        let durable = monitor.withLock { state in
            let durable = state.durable
            switch result {
            case .success(let sealed):
                state.raw.removeFirst()
                state.sealed.append(sealed)
                state.durable = max(state.durable, segment.endPosition)
                state.transactions.forget(through: segment.segment.number)
            case .failure(let error):
                state.sealFailure = error
                if !error.code.leavesDiskAsItWas { state.poison(error) }
            }
            return durable
        }
        if case .success = result {
            // One that is not on the disk would have to go there, for nothing, with the next segment's header. It is not synced for that: a sync of it may have failed.
            let isSynced = durable >= segment.endPosition
            let seeds = segment.staleSeeds.union([segment.segment.seed])
            remains = Remains(
                name: segment.segment.name, held: Spare.Held(size: segment.allocated, seeds: seeds),
                isRecyclable: segment.isRecyclable && isSynced,
                file: segment.segment.file)
        }
        return .sealed
    }

    private func seal(
        _ raw: RawProgress, after predecessor: CompactedLog, _ fates: Fates
    ) throws(LogDBError) -> SealedSegment {
        let codec = options.codec.blockCodec
        let number = raw.segment.number
        let name = FileNames.sealed(number, codec.container).name
        let header = SegmentHeader(
            file: FileHeader(kind: .sealedSegment, database: manifest.database, number: number, identity: .random(in: 1 ... .max)),
            codec: codec, predecessorNumber: predecessor.number, predecessorIdentity: predecessor.identity,
            predecessorLastSequence: predecessor.lastSequence, predecessorDigest: predecessor.digest)
        do {
            do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { throw error } }
            let file = try directory.create(name)
            // Sealing is behind the application as it is, and takes no second core from it; but if that waits, the core is the sealer's.
            var writer = SealedSegmentWriter(file, header: header) { [self] in monitor.withLock { mustWaitForSealer($0) } }
            try raw.segment.forEachRecord(until: raw.end, fates) { record, sequence, milliseconds in
                try writer.append(record, sequence: sequence, milliseconds: milliseconds)
                sealedThrough.store(sequence, ordering: .relaxed)
            }
            let entry = try writer.finish(
                lastSequence: raw.lastSequence, firstSequence: raw.segment.header.firstSequence, endPosition: raw.endPosition)
            try directory.sync()
            try manifest.append([.addSealed(entry)])
            return SealedSegment(entry, database: manifest.database, in: directory)
        } catch {
            let failure = (error as? LogDBError) ?? LogDBError(error as! FileError)
            // Where the manifest's edit may have happened the file must stay; reopening tells.
            if failure.code.leavesDiskAsItWas { try? directory.remove(name) }
            throw failure
        }
    }

    /// Ends the active segment if anything is in it, and waits until every full segment is sealed that no transaction pins.
    func seal() throws(LogDBError) {
        try monitor.withLock { state throws(LogDBError) in
            try state.checkWritable()
            if !state.tail.buffer.isEmpty { try state.drain() }
            try state.drainAppender()
            guard let last = state.raw.last, last.end > RawSegment.frameOrigin else { return }
            // The next append makes a new one.
            state.isActive = false
            state.appender.end()
            state.mayReopen = false
        }
        let position = try waitUntilSealed()
        // What a transaction keeps from being sealed is to be on the disk all the same.
        try waitUntilDurable(position)
    }

    /// Waits until every full segment is sealed that no transaction pins. Returns how far the log goes then.
    @discardableResult
    func waitUntilSealed() throws(LogDBError) -> UInt64 {
        try monitor.enter { lock throws(LogDBError) -> UInt64 in
            try lock.state.checkWritable()
            lock.state.sealFailure = nil
            wakeSealer()
            // Not those that others fill meanwhile: that might never end.
            let last = lock.state.raw.last?.segment.number ?? 0
            // The raw file too is to be gone: whoever asked for a seal finds nothing left over.
            while lock.state.sealableCount > 0 && lock.state.raw[0].segment.number <= last || lock.state.sealing ?? .max <= last {
                if let failure = lock.state.sealFailure ?? lock.state.failure { throw failure }
                try lock.state.checkWritable()
                _ = lock.wait(until: Clock.monotonicNanoseconds() + 100_000_000)
            }
            return lock.state.position
        }
    }
}
