//===--- SealedReading.swift - what is taken of a sealed segment, and its place ----===//

import LogDBFormat

struct SealedReading {
    let survey: SealedSurvey
    /// Added to the blocks' numbers. They count from 1 where there is no index.
    var shift: SequenceNumber = 0
    /// Whether the numbers are those that were written.
    var isExact: Bool
    var holes: [LogHole] = []
    /// The number behind the last operation that the segment accounts for, where it is known.
    var next: SequenceNumber?

    init(_ survey: SealedSurvey, _ place: LogPlace) {
        self.survey = survey
        isExact = survey.isExact
        if survey.isExact {
            next = survey.lastSequence.map { $0 + 1 }
            for hole in survey.holes {
                holes.append(
                    LogHole(
                        file: survey.file.name, bytes: hole.bytes, first: hole.firstSequence ?? place.first ?? 1,
                        last: hole.lastSequence ?? place.last, operations: hole.operations, tables: survey.tablesWithLosses,
                        reason: hole.reason))
            }
            return
        }
        let first = place.first ?? 1
        shift = first - 1
        // Numbers are at most too low: none that was left out between two blocks is counted.
        let counted = shift + survey.nextRelative
        let holes = survey.allHoles
        for (index, hole) in holes.enumerated() {
            let before = hole.nextBlock < survey.blocks.count ? survey.blocks[hole.nextBlock].firstSequence : survey.nextRelative
            let behind = survey.nextRelative - before
            let isLast = hole.nextBlock == survey.blocks.count
            let last = place.last.map { $0 >= behind ? $0 - behind : 0 }
            // All records are there: what does not hold behind the last block is the index.
            if isLast, let entry = survey.entry, entry.records == survey.records { continue }
            if isLast, index == 0, place.last.map({ $0 < counted }) ?? false { continue }
            var operations: UInt64?
            if holes.count == 1, let entry = survey.entry { operations = entry.records - min(entry.records, survey.records) }
            self.holes.append(
                LogHole(
                    file: survey.file.name, bytes: hole.bytes, first: shift + before, last: last, operations: operations,
                    reason: hole.reason))
        }
        next = place.last.map { $0 + 1 }
        if self.holes.isEmpty {
            isExact = place.last == counted - 1
            next = next ?? counted
        }
    }
}
