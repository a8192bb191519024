//===--- Find.swift - the newest document of one key -----------------------===//
//
// Newest first. Raw segments, which are few, have an index in memory, made when the first `get` asks and extended by the next
// ones, so that a program that only writes pays nothing for it. Sealed segments are asked by their key range, then their blocks by
// their filters; only a block that may hold the key is read.
//
// What is returned was proven now: the index says where to look, the frame or block there is read and checked again.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// The finder of one open database, with what it remembers from one `get` to the next.
final class Find: Sendable {
    private struct Memory {
        var raw: [UInt64: RawIndex] = [:]
        var footers: [UInt64: SegmentFooter] = [:]
        var footerBytes = 0
        var scratch: [Scratch] = []
    }

    /// What unpacking a block takes; kept from one `get` to the next, one for each thread that is in one.
    private final class Scratch: @unchecked Sendable {
        // SAFETY: handed out under the memory's lock to one thread at a time.
        var raw = ByteBuffer(capacity: BlockBuilder.targetRawLength + 1)
        var decompressors: [Container: any BlockDecompressor] = [:]

        func decompressor(_ container: Container) -> any BlockDecompressor {
            if let known = decompressors[container] { return known }
            let made = container.makeDecompressor()
            decompressors[container] = made
            return made
        }
    }
    private let memory = Monitor(Memory())
    private let budget: Int

    init(budget: Int) { self.budget = budget }

    /// The live document of `key`, or nil.
    func document(table: UInt64, key: Span<UInt8>, in snapshot: Snapshot) throws -> [UInt8]? {
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
        return nil
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
        guard let statistics = footer.tables.first(where: { $0.table == table }),
            !precedes(key, statistics.leastKey.span), !precedes(statistics.greatestKey.span, key)
        else { return nil }
        var file: (any File)?
        let scratch = memory.withLock { $0.scratch.popLast() } ?? Scratch()
        defer {
            scratch.raw.removeAll()
            scratch.raw.shrink(to: 2 * BlockBuilder.targetRawLength)
            memory.withLock { $0.scratch.append(scratch) }
        }
        for block in footer.blocks.reversed() {
            guard KeyFilter.mayContain(hash, in: footer.filters.span.extracting(block.filter)) else { continue }
            let opened = try file ?? segment.open().0
            file = opened
            try segment.unpack(block, of: opened, with: scratch.decompressor(segment.container), into: &scratch.raw)
            var found: Found?
            try segment.forEachRecord(in: scratch.raw.span, of: block) { record, _, _ in
                guard record.table == table, equal(record.key, key) else { return }
                found = Found(isDelete: record.isDelete, document: Array(record.document))
            }
            if let found { return found }
        }
        return nil
    }

    /// The segment's index, remembered while all those remembered stay within a quarter of the memory budget.
    private func footer(of segment: SealedSegment) throws(LogDBError) -> SegmentFooter {
        if let known = memory.withLock({ $0.footers[segment.entry.number] }) { return known }
        let (file, _) = try segment.open()
        let footer = try segment.footer(of: file)
        let bytes = footer.filters.count + footer.blocks.count * MemoryLayout<BlockEntry>.stride
        memory.withLock { memory in
            guard memory.footers[segment.entry.number] == nil, memory.footerBytes + bytes <= budget / 4 else { return }
            memory.footers[segment.entry.number] = footer
            memory.footerBytes += bytes
        }
        return footer
    }
}
