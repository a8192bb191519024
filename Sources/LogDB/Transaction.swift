//===--- Transaction.swift - operations that happen together, of any number ----===//

import LogDBFormat

/// Operations that all happen, or none, however many they are: they go to the log as they are made and take no memory.
///
/// Several transactions may be open at once, mixed with plain writes. What is promised, and what is not:
///
/// - **All or nothing**, after a crash too. One left open at a crash or at ``Database/close()`` never happened; one that is let go of
///   without ``commit(persistence:)`` is rolled back.
/// - **Order is the order in which operations were made**, not that of the commits. Here the plain write stands, because it was made
///   later, although the transaction committed last:
///
///   ```swift
///   let tx = try db.begin()
///   try tx.upsert("actors", "hero", json: #"{"hp":1}"#)
///   try db.upsert("actors", "hero", json: #"{"hp":2}"#)
///   try tx.commit()                       // hero has 2 hit points
///   ```
///
/// - **Reads inside** see what was committed up to that moment, and the transaction's own operations. **Reads outside** see nothing of it
///   before the commit.
/// - There is no isolation beyond that, no locking and no check of invariants: two transactions may write the same key, and the
///   operation made later wins.
/// - **Tables** are created at once and for good by the first write to them, whether the transaction commits or not.
///
/// While a transaction is open, segments written since its first operation cannot be compressed. See
/// ``Options/maximumOpenTransactionBytes``.
public final class Transaction: Sendable {
    private let database: Database
    private let state = OpenTransaction()

    init(database: Database) { self.database = database }

    deinit { rollback() }

    // MARK: - Writing

    /// Writes the document `json` under `key` in `table`, as part of the transaction. Nothing is durable before the commit.
    ///
    /// - Returns: the operation's sequence number, its place in the order.
    /// - Throws: as ``Database/upsert(_:_:json:timeToLive:persistence:)``, and
    ///   - `.transactionEnded` after a commit or rollback;
    ///   - `.transactionTooLarge` if the log grew too much since the transaction began; it was rolled back.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, json: Span<UInt8>, timeToLive: TimeToLive? = nil
    ) throws(LogDBError) -> SequenceNumber {
        try TimeToLive.validate(timeToLive)
        if database.isNull(json) { return try delete(table, key) }
        while true {
            let epoch = database.log.schemas.epoch
            try database.checkDocument(json, under: key, in: table)
            if let sequence = try database.log.append(
                table, key, json, isDelete: false, timeToLive: timeToLive, to: state, epoch: epoch)
            {
                return sequence
            }
        }
    }

    /// Writes a document given as JSON text; as ``upsert(_:_:json:timeToLive:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, json: String, timeToLive: TimeToLive? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let text = Array(json.utf8)
        return try upsert(table, key, json: text.span, timeToLive: timeToLive)
    }

    /// Writes a JSON value; ``JSON/null`` deletes. As ``upsert(_:_:json:timeToLive:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, _ document: JSON, timeToLive: TimeToLive? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let text = document.serialized()
        return try upsert(table, key, json: text.span, timeToLive: timeToLive)
    }

    /// Writes a value that encodes as a JSON object; nil deletes. As ``upsert(_:_:json:timeToLive:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, encoding document: some Encodable, timeToLive: TimeToLive? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let text = try Database.encode(document)
        return try upsert(table, key, json: text.span, timeToLive: timeToLive)
    }

    /// Deletes `key` from `table`, as part of the transaction.
    @discardableResult
    public func delete(_ table: String, _ key: Key) throws(LogDBError) -> SequenceNumber {
        while true {
            if let sequence = try database.log.append(table, key, Span(), isDelete: true, to: state, epoch: 0) { return sequence }
        }
    }

    // MARK: - Reading

    /// The document of `key` as the transaction sees it, byte for byte; nil if it was deleted, has expired or was never written.
    public func document(_ table: String, _ key: Key) throws(LogDBError) -> [UInt8]? {
        try database.document(table, key, in: try database.log.snapshot(of: state))
    }

    /// The document of `key` as the transaction sees it; ``JSON/null`` if it was deleted, has expired or was never written.
    public func get(_ table: String, _ key: Key) throws(LogDBError) -> JSON {
        try Database.json(try document(table, key))
    }

    /// The document of `key` as the transaction sees it, decoded; nil if it was deleted, has expired or was never written.
    public func get<Document: Decodable>(
        _ table: String, _ key: Key, as type: Document.Type = Document.self
    ) throws(LogDBError) -> Document? {
        guard let text = try document(table, key) else { return nil }
        return try Database.decode(text.span)
    }

    /// Delivers the documents as the transaction sees them; as ``Database/select(_:_:)``.
    public func select(_ table: String? = nil, _ body: (borrowing Operation) throws -> Void) throws {
        try database.select(table, in: try database.log.snapshot(of: state), body)
    }

    /// Delivers every operation that the transaction sees; as ``Database/replay(_:)``.
    public func replay(_ body: (borrowing Operation) throws -> Void) throws {
        try database.log.snapshot(of: state).replay(budget: database.options.memoryBudgetBytes, body)
    }

    // MARK: - Ending

    /// Makes all operations happen, and waits for `persistence`.
    ///
    /// - Parameter persistence: how far the transaction must have travelled before this returns; nil is ``Options/persistence``.
    /// - Throws: `.transactionEnded`, `.transactionTooLarge`: nothing of it happened. `.diskFull`, `.inputOutput`, `.syncFailed`, `.poisoned`:
    ///   whether it happened is unknown, but all of it did or nothing; reopening the database decides.
    public func commit(persistence: Persistence? = nil) throws(LogDBError) {
        let level = try database.level(persistence)
        guard let appended = try database.log.commit(state) else { return }
        try database.log.wait(for: appended.position, level)
    }

    /// As ``commit(persistence:)``, without holding a thread while the disk works.
    public func commit(persistence: Persistence? = nil) async throws(LogDBError) {
        _ = try database.level(persistence)
        guard let appended = try database.log.commit(state) else { return }
        try await database.settle(appended, persistence)
    }

    /// Ends the transaction as if it had never begun. After a commit or another rollback it does nothing.
    public func rollback() { database.log.rollback(state) }
}

extension Database {
    /// Begins a transaction. It takes nothing, on the disk or elsewhere, before its first operation.
    public func begin() throws(LogDBError) -> Transaction {
        try checkWritable()
        try log.monitor.withLock { state throws(LogDBError) in try state.checkWritable() }
        return Transaction(database: self)
    }

    /// Runs `body` with a transaction: commits when it returns, rolls back when it throws.
    ///
    /// - Returns: what `body` returned, once the transaction is as persistent as asked for.
    /// - Throws: what `body` throws, and as ``Transaction/commit(persistence:)``.
    public func transaction<Result>(
        persistence: Persistence? = nil, _ body: (Transaction) throws -> Result
    ) throws -> Result {
        let transaction = try begin()
        let result: Result
        do { result = try body(transaction) } catch {
            transaction.rollback()
            throw error
        }
        try transaction.commit(persistence: persistence)
        return result
    }
}
