//===--- SalvageSurvey.swift - everything that is in the folder -------------===//
//
//      names → manifests → headers → whose files? → each file, looked through → which of them count
//
// A manifest that is whole says which files count; the others are leftovers and are left out, unless they can stand in for one that is
// damaged. Without such a manifest every segment counts.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

struct SalvageSurvey {
    private(set) var evidence: ManifestEvidence
    private(set) var slots: [LogPlan.Slot] = []
    private(set) var base: [SealedSurvey] = []
    private(set) var listedBase: [SealedSegmentEntry] = []
    private(set) var history: [SealedSurvey] = []
    private(set) var listedHistory: [SealedSegmentEntry] = []
    private(set) var findings: [SalvageFinding] = []
    private(set) var remarks: [String] = []
    private(set) var files = 0
    private(set) var bytes: UInt64 = 0
    /// The manifest lists all that counts, and nothing else does.
    private(set) var isListed: Bool
    /// The greatest log position that anything claims to be synced.
    private(set) var claim: UInt64 = 0

    /// What the log's first operation is; nil where it is what the first segment says.
    var logFirst: SequenceNumber? {
        if isListed { return evidence.state.compacted.lastSequence + 1 }
        return base.isEmpty ? 1 : nil
    }

    /// - Parameters:
    ///   - planned: told how many bytes will be read.
    ///   - progress: told of how many bytes have been.
    init(
        _ directory: any Directory, path: String, planned: (UInt64) -> Void, progress: (UInt64) throws -> Void
    ) throws {
        let names = try mapped { () throws(FileError) in try directory.list() }.sorted()
        if let unfinished = names.first(where: { $0.hasSuffix(UnfinishedDirectory.suffix) }) {
            throw LogDBError(
                .notADatabase, "\(path) is what a salvage left unfinished (\(unfinished)): salvage the original, and remove this one")
        }
        evidence = try ManifestEvidence.read(names, in: directory)
        findings = evidence.findings
        isListed = evidence.isWhole
        var all: [SalvageFile] = []
        for name in names where ![FileNames.lock, FileNames.readers, FileNames.spare].contains(name) {
            if let file = try identify(name, in: directory) { all.append(file) }
        }
        guard !all.isEmpty || evidence.name != nil else {
            throw LogDBError(.notFound, "there is nothing of a database at \(path)")
        }
        all = own(all)
        files = all.count + (evidence.name == nil ? 0 : 1)
        bytes = all.reduce(evidence.bytes) { $0 + $1.size }
        planned(bytes)
        try look(through: all, in: directory, progress)
        addUnreadableSectors(all)
    }

    private mutating func identify(_ name: String, in directory: any Directory) throws(LogDBError) -> SalvageFile? {
        do throws(LogDBError) {
            guard let file = try SalvageFile.identify(name, in: directory) else {
                if FileNames(name) == nil, name != evidence.name { remarks.append("\(name) is no segment of LogDB and was left out") }
                return nil
            }
            guard file.headerFault?.code != .unsupportedFormat, file.headerFault?.code != .codecUnavailable else {
                findings.append(SalvageFinding(.lost, file: name, file.headerFault!.message))
                return nil
            }
            return file
        } catch {
            guard error.code == .inputOutput else { throw error }
            findings.append(SalvageFinding(.lost, file: name, "the file cannot be opened: \(error.message)"))
            return nil
        }
    }

    // MARK: - Whose files

    /// The files of the database that most of them are of; those whose header is damaged are taken to be of it.
    private mutating func own(_ all: [SalvageFile]) -> [SalvageFile] {
        var votes: [FileHeader.DatabaseIdentity: Int] = [:]
        for file in all { if let header = file.header { votes[header.database, default: 0] += 2 } }
        if let database = evidence.database { votes[database, default: 0] += 1 }
        guard let database = votes.max(by: { ($0.value, $0.key[0]) < ($1.value, $1.key[0]) })?.key else { return all }
        if let other = evidence.database, other != database {
            findings.append(
                SalvageFinding(
                    .uncertain, file: evidence.name, "the manifest belongs to another database: all segments in the folder are taken"))
            evidence = ManifestEvidence()
            isListed = false
        }
        return all.filter { file in
            guard let header = file.header, header.database != database else { return true }
            remarks.append("\(file.name) belongs to another database and was left out")
            return false
        }
    }

    // MARK: - Each file

    private mutating func look(through all: [SalvageFile], in directory: any Directory, _ progress: (UInt64) throws -> Void) throws {
        var done = evidence.bytes
        // What the segment sealed next says of the index of the one before.
        var digests: [UInt64: [UInt32]] = [:]
        var predecessors: [UInt64: [UInt64]] = [:]
        for file in all {
            if let header = file.sealedHeader, header.order == .log {
                digests[header.predecessorNumber, default: []].append(header.predecessorDigest)
            }
            if let header = file.rawHeader { predecessors[header.predecessorNumber, default: []].append(header.predecessorIdentity) }
        }
        var raw: [RawSurvey] = []
        var sealed: [SealedSurvey] = []
        let ring = try? RingReading.open(in: directory, database: nil)
        for file in all {
            let start = done
            let pass = { (offset: UInt64) in try progress(start + min(offset, file.size)) }
            switch file.form {
            case .raw:
                let known = evidence.rawIdentities[file.number].map { [$0] } ?? []
                raw.append(try RawSurvey(file, identities: known + (predecessors[file.number] ?? []), ring: ring, progress: pass))
            case .sealed:
                let entry = evidence.sealedEntries[file.number].flatMap { $0.isOf(file) ? $0 : nil }
                let known = (entry.map { [$0.digest] } ?? []) + (digests[file.number] ?? [])
                sealed.append(try SealedSurvey(file, entry: entry, digests: known, progress: pass))
            case .base:
                let entry = evidence.baseEntries[file.number].flatMap { $0.isOf(file) ? $0 : nil }
                let survey = try SealedSurvey(file, entry: entry, digests: entry.map { [$0.digest] } ?? [], progress: pass)
                base.append(survey)
            case .history:
                let entry = evidence.historyEntries[file.number].flatMap { $0.isOf(file) ? $0 : nil }
                let survey = try SealedSurvey(file, entry: entry, digests: entry.map { [$0.digest] } ?? [], progress: pass)
                history.append(survey)
            }
            done += file.size
        }
        if isListed, let newer = newerThanManifest(raw, sealed) {
            isListed = false
            findings.append(
                SalvageFinding(
                    .uncertain, file: evidence.name,
                    "the manifest lost its end, or is an old copy: it does not know \(newer). All segments in the folder are taken"))
        }
        selectLog(raw, sealed)
        selectBase()
    }

    /// Something in the folder that a manifest which is the newest there is would know.
    private func newerThanManifest(_ raw: [RawSurvey], _ sealed: [SealedSurvey]) -> String? {
        let state = evidence.state
        for survey in sealed where survey.file.number >= state.nextSegment && survey.file.header != nil { return survey.file.name }
        for survey in raw {
            if survey.file.number >= state.nextSegment, !survey.runs.isEmpty { return survey.file.name }
            guard let end = state.raw.first(where: { $0.number == survey.file.number && $0.identity == survey.file.header?.identity })?.end
            else { continue }
            if survey.runs.contains(where: { $0.start <= end && $0.end > end }) {
                return "what is behind byte \(end) of \(survey.file.name)"
            }
        }
        return nil
    }

    // MARK: - Which count

    private mutating func selectLog(_ raw: [RawSurvey], _ sealed: [SealedSurvey]) {
        var all: [UInt64: LogPlan.Slot] = [:]
        func slot(_ number: UInt64) -> LogPlan.Slot { all[number] ?? LogPlan.Slot(number: number) }
        if isListed {
            for entry in evidence.state.sealed { all[entry.number] = LogPlan.Slot(number: entry.number, sealedEntry: entry) }
            for entry in evidence.state.raw {
                all[entry.number] = LogPlan.Slot(number: entry.number, rawEntry: entry, isRaw: true)
            }
        } else {
            for entry in evidence.state.sealed { all[entry.number] = LogPlan.Slot(number: entry.number, sealedEntry: entry) }
            for entry in evidence.state.raw {
                // Where it ended then need not be where it ends.
                var open = entry
                open.end = nil
                all[entry.number] = LogPlan.Slot(number: entry.number, rawEntry: open)
            }
        }
        for file in sealed.map(LogFile.sealed) + raw.map(LogFile.raw) {
            let number = file.file.number
            if isListed, all[number] == nil {
                remarks.append("\(file.file.name) is left over: the manifest no longer lists it, and it was left out")
                continue
            }
            var target = slot(number)
            if let known = file.isSealed ? target.sealedEntry?.identity : evidence.rawIdentities[number], let header = file.file.header,
                header.identity != known
            {
                remarks.append(
                    "\(file.file.name) is not the segment \(number) that the manifest knows: it was restored from elsewhere, and was left out"
                )
                continue
            }
            if !file.isSealed, target.sealedEntry != nil, isListed, sealed.contains(where: { $0.file.number == number && $0.isWhole }) {
                continue
            }
            target.files.append(file)
            all[number] = target
        }
        slots = all.values.sorted { $0.number < $1.number }
        if !isListed, !base.isEmpty {
            // What is missing at the front may have been compacted since.
            while let front = slots.first, front.files.isEmpty { slots.removeFirst() }
        }
        claim = evidence.state.endPosition
        for slot in slots {
            for case .raw(let survey) in slot.files { claim = max(claim, survey.claim) }
        }
    }

    private mutating func selectBase() {
        listedBase = evidence.state.base
        listedHistory = evidence.state.history
        guard isListed else { return }
        base = listed(base, by: listedBase)
        history = listed(history, by: listedHistory)
    }

    /// Those of the segments that the manifest lists.
    private mutating func listed(_ surveys: [SealedSurvey], by entries: [SealedSegmentEntry]) -> [SealedSurvey] {
        let listed = Dictionary(entries.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        return surveys.filter { survey in
            guard let entry = listed[survey.file.number] else {
                remarks.append("\(survey.file.name) is left over: the manifest no longer lists it, and it was left out")
                return false
            }
            guard survey.file.header == nil || survey.file.header?.identity == entry.identity else {
                remarks.append(
                    "\(survey.file.name) is not the segment that the manifest lists: it was restored from elsewhere, and was left out")
                return false
            }
            return true
        }
    }

    private mutating func addUnreadableSectors(_ all: [SalvageFile]) {
        for file in all {
            let refused = file.refused
            guard let first = refused.first else { continue }
            findings.append(
                SalvageFinding(
                    .harmless, file: file.name, bytes: first * 4096..<min(file.size, (refused.last! + 1) * 4096),
                    "the disk could not read \(refused.count) sectors of 4,096 bytes here; what they held is listed where it is missing"))
        }
    }
}

extension SealedSegmentEntry {
    /// Whether `file` may be the segment.
    fileprivate func isOf(_ file: SalvageFile) -> Bool { file.header.map { $0.identity == identity } ?? true }
}
