//===--- SimulatedFile.swift - a file of the simulated disk ----------------===//

import LogDBFile

package final class SimulatedFile: File {
    package let name: String
    private let disk: SimulatedDisk
    private let handle: Int

    init(_ disk: SimulatedDisk, _ handle: Int, _ name: String) {
        self.disk = disk
        self.handle = handle
        self.name = name
    }

    deinit { _ = drop() }

    package func size() throws(FileError) -> UInt64 {
        try perform(.size) { inode, _, _ in UInt64(inode.size) }
    }

    package func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int {
        guard let start = Int(exactly: offset) else { return 0 }
        // SAFETY: the inode fills exactly the range it is given, which lies inside the buffer.
        return try unsafe buffer.withUnsafeMutableBytes { bytes throws(FileError) in
            try perform(.read, offset) { inode, effect, _ in
                guard start < inode.size else { return 0 }
                var count = min(bytes.count, inode.size - start)
                if case .short(let most) = effect { count = min(count, most) }
                unsafe inode.current.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), at: start)
                return count
            }
        }
    }

    package func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int {
        guard let start = Int(exactly: offset), start <= Int.max - bytes.byteCount else {
            throw FileError(.diskFull, operation: .write, name: name, offset: offset)
        }
        // SAFETY: the inode copies the range it is given, which lies inside the span.
        return try unsafe bytes.withUnsafeBytes { bytes throws(FileError) in
            try perform(.write, offset) { (inode, effect, freeBlocks) throws(FileError) in
                var count = inode.room(for: bytes.count, at: start, freeBlocks: freeBlocks)
                if count == 0, bytes.count > 0 { throw FileError(.diskFull, operation: .write, name: name, offset: offset) }
                switch effect {
                case .short(let most), .errorAfterWriting(_, bytes: let most): count = min(count, most)
                case .error, nil: break
                }
                unsafe inode.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: start)
                if case .errorAfterWriting(let code, _) = effect { throw FileError(code, operation: .write, name: name, offset: offset) }
                return count
            }
        }
    }

    package func allocate(_ byteCount: UInt64) throws(FileError) {
        guard byteCount > 0 else { return }
        guard let count = Int(exactly: byteCount) else {
            throw FileError(.diskFull, operation: .allocate, name: name, offset: byteCount)
        }
        try perform(.allocate, byteCount) { (inode, _, freeBlocks) throws(FileError) in
            guard inode.newBlocks(0..<count) <= freeBlocks() else {
                throw FileError(.diskFull, operation: .allocate, name: name, offset: byteCount)
            }
            inode.allocate(count)
        }
    }

    package func deallocate(_ range: Range<UInt64>) {
        guard let start = Int(exactly: range.lowerBound), let end = Int(exactly: range.upperBound) else { return }
        try? perform(.deallocate, range.lowerBound) { inode, _, _ in inode.deallocate(start..<end) }
    }

    package func truncate(to byteCount: UInt64) throws(FileError) {
        guard let count = Int(exactly: byteCount) else {
            throw FileError(.diskFull, operation: .truncate, name: name, offset: byteCount)
        }
        try perform(.truncate, byteCount) { inode, _, _ in inode.truncate(to: count) }
    }

    package func sync() throws(FileError) {
        try disk.perform(.sync, name) { (state, _) throws(FileError) in
            guard let held = state.handles[handle] else { throw FileError(.closed, operation: .sync, name: name) }
            if !state.settings.liesAboutSync { state.volume.sync(held.inode) }
        }
    }

    package func keepsBlocksInPlace() -> Bool { disk.state.withLock { $0.settings.canMap } }

    package func map(_ byteCount: Int) throws(FileError) -> (any MappedRegion)? {
        let inode: Int? = try disk.perform(.size, name) { (state, _) throws(FileError) in
            guard let held = state.handles[handle] else { throw FileError(.closed, operation: .size, name: name) }
            return state.settings.canMap ? held.inode : nil
        }
        return inode.map { SimulatedRegion(disk, self, inode: $0, byteCount: byteCount) }
    }

    package func close() throws(FileError) {
        // The handle goes whatever happens, as with close(2).
        guard drop() else { return }
        try disk.perform(.close, name) { _, _ in }
    }

    private func drop() -> Bool {
        disk.state.withLock { state in
            guard state.handles.removeValue(forKey: handle) != nil else { return false }
            state.volume.reclaim(open: state.openInodes)
            return true
        }
    }

    /// What a failed sync of `name` does to its file.
    static func syncFailed(_ state: inout SimulatedDisk.State, _ name: String) {
        guard state.settings.failedSync == .dropsDirty else { return }
        for inode in Set(state.handles.values.filter { $0.name == name }.map(\.inode)) { state.volume.inodes[inode]?.dropDirty() }
    }

    private func perform<Result: Sendable>(
        _ operation: FileOperation, _ offset: UInt64? = nil,
        _ body: (inout Inode, Fault.Effect?, _ freeBlocks: () -> Int) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        try disk.perform(operation, name, offset: offset) { (state, effect) throws(FileError) in
            guard let held = state.handles[handle] else { throw FileError(.closed, operation: operation, name: name, offset: offset) }
            if operation.isMutating, held.access == .reading {
                throw FileError(.closed, operation: operation, name: name, offset: offset)
            }
            let free = state.settings.capacityBytes == nil ? Int.max : state.freeBlocks
            // In place: a copy beside the original would copy the pages that are written to.
            return try body(&state.volume.inodes[held.inode]!, effect) { free }
        }
    }
}

extension Inode {
    /// Returns how many blocks `bytes` would occupy that the file does not have yet.
    func newBlocks(_ bytes: Range<Int>) -> Int {
        let pages = Inode.pages(bytes)
        return pages.count - blocks.overlap(with: pages).reduce(0) { $0 + $1.count }
    }

    /// Returns how many of `count` bytes at `offset` fit, counted from the front, as the kernel would write them before it finds the disk full.
    func room(for count: Int, at offset: Int, freeBlocks: () -> Int) -> Int {
        let free = freeBlocks()
        if newBlocks(offset..<offset + count) <= free { return count }
        var end = offset
        while end < offset + count {
            let next = min(offset + count, (end / PageStore.pageSizeBytes + 1) * PageStore.pageSizeBytes)
            if newBlocks(offset..<next) > free { break }
            end = next
        }
        return end - offset
    }
}
