//===--- FileErrorTests.swift - errors as people see them ------------------===//

import Foundation
import LogDBFile
import Testing

@Suite struct FileErrorTests {
    @Test func `an error says what happened, in which call, where`() {
        let full = FileError(errno: ENOSPC, operation: .write, name: "000042.log", offset: 4096)
        #expect("\(full)" == "No space left on device (pwrite 000042.log at byte 4096)")
        let locked = FileError(.locked(by: 4711), operation: .lock, name: "LOCK")
        #expect("\(locked)" == "Locked by process 4711 (flock LOCK)")
        #expect("\(FileError(.invalidName, operation: .openDirectory, name: ""))" == "Not a valid name (open directory \"\")")
        #expect("\(FileError(errno: ELOOP, operation: .open, name: "a"))" == "Too many levels of symbolic links (open a)")
    }

    @Test func `different numbers with one meaning have one code`() {
        for number in [ENOSPC, EDQUOT, EFBIG] { #expect(FileError(errno: number, operation: .write, name: "a").code == .diskFull) }
        for number in [EACCES, EPERM] { #expect(FileError(errno: number, operation: .open, name: "a").code == .permissionDenied) }
        for number in [EMFILE, ENFILE] { #expect(FileError(errno: number, operation: .open, name: "a").code == .tooManyOpenFiles) }
    }

    @Test func `an error made from a code is the one the system would have reported`() {
        let codes: [FileError.Code] = [
            .notFound, .alreadyExists, .permissionDenied, .diskFull, .readOnlyFileSystem, .notADirectory, .isADirectory, .tooManyOpenFiles,
            .nameTooLong, .inputOutput, .interrupted, .locked(by: nil), .closed, .deviceGone,
        ]
        for code in codes {
            let made = FileError(code, operation: .read, name: "a")
            #expect(made == FileError(errno: made.errno, operation: .read, name: "a"))
        }
    }
}
