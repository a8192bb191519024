//===--- Database.swift - the face of the engine ---------------------------===//

import LogDBFile
import LogDBFormat

/// An open database: a folder that keeps every change handed to it, to the degree asked for, and gives all of them back.
///
/// Calls are synchronous and may come from any thread; threads that wait for the disk share one sync. One opening at a time may
/// write, in any process; any number may read beside it.
///
/// ```swift
/// let db = try Database.open(at: "saves.logdb")
/// try db.upsert("actors", "hero", json: #"{"hp":12}"#)
/// try db.replay { operation in … }
/// try db.close()
/// ```
public final class Database: Sendable {
    /// The folder.
    public let path: String
    public let options: Options
    /// What opening found and did.
    public let recovery: RecoveryReport
    let log: Log
    let find: Find
    private let lock: (any DirectoryLock)?
    private let lastRecovery: RecoverySummary?

    private init(path: String, options: Options, recovery: RecoveryReport, log: Log, lock: (any DirectoryLock)?) {
        self.path = path
        self.options = options
        self.recovery = recovery
        self.log = log
        self.lock = lock
        find = Find(budget: options.memoryBudgetBytes)
        lastRecovery = log.manifest.state.lastRecovery
        if options.access == .readWrite, log.monitor.withLock({ $0.sealableCount }) > 0 { log.wakeSealer() }
        log.considerCompaction(hasJustOpened: true)
    }

    deinit { try? shutDown() }

    /// The last recovery that found anything to do: this opening's, or the one that the manifest remembers.
    var lastRecoveryReport: RecoveryReport {
        guard recovery.wasClosed, let last = lastRecovery else { return recovery }
        var report = recovery
        report.wasClosed = false
        report.tornBytes = last.tornBytes
        report.cutFile = last.segment == 0 ? nil : FileNames.raw(last.segment).name
        report.cutOffset = last.offset
        report.removedFiles = Int(clamping: last.removedFiles)
        report.milliseconds = last.milliseconds
        return report
    }

    // MARK: - Opening and closing

    /// Opens the database in the folder at `path`, recovering it if its last writer did not close it.
    ///
    /// Creates it where there is none, if ``Options/createIfMissing`` says so: the last component of the path too, but not its parents.
    /// Cost: reads the manifest, a header for each segment and the segments not sealed yet; not the data.
    ///
    /// - Returns: a database with everything that was acknowledged, and durable: recovery syncs what it keeps.
    /// - Throws: ``LogDBError``, having changed nothing, with code
    ///   - `.locked` if another opening is writing; the message names its process;
    ///   - `.corrupted` if bytes that had been acknowledged as `.disk`, sealed or listed are damaged, missing or swapped;
    ///   - `.unsupportedFormat` or `.codecUnavailable` for a database of a newer version;
    ///   - `.notFound`, `.notADatabase`, `.invalidPath`, `.permissionDenied`, `.readOnlyFileSystem`, `.diskFull`, `.invalidOption`.
    public static func open(at path: String, options: Options = Options()) throws(LogDBError) -> Database {
        try options.validate()
        let mayCreate = options.access == .readWrite && options.createIfMissing
        let directory: POSIXDirectory
        do throws(FileError) { directory = try POSIXDirectory.open(path: path, create: mayCreate) } catch {
            switch error.code {
            case .notFound where !mayCreate: throw LogDBError(.notFound, "there is no database at \(path)")
            case .notFound: throw LogDBError(.invalidPath, "the folder that is to hold \(path) does not exist: make it first")
            case .notADirectory where error.name == path: throw LogDBError(.notADatabase, "\(path) is a file, not a database folder")
            case .alreadyExists: throw LogDBError(.notADatabase, "\(path) is a file, not a database folder")
            case .notADirectory, .nameTooLong, .invalidName: throw LogDBError(.invalidPath, "\(path) is no usable path: \(error)")
            default: throw LogDBError(error)
            }
        }
        return try open(directory, path: path, options: options)
    }

    /// Opens the database in `directory`, which may be a simulated one.
    package static func open(_ directory: any Directory, path: String, options: Options) throws(LogDBError) -> Database {
        options.access == .readOnly
            ? try openForReading(directory, path: path, options: options)
            : try openForWriting(directory, path: path, options: options)
    }

    private static func openForWriting(_ plain: any Directory, path: String, options: Options) throws(LogDBError) -> Database {
        let directory = SparingDirectory(plain)
        // A folder of something else must not even get a lock file.
        let names = try mapped { () throws(FileError) in try directory.list() }
        if try Inspection.manifestNumber(names) == nil, !options.createIfMissing {
            throw LogDBError(.notFound, "there is no database at \(path)")
        }
        let lock: any DirectoryLock
        do throws(FileError) { lock = try directory.lock(FileNames.lock) } catch {
            guard case .locked(let pid) = error.code else { throw LogDBError(error) }
            let holder = pid.map { "process \($0)\($0 == CurrentProcess.pid ? " (this one)" : "")" } ?? "another process"
            throw LogDBError(.locked, "the database is open for writing in \(holder): close it there, or open it for reading only")
        }
        do throws(LogDBError) {
            var report = RecoveryReport()
            let manifest: Manifest
            let state: LogState
            let reaper = Reaper(directory)
            let isLockMade = names.contains(FileNames.readers) || reaper.makeLockFile()
            if let found = try Inspection.inspect(directory, for: .readingAndWriting) {
                manifest = try found.recover(in: directory, options, reaper, &report)
                state = found.makeState(nextTable: manifest.state.nextTable)
            } else {
                manifest = try Manifest.create(in: directory, options: options)
                state = LogState(sealed: [], raw: [], mayReopen: false, catalog: Catalog(), nextSequence: 1, position: 0)
                report.created = true
            }
            report.segments = state.base.count + state.sealed.count + state.raw.count
            report.lastSequenceNumber = state.nextSequence - 1
            // Whoever began to read where there was no lock to take has none.
            let mayRecycle = names.contains(FileNames.readers) || report.created && isLockMade
            let log = Log(
                directory: directory, options: options, manifest: manifest, reaper: reaper, spare: mayRecycle ? directory.spare : nil,
                state: state)
            if let clock = options.clock { log.monitor.withLock { $0.clock = clock } }
            return Database(path: path, options: options, recovery: report, log: log, lock: lock)
        } catch {
            lock.release()
            throw error
        }
    }

    private static func openForReading(_ directory: any Directory, path: String, options: Options) throws(LogDBError) -> Database {
        let pin = try pinAsReader(directory)
        let found = try Inspection.inspectBesideWriter(directory, path: path)
        var report = RecoveryReport()
        report.wasClosed = found.unclosed.isEmpty && found.discarded.isEmpty
        report.tornBytes = found.tornBytes
        report.cutFile = found.cut?.file
        report.cutOffset = found.cut?.offset ?? 0
        var state = found.makeState(nextTable: found.manifest.state.nextTable)
        state.isBesideRing = found.hasRing
        report.segments = state.base.count + state.sealed.count + state.raw.count
        report.lastSequenceNumber = state.nextSequence - 1
        let manifest = Manifest.forReading(found.manifest, in: directory, options: options)
        let log = Log(directory: directory, options: options, manifest: manifest, reaper: Reaper(directory), state: state)
        return Database(path: path, options: options, recovery: report, log: log, lock: pin)
    }

    /// Seals what is full, makes everything durable, records the exact end of the log and lets the database go.
    ///
    /// A second call does nothing. Calls under way in other threads fail with `.closed`.
    ///
    /// - Throws: ``LogDBError`` if something could not be made durable. The database is closed all the same, and the next opening
    ///   recovers as after a crash: what was acknowledged is there.
    public func close() throws(LogDBError) { try shutDown() }

    private func shutDown() throws(LogDBError) {
        let isFirst = log.monitor.withLock { state in
            if state.isClosed || state.isStopping { return false }
            state.isStopping = true
            return true
        }
        guard isFirst else { return }
        log.monitor.broadcast()
        log.sealer.join()
        log.compactor.join()
        log.waitForCompaction()
        log.flusher.join()
        log.drainer.join()
        defer { lock?.release() }
        if options.access == .readOnly {
            log.monitor.withLock { $0.isClosed = true }
            return
        }
        log.reaper.reap()
        log.spare?.giveUp()
        try log.finish()
    }

    // MARK: - Writing

    /// Writes the document `json` under `key` in `table`, replacing what was there; creates the table if need be.
    ///
    /// The document is JSON text (RFC 8259): one object, valid UTF-8, nested at most 1,000 deep. It is kept byte for byte. Writing
    /// `null` deletes.
    ///
    /// - Parameters:
    ///   - timeToLive: when the document expires; nil: as the table says (``setTimeToLive(_:of:persistence:)``), by default never. Nothing for a delete.
    ///   - persistence: how far the write must have travelled before this returns; nil is ``Options/persistence``.
    /// - Returns: the operation's sequence number, greater than every earlier one.
    /// - Throws: ``LogDBError`` with code
    ///   - `.invalidDocument`, `.documentTooLarge`, `.keyTooLarge`, `.invalidTableName`, `.tooManyTables`, `.invalidOption`: nothing was written;
    ///   - `.diskFull`: nothing was written; deletes still work while the reserve of the segment lasts;
    ///   - `.syncFailed`: whether the write survives is unknown; all further writes throw `.poisoned` until the database is reopened;
    ///   - `.inputOutput`, `.poisoned`, `.closed`, `.readOnly`.
    @discardableResult
    public func upsert(
        _ table: String, _ key: Key, json: Span<UInt8>, timeToLive: TimeToLive? = nil, persistence: Persistence? = nil
    ) throws(LogDBError) -> SequenceNumber {
        let appended = try append(table, key, json, timeToLive)
        try log.wait(for: appended.position, try level(persistence))
        return appended.sequence
    }

    /// Deletes `key` from `table`. Deleting what is not there is an operation like any other.
    ///
    /// - Returns: the operation's sequence number.
    /// - Throws: as ``upsert(_:_:json:timeToLive:persistence:)``.
    @discardableResult
    public func delete(_ table: String, _ key: Key, persistence: Persistence? = nil) throws(LogDBError) -> SequenceNumber {
        let appended = try appendDelete(table, key)
        try log.wait(for: appended.position, try level(persistence))
        return appended.sequence
    }

    /// Writes all operations of `batch`, or none: they go into one frame.
    ///
    /// - Returns: the sequence numbers of the batch's operations, in its order; nil for an empty batch.
    /// - Throws: as ``upsert(_:_:json:timeToLive:persistence:)``, for the first operation that is wrong, and `.batchTooLarge`.
    @discardableResult
    public func write(_ batch: Batch, persistence: Persistence? = nil) throws(LogDBError) -> ClosedRange<SequenceNumber>? {
        guard let appended = try append(batch) else { return nil }
        try log.wait(for: appended.position, try level(persistence))
        return appended.sequence...(appended.sequence + UInt64(batch.count) - 1)
    }

    /// Raises everything written so far to `persistence`: with `.disk`, returns once it is on the disk.
    public func flush(to persistence: Persistence = .disk) throws(LogDBError) {
        try log.wait(for: try end(), try level(persistence))
    }

    /// Compresses all that was written so far: ends the active segment, and returns when every segment is sealed, and so on the disk.
    public func seal() throws(LogDBError) {
        try checkWritable()
        try log.seal()
    }

    // MARK: - Tables

    /// Names of the tables, sorted.
    public var tables: [String] {
        get throws(LogDBError) { try log.snapshot().tables.ids.keys.sorted() }
    }

    /// Creates an empty table; writing to one that does not exist does that as well. Does nothing if it is there.
    public func createTable(_ name: String, persistence: Persistence? = nil) throws(LogDBError) {
        try checkWritable()
        try Catalog.validate(name: name)
        let appended = try log.createTable(name)
        try log.wait(for: appended.position, try level(persistence))
    }

    /// Drops a table: its documents are gone at once, at the cost of one operation. A table created later under the same name is new.
    ///
    /// - Throws: `.noSuchTable` if it is not there, and as ``delete(_:_:persistence:)``.
    @discardableResult
    public func dropTable(_ name: String, persistence: Persistence? = nil) throws(LogDBError) -> SequenceNumber {
        try checkWritable()
        let appended = try log.dropTable(name)
        try log.wait(for: appended.position, try level(persistence))
        return appended.sequence
    }

    // MARK: - Reading

    /// Delivers every operation in order: what an application feeds its own dictionary with. The last one of a key wins.
    ///
    /// Sees the state at the moment of the call; writing meanwhile, even in `body`, is allowed and not seen. Operations on tables that
    /// were dropped are passed over. A document that has expired is delivered as a delete. Memory: ``Options/memoryBudgetBytes`` at most, plus the largest
    /// document.
    ///
    /// - Throws: what `body` throws; ``LogDBError`` `.corrupted` if damage is met, after everything before it was delivered.
    public func replay(_ body: (borrowing Operation) throws -> Void) throws {
        try log.snapshot().replay(budget: options.memoryBudgetBytes, body)
    }

    /// Delivers every operation on `table` in order; as ``replay(_:)``. A table that does not exist has none.
    public func replay(_ table: String, _ body: (borrowing Operation) throws -> Void) throws {
        let snapshot = try log.snapshot()
        guard let id = snapshot.tables.ids[table] else { return }
        try snapshot.replay(table: id, budget: options.memoryBudgetBytes, body)
    }

    /// Delivers the live documents of `table`, or of all tables, each once, sorted by table (in order of creation) and key.
    ///
    /// A table that does not exist is empty. Sees the state at the moment of the call. Memory: ``Options/memoryBudgetBytes`` at most, plus the
    /// largest document. What of the log is not compacted yet is sorted for it, in files on the disk where memory has no room (in the
    /// database's folder, or that for temporary files where it is open for reading only), and in several readings where the disk has none.
    ///
    /// - Throws: what `body` throws; ``LogDBError`` `.corrupted` if damage is met.
    public func select(_ table: String? = nil, _ body: (borrowing Operation) throws -> Void) throws {
        try select(table, in: try log.snapshot(), body)
    }

    /// Delivers the live documents of `table` that `keys` names, sorted by key, or backwards; as ``select(_:_:)``.
    ///
    /// Reads the blocks of the base in which such keys may be, and all of the log that is not compacted yet.
    public func select(_ table: String, _ keys: KeySelection, _ body: (borrowing Operation) throws -> Void) throws {
        try select(table, keys, in: try log.snapshot(), body)
    }

    func select(_ table: String?, in snapshot: Snapshot, _ body: (borrowing Operation) throws -> Void) throws {
        guard let table else { return try snapshot.select(.allTables, in: readingPlace, body) }
        try select(table, KeySelection(), in: snapshot, body)
    }

    func select(
        _ table: String, _ keys: KeySelection, in snapshot: Snapshot, _ body: (borrowing Operation) throws -> Void
    ) throws {
        guard let id = snapshot.tables.ids[table] else { return }
        try snapshot.select(
            try keys.range(in: id), isReversed: keys.isReversed, limit: keys.limit, in: readingPlace, body)
    }

    /// What readings may use. Who only reads writes nothing into the folder.
    var readingPlace: ReadingPlace {
        var place = ReadingPlace(
            budget: options.memoryBudgetBytes, sortBudget: options.sortBudgetBytes ?? options.memoryBudgetBytes / 2, spillDirectory: nil)
        if options.access == .readWrite {
            place.spillDirectory = log.directory
        } else if log.directory is POSIXDirectory {
            place.spillDirectory = POSIXDirectory.temporary()
        }
        return place
    }

    /// The live document of `key`, byte for byte as written; nil if it was deleted, has expired or was never written.
    ///
    /// Reads newest first and as little as it can: usually one block.
    public func document(_ table: String, _ key: Key) throws(LogDBError) -> [UInt8]? {
        try document(table, key, in: try log.snapshot())
    }

    func document(_ table: String, _ key: Key, in snapshot: Snapshot) throws(LogDBError) -> [UInt8]? {
        var encoded = ByteBuffer(capacity: 64)
        try key.append(to: &encoded)
        guard let id = snapshot.tables.ids[table] else { return nil }
        do { return try find.document(table: id, key: encoded.span, in: snapshot) } catch { throw error as! LogDBError }
    }

    // MARK: - Shared by the forms of each call

    func level(_ persistence: Persistence?) throws(LogDBError) -> Persistence {
        guard let persistence else { return options.persistence }
        if case .interval = persistence { try persistence.validate() }
        return persistence
    }

    /// Log position behind the last write.
    func end() throws(LogDBError) -> UInt64 {
        try checkWritable()
        return try log.monitor.withLock { state throws(LogDBError) in
            try state.checkWritable()
            return state.position
        }
    }

    func checkWritable() throws(LogDBError) {
        guard options.access == .readWrite else { throw LogDBError(.readOnly, "the database was opened for reading only") }
    }

    /// Proves and appends a document, or a delete where it is `null`.
    func append(_ table: String, _ key: Key, _ json: Span<UInt8>, _ timeToLive: TimeToLive? = nil) throws(LogDBError) -> Log.Appended {
        try checkWritable()
        try TimeToLive.validate(timeToLive)
        if isNull(json) { return try appendDelete(table, key) }
        while true {
            let epoch = log.schemas.epoch
            try checkDocument(json, under: key, in: table)
            if let appended = try log.append(table, key, json, isDelete: false, timeToLive: timeToLive, epoch: epoch) { return appended }
        }
    }

    func appendDelete(_ table: String, _ key: Key) throws(LogDBError) -> Log.Appended {
        try checkWritable()
        while true {
            if let appended = try log.append(table, key, Span(), isDelete: true, epoch: 0) { return appended }
        }
    }

    func append(_ batch: Batch) throws(LogDBError) -> Log.Appended? {
        try checkWritable()
        if batch.isEmpty { return nil }
        guard batch.bytes.count + batch.count * 20 <= options.maximumDocumentBytes + Record.maximumKeyLength + 1024 else {
            throw LogDBError(
                .batchTooLarge,
                "the batch has \(batch.bytes.count) bytes, more than the \(options.maximumDocumentBytes) allowed: write several, or a transaction"
            )
        }
        while true {
            let epoch = log.schemas.epoch
            let rules = batch.tables.map { log.schemas.rules(of: $0) }
            for item in batch.items where !item.isDelete { try check(item, of: batch, rules[Int(item.table)]) }
            if let appended = try log.append(batch, epoch: epoch) { return appended }
        }
    }

    private func check(_ item: Batch.Item, of batch: Batch, _ rules: WriteRules?) throws(LogDBError) {
        let document = batch.bytes.span.extracting(item.document)
        guard let rules else { return try checkDocument(document) }
        let key: Key
        do throws(FormatError) { key = try Key(decoding: batch.bytes.span.extracting(item.key)) } catch {
            throw LogDBError(.internalInconsistency, "a batch holds a key that cannot be read: \(error.reason)")
        }
        try checkLength(document)
        try rules.check(key, document, batch.tables[Int(item.table)])
    }

    /// Proves that `json` is a document, and one that the table's schema admits.
    @inline(__always)
    func checkDocument(_ json: Span<UInt8>, under key: Key, in table: String) throws(LogDBError) {
        guard let rules = log.schemas.rules(of: table) else { return try checkDocument(json) }
        try checkLength(json)
        try rules.check(key, json, table)
    }

    private func checkLength(_ json: Span<UInt8>) throws(LogDBError) {
        guard json.count <= options.maximumDocumentBytes else {
            throw LogDBError(
                .documentTooLarge, "the document has \(json.count) bytes, more than the \(options.maximumDocumentBytes) allowed")
        }
    }

    private func checkDocument(_ json: Span<UInt8>) throws(LogDBError) {
        try checkLength(json)
        do throws(JSONError) { try JSONValidator.validateDocument(json) } catch {
            throw LogDBError(.invalidDocument, error.reason.rawValue, offset: UInt64(error.offset))
        }
    }

    /// Whether the text is `null`, white space around it allowed. An object's first character settles it.
    @inline(__always)
    func isNull(_ json: Span<UInt8>) -> Bool {
        if json.count < 4 || json[0] == UInt8(ascii: "{") { return false }
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        var start = 0
        var end = json.count
        while start < end, isSpace(json[start]) { start += 1 }
        while end > start, isSpace(json[end - 1]) { end -= 1 }
        guard end - start == 4 else { return false }
        return json[start] == 0x6E && json[start + 1] == 0x75 && json[start + 2] == 0x6C && json[start + 3] == 0x6C
    }
}

extension Inspection {
    /// The log as it goes on from here.
    func makeState(nextTable: UInt64) -> LogState {
        var catalog = catalog
        catalog.nextID = max(catalog.nextID, nextTable)
        var state = LogState(
            base: base, compacted: manifest.state.compacted, sealed: sealed, raw: raw, mayReopen: mayReopen,
            catalog: catalog,
            nextSequence: max(nextSequence, manifest.state.lastSequence + 1), position: position, committed: committed)
        state.history = history
        state.nextBase = nextBase
        return state
    }

    /// Whether the last segment may be gone on in. One that was cut may not; nor one of which that cannot be told, as in a recycled file
    /// that was not closed: a frame that was torn there and one of an earlier life look alike.
    private var mayReopen: Bool {
        guard let last = raw.last else { return false }
        return cut == nil && !hasRing && !(last.segment.header.isRecycled && unclosed[last.segment.number] != nil)
    }

    /// Looks at a database that somebody may be writing to: what changed under our eyes is looked at again.
    static func inspectBesideWriter(_ directory: any Directory, path: String) throws(LogDBError) -> Inspection {
        var attempt = 0
        while true {
            let before = fingerprint(directory)
            do throws(LogDBError) {
                guard let found = try inspect(directory, for: .reading) else {
                    throw LogDBError(.notFound, "there is no database at \(path)")
                }
                return found
            } catch {
                attempt += 1
                guard before != fingerprint(directory), attempt < 100 else { throw error }
            }
        }
    }

    /// Changes whenever a file comes or goes or the manifest grows. By its bytes, not by what they say: beside a busy writer that is now and then half said.
    static func fingerprint(_ directory: any Directory) -> [String] {
        guard let names = try? directory.list().sorted(), let number = try? manifestNumber(names),
            let file = try? directory.open(FileNames.manifest(number).name, for: .reading), let size = try? file.size(),
            let bytes = try? file.read(at: 0, count: Int(clamping: size))
        else { return [] }
        return names + ["\(Checksum.crc32c(bytes.span))"]
    }
}
