//===--- ManifestState.swift - the edits, applied --------------------------===//
//
// What a manifest says once all its edits are applied. An edit that does not fit the state it meets (a segment added twice,
// one closed that is not there, a counter that goes back) is damage, not something to make the best of.
//===-----------------------------------------------------------------------===//

package struct ManifestState: Equatable, Sendable {
    package var raw: [RawSegmentEntry] = []
    package var sealed: [SealedSegmentEntry] = []
    /// Key-ordered segments: by generation, newest first, and in each by key.
    package var base: [SealedSegmentEntry] = []
    /// Retained versions: by generation, newest first, and in each by key. See HistoryAndRetention.
    package var history: [SealedSegmentEntry] = []
    /// From when on the history of tables is complete that have an entry of their own; table 0 stands for those that were dropped.
    package var horizons: [UInt64: HistoryHorizon] = [:]
    /// What was cleared away because it had expired: of tables with a horizon of their own, and of all others.
    package var expiries: [UInt64: ExpiryHorizon] = [:]
    package var expired = ExpiryHorizon()
    /// Of tables with a ladder.
    package var ladders: [UInt64: LadderRecord] = [:]
    /// The same as `horizons` for all other tables.
    package var horizon = HistoryHorizon()
    /// Where the log begins that is not in the base.
    package var compacted = CompactedLog()
    package var nextSegment: UInt64 = 1
    package var nextTable: UInt64 = 1
    package var lastSequence: UInt64 = 0
    package var endPosition: UInt64 = 0
    package var lastRecovery: RecoverySummary?

    package init() {}

    /// The edits that build this state from nothing.
    package var edits: [ManifestEdit] {
        var edits = base.map(ManifestEdit.addBase)
        edits += history.map(ManifestEdit.addHistory)
        if horizon != HistoryHorizon() { edits.append(.horizon(table: nil, horizon)) }
        edits += horizons.sorted { $0.key < $1.key }.map { .horizon(table: $0.key, $0.value) }
        edits += ladders.sorted { $0.key < $1.key }.map { .ladder(table: $0.key, $0.value) }
        if expired != ExpiryHorizon() { edits.append(.expired(table: nil, expired)) }
        edits += expiries.sorted { $0.key < $1.key }.map { .expired(table: $0.key, $0.value) }
        if compacted != CompactedLog() { edits.append(.compacted(compacted)) }
        edits += sealed.map(ManifestEdit.addSealed)
        for entry in raw {
            var open = entry
            open.end = nil
            edits.append(.addRaw(open))
            if let end = entry.end {
                edits.append(
                    .closeRaw(number: entry.number, end: end, endPosition: entry.endPosition, lastSequence: entry.lastSequence))
            }
        }
        edits.append(.counters(nextSegment: nextSegment, nextTable: nextTable, lastSequence: lastSequence, endPosition: endPosition))
        if let lastRecovery { edits.append(.recovered(lastRecovery)) }
        return edits
    }

    package mutating func apply(_ edit: ManifestEdit) throws(FormatError) {
        switch edit {
        case .addRaw(let entry):
            try check(entry.number)
            guard !raw.contains(where: { $0.number >= entry.number }) else { throw misfit("adds raw segment \(entry.number) out of order") }
            guard !sealed.contains(where: { $0.number == entry.number }) else {
                throw misfit("adds raw segment \(entry.number), which is sealed")
            }
            raw.append(entry)
            nextSegment = max(nextSegment, entry.number + 1)
        case .closeRaw(let number, let end, let endPosition, let lastSequence):
            try check(end, endPosition, lastSequence)
            guard let index = raw.firstIndex(where: { $0.number == number }) else { throw misfit("closes raw segment \(number)") }
            raw[index].end = end
            raw[index].endPosition = endPosition
            raw[index].lastSequence = lastSequence
            raise(lastSequence: lastSequence, endPosition: endPosition)
        case .reopenRaw(let number, let allocated):
            guard let index = raw.firstIndex(where: { $0.number == number }) else { throw misfit("reopens raw segment \(number)") }
            raw[index].end = nil
            raw[index].endPosition = 0
            raw[index].lastSequence = 0
            raw[index].allocated = allocated
        case .removeRaw(let number):
            guard let index = raw.firstIndex(where: { $0.number == number }) else { throw misfit("removes raw segment \(number)") }
            raw.remove(at: index)
        case .addSealed(let entry):
            try check(entry.number, entry.lastSequence, entry.endPosition, entry.fileLength)
            if let index = raw.firstIndex(where: { $0.number == entry.number }) { raw.remove(at: index) }
            let place = sealed.firstIndex { $0.number >= entry.number } ?? sealed.endIndex
            guard place == sealed.endIndex || sealed[place].number > entry.number else {
                throw misfit("adds sealed segment \(entry.number) twice")
            }
            sealed.insert(entry, at: place)
            nextSegment = max(nextSegment, entry.number + 1)
            raise(lastSequence: entry.lastSequence, endPosition: entry.endPosition)
        case .removeSealed(let number):
            guard let index = sealed.firstIndex(where: { $0.number == number }) else { throw misfit("removes sealed segment \(number)") }
            sealed.remove(at: index)
        case .counters(let nextSegment, let nextTable, let lastSequence, let endPosition):
            try check(nextSegment, nextTable, lastSequence, endPosition)
            self.nextSegment = max(self.nextSegment, nextSegment)
            self.nextTable = max(self.nextTable, nextTable)
            raise(lastSequence: lastSequence, endPosition: endPosition)
        case .recovered(let summary):
            lastRecovery = summary
        case .addBase(let entry): try addBase(entry)
        case .removeBase(let number):
            guard let index = base.firstIndex(where: { $0.number == number }) else { throw misfit("removes base segment \(number)") }
            base.remove(at: index)
        case .addHistory(let entry): try addHistory(entry)
        case .removeHistory(let number):
            guard let index = history.firstIndex(where: { $0.number == number }) else { throw misfit("removes history segment \(number)") }
            history.remove(at: index)
        case .horizon(nil, let horizon):
            try check(horizon.sequence)
            guard horizon.sequence >= self.horizon.sequence else { throw misfit("takes its horizon back") }
            self.horizon = horizon
        case .horizon(let table?, let horizon):
            try check(horizon.sequence, table)
            // Without a number it is taken away.
            horizons[table] = horizon.sequence == 0 ? nil : horizon
        case .ladder(let table, let record):
            try check(table)
            ladders[table] = record.checksum == 0 ? nil : record
        case .expired(nil, let horizon):
            try check(horizon.sequence)
            guard horizon.sequence >= expired.sequence, horizon.milliseconds >= expired.milliseconds else {
                throw misfit("takes back what has expired")
            }
            expired = horizon
        case .expired(let table?, let horizon):
            try check(horizon.sequence, table)
            // Without a number it is taken away.
            expiries[table] = horizon.sequence == 0 ? nil : horizon
        case .compacted(let log):
            try check(log.number, log.lastSequence, log.endPosition)
            guard log.lastSequence >= compacted.lastSequence else { throw misfit("compacts less than before") }
            compacted = log
            raise(lastSequence: log.lastSequence, endPosition: log.endPosition)
        }
    }

    private mutating func addBase(_ entry: SealedSegmentEntry) throws(FormatError) {
        try check(entry.number, entry.lastSequence, entry.fileLength, entry.generation)
        guard !base.contains(where: { $0.number == entry.number }), entry.leastKey <= entry.greatestKey, entry.generation > 0 else {
            throw misfit("adds base segment \(entry.number)")
        }
        // Behind the last of its generation, whose keys must all be smaller.
        let place = base.firstIndex { $0.generation < entry.generation } ?? base.endIndex
        if place > 0, base[place - 1].generation == entry.generation, !(base[place - 1].greatestKey < entry.leastKey) {
            throw misfit("adds base segment \(entry.number) out of order")
        }
        base.insert(entry, at: place)
    }

    private mutating func addHistory(_ entry: SealedSegmentEntry) throws(FormatError) {
        try check(entry.number, entry.lastSequence, entry.fileLength, entry.generation)
        guard !history.contains(where: { $0.number == entry.number }), entry.leastKey <= entry.greatestKey, entry.generation > 0 else {
            throw misfit("adds history segment \(entry.number)")
        }
        // Behind the last of its generation; a key may go on from one segment to the next.
        let place = history.firstIndex { $0.generation < entry.generation } ?? history.endIndex
        if place > 0, history[place - 1].generation == entry.generation, !(history[place - 1].greatestKey <= entry.leastKey) {
            throw misfit("adds history segment \(entry.number) out of order")
        }
        history.insert(entry, at: place)
    }

    private mutating func raise(lastSequence: UInt64, endPosition: UInt64) {
        self.lastSequence = max(self.lastSequence, lastSequence)
        self.endPosition = max(self.endPosition, endPosition)
    }

    /// No number that was ever given out comes near 2^62; one that does must not make a sum overflow later.
    private func check(_ numbers: UInt64...) throws(FormatError) {
        for number in numbers where number >= 1 << 62 { throw misfit("holds the number \(number)") }
    }

    private func misfit(_ what: String) -> FormatError {
        FormatError(.corrupted, "the manifest \(what), which does not fit what it said before")
    }
}
