//===--- PageStore.swift - a file's bytes, shared until written ------------===//
//
// What makes a hundred thousand crash images affordable: copying a store copies one reference; writing to a copy copies the list of
// pages and the one page.
//
//      pages ──► [ page 0 | page 1 | nil | page 3 ]        page: 8 sectors of 512 bytes; nil is a page of zeros
//
//   * bytes behind the last page are zeros. The store knows no file size; whoever does keeps the bytes behind it zero.
//===-----------------------------------------------------------------------===//

import Synchronization

struct PageStore: Sendable {
    static let pageSizeBytes = 4096
    static let sectorSizeBytes = 512
    static let sectorsPerPage = pageSizeBytes / sectorSizeBytes

    private var pages: [Page?] = []

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        var done = 0
        while done < buffer.count {
            let (page, start) = (offset + done).quotientAndRemainder(dividingBy: Self.pageSizeBytes)
            let count = min(buffer.count - done, Self.pageSizeBytes - start)
            // SAFETY: both rebased ranges lie inside their buffers, `count` was cut to the shorter.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            if page < pages.count, let stored = pages[page] {
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: stored.bytes[start..<start + count]))
            } else {
                _ = unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done += count
        }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        var done = 0
        while done < bytes.count {
            let (page, start) = (offset + done).quotientAndRemainder(dividingBy: Self.pageSizeBytes)
            let count = min(bytes.count - done, Self.pageSizeBytes - start)
            materialize(page)
            // SAFETY: as in read.
            let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<done + count])
            unsafe UnsafeMutableRawBufferPointer(rebasing: pages[page]!.bytes[start..<start + count]).copyMemory(from: source)
            done += count
        }
    }

    /// Sets everything from `offset` on to zeros and lets go of the pages behind it.
    mutating func zero(from offset: Int) {
        let (page, start) = offset.quotientAndRemainder(dividingBy: Self.pageSizeBytes)
        let kept = start == 0 ? page : page + 1
        if pages.count > kept { pages.removeLast(pages.count - kept) }
        guard start > 0, page < pages.count, pages[page] != nil else { return }
        materialize(page)
        // SAFETY: start is below the page's size.
        _ = unsafe UnsafeMutableRawBufferPointer(rebasing: pages[page]!.bytes[start...]).initializeMemory(as: UInt8.self, repeating: 0)
    }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: range.count)
        unsafe result.withUnsafeMutableBytes { unsafe read(into: $0, at: range.lowerBound) }
        return result
    }

    func sector(_ sector: Int) -> [UInt8] { bytes(sector * Self.sectorSizeBytes..<(sector + 1) * Self.sectorSizeBytes) }

    mutating func setSector(_ sector: Int, _ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe write($0, at: sector * Self.sectorSizeBytes) }
    }

    /// Takes over whole sectors; a whole page costs a reference.
    mutating func setSectors(_ sectors: Range<Int>, from other: PageStore) {
        var sector = sectors.lowerBound
        while sector < sectors.upperBound {
            let (page, start) = sector.quotientAndRemainder(dividingBy: Self.sectorsPerPage)
            let count = min(sectors.upperBound - sector, Self.sectorsPerPage - start)
            if count == Self.sectorsPerPage {
                grow(to: page + 1)
                pages[page] = page < other.pages.count ? other.pages[page] : nil
            } else {
                let first = sector * Self.sectorSizeBytes
                let part = other.bytes(first..<first + count * Self.sectorSizeBytes)
                unsafe part.withUnsafeBytes { unsafe write($0, at: first) }
            }
            sector += count
        }
    }

    /// Mixes what is stored into `hash`. Pages of zeros count the same whether they are stored or not.
    func mix(into hash: inout UInt64) {
        for (index, page) in pages.enumerated() {
            guard let own = page?.digest, own != Page.digestOfZeros else { continue }
            hash = ((hash ^ UInt64(index)) &* 0x0000_0100_0000_01B3 ^ own) &* 0xBF58_476D_1CE4_E5B9
        }
    }

    private mutating func grow(to count: Int) {
        while pages.count < count { pages.append(nil) }
    }

    /// Makes a page one that is ours alone and may be written.
    private mutating func materialize(_ page: Int) {
        grow(to: page + 1)
        if pages[page] == nil {
            pages[page] = Page()
        } else if !isKnownUniquelyReferenced(&pages[page]!) {
            pages[page] = Page(copying: pages[page]!)
        } else {
            pages[page]!.forgetDigest()
        }
    }
}

/// SAFETY: written only by a store that holds the one reference to it, as `materialize` makes sure; read-only once it is shared.
@safe private final class Page: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
    /// Computed when first asked for; 0 is "not yet". Images share pages, so most digests are computed once for thousands of them.
    private let knownDigest = Atomic<UInt64>(0)

    init() {
        unsafe bytes = .allocate(byteCount: PageStore.pageSizeBytes, alignment: 16)
        _ = unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    init(copying other: Page) {
        unsafe bytes = .allocate(byteCount: PageStore.pageSizeBytes, alignment: 16)
        unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(other.bytes))
    }

    deinit { unsafe bytes.deallocate() }

    func forgetDigest() { knownDigest.store(0, ordering: .relaxed) }

    static let digestOfZeros = Page().digest

    var digest: UInt64 {
        let known = knownDigest.load(ordering: .relaxed)
        if known != 0 { return known }
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for offset in stride(from: 0, to: PageStore.pageSizeBytes, by: 8) {
            // SAFETY: the page is a multiple of 8 bytes long and aligned.
            digest = (digest ^ (unsafe bytes.load(fromByteOffset: offset, as: UInt64.self))) &* 0x9E37_79B9_7F4A_7C15
            digest ^= digest >> 29
        }
        if digest == 0 { digest = 1 }
        knownDigest.store(digest, ordering: .relaxed)
        return digest
    }
}
