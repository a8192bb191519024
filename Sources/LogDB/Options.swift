//===--- Options.swift - how a database is opened --------------------------===//

import LogDBFile
import LogDBFormat

/// How far a write has travelled when it is acknowledged.
public enum Persistence: Hashable, Sendable {
    /// In the operating system's hands: survives this process being killed at any moment. A power cut may take it.
    case process
    /// As `.process` at once, and on the disk once the duration has passed. Between 1 millisecond and 1 hour.
    case interval(Duration)
    /// On the disk (`fdatasync`; on macOS `F_FULLFSYNC`): survives a power cut at any moment after the call returned.
    case disk
}

/// How sealed segments are compressed. A database may hold segments of several codecs; the option says what new ones get.
public enum Codec: Hashable, Sendable {
    /// Not at all. The segments are still standard `.gz` files, of stored blocks.
    case none
    /// LZ4's fast compressor: the cheapest to write, and as fast to read as any.
    case lz4
    /// LZ4's thorough compressor, level 3 ... 12: slower to write, as fast to read as `.lz4`.
    case lz4HC(level: Int)
    /// Deflate in gzip members, level 1 ... 9: the smallest, slower to write and to read.
    case zlib(level: Int)
}

/// How writes reach the log. What is promised is the same for all; only the cost of a write that does not wait for the disk differs.
public enum Appender: String, Hashable, Sendable, CaseIterable {
    /// ``sharedTail`` once a session has written more than half a megabyte beyond what it had synced, or eight writers or more have waited for one sync,
    /// and before that ``positional``. The default.
    case automatic
    /// Each write is one call of the system.
    case positional
    /// Each write is stored in 4 MiB of memory that outlives the process (`RING`, a file in the database's folder), from which a thread fills the segment.
    /// Used from the first write on, where a full disk can never meet such a store: on ext2 to ext4 and tmpfs, with leave to lock that memory
    /// (`ulimit -l`). Elsewhere it is ``positional``; ``Statistics/appender`` tells which.
    case sharedTail
}

/// Options for ``Database/open(at:options:)``.
public struct Options: Sendable {
    public enum Access: Sendable {
        /// Reads and writes. One such opening at a time, in any process.
        case readWrite
        /// Reads the state at the moment of opening, beside a writer or alone, and changes nothing on the disk.
        case readOnly
    }

    public var access: Access = .readWrite
    /// Creates the database where there is none. Default true; a read-only opening never creates.
    public var createIfMissing = true
    /// The level of writes that name none. Default ``Persistence/disk``: nothing that was acknowledged is ever lost. Choose less
    /// where a power cut may take the last moments; a put is then a hundred times cheaper.
    public var persistence: Persistence = .disk
    /// Codec of segments sealed from now on. Default ``Codec/lz4``.
    public var codec: Codec = .lz4
    /// Size at which the active segment is sealed and a new one begins: 64 KiB ... 1 GiB, default 32 MiB. This much disk is
    /// reserved ahead while the database is open for writing, and recovery after a crash reads up to a few of them.
    public var segmentSizeBytes = 32 << 20
    /// Largest document accepted, 2 bytes ... 1 GiB, default 64 MiB. Also the largest batch.
    public var maximumDocumentBytes = 64 << 20
    /// Memory that replaying, selecting, finding and compacting may each use beyond the largest document: 4 MiB or more, default 64 MiB. With less,
    /// more is spilled to the disk on the way.
    public var memoryBudgetBytes = 64 << 20
    /// When the database compacts itself. Default ``CompactionPolicy/automatic``: in the background, when half of the data is superseded or expired.
    public var compaction: CompactionPolicy = .automatic
    /// How writes reach the log. Default ``Appender/automatic``.
    public var appender: Appender = .automatic

    /// How much the log may grow while a transaction is open: 1 MiB or more, default 4 GiB. Nothing written since its first operation
    /// can be compressed before it ends, so one that is forgotten would fill the disk; past this it is rolled back.
    public var maximumOpenTransactionBytes = 4 << 30

    /// How much the manifest may grow, beyond four times its fresh length, before it is written anew. Not an option for users: tests make it
    /// small to see the switch happen within a few writes.
    package var manifestGrowthBytes = 64 << 10
    /// Memory for sorting, instead of its share of the budget. Not an option for users either: tests make it small to see runs, and merges of runs, of
    /// a few kilobytes.
    package var sortBudgetBytes: Int?
    /// What time it is, for operations and for retention; nil for the system's clock. For tests.
    package var clock: WallClock?
    /// Bytes of the ring. Tests make it small, to go round it within a few writes, and leave draining to those who need it, to have every run alike.
    package var ringBytes = 4 << 20
    package var drainsInBackground = true

    public init() {}

    public init(_ configure: (inout Options) -> Void) {
        configure(&self)
    }
}

extension Options {
    package static let segmentSizeRange = (64 << 10)...(1 << 30)

    /// Throws `.invalidOption` for a value out of its range.
    package func validate() throws(LogDBError) {
        guard Self.segmentSizeRange.contains(segmentSizeBytes) else {
            throw LogDBError(.invalidOption, "segmentSizeBytes is \(segmentSizeBytes): choose 65,536 (64 KiB) to 1,073,741,824 (1 GiB)")
        }
        guard (2...Record.maximumDocumentLength).contains(maximumDocumentBytes) else {
            throw LogDBError(.invalidOption, "maximumDocumentBytes is \(maximumDocumentBytes): choose 2 to 1,073,741,824 (1 GiB)")
        }
        guard memoryBudgetBytes >= 4 << 20 else {
            throw LogDBError(.invalidOption, "memoryBudgetBytes is \(memoryBudgetBytes): choose 4,194,304 (4 MiB) or more")
        }
        guard maximumOpenTransactionBytes >= 1 << 20 else {
            throw LogDBError(
                .invalidOption, "maximumOpenTransactionBytes is \(maximumOpenTransactionBytes): choose 1,048,576 (1 MiB) or more")
        }
        try codec.validate()
        try compaction.validate()
        try persistence.validate()
    }
}

extension Persistence {
    package func validate() throws(LogDBError) {
        guard case .interval(let duration) = self else { return }
        guard duration >= .milliseconds(1), duration <= .seconds(3600) else {
            throw LogDBError(.invalidOption, "the interval is \(duration): choose 1 millisecond to 1 hour")
        }
    }
}

extension Codec {
    package func validate() throws(LogDBError) {
        switch self {
        case .lz4HC(let level) where !(3...12).contains(level):
            throw LogDBError(.invalidOption, "lz4HC has no level \(level): choose 3 to 12")
        case .zlib(let level) where !(1...9).contains(level):
            throw LogDBError(.invalidOption, "zlib has no level \(level): choose 1 to 9")
        default: break
        }
    }

    package var blockCodec: BlockCodec {
        switch self {
        case .none: .none
        case .lz4: .lz4
        case .lz4HC(let level): .lz4HC(level: level)
        case .zlib(let level): .zlib(level: level)
        }
    }
}
