//===--- Worker.swift - a background thread that starts when it is needed ----===//
//
// Many openings are short: a `put`, a look. They should not pay for threads that find nothing to do.
//
//      idle ──wake──▶ running ──join──▶ ended        idle ──join──▶ ended
//
// The end is final: a thread that started after the close would work on files that belong to the next opening.
//===-----------------------------------------------------------------------===//

import LogDBFile
import Synchronization

final class Worker: Sendable {
    let bell = Bell()
    private let name: String
    private let priority: BackgroundThread.Priority
    private enum Phase {
        case idle
        case running(BackgroundThread)
        case ended
    }
    private let phase = Monitor<Phase>(.idle)
    private let started = Atomic<Bool>(false)

    /// Whether the thread was started; a look without a lock.
    var isRunning: Bool { started.load(ordering: .acquiring) }

    init(name: String, priority: BackgroundThread.Priority = .inherited) {
        self.name = name
        self.priority = priority
    }

    /// Rings, or starts the thread with `body` if it does not run yet (it looks for work first); false where the system has no room for one,
    /// or after `join`.
    func wake(_ body: @escaping @Sendable () -> Void) -> Bool {
        let (isRunning, isNew) = phase.withLock { phase -> (Bool, Bool) in
            switch phase {
            case .running: return (true, false)
            case .ended: return (false, false)
            case .idle:
                guard let thread = try? BackgroundThread(name: name, priority: priority, body) else { return (false, false) }
                phase = .running(thread)
                started.store(true, ordering: .releasing)
                return (true, true)
            }
        }
        if !isNew { bell.ring() }
        return isRunning
    }

    /// Rings and waits for the thread to end, if there is one; none starts any more. Whoever calls has made sure that it will end.
    func join() {
        let thread = phase.withLock { phase -> BackgroundThread? in
            defer { phase = .ended }
            started.store(false, ordering: .releasing)
            if case .running(let thread) = phase { return thread }
            return nil
        }
        bell.ring()
        thread?.join()
    }
}
