//===--- Close.swift - a clean end -----------------------------------------===//
//
// Sync the log, then let the manifest record where it ends: from then on damage anywhere in it is noticed, a tail that was cut off
// or zeroed included. Only then is the reserved rest of the segment given back. If any of it fails the database is simply
// not marked closed, and the next opening recovers.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Log {
    /// Ends the session. The background threads have ended already.
    func finish() throws(LogDBError) {
        let (failure, position) = monitor.withLock { ($0.failure, $0.position) }
        var result = failure
        if result == nil {
            do throws(LogDBError) { try waitUntilDurable(position) } catch { result = error }
        }
        let (orphans, unclosed) = monitor.withLock { state -> ([DurabilityWaiter], [RawProgress]) in
            state.isClosed = true
            state.appender.end()
            defer { state.waiters = [] }
            let known = Set(manifest.state.raw.filter { $0.end != nil }.map(\.number))
            return (state.waiters, state.raw.filter { !known.contains($0.segment.number) })
        }
        monitor.broadcast()
        for waiter in orphans { waiter.complete(result ?? LogDBError(.closed, "the database was closed")) }
        // The ring may hold what the segment lacks.
        if let result { throw result }
        defer { if monitor.withLock({ $0.appender is SharedTail }) { RingFile.remove(from: directory) } }
        guard !unclosed.isEmpty else { return }
        try manifest.append(
            unclosed.map {
                .closeRaw(number: $0.segment.number, end: $0.end, endPosition: $0.endPosition, lastSequence: $0.lastSequence)
            })
        for progress in unclosed { try? progress.segment.file.truncate(to: progress.end) }
    }
}
