//===--- FileNames.swift - who is who in the folder ------------------------===//
//
//      LOCK                   advisory lock of the one writer
//      MANIFEST-000007        the manifest; the highest number is the valid one (it got its name by an atomic rename)
//      MANIFEST-000008.tmp    a manifest being written
//      000042.log             raw segment
//      000041.seg.lz4, .gz    sealed segment, log order
//      000017.base.lz4, .gz   base segment, key order; numbered on their own
//      000001.run             spill runs of a compaction or a reading that is under way
//      000018.hist.lz4, .gz   history segment, version order; numbered with the base
//      RING                   what was appended and is not in the raw segment yet
//      SPARE                  the file of the next raw segment; what is in it says nothing
//      READERS                shared lock of those who read beside the writer
//
// Only names of these forms are ever removed as leftovers. Whatever else lies in the folder is somebody else's.
//===-----------------------------------------------------------------------===//

import LogDBFormat

enum FileNames: Equatable {
    case manifest(UInt64)
    case temporaryManifest(UInt64)
    case raw(UInt64)
    case sealed(UInt64, Container)
    case base(UInt64, Container)
    case history(UInt64, Container)
    case run(UInt64)

    static let lock = "LOCK"
    static let readers = "READERS"
    static let ring = "RING"
    static let spare = "SPARE"

    var name: String {
        switch self {
        case .manifest(let number): "MANIFEST-\(Self.padded(number))"
        case .temporaryManifest(let number): "MANIFEST-\(Self.padded(number)).tmp"
        case .raw(let number): "\(Self.padded(number)).log"
        case .sealed(let number, let container): "\(Self.padded(number)).seg.\(container.fileExtension)"
        case .base(let number, let container): "\(Self.padded(number)).base.\(container.fileExtension)"
        case .history(let number, let container): "\(Self.padded(number)).hist.\(container.fileExtension)"
        case .run(let number): "\(Self.padded(number)).run"
        }
    }

    /// nil for a name that is not ours.
    init?(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts[0].hasPrefix("MANIFEST-"), let number = Self.number(parts[0].dropFirst(9)) {
            switch parts.count {
            case 1: self = .manifest(number)
            case 2 where parts[1] == "tmp": self = .temporaryManifest(number)
            default: return nil
            }
            return
        }
        guard let number = Self.number(parts[0]) else { return nil }
        switch parts.dropFirst().joined(separator: ".") {
        case "log": self = .raw(number)
        case "seg.lz4": self = .sealed(number, .lz4)
        case "seg.gz": self = .sealed(number, .gzip)
        case "base.lz4": self = .base(number, .lz4)
        case "base.gz": self = .base(number, .gzip)
        case "hist.lz4": self = .history(number, .lz4)
        case "hist.gz": self = .history(number, .gzip)
        case "run": self = .run(number)
        default: return nil
        }
    }

    private static func padded(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private static func number(_ digits: Substring) -> UInt64? {
        guard digits.count >= 6, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt64(digits)
    }
}
