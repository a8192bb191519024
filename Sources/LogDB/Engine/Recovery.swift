//===--- Recovery.swift - what is there, and what it means -----------------===//
//
// Reads the manifest, the header of every segment and the frames of the raw ones; never the data at rest. Then decides:
//
//   * a sealed or closed segment that is missing, shorter, longer or another than the manifest says    → damage
//   * a bad place before the end of a closed segment                                                    → damage
//   * a bad place that some good frame behind it, a mark, or the manifest says had been synced          → damage
//   * any other bad place: a power cut took what nobody had been promised                               → the log ends there
//
// Looking changes nothing on the disk. Acting on it (`Database.open` for writing) syncs what it keeps before the manifest says
// that it is kept, and removes leftovers only after that.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// A database as found on the disk.
struct Inspection {
    var manifest: LoadedManifest
    var base: [SealedSegment] = []
    var history: [SealedSegment] = []
    var sealed: [SealedSegment] = []
    /// The raw segments that count, in order.
    var raw: [RawProgress] = []
    /// Numbers of raw segments in the manifest that hold nothing that counts.
    var discarded: [UInt64] = []
    /// Kept raw segments that the manifest does not know to be closed, each with the offset up to which it is known to be on the disk.
    var unclosed: [UInt64: UInt64] = [:]
    var catalog = Catalog()
    /// Committed transactions with operations in raw segments, and those that are not (yet) committed.
    var committed: [UInt64: UInt64] = [:]
    var uncommitted: Set<UInt64> = []
    /// Transactions with a commit or rollback in raw segments.
    var ended: Set<UInt64> = []
    var nextSequence: SequenceNumber = 1
    var position: UInt64 = 0
    var tornBytes: UInt64 = 0
    /// Where the log was cut.
    var cut: (file: String, number: UInt64, offset: UInt64)?
    /// Whether the folder has a ring: the last writer did not close the database, or its ring's removal did not last.
    var hasRing = false
    /// Whether the last writer left the file of its next segment.
    var hasSpare = false
    /// Files of ours that the manifest does not list.
    var leftovers: [String] = []
    /// A number that no file of the base has, listed or not: who reads in another process may hold one that is gone from the list.
    var nextBase: UInt64 = 1
}

extension Inspection {
    /// Looks at the database in `directory`; nil where there is none and one may be created.
    static func inspect(_ directory: any Directory, for access: FileAccess) throws(LogDBError) -> Inspection? {
        let names = try mapped { () throws(FileError) in try directory.list() }
        guard let number = try manifestNumber(names) else { return nil }
        var inspection = Inspection(manifest: try LoadedManifest.load(number, in: directory))
        try inspection.openBase(in: directory)
        try inspection.openHistory(in: directory)
        try inspection.openSealed(in: directory)
        inspection.hasRing = names.contains(FileNames.ring)
        inspection.hasSpare = names.contains(FileNames.spare)
        try inspection.scanRaw(in: directory, for: access)
        inspection.leftovers = names.filter { inspection.isLeftover($0) }
        for name in names {
            switch FileNames(name) {
            case .base(let number, _), .history(let number, _): inspection.nextBase = max(inspection.nextBase, number + 1)
            default: break
            }
        }
        for name in inspection.leftovers.sorted() { try inspection.checkLeftover(name, in: directory) }
        return inspection
    }

    /// The number of the valid manifest; nil in a folder where a database may be created.
    static func manifestNumber(_ names: [String]) throws(LogDBError) -> UInt64? {
        var newest: UInt64?
        var segment: String?
        var stranger: String?
        for name in names {
            switch FileNames(name) {
            case .manifest(let number): newest = max(newest ?? 0, number)
            case .raw, .sealed: segment = name
            case .base, .history: segment = name
            case .temporaryManifest, .run: break
            case nil: if ![FileNames.lock, FileNames.readers, FileNames.ring, FileNames.spare].contains(name) { stranger = name }
            }
        }
        if let newest { return newest }
        if let unfinished = names.first(where: { $0.hasSuffix(UnfinishedDirectory.suffix) }) {
            throw LogDBError(
                .notADatabase, "the folder is what a salvage left unfinished (\(unfinished)): remove it, and salvage the original again")
        }
        if let segment {
            throw LogDBError(.corrupted, "the manifest is missing, but there are segments such as \(segment)", file: "MANIFEST")
        }
        if let stranger {
            throw LogDBError(.notADatabase, "the folder is no database, and not empty: it holds \(stranger). Name a new or empty folder")
        }
        return nil
    }

    private func isLeftover(_ name: String) -> Bool {
        switch FileNames(name) {
        case .manifest(let number): number != manifest.number
        case .temporaryManifest, .run: true
        case .raw(let number): !manifest.state.raw.contains { $0.number == number }
        case .sealed(let number, let container):
            !manifest.state.sealed.contains { $0.number == number && $0.codec.container == container }
        case .base(let number, let container):
            !manifest.state.base.contains { $0.number == number && $0.codec.container == container }
        case .history(let number, let container):
            !manifest.state.history.contains { $0.number == number && $0.codec.container == container }
        case nil: false
        }
    }

    /// A segment that the manifest should know and does not is no leftover: the manifest lost its tail, or is an old copy. Numbers are given
    /// out in the manifest, so what interrupted work leaves has a number that was given out; or it is the next raw segment,
    /// created and not yet named, in which nothing can have been written.
    private func checkLeftover(_ name: String, in directory: any Directory) throws(LogDBError) {
        let next = manifest.state.nextSegment
        switch FileNames(name) {
        case .sealed(let number, _) where number >= next: break
        case .raw(let number) where number > next: break
        case .raw(let number) where number == next:
            guard try holdsFrames(name, in: directory) else { return }
        default: return
        }
        throw LogDBError(
            .corrupted, "\(FileNames.manifest(manifest.number).name) does not know this segment: it lost its end, or is an old copy",
            file: name)
    }

    private func holdsFrames(_ name: String, in directory: any Directory) throws(LogDBError) -> Bool {
        let file: any File
        let header: RawSegmentHeader
        let size: UInt64
        do {
            file = try directory.open(name, for: .reading)
            size = try file.size()
            let bytes = try file.read(at: 0, count: RawSegmentHeader.length)
            header = try RawSegmentHeader(decoding: bytes.span)
        } catch { return false }
        guard header.file.database == manifest.header.database else { return false }
        let seed = Checksum.seed(identity: header.file.identity)
        var scanner = FrameScanner(file, seed: seed, from: RawSegment.frameOrigin, limit: size)
        return try mapped { () throws(FileError) in try scanner.next() } != nil
    }

    /// Proves that each segment of the base is there and is the one meant; reads the catalog's blocks, the oldest generation first.
    private mutating func openBase(in directory: any Directory) throws(LogDBError) {
        for entry in manifest.state.base {
            let segment = SealedSegment(entry, database: manifest.header.database, in: directory)
            _ = try segment.open()
            base.append(segment)
        }
        var end = base.count
        while end > 0 {
            let generation = base[end - 1].entry.generation
            let start = base[..<end].firstIndex { $0.entry.generation == generation } ?? end - 1
            for segment in base[start..<end] where segment.entry.holdsCatalog { try readCatalog(of: segment, segment.open().0) }
            end = start
        }
    }

    /// Proves that each segment of the history is there and is the one meant. Of the catalog it has what was said earlier; it is needed to know when
    /// tables were dropped whose documents a savepoint keeps.
    private mutating func openHistory(in directory: any Directory) throws(LogDBError) {
        for entry in manifest.state.history {
            let segment = SealedSegment(entry, database: manifest.header.database, in: directory)
            let (file, _) = try segment.open()
            history.append(segment)
            guard entry.holdsCatalog else { continue }
            var catalog = catalog
            defer { self.catalog = catalog }
            try forEachCatalogRecord(of: segment, file) { record, place throws(FormatError) in
                if record.isDelete { try catalog.noteDrop(key: record.key, sequence: place.number) }
            }
        }
    }

    /// Proves that each sealed segment is there, is the one meant and follows its predecessor; reads the catalog's blocks.
    private mutating func openSealed(in directory: any Directory) throws(LogDBError) {
        var previous = manifest.state.compacted
        for entry in manifest.state.sealed {
            let segment = SealedSegment(entry, database: manifest.header.database, in: directory)
            let (file, header) = try segment.open()
            guard header.predecessorNumber == previous.number, header.predecessorIdentity == previous.identity,
                header.predecessorDigest == previous.digest, header.predecessorLastSequence == previous.lastSequence,
                entry.firstSequence == previous.lastSequence + 1
            else {
                throw LogDBError(
                    .corrupted,
                    "the segment does not follow the one before it (number \(previous.number)): one was swapped or is missing",
                    file: segment.name, offset: 0)
            }
            if entry.holdsCatalog { try readCatalog(of: segment, file) }
            sealed.append(segment)
            previous = CompactedLog(entry)
        }
        nextSequence = previous.lastSequence + 1
        position = previous.endPosition
    }

    private mutating func readCatalog(of segment: SealedSegment, _ file: any File) throws(LogDBError) {
        var catalog = catalog
        defer { self.catalog = catalog }
        try forEachCatalogRecord(of: segment, file) { record, place throws(FormatError) in
            try catalog.apply(key: record.key, isDelete: record.isDelete, document: record.document, sequence: place.number, place.time)
        }
    }

    private func forEachCatalogRecord(
        of segment: SealedSegment, _ file: any File, _ body: (Record, (number: SequenceNumber, time: Int64)) throws(FormatError) -> Void
    ) throws(LogDBError) {
        let decompressor = segment.container.makeDecompressor()
        var raw = ByteBuffer()
        for block in try segment.footer(of: file).blocks where block.holdsCatalog {
            try segment.unpack(block, of: file, with: decompressor, into: &raw)
            do throws(FormatError) {
                var reader = try BlockReader(raw.span, entry: block)
                while try reader.hasNext() {
                    let record = try reader.next()
                    if record.table == 0 { try body(record, (reader.sequence, reader.milliseconds)) }
                }
            } catch { throw LogDBError(error, in: segment.name, at: block.offset) }
        }
    }

    // MARK: - Raw segments

    private mutating func scanRaw(in directory: any Directory, for access: FileAccess) throws(LogDBError) {
        let entries = manifest.state.raw
        // Before any segment is read: what a writer drains from now on is found in the segment, what it drained before is there.
        let ring = entries.last?.end == nil ? try RingReading.open(in: directory, database: manifest.header.database) : nil
        var segments: [RawSegment] = []
        var sizes: [UInt64] = []
        for entry in entries {
            let segment = try RawSegment.open(entry, database: manifest.header.database, in: directory, for: access)
            segments.append(segment)
            sizes.append(try mapped { () throws(FileError) in try segment.file.size() })
        }
        for index in entries.indices {
            let entry = entries[index]
            var segment = segments[index]
            try checkPlace(of: segment, after: index > 0 ? segments[index - 1] : nil)
            let next = index + 1 < segments.count ? segments[index + 1] : nil
            let base = segment.header.basePosition
            let known = entry.end ?? next.map { $0.header.basePosition &- base }
            if let known, known < RawSegment.frameOrigin || known > sizes[index] {
                throw LogDBError(
                    .corrupted, "the segment ends at byte \(known) by what follows it, but has \(sizes[index])", file: segment.name,
                    offset: min(known, sizes[index]))
            }
            let limit = known ?? sizes[index]
            var (scanned, stoppedAtMark, claim) = try scan(segment, from: RawSegment.frameOrigin, limit: limit)
            // Where the file stops and the ring goes on.
            var filed: UInt64?
            if let ring, next == nil {
                let found = try goOn(in: ring, segment, from: scanned, limit: limit, for: access)
                if found.offset > scanned {
                    (segment, filed, scanned, stoppedAtMark) = (found.segment, found.filed, found.offset, found.stoppedAtMark)
                    claim = max(claim, found.claim)
                }
            }
            if let end = entry.end, scanned == end, end < sizes[index] {
                var beyond = FrameScanner(segment.file, seed: segment.seed, from: end, limit: sizes[index])
                guard try mapped({ () throws(FileError) in try beyond.next() }) == nil else {
                    throw LogDBError(
                        .corrupted,
                        "the log goes on behind the end that \(FileNames.manifest(manifest.number).name) knows: it lost its own end",
                        file: segment.name, offset: end)
                }
            }
            if known == nil || scanned < limit {
                var after = try segment.aftermath(from: scanned, limit: sizes[index])
                if let filed {
                    // What the ring covers may say more than the ring does.
                    let covered = try segments[index].aftermath(from: filed, limit: sizes[index])
                    after.claim = max(after.claim, covered.claim)
                }
                if access == .reading, after.claim > base + scanned {
                    // Beside a writer: what was half written a moment ago may be whole now.
                    let again = try scan(segment, from: scanned, limit: limit)
                    if again.offset > scanned {
                        (scanned, stoppedAtMark) = (again.offset, again.stoppedAtMark)
                        after.claim = 0
                    }
                }
                for later in segments[(index + 1)...] {
                    let size = sizes[segments.firstIndex { $0 === later }!]
                    let found = try later.aftermath(from: RawSegment.frameOrigin, limit: size)
                    after.claim = max(after.claim, found.claim)
                    after.writtenBytes += found.writtenBytes
                }
                claim = max(claim, after.claim, manifest.state.endPosition)
                if claim > base + scanned || entry.end != nil {
                    throw LogDBError(
                        .corrupted, "the frame here had been synced and does not hold: operations from number \(nextSequence) on are lost",
                        file: segment.name, offset: scanned)
                }
                // A mark stands behind the last frame and is no loss; what lies behind a mark that is older than it was somebody's.
                let lost = after.writtenBytes - (stoppedAtMark ? min(after.writtenBytes, UInt64(FrameHeader.length)) : 0)
                if lost > 0 || !stoppedAtMark && scanned < limit && known != nil {
                    tornBytes += lost
                    cut = (segment.name, segment.number, scanned)
                }
                // What is in the ring only must get to the file, whatever is said to be on the disk.
                let proven = filed.map { min(claim, base + $0) } ?? claim
                finish(segment, entry, end: scanned, size: sizes[index], proven: proven, isLast: true)
                discarded += segments[(index + 1)...].map(\.number)
                return
            }
            finish(segment, entry, end: scanned, size: sizes[index], proven: claim, isLast: next == nil)
        }
    }

    /// Follows the log on in the ring from `start`, where the file of `segment` stops.
    private mutating func goOn(
        in ring: RingReading, _ segment: RawSegment, from start: UInt64, limit: UInt64, for access: FileAccess
    ) throws(LogDBError) -> (segment: RawSegment, filed: UInt64?, offset: UInt64, stoppedAtMark: Bool, claim: UInt64) {
        var found = (segment: segment, filed: UInt64?.none, offset: start, stoppedAtMark: false, claim: UInt64(0))
        while true {
            let from = found.offset
            let ended = ended
            let bytes = try ring.frames(
                from: segment.header.basePosition + from, seed: segment.seed, sequence: nextSequence, limit: limit - from
            ) { ended.contains($0) }
            if access == .reading {
                // Beside a writer: what it has stored over in the ring is in the file by now, and more.
                var scanner = FrameScanner(segment.file, seed: segment.seed, from: from, limit: limit)
                while try mapped({ () throws(FileError) in try scanner.next() }) != nil {}
                if scanner.offset > from + UInt64(bytes.count) {
                    let more = try scan(segment, from: from, limit: limit)
                    (found.offset, found.stoppedAtMark, found.claim) = (more.offset, more.stoppedAtMark, max(found.claim, more.claim))
                    continue
                }
            }
            guard !bytes.isEmpty else { return found }
            found.segment = RawSegment(
                file: ContinuedFile(segment.file, at: from, with: bytes), header: segment.header, waypoints: segment.waypoints)
            found.filed = from
            let more = try scan(found.segment, from: from, limit: limit)
            (found.offset, found.stoppedAtMark, found.claim) = (more.offset, more.stoppedAtMark, max(found.claim, more.claim))
            return found
        }
    }

    private mutating func finish(
        _ segment: RawSegment, _ entry: RawSegmentEntry, end: UInt64, size: UInt64, proven: UInt64, isLast: Bool
    ) {
        let base = segment.header.basePosition
        // An empty one has a place in the log if another follows: its header counts in the positions.
        if entry.end == nil, end == RawSegment.frameOrigin, isLast {
            discarded.append(segment.number)
            return
        }
        if entry.end == nil { unclosed[segment.number] = min(end, max(proven, base + RawSegment.frameOrigin) - base) }
        raw.append(RawProgress(segment: segment, end: end, allocated: size, lastSequence: nextSequence - 1))
        position = segment.header.basePosition + end
    }

    private func checkPlace(of segment: RawSegment, after previous: RawSegment?) throws(LogDBError) {
        let header = segment.header
        let before =
            previous?.number ?? sealed.last?.entry.number ?? (manifest.state.compacted.number > 0 ? manifest.state.compacted.number : nil)
        let beforeIdentity = previous?.identity
        guard header.firstSequence == nextSequence, header.basePosition == position,
            before == nil || header.predecessorNumber <= before!,
            beforeIdentity == nil || header.predecessorNumber != previous!.number || header.predecessorIdentity == beforeIdentity!
        else {
            throw LogDBError(
                .corrupted,
                "the segment begins with operation \(header.firstSequence), the one before it ends with \(nextSequence - 1): one is missing or was swapped",
                file: segment.name, offset: UInt64(FileHeader.fixedLength))
        }
    }

    /// Follows the frames of `segment`, counting operations and reading the catalog's.
    private mutating func scan(
        _ segment: RawSegment, from start: UInt64, limit: UInt64
    ) throws(LogDBError) -> (offset: UInt64, stoppedAtMark: Bool, claim: UInt64) {
        var scanner = FrameScanner(segment.file, seed: segment.seed, from: start, limit: limit)
        var nextWaypoint = start
        while let header = try mapped({ () throws(FileError) in try scanner.next() }) {
            if scanner.frameOffset >= nextWaypoint {
                segment.waypoints.note(scanner.frameOffset)
                nextWaypoint = scanner.frameOffset + Waypoints.distance / 8
            }
            guard header.sequence == nextSequence else {
                throw LogDBError(
                    .corrupted, "the frame begins with operation \(header.sequence), \(nextSequence) was expected", file: segment.name,
                    offset: scanner.frameOffset)
            }
            do throws(FormatError) {
                var reader = ByteReader(scanner.payload)
                switch header.kind {
                case .operations: break
                case .transactionOperations:
                    let number = try reader.varint()
                    // Whether its operations counted would depend on what is sealed already.
                    guard !ended.contains(number) else {
                        throw FormatError(.corrupted, "transaction \(number) goes on behind its end")
                    }
                    uncommitted.insert(number)
                case .commit:
                    let number = try reader.varint()
                    if uncommitted.remove(number) != nil { committed[number] = segment.number }
                    ended.insert(number)
                case .rollback:
                    let number = try reader.varint()
                    uncommitted.remove(number)
                    ended.insert(number)
                case .mark, .manifestEdits: throw FormatError(.corrupted, "a frame of kind \(header.kind) has no place in a segment")
                }
                if header.kind == .commit || header.kind == .rollback, !reader.isAtEnd {
                    throw FormatError(.corrupted, "a frame that ends a transaction holds more than its number", at: reader.position)
                }
                while !reader.isAtEnd {
                    let record = try reader.record()
                    if record.table == 0 {
                        guard header.kind == .operations else {
                            throw FormatError(.corrupted, "a transaction holds an operation on the catalog", at: reader.position)
                        }
                        try catalog.apply(
                            key: record.key, isDelete: record.isDelete, document: record.document, sequence: nextSequence,
                            header.milliseconds)
                    } else if record.table >= catalog.nextID, record.table >= manifest.state.nextTable {
                        // It would appear in the next table that is made.
                        throw FormatError(
                            .corrupted, "an operation is for table \(record.table), which was never made", at: reader.position)
                    }
                    nextSequence += 1
                }
            } catch { throw LogDBError(error, in: segment.name, at: scanner.frameOffset + UInt64(FrameHeader.length)) }
        }
        return (scanner.offset, scanner.stoppedAtMark, scanner.claim)
    }
}

// MARK: - Acting

extension Inspection {
    /// Makes what was found the durable truth, and removes what does not belong to it. Returns the manifest to go on with.
    func recover(
        in directory: any Directory, _ options: Options, _ reaper: Reaper, _ report: inout RecoveryReport
    ) throws(LogDBError) -> Manifest {
        report.wasClosed = unclosed.isEmpty && discarded.isEmpty && manifest.tornBytes == 0
        report.tornBytes = tornBytes + manifest.tornBytes
        report.cutFile = cut?.file
        report.cutOffset = cut?.offset ?? 0
        report.removedFiles = leftovers.count
        report.milliseconds = Clock.wallMilliseconds()
        if !report.wasClosed {
            // What is kept must be on the disk before anything says so: it may so far be in the page cache only.
            for progress in raw {
                guard let proven = unclosed[progress.segment.number] else { continue }
                try mapped { () throws(FileError) in
                    try progress.segment.file.rewrite(from: proven, to: progress.end)
                    try progress.segment.file.sync()
                }
            }
        }
        let manifest = try Manifest.resume(self.manifest, in: directory, options: options)
        if !report.wasClosed {
            var edits = raw.filter { unclosed[$0.segment.number] != nil }.map {
                ManifestEdit.closeRaw(number: $0.segment.number, end: $0.end, endPosition: $0.endPosition, lastSequence: $0.lastSequence)
            }
            edits += discarded.map { ManifestEdit.removeRaw(number: $0) }
            edits.append(
                .recovered(
                    RecoverySummary(
                        milliseconds: report.milliseconds, tornBytes: report.tornBytes, segment: cut?.number ?? 0,
                        offset: report.cutOffset, removedFiles: UInt64(leftovers.count))))
            try manifest.append(edits)
        }
        // From here on nothing can go wrong that matters: these files are not part of the database. Nor is the ring, now that the segment is closed.
        if hasRing { RingFile.remove(from: directory) }
        if hasSpare { try? directory.remove(FileNames.spare) }
        reaper.retire(leftovers)
        for number in discarded { try? directory.remove(FileNames.raw(number).name) }
        for progress in raw where unclosed[progress.segment.number] != nil { try? progress.segment.file.truncate(to: progress.end) }
        return manifest
    }
}
