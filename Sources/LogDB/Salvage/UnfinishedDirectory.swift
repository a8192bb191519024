//===--- UnfinishedDirectory.swift - a database that is not one yet ---------===//
//
// What is half salvaged must not open as if it were all. While it is written its manifest has another name,
//
//      MANIFEST-000001.unfinished      instead of      MANIFEST-000001
//
// under which no opening finds it; the last step of a salvage is to rename it. A salvage that is killed leaves a folder that says what it is
// (`Inspection.manifestNumber`) and can be thrown away.
//===-----------------------------------------------------------------------===//

import LogDBFile

final class UnfinishedDirectory: Directory {
    private let base: any Directory
    static let suffix = ".unfinished"

    init(_ base: any Directory) { self.base = base }

    private func hidden(_ name: String) -> String {
        if case .manifest = FileNames(name) { return name + Self.suffix }
        return name
    }

    func list() throws(FileError) -> [String] {
        try base.list().map { $0.hasSuffix(Self.suffix) ? String($0.dropLast(Self.suffix.count)) : $0 }
    }

    func open(_ name: String, for access: FileAccess) throws(FileError) -> any File { try base.open(hidden(name), for: access) }
    func create(_ name: String) throws(FileError) -> any File { try base.create(hidden(name)) }
    func rename(_ source: String, to target: String) throws(FileError) { try base.rename(hidden(source), to: hidden(target)) }
    func remove(_ name: String) throws(FileError) { try base.remove(hidden(name)) }
    func sync() throws(FileError) { try base.sync() }
    func lock(_ name: String) throws(FileError) -> any DirectoryLock { try base.lock(name) }
    func lockShared(_ name: String) throws(FileError) -> any DirectoryLock { try base.lockShared(name) }
    func freeBytes() throws(FileError) -> UInt64 { try base.freeBytes() }

    /// Makes it a database, durably. Whatever is in it must be on the disk.
    func finish() throws(FileError) {
        for name in try base.list() where name.hasSuffix(Self.suffix) {
            try base.rename(name, to: String(name.dropLast(Self.suffix.count)))
        }
        try base.sync()
    }

    /// Removes every file of ours: the folder was empty before.
    func discard() {
        for name in (try? base.list()) ?? [] {
            let isOurs =
                FileNames(name) != nil || name.hasSuffix(Self.suffix)
                || [FileNames.lock, FileNames.readers, FileNames.spare].contains(name)
            if isOurs { try? base.remove(name) }
        }
        try? base.sync()
    }
}
