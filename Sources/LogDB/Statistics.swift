//===--- Statistics.swift - what a database holds and takes ----------------===//

/// What ``Database/statistics()`` counts.
public struct Statistics: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public var name: String
        /// `manifest`, `raw`, `sealed`, compacted `base`, `ring`, or `spare`: the file of the next raw segment.
        public var kind: String
        /// Bytes on the disk; for the raw segment being written to, the reserved ones included.
        public var bytes: UInt64
        /// Bytes of the records, uncompressed.
        public var rawBytes: UInt64
        public var operations: UInt64
        public var firstSequenceNumber: SequenceNumber
        public var lastSequenceNumber: SequenceNumber
        /// Codec of a sealed segment, as `logdb load --codec` spells it.
        public var codec: String?
    }

    public struct Table: Sendable, Equatable {
        public var name: String
        /// Operations still in the log, superseded ones included.
        public var upserts: UInt64 = 0
        public var deletes: UInt64 = 0
        public var keyBytes: UInt64 = 0
        public var documentBytes: UInt64 = 0
    }

    /// A transaction that has operations and is neither committed nor rolled back.
    public struct OpenTransaction: Sendable, Equatable {
        public var operations: UInt64
        /// Bytes of its operations.
        public var bytes: UInt64
        /// Segments that it keeps from being sealed.
        public var pinnedSegments: Int
        /// Bytes by which the log grew since its first operation.
        public var pinnedBytes: UInt64
    }

    public var files: [File] = []
    /// Transactions that are open. An opening for reading, beside a writer or after its death, goes by what the writer has handed to the
    /// system, and cannot tell an open transaction from one that was rolled back and is not sealed away yet.
    public var openTransactions: [OpenTransaction] = []
    public var tables: [Table] = []
    /// Operations still in the log, those of dropped tables included.
    public var operations: UInt64 = 0
    /// Bytes of all keys and documents still in the log.
    public var rawBytes: UInt64 = 0
    /// Bytes of all files.
    public var storedBytes: UInt64 = 0
    /// Bytes of keys and documents in sealed segments, and bytes of those files.
    public var sealedRawBytes: UInt64 = 0
    public var sealedStoredBytes: UInt64 = 0
    public var firstSequenceNumber: SequenceNumber = 0
    public var lastSequenceNumber: SequenceNumber = 0
    /// The last operation that compaction has taken in. Of those up to it only the newest of each key is left, and of deletes none.
    public var compactedSequenceNumber: SequenceNumber = 0
    /// The digest of the live contents, where it is known without reading them: after a compaction, as long as nothing was written.
    public var digest: LiveDigest?
    /// Why the last automatic compaction did not come to its end; nil if it did, or there was none since the database was opened.
    public var compactionFailure: LogDBError?
    /// Files that compaction has replaced, and that wait for other processes which read them.
    public var waitingFiles: [String] = []
    /// Bytes of ``waitingFiles``.
    public var waitingBytes: UInt64 = 0
    /// Reads under way in this process. Files that were listed when they began stay until they end.
    public var readers = 0
    /// How writes reach the log: ``Appender/positional`` or ``Appender/sharedTail``. In an opening for reading: how those do that are not in
    /// the segment's file yet, or were not when the writer died.
    public var appender = Appender.positional
    public var recovery = RecoveryReport()

    public init() {}
}
