//===--- PendingBatch.swift - lines that wait for their commit -------------===//
//
// Keeps the lines themselves, one behind the other, and what they ask for. So when the engine refuses a batch because of one
// operation, the lines can still be gone through one by one to find which, and its column.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

struct PendingBatch: ~Copyable {
    struct Entry {
        var input: InputLine
        /// Where it came from, for messages.
        var lineNumber: Int
        /// The line, in `text`.
        var line: Range<Int>
        /// Whether the line was guessed, so that the engine's refusal must be looked into.
        var isGuess: Bool
    }

    /// A batch is committed early once its lines have this many bytes, so that memory stays bounded.
    static let maximumBytes = 16 << 20

    private(set) var entries: [Entry] = []
    /// When all of them were made, where that is not now.
    private(set) var milliseconds: Int64?
    private var text = ByteBuffer(capacity: 1 << 20)

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    /// Whether a line of `byteCount` bytes still fits beside what is there.
    func hasRoom(for byteCount: Int) -> Bool { isEmpty || text.count + byteCount <= Self.maximumBytes }

    mutating func append(_ input: InputLine, line: Span<UInt8>, lineNumber: Int, isGuess: Bool, milliseconds: Int64? = nil) {
        precondition(isEmpty || self.milliseconds == milliseconds, "one batch has one time")
        self.milliseconds = milliseconds
        let start = text.count
        text.append(line)
        entries.append(Entry(input: input, lineNumber: lineNumber, line: start..<text.count, isGuess: isGuess))
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        text.removeAll()
        text.shrink(to: 2 * Self.maximumBytes)
    }

    /// The bytes of an entry's line.
    @_lifetime(borrow self)
    func line(of entry: Entry) -> Span<UInt8> { text.span.extracting(entry.line) }

    /// Writes `input`, whose offsets count in `entry`'s line, alone.
    func write(_ input: InputLine, of entry: Entry, to database: Database, _ persistence: Persistence) throws(LogDBError) -> SequenceNumber
    {
        if milliseconds != nil {
            var batch = Batch()
            try add(input, of: entry, to: &batch)
            guard let numbers = try database.write(batch, persistence: persistence) else { preconditionFailure("an empty batch") }
            return numbers.lowerBound
        }
        return switch input {
        case .upsert(let table, let key, let document, let timeToLive):
            try database.upsert(
                table, key, json: line(of: entry).extracting(document), timeToLive: timeToLive, persistence: persistence)
        case .delete(let table, let key):
            try database.delete(table, key, persistence: persistence)
        }
    }

    /// Writes all entries, atomically if there are several. Not for an empty batch.
    func writeAll(to database: Database, _ persistence: Persistence) throws(LogDBError) -> ClosedRange<SequenceNumber> {
        if entries.count == 1 {
            let number = try write(entries[0].input, of: entries[0], to: database, persistence)
            return number...number
        }
        var batch = Batch()
        for entry in entries { try add(entry.input, of: entry, to: &batch) }
        guard let numbers = try database.write(batch, persistence: persistence) else { preconditionFailure("an empty batch") }
        return numbers
    }

    private func add(_ input: InputLine, of entry: Entry, to batch: inout Batch) throws(LogDBError) {
        batch.milliseconds = milliseconds
        switch input {
        case .upsert(let table, let key, let document, let timeToLive):
            try batch.upsert(table, key, json: line(of: entry).extracting(document), timeToLive: timeToLive)
        case .delete(let table, let key):
            try batch.delete(table, key)
        }
    }
}
