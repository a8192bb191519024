//===--- ChildProcess.swift - this program, started again ------------------===//
//
// For the demonstration: a process that can be killed must be another one. The child's standard output is a pipe to us; its other
// descriptors are ours.
//===-----------------------------------------------------------------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct ChildProcess: ~Copyable {
    let pid: Int32
    /// Where the child's standard output comes out.
    let output: Int32
    private var isRunning = true

    /// Starts this same executable with `arguments`.
    init(arguments: [String]) throws(CommandFailure) {
        let executable = try Self.executablePath()
        let pipe = try Pipe()
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = unsafe posix_spawn_file_actions_t()
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe.writeEnd, 1)
        // SAFETY: the array of C strings ends with nil, and the strings live until the call has returned.
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
        var pid: pid_t = 0
        let reason = unsafe posix_spawn(&pid, executable, &actions, nil, &words, environ)
        unsafe words.forEach { unsafe free($0) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        Descriptors.closeDescriptor(pipe.writeEnd)
        guard reason == 0 else {
            Descriptors.closeDescriptor(pipe.readEnd)
            throw CommandFailure("cannot start \(executable): error \(reason)")
        }
        self.pid = pid
        output = pipe.readEnd
    }

    /// Ends the child at once, as SIGKILL does: it can neither notice nor tidy up. Returns when it is gone.
    mutating func killAndWait() {
        guard isRunning else { return }
        _ = kill(pid, SIGKILL)
        var status: Int32 = 0
        // SAFETY: waitpid writes the status it is given room for.
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        isRunning = false
    }

    deinit {
        if isRunning { _ = kill(pid, SIGKILL) }
        Descriptors.closeDescriptor(output)
    }

    private static func executablePath() throws(CommandFailure) -> String {
        var path = [CChar](repeating: 0, count: 4096)
        #if canImport(Darwin)
            var size = UInt32(path.count)
            // SAFETY: it writes at most `size` bytes, the terminating NUL included.
            guard unsafe _NSGetExecutablePath(&path, &size) == 0 else { throw CommandFailure("the path of this program is too long") }
            let length = path.firstIndex(of: 0) ?? path.count
        #else
            // SAFETY: it writes at most as many bytes as it is told, and returns how many.
            let length = unsafe readlink("/proc/self/exe", &path, path.count)
            guard length > 0, length < path.count else { throw CommandFailure("the path of this program cannot be found") }
        #endif
        return String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A folder of our own in the system's place for temporary ones.
enum TemporaryFolder {
    static func create(_ prefix: String) throws(CommandFailure) -> String {
        // SAFETY: getenv's string is copied at once, and nothing in this program changes the environment.
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/\(prefix).XXXXXX".utf8CString)
        // SAFETY: mkdtemp writes into the template it is given and nowhere else.
        guard unsafe mkdtemp(&template) != nil else { throw CommandFailure("cannot make a folder in \(parent)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func remove(_ path: String) { _ = unsafe rmdir(path) }
}
