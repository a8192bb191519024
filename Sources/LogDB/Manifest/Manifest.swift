//===--- Manifest.swift - the list of what is live, on disk ----------------===//
//
// A log of edits with the framing of the active segment. An edit is durable when `append` returns; what it names (a new file,
// its name) must be durable before. A fresh manifest is written beside the old one and gets its name by an atomic rename, so
// the highest number is always a whole one.
//
// After a failed write or sync nothing more is appended: whether the edit is there is unknown, and only reopening can tell.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// A manifest as it was read.
struct LoadedManifest {
    var number: UInt64
    var header: FileHeader
    var state: ManifestState
    /// Where the next frame goes.
    var end: UInt64
    var nextEdit: UInt64
    /// Bytes behind `end` that are no frame: a torn append. 0 where there is nothing.
    var tornBytes: UInt64
    /// Bytes of the file.
    var size: UInt64
    /// Everything before this offset is known to be on the disk.
    var provenEnd: UInt64

    static let frameOrigin = UInt64((FileHeader.plainLength + 7) & ~7)

    /// Reads manifest `number`.
    static func load(_ number: UInt64, in directory: any Directory) throws(LogDBError) -> LoadedManifest {
        let name = FileNames.manifest(number).name
        let file = try mapped { () throws(FileError) in try directory.open(name, for: .reading) }
        return try load(file, number: number, name: name)
    }

    private static func load(_ file: any File, number: UInt64, name: String) throws(LogDBError) -> LoadedManifest {
        var size: UInt64
        let start: [UInt8]
        do throws(FileError) {
            size = try file.size()
            start = try file.read(at: 0, count: FileHeader.maximumLength)
        } catch { throw LogDBError(error) }
        let header: FileHeader
        do throws(FormatError) { header = try FileHeader.decode(start.span, expecting: .manifest).header } catch {
            throw LogDBError(error, in: name)
        }
        guard header.number == number else {
            throw LogDBError(.corrupted, "the file is manifest \(header.number) under another name", file: name, offset: 32)
        }
        let seed = Checksum.seed(identity: header.identity)
        var scanner = FrameScanner(file, seed: seed, from: frameOrigin, limit: size)
        var state = ManifestState()
        var nextEdit: UInt64 = 1
        var end = frameOrigin
        var after: Aftermath
        var claim = frameOrigin
        while true {
            while let frame = try mapped({ () throws(FileError) in try scanner.next() }) {
                do throws(FormatError) {
                    guard frame.kind == .manifestEdits, frame.sequence == nextEdit else {
                        throw FormatError(.corrupted, "edit \(frame.sequence) stands where \(nextEdit) belongs")
                    }
                    for edit in try ManifestEdit.decode(scanner.payload) { try state.apply(edit) }
                } catch { throw LogDBError(error, in: name, at: scanner.frameOffset) }
                nextEdit += 1
            }
            guard nextEdit > 1 else { throw LogDBError(.corrupted, "the manifest holds no edit", file: name, offset: frameOrigin) }
            claim = max(claim, scanner.claim)
            let (previous, reached, limit) = (end, scanner.offset, size)
            end = reached
            after = try mapped { () throws(FileError) in try Aftermath.search(file, seed: seed, from: reached, limit: limit) }
            if after.claim <= end { break }
            // A writer may have gone on since the scan: what was said to be synced before what it wrote then is there by now. If it is not, it is damaged.
            guard end > previous else {
                throw LogDBError(.corrupted, "an edit that had been synced does not hold", file: name, offset: end)
            }
            size = try mapped { () throws(FileError) in try file.size() }
            scanner = FrameScanner(file, seed: seed, from: end, limit: size)
        }
        let torn = scanner.stoppedAtMark ? 0 : after.writtenBytes
        return LoadedManifest(
            number: number, header: header, state: state, end: end, nextEdit: nextEdit, tornBytes: torn, size: size,
            provenEnd: claim)
    }
}

final class Manifest: Sendable {
    private struct Content {
        var number: UInt64
        var identity: UInt64
        /// nil where the database is open for reading only.
        var file: (any File)?
        var end: UInt64
        /// How far the file's blocks are reserved, so that an edit finds room on a full disk.
        var reserved: UInt64
        var nextEdit: UInt64
        var state: ManifestState
        /// Length right after it was last written anew.
        var freshLength: UInt64
        var failure: LogDBError?
    }

    let database: FileHeader.DatabaseIdentity
    private let directory: any Directory
    private let content: Monitor<Content>
    /// Growth after which the manifest is written anew.
    private let growth: UInt64
    /// Room kept beyond the last edit; a few closing edits must fit.
    private static let reserve: UInt64 = 4096
    private static let reserveStep: UInt64 = 16 << 10

    private init(directory: any Directory, database: FileHeader.DatabaseIdentity, options: Options, content: sending Content) {
        self.directory = directory
        self.database = database
        growth = UInt64(options.manifestGrowthBytes)
        self.content = Monitor(content)
    }

    var state: ManifestState { content.withLock { $0.state } }

    /// The file's name and bytes. Not looked up by name: it may just be getting another one, and beside a writer it may be gone.
    func nameAndSize() throws(LogDBError) -> (String, UInt64) {
        try content.withLock { content throws(LogDBError) in
            let file = content.file
            let size = try file.map { file throws(LogDBError) in try mapped { () throws(FileError) in try file.size() } }
            return (FileNames.manifest(content.number).name, size ?? content.reserved)
        }
    }

    /// Writes the first manifest of a new database.
    static func create(in directory: any Directory, options: Options) throws(LogDBError) -> Manifest {
        let database = FileHeader.DatabaseIdentity(.random(in: .min ... .max), .random(in: .min ... .max))
        let content = try write(ManifestState(), number: 1, database: database, in: directory)
        return Manifest(directory: directory, database: database, options: options, content: content)
    }

    /// Goes on where `loaded` ends, or in a fresh file where its end was torn.
    static func resume(_ loaded: LoadedManifest, in directory: any Directory, options: Options) throws(LogDBError) -> Manifest {
        if loaded.tornBytes > 0 {
            let content = try write(loaded.state, number: loaded.number + 1, database: loaded.header.database, in: directory)
            try? directory.remove(FileNames.manifest(loaded.number).name)
            return Manifest(directory: directory, database: loaded.header.database, options: options, content: content)
        }
        let file = try mapped { () throws(FileError) in
            let file = try directory.open(FileNames.manifest(loaded.number).name, for: .readingAndWriting)
            if loaded.provenEnd < loaded.end {
                try file.rewrite(from: loaded.provenEnd, to: loaded.end)
                try file.sync()
                try directory.sync()
            }
            return file
        }
        let content = Content(
            number: loaded.number, identity: loaded.header.identity, file: file, end: loaded.end, reserved: loaded.size,
            nextEdit: loaded.nextEdit, state: loaded.state, freshLength: 0)
        return Manifest(directory: directory, database: loaded.header.database, options: options, content: content)
    }

    /// A manifest that is only looked at.
    static func forReading(_ loaded: LoadedManifest, in directory: any Directory, options: Options) -> Manifest {
        let content = Content(
            number: loaded.number, identity: loaded.header.identity, file: nil, end: loaded.end, reserved: loaded.size,
            nextEdit: loaded.nextEdit, state: loaded.state, freshLength: 0)
        return Manifest(directory: directory, database: loaded.header.database, options: options, content: content)
    }

    /// Makes `edits` happen, together, durably.
    func append(_ edits: [ManifestEdit]) throws(LogDBError) {
        try content.withLock { content throws(LogDBError) in
            if let failure = content.failure { throw failure }
            var state = content.state
            do throws(FormatError) {
                for edit in edits { try state.apply(edit) }
            } catch { preconditionFailure("the engine made an edit that does not fit: \(error.reason)") }
            do throws(LogDBError) {
                guard content.end > 4 * content.freshLength + growth else { return try append(edits, &content, state) }
                do throws(LogDBError) { try rewrite(&content, state) } catch {
                    // A full disk has room for the edit, which is reserved, where it has none for a whole manifest.
                    guard error.code.leavesDiskAsItWas else { throw error }
                    try append(edits, &content, state)
                }
            } catch {
                if error.code != .diskFull {
                    content.failure = LogDBError(.poisoned, "the manifest could not be written: \(error.message)")
                }
                throw error
            }
        }
    }

    private func append(_ edits: [ManifestEdit], _ content: inout Content, _ state: ManifestState) throws(LogDBError) {
        guard let file = content.file else { throw LogDBError(.readOnly, "the database was opened for reading only") }
        var frame = FrameBuilder()
        let seed = Checksum.seed(identity: content.identity)
        frame.begin()
        for edit in edits { edit.append(to: &frame.buffer) }
        // Everything before this frame is synced: `append` returns only then.
        frame.finish(
            .manifestEdits, sequence: content.nextEdit, durableEnd: content.end, milliseconds: Clock.wallMilliseconds(), seed: seed)
        let end = content.end + UInt64(frame.buffer.count)
        do throws(FileError) {
            if content.reserved < end + Self.reserve {
                let wanted = end + Self.reserveStep
                do throws(FileError) {
                    try file.allocate(wanted)
                    content.reserved = wanted
                } catch { guard error.code == .diskFull, end <= content.reserved else { throw error } }
            }
        } catch { throw LogDBError(error) }
        try Self.write(frame.buffer.span, to: file, content, seed: seed)
        content.end = end
        content.nextEdit += 1
        content.state = state
        Self.writeMark(content, seed: seed)
    }

    /// Writes an edit behind the last one, and syncs it. After `.diskFull` it is certain not to be there: the caller removes the files that
    /// it names.
    private static func write(_ frame: Span<UInt8>, to file: any File, _ content: Content, seed: UInt32) throws(LogDBError) {
        do throws(FileError) {
            try file.writeFully(frame, at: content.end)
            try file.sync()
        } catch {
            let failure = LogDBError(error)
            guard failure.code == .diskFull else { throw failure }
            guard file.takeBack(frame, at: content.end) else {
                throw LogDBError(.inputOutput, "whether an edit is in the manifest is unknown: \(error.description)")
            }
            writeMark(content, seed: seed)
            throw failure
        }
    }

    /// Says in the file that it is synced up to its end, for the benefit of whoever looks for damage. Losing it loses nothing.
    private static func writeMark(_ content: Content, seed: UInt32) {
        guard content.end + UInt64(FrameHeader.length) <= content.reserved else { return }
        var mark = FrameBuilder(capacity: 64)
        mark.begin()
        mark.finish(.mark, sequence: content.nextEdit, durableEnd: content.end, milliseconds: 0, seed: seed)
        try? content.file?.writeFully(mark.buffer.span, at: content.end)
    }

    private func rewrite(_ content: inout Content, _ state: ManifestState) throws(LogDBError) {
        let old = content.number
        content = try Self.write(state, number: old + 1, database: database, in: directory)
        try? directory.remove(FileNames.manifest(old).name)
    }

    /// Writes a whole manifest and makes it the valid one.
    private static func write(
        _ state: ManifestState, number: UInt64, database: FileHeader.DatabaseIdentity, in directory: any Directory
    ) throws(LogDBError) -> Content {
        let identity = UInt64.random(in: 1 ... .max)
        let seed = Checksum.seed(identity: identity)
        var frame = FrameBuilder()
        FileHeader(kind: .manifest, database: database, number: number, identity: identity).append(to: &frame.buffer)
        frame.buffer.append(zeros: Int(LoadedManifest.frameOrigin) - frame.buffer.count)
        frame.begin()
        for edit in state.edits { edit.append(to: &frame.buffer) }
        frame.finish(.manifestEdits, sequence: 1, durableEnd: 0, milliseconds: Clock.wallMilliseconds(), seed: seed)
        let end = UInt64(frame.buffer.count)
        let temporary = FileNames.temporaryManifest(number).name
        do throws(FileError) {
            // A crash may have left one behind.
            do throws(FileError) { try directory.remove(temporary) } catch { guard error.code == .notFound else { throw error } }
            let file = try directory.create(temporary)
            try file.allocate(end + Self.reserve)
            try file.writeFully(frame.buffer.span, at: 0)
            try file.sync()
            try directory.rename(temporary, to: FileNames.manifest(number).name)
            try directory.sync()
            let content = Content(
                number: number, identity: identity, file: file, end: end, reserved: end + Self.reserve, nextEdit: 2, state: state,
                freshLength: end)
            writeMark(content, seed: seed)
            return content
        } catch {
            try? directory.remove(temporary)
            throw LogDBError(error)
        }
    }
}
