//===--- RawReading.swift - how far a raw segment is part of the log --------===//
//
// The rules are those of recovery (see Recovery.swift, CrashSafety): where no frame holds the log ends, unless something says that it went on. What says
// so: the segment was closed or sealed, or a frame or mark anywhere, or the manifest, claims that the log was synced beyond the place. Then it is damage, and
// the frames that hold behind it are taken as well, until the next such place.
//
// So a database that only crashed is salvaged as it would be opened.
//===-----------------------------------------------------------------------===//

import LogDBFormat

/// A part of the log that cannot be read.
struct LogHole {
    var file: String?
    var bytes: Range<UInt64>?
    var first: SequenceNumber
    /// nil where nothing tells.
    var last: SequenceNumber?
    var operations: UInt64?
    var tables: Set<UInt64> = []
    var reason: String

    /// Whether no operation can have been in it.
    var isEmpty: Bool { last.map { $0 < first } ?? false }
}

/// What else is known of a segment's place in the log.
struct LogPlace {
    /// The number of the first operation that the segment accounts for.
    var first: SequenceNumber?
    /// … and of the last.
    var last: SequenceNumber?
    /// The first number of a later segment: nothing from there on is this one's.
    var nextFirst: SequenceNumber?
    /// Raw form: offset at which the segment ends, where the manifest or the next segment says so.
    var end: UInt64?
    /// Raw form: log position of the file's first byte.
    var basePosition: UInt64?
    /// Raw form, not closed: bytes that the file has at least.
    var allocated: UInt64 = 0
    /// There is a later segment, or was.
    var isFollowed = false
    /// The segment was closed or sealed, or one behind it was: all that it accounts for was safe.
    var isSettled = false
}

/// What is taken of a raw segment.
struct RawReading {
    let survey: RawSurvey
    var runs: [FrameRun] = []
    var holes: [LogHole] = []
    /// The number behind the last operation.
    var next: SequenceNumber?
    /// The log ends here: what is behind was never safe, here and in later segments.
    var isLogEnd = false
    var tornBytes: UInt64 = 0
    /// Where reading ended.
    var end = RawSegment.frameOrigin
    /// Numbers from here on are not this segment's.
    var limit: SequenceNumber

    /// - Parameter claim: the greatest log position that anything claims to be synced.
    init(_ survey: RawSurvey, _ place: LogPlace, claim: UInt64) {
        self.survey = survey
        limit = place.nextFirst ?? .max
        var next = survey.file.rawHeader?.firstSequence ?? place.first
        for run in survey.runs {
            if let known = place.end, run.start >= known { break }
            if run.firstSequence >= limit { break }
            // An earlier life of the same numbers.
            if let next, run.firstSequence < next { continue }
            if run.start > end || next.map({ run.firstSequence > $0 }) ?? false {
                guard run.start == end || isDamage(place, claim, isFollowed: true) else {
                    isLogEnd = true
                    break
                }
                addHole(end..<run.start, from: next ?? run.firstSequence, through: run.firstSequence - 1)
            }
            runs.append(run)
            next = min(run.nextSequence, limit)
            end = run.end
        }
        self.next = next
        endReading(place, claim)
    }

    private mutating func endReading(_ place: LogPlace, _ claim: UInt64) {
        let from = next ?? 1
        let written = max(survey.writtenEnd, end)
        // A mark behind the last frame is no loss.
        let rest = written - end <= UInt64(FrameHeader.length) ? 0 : written - end
        if isLogEnd {
            tornBytes = written - end
            return
        }
        let through = place.last ?? (limit == .max ? nil : limit - 1)
        if let known = place.end {
            if end >= known { return }
            if place.isSettled || isDamage(place, claim, isFollowed: true) { return addHole(end..<known, from: from, through: through) }
        } else if survey.file.size < place.allocated, rest > 0 || survey.file.size < end + UInt64(FrameHeader.length) {
            return addHole(end..<place.allocated, from: from, through: through)
        } else if rest > 0, isDamage(place, claim, isFollowed: false) {
            return addHole(end..<written, from: from, through: through)
        } else if rest == 0, place.isFollowed {
            // It just ends; whether something is missing before the next segment shows there.
            return
        } else if isDamage(place, claim, isFollowed: false), place.last.map({ $0 >= from }) ?? !place.isSettled {
            return addHole(end..<end, from: from, through: through)
        }
        isLogEnd = true
        tornBytes = rest
    }

    private func isDamage(_ place: LogPlace, _ claim: UInt64, isFollowed: Bool) -> Bool {
        if place.isSettled { return true }
        guard let base = place.basePosition else { return isFollowed }
        return claim > base + end
    }

    private mutating func addHole(_ bytes: Range<UInt64>, from first: SequenceNumber, through last: SequenceNumber?) {
        var reason = bytes.isEmpty ? "the log went on from here, and what was there is gone" : "frames that had been written do not hold"
        if survey.seed == nil { reason = "the header is damaged and no frame holds" }
        if let givenUp = survey.givenUp, bytes.upperBound > givenUp { reason = "there is too much damage to search any further" }
        if bytes.upperBound > survey.file.size { reason = "the file ends too early: it was cut off" }
        let operations = last.map { $0 >= first ? $0 - first + 1 : 0 }
        holes.append(LogHole(file: survey.file.name, bytes: bytes, first: first, last: last, operations: operations, reason: reason))
    }
}
