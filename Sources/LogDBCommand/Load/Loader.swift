//===--- Loader.swift - lines in, acknowledgements out ---------------------===//
//
//      LineReader ──line──▶ LineParser ──InputLine──▶ PendingBatch ──commit──▶ Database ──numbers──▶ standard output
//                                      └─────────────▶ NamedTransactions ───────┘
//
//   * an operation counts as kept, and is acknowledged, when the call that wrote it has returned, never before.
//   * what stands before a bad line is committed before the bad line is reported.
//   * a batch that the engine refuses because of one of its operations is written one by one, up to that operation.
//   * an operation of a transaction goes to the engine at once, since its place in the order is the line's; the pending lines before it
//     go first. Where nobody waits for acknowledgements they go at `.process`, and one sync settles what is owed for many.
//   * operations that were made at a time are committed with those of the same time in a row.
//   * a whole history goes another way, by a HistoryWriter, and its lines are not passed over.
//   * a signal, a bad line, a full disk and a reader that went away all end in the same place: `keptSoFar` is the truth.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

struct Loader: ~Copyable {
    struct Settings {
        var form = LineForm.operations
        var persistence = Persistence.disk
        var batchSize = 1000
        var acknowledge = false
        var skipInvalid = false
        var maximumDocumentBytes = Options().maximumDocumentBytes
    }

    /// How long input may pause before what is there is committed. Who waits for acknowledgements is not left waiting.
    private static let patienceMilliseconds: Int32 = 100
    /// A line is a document and a little around it.
    private static let lineOverheadBytes = 1 << 20

    let database: Database
    let settings: Settings
    private(set) var keptSoFar: UInt64 = 0
    /// Lines that were passed over, and what was wrong with the first one.
    private(set) var skipped: (count: UInt64, first: String) = (0, "")
    /// Transactions that were rolled back because a line of theirs was passed over.
    private(set) var rolledBack: UInt64 = 0

    private var parser: LineParser
    private var pending = PendingBatch()
    private var transactions = NamedTransactions()
    /// Once the input has said that it is a history.
    private var history: HistoryWriter?
    /// Its operations that are acknowledged or counted.
    private var historyKept: UInt64 = 0
    /// Operations that were written and not synced yet, while nobody waits for each.
    private var owed: UInt64 = 0
    /// Whether a schema or a time to live was set and not synced yet. It has no number, and is not counted.
    private var owesSchema = false
    private var output = OutputBuffer()
    private var progress: ProgressLine
    /// Name of the file being read, for messages; empty for standard input.
    private var place = ""
    private var bytesRead: UInt64 = 0

    init(into database: Database, _ settings: Settings) {
        self.database = database
        self.settings = settings
        parser = LineParser(settings.form)
        progress = ProgressLine(quiet: settings.acknowledge && Descriptors.isTerminal(1), updatesPerLook: 1)
    }

    /// Loads the file at `path`, or standard input for nil and "-".
    mutating func load(_ path: String?) throws {
        var reader = try LineReader(path: path, maximumLineBytes: settings.maximumDocumentBytes + Self.lineOverheadBytes)
        place = path == nil || path == "-" ? "" : "\(reader.name) "
        let before = bytesRead
        let patience: Int32 = settings.acknowledge ? 0 : Self.patienceMilliseconds
        while true {
            let owesNothing = pending.isEmpty && owed == 0 && !owesSchema && history.map { $0.count == historyKept } ?? true
            switch try reader.next(patience: owesNothing ? nil : patience) {
            case .line: try take(reader.line, number: reader.lineNumber)
            case .tooLong:
                try settle()
                try refuse(at: "line \(reader.lineNumber)", "longer than \(reader.maximumLineBytes.grouped) bytes", from: .unknown)
            case .idle: try settle()
            case .end:
                try settle()
                return
            case .interrupted: try stop()
            }
            if Interruption.signal != nil { try stop() }
            bytesRead = before + reader.bytesRead
        }
    }

    /// Ends the load. A transaction that is still open is half a transaction: it is rolled back, and that is an error.
    mutating func finish() throws {
        if let history, !history.hasEnded {
            try settle()
            throw CommandFailure(
                "the history is cut short: its last line, {\"history\":\"end\"…, is missing. \(keptSentence) Of what was before only savepoints can be asked for: load it again, into a new database"
            )
        }
        if let abandoned = transactions.abandon() {
            let message = "the input ended before a commit or rollback: \(abandoned)"
            guard settings.skipInvalid else { throw CommandFailure("\(message). \(keptSentence)") }
            StandardError.report(message)
        }
        let (kept, bytes) = (keptSoFar, bytesRead)
        progress.finish { "\(counted(kept, "operation")) loaded, \(bytes.asBytes) read in \($0.rounded(to: 1)) s" }
    }

    /// Whether a history was loaded. It is not compacted at once: what it has would be measured by the time of now.
    var hasLoadedHistory: Bool { history != nil }

    // MARK: - One line

    @inline(__always)
    private mutating func take(_ line: Span<UInt8>, number: Int) throws {
        if history != nil { return try takeHistory(line, number: number) }
        if transactions.isEmpty, pending.milliseconds == nil || pending.isEmpty, let guess = parser.guess(line) {
            return try add(guess, line, number: number, isGuess: true)
        }
        guard let step = try read(line, number: number) else { return }
        if transactions.isEmpty, case .operation(let input, nil) = step { return try add(input, line, number: number, isGuess: false) }
        do {
            try take(step, line, number: number)
        } catch let error as LineError {
            try settle()
            // A second `begin` would make one transaction of two.
            if case .begin(let name) = step {
                try refuse(at: "line \(number)", error.reason, from: .transaction(name))
            } else {
                try refuse(at: "line \(number)", error.reason, from: .nobody)
            }
        }
    }

    /// Adds an operation on its own to those that wait for their commit.
    @inline(__always)
    private mutating func add(
        _ input: InputLine, _ line: Span<UInt8>, number: Int, isGuess: Bool, milliseconds: Int64? = nil
    ) throws {
        if !pending.hasRoom(for: line.count) { try commit() }
        if !pending.isEmpty, pending.milliseconds != milliseconds { try commit(atLevel: deferredLevel) }
        pending.append(input, line: line, lineNumber: number, isGuess: isGuess, milliseconds: milliseconds)
        if pending.count >= settings.batchSize { try commit() }
    }

    /// Does what a line asks for where transactions are concerned. Throws `LineError` if it cannot be done.
    private mutating func take(_ step: InputStep, _ line: Span<UInt8>, number: Int) throws {
        switch step {
        case .operation(let input, let name):
            guard let transaction = try transactions.forOperation(name) else {
                return try add(input, line, number: number, isGuess: false)
            }
            try commit(atLevel: deferredLevel)
            try write(input, line, number: number, in: transaction)
        case .begin(let name):
            let transaction: Transaction
            do throws(LogDBError) { transaction = try database.begin() } catch { throw interrupted(by: error) }
            try transactions.begin(name, transaction)
        case .commit(let name):
            try commit(atLevel: deferredLevel)
            try commit(try transactions.end(name))
        case .rollback(let name): try transactions.end(name).transaction.rollback()
        case .schema(let schema): try set(schema, line, number: number)
        case .timed(let input, let milliseconds):
            if transactions.isEmpty { return try add(input, line, number: number, isGuess: false, milliseconds: milliseconds) }
            throw LineError("a line with \"time\" stands outside of transactions: commit or roll back first", at: 0)
        case .retention(let table, let range): try set(range, of: table, line, number: number)
        case .history(.begin): try beginHistory()
        case .history: throw LineError("the line belongs to a history, whose first line is {\"history\":1}", at: 0)
        case .timeToLive(let time, let table): try set(time, of: table, number: number)
        }
    }

    /// Sets what a table keeps.
    private mutating func set(_ retention: Range<Int>, of table: String, _ line: Span<UInt8>, number: Int) throws {
        guard transactions.isEmpty else {
            throw LineError("a retention is set outside of transactions: commit or roll back first", at: 0)
        }
        try commit(atLevel: deferredLevel)
        do throws(LogDBError) {
            try database.setRetention(try Retention(json: line.extracting(retention)), of: table, persistence: deferredLevel)
            owesSchema = owesSync
        } catch {
            guard error.code.isAboutOneOperation || error.code == .invalidOption else { throw interrupted(by: error) }
            try settle()
            let column = LineError(error.description, at: retention.lowerBound).column(in: line)
            try refuse(at: "line \(number), column \(column)", error.message, from: .nobody)
        }
    }

    // MARK: - A history

    private mutating func beginHistory() throws {
        guard transactions.isEmpty else { throw LineError("a history begins outside of transactions", at: 0) }
        guard !settings.skipInvalid else { throw CommandFailure("a history is loaded as a whole, or not at all: leave out --skip-invalid") }
        try settle()
        do throws(LogDBError) { history = try HistoryWriter(database) } catch { throw interrupted(by: error) }
    }

    private mutating func takeHistory(_ line: Span<UInt8>, number: Int) throws {
        guard let history, let step = try read(line, number: number) else { return }
        do throws(LogDBError) {
            if history.hasEnded { throw LogDBError(.invalidOption, "the history has ended: nothing can follow it") }
            switch step {
            case .timed(.upsert(let table, let key, let document, let timeToLive), let milliseconds):
                let expires: Int64? = if case .until(let time) = timeToLive { time } else { nil }
                try history.upsert(table, key, json: line.extracting(document), expires: expires, milliseconds: milliseconds)
            case .timed(.delete(let table, let key), let milliseconds): try history.delete(table, key, milliseconds: milliseconds)
            case .history(.definition(let table, let id, let document, let milliseconds)):
                // The catalog's own form of it has no line ends.
                try history.define(table, id: id, line.extracting(document), milliseconds: milliseconds)
            case .history(.drop(let table, let milliseconds)): try history.drop(table, milliseconds: milliseconds)
            case .history(.savepoint(let name, let isReleased, let milliseconds)):
                try history.savepoint(name, isReleased: isReleased, milliseconds: milliseconds)
            case .history(.nothing(let milliseconds)): try history.skip(milliseconds: milliseconds)
            case .history(.end(let end)):
                try history.end(end)
                try settleHistory()
            default: throw LogDBError(.invalidOption, "the line has no place in a history: each operation of one has a \"time\"")
            }
        } catch {
            guard error.code.isAboutOneOperation || Self.areAboutHistory.contains(error.code) else { throw interrupted(by: error) }
            try settle()
            try refuse(at: "line \(number)", error.message, from: .nobody)
        }
        if settings.acknowledge, history.count - historyKept >= UInt64(settings.batchSize) { try settle() }
        showProgress()
    }

    private static let areAboutHistory: Set<LogDBError.Code> = [.invalidOption, .noSuchTable, .savepointExists]

    /// Brings the history, as far as it was read, to the level asked for.
    private mutating func settleHistory() throws(LogDBError) {
        guard let history, history.count > historyKept else { return }
        try history.flush(to: settings.persistence)
        let numbers = historyKept + 1...history.count
        historyKept = history.count
        keptSoFar += UInt64(numbers.count)
        guard settings.acknowledge else { return }
        do {
            try print(numbers)
            try output.flush()
        } catch { throw LogDBError(.inputOutput, "\(error)") }
    }

    /// Sets a table's schema. What stands before it was written by the rules that were there before.
    private mutating func set(_ input: SchemaLine, _ line: Span<UInt8>, number: Int) throws {
        guard transactions.isEmpty else { throw LineError("a schema is set outside of transactions: commit or roll back first", at: 0) }
        try commit(atLevel: deferredLevel)
        let place = input.documents?.lowerBound ?? 0
        do throws(LogDBError) {
            let schema = try input.documents.map { range throws(LogDBError) in
                let text = [UInt8](line.extracting(range))
                return try Schema(json: text, assertsFormats: input.formats)
            }
            try database.setSchema(input.table, keys: input.keys, documents: schema, persistence: deferredLevel)
            owesSchema = owesSync
        } catch {
            guard error.code.isAboutOneOperation else { throw interrupted(by: error) }
            try settle()
            let column = LineError(error.description, at: place).column(in: line)
            try refuse(at: "line \(number), column \(column)", error.description, from: .nobody)
        }
    }

    /// Sets a table's time to live: what stands before it has the one that was there before.
    private mutating func set(_ timeToLive: Duration?, of table: String, number: Int) throws {
        guard transactions.isEmpty else {
            throw LineError("a time to live is set outside of transactions: commit or roll back first", at: 0)
        }
        try commit(atLevel: deferredLevel)
        do throws(LogDBError) {
            try database.setTimeToLive(timeToLive, of: table, persistence: deferredLevel)
            owesSchema = owesSync
        } catch {
            guard error.code.isAboutOneOperation || error.code == .invalidOption else { throw interrupted(by: error) }
            try settle()
            try refuse(at: "line \(number)", error.description, from: .nobody)
        }
    }

    private mutating func write(_ input: InputLine, _ line: Span<UInt8>, number: Int, in open: NamedTransaction) throws {
        do throws(LogDBError) {
            let sequence =
                switch input {
                case .upsert(let table, let key, let document, let timeToLive):
                    try open.transaction.upsert(table, key, json: line.extracting(document), timeToLive: timeToLive)
                case .delete(let table, let key): try open.transaction.delete(table, key)
                }
            open.numbers.append(sequence)
        } catch {
            guard error.code.isAboutOneOperation else { throw interrupted(by: error) }
            let refusal = explain(error, line, number: number)
            try settle()
            try refuse(at: refusal.position, refusal.reason, from: .transaction(open.name))
        }
    }

    private mutating func commit(_ open: NamedTransaction) throws {
        if open.isDoomed {
            open.transaction.rollback()
            rolledBack += 1
            return
        }
        do throws(LogDBError) { try open.transaction.commit(persistence: deferredLevel) } catch { throw interrupted(by: error) }
        if owesSync {
            owed += open.numbers.count
            if owed >= UInt64(settings.batchSize) { try settle() }
        } else {
            keptSoFar += open.numbers.count
            if settings.acknowledge { try open.numbers.forEach { try print($0) } }
            try output.flush()
        }
        showProgress()
    }

    /// Parses an unusual line; nil if it is blank or was passed over.
    private mutating func read(_ line: Span<UInt8>, number: Int) throws -> InputStep? {
        if isBlank(line) { return nil }
        do throws(LineError) {
            return try parser.parse(line)
        } catch {
            try settle()
            try refuse(at: "line \(number), column \(error.column(in: line))", error.reason, from: .unknown)
            return nil
        }
    }

    private func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] != 0x20 && line[index] != 0x09 && line[index] != 0x0D { return false }
        return true
    }

    /// Ends the load because of bad input, or notes it and goes on. A transaction that loses a line with it is lost as a whole.
    private mutating func refuse(at position: String, _ reason: String, from owner: LineOwner) throws {
        transactions.doom(owner)
        guard settings.skipInvalid else {
            throw CommandFailure("\(place)\(position): \(reason). \(keptSentence)\(abandonedSentence())")
        }
        if skipped.count == 0 { skipped.first = "\(place)\(position): \(reason)" }
        skipped.count += 1
    }

    private mutating func stop() throws {
        try settle()
        guard let signal = Interruption.signal else { return }
        throw Interruption.failure(
            signal, "\(counted(keptSoFar, "operation")) \(keptSoFar == 1 ? "was" : "were") kept.\(abandonedSentence())")
    }

    // MARK: - Committing

    /// Whether operations are written at a lower level first, and synced many at a time.
    private var owesSync: Bool { settings.persistence == .disk && !settings.acknowledge }
    private var deferredLevel: Persistence { owesSync ? .process : settings.persistence }

    /// Brings everything that was read, but for open transactions, to the level asked for.
    private mutating func settle() throws {
        if history != nil { do throws(LogDBError) { try settleHistory() } catch { throw interrupted(by: error) } }
        try commit()
        guard owed > 0 || owesSchema else { return }
        do throws(LogDBError) { try database.flush(to: .disk) } catch { throw interrupted(by: error) }
        keptSoFar += owed
        owed = 0
        owesSchema = false
    }

    private mutating func commit() throws { try commit(atLevel: settings.persistence) }

    private mutating func commit(atLevel level: Persistence) throws {
        guard !pending.isEmpty else { return }
        let numbers: ClosedRange<SequenceNumber>
        do throws(LogDBError) {
            numbers = try pending.writeAll(to: database, level)
        } catch {
            guard error.code.isAboutOneOperation else { throw interrupted(by: error) }
            return try commitOneByOne()
        }
        pending.removeAll()
        if level == settings.persistence {
            try acknowledge(numbers)
        } else {
            owed += UInt64(numbers.count)
        }
        showProgress()
    }

    private mutating func showProgress() {
        let (kept, bytes) = (history?.count ?? (keptSoFar + owed), bytesRead)
        progress.update { "\(kept.grouped) operations, \(bytes.asBytes), \(Int(Double(kept) / $0).grouped) a second" }
    }

    /// Writes what is pending operation by operation, up to the bad one, or all but the bad ones. One sync for all of them.
    private mutating func commitOneByOne() throws {
        var numbers: [SequenceNumber] = []
        var refusals: [(position: String, reason: String)] = []
        do throws(LogDBError) {
            for entry in pending.entries {
                do throws(LogDBError) {
                    numbers.append(try writeAlone(entry))
                    // Until the sync; `interrupted` counts what it still can.
                    if settings.persistence == .disk { owed += 1 }
                } catch {
                    guard error.code.isAboutOneOperation else { throw error }
                    refusals.append(explain(error, pending.line(of: entry), number: entry.lineNumber))
                    if !settings.skipInvalid { break }
                }
            }
            if settings.persistence == .disk, !numbers.isEmpty { try database.flush(to: .disk) }
        } catch {
            if settings.persistence != .disk { keptSoFar += UInt64(numbers.count) }
            throw interrupted(by: error)
        }
        if settings.persistence == .disk { owed -= UInt64(numbers.count) }
        pending.removeAll()
        try settle()
        for number in numbers { try acknowledge(number...number) }
        for refusal in refusals { try refuse(at: refusal.position, refusal.reason, from: .nobody) }
    }

    private func writeAlone(_ entry: PendingBatch.Entry) throws(LogDBError) -> SequenceNumber {
        // The sync that `.disk` asks for comes once, behind the last one.
        let level = settings.persistence == .disk ? .process : settings.persistence
        do throws(LogDBError) {
            return try pending.write(entry.input, of: entry, to: database, level)
        } catch {
            var parser = parser
            guard error.code == .invalidDocument, entry.isGuess,
                case .operation(let input, nil) = try? parser.parse(pending.line(of: entry))
            else { throw error }
            return try pending.write(input, of: entry, to: database, level)
        }
    }

    /// Where and why a line cannot be written.
    private func explain(_ error: LogDBError, _ line: Span<UInt8>, number: Int) -> (position: String, reason: String) {
        var parser = parser
        do throws(LineError) {
            let step = try parser.parse(line)
            guard error.code == .invalidDocument, case .operation(.upsert(_, _, let document, _), _) = step else {
                return ("line \(number)", error.description)
            }
            let place = LineError("", at: document.lowerBound + Int(clamping: error.offset ?? 0))
            return ("line \(number), column \(place.column(in: line))", error.message)
        } catch {
            return ("line \(number), column \(error.column(in: line))", error.reason)
        }
    }

    private mutating func acknowledge(_ numbers: ClosedRange<SequenceNumber>) throws {
        keptSoFar += UInt64(numbers.count)
        guard settings.acknowledge else { return }
        try print(numbers)
        try output.flush()
    }

    private mutating func print(_ numbers: ClosedRange<SequenceNumber>) throws {
        for number in numbers {
            output.bytes.append(decimal: number)
            output.bytes.append(UInt8(ascii: "\n"))
            try output.flushIfFull()
        }
    }

    private mutating func interrupted(by error: LogDBError) -> CommandFailure {
        // What was written before may still be synced: a full disk, say, is no obstacle to that.
        if owed > 0, (try? database.flush(to: .disk)) != nil {
            keptSoFar += owed
            owed = 0
        }
        return CommandFailure("\(error.description). \(keptSentence)\(abandonedSentence())")
    }

    private mutating func abandonedSentence() -> String {
        transactions.abandon().map { " \($0.prefix(1).uppercased())\($0.dropFirst())." } ?? ""
    }

    private var keptSentence: String { "\(counted(keptSoFar, "operation")) before it \(keptSoFar == 1 ? "was" : "were") kept." }
}

extension LogDBError.Code {
    /// Whether the engine refused one operation for what it is, and would take others.
    fileprivate var isAboutOneOperation: Bool {
        switch self {
        case .invalidDocument, .documentTooLarge, .keyTooLarge, .invalidTableName, .tooManyTables, .batchTooLarge, .schemaViolation,
            .keyMismatch, .invalidSchema, .incompatibleSchema:
            true
        default: false
        }
    }
}
