//===--- HookedDirectory.swift - a disk on which something happens in between ---===//
//
// Passes every call on and calls a hook at two moments that no operation count can name: when a sync has returned, and before a write
// begins. What the hook does happens as if another thread had come just then.
//===-----------------------------------------------------------------------===//

import LogDBFile

package final class HookedDirectory: Directory {
    package struct Hooks: Sendable {
        package var afterSync: (@Sendable (_ name: String) -> Void)?
        package var beforeWrite: (@Sendable (_ name: String) -> Void)?

        package init() {}
    }

    private let inner: any Directory
    private let hooks = Monitor(Hooks())

    package init(_ inner: any Directory) { self.inner = inner }

    package func set(_ change: (inout Hooks) -> Void) { hooks.withLock { change(&$0) } }

    fileprivate func didSync(_ name: String) { hooks.withLock { $0.afterSync }?(name) }
    fileprivate func willWrite(_ name: String) { hooks.withLock { $0.beforeWrite }?(name) }

    package func list() throws(FileError) -> [String] { try inner.list() }
    package func open(_ name: String, for access: FileAccess) throws(FileError) -> any File {
        HookedFile(try inner.open(name, for: access), self)
    }
    package func create(_ name: String) throws(FileError) -> any File { HookedFile(try inner.create(name), self) }
    package func rename(_ source: String, to target: String) throws(FileError) { try inner.rename(source, to: target) }
    package func remove(_ name: String) throws(FileError) { try inner.remove(name) }
    package func sync() throws(FileError) { try inner.sync() }
    package func lock(_ name: String) throws(FileError) -> any DirectoryLock { try inner.lock(name) }
    package func lockShared(_ name: String) throws(FileError) -> any DirectoryLock { try inner.lockShared(name) }
    package func freeBytes() throws(FileError) -> UInt64 { try inner.freeBytes() }
}

private final class HookedFile: File {
    private let inner: any File
    private let directory: HookedDirectory

    init(_ inner: any File, _ directory: HookedDirectory) {
        self.inner = inner
        self.directory = directory
    }

    var name: String { inner.name }
    func size() throws(FileError) -> UInt64 { try inner.size() }
    func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int { try inner.read(into: &buffer, at: offset) }
    func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int {
        directory.willWrite(name)
        return try inner.write(bytes, at: offset)
    }
    func allocate(_ byteCount: UInt64) throws(FileError) { try inner.allocate(byteCount) }
    func deallocate(_ range: Range<UInt64>) { inner.deallocate(range) }
    func truncate(to byteCount: UInt64) throws(FileError) { try inner.truncate(to: byteCount) }
    func sync() throws(FileError) {
        try inner.sync()
        directory.didSync(name)
    }
    func map(_ byteCount: Int) throws(FileError) -> (any MappedRegion)? { try inner.map(byteCount) }
    func keepsBlocksInPlace() -> Bool { inner.keepsBlocksInPlace() }
    func close() throws(FileError) { try inner.close() }
}
