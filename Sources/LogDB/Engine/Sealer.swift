//===--- Sealer.swift - full segments become compressed ones ---------------===//
//
//      read frames  →  blocks  →  compressed file, synced  →  its name, synced  →  manifest edit, synced  →  raw file removed
//
// One thread, oldest segment first, so each sealed segment can name its sealed predecessor. The manifest edit is the switch:
// before it the raw file is the segment and the sealed one a leftover, after it the other way round.
//
// A disk too full for the sealed file is no failure of the log: the raw segment stays, and sealing is tried again when the next
// one is full. A damaged raw segment stops writing: what was acknowledged cannot be read any more, and more must not be piled on it.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// The sealer's thread.
    func runSealer() {
        while true {
            let next: (RawProgress, UInt64)? = monitor.enter { lock in
                while true {
                    let state = lock.state
                    if state.sealableCount > 0, state.failure == nil, state.sealFailure == nil {
                        state.isSealing = true
                        let first = state.sealed.last.map { $0.entry.lastSequence + 1 } ?? state.raw[0].segment.header.firstSequence
                        return (state.raw[0], first)
                    }
                    if state.isStopping { return nil }
                    lock.wait()
                }
            }
            guard let (segment, firstSequence) = next else { return }
            let result: Result<SealedSegment, LogDBError>
            do throws(LogDBError) { result = .success(try seal(segment, firstSequence: firstSequence)) } catch { result = .failure(error) }
            monitor.withLock { state in
                state.isSealing = false
                switch result {
                case .success(let sealed):
                    state.raw.removeFirst()
                    state.sealed.append(sealed)
                    state.durable = max(state.durable, segment.endPosition)
                case .failure(let error):
                    state.sealFailure = error
                    if error.code != .diskFull { state.poison(error) }
                }
            }
            monitor.broadcast()
            if case .success = result { try? directory.remove(segment.segment.name) }
        }
    }

    private func seal(_ raw: RawProgress, firstSequence: SequenceNumber) throws(LogDBError) -> SealedSegment {
        let codec = options.codec.blockCodec
        let number = raw.segment.number
        let name = FileNames.sealed(number, codec.container).name
        let predecessor = monitor.withLock { $0.sealed.last?.entry }
        let header = SegmentHeader(
            file: FileHeader(kind: .sealedSegment, database: manifest.database, number: number, identity: .random(in: 1 ... .max)),
            codec: codec, predecessorNumber: predecessor?.number ?? 0, predecessorIdentity: predecessor?.identity ?? 0,
            predecessorLastSequence: predecessor?.lastSequence ?? 0, predecessorDigest: predecessor?.digest ?? 0)
        do {
            do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { throw error } }
            let file = try directory.create(name)
            var writer = SealedSegmentWriter(file, header: header)
            try raw.segment.forEachRecord(until: raw.end) { record, sequence, milliseconds in
                try writer.append(record, sequence: sequence, milliseconds: milliseconds)
            }
            let entry = try writer.finish(lastSequence: raw.lastSequence, firstSequence: firstSequence, endPosition: raw.endPosition)
            try directory.sync()
            try manifest.append([.addSealed(entry)])
            return SealedSegment(entry, database: manifest.database, in: directory)
        } catch {
            let failure = (error as? LogDBError) ?? LogDBError(error as! FileError)
            // Where the manifest's edit may have happened the file must stay; reopening tells.
            if failure.code == .diskFull { try? directory.remove(name) }
            throw failure
        }
    }

    /// Rolls the active segment if anything is in it, and waits until every full segment is sealed.
    func seal() throws(LogDBError) {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try finishActive(lock.state)
            lock.state.sealFailure = nil
            lock.broadcast()
            while lock.state.sealableCount > 0 {
                if let failure = lock.state.sealFailure ?? lock.state.failure { throw failure }
                lock.wait()
            }
        }
    }

    /// Ends the active segment; the next append makes a new one.
    private func finishActive(_ state: LogState) throws(LogDBError) {
        guard let last = state.raw.last else { return }
        guard last.end > RawSegment.frameOrigin else {
            // Nothing in it: not worth a segment of its own. It goes on being what it is.
            return
        }
        state.isActive = false
        state.mayReopen = false
    }
}
