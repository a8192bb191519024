//===--- Arena.swift - memory that is taken in pieces and given back as a whole ---===//
//
// Keys and documents that were loaded lie here, next to each other and without a header each. Pieces grow from 64 KiB to 4 MiB; a run of bytes too long
// for the rest of a piece gets a new one, and a very long one a piece of its own. Unpacked blocks of which nearly everything is live are taken over
// as they are.
//
//   * nothing moves and nothing is given back before the arena goes.
//   * one thread fills it; after that any number may read.
//===-----------------------------------------------------------------------===//

import CLogDB
import LogDBFormat

@safe
final class Arena: @unchecked Sendable {
    // SAFETY: all stored properties are touched by the one thread that fills the arena; readers have pointers into the pieces, which they
    // keep alive by keeping the arena.
    private var pieces = unsafe [UnsafeMutableRawPointer]()
    private var adopted: [AdoptedBuffer] = []
    @exclusivity(unchecked) private var next: UnsafeMutableRawPointer? = nil
    @safe @exclusivity(unchecked) private var left = 0
    private var nextPieceBytes = 64 << 10
    /// Bytes that the arena holds on to.
    private(set) var byteCount = 0

    private static let largestPieceBytes = 4 << 20
    /// Of a huge page, which one entry of the processor's address cache covers and one fault fills.
    private static let hugePageBytes = 2 << 20

    deinit { unsafe pieces.forEach { unsafe $0.deallocate() } }

    /// Room for `count` bytes.
    @inline(__always)
    func take(_ count: Int) -> UnsafeMutableRawPointer {
        guard count <= left, let start = unsafe next else { return unsafe takeFromNewPiece(count) }
        unsafe next = start + count
        left -= count
        return unsafe start
    }

    @inline(never)
    private func takeFromNewPiece(_ count: Int) -> UnsafeMutableRawPointer {
        if count > nextPieceBytes / 4 { return unsafe allocate(max(1, count)) }
        unsafe next = allocate(nextPieceBytes)
        left = nextPieceBytes
        nextPieceBytes = min(Self.largestPieceBytes, nextPieceBytes * 2)
        return unsafe take(count)
    }

    private func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let isHuge = count >= Self.hugePageBytes
        let piece = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: isHuge ? Self.hugePageBytes : 16)
        if isHuge { unsafe logdb_advise_huge_pages(piece, count) }
        unsafe pieces.append(piece)
        byteCount += count
        return unsafe piece
    }

    /// Keeps the memory of `buffer`, where it is, and leaves an empty one.
    func adopt(_ buffer: inout ByteBuffer) {
        var taken = ByteBuffer(capacity: 16)
        swap(&taken, &buffer)
        byteCount += taken.capacity
        adopted.append(AdoptedBuffer(taken))
    }
}

private final class AdoptedBuffer {
    private let buffer: ByteBuffer
    init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }
}
