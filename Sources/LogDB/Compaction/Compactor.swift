//===--- Compactor.swift - one step of a compaction ------------------------===//
//
//      oldest segments of the log  ──sort──▶  newest operation of each key  ──┐
//                                                                             ├─ merge ──▶  new generation of the base
//      base, one source a generation  ────────────────────────────────────────┘
//
// The log's segments are the oldest there are behind the base, so base and they together hold all that is older than the rest of the log. So
// of each key only the newest operation among them is needed, and none if that is a delete, or the table is gone.
//
// The switch goes range by range, an edit of the manifest for each new segment: it adds the segment and removes those of older generations that end
// before the place where the merge stands. The log's segments stay listed up to the last edit, which removes them all, together with what is left of
// the older generations. Why no crash, reader or write can see anything else than the newest operation of each key:
//
//   * up to the last edit every operation of the log's segments is still in the log, and whoever reads takes the newest of log and base. What
//     the new segments leave out (deletes, superseded operations of the base) is answered by the log: its operation is newer.
//   * an older generation's segment goes only when every key in it lies before the merge, so that what counts of it is in the new one.
//   * the last edit is one frame: after it, nothing older than the new generation is left.
//   * tables are taken for dropped only after the drop is on the disk.
//   * a newest operation whose document has expired is left out as a delete is, and like a delete it hides what is older: the log's until the last edit; that of an older
//     segment until that one goes, together with or behind all of its own generation that is older. (Where a version in the history would outlast it, a delete is kept in its place.)
//
// Where versions are retained the merge delivers them all, and those that a VersionKeeper keeps go into a second row of segments, the history, by key and then
// newest first. Both rows grow together and each edit adds what was finished of both, so the same holds for them. See HistoryAndRetention.
//
// The account: what is read of the base, less what is superseded or dropped, must be what is written, less what came from the log. It is balanced
// before each edit, from sums that are formed in different places (SegmentCursor, here, SealedSegmentWriter).
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// What a step works on: taken once, at its beginning.
struct CompactionCut {
    var base: [SealedSegment]
    var history: [SealedSegment]
    var tail: [SealedSegment]
    var catalog: Catalog
    var generation: UInt64
    /// Up to where the base accounts for everything.
    var compacted: SequenceNumber
}

final class CompactionStep {
    private let log: Log
    private let cut: CompactionCut
    private let budget: Int
    private let sortBudget: Int
    private let throttle: Throttle
    private let pass: (Int) throws(LogDBError) -> Void
    private let writer: BaseWriter
    private let historyWriter: BaseWriter
    /// nil where only the newest operations count.
    private var keeper: VersionKeeper?
    /// The time that retention is measured from, and by which documents have expired: read once.
    private let now: Int64
    /// When the last operation was made that is taken in.
    private var endMilliseconds: Int64
    private var sorter: Sorter?
    /// Segments of older generations that are still listed.
    private var old: [SealedSegment]
    private var new: [SealedSegment] = []
    private var oldHistory: [SealedSegment]
    private var newHistory: [SealedSegment] = []
    private var hasSwitched = false
    // The account.
    private var consumed: [SegmentCursor] = []
    private var basePassed = TableDigests()
    private var logPassed = TableDigests()
    private var logWritten = TableDigests()
    /// Documents that were left out because they had expired, and what to say of them in the manifest where there is no keeper.
    private var expiredDocuments: UInt64 = 0
    private var expired = ExpiryHorizon()
    private var failure: LogDBError?
    private(set) var peakExtraBytes: UInt64 = 0
    private let oldBytes: UInt64
    private var retiredBytes: UInt64 = 0

    /// - Parameter pass: told of every uncompressed byte read; throws to stop.
    init(_ log: Log, _ cut: CompactionCut, budget: Int, throttle: Throttle, pass: @escaping (Int) throws(LogDBError) -> Void) {
        self.log = log
        self.cut = cut
        self.budget = budget
        self.throttle = throttle
        self.pass = pass
        old = cut.base
        oldHistory = cut.history
        // As who reads has it, which the precise clock is ahead of.
        now = log.readingMilliseconds
        endMilliseconds = now
        keeper = VersionRule(cut.catalog, hasHistory: !cut.history.isEmpty).map { [now] in VersionKeeper($0, cut.catalog, now: now) }
        oldBytes = (cut.base + cut.history).reduce(0) { $0 + $1.entry.fileLength }
        sortBudget = log.options.sortBudgetBytes ?? Self.sortBudget(budget)
        writer = BaseWriter(log, generation: cut.generation, blockLength: Self.blockLength(budget: budget), throttle: throttle)
        historyWriter = BaseWriter(
            log, order: .version, generation: cut.generation, blockLength: Self.blockLength(budget: budget), throttle: throttle)
    }

    /// Bytes of the memory budget that sorting may use.
    static func sortBudget(_ budget: Int) -> Int { budget / 2 }
    static func blockLength(budget: Int) -> Int { min(BlockBuilder.targetRawLength, budget / 16) }

    func run() throws(LogDBError) -> CompactionReport {
        do throws(LogDBError) {
            let report = try merge()
            sorter?.close()
            return report
        } catch {
            writer.discard()
            historyWriter.discard()
            sorter?.close()
            throw error
        }
    }

    private func sort() throws(LogDBError) -> (sources: [RecordCursor], digests: TableDigests) {
        let blockLength = Sorter.blockLength(
            budget: sortBudget, records: cut.tail.reduce(0) { $0 + $1.entry.records },
            rawLength: cut.tail.reduce(0) { $0 + $1.entry.rawLength })
        let overflow = Sorter.Overflow.spill { [log, throttle] () throws(LogDBError) in
            try SpillFile.make(
                in: log.directory, number: .random(in: 0 ... .max >> 1), blockLength: blockLength, throttle: throttle)
        }
        let sorter = Sorter(
            range: .everything, budget: sortBudget, filterBudget: Sorter.filterBudget(sortBudget), overflow: overflow,
            versions: keeper?.rule)
        self.sorter = sorter
        sorter.check = { [pass] () throws(LogDBError) in try pass(0) }
        do {
            let catalog = cut.catalog
            let keeper = keeper
            try sortLog(cut.tail, into: sorter, budget: budget / 8, passing: pass) {
                $0 == 0 || catalog.names[$0] != nil || keeper?.mayKeep(dropped: $0) == true
            }
            return try sorter.finish()
        } catch { throw error as! LogDBError }
    }

    private func findEnd() throws(LogDBError) {
        for segment in cut.tail.reversed() {
            let (file, _) = try segment.open()
            guard let block = try segment.footer(of: file).blocks.last else { continue }
            var raw = ByteBuffer()
            try segment.unpack(block, of: file, with: segment.container.makeDecompressor(), into: &raw)
            do { try segment.forEachRecord(in: raw, of: block) { _, _, milliseconds in endMilliseconds = milliseconds } } catch {
                throw error as! LogDBError
            }
            return
        }
    }

    private func merge() throws(LogDBError) -> CompactionReport {
        try findEnd()
        let (sources, logDigests) = try sort()
        noteExtra()
        let generations = generations(of: cut.base) + generations(of: cut.history)
        consumed = generations.map { SegmentCursor($0, budget: budget / 4 / generations.count, isAccounted: true) }
        let merge = Merge(sources + consumed)
        merge.versions = keeper?.rule
        merge.superseded = { [self] cursor in
            if failure == nil { do throws(LogDBError) { try keepHidden(cursor) } catch { failure = error } }
            passOver(cursor)
        }
        var count = 0
        var unreported = 0
        while let cursor = try merge.next() {
            count += 1
            unreported += cursor.keyBytes.count + cursor.documentBytes.count
            if count % 1024 == 0 {
                try pass(unreported)
                unreported = 0
            }
            if keeper != nil {
                try settleVersion(cursor)
                continue
            }
            if cursor.isDelete { continue }
            guard cursor.table == 0 || cut.catalog.names[cursor.table] != nil else {
                passOver(cursor)
                continue
            }
            if let failure { throw failure }
            try cursor.loadDocument()
            if cursor.table != 0, let expires = Expiry.milliseconds(of: cursor.record.document), expires <= now {
                expired = expired.joined(ExpiryHorizon(sequence: cursor.sequence, milliseconds: expires))
                expiredDocuments += 1
                passOver(cursor)
                continue
            }
            if writer.isFull(before: cursor.keyBytes.count + cursor.documentBytes.count) {
                try switchOver(before: FullKey(cursor.record))
            }
            let term = ContentDigest.term(key: cursor.record.key, document: cursor.record.document)
            if !cursor.isBase { logWritten.add(cursor.table, term: term) }
            try writer.append(cursor, term: term)
        }
        if let failure { throw failure }
        try pass(unreported)
        logPassed.add(logWritten)
        guard logPassed == logDigests else { throw Sorter.unbalanced("the new generation") }
        try switchOver(before: nil)
        var report = CompactionReport()
        report.documents = writer.documents
        report.expired = expiredDocuments
        report.writtenBytes = writer.writtenBytes + historyWriter.writtenBytes
        report.spilledBytes = sorter?.spill?.writtenBytes ?? 0
        report.peakExtraBytes = peakExtraBytes
        return report
    }

    /// Sees to one of a key's operations, newest first.
    private func settleVersion(_ cursor: RecordCursor) throws(LogDBError) {
        if let failure { throw failure }
        if !cursor.isDelete { try cursor.loadDocument() }
        switch keeper!.judge(cursor) {
        case .held: return
        case .expired:
            expiredDocuments += 1
            passOver(cursor)
        case .dropped:
            try keepHidden(cursor)
            passOver(cursor)
        case .live:
            try makeRoom(before: cursor)
            let term = ContentDigest.term(key: cursor.record.key, document: cursor.record.document)
            if !cursor.isBase { logWritten.add(cursor.table, term: term) }
            try writer.append(cursor, term: term)
        case .history:
            try makeRoom(before: cursor)
            if let held = keeper!.takeHeld() { try writeDelete(held, cursor) }
            let term = cursor.isDelete ? 0 : ContentDigest.term(key: cursor.record.key, document: cursor.record.document)
            if !cursor.isBase, !cursor.isDelete { logWritten.add(cursor.table, term: term) }
            try historyWriter.append(cursor, term: term)
        }
    }

    /// Keeps the delete that hides the cursor's document, which goes, where it is still needed then.
    private func keepHidden(_ cursor: RecordCursor) throws(LogDBError) {
        guard !cursor.isDelete, let held = keeper?.takeHeld(hiding: cursor) else { return }
        try writeDelete(held, cursor)
    }

    /// Keeps a delete of the cursor's key.
    private func writeDelete(_ held: (sequence: SequenceNumber, milliseconds: Int64), _ cursor: RecordCursor) throws(LogDBError) {
        try historyWriter.append(
            Record(table: cursor.table, key: cursor.key, isDelete: true, document: Span()), sequence: held.sequence,
            milliseconds: held.milliseconds, term: 0)
    }

    /// The two rows share the size of a segment, so that there are not more of them, and end together.
    private func makeRoom(before cursor: RecordCursor) throws(LogDBError) {
        let written = writer.rawLength + historyWriter.rawLength
        guard written > 0, written + UInt64(cursor.keyBytes.count + cursor.documentBytes.count) > UInt64(log.options.segmentSizeBytes)
        else {
            return
        }
        try switchOver(before: FullKey(cursor.record))
    }

    /// A newer operation or the drop of its table settles what becomes of the cursor's record: nothing.
    private func passOver(_ cursor: RecordCursor) {
        guard !cursor.isDelete, failure == nil else { return }
        do throws(LogDBError) {
            try cursor.loadDocument()
            if cursor.isBase { basePassed.add(cursor.record) } else { logPassed.add(cursor.record) }
        } catch { failure = error }
    }

    /// What was read of the base, less what was passed over, is what was written, less what came from the log.
    private func balance() throws(LogDBError) {
        var input = TableDigests()
        for cursor in consumed { input.add(cursor.consumed) }
        var output = writer.digests
        output.add(historyWriter.digests)
        output.add(basePassed)
        input.add(logWritten)
        guard input == output else { throw Sorter.unbalanced("the new generation") }
    }

    private func noteExtra() {
        let written = writer.writtenBytes + historyWriter.writtenBytes + (sorter?.spill?.heldBytes ?? 0)
        peakExtraBytes = max(peakExtraBytes, written > retiredBytes ? written - retiredBytes : 0, sorter?.spill?.peakBytes ?? 0)
    }

    /// Ends the segment being written and lets the manifest list it instead of what it replaces. `next` is the key at which the merge stands; nil at
    /// the end, where the log's segments are replaced as well.
    private func switchOver(before next: FullKey?) throws(LogDBError) {
        let entry = try writer.finish()
        let historyEntry = try historyWriter.finish()
        noteExtra()
        try balance()
        var edits = horizonEdits()
        var added: SealedSegment?
        var addedHistory: SealedSegment?
        if let entry {
            edits.append(.addBase(entry))
            added = SealedSegment(entry, database: log.manifest.database, in: log.directory)
        }
        if let historyEntry {
            edits.append(.addHistory(historyEntry))
            addedHistory = SealedSegment(historyEntry, database: log.manifest.database, in: log.directory)
        }
        let coveredBase = next.map { next in old.filter { $0.entry.greatestKey < next } } ?? old
        let coveredHistory = Self.covered(oldHistory, before: next)
        let covered = coveredBase + coveredHistory
        edits += coveredBase.map { .removeBase(number: $0.entry.number) }
        edits += coveredHistory.map { .removeHistory(number: $0.entry.number) }
        if next == nil, let last = cut.tail.last {
            edits += cut.tail.map { .removeSealed(number: $0.entry.number) }
            edits.append(.compacted(CompactedLog(last.entry)))
            // The drops of tables go with the log: that their ids were used must be remembered.
            edits.append(.counters(nextSegment: 0, nextTable: cut.catalog.nextID, lastSequence: 0, endPosition: 0))
        }
        guard !edits.isEmpty else { return }
        do throws(LogDBError) {
            if entry != nil || historyEntry != nil { try mapped { () throws(FileError) in try log.directory.sync() } }
            try log.manifest.append(edits)
        } catch {
            // Whether the manifest lists the segment is unknown then, and only reopening tells.
            if !error.code.leavesDiskAsItWas {
                writer.keep()
                historyWriter.keep()
                log.monitor.withLock { $0.poison(error) }
            }
            throw error
        }
        writer.keep()
        historyWriter.keep()
        hasSwitched = true
        if let added { new.append(added) }
        if let addedHistory { newHistory.append(addedHistory) }
        let gone = Set(covered.map(\.entry.identity))
        old.removeAll { gone.contains($0.entry.identity) }
        oldHistory.removeAll { gone.contains($0.entry.identity) }
        retiredBytes += covered.reduce(0) { $0 + $1.entry.fileLength }
        publish(isLast: next == nil)
        log.reaper.retire(covered.map(\.name) + (next == nil ? cut.tail.map(\.name) : []))
    }

    /// The segments of older histories that end before the place where the merge stands. A key may go on from one to the next: then the first stays as long as
    /// the second, for it has the newer operations, a delete of what the second has among them.
    private static func covered(_ history: [SealedSegment], before next: FullKey?) -> [SealedSegment] {
        guard let next else { return history }
        var result: [SealedSegment] = []
        for generation in generations(of: history) {
            var following: (leastKey: FullKey, isCovered: Bool)?
            for segment in generation.reversed() {
                let isNeeded = following.map { !$0.isCovered && $0.leastKey == segment.entry.greatestKey } ?? false
                let isCovered = segment.entry.greatestKey < next && !isNeeded
                if isCovered { result.append(segment) }
                following = (segment.entry.leastKey, isCovered)
            }
        }
        return result
    }

    /// From when on history will be complete. Before the first segment goes, all tables without a retention of their own lose everything up to the
    /// end of what is taken in; the others what the keeper has let go of so far.
    private func horizonEdits() -> [ManifestEdit] {
        var edits: [ManifestEdit] = []
        let state = log.manifest.state
        let before = max(state.horizon.sequence, cut.compacted)
        if !hasSwitched {
            edits += ladderEdits(
                state,
                common: HistoryHorizon(sequence: before, milliseconds: before == state.horizon.sequence ? state.horizon.milliseconds : now))
            for id in cut.catalog.retentions.keys.sorted() where state.horizons[id] == nil {
                // A number of 0 would take it away: before the first operation there is nothing to be told.
                edits.append(
                    .horizon(
                        table: id,
                        HistoryHorizon(
                            sequence: max(1, before), milliseconds: before == state.horizon.sequence ? state.horizon.milliseconds : now)))
            }
            // Tables that retain nothing any more go by the common one.
            for id in state.horizons.keys.sorted() where id != 0 && cut.catalog.retentions[id] == nil {
                edits.append(.horizon(table: id, HistoryHorizon()))
            }
            edits += expiryScopeEdits(state)
            if let end = cut.tail.last?.entry.lastSequence, end > before {
                edits.append(.horizon(table: nil, HistoryHorizon(sequence: end, milliseconds: endMilliseconds)))
            }
            // Of tables that were dropped only savepoints are kept.
            if let drop = cut.catalog.drops.values.max(), drop > state.horizons[0]?.sequence ?? 0 {
                edits.append(.horizon(table: 0, HistoryHorizon(sequence: drop, milliseconds: .max)))
            }
        }
        edits += expiryEdits(after: edits, state)
        for (table, horizon) in (keeper?.takeRaised() ?? [:]).sorted(by: { $0.key < $1.key }) {
            let known = state.horizons[table]?.sequence ?? max(1, before)
            if horizon.sequence > known { edits.append(.horizon(table: table, horizon)) }
        }
        return edits
    }

    /// Tables that retain something from now on have lost what all others have; and those that do not any more pass on what they have lost.
    private func expiryScopeEdits(_ state: ManifestState) -> [ManifestEdit] {
        var edits: [ManifestEdit] = []
        for id in cut.catalog.retentions.keys.sorted() where state.horizons[id] == nil && state.expired != ExpiryHorizon() {
            edits.append(.expired(table: id, state.expired))
        }
        var common = state.expired
        for (id, horizon) in state.expiries.sorted(by: { $0.key < $1.key }) where cut.catalog.retentions[id] == nil {
            if cut.catalog.names[id] != nil { common = common.joined(horizon) }
            edits.append(.expired(table: id, ExpiryHorizon()))
        }
        if common != state.expired { edits.append(.expired(table: nil, common)) }
        return edits
    }

    /// What has expired and goes with the next edit.
    private func expiryEdits(after edits: [ManifestEdit], _ state: ManifestState) -> [ManifestEdit] {
        var gone = keeper?.takeExpired() ?? [:]
        if expired != ExpiryHorizon() { gone[nil] = gone[nil]?.joined(expired) ?? expired }
        var known = state
        for case .expired(let table, let horizon) in edits {
            if let table { known.expiries[table] = horizon } else { known.expired = horizon }
        }
        return gone.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.compactMap { table, horizon in
            let before = table.map { known.expiries[$0] ?? ExpiryHorizon() } ?? known.expired
            let joined = before.joined(horizon)
            return joined == before ? nil : .expired(table: table, joined)
        }
    }

    /// Since when tables go by their ladders: from where on all could be told when this one was first gone by.
    private func ladderEdits(_ state: ManifestState, common: HistoryHorizon) -> [ManifestEdit] {
        var edits: [ManifestEdit] = []
        for (id, retention) in cut.catalog.retentions.sorted(by: { $0.key < $1.key }) {
            guard let checksum = retention.ladderChecksum else { continue }
            let horizon = state.horizons[id] ?? common
            var record = LadderRecord(checksum: checksum, since: horizon.sequence <= 1 ? .min : horizon.milliseconds, now: now)
            if let known = state.ladders[id], known.checksum == checksum {
                record.since = known.since
                record.now = max(known.now, now)
            }
            if record != state.ladders[id] { edits.append(.ladder(table: id, record)) }
        }
        for id in state.ladders.keys.sorted() where cut.catalog.retentions[id]?.ladderChecksum == nil {
            edits.append(.ladder(table: id, LadderRecord(checksum: 0, since: 0, now: 0)))
        }
        return edits
    }

    private func publish(isLast: Bool) {
        log.monitor.withLock { state in
            state.base = new + old
            state.history = newHistory + oldHistory
            guard isLast else { return }
            if !state.catalog.drops.isEmpty {
                state.catalog.forgetDrops(through: cut.tail.last?.entry.lastSequence ?? cut.compacted, but: keeper?.keptDrops ?? [])
            }
            guard let last = cut.tail.last else { return }
            state.sealed.removeAll { $0.entry.number <= last.entry.number }
            state.compacted = CompactedLog(last.entry)
        }
    }
}
