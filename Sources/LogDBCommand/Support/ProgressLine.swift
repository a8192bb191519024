//===--- ProgressLine.swift - something to look at -------------------------===//

import LogDBFile
import Synchronization

/// One line on stderr that is written over and over while long work lasts. Only on a terminal, at most five times a second.
struct ProgressLine {
    private static let intervalNanoseconds: UInt64 = 200_000_000
    private static let isShown = Atomic<Bool>(false)

    private let isEnabled: Bool
    private let began = Clock.monotonicNanoseconds()
    private var nextMoment: UInt64
    private let updatesPerLook: Int
    private var skipped = 0

    /// - Parameters:
    ///   - quiet: true where standard output goes to the same terminal and would be written through.
    ///   - updatesPerLook: how many calls of `update` come to one look at the clock.
    init(quiet: Bool = false, updatesPerLook: Int) {
        self.updatesPerLook = updatesPerLook
        isEnabled = !quiet && Descriptors.isTerminal(2)
        nextMoment = began + Self.intervalNanoseconds
    }

    /// Shows the line `text` makes if it is time.
    @inline(__always)
    mutating func update(_ text: (_ seconds: Double) -> String) {
        guard isEnabled else { return }
        skipped += 1
        guard skipped >= updatesPerLook else { return }
        skipped = 0
        show(text)
    }

    private mutating func show(_ text: (Double) -> String) {
        let now = Clock.monotonicNanoseconds()
        guard now >= nextMoment else { return }
        nextMoment = now + Self.intervalNanoseconds
        Self.isShown.store(true, ordering: .relaxed)
        try? Descriptors.write(Array("\r\(text(Double(now - began) / 1e9))\u{1B}[K".utf8).span, to: 2)
    }

    /// Replaces the line by a last one, which stays. Says nothing where nobody looks.
    func finish(_ text: (_ seconds: Double) -> String) {
        guard isEnabled else { return }
        Self.clear()
        try? Descriptors.write(Array("\(text(Double(Clock.monotonicNanoseconds() - began) / 1e9))\n".utf8).span, to: 2)
    }

    /// Takes the line away, so that another message can stand in its place.
    static func clear() {
        guard isShown.exchange(false, ordering: .relaxed) else { return }
        try? Descriptors.write(Array("\r\u{1B}[K".utf8).span, to: 2)
    }
}
