//===--- NamedTransactions.swift - the transactions of one stream ----------===//
//
// Those that lines have begun and not ended yet, by name. One may have no name; while it is open, lines without "tx" belong to it.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

/// A transaction under way, and the numbers that its commit will acknowledge.
final class NamedTransaction {
    let name: String?
    let transaction: Transaction
    var numbers = SequenceRuns()
    /// A line of it was bad and passed over: without it the rest must not happen either.
    var isDoomed = false

    init(_ name: String?, _ transaction: Transaction) {
        self.name = name
        self.transaction = transaction
    }
}

/// Whose line a line was.
enum LineOwner {
    case nobody
    case transaction(String?)
    /// It could not be read.
    case unknown
}

struct NamedTransactions {
    private var open: [String?: NamedTransaction] = [:]

    var isEmpty: Bool { open.isEmpty }

    /// How a name is spoken of.
    static func described(_ name: String?) -> String { name.map { "transaction \($0.debugDescription)" } ?? "a transaction without a name" }

    mutating func begin(_ name: String?, _ transaction: Transaction) throws(LineError) {
        guard open[name] == nil else {
            throw LineError("\(Self.described(name)) is open already: commit it first, or use another \"tx\"", at: 0)
        }
        open[name] = NamedTransaction(name, transaction)
    }

    /// The transaction that an operation of the line belongs to; nil for an operation on its own.
    func forOperation(_ name: String?) throws(LineError) -> NamedTransaction? {
        if let found = open[name] { return found }
        guard let name else { return nil }
        throw LineError("\(Self.described(name)) is not open: begin it first", at: 0)
    }

    /// Takes out the transaction that a line ends.
    mutating func end(_ name: String?) throws(LineError) -> NamedTransaction {
        guard let found = open.removeValue(forKey: name) else {
            throw LineError(
                name == nil ? "no transaction without a name is open" : "\(Self.described(name)) is not open: begin it first", at: 0)
        }
        return found
    }

    /// A line was passed over that belonged to `owner`.
    func doom(_ owner: LineOwner) {
        switch owner {
        case .nobody: return
        case .transaction(let name): open[name]?.isDoomed = true
        case .unknown: for each in open.values { each.isDoomed = true }
        }
    }

    /// Rolls all of them back. Returns what is to be said about it; nil if none was open.
    mutating func abandon() -> String? {
        guard !open.isEmpty else { return nil }
        let names = open.keys.map { $0.map(\.debugDescription) ?? "the one without a name" }.sorted()
        let operations = open.values.reduce(0) { $0 + $1.numbers.count }
        for each in open.values { each.transaction.rollback() }
        open = [:]
        let shown = names.count > 3 ? names.prefix(3) + ["\(names.count - 3) more"] : names[...]
        return
            "\(counted(operations, "operation")) of \(counted(names.count, "open transaction")) (\(shown.joined(separator: ", "))) \(operations == 1 ? "was" : "were") rolled back"
    }
}
