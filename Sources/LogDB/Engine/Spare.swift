//===--- Spare.swift - the file of the next segment -------------------------===//
//
// A sync into blocks that were written before writes data only; into blocks that were merely reserved it also has to say, in the journal, that
// they are written now, which nearly doubles a large sync. So the file of a sealed segment is not removed but kept, and the next segment
// is written over it.
//
//      000041.log ──sealed, read by nobody──▶ SPARE ──new header, synced──▶ 000043.log ──directory synced──▶ named in the manifest
//                                               │
//                                               └── removed: when the disk is full, and at the end of the session
//
//      none ──▶ filling ──▶ held ──▶ taken ──▶ none
//       └───────────────────▲
//
//   * one at most, as large as a segment. SPARE is in no manifest and holds nothing: a crash leaves it to the next opening, which removes it.
//   * what the file held stays in it behind the new header. Its frames were made with other seeds than the new segment's, and do not
//     hold in it. The argument: CrashSafety, Recycled files.
//   * a full disk takes the spare first: whatever meets one through `SparingDirectory` gives it up and tries again.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class Spare: Sendable {
    struct Held {
        var size: UInt64
        /// Seeds that frames in it may have been made with.
        var seeds: Set<UInt32> = []
    }

    private enum Phase {
        case none
        /// Being made, of zeros. Whoever needs its room says so.
        case filling(isWanted: Bool)
        case held(Held)
        /// About to become a segment.
        case taken
    }

    /// Lives of one file, at most. Each has its seed, and a new one must differ from all of them.
    static let maximumLives = 1024
    /// Room for so many more segments must be left for a file to be kept, and for one to be made.
    static let segmentsFreeToKeep: UInt64 = 4
    static let segmentsFreeToMake: UInt64 = 8
    /// Smaller segments are not worth a spare that has to be made.
    static let leastToMake: UInt64 = 4 << 20
    /// Spares made in a session where files cannot be recycled: beside one who reads all the time each would be written twice.
    static let mostToMake = 4
    /// What a sync must carry, on average, for it to be worth making one.
    static let syncedBytesToMake: UInt64 = 8 << 10
    /// How often a session must have synced: who loads much and syncs now and then gains nothing.
    static let syncsToMake = 32

    private let directory: any Directory
    private let phase = Monitor(Phase.none)

    init(_ directory: any Directory) { self.directory = directory }

    /// Bytes of the spare, if there is one.
    var size: UInt64 {
        phase.withLock { phase in
            if case .held(let held) = phase { return held.size }
            return 0
        }
    }

    var isMissing: Bool {
        phase.withLock { phase in
            if case .none = phase { return true }
            return false
        }
    }

    /// Keeps the file called `name`, which nothing lists any more and nobody reads.
    ///
    /// - Returns: whether it was kept; else it is as it was.
    func keep(_ name: String, _ held: Held) -> Bool {
        phase.withLock { phase in
            guard case .none = phase, held.seeds.count < Self.maximumLives else { return false }
            do throws(FileError) { try directory.rename(name, to: FileNames.spare) } catch { return false }
            phase = .held(held)
            return true
        }
    }

    /// Makes a spare of zeros.
    ///
    /// - Parameter isWanted: asked now and then whether to go on.
    func make(size: UInt64, while isWanted: () -> Bool) {
        let begins = phase.withLock { phase -> Bool in
            guard case .none = phase else { return false }
            phase = .filling(isWanted: true)
            return true
        }
        guard begins else { return }
        var isMade = false
        do throws(FileError) { isMade = try fill(size, while: isWanted) } catch {}
        phase.withLock { phase in
            if case .filling(isWanted: true) = phase, isMade {
                phase = .held(Held(size: size))
            } else {
                try? directory.remove(FileNames.spare)
                phase = .none
            }
        }
    }

    private func fill(_ size: UInt64, while isWanted: () -> Bool) throws(FileError) -> Bool {
        do throws(FileError) { try directory.remove(FileNames.spare) } catch { guard error.code == .notFound else { throw error } }
        let file = try directory.create(FileNames.spare)
        try file.allocate(size)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var offset: UInt64 = 0
        while offset < size {
            let goesOn = phase.withLock { phase in
                if case .filling(isWanted: true) = phase { return true }
                return false
            }
            guard goesOn, isWanted() else { return false }
            let count = min(UInt64(zeros.count), size - offset)
            try file.writeFully(zeros.span.extracting(..<Int(count)), at: offset)
            // Little at a time: the writer's syncs share the disk with these.
            try file.sync()
            offset += count
        }
        return true
    }

    /// Takes the spare out, to become a segment, if its size will do; `finishTaking` ends that. Until then there is no other.
    func take(fitting isEnough: (UInt64) -> Bool) -> Held? {
        phase.withLock { phase in
            guard case .held(let held) = phase, isEnough(held.size) else { return nil }
            phase = .taken
            return held
        }
    }

    func finishTaking() { phase.withLock { $0 = .none } }

    /// Gives the spare's room back to the disk.
    ///
    /// - Returns: whether there was one to give up.
    @discardableResult
    func giveUp() -> Bool {
        phase.withLock { phase in
            switch phase {
            case .none, .taken: return false
            case .filling:
                phase = .filling(isWanted: false)
                return false
            case .held:
                phase = .none
                do throws(FileError) { try directory.remove(FileNames.spare) } catch { return false }
                return true
            }
        }
    }
}

// MARK: - A full disk takes it first

/// The folder of a database that is open for writing. A call that finds the disk full gives the spare up and is made again, once.
final class SparingDirectory: Directory {
    private let inner: any Directory
    let spare: Spare

    init(_ inner: any Directory) {
        self.inner = inner
        spare = Spare(inner)
    }

    func list() throws(FileError) -> [String] { try inner.list() }

    func open(_ name: String, for access: FileAccess) throws(FileError) -> any File {
        let file = try inner.open(name, for: access)
        return access == .reading ? file : SparingFile(file, spare)
    }

    func create(_ name: String) throws(FileError) -> any File {
        SparingFile(try spare.relieving { () throws(FileError) in try inner.create(name) }, spare)
    }

    func rename(_ source: String, to target: String) throws(FileError) { try inner.rename(source, to: target) }
    func remove(_ name: String) throws(FileError) { try inner.remove(name) }
    func sync() throws(FileError) { try inner.sync() }

    func lock(_ name: String) throws(FileError) -> any DirectoryLock {
        try spare.relieving { () throws(FileError) in try inner.lock(name) }
    }

    func lockShared(_ name: String) throws(FileError) -> any DirectoryLock { try inner.lockShared(name) }

    /// What the spare takes counts as free: who asks for it gets it.
    func freeBytes() throws(FileError) -> UInt64 {
        let (sum, isTooMuch) = try inner.freeBytes().addingReportingOverflow(spare.size)
        return isTooMuch ? .max : sum
    }
}

private final class SparingFile: File {
    private let inner: any File
    private let spare: Spare

    init(_ inner: any File, _ spare: Spare) {
        self.inner = inner
        self.spare = spare
    }

    var name: String { inner.name }
    func size() throws(FileError) -> UInt64 { try inner.size() }
    func read(into buffer: inout MutableRawSpan, at offset: UInt64) throws(FileError) -> Int { try inner.read(into: &buffer, at: offset) }

    func write(_ bytes: RawSpan, at offset: UInt64) throws(FileError) -> Int {
        do throws(FileError) { return try inner.write(bytes, at: offset) } catch {
            guard error.code == .diskFull, spare.giveUp() else { throw error }
            return try inner.write(bytes, at: offset)
        }
    }

    func allocate(_ byteCount: UInt64) throws(FileError) {
        try spare.relieving { () throws(FileError) in try inner.allocate(byteCount) }
    }

    func truncate(to byteCount: UInt64) throws(FileError) { try inner.truncate(to: byteCount) }
    func deallocate(_ range: Range<UInt64>) { inner.deallocate(range) }
    // Not tried again, whatever it says.
    func sync() throws(FileError) { try inner.sync() }
    func map(_ byteCount: Int) throws(FileError) -> (any MappedRegion)? { try inner.map(byteCount) }
    func keepsBlocksInPlace() -> Bool { inner.keepsBlocksInPlace() }
    func close() throws(FileError) { try inner.close() }
}

extension Spare {
    fileprivate func relieving<Result>(_ body: () throws(FileError) -> Result) throws(FileError) -> Result {
        do throws(FileError) { return try body() } catch {
            guard error.code == .diskFull, giveUp() else { throw error }
            return try body()
        }
    }
}
