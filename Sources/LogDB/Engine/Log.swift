//===--- Log.swift - the write path ----------------------------------------===//
//
//      encode into one frame  →  pwrite into the active segment  →  (per level) wait for the sync  →  acknowledge
//
// A frame is encoded once, in a buffer that is kept; an append allocates nothing in the steady state. Operations of a transaction
// stay in that buffer until something has to be written, or until they are many.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat
import Synchronization

final class Log: Sendable {
    let directory: any Directory
    let options: Options
    let manifest: Manifest
    let reaper: Reaper
    /// Where the file of the next segment comes from; nil where none may be kept.
    let spare: Spare?
    let monitor: Monitor<LogState>
    /// The background threads, each started when there is first something for it to do.
    let sealer = Worker(name: "logdb-seal")
    let flusher = Worker(name: "logdb-flush")
    let compactor = Worker(name: "logdb-compact", priority: .low)
    let drainer = Worker(name: "logdb-drain")
    /// The operation that the sealer has come to.
    let sealedThrough = Atomic<UInt64>(0)
    /// Rung when all are there whom a leader waits for.
    let gathered = Bell()
    let garbage = GarbageEstimate()
    let schemas: SchemaBook

    /// Bytes of operations of open transactions that may wait in memory to be written.
    static let tailLimit = 128 << 10
    /// Bytes that entering a table in the catalog takes at most: its name with every byte escaped, what goes around it, its frame.
    static let catalogEntryBound = 6 * Catalog.maximumNameBytes + 128

    init(
        directory: any Directory, options: Options, manifest: Manifest, reaper: Reaper, spare: Spare? = nil,
        state: consuming sending LogState
    ) {
        self.directory = directory
        self.reaper = reaper
        self.spare = spare
        self.options = options
        self.manifest = manifest
        schemas = SchemaBook(state.catalog)
        var state = state
        if options.access == .readWrite, options.appender == .automatic, options.drainsInBackground {
            state.ringThreshold = Self.unsyncedForRing
        }
        monitor = Monitor(state)
    }

    /// Where an append ended.
    struct Appended {
        var sequence: UInt64
        var position: UInt64
    }

    // One operation comes as table, key, and document or nothing: a structure to hold the three would take hold of each, at every put.

    /// Appends one operation. A delete in a table that does not exist is still an operation: it creates the table.
    ///
    /// - Parameter epoch: when the document was validated; of no matter for a delete.
    /// - Returns: nil if schemas have changed since: it must be validated again.
    func append(
        _ table: String, _ key: Key, _ document: Span<UInt8>, isDelete: Bool, timeToLive: TimeToLive? = nil, epoch: UInt64
    ) throws(LogDBError) -> Appended? {
        let bound = Record.encodedBound(keyLength: key.encodedLength, documentLength: document.count)
        let appended = try monitor.withLock { state throws(LogDBError) -> Appended? in
            let bound = bound + state.expiryBound(timeToLive)
            guard try state.isReady(for: bound, table, options), isDelete || schemas.isCurrent(epoch) else { return nil }
            return try state.append(table, key, document, isDelete: isDelete, timeToLive: timeToLive)
        }
        if let appended { return appended }
        return try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try lock.state.check(table, key)
            // The table may be dropped while room is made, and would have to be entered again.
            // A time to live that is set while room is made gives the document its expiry: there is room for that.
            try makeRoom(for: bound + Self.catalogEntryBound + lock.state.expiryBound(timeToLive), onlyDeletes: isDelete, lock)
            guard isDelete || schemas.isCurrent(epoch) else { return nil }
            return try lock.state.append(table, key, document, isDelete: isDelete, timeToLive: timeToLive)
        }
    }

    /// Appends a batch in one frame. Returns the number of its first operation; nil if schemas have changed since `epoch`, where one is given.
    func append(_ batch: Batch, epoch: UInt64?) throws(LogDBError) -> Appended? {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            var newTables: Set<String> = []
            for name in batch.tables where lock.state.tableID(name) == nil { newTables.insert(name) }
            for name in newTables { try lock.state.check(name, besides: newTables.count - 1) }
            try makeRoom(
                for: batch.bytes.count + batch.count * Record.encodedBound(keyLength: 0, documentLength: 0)
                    + lock.state.expiryBound(batch.hasTimesToLive ? .never : nil, count: batch.count)
                    + newTables.count * Self.catalogEntryBound, onlyDeletes: batch.items.allSatisfy(\.isDelete), lock)
            if let epoch, !schemas.isCurrent(epoch) { return nil }
            return try lock.state.append(batch)
        }
    }

    /// Creates a table if it is not there.
    func createTable(_ name: String) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            // Somebody else's write may have made it and not be safe yet.
            if let known = lock.state.whereKnown(name) { return known }
            try lock.state.check(name)
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: false, lock)
            // Or while room was waited for.
            if let known = lock.state.whereKnown(name) { return known }
            return try lock.state.appendTable(name)
        }
    }

    func dropTable(_ name: String) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: true, lock)
            let appended = try lock.state.appendDrop(name)
            schemas.set(WriteRules(), of: name)
            return appended
        }
    }

    /// Adds an operation to a transaction; it is not written before something else is, or `tailLimit` is reached.
    ///
    /// - Returns: nil if schemas have changed since `epoch`.
    func append(
        _ table: String, _ key: Key, _ document: Span<UInt8>, isDelete: Bool, timeToLive: TimeToLive? = nil,
        to transaction: OpenTransaction, epoch: UInt64
    ) throws(LogDBError) -> SequenceNumber? {
        let bound = 16 + Record.encodedBound(keyLength: key.encodedLength, documentLength: document.count)
        let sequence = try monitor.withLock { state throws(LogDBError) -> SequenceNumber? in
            let bound = bound + state.expiryBound(timeToLive)
            guard try state.isReady(for: bound, table, options), state.tail.buffer.count < Self.tailLimit else { return nil }
            guard isDelete || schemas.isCurrent(epoch) else { return nil }
            try transaction.check()
            return try state.append(table, key, document, isDelete: isDelete, timeToLive: timeToLive, to: transaction)
        }
        if let sequence { return sequence }
        return try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try transaction.check()
            try lock.state.check(table, key)
            try makeRoom(for: bound + Self.catalogEntryBound + lock.state.expiryBound(timeToLive), onlyDeletes: isDelete, lock)
            // Making room may have taken long, or ended the transaction because of its size.
            try transaction.check()
            guard isDelete || schemas.isCurrent(epoch) else { return nil }
            if lock.state.tail.buffer.count >= Self.tailLimit { try lock.state.drain() }
            return try lock.state.append(table, key, document, isDelete: isDelete, timeToLive: timeToLive, to: transaction)
        }
    }

    /// Commits a transaction; nil if it did nothing.
    func commit(_ transaction: OpenTransaction) throws(LogDBError) -> Appended? {
        var isSealable = false
        let appended = try monitor.enter { lock throws(LogDBError) -> Appended? in
            try lock.state.checkWritable()
            try transaction.check()
            guard transaction.number != 0 else {
                lock.state.transactions.end(transaction)
                return nil
            }
            try makeRoom(for: 16, onlyDeletes: true, lock)
            try transaction.check()
            let appended = try lock.state.commit(transaction)
            isSealable = lock.state.sealableCount > 0
            return appended
        }
        if isSealable { wakeSealer() }
        return appended
    }

    /// Ends a transaction as if it had never begun. Nothing needs to be written for that: what has no commit never happened.
    func rollback(_ transaction: OpenTransaction) {
        if monitor.withLock({ $0.transactions.end(transaction) && $0.sealableCount > 0 }) { wakeSealer() }
    }
}

// MARK: - Encoding

extension LogState {
    /// Refuses what cannot be appended before room is made for it: a segment that is made for nothing is one too many.
    mutating func check(_ table: String, _ key: Key) throws(LogDBError) {
        try key.checkLength()
        if tableID(table) == nil { try check(table) }
    }

    /// Refuses a table that cannot be entered, `others` being entered with it.
    func check(_ newTable: String, besides others: Int = 0) throws(LogDBError) {
        try Catalog.validate(name: newTable)
        guard catalog.ids.count + others < Catalog.maximumTables else {
            throw LogDBError(
                .tooManyTables, "there are \(Catalog.maximumTables) tables already: drop one, or use keys to tell things apart")
        }
    }

    @inline(__always)
    mutating func append(
        _ table: String, _ key: Key, _ document: Span<UInt8>, isDelete: Bool, timeToLive: TimeToLive?
    ) throws(LogDBError) -> Log.Appended {
        let first = nextSequence
        let start = tail.buffer.count
        var created: [(UInt64, String)] = []
        beginFrame()
        do throws(LogDBError) {
            let id = try tableForWriting(table, &created)
            try appendRecord(id, key, document, isDelete: isDelete, expires: isDelete ? nil : expiry(timeToLive, in: id))
            try finish(count: 1 + created.count, created)
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        return Log.Appended(sequence: first + UInt64(created.count), position: position)
    }

    mutating func append(_ batch: Batch) throws(LogDBError) -> Log.Appended {
        let first = nextSequence
        let start = tail.buffer.count
        var created: [(UInt64, String)] = []
        beginFrame()
        do throws(LogDBError) {
            // Tables first, so that the batch's own numbers are in a row.
            var ids: [UInt64] = []
            for name in batch.tables { ids.append(try tableForWriting(name, &created)) }
            for item in batch.items {
                let id = ids[Int(item.table)]
                let record = Record(
                    table: id, key: batch.bytes.span.extracting(item.key), isDelete: item.isDelete,
                    document: batch.bytes.span.extracting(item.document))
                record.append(to: &tail.buffer, expires: item.isDelete ? nil : expiry(item.timeToLive, in: id, madeAt: batch.milliseconds))
            }
            try finish(count: batch.count + created.count, created, milliseconds: batch.milliseconds)
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        return Log.Appended(sequence: first + UInt64(created.count), position: position)
    }

    /// How far the log is to be waited for by somebody who needs table `name`; nil where there is none.
    func whereKnown(_ name: String) -> Log.Appended? {
        catalog.ids[name] == nil ? nil : Log.Appended(sequence: nextSequence - 1, position: position)
    }

    mutating func appendTable(_ name: String) throws(LogDBError) -> Log.Appended {
        let first = nextSequence
        let start = tail.buffer.count
        var created: [(UInt64, String)] = []
        beginFrame()
        do throws(LogDBError) {
            _ = try tableForWriting(name, &created)
            try finish(count: created.count, created)
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        return Log.Appended(sequence: first, position: position)
    }

    mutating func appendDrop(_ name: String) throws(LogDBError) -> Log.Appended {
        guard let id = tableID(name) else { throw LogDBError(.noSuchTable, "there is no table \"\(name)\"") }
        let first = nextSequence
        let start = tail.buffer.count
        beginFrame()
        do throws(LogDBError) {
            try appendRecord(0, .integer(Int64(id)), Span(), isDelete: true)
            try finish(count: 1, [])
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        catalog.drop(id, first)
        forgetLastTable()
        return Log.Appended(sequence: first, position: position)
    }

    /// Makes a savepoint of the moment.
    mutating func appendSavepoint(_ name: String) throws(LogDBError) -> (Savepoint, position: UInt64) {
        guard catalog.savepoints[name] == nil else {
            throw LogDBError(.savepointExists, "there is a savepoint of that name already: release it first, or choose another")
        }
        guard catalog.savepoints.count < Savepoint.maximumCount else {
            throw LogDBError(.invalidOption, "there are \(Savepoint.maximumCount) savepoints already: release one first")
        }
        let first = nextSequence
        try appendToCatalog(.string(name), document: Array("{}".utf8))
        let savepoint = Savepoint(name: name, sequenceNumber: first, milliseconds: lastFrameMilliseconds)
        catalog.setSavepoint(savepoint)
        return (savepoint, position)
    }

    mutating func appendRelease(_ name: String) throws(LogDBError) -> Log.Appended {
        guard catalog.savepoints[name] != nil else { throw LogDBError(.noSuchSavepoint, "there is no savepoint of that name") }
        let first = nextSequence
        try appendToCatalog(.string(name), document: nil)
        catalog.removeSavepoint(name)
        return Log.Appended(sequence: first, position: position)
    }

    private mutating func appendToCatalog(_ key: Key, document: [UInt8]?) throws(LogDBError) {
        let first = nextSequence
        let start = tail.buffer.count
        beginFrame()
        do throws(LogDBError) {
            let text = document ?? []
            try appendRecord(0, key, text.span, isDelete: document == nil)
            try finish(count: 1, [])
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
    }

    /// Gives table `name` a schema, a retention or a time to live, creating it if need be. `document` is what the catalog is to say of it.
    mutating func appendDefinition(
        _ name: String, _ document: [UInt8], _ definition: TableDefinition?, _ retention: Retention, _ timeToLive: Int64?
    ) throws(LogDBError) -> Log.Appended {
        let id = tableID(name) ?? catalog.nextID
        let first = nextSequence
        let start = tail.buffer.count
        beginFrame()
        do throws(LogDBError) {
            try appendRecord(0, .integer(Int64(id)), document.span, isDelete: false)
            try finish(count: 1, [])
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        catalog.enter(id, name, definition, retention, timeToLive)
        return Log.Appended(sequence: first, position: position)
    }

    /// Finishes a plain frame of `count` operations, writes it, and enters the tables it creates.
    @inline(__always)
    private mutating func finish(count: Int, _ created: [(UInt64, String)], milliseconds: Int64? = nil) throws(LogDBError) {
        if let milliseconds {
            finishFrame(.operations, sequence: nextSequence, milliseconds: milliseconds)
        } else {
            finishFrame(.operations, sequence: nextSequence)
        }
        nextSequence += UInt64(count)
        try drain()
        for (id, name) in created { catalog.enter(id, name) }
    }

    /// Takes a plain frame back that could not be written.
    mutating func undo(to start: Int, sequence: UInt64) {
        // What stood in the tail before it stays there, its frames finished; they end at a multiple of 8.
        tail.buffer.truncate(to: min(tail.buffer.count, FrameHeader.padded(start)))
        nextSequence = sequence
    }

    /// The id of `name`; a table that does not exist is entered in the catalog, in the same frame as the write that needs it.
    @inline(__always)
    private mutating func tableForWriting(_ name: String, _ created: inout [(UInt64, String)]) throws(LogDBError) -> UInt64 {
        if let id = tableID(name) { return id }
        return try enterTable(name, &created)
    }

    @inline(never)
    private mutating func enterTable(_ name: String, _ created: inout [(UInt64, String)]) throws(LogDBError) -> UInt64 {
        if let known = created.first(where: { $0.1 == name }) { return known.0 }
        try check(name, besides: created.count)
        let id = catalog.nextID + UInt64(created.count)
        let document = Catalog.document(name: name)
        try appendRecord(0, .integer(Int64(id)), document.span, isDelete: false)
        created.append((id, name))
        return id
    }

    /// Appends a record whose key is not encoded yet. The key's length is known before its bytes are.
    @inline(__always)
    private mutating func appendRecord(
        _ table: UInt64, _ key: Key, _ document: Span<UInt8>, isDelete: Bool, expires: Int64? = nil
    ) throws(LogDBError) {
        try key.checkLength()
        tail.buffer.append(varint: table << 1 | (isDelete ? 1 : 0))
        tail.buffer.append(varint: key.encodedLength)
        key.encode(to: &tail.buffer)
        if let expires {
            tail.buffer.append(varint: Expiry.length + document.count)
            Expiry.append(expires, to: &tail.buffer)
            tail.buffer.append(document)
        } else if !isDelete {
            tail.buffer.append(varint: document.count)
            tail.buffer.append(document)
        }
    }

    // MARK: - Transactions

    @inline(__always)
    mutating func append(
        _ name: String, _ key: Key, _ document: Span<UInt8>, isDelete: Bool, timeToLive: TimeToLive?, to transaction: OpenTransaction
    ) throws(LogDBError) -> SequenceNumber {
        try key.checkLength()
        // A table is created for good, whatever becomes of the transaction that first wrote to it.
        if tableID(name) == nil { _ = try appendTable(name) }
        guard let table = tableID(name) else { preconditionFailure("the table was just created") }
        if transaction.number == 0 {
            transactions.start(transaction, at: nextSequence, segment: raw[raw.count - 1].segment.number, position: position)
        }
        let startsFrame = openFrame?.transaction != transaction.number
        if startsFrame {
            beginFrame()
            tail.buffer.append(varint: transaction.number)
            openFrame = (transaction.number, nextSequence)
        }
        let before = tail.buffer.count
        try appendRecord(table, key, document, isDelete: isDelete, expires: isDelete ? nil : expiry(timeToLive, in: table))
        transaction.count(bytes: tail.buffer.count - before, startsFrame: startsFrame)
        defer { nextSequence += 1 }
        return nextSequence
    }

    mutating func commit(_ transaction: OpenTransaction) throws(LogDBError) -> Log.Appended {
        let number = transaction.number
        let isWhole: Bool
        if openFrame?.transaction == number, transaction.frames == 1, let sequence = openFrame?.sequence {
            // The whole transaction stands in the one frame at the end of the tail: a plain frame is as atomic, and needs no commit.
            isWhole = true
            tail.removeFromPayload(first: ByteBuffer.varintLength(number))
            openFrame = nil
            finishFrame(.operations, sequence: sequence)
        } else {
            isWhole = false
            beginFrame()
            tail.buffer.append(varint: number)
            finishFrame(.commit, sequence: nextSequence)
        }
        do throws(LogDBError) { try drain() } catch {
            // Whether the commit reached the disk is unknown, so nothing may follow it.
            poison(error)
            throw error
        }
        transactions.end(transaction)
        if !isWhole { transactions.committed[number] = raw[raw.count - 1].segment.number }
        return Log.Appended(sequence: nextSequence - 1, position: position)
    }
}
