//===--- Explorer.swift - a crash at every point ---------------------------===//
//
// Sits on a simulated disk and, before each operation that changes it, takes the images that a power cut or a kill would leave right
// then, and proves each. On some of them it lets the database live on, with another explorer sitting on that disk: so recovery is
// crashed at each of its own operations, and the recovery from that as well.
//
//      workload ─op─op─op─op─
//                 │ images: pessimistic, optimistic, random …, killed      each opened, compared, written to, closed, verified
//                 └ one of them lives on: open ─op─op─op─ put ─op─op─ close
//                                                │ images …
//                                                └ one of them lives on …
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation

final class Explorer: Sendable {
    /// What is tried. Nothing here depends on the machine's speed: the same plan tries the same places everywhere.
    struct Plan: Sendable {
        /// Examines the operations whose number is a multiple of this.
        var every = 1
        /// Random images at each operation.
        var seeds = 4
        /// Lives on at each operation whose number is a multiple of this.
        var liveEvery = 1
        /// How many crashes deep.
        var depth = 2
        /// The same in a life that follows a crash.
        var laterEvery = 1
        var laterSeeds = 1
        var laterLiveEvery = 7
        /// Past this a run is stuck, and fails. On the monotonic clock.
        var deadline: UInt64 = .max
    }

    private enum Kind {
        case powerCut(CrashMode)
        case kill
    }

    let options: Options
    let plan: Plan
    private let seed: UInt64
    private let found = Monitor<[String]>([])
    private let proven = ProvenImages()

    init(_ options: Options, _ plan: Plan, seed: UInt64) {
        self.options = options
        self.plan = plan
        self.seed = seed
    }

    /// What was wrong, the first few.
    var violations: [String] { found.withLock { $0 } }

    private var isHopeless: Bool { found.withLock { $0.count >= 5 } }

    func report(_ violation: String) { found.withLock { if $0.count < 5 { $0.append(violation) } } }

    /// Examines `disk` at each operation from now on.
    func watch(_ disk: SimulatedDisk, _ ledger: Ledger, depth: Int? = nil, trail: String = "") {
        let depth = depth ?? plan.depth
        disk.onOperation { [self] disk, index, operation, name in
            guard index.isMultiple(of: trail.isEmpty ? plan.every : plan.laterEvery) else { return }
            let place = "\(trail)/\(index) before \(operation) \(name)"
            examine(disk, ledger, index, isFirstLife: trail.isEmpty, depth: depth, place)
        }
    }

    /// Takes and proves all images of this moment.
    func examine(_ disk: SimulatedDisk, _ ledger: Ledger, _ index: Int, isFirstLife: Bool = true, depth: Int, _ place: String) {
        guard !isHopeless else { return }
        guard Clock.monotonicNanoseconds() < plan.deadline else { return report("\(place): not done in time") }
        if isFirstLife { Tally.count(.crashPoints) }
        let randoms = (0..<(isFirstLife ? plan.seeds : plan.laterSeeds)).map { number in
            Kind.powerCut(.random(seed: seed &* 0x9E37_79B9 &+ UInt64(index) &* 1_000_003 &+ UInt64(number)))
        }
        let kinds = [.powerCut(.pessimistic), .powerCut(.optimistic), .kill] + randoms
        for kind in kinds { prove(kind, disk, ledger, place) }
        let every = isFirstLife ? plan.liveEvery : plan.laterLiveEvery
        guard depth > 0, index.isMultiple(of: every) else { return }
        liveOn(kinds[(index / every) % kinds.count], disk, ledger, depth: depth - 1, place)
    }

    private func image(_ kind: Kind, _ disk: SimulatedDisk, _ ledger: Ledger) -> (SimulatedDisk, [ModelFrame], Model.Marks) {
        // The marks before the image, the frames after it: see Model.swift.
        var marks = ledger.withLock { $0.marks }
        let image: SimulatedDisk
        switch kind {
        case .powerCut(let mode):
            marks.process = marks.disk
            image = disk.afterCrash(mode)
        case .kill: image = disk.afterKill()
        }
        return (image, ledger.withLock { $0.frames }, marks)
    }

    private func prove(_ kind: Kind, _ disk: SimulatedDisk, _ ledger: Ledger, _ place: String) {
        guard !isHopeless else { return }
        let (image, frames, marks) = image(kind, disk, ledger)
        Tally.count(.crashImages)
        do {
            if try proven.prove(image, frames, floor: marks.process, options) { Tally.count(.differentImages) }
        } catch { report("\(place), \(kind): \(error)") }
    }

    private func liveOn(_ kind: Kind, _ disk: SimulatedDisk, _ ledger: Ledger, depth: Int, _ place: String) {
        let (image, frames, marks) = image(kind, disk, ledger)
        liveOn(image, Model(frames: frames, marks: marks), depth: depth, "\(place), \(kind)")
    }

    /// Lets the database go on from an image, for a few steps, examined all the while.
    func liveOn(_ image: SimulatedDisk, _ model: Model, depth: Int, _ place: String) {
        Tally.count(.lives)
        let ledger = Ledger(model)
        let runner = Runner(image, ledger, options)
        watch(image, ledger, depth: depth, trail: place)
        defer { image.onOperation(nil) }
        do {
            try runner.open()
            // As large as those before the crash, so that what was left behind lies exactly where the new frames go.
            var author = Author(seed: UInt64(model.frames.count))
            try runner.perform(author.put("t", "later", 3000, .process))
            try runner.perform(author.put("t", .integer(0), 14_000, .process))
            try runner.perform(author.put("later", 1, 60, .disk))
            try runner.close()
        } catch {
            runner.abandon()
            report("\(place), living on: \(error)")
        }
    }
}

/// Images that hold, by fingerprint, and how many frames each has: of the same bytes the same is read, so they are proven once.
///
/// An image of a kill and one of a power cut may show the same bytes, of which one has some in memory only. Proving does not crash
/// them again, so that makes no difference to it.
final class ProvenImages: Sendable {
    private let counts = Monitor<[UInt64: Int]>([:])

    /// Proves `image` unless that was done; throws a `Violation`.
    ///
    /// - Returns: whether it is a new one.
    func prove(_ image: SimulatedDisk, _ frames: [ModelFrame], floor: Int, _ options: Options) throws -> Bool {
        let fingerprint = image.fingerprint
        // Where fewer were found than there must be by now it is looked at again: a frame may have come that changes no byte, as the
        // commit of a transaction without operations.
        let known = counts.withLock { $0[fingerprint] }
        if let known, known >= floor { return false }
        let count = try Check.image(image, frames, floor: floor, options)
        counts.withLock { $0[fingerprint] = count }
        return known == nil
    }

    /// Forgets what was proven: the frames are others now.
    func forget() { counts.withLock { $0 = [:] } }
}
