//===--- MonitorTests.swift - locking, waiting, threads --------------------===//

import Foundation
import LogDBFile
import Testing

@Suite struct MonitorTests {
    @Test func `no change is lost between many threads`() throws {
        let counter = Monitor(0)
        let threads = try (0..<8).map { number in
            try BackgroundThread(name: "counter \(number)") { for _ in 0..<10_000 { counter.withLock { $0 += 1 } } }
        }
        for thread in threads { thread.join() }
        #expect(counter.withLock { $0 } == 80_000)
    }

    @Test func `what one thread queues another waits for, in order`() throws {
        struct Queue {
            var items: [Int] = []
            var isClosed = false
        }
        let queue = Monitor(Queue())
        let received = Monitor<[Int]>([])
        let consumer = try BackgroundThread(name: "consumer") {
            while true {
                let item: Int? = queue.enter { queue in
                    while queue.state.items.isEmpty, !queue.state.isClosed { queue.wait() }
                    return queue.state.items.isEmpty ? nil : queue.state.items.removeFirst()
                }
                guard let item else { return }
                received.withLock { $0.append(item) }
            }
        }
        for item in 0..<5000 {
            queue.withLock { $0.items.append(item) }
            queue.signal()
        }
        queue.enter { queue in
            queue.state.isClosed = true
            queue.broadcast()
        }
        consumer.join()
        #expect(received.withLock { $0 } == Array(0..<5000))
    }

    @Test func `a timed wait ends by itself, not early and not for ever`() {
        let monitor = Monitor(())
        let start = Clock.monotonicNanoseconds()
        var woken = true
        while woken { woken = monitor.enter { $0.wait(until: start + 20_000_000) } }
        #expect(Clock.monotonicNanoseconds() >= start + 20_000_000)
        #expect(monitor.enter { $0.wait(until: 0) } == false)
    }

    @Test func `a wait without end can be woken`() throws {
        let flag = Monitor(false)
        let thread = try BackgroundThread(name: "waker") {
            flag.withLock { $0 = true }
            flag.broadcast()
        }
        let timedOut = flag.enter { flag in
            while !flag.state { if !flag.wait(until: .max) { return true } }
            return false
        }
        #expect(!timedOut)
        thread.join()
    }

    @Test func `errors keep their type, and the lock is released`() {
        struct Refusal: Error {}
        let monitor = Monitor(1)
        do throws(Refusal) {
            try monitor.withLock { (_: inout Int) throws(Refusal) in throw Refusal() }
            Issue.record("it did not throw")
        } catch {
            let _: Refusal = error
        }
        #expect(monitor.withLock { $0 } == 1)
    }

    @Test func `the state is released with the monitor`() {
        final class Witness {}
        weak var witness: Witness?
        do {
            let strong = Witness()
            witness = strong
            _ = Monitor<Int>(1)
            let monitor = Monitor<[ObjectIdentifier: Bool]>([ObjectIdentifier(strong): true])
            #expect(monitor.withLock { $0.count } == 1)
        }
        #expect(witness == nil)
    }

    @Test func `a thread runs its body once, and joining twice is harmless`() throws {
        let runs = Monitor(0)
        let thread = try BackgroundThread(name: "a name longer than Linux shows") { runs.withLock { $0 += 1 } }
        thread.join()
        thread.join()
        #expect(runs.withLock { $0 } == 1)
        #expect(thread.name == "a name longer than Linux shows")
    }

    @Test func `time goes forward`() {
        let first = Clock.monotonicNanoseconds()
        #expect(Clock.monotonicNanoseconds() >= first)
        #expect(Clock.wallMilliseconds() > 1_700_000_000_000)
        #expect(CurrentProcess.isAlive(CurrentProcess.pid))
        #expect(!CurrentProcess.isAlive(-1))
    }

    #if os(Linux)
        @Test func `a thread of low priority, and those it starts, leave the processors to others`() throws {
            let seen = Monitor<[Int32]>([])
            @Sendable func note() { seen.withLock { $0.append(getpriority(Int32(PRIO_PROCESS.rawValue), 0)) } }
            let usual = getpriority(Int32(PRIO_PROCESS.rawValue), 0)
            let low = try BackgroundThread(name: "low", priority: .low) {
                note()
                let child = try? BackgroundThread(name: "child") { note() }
                child?.join()
            }
            low.join()
            try BackgroundThread(name: "usual") { note() }.join()
            #expect(seen.withLock { $0 } == [max(10, usual), max(10, usual), usual])
            #expect(getpriority(Int32(PRIO_PROCESS.rawValue), 0) == usual)
        }
    #endif
}
