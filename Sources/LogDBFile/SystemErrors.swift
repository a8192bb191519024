//===--- SystemErrors.swift - errno, and what it means to us ---------------===//

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum SystemErrors {
    static func code(of errno: Int32) -> FileError.Code {
        switch errno {
        case ENOENT: .notFound
        case EEXIST: .alreadyExists
        case EACCES, EPERM: .permissionDenied
        case ENOSPC, EDQUOT, EFBIG: .diskFull
        case EROFS: .readOnlyFileSystem
        case ENOTDIR: .notADirectory
        case EISDIR: .isADirectory
        case EMFILE, ENFILE: .tooManyOpenFiles
        case ENAMETOOLONG: .nameTooLong
        case EIO: .inputOutput
        case EINTR: .interrupted
        case EWOULDBLOCK: .locked(by: nil)
        case EBADF: .closed
        case ENODEV, ENXIO: .deviceGone
        default: .other
        }
    }

    static func errno(of code: FileError.Code) -> Int32 {
        switch code {
        case .notFound: ENOENT
        case .alreadyExists: EEXIST
        case .permissionDenied: EACCES
        case .diskFull: ENOSPC
        case .readOnlyFileSystem: EROFS
        case .notADirectory: ENOTDIR
        case .isADirectory: EISDIR
        case .tooManyOpenFiles: EMFILE
        case .nameTooLong: ENAMETOOLONG
        case .invalidName: EINVAL
        case .inputOutput: EIO
        case .interrupted: EINTR
        case .locked: EWOULDBLOCK
        case .closed: EBADF
        case .deviceGone: ENXIO
        case .other: EINVAL
        }
    }

    static func text(of errno: Int32) -> String {
        // SAFETY: it writes at most `count` bytes, NUL included, and returns before the buffer goes.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard unsafe strerror_r(errno, buffer.baseAddress!, buffer.count) == 0 else { return "System error \(errno)" }
            return unsafe String(cString: buffer.baseAddress!)
        }
    }
}
