//===--- Salvage.swift - what is still readable, into a new database --------===//
//
//      survey   every file in the folder, by what it is; each frame and block proven on its own      SalvageSurvey, RawSurvey, SealedSurvey
//      plan     what counts, what is missing                                                         LogPlan, BasePlan
//      census   which transactions happened, which tables there are                                  SalvageCensus
//      replay   what is left, in order, into a new database                                          SalvageReplay, SalvageWriter
//
// The old folder is only read. The new one becomes a database with the last step (see UnfinishedDirectory). What it can and cannot
// know: CrashSafety.md, Salvage.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

extension Database {
    /// Recovers every operation that can still be read from the damaged database at `path`, and writes a new one at `newPath`.
    ///
    /// Works from the files themselves, whatever is missing. Nothing in the old folder is changed. Operations keep their order and their times, so the newest of
    /// each key that is left is the one that counts; sequence numbers are new. A database without damage gives the same documents, versions, savepoints and past states.
    /// Where something is lost, of the past only savepoints can be asked for, and the report says which of them may lack something.
    /// What is lost is in the report: by file, bytes, tables, and sequence numbers of the old database.
    ///
    /// When this returns the new database is closed and on the disk. Memory: ``Options/memoryBudgetBytes``, some tens of MiB and the largest document, and some bytes for each
    /// damaged place. Reads everything twice; what was compacted is sorted by number again, in a file in the new folder where memory has no room. What it cannot know is told
    /// in <doc:CrashSafety>.
    ///
    /// - Parameters:
    ///   - newPath: a folder that does not exist, or is empty. It is not a database until all is written.
    ///   - options: of the new database: codec, segment size.
    ///   - progress: called now and then; what it throws stops the salvage.
    /// - Throws: what `progress` throws, and ``LogDBError`` with code
    ///   - `.locked` if the old database is open for writing: close it first;
    ///   - `.notFound`, `.notADatabase` if there is nothing to salvage;
    ///   - `.unsupportedFormat` for a database of a newer version, which is not damaged;
    ///   - `.alreadyExists` if `newPath` holds anything;
    ///   - `.permissionDenied`, `.tooManyOpenFiles` for a file that cannot be opened, `.diskFull`, `.invalidPath` …
    ///
    ///   Nothing of the new database is left then.
    @discardableResult
    public static func salvage(
        at path: String, into newPath: String, options: Options = Options(), progress: (SalvageProgress) throws -> Void = { _ in }
    ) throws -> SalvageReport {
        try options.validate()
        let source: POSIXDirectory
        do throws(FileError) { source = try POSIXDirectory.open(path: path, create: false) } catch {
            switch error.code {
            case .notFound: throw LogDBError(.notFound, "there is no database at \(path)")
            case .notADirectory where error.name == path: throw LogDBError(.notADatabase, "\(path) is a file, not a database folder")
            default: throw LogDBError(error)
            }
        }
        let target = try openTarget(newPath, besides: source, path)
        return try salvage(source, path: path, into: target, newPath: newPath, options: options, progress: progress)
    }

    private static func openTarget(_ path: String, besides source: POSIXDirectory, _ sourcePath: String) throws(LogDBError)
        -> POSIXDirectory
    {
        // A parent that cannot be opened is said better below.
        if let parent = try? POSIXDirectory.open(path: POSIXDirectory.parentPath(of: path), create: false),
            (try? parent.isSame(as: source)) == true
        {
            throw LogDBError(.invalidPath, "\(path) lies within \(sourcePath), which salvage does not change: choose a place outside")
        }
        do throws(FileError) { return try POSIXDirectory.open(path: path, create: true) } catch {
            switch error.code {
            case .notFound: throw LogDBError(.invalidPath, "the folder that is to hold \(path) does not exist: make it first")
            case .notADirectory, .alreadyExists: throw LogDBError(.alreadyExists, "\(path) is a file: name a new folder")
            case .nameTooLong, .invalidName: throw LogDBError(.invalidPath, "\(path) is no usable path: \(error)")
            default: throw LogDBError(error)
            }
        }
    }

    /// Salvages the database in `source` into `target`, both of which may be simulated.
    package static func salvage(
        _ source: any Directory, path: String, into target: any Directory, newPath: String, options: Options,
        progress: (SalvageProgress) throws -> Void = { _ in }
    ) throws -> SalvageReport {
        let lock = try lockForSalvage(source)
        defer { lock?.release() }
        if let name = try mapped({ () throws(FileError) in try target.list() }).first {
            throw LogDBError(.alreadyExists, "\(newPath) is not empty, it holds \(name): name a new or an empty folder")
        }
        let unfinished = UnfinishedDirectory(target)
        do {
            let report = try withoutActuallyEscaping(progress) {
                try Salvage(source, path, progress: $0).run(into: unfinished, newPath, options)
            }
            try mapped { () throws(FileError) in try unfinished.finish() }
            return report
        } catch {
            unfinished.discard()
            throw error
        }
    }

    /// Sees to it that nobody writes to the database meanwhile, without changing anything.
    private static func lockForSalvage(_ source: any Directory) throws(LogDBError) -> (any DirectoryLock)? {
        do throws(FileError) { return try source.lockShared(FileNames.lock) } catch {
            guard case .locked = error.code else { return nil }
            throw LogDBError(.locked, "the database is open for writing: close it there, or end the process, and salvage then")
        }
    }
}

/// One salvage.
private final class Salvage {
    private let source: any Directory
    private let path: String
    private let progress: (SalvageProgress) throws -> Void
    private var planned: UInt64 = 0
    private var done: UInt64 = 0
    private var reported: UInt64 = 0
    private var writer: SalvageWriter?
    private var report = SalvageReport()

    init(_ source: any Directory, _ path: String, progress: @escaping (SalvageProgress) throws -> Void) {
        self.source = source
        self.path = path
        self.progress = progress
    }

    func run(into target: UnfinishedDirectory, _ newPath: String, _ options: Options) throws -> SalvageReport {
        let survey = try SalvageSurvey(source, path: path, planned: { planned = 2 * $0 }, progress: { try pass(to: $0) })
        report.files = survey.files
        report.bytes = survey.bytes
        let surveyed = done
        let log = LogPlan(survey.slots, first: survey.logFirst, claim: survey.claim, lastSequence: survey.evidence.state.lastSequence)
        let base = BasePlan(survey.base, listed: survey.listedBase, isWhole: survey.isListed)
        let history = BasePlan(survey.history, listed: survey.listedHistory, isWhole: survey.isListed, isHistory: true)
        let census = try SalvageCensus(log, base, history, progress: { _ in try pass(to: done) })
        add(survey.findings + base.findings + log.findings + census.transactions.findings)
        let isPresentComplete = report.isComplete
        add(history.findings)
        report.remarks = survey.remarks + base.remarks + history.remarks + log.remarks
        let (names, nameFindings) = census.tables(hasLosses: !isPresentComplete)
        add(nameFindings)
        if !survey.isListed, base.generations.count > 1 {
            report.remarks.append(
                "the base has several generations, and no manifest says which segments a newer one has replaced: a document that was deleted before the last compaction may be back"
            )
        }

        var options = options
        options.access = .readWrite
        options.createIfMissing = true
        options.persistence = .process
        options.compaction = .manual
        options.maximumDocumentBytes = Record.maximumDocumentLength
        let database = try Database.open(target, path: newPath, options: options)
        do {
            let isWhole = survey.isListed && base.isExact && history.isExact && log.isExact
            let writer = SalvageWriter(
                database, names: names, census, translation(of: isWhole ? survey.evidence.state : ManifestState()))
            self.writer = writer
            let budget = options.sortBudgetBytes ?? options.memoryBudgetBytes / 2
            let segments = base.generations + history.generations
            let entries = segments.flatMap { $0.segments.compactMap(\.entry) }
            let blockLength = Sorter.blockLength(
                budget: budget, records: entries.reduce(0) { $0 + $1.records }, rawLength: entries.reduce(0) { $0 + $1.rawLength })
            let sorter = NumberSorter(
                budget: budget,
                overflow: .spill { () throws(LogDBError) in
                    try SpillFile.make(in: target, number: .random(in: 0 ... .max >> 1), blockLength: blockLength, throttle: Throttle())
                })
            defer { sorter.close() }
            var read: UInt64 = 0
            try SalvageReplay(log: log, base: base, history: history, committed: census.transactions.committed).forEachRecord(
                sorting: sorter, lost: { add([$0]) },
                progress: { count in
                    read += count
                    try pass(to: surveyed + read)
                }, { record, sequence, milliseconds in try writer.write(record, sequence, milliseconds) })
            try writer.finish(isComplete: isWhole && report.isComplete)
            try writer.checkSchemas()
            add(writer.findings)
            addDoubts(about: writer.savepoints)
        } catch {
            try? database.close()
            throw error
        }
        try database.close()
        complete(names)
        try progress(SalvageProgress(bytesDone: planned, bytesPlanned: planned, operations: writer?.operations ?? 0))
        return report
    }

    /// From when on the past could be told.
    private func translation(of state: ManifestState) -> HorizonTranslation {
        let compacted = state.compacted.lastSequence
        let all = compacted > state.horizon.sequence ? HistoryHorizon(sequence: compacted, milliseconds: .max) : state.horizon
        return HorizonTranslation(
            all: all, tables: state.horizons, ladders: state.ladders,
            expired: [UInt64?: ExpiryHorizon](uniqueKeysWithValues: state.expiries.map { ($0.key, $0.value) } + [(nil, state.expired)]))
    }

    /// Says which savepoints may lack something: what is lost, and was there when they were made, or may have been.
    private func addDoubts(about savepoints: [String: SequenceNumber]) {
        let lost = report.findings.filter { $0.severity == .lost || $0.severity == .uncertain && $0.firstSequenceNumber != nil }
        let first = lost.map { $0.firstSequenceNumber ?? 0 }.min()
        guard let first else { return }
        for (name, sequence) in savepoints.sorted(by: { $0.value < $1.value }) where sequence == 0 || first <= sequence {
            add([
                SalvageFinding(
                    .uncertain, file: nil, from: sequence > 0 ? sequence : nil, through: sequence > 0 ? sequence : nil,
                    "savepoint \(TableDefinition.brief(.string(name))) may lack some of what it held: operations before it, or versions that it kept, are lost"
                )
            ])
        }
    }

    private func pass(to bytes: UInt64) throws {
        done = max(done, bytes)
        guard done - reported >= 1 << 20 else { return }
        reported = done
        try progress(SalvageProgress(bytesDone: min(done, planned), bytesPlanned: planned, operations: writer?.operations ?? 0))
    }

    private func add(_ findings: [SalvageFinding]) {
        for finding in findings {
            if report.findings.count < 10_000 { report.findings.append(finding) } else { report.unlistedFindings += 1 }
        }
    }

    /// Names the tables that findings are about.
    private func complete(_ names: [UInt64: String]) {
        for index in report.findings.indices {
            report.findings[index].tables = report.findings[index].tableIDs.compactMap { names[$0] }.sorted()
        }
        let named = Set(names.values.filter { $0.hasPrefix("salvaged-table-") })
        report.tables = (writer?.tables.values.map { $0 } ?? []).map { table in
            var table = table
            table.isNamedBySalvage = named.contains(table.name)
            return table
        }.sorted { $0.name < $1.name }
    }
}
