//===--- Worker.swift - a background thread that starts when it is needed ----===//
//
// Many openings are short: a `put`, a look. They should not pay for threads that find nothing to do.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class Worker: Sendable {
    let bell = Bell()
    private let name: String
    private let thread = Monitor<BackgroundThread?>(nil)

    init(name: String) { self.name = name }

    /// Rings, and starts the thread with `body` if it does not run yet; false where the system has no room for one.
    func wake(_ body: @escaping @Sendable () -> Void) -> Bool {
        let isRunning = thread.withLock { thread in
            if thread == nil { thread = try? BackgroundThread(name: name, body) }
            return thread != nil
        }
        bell.ring()
        return isRunning
    }

    /// Rings and waits for the thread to end, if there is one. Whoever calls has made sure that it will.
    func join() {
        bell.ring()
        thread.withLock { $0 }?.join()
    }
}
