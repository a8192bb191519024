//===--- RecoveryReport.swift - what opening found -------------------------===//

/// What ``Database/open(at:options:)`` found and did.
public struct RecoveryReport: Sendable, Equatable {
    /// The database did not exist and was created.
    public var created = false
    /// The last writer closed it; nothing had to be recovered.
    public var wasClosed = true
    /// Bytes of a torn tail that were cut off: written, but never acknowledged as `.disk`.
    public var tornBytes: UInt64 = 0
    /// Where the log was cut: the file, and the offset at which it now ends. nil where nothing was.
    public var cutFile: String?
    public var cutOffset: UInt64 = 0
    /// Files left over by interrupted work that were removed.
    public var removedFiles = 0
    /// Number of segments, sealed and raw.
    public var segments = 0
    /// The last sequence number there is.
    public var lastSequenceNumber: SequenceNumber = 0
    /// When the recovery took place, in milliseconds since 1970 UTC.
    public var milliseconds: Int64 = 0

    public init() {}
}
