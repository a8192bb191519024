//===--- Inode.swift - one file, as programs see it and as the medium has it ===//
//
//      current   what reads return: page cache and medium together
//      durable   what the medium is sure to have
//      dirty     sectors in which they may differ, each kept or lost on its own by a power cut
//
// A sector written several times since the last sync may hold any of its versions: a cache may be written back at any moment. The last few
// are remembered. Size changes survive in order (a file's inode is one journaled thing): the size after a crash is one of those the
// file had since the last sync, and a cut that survives takes the sectors behind it along; one that does not leaves them as they were.
//===-----------------------------------------------------------------------===//

struct Inode: Sendable {
    private struct Cut {
        /// Index in `sizes` of the change that cut.
        var event: Int
        /// The first sector that went as a whole.
        var sector: Int
    }

    private static let rememberedVersions = 4
    private static let rememberedSizes = 64

    private(set) var current = PageStore()
    private(set) var size = 0
    private var durable = PageStore()
    private var durableSize = 0
    /// Written since the last sync, and since the last cut that took them.
    private var dirty = SectorSet()
    /// Marked clean by a failed sync, but not written.
    private var lost = SectorSet()
    private var olderVersions: [Int: [[UInt8]]] = [:]
    private var sizes: [Int] = []
    private var cuts: [Cut] = []
    private var lastWritten: Int?
    /// Pages that have blocks on the medium.
    private(set) var blocks = SectorSet()

    var isClean: Bool { dirty.isEmpty && sizes.isEmpty && lost.isEmpty }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard bytes.count > 0 else { return }
        let end = offset + bytes.count
        let sectors = Self.sectors(offset..<end)
        markDirty(sectors)
        lastWritten = sectors.upperBound - 1
        unsafe current.write(bytes, at: offset)
        blocks.insert(Self.pages(offset..<end))
        if end > size { noteSize(end) }
    }

    mutating func allocate(_ byteCount: Int) {
        blocks.insert(Self.pages(0..<byteCount))
        if byteCount > size { noteSize(byteCount) }
    }

    /// Whole pages inside `range` lose their blocks and read as zeros.
    mutating func deallocate(_ range: Range<Int>) {
        let first = (range.lowerBound + PageStore.pageSizeBytes - 1) / PageStore.pageSizeBytes
        let last = min(range.upperBound, size) / PageStore.pageSizeBytes
        guard first < last else { return }
        let zeros = [UInt8](repeating: 0, count: (last - first) * PageStore.pageSizeBytes)
        markDirty(Self.sectors(first * PageStore.pageSizeBytes..<last * PageStore.pageSizeBytes))
        // SAFETY: the array outlives the call.
        unsafe zeros.withUnsafeBytes { unsafe current.write($0, at: first * PageStore.pageSizeBytes) }
        blocks.remove(first..<last)
    }

    mutating func truncate(to byteCount: Int) {
        guard byteCount != size else { return }
        guard byteCount < size else { return noteSize(byteCount) }
        let (sector, rest) = byteCount.quotientAndRemainder(dividingBy: PageStore.sectorSizeBytes)
        let firstGone = rest == 0 ? sector : sector + 1
        if rest != 0 { markDirty(sector..<sector + 1) }
        current.zero(from: byteCount)
        dirty.remove(from: firstGone)
        lost.remove(from: firstGone)
        olderVersions = olderVersions.filter { $0.key < firstGone }
        blocks.remove(from: (byteCount + PageStore.pageSizeBytes - 1) / PageStore.pageSizeBytes)
        noteSize(byteCount)
        cuts.append(Cut(event: sizes.count - 1, sector: firstGone))
    }

    mutating func sync() {
        durable = settled()
        durableSize = size
        forgetHistory()
        dirty = SectorSet()
    }

    /// A sync that failed and dropped what it should have written.
    mutating func dropDirty() {
        lost.formUnion(dirty)
        dirty = SectorSet()
        olderVersions = [:]
        lastWritten = nil
    }

    /// The page cache is emptied: what a failed sync dropped reads as the medium has it.
    mutating func evictCleanPages() {
        for range in lost.ranges { current.setSectors(range, from: durable) }
        current.zero(from: size)
        lost = SectorSet()
    }

    /// Returns the file as a power cut leaves it. Costs a few references, and in random mode the pages that are dirty.
    func afterCrash(_ mode: CrashMode, _ random: inout SplitMix64) -> Inode {
        switch mode {
        case .pessimistic: return Inode(clean: durable, size: durableSize, blocks: blocks)
        case .optimistic: return Inode(clean: settled(), size: size, blocks: blocks)
        case .random:
            if isClean { return Inode(clean: durable, size: durableSize, blocks: blocks) }
            return afterRandomCrash(&random)
        }
    }

    private func afterRandomCrash(_ random: inout SplitMix64) -> Inode {
        // How many of the size changes survive. The ends are where the bugs are, so they are drawn more often.
        let surviving =
            switch random.below(3) {
            case 0: 0
            case 1: sizes.count
            default: random.below(sizes.count + 1)
            }
        var image = durable
        var firstUncut = Int.max
        for cut in cuts {
            if cut.event < surviving {
                image.zero(from: cut.sector * PageStore.sectorSizeBytes)
            } else {
                firstUncut = min(firstUncut, cut.sector)
            }
        }
        let base = image
        let keptOf16 = [0, 1, 8, 15, 16][random.below(5)]
        for range in dirty.overlap(with: 0..<firstUncut) {
            // Runs of kept sectors are taken over together, so a page kept as a whole is shared.
            var runStart: Int?
            for sector in range {
                if random.chance(keptOf16, in: 16) {
                    if runStart == nil { runStart = sector }
                    continue
                }
                if let start = runStart { image.setSectors(start..<sector, from: current) }
                runStart = nil
                if let versions = olderVersions[sector] {
                    let version = random.below(versions.count + 1)
                    if version < versions.count { image.setSector(sector, versions[version]) }
                }
            }
            if let start = runStart { image.setSectors(start..<range.upperBound, from: current) }
        }
        if let torn = lastWritten, torn < firstUncut, dirty.contains(torn), random.chance(1, in: 2) {
            let split = random.below(PageStore.sectorSizeBytes + 1)
            image.setSector(torn, Array(current.sector(torn)[..<split]) + base.sector(torn)[split...])
        }
        let survivingSize = surviving == 0 ? durableSize : sizes[surviving - 1]
        image.zero(from: survivingSize)
        return Inode(clean: image, size: survivingSize, blocks: blocks)
    }

    private init(clean store: PageStore, size: Int, blocks: SectorSet) {
        current = store
        durable = store
        self.size = size
        durableSize = size
        self.blocks = blocks
        self.blocks.remove(from: (size + PageStore.pageSizeBytes - 1) / PageStore.pageSizeBytes)
    }

    init() {}

    /// Makes a file that holds `bytes`, safely.
    init(durable bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe write($0, at: 0) }
        sync()
    }

    /// Changes the medium and the cache alike, behind everyone's back.
    mutating func damage(_ offset: Int, _ change: (UInt8) -> UInt8) {
        precondition(offset < size, "byte \(offset) is behind the end at \(size)")
        let new = [change(current.bytes(offset..<offset + 1)[0])]
        unsafe new.withUnsafeBytes {
            unsafe current.write($0, at: offset)
            unsafe durable.write($0, at: offset)
        }
    }

    /// The medium's bytes if everything were written now that still can be.
    private func settled() -> PageStore {
        if lost.isEmpty { return current }
        var store = durable
        for cut in cuts { store.zero(from: cut.sector * PageStore.sectorSizeBytes) }
        for range in dirty.ranges { store.setSectors(range, from: current) }
        store.zero(from: size)
        return store
    }

    private mutating func markDirty(_ sectors: Range<Int>) {
        for range in dirty.overlap(with: sectors) {
            for sector in range {
                olderVersions[sector, default: []].append(current.sector(sector))
                if olderVersions[sector]!.count > Self.rememberedVersions { olderVersions[sector]!.removeFirst() }
            }
        }
        dirty.insert(sectors)
        lost.remove(sectors)
    }

    private mutating func noteSize(_ newSize: Int) {
        size = newSize
        // An appended log has a new size with every write; the oldest ones say nothing new. Cuts refer to indices, so not with those.
        if sizes.count >= Self.rememberedSizes, cuts.isEmpty { sizes.removeFirst(Self.rememberedSizes / 2) }
        sizes.append(newSize)
    }

    private mutating func forgetHistory() {
        olderVersions = [:]
        sizes = []
        cuts = []
        lastWritten = nil
    }

    private static func sectors(_ bytes: Range<Int>) -> Range<Int> {
        bytes.lowerBound / PageStore.sectorSizeBytes..<(bytes.upperBound + PageStore.sectorSizeBytes - 1) / PageStore.sectorSizeBytes
    }

    static func pages(_ bytes: Range<Int>) -> Range<Int> {
        bytes.lowerBound / PageStore.pageSizeBytes..<(bytes.upperBound + PageStore.pageSizeBytes - 1) / PageStore.pageSizeBytes
    }
}
