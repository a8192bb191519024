//===--- Monitor.swift - a lock with its state, and waiting in it ----------===//
//
// A mutex and a condition variable around the state they protect (Hoare's monitor, Mesa rules: a wake-up is a hint, so wait in a loop).
// `Synchronization.Mutex` cannot be waited in, and a semaphore cannot look at the state.
//
//      monitor.withLock { state in state.count += 1 }          // brief changes
//
//      monitor.enter { lock in                                 // waiting for a change
//          while lock.state.queue.isEmpty { lock.wait() }
//          return lock.state.queue.removeFirst()
//      }
//
//   * the state is reachable only under the lock.
//   * `enter` hands out no `inout State`: while one waits another changes the state, and an `inout` held across that would break
//     the law of exclusivity, so the optimizer might keep a stale copy. Each `lock.state` is an access of its own.
//   * not recursive: entering twice on one thread is a deadlock.
//===-----------------------------------------------------------------------===//

@safe package final class Monitor<State: ~Copyable>: @unchecked Sendable {
    // SAFETY: allocated in init and freed in deinit, so its address never changes; touched only by the holder of `primitive`.
    @usableFromInline let storage: UnsafeMutablePointer<State>
    @usableFromInline let primitive: MonitorPrimitive

    package init(_ state: consuming sending State) {
        unsafe storage = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe storage.initialize(to: state)
        primitive = MonitorPrimitive()
    }

    deinit {
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// Runs `body` alone with the state. For changes that need no waiting.
    @inlinable
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        primitive.lock()
        defer { primitive.unlock() }
        return try unsafe body(&storage.pointee)
    }

    /// Runs `body` alone with the state and lets it wait for a change.
    @inlinable
    package func enter<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing EnteredMonitor<State>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        primitive.lock()
        defer { primitive.unlock() }
        return try body(EnteredMonitor(monitor: self))
    }

    /// Wakes one waiting thread, if there is any. Cheapest outside the lock, correct inside.
    package func signal() { primitive.signal() }

    /// Wakes all waiting threads.
    package func broadcast() { primitive.broadcast() }
}

/// The inside of a monitor: the state, and the right to wait for it to change.
package struct EnteredMonitor<State: ~Copyable>: ~Copyable {
    @usableFromInline let monitor: Monitor<State>

    @usableFromInline init(monitor: Monitor<State>) { self.monitor = monitor }

    @inlinable
    package var state: State {
        // SAFETY: this value exists only while its thread holds the lock, and the monitor is kept alive by the reference.
        _read { yield unsafe monitor.storage.pointee }
        nonmutating _modify { yield unsafe &monitor.storage.pointee }
    }

    /// Releases the lock, waits for a wake-up and takes the lock again. May wake without cause.
    package func wait() { monitor.primitive.wait() }

    /// Waits for a wake-up until the monotonic clock shows `deadline`.
    ///
    /// - Parameter deadline: in the nanoseconds of ``Clock/monotonicNanoseconds()``. One that has passed returns without sleeping.
    /// - Returns: false once the deadline has passed; look at the state all the same.
    package func wait(until deadline: UInt64) -> Bool { monitor.primitive.wait(until: deadline) }

    package func signal() { monitor.primitive.signal() }

    package func broadcast() { monitor.primitive.broadcast() }
}
