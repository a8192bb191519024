//===--- FileError.swift - what a disk says when it refuses ----------------===//
//
// One error type for the whole seam. It carries what a report needs at two in the morning: the reason, the call, the file and,
// where bytes were involved, the offset:
//
//      No space left on device (pwrite 000042.log at byte 4096)
//
//   * `code` is what the engine decides on; `errno` is only for people.
//   * two errors of different systems with the same meaning have the same code: ENOSPC, EDQUOT and EFBIG are all `diskFull`.
//===-----------------------------------------------------------------------===//

package struct FileError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable {
        case notFound
        case alreadyExists
        case permissionDenied
        /// ENOSPC, EDQUOT, EFBIG, or a write that accepted no byte at all.
        case diskFull
        case readOnlyFileSystem
        case notADirectory
        case isADirectory
        case tooManyOpenFiles
        case nameTooLong
        /// Empty, with a NUL byte, or (for a file in a directory) with a slash.
        case invalidName
        case inputOutput
        /// A signal arrived first; nothing was transferred. Only the single-attempt ``File/read(into:at:)`` and
        /// ``File/write(_:at:)`` report it, the loops above them try again.
        case interrupted
        /// Someone else holds the lock: the process with this number, where the lock file could be read.
        case locked(by: Int32?)
        /// The handle was closed before the call.
        case closed
        /// The device went away. The simulated disk answers every call with it after a simulated crash.
        case deviceGone
        case other
    }

    package var code: Code
    package var errno: Int32
    package var operation: FileOperation
    /// The name in its directory, or the path where there is no directory yet.
    package var name: String
    package var offset: UInt64?

    /// Classifies what the system reported.
    package init(errno: Int32, operation: FileOperation, name: String, offset: UInt64? = nil) {
        self.code = SystemErrors.code(of: errno)
        self.errno = errno
        self.operation = operation
        self.name = name
        self.offset = offset
    }

    /// Makes an error no system call reported, with the `errno` that would have come with it.
    package init(_ code: Code, operation: FileOperation, name: String, offset: UInt64? = nil) {
        self.code = code
        self.errno = SystemErrors.errno(of: code)
        self.operation = operation
        self.name = name
        self.offset = offset
    }
}

extension FileError: CustomStringConvertible {
    package var description: String {
        let place = offset.map { " at byte \($0)" } ?? ""
        return "\(reason) (\(operation.callName) \(name.isEmpty ? "\"\"" : name)\(place))"
    }

    private var reason: String {
        switch code {
        case .notFound: "No such file or directory"
        case .alreadyExists: "The file exists already"
        case .permissionDenied: "Permission denied"
        case .diskFull: "No space left on device"
        case .readOnlyFileSystem: "The file system is read-only"
        case .notADirectory: "Not a directory"
        case .isADirectory: "Is a directory"
        case .tooManyOpenFiles: "Too many open files"
        case .nameTooLong: "The name is too long"
        case .invalidName: "Not a valid name"
        case .inputOutput: "Input/output error"
        case .interrupted: "Interrupted by a signal"
        case .locked(by: .some(let pid)): "Locked by process \(pid)"
        case .locked(by: .none): "Locked by another process"
        case .closed: "The file was closed before"
        case .deviceGone: "The device is gone"
        case .other: SystemErrors.text(of: errno)
        }
    }
}
