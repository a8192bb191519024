//===--- RunShelf.swift - full buffers become runs of a spill file ----------===//
//
// A sorter hands over its full buffer and takes an empty one. With a spare buffer a thread of the shelf's own sorts and writes what was handed
// over, while the sorter fills the other; without one the sorter does it itself.
//===-----------------------------------------------------------------------===//

import LogDBFormat

final class RunShelf {
    /// What the thread makes. Nobody else looks at it before the thread is done.
    private final class Runs {
        var list: [SpillRun] = []
    }

    let spill: SpillFile
    private let runs = Runs()
    private var line: WriteBehind<SortBuffer>?

    init(_ spill: SpillFile) { self.spill = spill }

    /// From now on a thread sorts and writes.
    func begin(spare: SortBuffer) {
        let line = WriteBehind([spare]) { [runs, spill] buffer throws(LogDBError) in try Self.write(buffer, to: spill, runs) }
        line.begin()
        self.line = line
    }

    /// Makes a run of a buffer, which is empty afterwards.
    func write(_ buffer: SortBuffer) throws(LogDBError) { try Self.write(buffer, to: spill, runs) }

    /// Takes a buffer that is full, and returns one that is empty.
    func exchange(_ full: SortBuffer) throws(LogDBError) -> SortBuffer {
        guard let line else {
            try write(full)
            return full
        }
        try line.send(full)
        return try line.take()
    }

    /// Waits until all that was handed over is written.
    func wait() throws(LogDBError) { try line?.drain() }

    /// The runs of all that was handed over. Nothing may be handed over any more; the spare buffer's memory is given back.
    func finish() throws(LogDBError) -> [SpillRun] {
        if let line {
            try line.drain()
            line.stop()
            try line.take().release()
            self.line = nil
        }
        return runs.list
    }

    private static func write(_ buffer: SortBuffer, to spill: SpillFile, _ runs: Runs) throws(LogDBError) {
        buffer.sort()
        var writer = RunWriter(spill)
        let cursor = buffer.makeCursor()
        try cursor.advance()
        while !cursor.isAtEnd {
            try writer.append(cursor)
            try cursor.advance()
        }
        let run = try writer.finish()
        guard run.digests == buffer.digests else { throw Sorter.unbalanced("a run") }
        runs.list.append(run)
        buffer.removeAll()
    }

    /// Gives the disk back, after the thread has let go of it.
    func close() {
        line?.stop()
        spill.close()
    }
}
