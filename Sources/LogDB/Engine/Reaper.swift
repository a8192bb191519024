//===--- Reaper.swift - files that nothing lists any more ------------------===//
//
// Compaction takes segments off the manifest that somebody may still read: a snapshot in this process, or another process that
// opened the database for reading. A file goes when both have let go of it.
//
//   * in this process: each snapshot holds a pin of the epoch in which it was taken. Retiring files ends the epoch; they go when no pin of it, or
//     of an earlier one, is left.
//   * in others: each reader holds a shared lock on READERS, taken before it looks at the manifest. The reaper removes files only while it has
//     that lock exclusively, for the moment that takes. Locks die with their processes, so nothing is pinned by the dead.
//
// What cannot be removed now is tried again after the next compaction, and is a leftover for the next opening in any case.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

final class Reaper: Sendable {
    private struct State {
        var epoch: UInt64 = 0
        /// Pins by epoch.
        var pins: [UInt64: Int] = [:]
        var retired: [(epoch: UInt64, name: String)] = []
        /// Nobody in this process reads these.
        var waiting: Set<String> = []

        /// Moves what no pin holds any more to those that wait.
        mutating func collect() {
            let oldest = pins.keys.min() ?? .max
            for file in retired where file.epoch < oldest { waiting.insert(file.name) }
            retired.removeAll { $0.epoch < oldest }
        }
    }

    private let directory: any Directory
    private let state = Monitor(State())
    /// Held while files are removed.
    private let removing = Monitor<Void>(())

    init(_ directory: any Directory) { self.directory = directory }

    /// Files that wait for those who read them.
    var waitingNames: [String] { state.withLock { ($0.waiting.union($0.retired.map(\.name))).sorted() } }

    /// Pins that are held.
    var readers: Int { state.withLock { $0.pins.values.reduce(0, +) } }

    /// Keeps all files that are listed now, until the pin is let go of. Taken under the lock under which the list was.
    func pin() -> Pin {
        Pin(
            self,
            state.withLock { state in
                state.pins[state.epoch, default: 0] += 1
                return state.epoch
            })
    }

    final class Pin: Sendable {
        private let reaper: Reaper
        private let epoch: UInt64

        fileprivate init(_ reaper: Reaper, _ epoch: UInt64) {
            self.reaper = reaper
            self.epoch = epoch
        }

        deinit { reaper.unpin(epoch) }
    }

    private func unpin(_ epoch: UInt64) {
        let hasWork = state.withLock { state -> Bool in
            state.pins[epoch]! -= 1
            if state.pins[epoch] == 0 { state.pins[epoch] = nil }
            guard !state.retired.isEmpty else { return false }
            state.collect()
            return !state.waiting.isEmpty
        }
        if hasWork { reap() }
    }

    /// Removes `names`, which nothing lists any more, as soon as nobody reads them.
    func retire(_ names: [String]) {
        guard !names.isEmpty else { return }
        state.withLock { state in
            for name in names { state.retired.append((state.epoch, name)) }
            state.epoch += 1
            state.collect()
        }
        reap()
    }

    /// Removes what waits, if nobody else reads.
    func reap() {
        // Not under the state's lock: a snapshot is taken under the log's, and must not wait for the disk.
        removing.withLock { _ in
            let names = state.withLock { $0.waiting }
            guard !names.isEmpty else { return }
            var lock: (any DirectoryLock)?
            do throws(FileError) { lock = try directory.lock(FileNames.readers) } catch {
                // Where there is no room to make the file it is not there, and nobody can hold its lock.
                guard error.code == .diskFull else { return }
            }
            defer { lock?.release() }
            for name in names.sorted() {
                do throws(FileError) { try directory.remove(name) } catch { guard error.code == .notFound else { continue } }
                state.withLock { _ = $0.waiting.remove(name) }
            }
        }
    }

    /// Does `body` while no other opening reads; false, and nothing done, where one does.
    func whileUnread(_ body: () -> Bool) -> Bool {
        removing.withLock { _ in
            guard let lock = try? directory.lock(FileNames.readers) else { return false }
            defer { lock.release() }
            return body()
        }
    }

    /// Makes the file whose lock readers take; false where that fails.
    func makeLockFile() -> Bool {
        guard let lock = try? directory.lock(FileNames.readers) else { return false }
        lock.release()
        return true
    }
}

/// The shared lock of a reader, before it looks at the manifest; nil in a database that has no such file.
func pinAsReader(_ directory: any Directory) throws(LogDBError) -> (any DirectoryLock)? {
    var attempt = 0
    while true {
        do throws(FileError) { return try directory.lockShared(FileNames.readers) } catch {
            switch error.code {
            case .notFound: return nil
            // The writer removes files just now. Without the lock it could overwrite them.
            case .locked where attempt < 10_000: attempt += 1
            case .locked, .tooManyOpenFiles: throw LogDBError(error)
            // A reader without the right to lock reads all the same.
            default: return nil
            }
        }
        Clock.sleep(nanoseconds: 1_000_000)
    }
}
