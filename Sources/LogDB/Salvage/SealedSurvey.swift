//===--- SealedSurvey.swift - which blocks of a sealed segment hold ---------===//
//
// With its index, proven by a digest, a segment says where each block is, what its checksum is and which operations it has: each block that does not
// hold is a loss known to the operation. Without it the blocks are found one behind the other, by the container's own rules (see MemberDecoder), and
// behind a bad place by their first bytes. Their operations are then numbered from what is known of the segment: the number before its
// first, from the header or from the segment before it. That is exact where nothing is missing in it, and where something is the numbers are
// at most too low; the order of the operations is right in any case.
//===-----------------------------------------------------------------------===//

import LogDBFile
import LogDBFormat

/// An operation on the catalog.
struct CatalogOperation {
    var id: UInt64
    /// nil: the table was dropped.
    var name: String?
    /// Its retention, and the versions of its schema as they stand in the catalog.
    var entry = CatalogEntry(name: "")
    /// As numbered in its segment: see SealedSurvey.isExact.
    var sequence: SequenceNumber
}

/// What is known of the operations on a table.
struct TableCount {
    var upserts: UInt64 = 0
    var deletes: UInt64 = 0
}

struct SealedSurvey {
    /// A part of the file in which blocks were, or may have been.
    struct Hole {
        var bytes: Range<UInt64>
        /// Number of the first good block behind it.
        var nextBlock: Int
        /// What stood there, by the index.
        var operations: UInt64?
        var firstSequence: SequenceNumber?
        var lastSequence: SequenceNumber?
        /// Key order only: tables that may have been in it.
        var tables: ClosedRange<UInt64>?

        var reason: String { bytes.isEmpty ? "the file ends too early: it was cut off" : "blocks of the segment do not hold" }
    }

    let file: SalvageFile
    let container: Container
    /// What the manifest says of the segment.
    let entry: SealedSegmentEntry?
    /// The index, if it is proven; only while the file is being read: it may be large.
    private var footer: SegmentFooter?
    /// Whether numbers and times are those that were written: there was an index.
    private(set) var isExact = false
    /// The blocks that hold. Without an index they are numbered from 1 on, as if nothing lay between them.
    var blocks: [BlockEntry] = []
    var holes: [Hole] = []
    /// What of the tables was read.
    var tables: [UInt64: TableCount] = [:]
    /// Of each table the newest operation on the catalog that was read here.
    var catalog: [UInt64: CatalogOperation] = [:]
    /// Names that tables had at some time.
    var names: [UInt64: String] = [:]
    var indexFault: LogDBError?
    /// Records read.
    var records: UInt64 = 0
    /// Without an index: the number behind that of the last block's last record, counted from 1.
    var nextRelative: SequenceNumber = 1
    /// Whether the blocks were followed up to something that stands behind the last one.
    var reachesEnd = false

    var isKeyOrdered: Bool { if case .sealed = file.form { false } else { true } }
    /// Of retained versions.
    var isHistory: Bool { if case .history = file.form { true } else { false } }
    var isWhole: Bool { holes.isEmpty && (isExact || reachesEnd) }
    /// The last number that the segment accounts for; in key order the greatest in it. nil where nothing says so.
    private(set) var lastSequence: SequenceNumber?
    /// The tables of which the index counts more operations than were read.
    private(set) var tablesWithLosses: Set<UInt64> = []

    /// What is to be said of an index that is not sound.
    var indexFinding: SalvageFinding? {
        indexFault.map { fault in
            let how = isExact ? "its trailer is damaged, its index holds" : "its index is damaged, its blocks were looked for one by one"
            return SalvageFinding(.harmless, file: file.name, "\(how): \(fault.message)")
        }
    }
    /// The holes, and what may be missing behind the last block where nothing shows that it is the last.
    var allHoles: [Hole] {
        guard !isExact, !reachesEnd, holes.last?.bytes.upperBound != file.size else { return holes }
        return holes + [Hole(bytes: file.size..<file.size, nextBlock: blocks.count)]
    }

    /// Holes kept for one file: those beyond are joined to the last.
    static let maximumHoles = 10_000
    static let maximumBlocks = 1 << 20

    /// - Parameter digests: those that the index may have, by what the manifest or the segment behind this one says.
    init(_ file: SalvageFile, entry: SealedSegmentEntry?, digests: [UInt32], progress: (UInt64) throws -> Void) throws {
        self.file = file
        self.entry = entry
        guard let container = file.container else { preconditionFailure("a raw segment has no container") }
        self.container = container
        let handle = try file.open()
        let identity = file.header?.identity ?? entry?.identity
        let finder = IndexFinder(handle, file, container: container, identity: identity, digests: digests)
        do throws(LogDBError) { footer = try finder.fromTrailer() } catch { indexFault = error }
        if footer == nil {
            var walk = BlockWalk(handle, file, container: container)
            while let step = try walk.next() {
                switch step {
                case .block(let block, let raw): take(block, raw.buffer)
                case .hole(let bytes): add(Hole(bytes: bytes, nextBlock: blocks.count))
                case .envelope(let offset, let length):
                    reachesEnd = true
                    footer = finder.index(at: offset, length: length)
                }
                // Nothing but the index and the trailer is behind the blocks.
                if reachesEnd { break }
                if blocks.count >= Self.maximumBlocks {
                    add(Hole(bytes: walk.position..<file.size, nextBlock: blocks.count))
                    break
                }
                try progress(walk.position)
            }
        }
        if footer != nil { try readByIndex(handle, progress) }
        lastSequence = footer?.lastSequence ?? entry?.lastSequence
        isExact = footer != nil
        for table in footer?.tables ?? [] {
            let found = tables[table.table] ?? TableCount()
            if table.upserts > found.upserts || table.deletes > found.deletes { tablesWithLosses.insert(table.table) }
        }
        footer = nil
        try progress(file.size)
    }

    private mutating func add(_ hole: Hole) {
        guard holes.count < Self.maximumHoles, let last = holes.indices.last, holes[last].bytes.upperBound == hole.bytes.lowerBound else {
            if holes.count < Self.maximumHoles {
                holes.append(hole)
            } else {
                extendLast(hole)
            }
            return
        }
        extendLast(hole)
    }

    private mutating func extendLast(_ hole: Hole) {
        let last = holes.count - 1
        holes[last].bytes = holes[last].bytes.lowerBound..<max(holes[last].bytes.upperBound, hole.bytes.upperBound)
        holes[last].nextBlock = hole.nextBlock
        holes[last].operations = holes[last].operations.flatMap { count in hole.operations.map { count + $0 } }
        holes[last].lastSequence = hole.lastSequence
        holes[last].tables = holes[last].tables.flatMap { a in
            hole.tables.map { min(a.lowerBound, $0.lowerBound)...max(a.upperBound, $0.upperBound) }
        }
    }

    // MARK: - With an index

    private mutating func readByIndex(_ handle: any File, _ progress: (UInt64) throws -> Void) throws {
        guard let footer else { return }
        blocks = []
        holes = []
        tables = [:]
        catalog = [:]
        names = [:]
        records = 0
        let decompressor = container.makeDecompressor()
        var raw = ByteBuffer()
        for (number, block) in footer.blocks.enumerated() {
            if try !unpack(block, handle, decompressor, &raw) || !take(block, raw) {
                let next = number + 1 < footer.blocks.count ? footer.blocks[number + 1].firstSequence - 1 : footer.lastSequence
                var hole = Hole(
                    bytes: block.offset..<(block.offset + UInt64(block.storedLength)), nextBlock: blocks.count,
                    operations: UInt64(block.recordCount))
                if isKeyOrdered {
                    let last = number + 1 < footer.blocks.count ? footer.firstKeys[number + 1].table : footer.tables.last?.table
                    hole.tables = footer.firstKeys[number].table...max(footer.firstKeys[number].table, last ?? 0)
                    hole.firstSequence = entry?.firstSequence ?? 1
                    hole.lastSequence = footer.lastSequence
                } else {
                    hole.firstSequence = block.firstSequence
                    hole.lastSequence = max(next, block.firstSequence)
                }
                add(hole)
            }
            try progress(block.offset)
        }
    }

    private func unpack(
        _ block: BlockEntry, _ handle: any File, _ decompressor: any BlockDecompressor, _ raw: inout ByteBuffer
    ) throws -> Bool {
        let stored = try mapped { () throws(FileError) in try handle.read(at: block.offset, count: block.storedLength) }
        guard stored.count == block.storedLength, Checksum.crc32c(stored.span) == block.checksum else { return false }
        return (try? decompressor.decompress(stored.span, rawLength: block.rawLength, into: &raw)) != nil
    }

    // MARK: - Records

    /// Takes in a block if all of it can be read.
    @discardableResult
    private mutating func take(_ block: BlockEntry, _ raw: borrowing ByteBuffer) -> Bool {
        var block = block
        if footer == nil { block.firstSequence = nextRelative }
        var found: [UInt64: TableCount] = [:]
        var operations: [CatalogOperation] = []
        var last: SequenceNumber = 0
        do throws(FormatError) {
            var reader = try BlockReader(raw.span, entry: block)
            while try reader.hasNext() {
                let record = try reader.next()
                guard isKeyOrdered || (reader.sequence < 1 << 62 && reader.sequence > last) else {
                    throw FormatError(.corrupted, "a block's operations are out of order")
                }
                last = reader.sequence
                if record.isDelete {
                    found[record.table, default: TableCount()].deletes += 1
                } else {
                    found[record.table, default: TableCount()].upserts += 1
                }
                if record.table == 0, let operation = CatalogOperation(record, reader.sequence) { operations.append(operation) }
            }
        } catch {
            if footer == nil {
                add(Hole(bytes: block.offset..<(block.offset + UInt64(block.storedLength)), nextBlock: blocks.count))
            }
            return false
        }
        blocks.append(block)
        records += UInt64(block.recordCount)
        nextRelative = isKeyOrdered ? 1 : last + 1
        for operation in operations { names[operation.id] = operation.name ?? names[operation.id] }
        for operation in operations where catalog[operation.id].map({ $0.sequence < operation.sequence }) ?? true {
            catalog[operation.id] = operation
        }
        for (table, count) in found {
            tables[table, default: TableCount()].upserts += count.upserts
            tables[table, default: TableCount()].deletes += count.deletes
        }
        return true
    }
}

extension CatalogOperation {
    /// nil for an operation that makes no sense.
    init?(_ record: borrowing Record, _ sequence: SequenceNumber) {
        guard case .integer(let number) = try? KeyCoding.decode(record.key), number > 0 else { return nil }
        id = UInt64(number)
        self.sequence = sequence
        if record.isDelete { return }
        guard let entry = try? CatalogEntry(decoding: record.document, of: id) else { return nil }
        name = entry.name
        // One that cannot be read makes the table's name no worse.
        self.entry = entry
        if (try? entry.definition(of: id)) == nil { self.entry.versions = [] }
    }
}
