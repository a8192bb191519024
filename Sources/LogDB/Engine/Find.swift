//===--- Find.swift - the newest document of one key -----------------------===//
//
// Newest first. Raw segments, which are few, have an index in memory, made when the first `get` asks and extended by the next
// ones, so that a program that only writes pays nothing for it. Segments of the tail are asked by their key range, then by their index, which
// names the one block that may hold the key. Of the base one segment of a generation has the key in its range, and one block of that.
//
// So a `get` reads at most one block for each segment of the tail, nearly always none, and one for each generation of the base, of which there
// is one, or two while a compaction is under way.
//
// What is returned was proven now: the index says where to look, the frame or block there is read and checked again.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat
import Synchronization

/// The finder of one open database, with what it remembers from one `get` to the next.
final class Find: Sendable {
    private struct Memory {
        var raw: [UInt64: RawIndex] = [:]
        /// By identity: numbers of base segments and of others overlap.
        var footers: [UInt64: SegmentFooter] = [:]
        var footerBytes = 0
        var scratch: [Scratch] = []
    }

    /// What unpacking a block takes; kept from one `get` to the next, one for each thread that is in one.
    private final class Scratch: @unchecked Sendable {
        // SAFETY: handed out under the memory's lock to one thread at a time.
        var stored = ByteBuffer()
        var raw = ByteBuffer(capacity: BlockBuilder.targetRawLength + 1)
        var places = BlockPlaces()
        var decompressors: [Container: any BlockDecompressor] = [:]

        func decompressor(_ container: Container) -> any BlockDecompressor {
            if let known = decompressors[container] { return known }
            let made = container.makeDecompressor()
            decompressors[container] = made
            return made
        }
    }
    private let memory = Monitor(Memory())
    /// Blocks read so far: what a `get` costs.
    let blocksRead = Atomic<UInt64>(0)
    private let budget: Int

    init(budget: Int) { self.budget = budget }

    /// The live document of `key`, or nil: the JSON text.
    func document(table: UInt64, key: Span<UInt8>, in snapshot: Snapshot) throws -> [UInt8]? {
        guard var stored = try newest(table: table, key: key, in: snapshot) else { return nil }
        guard let expires = Expiry.milliseconds(of: stored.span) else { return stored }
        // What is older is hidden by it all the same.
        if try snapshot.clock.milliseconds() >= expires { return nil }
        stored.removeFirst(Expiry.length)
        return stored
    }

    /// What the newest operation on `key` wrote; nil where that is a delete, or there is none.
    private func newest(table: UInt64, key: Span<UInt8>, in snapshot: Snapshot) throws -> [UInt8]? {
        let fullKey = RawIndex.key(table: table, key: key)
        let live = Set(snapshot.raw.map(\.segment.number))
        memory.withLock { memory in
            for number in memory.raw.keys where !live.contains(number) { memory.raw[number] = nil }
        }
        for raw in snapshot.raw.reversed() {
            let index = memory.withLock { memory in
                if let index = memory.raw[raw.segment.number] { return index }
                let index = RawIndex()
                memory.raw[raw.segment.number] = index
                return index
            }
            guard let place = try index.newest(fullKey, in: raw.segment, until: raw.end, snapshot.fates) else { continue }
            return try document(at: place, of: raw.segment)
        }
        let hash = KeyCoding.hash(table: table, key: key)
        for segment in snapshot.sealed.reversed() {
            if let found = try newest(table: table, key: key, hash: hash, in: segment) { return found.isDelete ? nil : found.document }
        }
        let full = FullKey(table: table, key: Array(key))
        for generation in snapshot.generations {
            guard let segment = Self.segment(of: full, in: generation) else { continue }
            if let found = try document(of: full, in: segment) { return found }
        }
        return nil
    }

    /// The segment of a generation in whose range `key` lies.
    private static func segment(of key: FullKey, in generation: [SealedSegment]) -> SealedSegment? {
        var low = 0
        var high = generation.count
        while low < high {
            let middle = (low + high) / 2
            if generation[middle].entry.greatestKey < key { low = middle + 1 } else { high = middle }
        }
        return low < generation.count && generation[low].entry.leastKey <= key ? generation[low] : nil
    }

    private func document(of key: FullKey, in segment: SealedSegment) throws -> [UInt8]? {
        let footer = try footer(of: segment)
        guard let number = footer.block(of: key) else { return nil }
        return try withScratch { scratch in
            try read(footer.blocks[number], of: segment, segment.open().0, scratch)
            do throws(FormatError) { try scratch.places.read(scratch.raw, entry: footer.blocks[number]) } catch {
                throw LogDBError(error, in: segment.name, at: footer.blocks[number].offset)
            }
            return scratch.places.document(of: key, in: scratch.raw)
        }
    }

    private func withScratch<R>(_ body: (Scratch) throws -> R) rethrows -> R {
        let scratch = memory.withLock { $0.scratch.popLast() } ?? Scratch()
        defer {
            scratch.raw.removeAll()
            scratch.raw.shrink(to: 2 * BlockBuilder.targetRawLength)
            scratch.stored.removeAll()
            scratch.stored.shrink(to: 2 * BlockBuilder.targetRawLength)
            memory.withLock { $0.scratch.append(scratch) }
        }
        return try body(scratch)
    }

    private func read(_ block: BlockEntry, of segment: SealedSegment, _ file: any File, _ scratch: Scratch) throws(LogDBError) {
        blocksRead.wrappingAdd(1, ordering: .relaxed)
        try segment.unpack(block, of: file, with: scratch.decompressor(segment.container), by: &scratch.stored, into: &scratch.raw)
    }

    private func document(at place: RawIndex.Place, of segment: RawSegment) throws -> [UInt8]? {
        let size = try mapped { () throws(FileError) in try segment.file.size() }
        var scanner = FrameScanner(segment.file, seed: segment.seed, from: place.frame, limit: size, chunkSize: 4096)
        let header = try segment.nextFrame(&scanner)
        var document: [UInt8]?
        try segment.forEachRecord(in: scanner.payload, of: header, at: place.frame) { _, record, sequence in
            if sequence == place.sequence, !record.isDelete { document = Array(record.document) }
        }
        return document
    }

    private struct Found {
        var isDelete: Bool
        var document: [UInt8]
    }

    private func newest(table: UInt64, key: Span<UInt8>, hash: UInt64, in segment: SealedSegment) throws -> Found? {
        let footer = try footer(of: segment)
        guard let statistics = footer.statistics(of: table), !precedes(key, statistics.leastKey.span),
            !precedes(statistics.greatestKey.span, key)
        else { return nil }
        let candidates: [BlockEntry]
        if let index = footer.keyIndex {
            guard let number = index.block(of: hash, count: footer.blocks.count) else { return nil }
            candidates = [footer.blocks[number]]
        } else {
            candidates = footer.blocks.reversed()
        }
        guard !candidates.isEmpty else { return nil }
        let (file, _) = try segment.open()
        return try withScratch { scratch in
            for block in candidates {
                try read(block, of: segment, file, scratch)
                var found: Found?
                try segment.forEachRecord(in: scratch.raw, of: block) { record, _, _ in
                    guard record.table == table, equal(record.key, key) else { return }
                    found = Found(isDelete: record.isDelete, document: Array(record.document))
                }
                if let found { return found }
            }
            return nil
        }
    }

    /// The segment's index, remembered while all those remembered stay within a quarter of the memory budget.
    private func footer(of segment: SealedSegment) throws(LogDBError) -> SegmentFooter {
        let identity = segment.entry.identity
        if let known = memory.withLock({ $0.footers[identity] }) { return known }
        let (file, _) = try segment.open()
        let footer = try segment.footer(of: file)
        let bytes = footer.byteCount
        memory.withLock { memory in
            // Segments come and go; what is remembered is forgotten as a whole, which costs little and needs no order.
            if memory.footerBytes + bytes > budget / 4 { (memory.footers, memory.footerBytes) = ([:], 0) }
            guard memory.footers[identity] == nil, bytes <= budget / 4 else { return }
            memory.footers[identity] = footer
            memory.footerBytes += bytes
        }
        return footer
    }
}

extension Database {
    /// Blocks that `get` has read since the database was opened. Not for users: tests prove with it what one costs.
    package var blocksRead: UInt64 { find.blocksRead.load(ordering: .relaxed) }
}
