//===--- Verify.swift - every byte, read and checked -----------------------===//
//
// Goes on where opening would stop: each file is looked at on its own, each block of it too, and all that is wrong is listed.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Database {
    /// Reads and checks every byte of the database at `path`, changing nothing.
    ///
    /// Works beside a writer, on the state at the moment.
    ///
    /// - Parameter progress: called now and then with the bytes read so far.
    /// - Throws: ``LogDBError`` if there is no database or it cannot be read at all (`.notFound`, `.permissionDenied` …). Damage is not
    ///   thrown; it is in the report.
    public static func verify(at path: String, progress: (UInt64) -> Void = { _ in }) throws(LogDBError) -> VerificationReport {
        let directory: POSIXDirectory
        do throws(FileError) { directory = try POSIXDirectory.open(path: path, create: false) } catch {
            if error.code == .notFound { throw LogDBError(.notFound, "there is no database at \(path)") }
            throw LogDBError(error)
        }
        return try verify(directory, path: path, progress: progress)
    }

    package static func verify(
        _ directory: any Directory, path: String, progress: (UInt64) -> Void = { _ in }
    ) throws(LogDBError) -> VerificationReport {
        // Nobody removes a segment while it is looked at.
        let pin = try pinAsReader(directory)
        defer { pin?.release() }
        var attempts = 0
        while true {
            let before = Inspection.fingerprint(directory)
            // Beside a writer a segment may be sealed between reading the manifest and opening it, and the manifest itself be replaced.
            do throws(LogDBError) {
                let report = try verifyOnce(directory, path: path, progress: progress)
                guard !report.isSound, attempts < 20, before != Inspection.fingerprint(directory) else { return report }
            } catch {
                guard attempts < 20, before != Inspection.fingerprint(directory) else { throw error }
            }
            attempts += 1
        }
    }

    private static func verifyOnce(
        _ directory: any Directory, path: String, progress: (UInt64) -> Void
    ) throws(LogDBError) -> VerificationReport {
        var report = VerificationReport()
        let names = try mapped { () throws(FileError) in try directory.list() }
        let manifest: LoadedManifest
        do throws(LogDBError) {
            guard let number = try Inspection.manifestNumber(names) else {
                throw LogDBError(.notFound, "there is no database at \(path)")
            }
            manifest = try LoadedManifest.load(number, in: directory)
        } catch {
            guard error.code == .corrupted || error.code == .unsupportedFormat || error.code == .codecUnavailable else { throw error }
            report.damages.append(error)
            return report
        }
        report.files += 1
        report.bytes += manifest.end
        for entry in manifest.state.base + manifest.state.history + manifest.state.sealed {
            verify(SealedSegment(entry, database: manifest.header.database, in: directory), &report, progress)
        }
        do throws(LogDBError) {
            if let found = try Inspection.inspect(directory, for: .reading) {
                for progress in found.raw {
                    report.bytes += progress.end
                    report.files += 1
                    report.operations += progress.lastSequence + 1 - progress.segment.header.firstSequence
                }
                if found.tornBytes > 0, let cut = found.cut {
                    report.remarks.append(
                        "\(found.tornBytes) bytes behind byte \(cut.offset) of \(cut.file) were never acknowledged as safe; the next opening cuts them off"
                    )
                }
                for name in found.leftovers {
                    report.remarks.append("\(name) is left over from interrupted work; the next opening removes it")
                }
            }
        } catch {
            if !report.damages.contains(error) { report.damages.append(error) }
        }
        return report
    }

    private static func verify(_ segment: SealedSegment, _ report: inout VerificationReport, _ progress: (UInt64) -> Void) {
        report.files += 1
        do throws(LogDBError) {
            let (file, _) = try segment.open()
            let footer = try segment.footer(of: file)
            report.bytes += segment.entry.fileLength - footer.blocks.reduce(0) { $0 + UInt64($1.storedLength) }
            let decompressor = segment.container.makeDecompressor()
            var raw = ByteBuffer()
            var audit = SegmentAudit(segment.entry, footer)
            var isWhole = true
            for (number, block) in footer.blocks.enumerated() {
                do {
                    try segment.unpack(block, of: file, with: decompressor, into: &raw)
                    audit.begin(block: number)
                    try segment.forEachRecord(in: raw.span, of: block) { record, sequence, _ in
                        _ = try Key(decoding: record.key)
                        audit.pass(record, sequence: sequence)
                    }
                    audit.endBlock()
                    report.operations += UInt64(block.recordCount)
                } catch {
                    isWhole = false
                    report.damages.append(error as! LogDBError)
                }
                report.bytes += UInt64(block.storedLength)
                progress(report.bytes)
            }
            if isWhole, let finding = audit.finish() {
                throw LogDBError(.corrupted, "the segment is not what its index and the manifest say: \(finding)", file: segment.name)
            }
        } catch { report.damages.append(error) }
    }
}
