//===--- Loader.swift - lines in, acknowledgements out ---------------------===//
//
//      LineReader ──line──▶ LineParser ──InputLine──▶ PendingBatch ──commit──▶ Database ──numbers──▶ standard output
//
//   * an operation counts as kept, and is acknowledged, when the call that wrote it has returned, never before.
//   * what stands before a bad line is committed before the bad line is reported.
//   * a batch that the engine refuses because of one of its operations is written one by one, up to that operation.
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

    private var parser: LineParser
    private var pending = PendingBatch()
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
            switch try reader.next(patience: pending.isEmpty ? nil : patience) {
            case .line: try take(reader.line, number: reader.lineNumber)
            case .tooLong:
                try commit()
                try refuse(at: "line \(reader.lineNumber)", "longer than \(reader.maximumLineBytes.grouped) bytes")
            case .idle: try commit()
            case .end:
                try commit()
                return
            case .interrupted: try stop()
            }
            if Interruption.signal != nil { try stop() }
            bytesRead = before + reader.bytesRead
        }
    }

    /// Shows on a terminal what was done.
    func finish() {
        let (kept, bytes) = (keptSoFar, bytesRead)
        progress.finish { "\(counted(kept, "operation")) loaded, \(bytes.asBytes) read in \($0.rounded(to: 1)) s" }
    }

    // MARK: - One line

    @inline(__always)
    private mutating func take(_ line: Span<UInt8>, number: Int) throws {
        let guess = parser.guess(line)
        let input: InputLine
        if let guess {
            input = guess
        } else {
            guard let parsed = try read(line, number: number) else { return }
            input = parsed
        }
        if !pending.hasRoom(for: line.count) { try commit() }
        pending.append(input, line: line, lineNumber: number, isGuess: guess != nil)
        if pending.count >= settings.batchSize { try commit() }
    }

    /// Parses an unusual line; nil if it is blank or was passed over.
    private mutating func read(_ line: Span<UInt8>, number: Int) throws -> InputLine? {
        if isBlank(line) { return nil }
        do throws(LineError) {
            return try parser.parse(line)
        } catch {
            try commit()
            try refuse(at: "line \(number), column \(error.column(in: line))", error.reason)
            return nil
        }
    }

    private func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] != 0x20 && line[index] != 0x09 && line[index] != 0x0D { return false }
        return true
    }

    /// Ends the load because of bad input, or notes it and goes on.
    private mutating func refuse(at position: String, _ reason: String) throws {
        guard settings.skipInvalid else {
            throw CommandFailure("\(place)\(position): \(reason). \(keptSentence)")
        }
        if skipped.count == 0 { skipped.first = "\(place)\(position): \(reason)" }
        skipped.count += 1
    }

    private mutating func stop() throws {
        try commit()
        guard let signal = Interruption.signal else { return }
        throw Interruption.failure(signal, "\(counted(keptSoFar, "operation")) \(keptSoFar == 1 ? "was" : "were") kept.")
    }

    // MARK: - Committing

    private mutating func commit() throws {
        guard !pending.isEmpty else { return }
        let numbers: ClosedRange<SequenceNumber>
        do throws(LogDBError) {
            numbers = try pending.writeAll(to: database, settings.persistence)
        } catch {
            guard error.code.isAboutOneOperation else { throw interrupted(by: error) }
            return try commitOneByOne()
        }
        pending.removeAll()
        try acknowledge(numbers)
        let (kept, bytes) = (keptSoFar, bytesRead)
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
                } catch {
                    guard error.code.isAboutOneOperation else { throw error }
                    refusals.append(explain(error, entry))
                    if !settings.skipInvalid { break }
                }
            }
            if settings.persistence == .disk, !numbers.isEmpty { try database.flush(to: .disk) }
        } catch {
            throw interrupted(by: error)
        }
        pending.removeAll()
        for number in numbers { try acknowledge(number...number) }
        for refusal in refusals { try refuse(at: refusal.position, refusal.reason) }
    }

    private func writeAlone(_ entry: PendingBatch.Entry) throws(LogDBError) -> SequenceNumber {
        // The sync that `.disk` asks for comes once, behind the last one.
        let level = settings.persistence == .disk ? .process : settings.persistence
        do throws(LogDBError) {
            return try pending.write(entry.input, of: entry, to: database, level)
        } catch {
            var parser = parser
            guard error.code == .invalidDocument, entry.isGuess, let input = try? parser.parse(pending.line(of: entry)) else { throw error }
            return try pending.write(input, of: entry, to: database, level)
        }
    }

    /// Where and why an entry's line cannot be written.
    private func explain(_ error: LogDBError, _ entry: PendingBatch.Entry) -> (position: String, reason: String) {
        let line = pending.line(of: entry)
        var parser = parser
        do throws(LineError) {
            let input = try parser.parse(line)
            guard error.code == .invalidDocument, case .upsert(_, _, let document) = input else {
                return ("line \(entry.lineNumber)", error.description)
            }
            let place = LineError("", at: document.lowerBound + Int(clamping: error.offset ?? 0))
            return ("line \(entry.lineNumber), column \(place.column(in: line))", error.message)
        } catch {
            return ("line \(entry.lineNumber), column \(error.column(in: line))", error.reason)
        }
    }

    private mutating func acknowledge(_ numbers: ClosedRange<SequenceNumber>) throws {
        keptSoFar += UInt64(numbers.count)
        guard settings.acknowledge else { return }
        for number in numbers {
            output.bytes.append(decimal: number)
            output.bytes.append(UInt8(ascii: "\n"))
        }
        try output.flush()
    }

    private func interrupted(by error: LogDBError) -> CommandFailure {
        CommandFailure("\(error.description). \(keptSentence)")
    }

    private var keptSentence: String { "\(counted(keptSoFar, "operation")) before it \(keptSoFar == 1 ? "was" : "were") kept." }
}

extension LogDBError.Code {
    /// Whether the engine refused one operation for what it is, and would take others.
    fileprivate var isAboutOneOperation: Bool {
        switch self {
        case .invalidDocument, .documentTooLarge, .keyTooLarge, .invalidTableName, .tooManyTables, .batchTooLarge: true
        default: false
        }
    }
}
