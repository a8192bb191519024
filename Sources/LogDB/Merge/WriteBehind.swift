//===--- WriteBehind.swift - one thread writes what another one makes -------===//
//
// Compressing a block takes about as long as filling it. So a writer hands its full blocks to a thread of its own, which compresses and writes
// them, in order, while the next is being filled. A few items go round: taken empty, sent full.
//
//   * until `begin` there is no thread, and `send` does the work itself: for what is small, and where the system has no thread to give.
//   * the first error ends it: what was sent after it is not worked on, and every later call throws it.
//   * what the work touches belongs to the thread from `send` until `drain` has returned.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class WriteBehind<Item: AnyObject> {
    private struct State {
        var free: [Item]
        var sent: [Item] = []
        var isWorking = false
        var isStopped = false
        var failure: LogDBError?
    }

    /// What both threads hold on to.
    private final class Core: @unchecked Sendable {
        let monitor: Monitor<State>
        let work: (Item) throws(LogDBError) -> Void

        init(_ items: [Item], _ work: @escaping (Item) throws(LogDBError) -> Void) {
            nonisolated(unsafe) let state = State(free: items)
            monitor = unsafe Monitor(state)
            self.work = work
        }

        /// The thread's life.
        func run() {
            while let item = next() {
                let failure = attempt(item)
                monitor.withLock { state in
                    state.failure = state.failure ?? failure
                    state.free.append(item)
                    state.isWorking = false
                }
                monitor.broadcast()
            }
        }

        func attempt(_ item: Item) -> LogDBError? {
            do throws(LogDBError) { try work(item) } catch { return error }
            return nil
        }

        private func next() -> Item? {
            monitor.enter { lock in
                while true {
                    if lock.state.isStopped { return nil }
                    if !lock.state.sent.isEmpty {
                        let item = lock.state.sent.removeFirst()
                        if lock.state.failure == nil {
                            lock.state.isWorking = true
                            return item
                        }
                        lock.state.free.append(item)
                        monitor.broadcast()
                        continue
                    }
                    lock.wait()
                }
            }
        }
    }

    private let core: Core
    private var thread: BackgroundThread?

    /// - Parameter items: how many may be under way at once.
    init(_ items: [Item], _ work: @escaping (Item) throws(LogDBError) -> Void) { core = Core(items, work) }

    deinit { stop() }

    var hasBegun: Bool { thread != nil }

    /// From now on a thread does the work.
    func begin() {
        guard thread == nil else { return }
        let core = core
        thread = try? BackgroundThread(name: "logdb-write") { core.run() }
    }

    /// An item that is free; waits for one.
    func take() throws(LogDBError) -> Item {
        try core.monitor.enter { lock throws(LogDBError) in
            while true {
                if let failure = lock.state.failure { throw failure }
                if let item = lock.state.free.popLast() { return item }
                lock.wait()
            }
        }
    }

    /// Hands over an item that was taken.
    func send(_ item: Item) throws(LogDBError) {
        guard thread != nil else {
            let failure = core.attempt(item)
            core.monitor.withLock { state in
                state.free.append(item)
                state.failure = failure
            }
            if let failure { throw failure }
            return
        }
        core.monitor.withLock { $0.sent.append(item) }
        core.monitor.broadcast()
    }

    /// Waits until everything that was sent is done.
    func drain() throws(LogDBError) {
        try core.monitor.enter { lock throws(LogDBError) in
            while lock.state.isWorking || !lock.state.sent.isEmpty { lock.wait() }
            if let failure = lock.state.failure { throw failure }
        }
    }

    /// Ends the thread; what was sent and not begun is left undone.
    func stop() {
        guard let thread else { return }
        core.monitor.withLock { $0.isStopped = true }
        core.monitor.broadcast()
        thread.join()
        self.thread = nil
    }
}
