//===--- SimulatedDirectory.swift - the simulated disk through the seam ----===//

import LogDBFile

package final class SimulatedDirectory: Directory {
    package let disk: SimulatedDisk

    init(disk: SimulatedDisk) { self.disk = disk }

    package func list() throws(FileError) -> [String] {
        try disk.perform(.list, ".") { state, _ in state.volume.names.keys.sorted() }
    }

    package func open(_ name: String, for access: FileAccess) throws(FileError) -> any File {
        try checkName(name, .open)
        let handle = try disk.perform(.open, name) { (state, _) throws(FileError) in
            guard let inode = state.volume.names[name] else { throw FileError(.notFound, operation: .open, name: name) }
            return state.open(name, inode, access)
        }
        return SimulatedFile(disk, handle, name)
    }

    package func create(_ name: String) throws(FileError) -> any File {
        try checkName(name, .create)
        let handle = try disk.perform(.create, name) { (state, _) throws(FileError) in
            guard state.volume.names[name] == nil else { throw FileError(.alreadyExists, operation: .create, name: name) }
            return state.open(name, state.volume.create(name), .readingAndWriting)
        }
        return SimulatedFile(disk, handle, name)
    }

    package func rename(_ source: String, to target: String) throws(FileError) {
        try checkName(source, .rename)
        try checkName(target, .rename)
        try disk.perform(.rename, source) { (state, _) throws(FileError) in
            guard state.volume.names[source] != nil else { throw FileError(.notFound, operation: .rename, name: source) }
            state.volume.rename(source, to: target)
        }
    }

    package func remove(_ name: String) throws(FileError) {
        try checkName(name, .remove)
        try disk.perform(.remove, name) { (state, _) throws(FileError) in
            guard state.volume.names[name] != nil else { throw FileError(.notFound, operation: .remove, name: name) }
            state.volume.remove(name)
        }
    }

    package func sync() throws(FileError) {
        try disk.perform(.syncDirectory, ".") { state, _ in
            guard !state.settings.skipsDirectorySync else { return }
            state.volume.syncDirectory()
            state.volume.reclaim(open: state.openInodes)
        }
    }

    package func lock(_ name: String) throws(FileError) -> any DirectoryLock {
        try checkName(name, .lock)
        let token = try disk.perform(.lock, name) { (state, _) throws(FileError) in
            guard state.locks[name] == nil, !state.sharedLocks.values.contains(name) else {
                var error = FileError(.locked(by: nil), operation: .lock, name: name)
                error.code = .locked(by: state.settings.pid)
                throw error
            }
            let inode = state.volume.names[name] ?? state.volume.create(name)
            state.volume.inodes[inode]!.truncate(to: 0)
            let text = Array("\(state.settings.pid)\n".utf8)
            // SAFETY: the array outlives the call.
            unsafe text.withUnsafeBytes { unsafe state.volume.inodes[inode]!.write($0, at: 0) }
            state.nextHandle += 1
            state.locks[name] = state.nextHandle
            return state.nextHandle
        }
        return SimulatedLock(disk, name, token)
    }

    package func lockShared(_ name: String) throws(FileError) -> any DirectoryLock {
        try checkName(name, .lock)
        let token = try disk.perform(.open, name) { (state, _) throws(FileError) in
            guard state.volume.names[name] != nil else { throw FileError(.notFound, operation: .lock, name: name) }
            guard state.locks[name] == nil else { throw FileError(.locked(by: nil), operation: .lock, name: name) }
            state.nextHandle += 1
            state.sharedLocks[state.nextHandle] = name
            return state.nextHandle
        }
        return SimulatedLock(disk, name, token)
    }

    package func freeBytes() throws(FileError) -> UInt64 {
        try disk.perform(.freeBytes, ".") { state, _ in
            UInt64(state.freeBlocks) * UInt64(PageStore.pageSizeBytes)
        }
    }

    private func checkName(_ name: String, _ operation: FileOperation) throws(FileError) {
        guard FileError.isPlainName(name) else { throw FileError(.invalidName, operation: operation, name: name) }
        guard name.utf8.count <= 255 else { throw FileError(.nameTooLong, operation: operation, name: name) }
    }
}

final class SimulatedLock: DirectoryLock {
    private let disk: SimulatedDisk
    private let name: String
    private let token: Int

    init(_ disk: SimulatedDisk, _ name: String, _ token: Int) {
        self.disk = disk
        self.name = name
        self.token = token
    }

    deinit { release() }

    func release() {
        disk.state.withLock { state in
            if state.locks[name] == token { state.locks[name] = nil }
            state.sharedLocks[token] = nil
        }
    }
}

extension SimulatedDisk.State {
    mutating func open(_ name: String, _ inode: Int, _ access: FileAccess) -> Int {
        nextHandle += 1
        handles[nextHandle] = SimulatedDisk.Handle(name: name, inode: inode, access: access)
        return nextHandle
    }

    /// 1 TiB where there is no limit.
    var freeBlocks: Int {
        guard let capacity = settings.capacityBytes else { return 1 << 28 }
        return max(0, Int(clamping: capacity) / PageStore.pageSizeBytes - volume.usedBlocks(open: openInodes))
    }
}
