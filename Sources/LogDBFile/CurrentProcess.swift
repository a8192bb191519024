//===--- CurrentProcess.swift - who we are, and who else lives -------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

package enum CurrentProcess {
    package static var pid: Int32 { getpid() }

    /// Processors that are switched on, 1 where the system does not say.
    package static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// Returns whether a process with this number exists. It may be another one than was meant: numbers are reused.
    package static func isAlive(_ pid: Int32) -> Bool {
        guard pid > 0 else { return false }
        if kill(pid, 0) == 0 { return true }
        return errno == EPERM
    }
}
