//===--- Durability.swift - from written to safe ---------------------------===//
//
// Many writers, one sync in flight. Whoever needs the log on disk further than it is either finds a sync running and waits, or
// becomes the leader: notes how far the log goes *now*, syncs, and tells all whose bytes lie before that. What was appended
// after the sync began waits for the next one; it will carry all who gathered meanwhile.
//
//   * a failed sync is final: the log is poisoned, never synced again (the system may have dropped the pages and marked them
//     clean, so a second sync would succeed without having written them).
//   * segments are synced in log order, so what is on disk is always a beginning of the log plus, maybe, some of what follows.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// An asynchronous caller who waits for the log to be durable up to a position.
struct DurabilityWaiter: Sendable {
    var position: UInt64
    var continuation: CheckedContinuation<LogDBError?, Never>
}

extension Log {
    /// Waits for an append at `position` to reach `persistence`.
    @inline(__always)
    func wait(for position: UInt64, _ persistence: Persistence) throws(LogDBError) {
        switch persistence {
        case .process: return
        case .disk: try waitUntilDurable(position)
        case .interval(let duration): try scheduleSync(within: duration)
        }
    }

    /// Returns once everything before `position` is on the disk; syncs it if nobody else is about to.
    func waitUntilDurable(_ position: UInt64) throws(LogDBError) {
        while true {
            let isLeader: Bool? = try monitor.enter { lock throws(LogDBError) in
                while true {
                    if lock.state.durable >= position { return nil }
                    if let failure = lock.state.failure { throw failure }
                    if !lock.state.isSyncing {
                        lock.state.isSyncing = true
                        return true
                    }
                    lock.state.sleepers += 1
                    lock.wait()
                    lock.state.sleepers -= 1
                }
            }
            guard isLeader != nil else { return }
            try lead()
        }
    }

    /// Syncs as the leader. `isSyncing` was set by the caller and is clear again on return.
    private func lead() throws(LogDBError) {
        let (target, files, appender) = monitor.withLock { state in
            // Acknowledged is only what was appended before the sync began: here.
            (state.position, state.raw.filter { $0.endPosition > state.durable }.map(\.segment.file), state.appender)
        }
        var failure: LogDBError?
        do throws(FileError) {
            try appender.drain()
            for file in files { try file.sync() }
        } catch { failure = LogDBError(error) }
        let (completed, cause, hasSleepers, hasWork) = monitor.withLock { state -> ([DurabilityWaiter], LogDBError?, Bool, Bool) in
            state.isSyncing = false
            if let failure {
                state.poison(failure)
            } else {
                state.durable = max(state.durable, target)
                state.writeMark()
            }
            let completed = state.takeCompletedWaiters()
            return (
                completed, state.failure, state.sleepers > 0, !state.waiters.isEmpty || state.syncDeadline != nil || state.failure != nil
            )
        }
        // Nobody is woken for nothing: a wake-up costs as much as a tenth of a sync.
        if hasSleepers { monitor.broadcast() }
        if hasWork { flusher.bell.ring() }
        for waiter in completed { waiter.continuation.resume(returning: failure ?? cause) }
        if let failure { throw failure }
    }

    /// Asks the flusher to have synced by `duration` from now.
    private func scheduleSync(within duration: Duration) throws(LogDBError) {
        let deadline = Clock.monotonicNanoseconds() + duration.nanoseconds
        let mustWake = monitor.withLock { state in
            guard deadline < state.syncDeadline ?? .max else { return false }
            state.syncDeadline = deadline
            return true
        }
        if mustWake, !wakeFlusher() { try waitUntilDurable(monitor.withLock { $0.position }) }
    }

    /// Waits without holding a thread; nil once everything before `position` is on the disk.
    func durabilityFailure(at position: UInt64) async -> LogDBError? {
        guard wakeFlusher() else {
            do throws(LogDBError) { try waitUntilDurable(position) } catch { return error }
            return nil
        }
        return await parked(at: position)
    }

    /// Whether the flusher was told that there is something to do; false where there is no room for its thread.
    private func wakeFlusher() -> Bool { flusher.wake { [self] in runFlusher() } }

    private func parked(at position: UInt64) async -> LogDBError? {
        await withCheckedContinuation { continuation in
            let answer: LogDBError?? = monitor.withLock { state in
                if state.durable >= position { return .some(nil) }
                if let failure = state.failure { return .some(failure) }
                if state.isClosed || state.isStopping { return .some(LogDBError(.closed, "the database was closed")) }
                state.waiters.append(DurabilityWaiter(position: position, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) } else { flusher.bell.ring() }
        }
    }

    /// The flusher's thread: syncs for those who wait without a thread and for intervals that end.
    func runFlusher() {
        enum Task {
            case lead
            case answer([DurabilityWaiter], LogDBError?)
            case wait(until: UInt64?)
            case stop
        }
        while true {
            let rings = flusher.bell.count
            let task = monitor.withLock { state -> Task in
                let answered = state.takeCompletedWaiters()
                if !answered.isEmpty { return .answer(answered, state.failure) }
                if state.isStopping, state.failure != nil || state.waiters.isEmpty { return .stop }
                // Whoever is syncing rings when it is done.
                if state.failure != nil || state.isSyncing { return .wait(until: nil) }
                if state.waiters.isEmpty {
                    if state.durable >= state.position { state.syncDeadline = nil }
                    guard let deadline = state.syncDeadline else { return .wait(until: nil) }
                    guard Clock.monotonicNanoseconds() >= deadline else { return .wait(until: deadline) }
                }
                state.isSyncing = true
                state.syncDeadline = nil
                return .lead
            }
            switch task {
            case .lead: try? lead()
            case .answer(let waiters, let failure): for waiter in waiters { waiter.continuation.resume(returning: failure) }
            case .wait(let deadline): flusher.bell.wait(since: rings, until: deadline)
            case .stop: return
            }
        }
    }
}

extension LogState {
    /// Takes out the waiters who have their answer: all of them where the log has failed.
    mutating func takeCompletedWaiters() -> [DurabilityWaiter] {
        guard !waiters.isEmpty else { return [] }
        if failure != nil {
            defer { waiters = [] }
            return waiters
        }
        let durable = durable
        let completed = waiters.filter { $0.position <= durable }
        waiters.removeAll { $0.position <= durable }
        return completed
    }
}

extension Duration {
    /// Whole nanoseconds, at most what 64 bits hold.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, seconds < 9_000_000_000 else { return seconds < 0 ? 0 : UInt64(Int64.max) }
        return UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
