//===--- DurabilityWaiter.swift - who waits for a sync, and how it is told ---===//
//
// A task waits in its continuation, a thread in a parking place of its own: so whoever completes a sync wakes those whose bytes it carried and nobody
// else, and can hand the next sync to one of those whose bytes it did not carry.
//===-----------------------------------------------------------------------===//

import LogDBFile

/// Somebody who waits for the log to be durable up to a position.
struct DurabilityWaiter: Sendable {
    // A continuation is resumed by whoever takes its waiter out of the list, so once.
    @safe enum Caller: Sendable {
        case task(UnsafeContinuation<LogDBError?, Never>)
        case thread(ParkingPlace)
    }

    var position: UInt64
    var caller: Caller

    /// Tells the outcome: nil for durable.
    func complete(_ failure: LogDBError?) {
        switch caller {
        case .task(let continuation): unsafe continuation.resume(returning: failure)
        case .thread(let place): place.leave(.complete(failure))
        }
    }
}

/// Whom the next leader waits for a moment for.
struct Gathering {
    /// How many there were at the last sync: those it carried, and those who came too late for it.
    var count = 0
    /// On the monotonic clock.
    var deadline: UInt64 = 0
    /// While a leader waits for them: how many must be in `waiters` for it to go on.
    var wanted = Int.max
}

/// Where one thread waits for one answer.
final class ParkingPlace: Sendable {
    enum Answer: Sendable {
        case complete(LogDBError?)
        /// The sync that it needs is its own to lead; `isSyncing` is set for it.
        case lead
    }

    private let answer = Monitor<Answer?>(nil)

    /// Waits for the answer.
    func park() -> Answer {
        answer.enter { lock in
            while true {
                if let answer = lock.state {
                    lock.state = nil
                    return answer
                }
                lock.wait()
            }
        }
    }

    func leave(_ answer: Answer) {
        // Inside, so that the place is not used again, or gone, before the signal.
        self.answer.enter { lock in
            lock.state = answer
            lock.signal()
        }
    }
}
