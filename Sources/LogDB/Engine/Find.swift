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


/// Which frame of a raw segment holds the newest operation on each key.
final class RawIndex: Sendable {
    private struct Content {
        var frames: [[UInt8]: UInt64] = [:]
        var end = RawSegment.frameOrigin
    }
    private let content = Monitor(Content())

    /// The offset of the newest frame before `end` that has an operation on `key` (table as a varint, then the encoded key).
    func frame(of key: [UInt8], in segment: RawSegment, until end: UInt64) throws(LogDBError) -> UInt64? {
        let result: Result<UInt64?, any Error> = content.withLock { content in
            Result {
                if content.end < end {
                    var scanner = FrameScanner(segment.file, seed: segment.seed, from: content.end, limit: end)
                    while scanner.offset < end {
                        guard let header = try scanner.next() else {
                            throw LogDBError(
                                .corrupted, "a frame that was acknowledged does not hold", file: segment.name, offset: scanner.offset)
                        }
                        let offset = scanner.frameOffset
                        try RawSegment.forEachRecord(in: scanner.payload, of: header, name: segment.name, at: offset) { record, _, _ in
                            content.frames[Find.key(table: record.table, key: record.key)] = offset
                        }
                    }
                    content.end = end
                }
                return content.frames[key]
            }
        }
        switch result {
        case .success(let offset): return offset
        case .failure(let error): throw (error as? LogDBError) ?? LogDBError(error as! FileError)
        }
    }
}

/// The finder of one open database, with what it remembers from one `get` to the next.
final class Find: Sendable {
    private struct Memory {
        var raw: [UInt64: RawIndex] = [:]
        var footers: [UInt64: SegmentFooter] = [:]
        var footerBytes = 0
    }
    private let memory = Monitor(Memory())
    private let budget: Int

    init(budget: Int) { self.budget = budget }

    static func key(table: UInt64, key: Span<UInt8>) -> [UInt8] {
        var buffer = ByteBuffer(capacity: key.count + 10)
        buffer.append(varint: table)
        buffer.append(key)
        return Array(buffer.span)
    }

    /// The live document of `key`, or nil.
    func document(table: UInt64, key: Span<UInt8>, in snapshot: Snapshot) throws -> [UInt8]? {
        let fullKey = Self.key(table: table, key: key)
        memory.withLock { memory in
            let live = Set(snapshot.raw.map(\.segment.number))
            memory.raw = memory.raw.filter { live.contains($0.key) }
        }
        for raw in snapshot.raw.reversed() {
            let index = memory.withLock { memory in
                if let index = memory.raw[raw.segment.number] { return index }
                let index = RawIndex()
                memory.raw[raw.segment.number] = index
                return index
            }
            // A later `get` may have indexed beyond this snapshot; what it found there is newer, and as good an answer.
            guard let offset = try index.frame(of: fullKey, in: raw.segment, until: raw.end) else { continue }
            return try newest(of: fullKey, inFrameAt: offset, of: raw.segment)
        }
        let hash = KeyCoding.hash(table: table, key: key)
        for segment in snapshot.sealed.reversed() {
            if let found = try newest(table: table, key: key, hash: hash, in: segment) { return found.isDelete ? nil : found.document }
        }
        return nil
    }

    private func newest(of key: [UInt8], inFrameAt offset: UInt64, of segment: RawSegment) throws -> [UInt8]? {
        let size = try mapped { () throws(FileError) in try segment.file.size() }
        var scanner = FrameScanner(segment.file, seed: segment.seed, from: offset, limit: size, chunkSize: 4096)
        guard let header = try mapped({ () throws(FileError) in try scanner.next() }) else {
            throw LogDBError(.corrupted, "a frame that was acknowledged does not hold", file: segment.name, offset: offset)
        }
        var document: [UInt8]?
        try RawSegment.forEachRecord(in: scanner.payload, of: header, name: segment.name, at: offset) { record, _, _ in
            guard Self.key(table: record.table, key: record.key) == key else { return }
            document = record.isDelete ? nil : Array(record.document)
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
        for block in footer.blocks.reversed() {
            guard KeyFilter.mayContain(hash, in: footer.filters.span.extracting(block.filter)) else { continue }
            let opened = try file ?? segment.open().0
            file = opened
            var raw = ByteBuffer(capacity: block.rawLength + 1)
            try segment.unpack(block, of: opened, with: segment.container.makeDecompressor(), into: &raw)
            var found: Found?
            try segment.forEachRecord(in: raw.span, of: block) { record, _, _ in
                guard record.table == table, record.key.count == key.count, !precedes(record.key, key), !precedes(key, record.key) else { return }
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
