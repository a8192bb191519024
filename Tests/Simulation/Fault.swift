//===--- Fault.swift - one thing that goes wrong ---------------------------===//
//
//      Fault(.error(.inputOutput), on: .sync)                      every sync fails
//      Fault(.error(.diskFull), on: .write, after: 3, times: 1)    the fourth write fails, the fifth does not
//      Fault(.error(.inputOutput), after: n, times: 1)             the n-th call of any kind, counted from 0
//===-----------------------------------------------------------------------===//

import LogDBFile

package struct Fault: Sendable {
    package enum Effect: Sendable {
        /// The call does nothing and throws.
        case error(FileError.Code)
        /// A read or write transfers at most this many bytes and says so. With 0 it claims to have transferred nothing.
        case short(Int)
        /// A write that stored the first bytes, then throws.
        case errorAfterWriting(FileError.Code, bytes: Int)
    }

    package var effect: Effect
    /// The kind of call, nil for any.
    package var operation: FileOperation?
    /// The file, nil for any. A rename counts under its source.
    package var name: String?
    /// Matching calls to let through first.
    package var after: Int
    /// Calls to fail then.
    package var times: Int

    package init(_ effect: Effect, on operation: FileOperation? = nil, name: String? = nil, after: Int = 0, times: Int = .max) {
        self.effect = effect
        self.operation = operation
        self.name = name
        self.after = after
        self.times = times
    }

    func matches(_ operation: FileOperation, _ name: String) -> Bool {
        guard self.operation == nil || self.operation == operation, self.name == nil || self.name == name else { return false }
        // No call at all, and cannot fail.
        if operation == .store { return false }
        // What the contracts say only some calls do.
        switch effect {
        case .short, .error(.interrupted): return operation == .read || operation == .write
        case .errorAfterWriting: return operation == .write
        case .error: return true
        }
    }

    /// Whether this call, which matches, fails.
    mutating func fire() -> Bool {
        if after > 0 {
            after -= 1
            return false
        }
        guard times > 0 else { return false }
        if times != .max { times -= 1 }
        return true
    }
}
