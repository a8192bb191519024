//===--- Appender.swift - how bytes reach the active segment ---------------===//
//
//      append    the bytes survive this process               .process
//      drain     … and are in the segment's file              readers in this process, sealing, rolling
//      sync      (of that file, by the leader)                .disk
//
// Two ways: `PositionalAppender` writes each append with one call of the system, `SharedTail` stores it in memory that outlives the process and
// lets another thread write. Both are driven under the log's lock, but for `drain`, which may come from any thread.
//
//   * an append that fails appended nothing: what follows takes its place.
//   * what was appended stays readable to recovery, whatever fails later and whenever the process dies.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

protocol SegmentAppender: AnyObject, Sendable {
    /// What it is called in statistics.
    var kind: Appender { get }

    /// Log position up to which the segment's file has everything; nil if that is all there is.
    var drainedPosition: UInt64? { get }

    /// Goes on in `segment`, at `offset` of its file. What was appended before has been drained.
    func begin(_ segment: RawSegment, at offset: UInt64)

    /// Lets go of the segment, which is drained and takes no appends any more.
    func end()

    /// Appends whole frames to the segment, at `offset` of its file, where the last append ended.
    func append(_ bytes: Span<UInt8>, to segment: RawSegment, at offset: UInt64) throws(FileError)

    /// Returns once all that was appended before the call is in the segment's file.
    func drain() throws(FileError)

    /// Copies what was appended and is not drained.
    func undrained() -> [UInt8]
}

/// Hands every append to the system at once.
final class PositionalAppender: SegmentAppender {
    var kind: Appender { .positional }
    var drainedPosition: UInt64? { nil }

    func begin(_ segment: RawSegment, at offset: UInt64) {}
    func end() {}

    func append(_ bytes: Span<UInt8>, to segment: RawSegment, at offset: UInt64) throws(FileError) {
        try segment.file.writeFully(bytes, at: offset)
    }

    func drain() throws(FileError) {}
    func undrained() -> [UInt8] { [] }
}
