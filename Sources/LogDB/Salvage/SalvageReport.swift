//===--- SalvageReport.swift - what salvaging found, and what is lost -------===//

/// Something that is wrong with a damaged database, and what that costs.
public struct SalvageFinding: Sendable, Equatable {
    public enum Severity: String, Sendable {
        /// Operations that had been written are not in the new database.
        case lost
        /// Whether operations are missing cannot be known.
        case uncertain
        /// There is damage, and it took no operation along.
        case harmless
    }

    public var severity: Severity
    /// The file it is about; where that is missing, the name it had. nil where no file can be named.
    public var file: String?
    /// The bytes of ``file`` that could not be used.
    public var bytes: Range<UInt64>?
    /// The operations that are, or may be, missing: all of them have numbers from this one …
    public var firstSequenceNumber: SequenceNumber?
    /// … to this one. nil where there is no telling how far it goes.
    public var lastSequenceNumber: SequenceNumber?
    /// How many operations are missing, where that is known.
    public var operations: UInt64?
    /// The tables that they are of; empty where that is not known.
    public var tables: [String] = []
    /// What is wrong, as a sentence.
    public var reason: String
    /// Ids of ``tables``, until their names are known.
    var tableIDs: Set<UInt64> = []

    init(
        _ severity: Severity, file: String?, bytes: Range<UInt64>? = nil, from first: SequenceNumber? = nil,
        through last: SequenceNumber? = nil, operations: UInt64? = nil, tables: Set<UInt64> = [], _ reason: String
    ) {
        self.severity = severity
        self.file = file
        self.bytes = bytes
        firstSequenceNumber = first
        lastSequenceNumber = last
        self.operations = operations
        tableIDs = tables
        self.reason = reason
    }
}

extension SalvageFinding: CustomStringConvertible {
    /// The finding as one line, as `logdb salvage` prints it.
    public var description: String {
        var parts: [String] = []
        if let file {
            parts.append(bytes.map { "\(file), bytes \($0.lowerBound) to \($0.upperBound)" } ?? file)
        }
        if let firstSequenceNumber {
            let last = lastSequenceNumber.map { "to \($0)" } ?? "on"
            parts.append(
                firstSequenceNumber == lastSequenceNumber
                    ? "operation \(firstSequenceNumber)" : "operations from \(firstSequenceNumber) \(last)")
        }
        if let operations { parts.append("\(operations) of them") }
        if !tables.isEmpty { parts.append("of \(tables.map { "\"\($0)\"" }.joined(separator: ", "))") }
        return "\(severity.rawValue): \(reason)\(parts.isEmpty ? "" : " (\(parts.joined(separator: "; ")))")"
    }
}

/// What ``Database/salvage(at:into:options:progress:)`` did.
public struct SalvageReport: Sendable {
    public struct Table: Sendable, Equatable {
        public var name: String
        /// Operations that were recovered.
        public var upserts: UInt64 = 0
        public var deletes: UInt64 = 0
        /// Whether the table's own name was lost, and it was given this one.
        public var isNamedBySalvage = false
    }

    /// All that was wrong, in the order of the log; at most 10,000.
    public var findings: [SalvageFinding] = []
    /// Findings beyond these, which are not listed.
    public var unlistedFindings = 0
    /// What is no damage: files that are none of this database, leftovers, a torn tail.
    public var remarks: [String] = []
    /// Tables of the new database, by name.
    public var tables: [Table] = []
    /// Files of the old database that were read, and their bytes.
    public var files = 0
    public var bytes: UInt64 = 0
    /// Operations that were recovered.
    public var operations: UInt64 { tables.reduce(0) { $0 + $1.upserts + $1.deletes } }

    public init() {}

    /// Whether everything is there, as far as can be known: nothing is lost, and nothing is uncertain.
    public var isComplete: Bool { unlistedFindings == 0 && findings.allSatisfy { $0.severity == .harmless } }
}

/// How far a salvage has come.
public struct SalvageProgress: Sendable, Equatable {
    /// Bytes of the old database that were read, of those that will be. Each byte is read twice: once to see what holds, once to copy it.
    public var bytesDone: UInt64
    public var bytesPlanned: UInt64
    /// Operations written to the new database.
    public var operations: UInt64
}
