//===--- Interruption.swift - Ctrl-C, once and twice -----------------------===//
//
//      first SIGINT or SIGTERM    notes the signal and wakes whoever waits for input; the verb finishes its batch and closes
//      second one                 ends the process at once: what was acknowledged is safe anyway
//
//   * a handler may do next to nothing (signal-safety(7)): here an atomic exchange and one write to a pipe.
//   * system calls of the engine are restarted (BSD semantics of signal(2)), so a signal cannot look like a failed sync.
//   * poll(2) is never restarted, and it watches the pipe: no signal falls between looking and waiting.
//===-----------------------------------------------------------------------===//

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum Interruption {
    private static let received = Atomic<Int32>(0)
    private static let readEnd = Atomic<Int32>(-1)
    private static let writeEnd = Atomic<Int32>(-1)

    /// The signal that asked this process to stop.
    static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Readable from the first signal on; -1, which poll(2) ignores, before `catchSignals`.
    static var descriptor: Int32 { readEnd.load(ordering: .relaxed) }

    /// From now on SIGINT and SIGTERM ask to stop instead of stopping.
    static func catchSignals() {
        guard descriptor < 0, let pipe = try? Pipe() else { return }
        readEnd.store(pipe.readEnd, ordering: .relaxed)
        writeEnd.store(pipe.writeEnd, ordering: .relaxed)
        _ = received.load(ordering: .relaxed)  // Makes the three exist before a handler needs them.
        install(SIGINT)
        install(SIGTERM)
        unblock([SIGINT, SIGTERM])
    }

    /// The failure that ends a verb after a signal.
    static func failure(_ number: Int32, _ sentence: String) -> CommandFailure {
        CommandFailure("stopped by \(number == SIGINT ? "SIGINT" : "SIGTERM"). \(sentence)", status: 128 + number)
    }

    /// Lets the signals through: a parent that started us from a thread that blocks them has handed that down.
    private static func unblock(_ numbers: [Int32]) {
        var set = sigset_t()
        // SAFETY: the calls write to and read from the set they are given.
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static func install(_ number: Int32) {
        // The handler captures nothing and calls only what signal-safety(7) allows; `errno` is left as it was found.
        _ = systemSignal(number) { number in
            let saved = errno
            if Interruption.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            var byte: UInt8 = 0
            _ = unsafe write(Interruption.writeEnd.load(ordering: .relaxed), &byte, 1)
            errno = saved
        }
    }
}

/// Two signals would end the process in the middle of writing or closing a database, where the error of the call lets it finish.
enum FatalSignals {
    static func becomeErrors() {
        // EPIPE: whoever read our output went away.
        _ = systemSignal(SIGPIPE, SIG_IGN)
        // EFBIG: files may not grow further (`ulimit -f`), which to us is a full disk.
        _ = systemSignal(SIGXFSZ, SIG_IGN)
    }
}

/// Two descriptors that no program we start inherits by accident.
struct Pipe {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws(CommandFailure) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: pipe writes two descriptors into the array of two.
        guard unsafe pipe(&ends) == 0 else { throw CommandFailure("no pipe could be made") }
        readEnd = ends[0]
        writeEnd = ends[1]
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
}

private func systemSignal(_ number: Int32, _ handler: (@convention(c) (Int32) -> Void)?) -> (@convention(c) (Int32) -> Void)? {
    signal(number, handler)
}
