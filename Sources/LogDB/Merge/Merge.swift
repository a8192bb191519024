//===--- Merge.swift - several sorted sources become one --------------------===//
//
// A loser tree (Knuth, The Art of Computer Programming 3, 5.4.1): finding the next of k sources takes one comparison a level. Of a key that
// several have, the newest operation is delivered and the older ones are passed over, whoever has them.
//
// A match looks at what stands side by side in `heads`, not at the cursors: the table, then eight bytes of the key behind what the keys at hand
// all begin with (`common`; keys of one kind often begin alike), then the whole key.
//===-----------------------------------------------------------------------===//

import LogDBFormat

@safe
final class Merge {
    private let cursors: [RecordCursor]
    private let isReversed: Bool
    /// `losers[0]` is the winner; `losers[1 ..< k]` the loser of each match of the tree, whose leaves are the cursors.
    private var losers: [Int]
    /// Of each cursor's record what settles a match: its table (at the end, more than any has), eight bytes of its key, the key, the number.
    @safe
    private struct Head {
        var table = UInt64.max
        var prefix: UInt64 = 0
        // SAFETY: in the cursor's memory until it advances, and then it is replaced.
        var key = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var sequence: SequenceNumber = 0
    }
    private var heads: [Head]
    /// What the keys of all heads begin with; only ever shorter. Nil before there is a key.
    private var common: [UInt8]?
    private var hasStarted = false
    private var last = FullKey(table: 0, key: [])
    private var lastSequence: SequenceNumber = 0
    /// Where it is there, older operations that it tells apart are delivered as well, newest first.
    var versions: VersionRule?
    /// Told of every operation that a newer one supersedes, before it is passed over.
    var superseded: ((RecordCursor) -> Void)?

    /// Cursors that have not been advanced yet.
    init(_ cursors: [RecordCursor], isReversed: Bool = false) {
        self.cursors = cursors
        self.isReversed = isReversed
        losers = [Int](repeating: 0, count: max(1, cursors.count))
        heads = [Head](repeating: Head(), count: cursors.count)
    }

    /// Moves to the next key and returns the source of its newest operation (with `versions`, to the next of those there); nil at the end.
    func next() throws(LogDBError) -> RecordCursor? {
        guard !cursors.isEmpty else { return nil }
        if !hasStarted {
            hasStarted = true
            for index in cursors.indices { try step(index) }
            build()
        } else {
            let head = heads[losers[0]]
            guard head.table != .max else { return nil }
            last.table = head.table
            lastSequence = head.sequence
            last.key.removeAll(keepingCapacity: true)
            unsafe last.key.append(contentsOf: head.key)
            let (prefix, length) = (head.prefix, common?.count)
            try step(losers[0])
            replay(losers[0])
            // The rest of the key's operations are older.
            while true {
                let older = heads[losers[0]]
                guard older.table == last.table, older.table != .max, older.prefix == prefix || length != common?.count,
                    unsafe last.key.withUnsafeBytes({ unsafe compareBytes($0, older.key) == 0 })
                else { break }
                if let versions, versions.areDistinct(last.table, lastSequence, older.sequence) { break }
                superseded?(cursors[losers[0]])
                try step(losers[0])
                replay(losers[0])
            }
        }
        return heads[losers[0]].table == .max ? nil : cursors[losers[0]]
    }

    private func step(_ index: Int) throws(LogDBError) {
        let cursor = cursors[index]
        // Its key goes with the block it lies in.
        heads[index] = Head()
        try cursor.advance()
        guard !cursor.isAtEnd else { return }
        let key = cursor.keyBytes
        if unsafe !beginsAsAll(key) { unsafe shorten(to: key) }
        heads[index] = unsafe Head(
            table: cursor.table, prefix: prefix(key, from: common?.count ?? 0), key: key, sequence: cursor.sequence)
    }

    @inline(__always)
    private func beginsAsAll(_ key: UnsafeRawBufferPointer) -> Bool {
        guard let common, common.count <= key.count else { return false }
        return unsafe common.withUnsafeBytes { unsafe compareBytes($0, UnsafeRawBufferPointer(rebasing: key[..<$0.count])) == 0 }
    }

    private func shorten(to key: UnsafeRawBufferPointer) {
        guard let common else {
            self.common = unsafe Array(key)
            return
        }
        var length = 0
        while length < min(common.count, key.count), unsafe common[length] == key[length] { length += 1 }
        self.common = Array(common[..<length])
        for index in heads.indices { heads[index].prefix = unsafe prefix(heads[index].key, from: length) }
    }

    /// Whether cursor `a` comes before cursor `b`: by key, of one key the newer first; those at the end last.
    @inline(__always)
    private func wins(_ a: Int, over b: Int) -> Bool {
        let (head, other) = (heads[a], heads[b])
        if head.table != other.table {
            if head.table == .max || other.table == .max { return other.table == .max }
            return (head.table < other.table) != isReversed
        }
        if head.table == .max { return a < b }
        if head.prefix != other.prefix { return (head.prefix < other.prefix) != isReversed }
        let order = unsafe compareBytes(head.key, other.key)
        if order != 0 { return (order < 0) != isReversed }
        return head.sequence != other.sequence ? head.sequence > other.sequence : a < b
    }

    /// Plays all matches.
    private func build() {
        let count = cursors.count
        guard count > 1 else { return }
        // winners[node] for 1 ..< count are matches, count ..< 2 × count the cursors.
        var winners = [Int](repeating: 0, count: 2 * count)
        for index in 0..<count { winners[count + index] = index }
        for node in stride(from: count - 1, through: 1, by: -1) {
            let (a, b) = (winners[2 * node], winners[2 * node + 1])
            let isFirst = wins(a, over: b)
            winners[node] = isFirst ? a : b
            losers[node] = isFirst ? b : a
        }
        losers[0] = winners[1]
    }

    /// Plays the matches on the way of cursor `index`, which has changed, to the top.
    @inline(__always)
    private func replay(_ index: Int) {
        var winner = index
        var node = (cursors.count + index) / 2
        while node >= 1 {
            if wins(losers[node], over: winner) { swap(&winner, &losers[node]) }
            node /= 2
        }
        losers[0] = winner
    }
}
