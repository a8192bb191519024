//===--- Errand.swift - work on a thread of low priority, awaited -----------===//
//
// The priority of a thread cannot be raised again, so what should have a low one runs on a thread of its own. Whoever asked for it waits, and hears of
// its progress on his own thread, as if he did the work himself:
//
//      worker   ──report──▶ waits ──▶ goes on, or stops with what the caller's closure threw
//      caller   waits ──▶ closure ──answer──▶ waits … ──▶ result
//===-----------------------------------------------------------------------===//

import LogDBFile

enum Errand {
    private struct State<Report, Value> {
        var report: Report?
        var answer: Result<Void, any Error>?
        var result: Result<Value, any Error>?
    }

    /// Runs `work` and returns what it returns. Where the system has no thread to give, on this one.
    static func run<Report, Value>(
        reporting body: (Report) throws -> Void, _ work: ((Report) throws -> Void) throws -> Value
    ) throws -> Value {
        try withoutActuallyEscaping(work) { work in
            // SAFETY: the thread has ended when this returns, and while it works this thread waits or does what the thread waits for.
            nonisolated(unsafe) let work = work
            let state = Monitor(State<Report, Value>())
            guard
                let thread = try? BackgroundThread(
                    name: "logdb-compact", priority: .low,
                    {
                        let result = Result { try unsafe work { report in try ask(report, state) } }
                        state.withLock { $0.result = result }
                        state.broadcast()
                    })
            else { return unsafe try work(body) }
            defer { thread.join() }
            while let report = next(state) {
                let answer = Result { try body(report) }
                state.withLock { $0.answer = answer }
                state.broadcast()
            }
            return try state.withLock { $0.result! }.get()
        }
    }

    /// On the worker: hands over a report and waits for the answer.
    private static func ask<Report, Value>(_ report: Report, _ state: Monitor<State<Report, Value>>) throws {
        state.withLock { $0.report = report }
        state.broadcast()
        let answer = state.enter { lock in
            while lock.state.answer == nil { lock.wait() }
            return lock.state.answer.take()!
        }
        try answer.get()
    }

    /// On the caller: the next report; nil when there is a result.
    private static func next<Report, Value>(_ state: Monitor<State<Report, Value>>) -> Report? {
        state.enter { lock in
            while lock.state.report == nil && lock.state.result == nil { lock.wait() }
            return lock.state.report.take()
        }
    }
}
