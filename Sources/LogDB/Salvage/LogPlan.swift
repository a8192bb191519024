//===--- LogPlan.swift - the log, segment by segment, as far as it is there ----===//
//
// A segment of the log has a number, and one or several files: in raw or in sealed form, or a copy of one. From its neighbours, from their headers and
// from the manifest is known which operations it accounts for; what of them cannot be read is a hole, and so is what lies between segments.
//
//      number    5           6             7                 9
//      files     sealed      raw, sealed   (missing)         raw
//      accounts  101 … 180   181 … 240     241 … 300         301 …           from 9's header, or the manifest
//
// Where one file is whole nothing else is needed. Where none is, several are read together, each operation once, by their numbers.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A file of a segment of the log, looked through.
enum LogFile {
    case raw(RawSurvey)
    case sealed(SealedSurvey)

    var file: SalvageFile {
        switch self {
        case .raw(let survey): survey.file
        case .sealed(let survey): survey.file
        }
    }
    /// The first number that the segment accounts for, by the file's header.
    var firstSequence: SequenceNumber? {
        switch self {
        case .raw(let survey): survey.file.rawHeader?.firstSequence
        case .sealed(let survey):
            survey.file.sealedHeader.flatMap { $0.predecessorLastSequence < 1 << 62 ? $0.predecessorLastSequence + 1 : nil }
        }
    }
    var predecessorNumber: UInt64? {
        switch self {
        case .raw(let survey): survey.file.rawHeader?.predecessorNumber
        case .sealed(let survey): survey.file.sealedHeader?.predecessorNumber
        }
    }
    var isSealed: Bool { if case .sealed = self { true } else { false } }
}

/// What of a segment is taken, and in which order.
struct LogPart {
    enum Source {
        case raw(RawReading)
        case sealed(SealedReading)
    }

    var number: UInt64
    /// Read together by the numbers of their operations.
    var sources: [Source] = []
    /// Numbers of operations in it: all from this …
    var first: SequenceNumber
    /// … to this one.
    var last: SequenceNumber
    /// Something is missing between the part before and this one.
    var followsGap = false
}

struct LogPlan {
    /// A segment before it is decided what to take of it.
    struct Slot {
        var number: UInt64
        var files: [LogFile] = []
        var sealedEntry: SealedSegmentEntry?
        var rawEntry: RawSegmentEntry?
        /// The manifest that counts lists the raw form: a sealed one was not finished, and is no more than a substitute for what is damaged.
        var isRaw = false

        /// Whether it was sealed, so that all that it accounts for was safe.
        var wasSealed: Bool {
            if sealedEntry != nil { return true }
            guard !isRaw else { return false }
            return files.contains { if case .sealed(let survey) = $0 { survey.isExact } else { false } }
        }
        var firstSequence: SequenceNumber? { sealedEntry?.firstSequence ?? files.lazy.compactMap(\.firstSequence).first }
        var predecessorNumber: UInt64? { files.lazy.compactMap(\.predecessorNumber).first }
        var rawHeader: RawSegmentHeader? { files.lazy.compactMap(\.file.rawHeader).first }
        /// The name of the file that the manifest lists, where only others of the segment are there.
        var missingName: String? {
            guard let sealedEntry, !files.isEmpty, !files.contains(where: \.isSealed) else { return nil }
            return FileNames.sealed(number, sealedEntry.codec.container).name
        }
        /// The name of its file, present or not.
        var name: String {
            if let file = files.first { return file.file.name }
            return sealedEntry.map { FileNames.sealed(number, $0.codec.container).name } ?? FileNames.raw(number).name
        }
    }

    private(set) var parts: [LogPart] = []
    private(set) var findings: [SalvageFinding] = []
    private(set) var remarks: [String] = []
    /// Holes, in order.
    private(set) var holes: [LogHole] = []
    /// Whether something may be missing behind the last part.
    private(set) var endsWithGap = false
    /// Whether the numbers of all operations are known.
    var isExact: Bool {
        parts.allSatisfy { part in
            part.sources.allSatisfy { if case .sealed(let reading) = $0 { reading.isExact } else { true } }
        }
    }
    /// The number behind the last operation that is known of.
    private(set) var next: SequenceNumber?

    /// - Parameters:
    ///   - slots: by rising number.
    ///   - first: the number of the log's first operation; nil where it is what the first segment says.
    ///   - claim: the greatest log position that is known to have been synced.
    ///   - lastSequence: the greatest number that is known to have been given out and safe.
    init(_ slots: [Slot], first: SequenceNumber?, claim: UInt64, lastSequence: SequenceNumber) {
        next = first
        var position: UInt64?
        var followsGap = false
        let places = Self.places(of: slots)
        for (index, slot) in slots.enumerated() {
            var place = places[index]
            if let known = place.first, let expected = next, known > expected {
                addHole(
                    LogHole(
                        file: nil, first: expected, last: known - 1, operations: known - expected,
                        reason: "a segment of the log is missing before \(slot.name)"))
                followsGap = true
            }
            place.first = place.first ?? next
            place.basePosition = place.basePosition ?? position
            guard !slot.files.isEmpty else {
                addMissing(slot, place)
                followsGap = true
                next = place.last.map { $0 + 1 } ?? place.nextFirst
                position = nil
                continue
            }
            let isLogEnd = take(slot, place, claim, followsGap, &position)
            followsGap = endsWithGap
            if isLogEnd {
                for later in slots[(index + 1)...] where !later.files.isEmpty {
                    remarks.append("\(later.name) is behind the end of the log: what is in it was never acknowledged as safe")
                }
                break
            }
        }
        endsWithGap = followsGap
        if let next, next <= lastSequence, !(holes.last.map { $0.last == nil } ?? false) {
            endsWithGap = true
            addHole(
                LogHole(
                    file: nil, first: next, last: lastSequence, operations: lastSequence - next + 1,
                    reason: "the end of the log is missing"))
        }
    }

    /// What the neighbours and the manifest say of each slot.
    private static func places(of slots: [Slot]) -> [LogPlace] {
        var places = [LogPlace](repeating: LogPlace(), count: slots.count)
        // From behind: the first number of those behind, and whether one of them was sealed.
        var nextFirst: SequenceNumber?
        var isSettled = false
        for index in slots.indices.reversed() {
            let slot = slots[index]
            let following = index + 1 < slots.count ? slots[index + 1] : nil
            isSettled = isSettled || slot.wasSealed
            places[index] = place(of: slot, before: following)
            places[index].nextFirst = nextFirst
            places[index].isFollowed = following != nil
            places[index].isSettled = isSettled || slot.rawEntry?.end != nil
            nextFirst = slot.firstSequence ?? nextFirst
        }
        return places
    }

    private static func place(of slot: Slot, before following: Slot?) -> LogPlace {
        var place = LogPlace()
        place.first = slot.firstSequence
        if let entry = slot.sealedEntry {
            place.last = entry.lastSequence
        } else if let entry = slot.rawEntry, let end = entry.end {
            place.last = entry.lastSequence
            place.end = end
        } else if let following, let first = following.firstSequence, following.predecessorNumber.map({ $0 == slot.number }) ?? true {
            place.last = first - 1
        }
        if slot.isRaw, let entry = slot.rawEntry, entry.end == nil { place.allocated = entry.allocated }
        if let entry = slot.rawEntry, let end = entry.end { place.basePosition = entry.endPosition - min(end, entry.endPosition) }
        if let header = slot.rawHeader { place.basePosition = header.basePosition }
        if place.end == nil, let base = place.basePosition, let behind = following?.rawHeader, behind.predecessorNumber == slot.number,
            behind.basePosition >= base + RawSegment.frameOrigin
        {
            place.end = behind.basePosition - base
        }
        return place
    }

    // MARK: - One segment

    /// Decides what to take of a slot. Returns whether the log ends in it.
    private mutating func take(
        _ slot: Slot, _ place: LogPlace, _ claim: UInt64, _ followsGap: Bool, _ position: inout UInt64?
    ) -> Bool {
        var sealed: [SealedReading] = []
        var raw: [RawReading] = []
        for file in slot.files {
            switch file {
            case .sealed(let survey): sealed.append(SealedReading(survey, place))
            case .raw(let survey): raw.append(RawReading(survey, place, claim: claim))
            }
        }
        var part = LogPart(number: slot.number, first: place.first ?? 1, last: 0, followsGap: followsGap)
        var partHoles: [LogHole] = []
        let wholeSealed = sealed.first { $0.holes.isEmpty && $0.isExact } ?? sealed.first { $0.holes.isEmpty && $0.survey.reachesEnd }
        let wholeRaw = raw.filter(\.holes.isEmpty).max { $0.next ?? 0 < $1.next ?? 0 }
        if let whole = wholeSealed, wholeRaw == nil || slot.wasSealed {
            part.sources = [.sealed(whole)]
            next = whole.next
        } else if let whole = wholeRaw {
            part.sources = [.raw(whole)]
            next = whole.next
        } else {
            let exact = sealed.filter(\.isExact).map { LogPart.Source.sealed($0) } + raw.map { .raw($0) }
            let best = sealed.filter { !$0.isExact }.max { $0.survey.records < $1.survey.records }
            if let best, exact.isEmpty || best.survey.records > exact.map(\.records).max() ?? 0 {
                part.sources = [.sealed(best)]
            } else {
                part.sources = exact
            }
            partHoles = part.sources.dropFirst().reduce(part.sources.first?.holes ?? []) { Self.intersection($0, $1.holes) }
            next = part.sources.compactMap(\.next).max()
        }
        next = place.last.map { $0 + 1 } ?? next
        addReadingFindings(slot, part)
        for hole in partHoles { addHole(hole) }
        let isLogEnd = part.sources.count == 1 && part.sources[0].isLogEnd
        endsWithGap = !partHoles.isEmpty && (partHoles.last?.last == nil || partHoles.last!.last == place.last)
        if let only = part.sources.first, part.sources.count == 1, case .raw(let reading) = only {
            if isLogEnd, reading.tornBytes > 0 {
                remarks.append(
                    "\(reading.tornBytes) bytes behind byte \(reading.end) of \(slot.name) were never acknowledged as safe: the log ends there"
                )
            }
            position = place.basePosition.map { $0 + (place.end ?? reading.end) }
        } else {
            position = slot.sealedEntry?.endPosition
        }
        if place.first == nil, case .raw(let reading) = part.sources.first, let run = reading.runs.first { part.first = run.firstSequence }
        part.last = max(part.first, (next ?? part.first + 1) - 1)
        parts.append(part)
        return isLogEnd
    }

    /// What is wrong with files, whether or not anything is missing.
    private mutating func addReadingFindings(_ slot: Slot, _ part: LogPart) {
        let names = Set(part.sources.map(\.name))
        for file in slot.files where names.contains(file.file.name) {
            if let finding = file.file.headerFinding { findings.append(finding) }
            if case .sealed(let survey) = file, let finding = survey.indexFinding { findings.append(finding) }
        }
        let others = slot.files.map(\.file.name).filter { !names.contains($0) }
        if !others.isEmpty {
            remarks.append(
                "\(others.joined(separator: ", ")): not needed, segment \(slot.number) was read from \(names.sorted().joined(separator: ", "))"
            )
        }
        if let name = slot.missingName {
            findings.append(
                SalvageFinding(.harmless, file: name, "the file is missing; \(names.sorted().joined(separator: ", ")) was read instead"))
        }
    }

    private mutating func addMissing(_ slot: Slot, _ place: LogPlace) {
        var hole = LogHole(
            file: slot.name, first: place.first ?? 1, last: place.last ?? place.nextFirst.map { $0 - 1 },
            operations: slot.sealedEntry?.records, reason: "the file is missing")
        if hole.operations == nil, let last = hole.last, last >= hole.first { hole.operations = last - hole.first + 1 }
        addHole(hole)
    }

    private mutating func addHole(_ hole: LogHole) {
        if hole.isEmpty {
            findings.append(SalvageFinding(.harmless, file: hole.file, bytes: hole.bytes, hole.reason + "; no operation was lost"))
            return
        }
        holes.append(hole)
        findings.append(
            SalvageFinding(
                .lost, file: hole.file, bytes: hole.bytes, from: hole.first, through: hole.last, operations: hole.operations,
                tables: hole.tables, hole.reason))
    }

    /// What neither of two readings has. Both are in order.
    private static func intersection(_ a: [LogHole], _ b: [LogHole]) -> [LogHole] {
        var result: [LogHole] = []
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            let (endA, endB) = (a[i].last ?? .max, b[j].last ?? .max)
            let first = max(a[i].first, b[j].first)
            let last = min(endA, endB)
            if first <= last {
                var common = a[i]
                common.first = first
                common.last = last == .max ? nil : last
                common.operations = nil
                result.append(common)
            }
            if endA <= endB { i += 1 } else { j += 1 }
        }
        return result
    }
}

extension LogPart.Source {
    var holes: [LogHole] {
        switch self {
        case .raw(let reading): reading.holes
        case .sealed(let reading): reading.holes
        }
    }
    var next: SequenceNumber? {
        switch self {
        case .raw(let reading): reading.next
        case .sealed(let reading): reading.next
        }
    }
    var name: String {
        switch self {
        case .raw(let reading): reading.survey.file.name
        case .sealed(let reading): reading.survey.file.name
        }
    }
    var isLogEnd: Bool { if case .raw(let reading) = self { reading.isLogEnd } else { false } }
    /// How many operations can be read of it, about.
    var records: UInt64 {
        switch self {
        case .raw(let reading): reading.runs.reduce(0) { $0 + ($1.nextSequence - $1.firstSequence) }
        case .sealed(let reading): reading.survey.records
        }
    }
}
