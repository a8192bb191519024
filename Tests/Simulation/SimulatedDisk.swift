//===--- SimulatedDisk.swift - a disk that forgets -------------------------===//
//
// A directory in memory that keeps what programs see apart from what a power cut would leave, counts every call, fails any of them, and
// hands out images "as after a crash now" at any moment, without stopping the run.
//
//      let disk = SimulatedDisk(model: .strictPOSIX)
//      disk.onOperation { disk, index, operation, name in      // before each operation that changes something
//          check(disk.afterCrash(.random(seed: UInt64(index))))
//      }
//      run(disk.directory())
//      check(disk.afterCrash(.pessimistic))                    // and after the last
//
//   * a *call* is any use of the seam; an *operation* is a call that changes what the disk holds or how safely: a crash point.
//   * an image is a disk of its own, so a crash inside recovery is a crash of an image.
//   * the same calls and the same seeds give the same images, on every platform.
//   * safe to use from several threads. While a hook is set, operations take turns, so the hook sees the disk exactly as before its own.
//===-----------------------------------------------------------------------===//

import LogDBFile

package final class SimulatedDisk: Sendable {
    package typealias OperationHook = @Sendable (_ disk: SimulatedDisk, _ index: Int, _ operation: FileOperation, _ name: String) -> Void

    struct Handle {
        var name: String
        var inode: Int
        var access: FileAccess
    }

    struct State {
        var volume: Volume
        var handles: [Int: Handle] = [:]
        var nextHandle = 0
        var locks: [String: Int] = [:]
        var sharedLocks: [Int: String] = [:]
        var callCount = 0
        var operationCount = 0
        var crashPoint: Int?
        var hasCrashed = false
        var faults: [Fault] = []
        var faultCount = 0
        var hook: OperationHook?
        var settings: Settings

        var openInodes: Set<Int> { Set(handles.values.map(\.inode)) }
    }

    /// What kind of disk it is, and how it lies.
    package struct Settings: Sendable {
        /// All the space there is; nil for no limit. Only file blocks of 4 KiB count.
        package var capacityBytes: UInt64?
        package var failedSync = FailedSync.dropsDirty
        /// A file sync returns without having done anything. A harness that does not notice is worthless.
        package var liesAboutSync = false
        /// A directory sync returns without having done anything.
        package var skipsDirectorySync = false
        /// Files can be mapped.
        package var canMap = true
        /// The process number that locks carry.
        package var pid: Int32 = 4711

        package init() {}
    }

    // Monitors, not `Synchronization.Mutex`: the thread sanitizer cannot see that one on Linux and reports what it protects.
    let state: Monitor<State>
    private let turn = Monitor<Void>(())

    package init(model: DiskModel = .ext4Like, capacityBytes: UInt64? = nil) {
        var settings = Settings()
        settings.capacityBytes = capacityBytes
        state = Monitor(State(volume: Volume(model: model), settings: settings))
    }

    init(_ volume: Volume, _ settings: Settings) { state = Monitor(State(volume: volume, settings: settings)) }

    package func directory() -> SimulatedDirectory { SimulatedDirectory(disk: self) }

    package var model: DiskModel { state.withLock { $0.volume.model } }

    package var settings: Settings {
        get { state.withLock { $0.settings } }
        set { state.withLock { $0.settings = newValue } }
    }

    // MARK: Counting

    package var callCount: Int { state.withLock { $0.callCount } }
    package var operationCount: Int { state.withLock { $0.operationCount } }

    /// Calls `hook` before each operation. It may take images and ask questions, but not use the directory. It is given the disk, so that it need not
    /// capture it: the disk keeps the hook, and the two would keep each other for ever.
    package func onOperation(_ hook: OperationHook?) { state.withLock { $0.hook = hook } }

    // MARK: Crashing

    /// Lets `count` operations happen in all; the next one, and every call after it, throws `.deviceGone`.
    package func crash(atOperation count: Int) { state.withLock { $0.crashPoint = count } }

    /// Every call from now on throws `.deviceGone`.
    package func crashNow() { state.withLock { $0.hasCrashed = true } }

    package var hasCrashed: Bool { state.withLock { $0.hasCrashed } }

    /// Returns the disk as a power cut now would leave it: no handles, no locks, no faults, the same settings. The run goes on.
    package func afterCrash(_ mode: CrashMode) -> SimulatedDisk {
        let (volume, settings) = state.withLock { ($0.volume, $0.settings) }
        return SimulatedDisk(volume.afterCrash(mode), settings)
    }

    /// Returns the disk as the process's death now would leave it: everything visible is still visible, unsynced what was unsynced, and
    /// handles and locks are gone. The run goes on.
    package func afterKill() -> SimulatedDisk {
        let (volume, settings) = state.withLock { ($0.volume, $0.settings) }
        var survivor = volume
        survivor.reclaim(open: [])
        return SimulatedDisk(survivor, settings)
    }

    /// Equal for disks that show programs the same names and bytes. To count how many images were really different.
    package var fingerprint: UInt64 {
        let volume = state.withLock { $0.volume }
        return volume.fingerprint
    }

    // MARK: Faults

    package func inject(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }

    package func removeFaults() { state.withLock { $0.faults = [] } }

    /// How many calls were made to fail. Still 0 after a run with `after: n` means there was no n-th call.
    package var faultCount: Int { state.withLock { $0.faultCount } }

    /// The page cache is emptied: reads now show what a failed sync has lost.
    package func evictCleanPages() {
        state.withLock { state in
            for number in state.volume.inodes.keys { state.volume.inodes[number]!.evictCleanPages() }
        }
    }

    // MARK: Leaks

    /// The names under which the handles that are still open were opened, sorted.
    package var openHandles: [String] { state.withLock { $0.handles.values.map(\.name).sorted() } }

    package var heldLocks: [String] { state.withLock { (Array($0.locks.keys) + Array($0.sharedLocks.values)).sorted() } }

    // MARK: For the directory and its files

    /// Runs one call: counts it, lets it crash or fail, else does it.
    func perform<Result: Sendable>(
        _ operation: FileOperation, _ name: String, offset: UInt64? = nil,
        _ body: (inout State, Fault.Effect?) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        let hasHook = operation.isMutating && state.withLock { $0.hook != nil && !$0.hasCrashed }
        guard hasHook else { return try performNow(operation, name, offset, body) }
        return try turn.withLock { _ throws(FileError) in
            let (hook, index, willCrash) = state.withLock { ($0.hook, $0.operationCount, $0.operationCount == $0.crashPoint) }
            if !willCrash { hook?(self, index, operation, name) }
            return try performNow(operation, name, offset, body)
        }
    }

    private func performNow<Result: Sendable>(
        _ operation: FileOperation, _ name: String, _ offset: UInt64?,
        _ body: (inout State, Fault.Effect?) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        try state.withLock { state throws(FileError) in
            if operation.isMutating, state.operationCount == state.crashPoint { state.hasCrashed = true }
            guard !state.hasCrashed else { throw FileError(.deviceGone, operation: operation, name: name, offset: offset) }
            state.callCount += 1
            if operation.isMutating { state.operationCount += 1 }
            var effect: Fault.Effect?
            for index in state.faults.indices where effect == nil && state.faults[index].matches(operation, name) {
                if state.faults[index].fire() { effect = state.faults[index].effect }
            }
            if effect != nil { state.faultCount += 1 }
            if case .error(let code) = effect {
                if operation == .sync { SimulatedFile.syncFailed(&state, name) }
                throw FileError(code, operation: operation, name: name, offset: offset)
            }
            return try body(&state, effect)
        }
    }
}
