//===--- BackgroundThread.swift - a thread of our own ----------------------===//
//
// Flushing, sealing and compacting block in system calls for milliseconds. They must not do so on Swift's cooperative pool, which
// has as many threads as cores and no spare ones.
//
//   * joinable, and joined: letting go of one that was not joined is a bug that leaves a stack behind; `deinit` detaches it.
//   * signals are for the application's threads: all are blocked here, except those that tell of a fault of this very thread.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

import Synchronization

package final class BackgroundThread: Sendable {
    package static let defaultStackSizeBytes = 1 << 20

    /// When a thread runs where there are not enough processors for all.
    package enum Priority: Sendable {
        /// As the thread that starts it.
        case inherited
        /// After those that somebody waits for. On Linux the threads that it starts inherit this.
        case low
    }

    package let name: String
    private enum Handle { case running(ThreadHandle), joined }
    private let handle: Mutex<Handle>

    /// Starts a thread that runs `body` and ends with it.
    ///
    /// - Parameters:
    ///   - name: for debuggers and `top -H`; Linux shows its first 15 bytes.
    ///   - priority: cannot be raised again.
    /// - Throws: ``FileError`` for ``FileOperation/startThread`` when the system has no room for another thread.
    package init(
        name: String, priority: Priority = .inherited, stackSizeBytes: Int = BackgroundThread.defaultStackSizeBytes,
        _ body: @escaping @Sendable () -> Void
    ) throws(FileError) {
        self.name = name
        let (errno, thread) = start(ThreadStart(name: name, priority: priority, body: body), stackSizeBytes: stackSizeBytes)
        guard errno == 0 else { throw FileError(errno: errno, operation: .startThread, name: name) }
        handle = Mutex(.running(thread))
    }

    deinit {
        handle.withLock { handle in
            if case .running(let running) = handle { running.detach() }
        }
    }

    /// Waits until the body has returned. A second call returns at once. Not to be called on the thread itself.
    package func join() {
        let running: ThreadHandle? = handle.withLock { handle in
            guard case .running(let running) = handle else { return nil }
            handle = .joined
            return running
        }
        guard let running else { return }
        running.join()
    }
}

/// A pthread_t, which is a number on Linux and a pointer on Darwin. Valid in every thread until joined or detached, once.
private struct ThreadHandle: Sendable {
    let bits: UInt

    #if canImport(Darwin)
        init(_ thread: pthread_t?) { bits = UInt(bitPattern: thread) }
        func join() { precondition(unsafe pthread_join(pthread_t(bitPattern: bits)!, nil) == 0, "pthread_join failed") }
        func detach() { precondition(unsafe pthread_detach(pthread_t(bitPattern: bits)!) == 0, "pthread_detach failed") }
    #else
        init(_ thread: pthread_t) { bits = UInt(thread) }
        func join() { precondition(pthread_join(pthread_t(bits), nil) == 0, "pthread_join failed") }
        func detach() { precondition(pthread_detach(pthread_t(bits)) == 0, "pthread_detach failed") }
    #endif
}

private final class ThreadStart: Sendable {
    let name: String
    let priority: BackgroundThread.Priority
    let body: @Sendable () -> Void

    init(name: String, priority: BackgroundThread.Priority, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.priority = priority
        self.body = body
    }
}

private func start(_ start: ThreadStart, stackSizeBytes: Int) -> (errno: Int32, thread: ThreadHandle) {
    #if canImport(Darwin)
        let none: pthread_t? = nil
    #else
        let none = pthread_t()
    #endif
    var attributes = pthread_attr_t()
    var result = unsafe pthread_attr_init(&attributes)
    guard result == 0 else { return (result, ThreadHandle(none)) }
    defer { _ = unsafe pthread_attr_destroy(&attributes) }
    result = unsafe pthread_attr_setstacksize(&attributes, stackSizeBytes)
    guard result == 0 else { return (result, ThreadHandle(none)) }

    // A new thread inherits the mask, so it never runs unblocked.
    var blocked = sigset_t()
    var previous = sigset_t()
    _ = unsafe sigfillset(&blocked)
    for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { _ = unsafe sigdelset(&blocked, fault) }
    _ = unsafe pthread_sigmask(SIG_SETMASK, &blocked, &previous)
    defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }

    // SAFETY: the reference is handed over +1 and taken back exactly once: by the new thread, or here if there is none.
    let argument = unsafe Unmanaged.passRetained(start)
    var thread = none
    result = unsafe pthread_create(
        &thread, &attributes,
        { argument in
            #if canImport(Darwin)
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                _ = unsafe pthread_setname_np(start.name)
            #else
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue()
                nameThisThread(start.name)
            #endif
            if start.priority == .low { lowerPriorityOfThisThread() }
            start.body()
            return nil
        }, argument.toOpaque())
    guard result == 0 else {
        unsafe argument.release()
        return (result, ThreadHandle(none))
    }
    return (0, ThreadHandle(thread))
}

#if !canImport(Darwin)
    /// Without _GNU_SOURCE there is no pthread_setname_np, and prctl is variadic: the kernel's own file does it. Only a courtesy: no errors.
    private func nameThisThread(_ name: String) {
        let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        let visible = Array(name.utf8.prefix(15))
        // SAFETY: the kernel reads at most `count` bytes of an array that outlives the call.
        _ = unsafe visible.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        _ = close(descriptor)
    }
#endif

/// Only a courtesy: no errors.
private func lowerPriorityOfThisThread() {
    #if canImport(Darwin)
        _ = pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
    #else
        // On Linux a thread has a nice value of its own (sched(7)). At 10 a woken thread of the usual 0 takes a processor at once; at 19 there would be
        // next to nothing left for this one beside busy threads, and its work must come to an end. getpriority may rightly return -1.
        #if canImport(Glibc)
            let which = Int32(PRIO_PROCESS.rawValue)
        #else
            let which = Int32(PRIO_PROCESS)
        #endif
        if getpriority(which, 0) < 10 { _ = setpriority(which, 0, 10) }
    #endif
}
