//===--- Log.swift - the write path ----------------------------------------===//
//
//      encode into one frame  →  pwrite into the active segment  →  (per level) wait for the sync  →  acknowledge
//
// A frame is encoded once, in a buffer that is kept; an append allocates nothing in the steady state. Operations of a transaction
// stay in that buffer until something has to be written, or until they are many.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class Log: Sendable {
    let directory: any Directory
    let options: Options
    let manifest: Manifest
    let monitor: Monitor<LogState>
    /// The background threads, each started when there is first something for it to do.
    let sealer = Worker(name: "logdb-seal")
    let flusher = Worker(name: "logdb-flush")

    /// Bytes of operations of open transactions that may wait in memory to be written.
    static let tailLimit = 128 << 10
    /// Bytes that entering a table in the catalog takes at most: its name with every byte escaped, what goes around it, its frame.
    private static let catalogEntryBound = 6 * Catalog.maximumNameBytes + 128

    init(directory: any Directory, options: Options, manifest: Manifest, state: consuming sending LogState) {
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

        /// Bytes its record takes at most.
        @inline(__always)
        var bound: Int { Record.encodedBound(keyLength: key.encodedLength, documentLength: document.count) }
    }

    /// Where an append ended.
    struct Appended {
        var sequence: UInt64
        var position: UInt64
    }

    /// Appends one operation. A delete in a table that does not exist is still an operation: it creates the table.
    func append(_ write: borrowing Write) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            let isNew = lock.state.tableID(write.table) == nil
            try makeRoom(for: write.bound + (isNew ? Self.catalogEntryBound : 0), onlyDeletes: write.isDelete, lock)
            return try lock.state.append(write)
        }
    }

    /// Appends a batch in one frame. Returns the number of its first operation.
    func append(_ batch: Batch) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            var newTables: Set<String> = []
            for item in batch.items where lock.state.tableID(item.table) == nil { newTables.insert(item.table) }
            try makeRoom(
                for: batch.bytes.count + batch.count * Record.encodedBound(keyLength: 0, documentLength: 0)
                    + newTables.count * Self.catalogEntryBound, onlyDeletes: batch.items.allSatisfy(\.isDelete), lock)
            return try lock.state.append(batch)
        }
    }

    /// Creates a table if it is not there; returns nil if it is.
    func createTable(_ name: String) throws(LogDBError) -> Appended? {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            if lock.state.tableID(name) != nil { return nil }
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: false, lock)
            return try lock.state.appendTable(name)
        }
    }

    func dropTable(_ name: String) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try makeRoom(for: Self.catalogEntryBound, onlyDeletes: true, lock)
            return try lock.state.appendDrop(name)
        }
    }

    /// Adds an operation to a transaction; it is not written before something else is, or `tailLimit` is reached.
    func append(_ write: borrowing Write, to transaction: OpenTransaction) throws(LogDBError) -> SequenceNumber {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            try transaction.check()
            let isNew = lock.state.tableID(write.table) == nil
            try makeRoom(for: write.bound + 16 + (isNew ? Self.catalogEntryBound : 0), onlyDeletes: write.isDelete, lock)
            // Making room may have taken long, or ended the transaction because of its size.
            try transaction.check()
            if lock.state.tail.buffer.count >= Self.tailLimit { try lock.state.drain() }
            return try lock.state.append(write, to: transaction)
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
    mutating func append(_ write: borrowing Log.Write) throws(LogDBError) -> Log.Appended {
        let first = nextSequence
        let start = tail.buffer.count
        var created: [(UInt64, String)] = []
        beginFrame()
        do throws(LogDBError) {
            let table = try tableForWriting(write.table, &created)
            try appendRecord(table: table, write)
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
            for item in batch.items { _ = try tableForWriting(item.table, &created) }
            for item in batch.items {
                let id = try tableForWriting(item.table, &created)
                Record(
                    table: id, key: batch.bytes.span.extracting(item.key), isDelete: item.isDelete,
                    document: batch.bytes.span.extracting(item.document)
                ).append(to: &tail.buffer)
            }
            try finish(count: batch.count + created.count, created)
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        return Log.Appended(sequence: first + UInt64(created.count), position: position)
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
            try appendRecord(table: 0, Log.Write(table: "", key: .integer(Int64(id)), isDelete: true, document: Span()))
            try finish(count: 1, [])
        } catch {
            undo(to: start, sequence: first)
            throw error
        }
        catalog.drop(id)
        forgetLastTable()
        return Log.Appended(sequence: first, position: position)
    }

    /// Finishes a plain frame of `count` operations, writes it, and enters the tables it creates.
    @inline(__always)
    private mutating func finish(count: Int, _ created: [(UInt64, String)]) throws(LogDBError) {
        finishFrame(.operations, sequence: nextSequence)
        nextSequence += UInt64(count)
        try drain()
        for (id, name) in created { catalog.enter(id, name) }
    }

    /// Takes a plain frame back that could not be written.
    private mutating func undo(to start: Int, sequence: UInt64) {
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
        try Catalog.validate(name: name)
        guard catalog.ids.count + created.count < Catalog.maximumTables else {
            throw LogDBError(
                .tooManyTables, "there are \(Catalog.maximumTables) tables already: drop one, or use keys to tell things apart")
        }
        let id = catalog.nextID + UInt64(created.count)
        let document = Catalog.document(name: name)
        try appendRecord(table: 0, Log.Write(table: "", key: .integer(Int64(id)), isDelete: false, document: document.span))
        created.append((id, name))
        return id
    }

    /// Appends a record whose key is not encoded yet. The key's length is known before its bytes are.
    @inline(__always)
    private mutating func appendRecord(table: UInt64, _ write: borrowing Log.Write) throws(LogDBError) {
        try write.key.checkLength()
        tail.buffer.append(varint: table << 1 | (write.isDelete ? 1 : 0))
        tail.buffer.append(varint: write.key.encodedLength)
        write.key.encode(to: &tail.buffer)
        if !write.isDelete {
            tail.buffer.append(varint: write.document.count)
            tail.buffer.append(write.document)
        }
    }

    // MARK: - Transactions

    mutating func append(_ write: borrowing Log.Write, to transaction: OpenTransaction) throws(LogDBError) -> SequenceNumber {
        try write.key.checkLength()
        // A table is created for good, whatever becomes of the transaction that first wrote to it.
        if tableID(write.table) == nil { _ = try appendTable(write.table) }
        guard let table = tableID(write.table) else { preconditionFailure("the table was just created") }
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
        try appendRecord(table: table, write)
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
