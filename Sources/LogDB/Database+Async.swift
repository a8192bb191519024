//===--- Database+Async.swift - writing without holding a thread -----------===//
//
// The same calls for asynchronous code. The append is done at once, on the calling thread, since it takes a microsecond; the wait
// for the disk is parked with the engine's own flusher, which completes everybody whose bytes one sync carried. Nothing here
// blocks a thread of Swift's pool on the disk, save for the moment once per segment in which a new one is made.
//===-----------------------------------------------------------------------===//

extension Database {
    /// Writes a document without holding a thread while the disk works; as ``upsert(_:_:json:timeToLive:persistence:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, json: [UInt8], timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) async throws(LogDBError) -> SequenceNumber {
        try await settle(try appendText(table, key, json, timeToLive), persistence)
    }

    /// Writes a JSON value without holding a thread while the disk works; as ``upsert(_:_:_:timeToLive:persistence:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, _ document: JSON, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) async throws(LogDBError) -> SequenceNumber {
        try await settle(try appendText(table, key, document.serialized(), timeToLive), persistence)
    }

    /// Writes a value without holding a thread while the disk works; as ``upsert(_:_:encoding:timeToLive:persistence:)``.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, encoding document: some Encodable, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) async throws(LogDBError) -> SequenceNumber {
        try await settle(try appendText(table, key, try Self.encode(document), timeToLive), persistence)
    }

    /// Deletes without holding a thread while the disk works; as ``delete(_:_:persistence:)``.
    @discardableResult
    public func delete(_ table: String, _ key: Key, persistence: Persistence? = nil) async throws(LogDBError) -> SequenceNumber {
        try await settle(try appendDelete(table, key), persistence)
    }

    /// Writes a batch without holding a thread while the disk works; as ``write(_:persistence:)``.
    @discardableResult
    public func write(_ batch: Batch, persistence: Persistence? = nil) async throws(LogDBError) -> ClosedRange<SequenceNumber>? {
        guard let appended = try append(batch) else { return nil }
        let first = try await settle(appended, persistence)
        return first...(first + UInt64(batch.count) - 1)
    }

    /// Raises everything written so far to `persistence` without holding a thread; as ``flush(to:)``.
    public func flush(to persistence: Persistence = .disk) async throws(LogDBError) {
        let position = try end()
        try await settle(Log.Appended(sequence: 0, position: position), persistence)
    }

    private func appendText(
        _ table: String, _ key: Key, _ json: [UInt8], _ timeToLive: TimeToLive?
    ) throws(LogDBError) -> Log.Appended {
        try append(table, key, json.span, timeToLive)
    }

    @discardableResult
    func settle(_ appended: Log.Appended, _ persistence: Persistence?) async throws(LogDBError) -> SequenceNumber {
        guard try mustWait(for: appended.position, persistence) else { return appended.sequence }
        if let failure = await log.durabilityFailure(at: appended.position) { throw failure }
        return appended.sequence
    }

    /// Whether an append is still to be waited for; the cheaper levels are seen to at once.
    private func mustWait(for position: UInt64, _ persistence: Persistence?) throws(LogDBError) -> Bool {
        let level = try level(persistence)
        if level == .disk { return true }
        try log.wait(for: position, level)
        return false
    }
}
