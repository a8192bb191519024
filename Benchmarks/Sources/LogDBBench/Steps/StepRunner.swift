//===--- StepRunner.swift - the child's side -------------------------------===//

import Foundation
import Synchronization

@MainActor struct StepRunner {
    nonisolated static let option = "--step"

    let step: Step
    private let history: History

    /// Does what the words say, prints the outcome, and is done.
    static func run(_ words: [String]) async {
        do {
            guard let text = words.first else { throw SystemFailure(message: "a step without a description") }
            let step = try JSONDecoder().decode(Step.self, from: Data(text.utf8))
            let outcome = try await StepRunner(step).outcome()
            print(String(decoding: try JSONEncoder().encode(outcome), as: UTF8.self))
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    init(_ step: Step) {
        self.step = step
        // Who writes nothing needs none, and its tables would count as memory of what is measured.
        let writes = [Step.Action.put, .batch, .threads, .tasks, .typedPut].contains(step.action)
        history = History(count: writes ? max(1, step.history) : 1)
        // Loads the engine's library, which a program that links it has done before it starts.
        _ = step.setting.unavailable
    }

    private func outcome() async throws -> Outcome {
        switch step.action {
        case .put: try measured { try put($0, &$1) }
        case .batch: try measured { try batch($0, &$1) }
        case .threads: try measured { try threads($0, &$1) }
        case .tasks: try await tasks()
        case .reload: try reload()
        case .compact: try measured { try compact($0, &$1) }
        case .open: try open()
        case .typedPut: try typedPut()
        case .typedReload: try typedReload()
        case .limits: try Limits(folder: step.folder).outcome()
        }
    }

    /// Opens, runs, closes; memory and writes around it.
    private func measured(_ body: (any Engine, inout Outcome) throws -> Void) throws -> Outcome {
        // Made now, where it is needed, so that it counts as memory before.
        if step.action != .compact { _ = Actors.bodies }
        var outcome = Outcome()
        let own = ProcessFigures().residentBytes
        let engine = try step.setting.open(step.folder)
        if step.action != .compact { try engine.prepare() }
        let accounts = [ProcessFigures()] + (engine.server.map { [ProcessFigures(of: $0)] } ?? [])
        let before = Disk.writtenBytes(step.folder)
        outcome.memoryBefore = accounts.reduce(0) { $0 + $1.residentBytes }
        for account in accounts { account.resetPeak() }
        try body(engine, &outcome)
        outcome.peakMemory = accounts.reduce(0) { $0 + $1.peakBytes }
        outcome.engineMemory = outcome.peakMemory - own
        try engine.close()
        outcome.bytesWritten = Disk.writtenBytes(step.folder) - before
        return outcome
    }

    // MARK: - Writing

    private static let sliceCount = 1 << 18
    private static let blockCount = 500

    /// Every other block of operations is timed as a whole, for the rate, the others one by one, for the percentiles; or all one by one.
    private func put(_ engine: any Engine, _ outcome: inout Outcome) throws {
        let writer = try engine.makeWriter()
        try time(&outcome) { slice, index in try writer.apply(slice, index) }
    }

    private func time(_ outcome: inout Outcome, _ apply: (Slice, Int) throws -> Void) throws {
        var samples = Samples()
        var whole: UInt64 = 0
        var wholeCount = 0
        var isWhole = true
        for first in stride(from: step.range.lowerBound, to: step.range.upperBound, by: Self.sliceCount) {
            let slice = Slice(history, first..<min(first + Self.sliceCount, step.range.upperBound))
            for start in stride(from: 0, to: slice.count, by: Self.blockCount) {
                let block = start..<min(start + Self.blockCount, slice.count)
                if isWhole && !step.timesEach {
                    let began = now()
                    for index in block { try apply(slice, index) }
                    whole += now() - began
                    wholeCount += block.count
                } else {
                    for index in block {
                        let began = now()
                        try apply(slice, index)
                        samples.add(now() - began)
                    }
                }
                isWhole.toggle()
            }
        }
        outcome.operations = step.range.count
        outcome.percentiles = Percentiles(samples)
        if step.timesEach {
            whole = samples.sum
            wholeCount = samples.count
        }
        outcome.seconds = Double(whole) / 1e9
        outcome.perSecond = Double(wholeCount) / outcome.seconds
    }

    private func batch(_ engine: any Engine, _ outcome: inout Outcome) throws {
        let writer = try engine.makeWriter()
        var samples = Samples()
        let sliceCount = max(1, Self.sliceCount / step.size) * step.size
        for first in stride(from: step.range.lowerBound, to: step.range.upperBound, by: sliceCount) {
            let slice = Slice(history, first..<min(first + sliceCount, step.range.upperBound))
            for start in stride(from: 0, to: slice.count, by: step.size) {
                let began = now()
                try writer.applyBatch(slice, start..<min(start + step.size, slice.count))
                samples.add(now() - began)
            }
        }
        outcome.operations = step.range.count
        outcome.percentiles = Percentiles(samples)
        outcome.seconds = Double(samples.sum) / 1e9
        outcome.perSecond = Double(step.range.count) / outcome.seconds
    }

    /// The operations of each thread: it has keys of its own, so that what must be there at the end does not depend on who was first.
    private func shares() -> [Slice] {
        var indices: [[Int]] = Array(repeating: [], count: step.size)
        for index in step.range { indices[history.operation(index).key % step.size].append(index) }
        return indices.map { Slice(history, $0) }
    }

    private func threads(_ engine: any Engine, _ outcome: inout Outcome) throws {
        let shares = shares()
        let pace = Pace()
        let pool = try ThreadPool(
            shares.map { share in
                let writer = try engine.makeWriter()
                return { (latencies: inout Samples) in
                    pace.begin()
                    for index in 0..<share.count {
                        let began = now()
                        try writer.apply(share, index)
                        latencies.add(now() - began)
                        pace.step()
                    }
                    pace.end()
                }
            })
        let (seconds, samples) = try pool.run()
        outcome.operations = step.range.count
        outcome.seconds = seconds
        outcome.perSecond = pace.perSecond
        outcome.percentiles = Percentiles(samples)
    }

    private func tasks() async throws -> Outcome {
        _ = Actors.bodies
        let shares = shares()
        var outcome = Outcome()
        let account = ProcessFigures()
        let engine = try step.setting.open(step.folder)
        guard let writer = try engine.makeWriter() as? any AsynchronousWriter else {
            throw SystemFailure(message: "\(step.setting.name) has no asynchronous interface")
        }
        try engine.prepare()
        let before = Disk.writtenBytes(step.folder)
        let pace = Pace()
        let began = now()
        let samples = try await withThrowingTaskGroup(of: Samples.self) { group in
            for share in shares {
                group.addTask {
                    var samples = Samples()
                    pace.begin()
                    for index in 0..<share.count {
                        let began = now()
                        try await writer.applyAsynchronously(share, index)
                        samples.add(now() - began)
                        pace.step()
                    }
                    pace.end()
                    return samples
                }
            }
            var all = Samples()
            for try await samples in group { all.add(samples) }
            return all
        }
        outcome.seconds = Double(now() - began) / 1e9
        outcome.operations = step.range.count
        outcome.perSecond = pace.perSecond
        outcome.percentiles = Percentiles(samples)
        outcome.peakMemory = account.peakBytes
        try engine.close()
        outcome.bytesWritten = Disk.writtenBytes(step.folder) - before
        return outcome
    }

    // MARK: - Reading

    private func reload() throws -> Outcome {
        var outcome = Outcome()
        let account = ProcessFigures()
        outcome.memoryBefore = account.residentBytes
        let destination = Destination(step.destination)
        let began = now()
        let engine = try step.setting.open(step.folder)
        let opened = now()
        try engine.reload(into: destination)
        let ended = now()
        outcome.openSeconds = Double(opened - began) / 1e9
        outcome.seconds = Double(ended - began) / 1e9
        outcome.delivered = destination.delivered
        outcome.peakMemory = account.peakBytes + (engine.server.map { ProcessFigures(of: $0).peakBytes } ?? 0)
        outcome.contents = destination.contents
        try engine.close()
        return outcome
    }

    private func compact(_ engine: any Engine, _ outcome: inout Outcome) throws {
        let began = now()
        try engine.compact()
        outcome.seconds = Double(now() - began) / 1e9
    }

    private func open() throws -> Outcome {
        var opening = Samples()
        var closing = Samples()
        for _ in 0..<step.size {
            let began = now()
            let engine = try step.setting.open(step.folder)
            let opened = now()
            try engine.close()
            opening.add(opened - began)
            closing.add(now() - opened)
        }
        var outcome = Outcome()
        // The first one in a new process pays for everything; it is the one an application sees.
        outcome.openSeconds = Double(opening.first) / 1e9
        outcome.figures = ["again": opening.median / 1e9, "close": closing.median / 1e9]
        outcome.peakMemory = ProcessFigures().peakBytes
        return outcome
    }

    // MARK: - Typed

    private func typedPut() throws -> Outcome {
        var outcome = Outcome()
        let actors = step.range.map { index in (actor: history.actor(index), isDelete: history.operation(index).isDelete) }
        let engine = try step.setting.openTyped(step.folder)
        let before = Disk.writtenBytes(step.folder)
        var samples = Samples()
        for (actor, isDelete) in actors {
            let began = now()
            if isDelete { try engine.delete(actor.id) } else { try engine.put(actor) }
            samples.add(now() - began)
        }
        outcome.operations = actors.count
        outcome.seconds = Double(samples.sum) / 1e9
        outcome.perSecond = Double(actors.count) / outcome.seconds
        outcome.percentiles = Percentiles(samples)
        try engine.close()
        outcome.bytesWritten = Disk.writtenBytes(step.folder) - before
        return outcome
    }

    private func typedReload() throws -> Outcome {
        var outcome = Outcome()
        let began = now()
        let engine = try step.setting.openTyped(step.folder)
        let actors = try engine.reload()
        outcome.seconds = Double(now() - began) / 1e9
        var contents = Contents()
        for actor in actors.values { contents.add(actor) }
        outcome.contents = contents
        outcome.peakMemory = ProcessFigures().peakBytes
        try engine.close()
        return outcome
    }
}

/// How fast many go together: from when the first begins to when the first has done its share. Shares are of keys, so that the outcome is known, and those with a key that
/// is written all the time are the largest by far: in the end their owners would be measured alone.
private final class Pace: Sendable {
    private let done = Atomic<Int>(0)
    private let began = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)
    private let doneAtEnd = Atomic<Int>(0)

    func begin() { _ = began.compareExchange(expected: 0, desired: now(), ordering: .sequentiallyConsistent) }

    func step() { done.wrappingAdd(1, ordering: .relaxed) }

    func end() {
        let count = done.load(ordering: .relaxed)
        guard ended.compareExchange(expected: 0, desired: now(), ordering: .sequentiallyConsistent).exchanged else { return }
        doneAtEnd.store(count, ordering: .sequentiallyConsistent)
    }

    var perSecond: Double {
        let nanoseconds = ended.load(ordering: .sequentiallyConsistent) - began.load(ordering: .sequentiallyConsistent)
        return Double(doneAtEnd.load(ordering: .sequentiallyConsistent)) / Double(max(1, nanoseconds)) * 1e9
    }
}

/// Threads that begin together.
private final class ThreadPool: @unchecked Sendable {
    typealias Work = (inout Samples) throws -> Void

    // SAFETY: `work` is read only, each of its members by one thread; the rest is touched under the lock.
    private let work: [Work]
    private let lock = NSCondition()
    private var isOpen = false
    private var running = 0
    private var failure: (any Error)?
    private var samples = Samples()

    init(_ work: [Work]) { self.work = work }

    /// Seconds from the start of all to the end of the last, and everybody's samples.
    func run() throws -> (Double, Samples) {
        running = work.count
        for number in work.indices {
            let thread = Thread { self.body(number) }
            thread.stackSize = 512 << 10
            thread.start()
        }
        lock.lock()
        isOpen = true
        let began = now()
        lock.broadcast()
        while running > 0 { lock.wait() }
        let seconds = Double(now() - began) / 1e9
        lock.unlock()
        if let failure { throw failure }
        return (seconds, samples)
    }

    private func body(_ number: Int) {
        lock.withLock { while !isOpen { lock.wait() } }
        var mine = Samples()
        var thrown: (any Error)?
        do { try work[number](&mine) } catch { thrown = error }
        lock.withLock {
            samples.add(mine)
            failure = failure ?? thrown
            running -= 1
            lock.broadcast()
        }
    }
}
