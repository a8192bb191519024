//===--- FaultTests.swift - every call of every workload fails once --------===//

import LogDB
import LogDBFile
import LogDBSimulation
import Testing

struct FaultKind: Sendable, CustomTestStringConvertible {
    var name: String
    var effect: Fault.Effect
    var operation: FileOperation?
    var times = 1
    var testDescription: String { name }

    static let all = [
        FaultKind(name: "input/output error", effect: .error(.inputOutput)),
        FaultKind(name: "input/output error for good", effect: .error(.inputOutput), times: .max),
        FaultKind(name: "disk full", effect: .error(.diskFull)),
        FaultKind(name: "disk full for good", effect: .error(.diskFull), times: .max),
        FaultKind(name: "interrupted", effect: .error(.interrupted)),
        FaultKind(name: "short", effect: .short(1)),
        FaultKind(name: "half written, then an error", effect: .errorAfterWriting(.inputOutput, bytes: 700)),
        FaultKind(name: "half written, then full", effect: .errorAfterWriting(.diskFull, bytes: 300)),
        FaultKind(name: "failed sync", effect: .error(.inputOutput), operation: .sync),
        FaultKind(name: "failed directory sync", effect: .error(.inputOutput), operation: .syncDirectory),
    ]
}

extension Crash {
    @Suite struct Faults {
        @Test(arguments: FaultKind.all, Workload.appended)
        func `a call that fails is reported or does no harm, and the database opens again with all that was acknowledged`(
            _ kind: FaultKind, _ workload: Workload
        ) {
            // One of a kind: the same complaint of neighbouring calls says nothing new.
            var violations: [String: String] = [:]
            // Every other place with one appender, and every other with the other.
            var number = workload.options.appender == .sharedTail ? 1 : 0
            let deadline = Scale.deadline()
            while true {
                guard Clock.monotonicNanoseconds() < deadline else {
                    violations["time"] = "call \(number): not done in time"
                    break
                }
                let model: DiskModel = (number / 2).isMultiple(of: 2) ? .ext4Like : .strictPOSIX
                let fault = Fault(kind.effect, on: kind.operation, after: number, times: kind.times)
                do {
                    guard try FaultRun(workload, model, fault).run(workload.steps) else { break }
                    Tally.count(.faults)
                } catch {
                    let text = "\(error)"
                    let kind = String(text.split(separator: ":").dropFirst().joined().filter { !$0.isNumber })
                    if violations[kind] == nil { violations[kind] = "call \(number): \(text)" }
                }
                let step = Scale.isDebug ? 58 : Scale.factor > 1 ? 2 : 3
                number += step * (workload.isLarge ? 11 : 1) * (Scale.factor > 1 ? 1 : 2 * workload.stride - 1)
            }
            #expect(violations.isEmpty, "\(violations.values.sorted().joined(separator: "\n"))")
        }
    }
}
