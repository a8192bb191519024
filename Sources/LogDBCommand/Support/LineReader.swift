//===--- LineReader.swift - lines of an input that may be anything ---------===//
//
//      file, pipe or terminal ──read(2), a megabyte at a time──▶ buffer ──memchr──▶ lines, as views into it
//
//   * a line may be as long as `maximumLineBytes`. A longer one is reported and passed over; it never takes more memory than that.
//   * the last line needs no newline. A carriage return before the newline belongs to neither.
//   * a regular file is just read. Anything else may keep us waiting: `next` says so (`.idle`) before it would wait longer than
//     asked, so that what came so far can be committed meanwhile.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct LineReader: ~Copyable {
    enum Step {
        /// `line` is the next one.
        case line
        /// The next line is longer than allowed; it will be passed over.
        case tooLong
        /// Nothing came for as long as asked.
        case idle
        case end
        /// A signal asks us to stop.
        case interrupted
    }

    let name: String
    let maximumLineBytes: Int
    /// Number of the current line, from 1.
    private(set) var lineNumber = 0
    /// Bytes read so far.
    private(set) var bytesRead: UInt64 = 0

    private static let chunk = 1 << 20
    /// As much as a pipe holds.
    private static let pipeChunk = 64 << 10

    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private let mayWait: Bool
    private var buffer = InputBuffer(capacity: 2 * chunk)
    /// Where the next line begins, and how far it was searched for its end.
    private var start = 0
    private var searched = 0
    private var current = 0..<0
    private var atEnd = false
    private var isPassingOver = false

    /// Reads the file at `path`, or standard input for nil and "-".
    init(path: String?, maximumLineBytes: Int) throws(CommandFailure) {
        if let path, path != "-" {
            descriptor = try Descriptors.openForReading(path)
            ownsDescriptor = true
            name = path
        } else {
            descriptor = 0
            ownsDescriptor = false
            name = "standard input"
        }
        self.maximumLineBytes = maximumLineBytes
        mayWait = !Descriptors.isRegularFile(descriptor)
    }

    deinit {
        if ownsDescriptor { Descriptors.closeDescriptor(descriptor) }
    }

    /// The current line, without its end.
    var line: Span<UInt8> {
        @_lifetime(borrow self)
        get { buffer.span.extracting(current) }
    }

    /// Moves to the next line.
    ///
    /// - Parameter patience: milliseconds to wait for input before `.idle`; nil waits for ever.
    mutating func next(patience: Int32?) throws(CommandFailure) -> Step {
        while true {
            if let end = buffer.span.firstIndex(of: UInt8(ascii: "\n"), from: searched) {
                let line = start..<end
                start = end + 1
                searched = start
                if isPassingOver {
                    isPassingOver = false
                    continue
                }
                return give(line)
            }
            searched = buffer.count
            if isPassingOver { start = buffer.count }
            if atEnd {
                guard start < buffer.count else { return .end }
                let line = start..<buffer.count
                start = buffer.count
                return give(line)
            }
            if buffer.count - start > maximumLineBytes {
                isPassingOver = true
                start = buffer.count
                lineNumber += 1
                return .tooLong
            }
            switch try fill(patience: patience) {
            case .ready: continue
            case .idle: return .idle
            case .interrupted: return .interrupted
            }
        }
    }

    private mutating func give(_ range: Range<Int>) -> Step {
        lineNumber += 1
        let hasReturn = !range.isEmpty && buffer.span[range.upperBound - 1] == UInt8(ascii: "\r")
        current = hasReturn ? range.lowerBound..<range.upperBound - 1 : range
        return current.count > maximumLineBytes ? .tooLong : .line
    }

    private mutating func fill(patience: Int32?) throws(CommandFailure) -> Descriptors.Readiness {
        if mayWait {
            let readiness = try Descriptors.wait(for: descriptor, milliseconds: patience)
            guard case .ready = readiness else { return readiness }
        } else if Interruption.signal != nil {
            return .interrupted
        }
        if start > 0 {
            // Only the beginning of one line is left: carry it to the front.
            buffer.removeFirst(start, keepingAtMost: 8 * Self.chunk)
            searched -= start
            start = 0
            current = 0..<0
        }
        let count = try buffer.read(from: descriptor, room: mayWait ? Self.pipeChunk : Self.chunk, name: name)
        bytesRead += UInt64(count)
        if count == 0 { atEnd = true }
        return .ready
    }
}

extension LineReader {
    /// Reads all of the file at `path`, or of standard input for nil and "-", at most `limit` bytes.
    static func readAll(path: String? = nil, limit: Int) throws(CommandFailure) -> [UInt8] {
        var (descriptor, name) = (Int32(0), "standard input")
        if let path, path != "-" {
            try Descriptors.checkReadable(path)
            (descriptor, name) = (try Descriptors.openForReading(path), path)
        }
        defer { if descriptor != 0 { Descriptors.closeDescriptor(descriptor) } }
        var buffer = InputBuffer(capacity: chunk)
        while try buffer.read(from: descriptor, room: pipeChunk, name: name) > 0 {
            guard buffer.count <= limit else { throw CommandFailure("\(name) is longer than \(limit.grouped) bytes") }
        }
        return Array(buffer.span)
    }
}
