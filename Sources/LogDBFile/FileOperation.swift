//===--- FileOperation.swift - the calls of the seam, by name --------------===//
//
// Every call that can fail has a name here: errors print it, the simulated disk counts calls and injects faults by it.
//===-----------------------------------------------------------------------===//

package enum FileOperation: String, Sendable, CaseIterable {
    // On a directory.
    case makeDirectory, openDirectory, list, open, create, rename, remove, syncDirectory, lock, freeBytes
    // On a file.
    case size, read, write, allocate, deallocate, truncate, sync, close
    // To mapped memory: no call of the system, and cannot fail, but changes what a reader sees.
    case store
    // Neither: a thread or a mapping that could not be made.
    case startThread

    /// Whether the call changes what a disk holds or how safely it holds it: the crash points of a simulated run.
    package var isMutating: Bool {
        switch self {
        case .create, .rename, .remove, .syncDirectory, .lock, .write, .allocate, .deallocate, .truncate, .sync, .makeDirectory, .store:
            true
        case .openDirectory, .list, .open, .freeBytes, .size, .read, .close, .startThread: false
        }
    }

    /// The system call to look for in a trace.
    package var callName: String {
        switch self {
        case .makeDirectory: "mkdir"
        case .openDirectory: "open directory"
        case .list: "readdir"
        case .open: "open"
        case .create: "create"
        case .rename: "rename"
        case .remove: "unlink"
        case .syncDirectory: "fsync directory"
        case .lock: "flock"
        case .freeBytes: "fstatvfs"
        case .size: "fstat"
        case .read: "pread"
        case .write: "pwrite"
        case .allocate: "allocate"
        case .deallocate: "punch"
        case .truncate: "ftruncate"
        case .sync: "fsync"
        case .close: "close"
        case .startThread: "pthread_create"
        case .store: "store"
        }
    }
}
