//===--- Surroundings.swift - where and when it was measured ---------------===//

import Foundation

struct Surroundings: Codable {
    var date: String
    var processor: String
    var processors: Int
    var memoryBytes: Int
    var system: String
    var fileSystem: String
    /// Load averages over a minute. What is measured makes up to 2 of them itself.
    var loadAtStart: Double
    var loadAtMost = 0.0
    var versions: [String: String] = [:]
    var coldBy = "fsync and posix_fadvise(DONTNEED) on every file of the database, verified with mincore"

    init(folder: String) {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyy-MM-dd HH:mm 'UTC'"
        date = formatter.string(from: Date())
        let information = ProcessInfo.processInfo
        processors = information.processorCount
        memoryBytes = Int(information.physicalMemory)
        let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        system = release.map { "Linux " + $0.prefix { $0.isNumber || $0 == "." } } ?? information.operatingSystemVersionString
        processor = Self.line("/proc/cpuinfo", "model name") ?? "unknown processor"
        fileSystem = Self.fileSystem(of: folder)
        loadAtStart = Self.load
        for setting in Setting.keepers + Setting.typed where setting.unavailable == nil && setting.engine != .bare {
            versions["\(setting.engine)"] = setting.version
        }
    }

    static var load: Double {
        var load = [Double](repeating: 0, count: 3)
        // SAFETY: getloadavg writes at most three doubles, and the array has three.
        _ = unsafe load.withUnsafeMutableBufferPointer { unsafe getloadavg($0.baseAddress!, 3) }
        return load[0]
    }

    private static func line(_ path: String, _ name: String) -> String? {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { $0.split(separator: ":", maxSplits: 1).last }.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The type of the longest mount point that the folder is under.
    private static func fileSystem(of folder: String) -> String {
        var best = (length: 0, kind: "unknown file system")
        for line in ((try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, folder.hasPrefix(words[1]), words[1].count >= best.length else { continue }
            best = (words[1].count, String(words[2]))
        }
        return best.kind
    }
}
