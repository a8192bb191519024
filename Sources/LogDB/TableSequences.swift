//===--- TableSequences.swift - a table's documents, one by one --------------===//
//
// `select` pushes, a loop pulls. In between stands a thread that reads, and hands over a page of documents at a time; it is never more than
// two pages ahead, and ends when the loop does. Documents are decoded by who wants them.
//
//      select ── page ──▶ channel ── next() ──▶ decode ──▶ for … in
//===-----------------------------------------------------------------------===//

import LogDBFile

/// The live documents of a ``Table``, in key order, for a plain loop. See ``Table/results``.
public struct TableResults<Key: TableKey, Document: Codable>: Sequence {
    let table: Table<Key, Document>

    public struct Iterator: IteratorProtocol {
        private var reader: TableReader<Key, Document>

        init(_ table: Table<Key, Document>) { reader = TableReader(table) }

        /// The next document, or why there is none; after an error comes nil.
        public mutating func next() -> Result<(key: Key, document: Document), any Error>? {
            do {
                while true {
                    if let item = try reader.take() { return .success(item) }
                    guard reader.turn(to: try reader.pages.next()) else { return nil }
                }
            } catch {
                reader.end()
                return .failure(error)
            }
        }
    }

    public func makeIterator() -> Iterator { Iterator(table) }
}

/// The live documents of a ``Table``, in key order, for an asynchronous loop. See ``Table/documents``.
public struct TableDocuments<Key: TableKey, Document: Codable>: AsyncSequence {
    public typealias Element = (key: Key, document: Document)
    let table: Table<Key, Document>

    public struct AsyncIterator: AsyncIteratorProtocol {
        private var reader: TableReader<Key, Document>

        init(_ table: Table<Key, Document>) { reader = TableReader(table) }

        /// The next document; nil behind the last one.
        public mutating func next() async throws -> Element? {
            do {
                while true {
                    if let item = try reader.take() { return item }
                    guard reader.turn(to: try await reader.pages.nextWithoutBlocking()) else { return nil }
                }
            } catch {
                reader.end()
                throw error
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(table) }
}

extension Table {
    /// The live documents, in key order, for a plain loop. Each is a result, since a plain loop cannot throw, and reading can fail:
    ///
    /// ```swift
    /// for result in actors.results {
    ///     let (key, actor) = try result.get()
    ///     …
    /// }
    /// ```
    ///
    /// The loop sees the state at its beginning. Memory: as ``Database/select(_:_:)``, and a few hundred KiB.
    public var results: TableResults<Key, Document> { TableResults(table: self) }

    /// The live documents, in key order, for an asynchronous loop, which holds no thread while the disk works:
    ///
    /// ```swift
    /// for try await (key, actor) in actors.documents { … }
    /// ```
    ///
    /// The loop sees the state at its beginning. Memory: as ``Database/select(_:_:)``, and a few hundred KiB.
    public var documents: TableDocuments<Key, Document> { TableDocuments(table: self) }
}

/// Where a loop stands.
struct TableReader<Key: TableKey, Document: Codable> {
    let pages: DocumentPages
    private let table: Table<Key, Document>
    private var page: [DocumentPages.Item] = []
    private var place = 0
    private var isOver = false

    init(_ table: Table<Key, Document>) {
        self.table = table
        pages = DocumentPages(table.database, table.name)
    }

    /// The next document of the page; nil where it ends.
    mutating func take() throws -> (key: Key, document: Document)? {
        guard !isOver, place < page.count else { return nil }
        defer { place += 1 }
        let bytes = page[place].document
        return (try table.typed(page[place].key), try Database.decode(bytes.span))
    }

    /// Goes on with the next page; false if there is none.
    mutating func turn(to next: [DocumentPages.Item]?) -> Bool {
        guard !isOver, let next else {
            end()
            return false
        }
        (page, place) = (next, 0)
        return true
    }

    mutating func end() { (isOver, page) = (true, []) }
}

/// Pages of documents, read by a thread of their own. Letting go of it ends the thread.
final class DocumentPages: Sendable {
    struct Item: Sendable {
        var key: Key
        var document: [UInt8]
    }

    private static let pageBytes = 128 << 10
    private static let pageItems = 512

    private struct State {
        var page: [Item]?
        var isOver = false
        var failure: (any Error)?
        var isAbandoned = false
        /// Who waits without a thread.
        var waiter: CheckedContinuation<Void, Never>?
    }

    private final class Channel: Sendable {
        let state = Monitor(State())

        /// Hands a page over; waits until the one before it was taken. False if nobody wants it.
        func put(_ page: [Item]) -> Bool {
            let (isWanted, waiter) = state.enter { lock in
                while lock.state.page != nil, !lock.state.isAbandoned { lock.wait() }
                guard !lock.state.isAbandoned else { return (false, CheckedContinuation<Void, Never>?.none) }
                lock.state.page = page
                return (true, lock.state.waiter.take())
            }
            state.broadcast()
            waiter?.resume()
            return isWanted
        }

        func finish(_ failure: (any Error)?) {
            let waiter = state.withLock { state in
                state.isOver = true
                state.failure = failure
                return state.waiter.take()
            }
            state.broadcast()
            waiter?.resume()
        }
    }

    private struct Abandoned: Error {}
    private let channel = Channel()
    private let thread: BackgroundThread?

    /// Begins to read the live documents of a table as they are now.
    init(_ database: Database, _ table: String) {
        let channel = channel
        do {
            let snapshot = try database.log.snapshot()
            thread = try BackgroundThread(name: "logdb-read") { Self.read(database, table, snapshot, into: channel) }
        } catch {
            thread = nil
            channel.finish((error as? FileError).map { LogDBError($0) } ?? error)
        }
    }

    deinit {
        channel.state.withLock { $0.isAbandoned = true }
        channel.state.broadcast()
    }

    private static func read(_ database: Database, _ table: String, _ snapshot: Snapshot, into channel: Channel) {
        var page: [Item] = []
        var bytes = 0
        do {
            try database.select(table, in: snapshot) { operation in
                page.append(Item(key: try operation.key, document: Array(operation.document)))
                bytes += operation.document.count
                guard bytes >= pageBytes || page.count >= pageItems else { return }
                guard channel.put(page) else { throw Abandoned() }
                (page, bytes) = ([], 0)
            }
            if !page.isEmpty { _ = channel.put(page) }
            channel.finish(nil)
        } catch {
            // What was sound is delivered first.
            if !page.isEmpty, !(error is Abandoned) { _ = channel.put(page) }
            channel.finish(error)
        }
    }

    /// The next page; nil behind the last one.
    func next() throws -> [Item]? {
        let answer = channel.state.enter { lock in
            while lock.state.page == nil, !lock.state.isOver { lock.wait() }
            return Self.take(&lock.state)
        }
        channel.state.broadcast()
        return try answer.get()
    }

    /// The next page, without holding a thread until it is there; nil behind the last one.
    func nextWithoutBlocking() async throws -> [Item]? {
        await withCheckedContinuation { continuation in
            let isThere = channel.state.withLock { state in
                if state.page != nil || state.isOver { return true }
                state.waiter = continuation
                return false
            }
            if isThere { continuation.resume() }
        }
        let answer = channel.state.withLock { Self.take(&$0) }
        channel.state.broadcast()
        return try answer.get()
    }

    private static func take(_ state: inout State) -> Result<[Item]?, any Error> {
        if let page = state.page.take() { return .success(page) }
        if let failure = state.failure.take() { return .failure(failure) }
        return .success(nil)
    }
}
