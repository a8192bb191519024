//===--- FuzzDatabase.swift - a whole database, opened ---------------------===//
//
// The readers above the decoders (scanner, recovery, manifest, replay) see bytes with good checksums that no writer would have
// written, and sound logs with accidents. The files are made from the input, see Script.swift, on a disk in memory.
//
//   * opening for reading gives an error of those that say something about the files, or a database; nothing is changed.
//   * opening for writing comes to the same verdict. Having recovered, it delivers the same operations.
//   * so does a second opening, after a close or without; what was written in between stands behind them; and all of it verifies.
//   * a refused opening leaves every file as it was.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDB
import LogDBFormat
import LogDBSimulation

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzDatabase(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzDatabase(_ bytes: Span<UInt8>) {
    var input = FuzzInput(bytes)
    let alsoWrites = input.byte() & 3 == 0
    let script = Script(&input)
    let disk = SimulatedDisk()
    for (name, contents) in script.files { disk.write(name, contents) }
    let before = disk.fingerprint

    let read = contents(of: disk, writing: false)
    require(disk.fingerprint == before, "reading changes nothing")
    guard alsoWrites else { return }
    let written = contents(of: disk, writing: true)
    guard case .success(let operations) = read else {
        guard case .failure(let failure) = read, case .failure(let other) = written else {
            return require(false, "refused for reading (\(read)), not for writing")
        }
        require(failure.code == other.code, "\(failure) for reading, \(other) for writing")
        for (name, contents) in script.files { require(disk.read(name) == contents, "a refused opening leaves \(name) as it was") }
        return
    }
    require(written.matches(operations), "recovery keeps what reading found: \(written), was \(operations.count) operations")
    require(disk.openHandles == [] && disk.heldLocks == [], "nothing is left open: \(disk.openHandles) \(disk.heldLocks)")
    guard case .success(let more) = contents(of: disk, writing: false) else { return require(false, "not to be read after a write") }
    require(more.starts(with: operations), "what was there before the write is there after it: \(more) starts with \(operations)")
    // A key that is none, in a frame with a good checksum: who wrote that has said so to himself. It is met where it is delivered.
    guard !operations.isDamaged, !script.hasBadKeys else { return }
    require(more.count == operations.count + 1 && !more.isDamaged, "one more operation is there, not \(more.count - operations.count)")
    let report = Result { try Database.verify(disk.directory(), path: "simulated") }
    if case .success(let report) = report { require(report.isSound, "a recovered database is sound: \(report.damages)") }
}

/// What a database delivered: its operations, and whether it stopped at damage.
private struct Contents: Equatable {
    var digests: [UInt32] = []
    var isDamaged = false

    var count: Int { digests.count }
    func starts(with other: Contents) -> Bool { digests.starts(with: other.digests) }
}

extension Result<Contents, LogDBError> {
    fileprivate func matches(_ contents: Contents) -> Bool {
        if case .success(let mine) = self { mine == contents } else { false }
    }
}

/// Opens the database on `disk`, reads all of it and, where it is for writing, writes an operation. The simulated writer dies without closing
/// where the file names say so; recovery must not need the close.
private func contents(of disk: SimulatedDisk, writing: Bool) -> Result<Contents, LogDBError> {
    var options = Options()
    options.access = writing ? .readWrite : .readOnly
    options.createIfMissing = false
    options.segmentSizeBytes = 64 << 10
    options.persistence = .process
    do throws(LogDBError) {
        let db = try Database.open(disk.directory(), path: "simulated", options: options)
        let contents = try replay(db)
        if writing {
            do throws(LogDBError) { try db.upsert("after", 1, json: "{}") } catch {
                // Numbers at their end, or a segment that was damaged under the sealer.
                require(contents.isDamaged || error.code == .poisoned, "a write after recovery: \(error)")
            }
            do throws(LogDBError) { try db.close() } catch { require(contents.isDamaged, "a close after recovery: \(error)") }
        }
        return .success(contents)
    } catch {
        let expected: [LogDBError.Code] = [.corrupted, .unsupportedFormat, .codecUnavailable, .notFound, .notADatabase]
        require(expected.contains(error.code), "opening fails with \(error)")
        return .failure(error)
    }
}

private func replay(_ db: Database) throws(LogDBError) -> Contents {
    var contents = Contents()
    var last: UInt64 = 0
    do {
        try db.replay { operation in
            require(operation.sequenceNumber > last, "numbers rise: \(operation.sequenceNumber) after \(last)")
            last = operation.sequenceNumber
            _ = try operation.key
            let seed = UInt32(truncatingIfNeeded: last) << 1 | (operation.isDelete ? 1 : 0)
            contents.digests.append(Checksum.crc32c(operation.document, seed: seed))
        }
    } catch {
        guard let failure = error as? LogDBError, failure.code == .corrupted else { fatalError("replay fails with \(error)") }
        contents.isDamaged = true
    }
    return contents
}
