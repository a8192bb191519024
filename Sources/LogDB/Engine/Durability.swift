//===--- Durability.swift - from written to safe ---------------------------===//
//
// Many writers, one sync in flight. Whoever needs the log on disk further than it is either finds a sync running and waits, or
// becomes the leader: notes how far the log goes *now*, syncs, and tells all whose bytes lie before that. What was appended
// after the sync began waits for the next one; it will carry all who gathered meanwhile. That next one is handed to one of them before the others are
// told, so that the disk is not left idle while they wake up.
//
//   * a waiting thread is in `waiters` only while `isSyncing`, so somebody will come by. Tasks alone are the flusher's to lead.
//   * a failed sync is final: the log is poisoned, never synced again (the system may have dropped the pages and marked them
//     clean, so a second sync would succeed without having written them).
//   * segments are synced in log order, so what is on disk is always a beginning of the log plus, maybe, some of what follows.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

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
        enum Turn {
            case done
            case lead
            case park(ParkingPlace, completesGroup: Bool)
        }
        let turn = try monitor.withLock { state throws(LogDBError) -> Turn in
            if state.durable >= position { return .done }
            if let failure = state.failure { throw failure }
            if !state.isSyncing {
                state.isSyncing = true
                return .lead
            }
            let place = state.freePlaces.popLast() ?? ParkingPlace()
            state.waiters.append(DurabilityWaiter(position: position, caller: .thread(place)))
            return .park(place, completesGroup: state.waiters.count == state.gathering.wanted)
        }
        switch turn {
        case .done: return
        case .lead: try lead(for: 1)
        case .park(let place, let completesGroup):
            if completesGroup { gathered.ring() }
            let answer = place.park()
            // What was appended before its sync began is carried by it, and this one's was.
            if case .lead = answer { try lead(for: 1) }
            monitor.withLock { $0.freePlaces.append(place) }
            if case .complete(let failure?) = answer { throw failure }
        }
    }

    /// Syncs as the leader. `isSyncing` was set for it, and is on return clear or the next leader's.
    ///
    /// - Parameter count: how many it syncs for that are not among the waiters: itself, or nobody.
    /// - Returns: how many of the waiters it synced for.
    @discardableResult
    private func lead(for count: Int) throws(LogDBError) -> Int {
        gather(besides: count)
        let start = Clock.monotonicNanoseconds()
        let (target, files, appender, before) = monitor.withLock { state in
            // Acknowledged is only what was appended before the sync began: here.
            (state.position, state.raw.filter { $0.endPosition > state.durable }.map(\.segment.file), state.appender, state.failure)
        }
        // Of a file of which a sync has failed another one says nothing.
        var failure = before
        if failure == nil {
            do throws(FileError) {
                try appender.drain()
                for file in files { try file.sync() }
            } catch { failure = Self.failureOfSync(error) }
        }
        let end = Clock.monotonicNanoseconds()
        var completed: [DurabilityWaiter] = []
        let (next, durable, cause, hasWork) = monitor.withLock { state -> (ParkingPlace?, UInt64, LogDBError?, Bool) in
            // Somebody else's may have come meanwhile.
            failure = failure ?? state.failure
            if let failure {
                state.poison(failure)
            } else {
                state.durable = max(state.durable, target)
                state.writeMark()
            }
            state.takeCompletedWaiters(into: &completed)
            if completed.count >= Self.groupForRing, state.ringThreshold != .max { askForRing(&state) }
            state.gathering = Gathering(
                count: count + completed.count + state.waiters.count, deadline: end + min((end - start) / 2, Self.longestGathering))
            let next = state.takeLeader()
            state.isSyncing = next != nil
            return (
                next, state.durable, state.failure,
                !state.waiters.isEmpty || state.syncDeadline != nil || state.failure != nil || state.isStopping
            )
        }
        next?.leave(.lead)
        if next == nil, hasWork { flusher.bell.ring() }
        for waiter in completed { waiter.complete(waiter.position <= durable ? nil : failure ?? cause) }
        if let failure { throw failure }
        return completed.count
    }

    /// What was appended is there, in the ring: that the disk is full does not mean here that nothing was written.
    private static func failureOfSync(_ error: FileError) -> LogDBError {
        let failure = LogDBError(error)
        guard failure.code == .diskFull else { return failure }
        return LogDBError(
            .syncFailed, "what was written could not be brought to the disk, which is full: make room, and open the database again")
    }

    private static let longestGathering: UInt64 = 500_000
    /// As many that wait for one sync are a group: they come again at once, as a rule.
    private static let group = 4
    /// How long who has led a group stays awake for the next. Waking up takes about as long as half of the group needs to write again.
    private static let wakefulness: UInt64 = 100_000
    /// For a group of this size a ring is made: a call of the system for each of its writes would take as long as the sync that they share.
    private static let groupForRing = 8

    /// Waits for those who were there at the last sync, for half as long as that took at most. They have just been told, and write again at once, as a rule:
    /// the first of them would have the next sync to itself, and all others would wait for that. Who is alone waits for nobody.
    private func gather(besides count: Int) {
        let rings = gathered.count
        let (deadline, isGroup) = monitor.withLock { state -> (UInt64?, Bool) in
            guard state.gathering.count > state.waiters.count + count, state.failure == nil, !state.isStopping,
                Clock.monotonicNanoseconds() < state.gathering.deadline
            else { return (nil, false) }
            state.gathering.wanted = state.gathering.count - count
            return (state.gathering.deadline, state.gathering.count >= Self.group)
        }
        guard let deadline else { return }
        gathered.wait(since: rings, until: deadline, awakeFor: isGroup ? Self.wakefulness : 0)
        monitor.withLock { $0.gathering.wanted = .max }
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
        guard flusher.isRunning || wakeFlusher() else {
            do throws(LogDBError) { try waitUntilDurable(position) } catch { return error }
            return nil
        }
        return await parked(at: position)
    }

    /// Whether the flusher was told that there is something to do; false where there is no room for its thread.
    private func wakeFlusher() -> Bool { flusher.wake { [self] in runFlusher() } }

    private func parked(at position: UInt64) async -> LogDBError? {
        // SAFETY: it is resumed once: here, or by whoever takes the waiter out of the list.
        await unsafe withUnsafeContinuation { continuation in
            var mustRing = false
            var completesGroup = false
            let answer: LogDBError?? = monitor.withLock { state in
                if state.durable >= position { return .some(nil) }
                if let failure = state.failure { return .some(failure) }
                if state.isClosed || state.isStopping { return .some(LogDBError(.closed, "the database was closed")) }
                // Whoever syncs rings when it is done, and who was here before has rung.
                mustRing = state.waiters.isEmpty && !state.isSyncing
                state.waiters.append(DurabilityWaiter(position: position, caller: unsafe .task(continuation)))
                completesGroup = state.waiters.count == state.gathering.wanted
                return nil
            }
            if let answer { unsafe continuation.resume(returning: answer) }
            if mustRing { flusher.bell.ring() }
            if completesGroup { gathered.ring() }
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
        var hasLedGroup = false
        while true {
            let rings = flusher.bell.count
            let task = monitor.withLock { state -> Task in
                var answered: [DurabilityWaiter] = []
                state.takeCompletedWaiters(into: &answered)
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
            case .lead: hasLedGroup = (try? lead(for: 0)).map { $0 >= Self.group } ?? false
            case .answer(let waiters, let failure): for waiter in waiters { waiter.complete(failure) }
            case .wait(let deadline):
                flusher.bell.wait(since: rings, until: deadline, awakeFor: hasLedGroup ? Self.wakefulness : 0)
                hasLedGroup = false
            case .stop: return
            }
        }
    }
}

extension LogState {
    /// Moves the waiters who have their answer to `completed`: all of them where the log has failed.
    mutating func takeCompletedWaiters(into completed: inout [DurabilityWaiter]) {
        guard !waiters.isEmpty else { return }
        let durable = durable
        if failure != nil || waiters.allSatisfy({ $0.position <= durable }) {
            swap(&completed, &waiters)
            return
        }
        completed = waiters.filter { $0.position <= durable }
        waiters.removeAll { $0.position <= durable }
    }

    /// Takes out the thread that has waited longest, to lead the next sync; nil where only tasks wait.
    mutating func takeLeader() -> ParkingPlace? {
        for index in waiters.indices {
            guard case .thread(let place) = waiters[index].caller else { continue }
            waiters.remove(at: index)
            return place
        }
        return nil
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
