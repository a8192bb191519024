//===--- Step.swift - one thing done to a database -------------------------===//
//
// What the steps mean is in Model.swift, how they are carried out in Runner.swift.
//===-----------------------------------------------------------------------===//

import LogDB

/// One upsert, or a delete where there is no document.
struct Change: Sendable, Equatable {
    var table: String
    var key: Key
    var document: [UInt8]?
    /// When the document expires, in milliseconds since 1970; nil: never.
    var expires: Int64?

    static func == (a: Change, b: Change) -> Bool {
        a.key == b.key && a.table == b.table && a.expires == b.expires && areEqual(a.document, b.document)
    }

    var timeToLive: TimeToLive { expires.map { .until(milliseconds: $0) } ?? .never }

    /// As it reads at a time.
    func seen(at now: Int64) -> Change {
        guard let expires, expires <= now else { return self }
        return Change(table: table, key: key, document: nil)
    }

    /// As `==`, eight bytes at a time: documents are compared more than anything else here.
    private static func areEqual(_ a: [UInt8]?, _ b: [UInt8]?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        guard a.count == b.count else { return false }
        // SAFETY: each load ends at or before the arrays' end, which is the same for both.
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in
                var offset = 0
                while offset + 8 <= a.count {
                    let left = unsafe a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    let right = unsafe b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    if left != right { return false }
                    offset += 8
                }
                while offset < a.count {
                    if unsafe (a[offset] != b[offset]) { return false }
                    offset += 1
                }
                return true
            }
        }
    }
}

enum Step: Sendable {
    case write(Change, Persistence)
    case batch([Change], Persistence)
    case createTable(String, Persistence)
    case dropTable(String, Persistence)
    /// Gives the table a schema, creating it if need be.
    case setSchema(String, String, Persistence)
    case savepoint(String, Persistence)
    case release(String, Persistence)
    /// Says what the table keeps, creating it if need be.
    case retain(String, Retention, Persistence)
    /// Says how long what is written to the table lives, in milliseconds, creating it if need be.
    case live(String, Int64?, Persistence)
    /// Time passes, in milliseconds, after all is sealed: nobody is at work meanwhile.
    case tick(Int64)
    case flush
    case seal
    /// Within this much disk beyond what is taken, where it is given; stopped after so many reports of progress, where that is given.
    case compact(ceiling: UInt64? = nil, stopAfter: Int? = nil)
    /// Closes and opens again. Transactions that are open never happened.
    case reopen

    // Transactions go by names of the workload's own; several may be open. What names one that is not open does nothing.
    case begin(String)
    case change(String, Change)
    case commit(String, Persistence)
    case rollback(String)
    /// The engine has ended it, because the log grew too much.
    case expired(String)

    /// Adds one to a counter.
    case count(Key, Persistence)
}
