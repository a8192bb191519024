//===--- FaultRun.swift - a workload in which one call fails ---------------===//
//
// The failure is reported or it did no harm. After it the database either goes on and is right, or refuses to write, with `.poisoned`,
// and still reads right; opened again it is right in every image, and what opening returned with is on the disk, whatever a failed
// sync may have done to the page cache.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation

final class FaultRun {
    private let fault: Fault
    private let disk: SimulatedDisk
    private let ledger = Ledger(Model())
    private let runner: Runner
    private let options: Options
    private let syncs = Monitor(Syncs())
    private let proven = ProvenImages()

    private struct Syncs {
        /// The failure lies in an earlier session.
        var isOver = false
        var last: String?
        var failed: String?
        var retried: String?
    }

    init(_ workload: Workload, _ model: DiskModel, _ fault: Fault) {
        self.fault = fault
        disk = SimulatedDisk(model: model)
        options = workload.freshOptions
        runner = Runner(disk, ledger, options)
    }

    /// A device that fails from the n-th call on, until somebody looks after it.
    private var isLasting: Bool { fault.times > 1 }

    private var mustBeInvisible: Bool {
        switch fault.effect {
        case .error(.interrupted): true
        case .short(let most): most > 0
        default: false
        }
    }

    /// Runs the steps. Returns whether the fault happened at all.
    func run(_ steps: [Step]) throws -> Bool {
        if fault.operation == .sync { watchSyncs() }
        disk.inject(fault)
        do { try runner.open() } catch { try reopen(after: error, "open") }
        for (number, step) in steps.enumerated() {
            do { try runner.perform(step) } catch { try survive(error, "step \(number)") }
        }
        do { try runner.close() } catch { try reopen(after: error, "close") }
        try runner.close()
        if let name = syncs.withLock({ $0.retried }) { throw Violation("the failed sync of \(name) was tried again") }
        disk.onOperation(nil)
        let hasFired = disk.faultCount > 0
        disk.removeFaults()
        try Check.noLeaks(disk)
        try prove("at the end")
        // A file that could not be removed stays until the next opening.
        try Check.atRest(disk, ledger.withLock { $0.frames }, options, mayHaveLeftovers: true)
        return hasFired
    }

    private func survive(_ error: any Error, _ place: String) throws {
        try judge(error, place)
        if isLasting || runner.db == nil { return try reopen(after: error, place) }
        if try !goesOn(after: error, place) { try reopen(after: error, place) }
    }

    /// Returns whether the database still takes writes; it must read right in any case.
    private func goesOn(after error: any Error, _ place: String) throws -> Bool {
        guard let db = runner.db else { return false }
        let isUsable = (try? db.flush(to: .process)) != nil
        // Nothing of a frame that memory does not know is read, but if its write failed halfway the file may hold it.
        let last = try Check.attempt("\(place): statistics") { try db.statistics().lastSequenceNumber }
        let code = (error as? LogDBError)?.code
        if isUsable || code == .diskFull || code == .poisoned {
            ledger.withLock { model in
                // A commit that was refused by a database that goes on did not happen.
                if runner.hasAttemptedCommit, isUsable { model.retract() }
                while let frame = model.frames.last, frame.firstSequence > last, !frame.effects.isEmpty { model.retract() }
            }
            proven.forget()
            runner.rollBackAll()
        }
        let (frames, marks) = ledger.withLock { ($0.frames, $0.marks) }
        do { try Check.identify(db, frames, floor: isUsable ? Model.solidCount(frames) : marks.process) } catch {
            throw Violation("\(place), read after the failure: \(error)")
        }
        if !isUsable { try refuses(db, place) }
        return isUsable
    }

    /// What may be reported, and that nothing may where nothing went wrong.
    private func judge(_ error: any Error, _ place: String) throws {
        guard let error = error as? LogDBError else { throw error }
        if mustBeInvisible { throw Violation("\(place): a short or interrupted call shows: \(error)") }
        guard [.inputOutput, .diskFull, .syncFailed, .poisoned].contains(error.code) else {
            throw Violation("\(place): reported as \(error)")
        }
    }

    private func refuses(_ db: Database, _ place: String) throws {
        do {
            try db.delete("t", "any", persistence: .process)
            throw Violation("\(place): a database that refused a flush takes a write")
        } catch let error as LogDBError {
            guard error.code == .poisoned else { throw Violation("\(place): refuses with \(error)") }
        }
    }

    /// Closes what is open, proves what a crash now would leave, and opens again.
    private func reopen(after error: any Error, _ place: String) throws {
        try judge(error, place)
        try prove(place)
        runner.abandon()
        syncs.withLock { $0 = Syncs(isOver: disk.faultCount > 0, retried: $0.retried) }
        if isLasting { disk.removeFaults() }
        try Check.noLeaks(disk)
        try prove("\(place), closed")
        do { try runner.open() } catch let again as LogDBError {
            // Where closing needed no disk the one failure may have met the opening.
            try judge(again, place)
            runner.abandon()
            syncs.withLock { $0 = Syncs(isOver: disk.faultCount > 0, retried: $0.retried) }
            try Check.attempt("\(place): opening again after \(error) and \(again)") { try runner.open() }
        }
        try prove("\(place), reopened")
    }

    /// Proves the images of this moment.
    private func prove(_ place: String) throws {
        let (frames, marks) = ledger.withLock { ($0.frames, $0.marks) }
        func prove(_ image: SimulatedDisk, _ floor: Int, _ what: String) throws {
            Tally.count(.faultImages)
            image.removeFaults()
            do { _ = try proven.prove(image, frames, floor: floor, options) } catch { throw Violation("\(place), \(what): \(error)") }
        }
        try prove(disk.afterKill(), marks.process, "killed")
        for mode in [CrashMode.pessimistic, .optimistic, .random(seed: UInt64(frames.count)), .random(seed: 77)] {
            try prove(disk.afterCrash(mode), marks.disk, "\(mode)")
        }
    }

    /// In one session a file whose sync failed is never synced again.
    private func watchSyncs() {
        let syncs = syncs
        disk.onOperation { disk, _, operation, name in
            let hasFired = disk.faultCount > 0
            syncs.withLock { syncs in
                if hasFired, !syncs.isOver, syncs.failed == nil, let last = syncs.last { syncs.failed = last }
                // A new file under the name of one that was given up is another file.
                if operation == .create, name == syncs.failed { (syncs.failed, syncs.isOver) = (nil, true) }
                if operation == .sync {
                    if name == syncs.failed { syncs.retried = name }
                    syncs.last = name
                }
            }
        }
    }
}
