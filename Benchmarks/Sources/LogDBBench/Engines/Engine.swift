//===--- Engine.swift - what is asked of every engine ----------------------===//
//
// open, put, batch, delete, reload, compact, close: the smallest interface that the workloads need. A writer belongs to one thread; an
// engine gives as many writers as there are threads. Data goes over in the form that costs the engine least: bytes for those with a C
// interface, Swift strings for those with a Swift one, both made beforehand.
//===-----------------------------------------------------------------------===//

/// How far a write has travelled when it returns.
enum Durability: String, Codable {
    /// On the disk: survives a power cut.
    case disk
    /// In the system's hands: survives the process being killed.
    case process
}

protocol Engine: AnyObject {
    /// Opens the database in an existing folder, and makes it if there is none.
    init(_ setting: Setting, folder: String) throws

    /// What a new database needs once, before its first operation.
    func prepare() throws

    func makeWriter() throws -> any Writer

    /// Puts all live documents where the application keeps them. A log may deliver what was superseded, and deletes, as well.
    func reload(into destination: Destination) throws

    /// Reclaims what was superseded.
    func compact() throws

    func close() throws

    /// A process of its own that does the work, whose memory and writes count.
    var server: Int32? { get }
}

extension Engine {
    func prepare() {}
    var server: Int32? { nil }
}

protocol Writer: AnyObject {
    /// Carries out one operation and returns when it is as durable as the setting says.
    func apply(_ slice: Slice, _ index: Int) throws
    /// Carries out all of them as one batch: after a crash all are there, or none.
    func applyBatch(_ slice: Slice, _ range: Range<Int>) throws
}

/// One that can wait without holding a thread.
protocol AsynchronousWriter: Writer, Sendable {
    func applyAsynchronously(_ slice: Slice, _ index: Int) async throws
}

/// One that stores Swift values.
protocol TypedEngine: AnyObject {
    /// Opens the database, and makes it with its table if there is none.
    init(_ setting: Setting, folder: String) throws
    func put(_ actor: Actor) throws
    func delete(_ id: String) throws
    func reload() throws -> [String: Actor]
    func close() throws
}

/// Where a reload puts what it reads.
final class Destination {
    enum Kind: String, Codable, CaseIterable {
        /// `[String: [UInt8]]`: what a Swift program would fill.
        case dictionary
        /// `std::unordered_map<std::string, std::string>`: what a C++ program would fill.
        case map
        /// Nowhere: what the engine itself takes.
        case nowhere
        /// LogDB's own read-only collection.
        case loadAll
    }

    let kind: Kind
    private(set) var dictionary: [String: [UInt8]] = [:]
    private let map = Map()
    /// Says what is in a collection that an engine has made itself.
    var collection: (() -> Contents)?
    /// Rows that were delivered.
    var delivered = 0

    init(_ kind: Kind) { self.kind = kind }

    /// Lets an engine fill the dictionary by itself.
    func fill(_ body: (inout [String: [UInt8]]) throws -> Void) rethrows {
        try body(&dictionary)
        delivered += dictionary.count
    }

    @inline(__always)
    func put(_ key: Span<UInt8>, _ document: Span<UInt8>) {
        delivered &+= 1
        switch kind {
        case .dictionary: dictionary[String(copying: key)] = [UInt8](copying: document)
        case .map: map.put(key, document)
        case .nowhere, .loadAll: break
        }
    }

    @inline(__always)
    func put(_ key: String, _ document: Span<UInt8>) {
        delivered &+= 1
        switch kind {
        case .dictionary: dictionary[key] = [UInt8](copying: document)
        case .map: map.put(key.utf8.span, document)
        case .nowhere, .loadAll: break
        }
    }

    @inline(__always)
    func remove(_ key: String) {
        delivered &+= 1
        switch kind {
        case .dictionary: dictionary[key] = nil
        case .map: map.remove(key.utf8.span)
        case .nowhere, .loadAll: break
        }
    }

    @inline(__always)
    func remove(_ key: Span<UInt8>) {
        delivered &+= 1
        switch kind {
        case .dictionary: dictionary[String(copying: key)] = nil
        case .map: map.remove(key)
        case .nowhere, .loadAll: break
        }
    }

    /// What is in it; nil where nothing was kept.
    var contents: Contents? {
        switch kind {
        case .dictionary:
            var contents = Contents()
            for (key, document) in dictionary { contents.add(key.utf8.span, document.span) }
            return contents
        case .map: return map.contents
        case .nowhere: return nil
        case .loadAll: return collection?()
        }
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        // SAFETY: the pointer does not outlive the closure.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension String {
    init(copying bytes: Span<UInt8>) {
        // SAFETY: the pointer does not outlive the closure.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
