//===--- MonitorPrimitive.swift - pthread mutex and condition --------------===//
//
// pthread rather than a futex of our own: known to the thread sanitizer, to priority inheritance tools and to debuggers.
//
//   * both live on the heap: a pthread object must not move.
//   * timed waits use the monotonic clock: setting the wall clock back must not make a flush wait for an hour.
//   * a pthread call that fails here is a bug of ours (EINVAL, EPERM, EDEADLK), hence `precondition`.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@safe @usableFromInline
final class MonitorPrimitive: @unchecked Sendable {
    // SAFETY: allocated and initialized in init, destroyed in deinit, when no thread can be inside any more.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    @usableFromInline
    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        check(unsafe pthread_mutex_init(mutex, nil), "pthread_mutex_init")
        #if canImport(Darwin)
            check(unsafe pthread_cond_init(condition, nil), "pthread_cond_init")
        #else
            var attributes = pthread_condattr_t()
            check(unsafe pthread_condattr_init(&attributes), "pthread_condattr_init")
            check(unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), "pthread_condattr_setclock")
            check(unsafe pthread_cond_init(condition, &attributes), "pthread_cond_init")
            check(unsafe pthread_condattr_destroy(&attributes), "pthread_condattr_destroy")
        #endif
    }

    deinit {
        check(unsafe pthread_cond_destroy(condition), "pthread_cond_destroy")
        check(unsafe pthread_mutex_destroy(mutex), "pthread_mutex_destroy")
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    @usableFromInline
    func lock() { check(unsafe pthread_mutex_lock(mutex), "pthread_mutex_lock") }

    @usableFromInline
    func unlock() { check(unsafe pthread_mutex_unlock(mutex), "pthread_mutex_unlock") }

    func signal() { check(unsafe pthread_cond_signal(condition), "pthread_cond_signal") }

    func broadcast() { check(unsafe pthread_cond_broadcast(condition), "pthread_cond_broadcast") }

    func wait() { check(unsafe pthread_cond_wait(condition, mutex), "pthread_cond_wait") }

    func wait(until deadline: UInt64) -> Bool {
        let now = Clock.monotonicNanoseconds()
        guard now < deadline else { return false }
        #if canImport(Darwin)
            var interval = timespec(nanoseconds: deadline - now)
            let result = unsafe pthread_cond_timedwait_relative_np(condition, mutex, &interval)
        #else
            var moment = timespec(nanoseconds: deadline)
            let result = unsafe pthread_cond_timedwait(condition, mutex, &moment)
        #endif
        if result == ETIMEDOUT { return false }
        check(result, "pthread_cond_timedwait")
        return true
    }
}

private func check(_ result: Int32, _ call: StaticString) {
    precondition(result == 0, "\(call) failed with \(result)")
}

extension timespec {
    /// A moment or an interval; what does not fit a century of them is cut to one, which no wait outlives.
    fileprivate init(nanoseconds: UInt64) {
        let bounded = min(nanoseconds, 3_000_000_000 * 1_000_000_000)
        self.init(tv_sec: Int(bounded / 1_000_000_000), tv_nsec: Int(bounded % 1_000_000_000))
    }
}
