//===--- ManifestEvidence.swift - what a manifest still says ----------------===//
//
// A manifest that is whole says exactly which files count. One that is damaged, old or torn says which there were: their numbers, identities and ends,
// what each accounts for. So every edit that can be read is taken for what it says, in the order in which they stand, whether or not it fits
// what came before. Only `isWhole` decides whether files that it does not list are left out.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct ManifestEvidence {
    /// Name of the manifest that was read; nil where none could be.
    var name: String?
    var number: UInt64 = 0
    var isNamedRight = false
    var database: FileHeader.DatabaseIdentity?
    /// As far as its edits could be read.
    var state = ManifestState()
    /// All edits that count are read, and it is the newest there is.
    var isWhole = false
    /// Every segment that any readable edit speaks of, also those removed since.
    var sealedEntries: [UInt64: SealedSegmentEntry] = [:]
    var baseEntries: [UInt64: SealedSegmentEntry] = [:]
    var historyEntries: [UInt64: SealedSegmentEntry] = [:]
    var rawIdentities: [UInt64: UInt64] = [:]
    var findings: [SalvageFinding] = []
    var bytes: UInt64 = 0

    /// Reads the manifests among `names`, whatever they are called: the newest that has anything to say, and what the others know besides.
    static func read(_ names: [String], in directory: any Directory) throws(LogDBError) -> ManifestEvidence {
        var all: [ManifestEvidence] = []
        var faults: [(number: UInt64, finding: SalvageFinding)] = []
        for name in names {
            var one = ManifestEvidence()
            do throws(LogDBError) {
                try one.read(name, in: directory)
                all.append(one)
            } catch {
                // Only of a file that is called so can be said that it should be one.
                guard case .manifest(let number) = FileNames(name) else { continue }
                guard ![.unsupportedFormat, .permissionDenied, .tooManyOpenFiles].contains(error.code) else { throw error }
                faults.append((number, SalvageFinding(.uncertain, file: name, error.message + Self.consequence)))
            }
        }
        // Of copies the most complete one, under its own name where there is a choice.
        all.sort { ($0.number, $0.isWhole ? 1 : 0, $0.isNamedRight ? 1 : 0) > ($1.number, $1.isWhole ? 1 : 0, $1.isNamedRight ? 1 : 0) }
        guard var evidence = all.first else {
            var evidence = ManifestEvidence()
            if faults.isEmpty { faults = [(0, SalvageFinding(.uncertain, file: "MANIFEST", "the manifest is missing" + consequence))] }
            evidence.findings = faults.map(\.finding)
            return evidence
        }
        for (number, finding) in faults where number >= evidence.number {
            // The newest cannot be read; this one was valid some time ago.
            evidence.isWhole = false
            evidence.findings.insert(finding, at: 0)
        }
        for one in all.dropFirst() where one.database == evidence.database {
            evidence.rawIdentities.merge(one.rawIdentities) { first, _ in first }
            evidence.sealedEntries.merge(one.sealedEntries) { first, _ in first }
            evidence.baseEntries.merge(one.baseEntries) { first, _ in first }
            evidence.historyEntries.merge(one.historyEntries) { first, _ in first }
        }
        return evidence
    }

    private static let consequence =
        ": all segments in the folder are taken; whether whole ones are missing from the end, or from the base, cannot be known"

    private mutating func read(_ name: String, in directory: any Directory) throws(LogDBError) {
        let file: any File
        let size: UInt64
        let start: [UInt8]
        do throws(FileError) {
            let opened = try directory.open(name, for: .reading)
            size = try opened.size()
            file = ForgivingFile(opened, size: size, refused: Monitor([]))
            start = try file.read(at: 0, count: FileHeader.maximumLength)
        } catch { throw LogDBError(error) }
        let header: FileHeader
        do throws(FormatError) { header = try FileHeader.decode(start.span, expecting: .manifest).header } catch {
            throw LogDBError(error, in: name)
        }
        self.name = name
        number = header.number
        database = header.database
        bytes = size
        var isWhole = true
        // One that never got its name says what was about to be.
        if case .temporaryManifest = FileNames(name) { isWhole = false }
        isNamedRight = FileNames(name) == .manifest(header.number)
        let seed = Checksum.seed(identity: header.identity)
        var meter = WorkMeter(fileSize: size)
        var next: UInt64 = 1
        var position = LoadedManifest.frameOrigin
        while true {
            var scanner = FrameScanner(file, seed: seed, from: position, limit: size)
            while let frame = try mapped({ () throws(FileError) in try scanner.next() }) {
                guard frame.kind == .manifestEdits else { break }
                if frame.sequence != next { isWhole = false }
                next = frame.sequence &+ 1
                if !take(scanner.payload) { isWhole = false }
            }
            let stop = scanner.offset
            let search = try mapped { () throws(FileError) in
                try FrameSearch.next(file, seed: seed, from: stop, limit: size, claimsBeyond: stop, &meter)
            }
            // What is left of an edit that was never safe is no damage; a bad place that was synced is.
            guard search.claim > stop else { break }
            isWhole = false
            findings.append(
                SalvageFinding(
                    .uncertain, file: name, bytes: stop..<(search.offset ?? size),
                    "edits of the manifest are damaged: all segments in the folder are taken, and it is not known which it no longer listed"
                ))
            guard let found = search.offset, findings.count < 100 else { break }
            position = found
        }
        guard next > 1 else { throw LogDBError(.corrupted, "the manifest holds no edit", file: name, offset: LoadedManifest.frameOrigin) }
        self.isWhole = isWhole
        if !isWhole, findings.isEmpty {
            findings.append(SalvageFinding(.uncertain, file: name, "the manifest does not hold together" + Self.consequence))
        }
    }

    /// Takes in the edits of a frame. Returns whether they could be read and fit.
    private mutating func take(_ payload: Span<UInt8>) -> Bool {
        guard let edits = try? ManifestEdit.decode(payload) else { return false }
        var fit = true
        for edit in edits {
            guard edit.isPlausible else {
                fit = false
                continue
            }
            switch edit {
            case .addRaw(let entry): rawIdentities[entry.number] = entry.identity
            case .addSealed(let entry): sealedEntries[entry.number] = entry
            case .addBase(let entry): baseEntries[entry.number] = entry
            case .addHistory(let entry): historyEntries[entry.number] = entry
            default: break
            }
            do throws(FormatError) { try state.apply(edit) } catch { fit = false }
        }
        return fit
    }
}

extension ManifestEdit {
    fileprivate var isPlausible: Bool {
        switch self {
        case .addSealed(let entry), .addBase(let entry), .addHistory(let entry): entry.isPlausible
        default: true
        }
    }
}

extension SealedSegmentEntry {
    /// No number in it is beyond all bounds.
    fileprivate var isPlausible: Bool {
        [fileLength, records, firstSequence, lastSequence, endPosition, generation].allSatisfy { $0 < 1 << 62 } && firstSequence > 0
    }
}
