//===--- ProcessFigures.swift - memory and writes, as the system counts them ===//
//
// From /proc, of this process or of an engine's server. Peaks can be set back (clear_refs 5, proc(5)), so that what made the step possible
// does not count. What is written is counted by the disk, after the file system was told to write everything: `write_bytes` of /proc counts a page cache folio
// of up to 2 MiB for each byte that is made dirty in it, since folios are that large. So other programs' writes count as well.
// Elsewhere than on Linux there is no such thing, and the figures are zero.
//===-----------------------------------------------------------------------===//

import CPeers
import Foundation

struct ProcessFigures {
    var process = "self"

    init() {}
    init(of process: Int32) { self.process = String(process) }

    var residentBytes: Int { kibibytes("VmRSS:") }
    var peakBytes: Int { kibibytes("VmHWM:") }

    func resetPeak() {
        guard let file = FileHandle(forWritingAtPath: "/proc/\(process)/clear_refs") else { return }
        try? file.write(contentsOf: Data("5".utf8))
        try? file.close()
    }

    private func kibibytes(_ name: String) -> Int {
        for line in lines("status") where line.hasPrefix(name) { return number(line) * 1024 }
        return 0
    }

    private func lines(_ file: String) -> [Substring] {
        ((try? String(contentsOfFile: "/proc/\(process)/\(file)", encoding: .utf8)) ?? "").split(separator: "\n")
    }

    private func number(_ line: Substring) -> Int { Int(line.filter(\.isNumber)) ?? 0 }
}

/// Folders as they are on the disk.
enum Disk {
    /// All files below a folder.
    static func files(_ folder: String) -> [String] {
        guard let names = FileManager.default.enumerator(atPath: folder) else { return [] }
        return names.compactMap { $0 as? String }.map { folder + "/" + $0 }
    }

    /// Bytes that the disk has been given since the system started, all that waited for it included; 0 where nobody counts them.
    static func writtenBytes(_ folder: String) -> Int {
        sync()
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else { return 0 }
        // Linux's numbers of devices, see gnu_dev_makedev(3).
        let device = UInt64(status.st_dev)
        let (major, minor) = (device >> 8 & 0xFFF | device >> 32 & ~0xFFF, device & 0xFF | device >> 12 & ~0xFF)
        let text = (try? String(contentsOfFile: "/sys/dev/block/\(major):\(minor)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 6 ? (Int(fields[6]) ?? 0) * 512 : 0
    }

    /// What the files in the folder take, and those of the processes that were unlinked while open: blocks, not lengths.
    static func usedBytes(_ folder: String, by processes: [Int32] = []) -> Int {
        var seen: Set<UInt64> = []
        var sum = 0
        func add(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, seen.insert(UInt64(status.st_ino)).inserted else {
                return
            }
            sum += Int(status.st_blocks) * 512
        }
        for file in files(folder) { add(file) }
        for process in processes {
            let descriptors = "/proc/\(process)/fd"
            for name in (try? FileManager.default.contentsOfDirectory(atPath: descriptors)) ?? [] {
                let path = descriptors + "/" + name
                // Only what has lost its name: the others are in the folder, or not this database's.
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path), target.hasSuffix(" (deleted)") else {
                    continue
                }
                add(path)
            }
        }
        return sum
    }

    /// Makes `target` a copy of the folder, down to the holes in its files, and written back: nothing of it waits for the disk any more.
    static func copy(_ folder: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        guard let names = FileManager.default.enumerator(atPath: folder) else { throw SystemFailure("opendir") }
        for case let name as String in names {
            var isFolder: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder) else { continue }
            if isFolder.boolValue {
                try FileManager.default.createDirectory(atPath: target + "/" + name, withIntermediateDirectories: true)
            } else {
                let result = unsafe machine_copy(folder + "/" + name, target + "/" + name)
                guard result == 0 else { throw SystemFailure("copying \(name)") }
            }
        }
    }

    /// Writes all files back and makes the system forget them; how much of them it kept all the same.
    static func evict(_ folder: String) -> Int {
        var kept = 0
        for file in files(folder) {
            _ = unsafe machine_evict(file)
            kept += max(0, unsafe machine_cached_bytes(file))
        }
        return kept
    }
}
