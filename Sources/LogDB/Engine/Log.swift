//===--- Log.swift - the write path ----------------------------------------===//
//
//      encode into one frame  →  pwrite into the active segment  →  (per level) wait for the sync  →  acknowledge
//
// A frame is encoded once, in a buffer that is kept; an append allocates nothing in the steady state. When the active segment is
// full the next one is made on the spot (about a millisecond for each segment) and the full one is left to the sealer.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class Log: Sendable {
    let directory: any Directory
    let options: Options
    let manifest: Manifest
    let monitor: Monitor<LogState>

    /// Full segments that may wait for the sealer before a writer waits for it: bounded disk, bounded recovery.
    static let maximumBacklog = 4
    /// Room kept in the active segment for deletes when the disk is full.
    static let deleteReserve: UInt64 = 64 << 10

    init(directory: any Directory, options: Options, manifest: Manifest, state: sending LogState) {
        self.directory = directory
        self.options = options
        self.manifest = manifest
        monitor = Monitor(state)
    }

    /// One operation, ready to be encoded.
    struct Write: ~Escapable {
        var table: String
        var key: Key
        var isDelete: Bool
        var document: Span<UInt8>

        @_lifetime(copy document)
        init(table: String, key: Key, isDelete: Bool, document: Span<UInt8>) {
            self.table = table
            self.key = key
            self.isDelete = isDelete
            self.document = document
        }
    }

    /// Where an append ended.
    struct Appended {
        var sequence: UInt64
        var position: UInt64
    }

    /// Appends one operation. A delete in a table that does not exist is still an operation: it creates the table.
    func append(_ write: borrowing Write) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            let state = lock.state
            try state.checkWritable()
            let isNew = state.tableID(write.table) == nil
            let bound = Record.encodedBound(keyLength: write.key.encodedLength, documentLength: write.document.count)
            try makeRoom(for: bound + (isNew ? Self.catalogEntryBound : 0), onlyDeletes: write.isDelete, lock)
            beginFrame(state)
            var created: [(UInt64, String)] = []
            let table = try tableForWriting(write.table, state, &created)
            try appendRecord(table: table, key: write.key, isDelete: write.isDelete, document: write.document, to: &state.frame.buffer)
            let first = try commit(1 + created.count, created, state)
            return Appended(sequence: first + UInt64(created.count), position: state.position)
        }
    }

    /// Appends a batch in one frame. Returns the number of its first operation.
    func append(_ batch: Batch) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            let state = lock.state
            try state.checkWritable()
            let newTables = Set(batch.items.lazy.map(\.table).filter { state.tableID($0) == nil })
            try makeRoom(
                for: batch.bytes.count + batch.count * Record.encodedBound(keyLength: 0, documentLength: 0)
                    + newTables.count * Self.catalogEntryBound, onlyDeletes: batch.items.allSatisfy(\.isDelete), lock)
            beginFrame(state)
            var created: [(UInt64, String)] = []
            // Tables first, so that the batch's own numbers are in a row.
            for item in batch.items { _ = try tableForWriting(item.table, state, &created) }
            for item in batch.items {
                let id = state.tableID(item.table) ?? created.first { $0.1 == item.table }!.0
                Record(
                    table: id, key: batch.bytes.span.extracting(item.key), isDelete: item.isDelete,
                    document: batch.bytes.span.extracting(item.document)
                ).append(to: &state.frame.buffer)
            }
            let first = try commit(batch.count + created.count, created, state)
            return Appended(sequence: first + UInt64(created.count), position: state.position)
        }
    }

    /// Creates a table if it is not there; returns nil if it is.
    func createTable(_ name: String) throws(LogDBError) -> Appended? {
        try monitor.enter { lock throws(LogDBError) in
            let state = lock.state
            try state.checkWritable()
            if state.tableID(name) != nil { return nil }
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: false, lock)
            beginFrame(state)
            var created: [(UInt64, String)] = []
            _ = try tableForWriting(name, state, &created)
            let first = try commit(created.count, created, state)
            return Appended(sequence: first, position: state.position)
        }
    }

    func dropTable(_ name: String) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            let state = lock.state
            try state.checkWritable()
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: true, lock)
            guard let id = state.tableID(name) else { throw LogDBError(.noSuchTable, "there is no table \"\(name)\"") }
            beginFrame(state)
            try appendRecord(table: 0, key: .integer(Int64(id)), isDelete: true, document: Span(), to: &state.frame.buffer)
            let first = try commit(1, [], state)
            var key = ByteBuffer()
            KeyCoding.append(Int64(id), to: &key)
            try! state.catalog.apply(key: key.span, isDelete: true, document: Span())
            state.forgetLastTable()
            return Appended(sequence: first, position: state.position)
        }
    }

    // MARK: - Encoding

    /// Bytes that entering a table in the catalog takes at most: its name with every byte escaped, and what goes around it.
    private static let catalogEntryBound = 6 * Catalog.maximumNameBytes + 64

    /// Starts a frame. Nobody may wait between here and `commit`: the buffer is the log's only one.
    @inline(__always)
    private func beginFrame(_ state: LogState) {
        state.frame.buffer.removeAll()
        state.frame.begin()
    }

    /// The id of `name`; a table that does not exist is entered in the catalog, in the same frame as the write that needs it.
    @inline(__always)
    private func tableForWriting(
        _ name: String, _ state: LogState, _ created: inout [(UInt64, String)]
    ) throws(LogDBError) -> UInt64 {
        if let id = state.tableID(name) { return id }
        return try enterTable(name, state, &created)
    }

    @inline(never)
    private func enterTable(_ name: String, _ state: LogState, _ created: inout [(UInt64, String)]) throws(LogDBError) -> UInt64 {
        if let known = created.first(where: { $0.1 == name }) { return known.0 }
        try Catalog.validate(name: name)
        guard state.catalog.ids.count + created.count < Catalog.maximumTables else {
            throw LogDBError(.tooManyTables, "there are \(Catalog.maximumTables) tables already: drop one, or use keys to tell things apart")
        }
        let id = state.catalog.nextID + UInt64(created.count)
        let document = Catalog.document(name: name)
        try appendRecord(table: 0, key: .integer(Int64(id)), isDelete: false, document: document.span, to: &state.frame.buffer)
        created.append((id, name))
        return id
    }

    /// Appends a record whose key is not encoded yet. The key's length is known before its bytes are.
    @inline(__always)
    private func appendRecord(
        table: UInt64, key: Key, isDelete: Bool, document: Span<UInt8>, to buffer: inout ByteBuffer
    ) throws(LogDBError) {
        buffer.append(varint: table << 1 | (isDelete ? 1 : 0))
        switch key {
        case .integer: buffer.append(varint: 9)
        case .string(let text): buffer.append(varint: text.utf8.count + 1)
        }
        try key.append(to: &buffer)
        if !isDelete {
            buffer.append(varint: document.count)
            buffer.append(document)
        }
    }

    // MARK: - Appending

    /// Finishes the frame in the buffer, writes it and returns its first sequence number.
    private func commit(_ count: Int, _ created: [(UInt64, String)], _ state: LogState) throws(LogDBError) -> UInt64 {
        let length = UInt64(FrameHeader.length + FrameHeader.padded(state.frame.payloadLength))
        let active = state.raw.count - 1
        let segment = state.raw[active].segment
        let first = state.nextSequence
        state.frame.finish(
            .operations, sequence: first, durableEnd: state.durable, milliseconds: Clock.wallMilliseconds(), seed: segment.seed)
        do throws(FileError) {
            try segment.file.writeFully(state.frame.buffer.span, at: state.raw[active].end)
        } catch {
            // What was written of the frame is behind the end of the log; the next frame goes over it. Where the disk is not just
            // full it is anyone's guess what the file holds, and only reopening can tell.
            let failure = LogDBError(error)
            if failure.code != .diskFull { state.poison(failure) }
            throw failure
        }
        state.frame.buffer.shrink(to: 1 << 20)
        state.raw[active].end += length
        state.nextSequence = first + UInt64(count)
        state.raw[active].lastSequence = state.nextSequence - 1
        state.position = state.raw[active].endPosition
        if !created.isEmpty {
            for (id, name) in created {
                var key = ByteBuffer()
                KeyCoding.append(Int64(id), to: &key)
                try! state.catalog.apply(key: key.span, isDelete: false, document: Catalog.document(name: name).span)
            }
        }
        return first
    }

    /// Sees to it that the active segment has room for a frame of `payload` bytes, rolling to a new one where it has not. May wait for
    /// the sealer, and others may append meanwhile.
    @inline(__always)
    private func makeRoom(for payload: Int, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        let state = lock.state
        let length = UInt64(FrameHeader.length + FrameHeader.padded(payload))
        if state.isActive, let active = state.raw.last {
            let room = active.allocated - active.end
            if room >= length + Self.reserve(of: active.allocated) { return }
            return try roll(for: length, onlyDeletes: onlyDeletes && room >= length, lock)
        }
        try activate(for: length, lock)
    }

    /// The part of a segment that only deletes may use, and only when there is no room for another segment.
    private static func reserve(of allocated: UInt64) -> UInt64 { min(deleteReserve, allocated / 16) }

    @inline(never)
    private func roll(for length: UInt64, onlyDeletes: Bool, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        if lock.state.sealableCount >= Self.maximumBacklog, lock.state.sealFailure == nil {
            while lock.state.sealableCount >= Self.maximumBacklog, lock.state.sealFailure == nil, lock.state.failure == nil { lock.wait() }
            try lock.state.checkWritable()
            // Somebody else may have rolled, or filled what he rolled to.
            if let active = lock.state.raw.last, active.allocated - active.end >= length + Self.reserve(of: active.allocated) { return }
        }
        do throws(LogDBError) {
            try addSegment(for: length, lock.state)
        } catch {
            if error.code == .diskFull, onlyDeletes { return }
            throw error
        }
        lock.broadcast()
    }

    /// Makes a segment take appends at the first write of a session.
    @inline(never)
    private func activate(for length: UInt64, _ lock: borrowing EnteredMonitor<LogState>) throws(LogDBError) {
        let state = lock.state
        if state.mayReopen, let last = state.raw.last,
            last.end + length + Self.reserve(of: UInt64(options.segmentSizeBytes)) <= UInt64(options.segmentSizeBytes)
        {
            try reopen(last, state)
        } else {
            try addSegment(for: length, state)
        }
        lock.broadcast()
    }

    /// Goes on in a segment that an earlier session closed. What may lie behind its end is cut off and the cut made durable before
    /// the manifest opens the segment again: stale frames must not be able to join the log.
    private func reopen(_ last: RawProgress, _ state: LogState) throws(LogDBError) {
        let segment = last.segment
        let allocated = UInt64(options.segmentSizeBytes)
        do throws(FileError) {
            try segment.file.truncate(to: last.end)
            try segment.file.allocate(allocated)
            try segment.file.sync()
        } catch {
            let failure = LogDBError(error)
            if failure.code == .syncFailed { state.poison(failure) }
            throw failure
        }
        try manifestAppend([.reopenRaw(number: segment.number, allocated: allocated)], state)
        state.raw[state.raw.count - 1].allocated = allocated
        state.isActive = true
    }

    /// Makes a new segment the active one: file, size, header, sync; name, sync; and only then the manifest.
    private func addSegment(for length: UInt64, _ state: LogState) throws(LogDBError) {
        let manifestState = manifest.state
        let number = manifestState.nextSegment
        let header = RawSegmentHeader(
            file: FileHeader(kind: .rawSegment, database: manifest.database, number: number, identity: .random(in: 1 ... .max)),
            basePosition: state.position, firstSequence: state.nextSequence,
            predecessorNumber: state.raw.last?.segment.number ?? state.sealed.last?.entry.number ?? 0,
            predecessorIdentity: state.raw.last?.segment.identity ?? state.sealed.last?.entry.identity ?? 0)
        let name = FileNames.raw(number).name
        var bytes = ByteBuffer()
        header.append(to: &bytes)
        let needed = RawSegment.frameOrigin + length
        let wanted = max(UInt64(options.segmentSizeBytes), needed + needed / 8 + Self.deleteReserve)
        let file: any File
        var allocated = wanted
        do throws(FileError) {
            // A failed attempt or a crash may have left one behind; the manifest does not know it.
            do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { throw error } }
            file = try directory.create(name)
            do throws(FileError) {
                allocated = try Self.allocate(file, wanted: wanted, needed: needed)
                try file.writeFully(bytes.span, at: 0)
                try file.sync()
                try directory.sync()
            } catch {
                try? directory.remove(name)
                throw error
            }
        } catch {
            let failure = LogDBError(error)
            if failure.code != .diskFull { state.poison(failure) }
            throw failure
        }
        do throws(LogDBError) {
            try manifestAppend([.addRaw(RawSegmentEntry(number: number, identity: header.file.identity, allocated: allocated))], state)
        } catch {
            if error.code == .diskFull { try? directory.remove(name) }
            throw error
        }
        let segment = RawSegment(file: file, header: header)
        // The log position counts every byte of every file, headers too.
        state.raw.append(
            RawProgress(
                segment: segment, end: RawSegment.frameOrigin, allocated: allocated, lastSequence: state.nextSequence - 1))
        if state.durable == state.position { state.durable = state.raw.last!.endPosition }
        state.position = state.raw.last!.endPosition
        state.isActive = true
    }

    /// Reserves `wanted` bytes, or on a disk too full for that the half, the quarter …, as long as the frame at hand fits.
    private static func allocate(_ file: any File, wanted: UInt64, needed: UInt64) throws(FileError) -> UInt64 {
        var size = wanted
        while true {
            do throws(FileError) {
                try file.allocate(size)
                return size
            } catch {
                let smaller = size / 2
                guard error.code == .diskFull, smaller >= needed + reserve(of: smaller), smaller >= 64 << 10 else { throw error }
                try file.truncate(to: 0)
                size = smaller
            }
        }
    }

    private func manifestAppend(_ edits: [ManifestEdit], _ state: LogState) throws(LogDBError) {
        do throws(LogDBError) { try manifest.append(edits) } catch {
            if error.code != .diskFull { state.poison(error) }
            throw error
        }
    }
}
