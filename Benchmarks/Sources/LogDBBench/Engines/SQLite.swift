//===--- SQLite.swift - the peer, used as well as it can be ----------------===//
//
// One table `documents (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID`: a single B-tree, the cheapest shape for this job. Statements are
// prepared once, values are bound without copies, the journal is a WAL. Everything but that is as it comes. How far a commit has travelled when it returns:
//
//      synchronous = OFF      handed to the system, as LogDB's .process
//      synchronous = NORMAL   the same; the WAL is synced at checkpoints, so a power cut may take some, as with .interval
//      synchronous = FULL     the WAL is synced at each commit, as .disk
//===-----------------------------------------------------------------------===//

import CSQLite

@safe final class SQLite {
    enum Synchronous: String { case off = "OFF", normal = "NORMAL", full = "FULL" }

    // SAFETY: each handle is made in init and released once, in deinit; everything here runs on one thread.
    private var handle: OpaquePointer?
    private var upsertStatement: OpaquePointer?
    private var deleteStatement: OpaquePointer?
    private var getStatement: OpaquePointer?
    let path: String

    static var version: String { unsafe String(cString: sqlite3_libversion()) }

    /// - Parameter cacheBytes: of its page cache; nil is its own default, 2 MB.
    init(_ path: String, _ synchronous: Synchronous, cacheBytes: Int? = nil) throws {
        self.path = path
        try check(unsafe sqlite3_open(path, &handle))
        try execute("PRAGMA journal_mode = WAL")
        if let cacheBytes { try execute("PRAGMA cache_size = -\(cacheBytes / 1024)") }
        try execute("PRAGMA synchronous = \(synchronous.rawValue)")
        try execute("CREATE TABLE IF NOT EXISTS documents (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID")
        unsafe upsertStatement = try prepare("INSERT INTO documents VALUES (?1, ?2) ON CONFLICT (k) DO UPDATE SET v = excluded.v")
        unsafe deleteStatement = try prepare("DELETE FROM documents WHERE k = ?1")
        unsafe getStatement = try prepare("SELECT v FROM documents WHERE k = ?1")
    }

    deinit { close() }

    /// Folds the WAL into the database file, as closing the last connection does. A second call does nothing.
    func close() {
        unsafe sqlite3_finalize(upsertStatement)
        unsafe sqlite3_finalize(deleteStatement)
        unsafe sqlite3_finalize(getStatement)
        unsafe sqlite3_close(handle)
        unsafe upsertStatement = nil
        unsafe deleteStatement = nil
        unsafe getStatement = nil
        unsafe handle = nil
    }

    func upsert(_ key: String, _ document: Span<UInt8>) throws { try upsert(key.utf8.span, document) }

    func delete(_ key: String) throws { try delete(key.utf8.span) }

    func upsert(_ key: Span<UInt8>, _ document: Span<UInt8>) throws {
        try unsafe bind(key, to: upsertStatement) { statement in
            // SAFETY: without a destructor SQLite only borrows the bytes, and the statement is stepped and reset before they go away.
            try unsafe document.withUnsafeBufferPointer { bytes in
                try unsafe check(sqlite3_bind_blob(statement, 2, bytes.baseAddress, Int32(bytes.count), nil))
                guard unsafe sqlite3_step(statement) == SQLITE_DONE else { throw failure }
            }
        }
    }

    func delete(_ key: Span<UInt8>) throws {
        try unsafe bind(key, to: deleteStatement) { guard unsafe sqlite3_step($0) == SQLITE_DONE else { throw failure } }
    }

    func get(_ key: String) throws -> [UInt8]? {
        try unsafe bind(key.utf8.span, to: getStatement) { statement in
            guard unsafe sqlite3_step(statement) == SQLITE_ROW else { return nil }
            return unsafe Array(Self.column(0, of: statement))
        }
    }

    func begin() throws { try execute("BEGIN IMMEDIATE") }
    func commit() throws { try execute("COMMIT") }

    /// Delivers every row in the order of keys; the bytes are SQLite's own and valid during the call only.
    func forEach(_ body: (_ key: Span<UInt8>, _ document: Span<UInt8>) throws -> Void) throws {
        let statement = try unsafe prepare("SELECT k, v FROM documents")
        defer { unsafe sqlite3_finalize(statement) }
        while true {
            switch unsafe sqlite3_step(statement) {
            case SQLITE_ROW:
                let key = unsafe Self.column(0, of: statement)
                let document = unsafe Self.column(1, of: statement)
                try unsafe body(Span(_unsafeElements: key), Span(_unsafeElements: document))
            case SQLITE_DONE: return
            default: throw failure
            }
        }
    }

    func execute(_ text: String) throws {
        guard unsafe sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else { throw failure }
    }

    private func bind<Result>(
        _ key: Span<UInt8>, to statement: OpaquePointer?, _ body: (OpaquePointer?) throws -> Result
    ) throws -> Result {
        // SAFETY: as in `upsert`: reset and cleared before the text goes away.
        try unsafe key.withUnsafeBufferPointer { text in
            defer {
                unsafe sqlite3_reset(statement)
                unsafe sqlite3_clear_bindings(statement)
            }
            let start = unsafe UnsafeRawPointer(text.baseAddress!).assumingMemoryBound(to: CChar.self)
            try unsafe check(sqlite3_bind_text(statement, 1, start, Int32(text.count), nil))
            return try unsafe body(statement)
        }
    }

    private static func column(_ index: Int32, of statement: OpaquePointer?) -> UnsafeBufferPointer<UInt8> {
        let start = unsafe sqlite3_column_blob(statement, index)?.assumingMemoryBound(to: UInt8.self)
        return unsafe UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, index)))
    }

    private func prepare(_ text: String) throws -> OpaquePointer? {
        var statement: OpaquePointer?
        try check(unsafe sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        return unsafe statement
    }

    private func check(_ result: Int32) throws { if result != SQLITE_OK { throw failure } }

    private var failure: SystemFailure { SystemFailure(message: "SQLite: \(unsafe String(cString: sqlite3_errmsg(handle)))") }
}
