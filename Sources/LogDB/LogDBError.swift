//===--- LogDBError.swift - the one error users see ------------------------===//
//
// One struct: a code to decide on, a sentence that says what was wrong and what to do, and file and offset where bytes were
// involved. As printed:
//
//      corrupted: frame checksum is 9f31c2aa, stored 9f31c2ab (000042.log at byte 4096). 'logdb verify' lists all damage, and
//      'logdb salvage' recovers what is readable into a new database.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

public struct LogDBError: Error, Sendable, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        // What is on the disk.
        /// Bytes that had been safely written no longer say what they said. Nothing was changed; `logdb verify` lists all that is damaged, and
        /// ``Database/salvage(at:into:options:progress:)`` recovers what is not.
        case corrupted
        /// Written by a newer version of LogDB. The data is fine: use that version.
        case unsupportedFormat
        /// A segment uses a codec this build does not know.
        case codecUnavailable
        /// There is no database at the path, and none was to be created.
        case notFound
        /// The path is something else: a file, or a folder of other things.
        case notADatabase
        /// What was to be made new is there already: the folder is not empty. Nothing was changed.
        case alreadyExists

        // The machine.
        /// Another opening, here or in another process, is writing.
        case locked
        case permissionDenied
        case readOnlyFileSystem
        /// No room. What was acknowledged is safe; deletes still work while a reserve lasts.
        case diskFull
        case tooManyOpenFiles
        /// The path is empty, too long, or leads through something that is no folder.
        case invalidPath
        case inputOutput
        /// The disk refused a sync. Whether the last writes are safe is unknown; close and reopen, which decides.
        case syncFailed

        // The state of the handle.
        /// An earlier failure, named in the message, made further writes unsafe. Reads still work; close and reopen to write.
        case poisoned
        /// The database was closed.
        case closed
        /// The database was opened for reading only.
        case readOnly

        // What was asked.
        case invalidOption
        case invalidDocument
        /// The document breaks a rule of its table's schema; the message names the value and the rule.
        case schemaViolation
        /// The text is no schema, or uses a keyword that is not supported; the message names the place.
        case invalidSchema
        /// Documents that are there break the schema that was to be set; the message names the first. Nothing was changed.
        case incompatibleSchema
        /// A transaction that was open when a change of schema began is open still. Nothing was changed: end it, and try again.
        case transactionOpen
        case documentTooLarge
        case keyTooLarge
        /// A key is not of the kind that the table's schema asks for, or that the ``Table`` was opened with.
        case keyMismatch
        case batchTooLarge
        case invalidTableName
        case tooManyTables
        case noSuchTable
        case noSuchSavepoint
        /// There is a savepoint of that name already. Nothing was changed.
        case savepointExists
        /// What was asked for is older than what retention has kept; the message says from when on history is complete.
        case historyIncomplete
        /// The transaction was committed or rolled back before.
        case transactionEnded
        /// The log grew by more than ``Options/maximumOpenTransactionBytes`` while the transaction was open; it was rolled back.
        case transactionTooLarge
        /// The value could not be encoded as a JSON object, or a document not decoded as the type asked for.
        case codingFailed
        /// Compaction would need more room than the disk or ``CompactionOptions/maximumExtraBytes`` has, even in its smallest steps. Nothing was changed.
        case insufficientSpace
        /// The call was cancelled, by its own progress closure or by the database being closed. What it had finished stays; nothing is lost.
        case cancelled
        /// LogDB found that it was about to do something wrong, and did not do it. Nothing was changed.
        case internalInconsistency
        /// A ``Counter`` would leave the range of a 64-bit integer.
        case counterOverflow
    }

    public var code: Code
    public var message: String
    /// Name of the file within the database's folder, where one is involved.
    public var file: String?
    /// Offset in ``file``, or in the document for `.invalidDocument`.
    public var offset: UInt64?

    public init(_ code: Code, _ message: String, file: String? = nil, offset: UInt64? = nil) {
        self.code = code
        self.message = message
        self.file = file
        self.offset = offset
    }
}

extension LogDBError.Code {
    /// Whether a call that failed for this reason changed nothing on the disk, so that it may be tried again later.
    var leavesDiskAsItWas: Bool { self == .diskFull || self == .tooManyOpenFiles }
}

extension LogDBError: CustomStringConvertible {
    public var description: String {
        var place = ""
        if let file {
            place = offset.map { " (\(file) at byte \($0))" } ?? " (\(file))"
        } else if let offset {
            place = " (at byte \(offset))"
        }
        return "\(code.rawValue): \(message)\(place)\(advice)"
    }

    private var advice: String {
        switch code {
        case .corrupted: ". 'logdb verify' lists all damage, and 'logdb salvage' recovers what is readable into a new database."
        case .unsupportedFormat: ". Use the newer LogDB that wrote it; nothing was changed."
        case .syncFailed: ". Close and reopen the database: recovery decides what was kept."
        default: ""
        }
    }
}

extension LogDBError {
    /// A decoder's complaint about bytes of `file` that begin at `base`.
    package init(_ error: FormatError, in file: String, at base: UInt64 = 0) {
        let code: Code =
            switch error.kind {
            case .corrupted: .corrupted
            case .unsupportedFormat: .unsupportedFormat
            case .codecUnavailable: .codecUnavailable
            }
        self.init(code, error.reason, file: file, offset: base + UInt64(error.offset))
    }

    /// The system's complaint. A file of ours that is missing is damage; the callers that may miss one say so themselves.
    package init(_ error: FileError) {
        // Whatever the reason: a failed sync leaves it unknown what the disk holds.
        let isSync = error.operation == .sync || error.operation == .syncDirectory
        let code: Code =
            switch error.code {
            case _ where isSync: .syncFailed
            case _ where error.operation == .startThread: .inputOutput
            case .diskFull: .diskFull
            case .permissionDenied: .permissionDenied
            case .readOnlyFileSystem: .readOnlyFileSystem
            case .tooManyOpenFiles: .tooManyOpenFiles
            case .notADirectory, .nameTooLong, .invalidName: .invalidPath
            case .locked: .locked
            default: .inputOutput
            }
        self.init(code, error.description)
    }
}
