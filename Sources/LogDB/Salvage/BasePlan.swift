//===--- BasePlan.swift - the base, as far as it is there -------------------===//
//
// What compaction wrote: generations of segments in key order, each document once. A newer generation's operation on a key is never older than an older
// generation's, so reading them from the oldest to the newest leaves the newest, whatever is missing. The numbers of operations are in the
// index; a segment without one gives its documents all the same.
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct BasePlan {
    struct Generation {
        var number: UInt64
        var segments: [SealedSurvey] = []
        /// The greatest number of an operation in it, as far as is known.
        var lastSequence: SequenceNumber { segments.compactMap(\.lastSequence).max() ?? 0 }
    }

    /// The oldest first.
    private(set) var generations: [Generation] = []
    private(set) var findings: [SalvageFinding] = []
    private(set) var remarks: [String] = []
    /// Whether whole segments are missing.
    private(set) var lacksSegments = false
    /// Whether the numbers of all operations are known.
    var isExact: Bool { generations.allSatisfy { $0.segments.allSatisfy(\.isExact) } }

    /// - Parameters:
    ///   - surveys: of all files that count, copies of one segment included.
    ///   - listed: the segments that the manifest lists.
    ///   - isWhole: whether it lists all that there are.
    ///   - isHistory: whether they are of the history, not of the base.
    init(_ surveys: [SealedSurvey], listed: [SealedSegmentEntry], isWhole: Bool, isHistory: Bool = false) {
        let numbers = Set(surveys.map(\.file.number))
        let newest = surveys.compactMap { Self.knownGeneration($0) }.max() ?? 0
        for entry in listed where !numbers.contains(entry.number) {
            // Where the manifest is not the last word, a newer generation has taken the place of an older one's missing segments.
            if !isWhole, newest > entry.generation { continue }
            lacksSegments = true
            findings.append(
                SalvageFinding(
                    .lost,
                    file: (isHistory
                        ? FileNames.history(entry.number, entry.codec.container) : .base(entry.number, entry.codec.container)).name,
                    from: entry.firstSequence,
                    through: entry.lastSequence, operations: entry.records,
                    tables: Self.tables(entry.leastKey.table...entry.greatestKey.table),
                    "the file is missing\(isHistory ? ", with versions that were retained" : "")"))
        }
        var byNumber: [UInt64: [SealedSurvey]] = [:]
        for survey in surveys { byNumber[survey.file.number, default: []].append(survey) }
        var last: UInt64 = 1
        for number in byNumber.keys.sorted() {
            // The most complete copy last; its documents are the last word.
            let copies = byNumber[number]!.sorted {
                ($0.isWhole ? 1 : 0, $0.records, $0.file.isNamedRight ? 1 : 0) < (
                    $1.isWhole ? 1 : 0, $1.records, $1.file.isNamedRight ? 1 : 0
                )
            }
            guard let best = copies.last else { continue }
            // Numbers are given out in order, so one without a header or an entry is of its neighbour's generation.
            last = Self.knownGeneration(best) ?? last
            if isHistory, !best.isExact {
                // Versions without numbers have no place in the order.
                lacksSegments = true
                findings.append(
                    SalvageFinding(
                        .lost, file: best.file.name, operations: best.records, tables: Set(best.tables.keys.filter { $0 > 0 }),
                        "its index is damaged, and without it the versions in it, which were retained, have no numbers"))
                findings += [best.file.headerFinding].compactMap { $0 }
                continue
            }
            add(best.isWhole ? [best] : copies, generation: last)
            addFindings(best, isListed: isWhole || best.entry != nil)
            for copy in copies.dropLast() {
                remarks.append(
                    "\(copy.file.name): segment \(number) of \(isHistory ? "the history" : "the base") was read from \(best.file.name)")
            }
        }
        generations.sort { $0.number < $1.number }
    }

    private mutating func add(_ copies: [SealedSurvey], generation: UInt64) {
        if let index = generations.firstIndex(where: { $0.number == generation }) {
            generations[index].segments += copies
        } else {
            generations.append(Generation(number: generation, segments: copies))
        }
    }

    private static func knownGeneration(_ survey: SealedSurvey) -> UInt64? {
        survey.file.sealedHeader?.generation ?? survey.entry?.generation
    }

    private mutating func addFindings(_ survey: SealedSurvey, isListed: Bool) {
        findings += [survey.file.headerFinding, survey.indexFinding].compactMap { $0 }
        let missing = survey.entry.map { $0.records - min($0.records, survey.records) }
        if missing == 0 { return }
        let holes = survey.allHoles
        for hole in holes {
            // Without a manifest that lists it the file may be what a compaction left unfinished.
            let severity: SalvageFinding.Severity = isListed || survey.isExact ? .lost : .uncertain
            findings.append(
                SalvageFinding(
                    severity, file: survey.file.name, bytes: hole.bytes, from: hole.firstSequence ?? survey.entry?.firstSequence ?? 1,
                    through: hole.lastSequence ?? survey.lastSequence, operations: hole.operations ?? (holes.count == 1 ? missing : nil),
                    tables: survey.tablesWithLosses.isEmpty ? Self.tables(hole.tables ?? survey.entryTables) : survey.tablesWithLosses,
                    survey.isHistory ? "\(hole.reason), with versions that were retained" : hole.reason))
        }
    }

    /// Table 0 is nobody's.
    private static func tables(_ range: ClosedRange<UInt64>?) -> Set<UInt64> {
        guard let range, range.count < 1000 else { return [] }
        return Set(range.filter { $0 > 0 })
    }
}

extension SealedSurvey {
    fileprivate var entryTables: ClosedRange<UInt64>? { entry.map { $0.leastKey.table...max($0.leastKey.table, $0.greatestKey.table) } }
}
