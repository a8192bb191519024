//===--- Volume.swift - names and files, safe and unsafe -------------------===//
//
// A value: copying one is taking an image. Names are kept twice, as programs see them and as the medium has them, and between the two
// lies the list of directory operations that were not synced.
//
//   * a file lives as long as any name, durable or not, or any open handle leads to it.
//===-----------------------------------------------------------------------===//

struct Volume: Sendable {
    private enum Entry {
        case link(String, Int)
        case unlink(String, Int)
        case rename(String, String, Int)

        func apply(to names: inout [String: Int]) {
            switch self {
            case .link(let name, let inode): names[name] = inode
            case .unlink(let name, let inode): if names[name] == inode { names[name] = nil }
            case .rename(let source, let target, let inode):
                if names[source] == inode { names[source] = nil }
                names[target] = inode
            }
        }
    }

    let model: DiskModel
    var inodes: [Int: Inode] = [:]
    private(set) var names: [String: Int] = [:]
    private var durableNames: [String: Int] = [:]
    private var unsynced: [Entry] = []
    private var nextInode = 1

    init(model: DiskModel) { self.model = model }

    mutating func create(_ name: String) -> Int {
        let inode = nextInode
        nextInode += 1
        inodes[inode] = Inode()
        note(.link(name, inode))
        return inode
    }

    mutating func remove(_ name: String) {
        if let inode = names[name] { note(.unlink(name, inode)) }
    }

    mutating func rename(_ source: String, to target: String) {
        if let inode = names[source], source != target { note(.rename(source, target, inode)) }
    }

    private mutating func note(_ entry: Entry) {
        entry.apply(to: &names)
        unsynced.append(entry)
    }

    mutating func syncDirectory() {
        durableNames = names
        unsynced = []
    }

    mutating func sync(_ inode: Int) {
        inodes[inode]?.sync()
        guard model == .ext4Like else { return }
        let created = unsynced.lastIndex { if case .link(_, inode) = $0 { true } else { false } }
        guard let created else { return }
        for entry in unsynced[...created] { entry.apply(to: &durableNames) }
        unsynced.removeFirst(created + 1)
    }

    /// Forgets files no name and no handle leads to. `inode` is the one that may have become such.
    mutating func reclaim(open: Set<Int>) {
        var reachable = open
        reachable.formUnion(names.values)
        reachable.formUnion(durableNames.values)
        for entry in unsynced {
            switch entry {
            case .link(_, let inode), .unlink(_, let inode), .rename(_, _, let inode): reachable.insert(inode)
            }
        }
        if inodes.count > reachable.count { inodes = inodes.filter { reachable.contains($0.key) } }
    }

    /// Returns how many blocks are occupied, those of unlinked files that are still open included.
    func usedBlocks(open: Set<Int>) -> Int {
        open.union(names.values).reduce(0) { $0 + (inodes[$1]?.blocks.count ?? 0) }
    }

    func afterCrash(_ mode: CrashMode) -> Volume {
        var random =
            switch mode {
            case .random(let seed): SplitMix64(seed: seed)
            case .pessimistic, .optimistic: SplitMix64(seed: 0)
            }
        var image = Volume(model: model)
        image.nextInode = nextInode
        image.names = durableNames
        for entry in surviving(mode, &random) { entry.apply(to: &image.names) }
        image.durableNames = image.names
        // Ascending, so that the same seed makes the same choices.
        for inode in Set(image.names.values).sorted() { image.inodes[inode] = inodes[inode]?.afterCrash(mode, &random) }
        return image
    }

    private func surviving(_ mode: CrashMode, _ random: inout SplitMix64) -> [Entry] {
        switch (mode, model) {
        case (.pessimistic, _): return []
        case (.optimistic, _): return unsynced
        case (.random, .ext4Like): return Array(unsynced.prefix(random.below(unsynced.count + 1)))
        case (.random, .strictPOSIX):
            let keptOf4 = 1 + random.below(3)
            return unsynced.filter { _ in random.chance(keptOf4, in: 4) }
        }
    }

    // MARK: Behind everyone's back

    /// Gives `name` a file that was always there.
    mutating func place(_ name: String, _ inode: Inode) {
        let number = nextInode
        nextInode += 1
        inodes[number] = inode
        names[name] = number
        durableNames[name] = number
    }

    mutating func erase(_ name: String) {
        names[name] = nil
        durableNames[name] = nil
    }

    mutating func swap(_ first: String, _ second: String) {
        let numbers = (names[first], names[second])
        (names[first], names[second]) = (numbers.1, numbers.0)
        (durableNames[first], durableNames[second]) = (numbers.1, numbers.0)
    }

    /// Equal for volumes that show programs the same names and bytes; different, very likely, for others.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for (name, number) in names.sorted(by: { $0.key < $1.key }) {
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            guard let inode = inodes[number] else { continue }
            hash = (hash ^ UInt64(inode.size)) &* 0x9E37_79B9_7F4A_7C15
            inode.current.mix(into: &hash)
        }
        return hash
    }
}
