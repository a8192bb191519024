//===--- KeySample.swift - a few keys that stand for all -------------------===//
//
// The keys of a segment with the smallest hashes, each with the bytes of its newest operation there (0 for a delete). The same keys are
// chosen in every segment that has them, so what several segments know can be put together: how many different keys there are
// in all, and how many bytes of them are still live. (Bar-Yossef et al. 2002, "k minimum values"; Cohen and Kaplan 2007.)
//
//      live bytes  ≈  Σ newest bytes of the sampled keys  ×  2⁶⁴ / (bound + 1)
//
// where every key with a hash up to `bound` is in the sample. With n sampled keys the relative error is about √((1 + v²) / n), v the
// relative spread of the keys' bytes; measured in CompactionAndSpace.md.
//===-----------------------------------------------------------------------===//

package struct KeySample: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var hash: UInt64
        package var table: UInt64
        /// Bytes of key and document of the newest operation; 0 for a delete.
        package var bytes: UInt64
        /// When that one expires; the greatest number: never.
        package var expires = Int64.max

        package init(hash: UInt64, table: UInt64, bytes: UInt64, expires: Int64 = .max) {
            (self.hash, self.table, self.bytes, self.expires) = (hash, table, bytes, expires)
        }
    }

    /// Keys that a segment keeps.
    package static let size = 128

    /// By rising hash, each once.
    package private(set) var entries: [Entry] = []
    /// Every key with a hash up to this is in it.
    package private(set) var bound: UInt64 = .max

    package init() {}

    /// Keys to take into a sample that is to have the same entries: one more than there are, where this one says that there is none.
    package var limitToCompare: Int { max(1, entries.count + (bound == .max ? 1 : 0)) }

    /// Notes an operation on a key, newer than all on the same key before.
    package mutating func add(hash: UInt64, table: UInt64, bytes: UInt64, expires: Int64 = .max, limit: Int = KeySample.size) {
        guard hash <= bound else { return }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        if low < entries.count, entries[low].hash == hash {
            entries[low] = Entry(hash: hash, table: table, bytes: bytes, expires: expires)
            return
        }
        entries.insert(Entry(hash: hash, table: table, bytes: bytes, expires: expires), at: low)
        if entries.count > limit {
            entries.removeLast()
            // At least one entry is left, and its hash is below the one that went.
            bound = entries[entries.count - 1].hash
        }
    }

    /// Takes in the sample of what is newer than all that is in this one.
    package mutating func merge(newer: KeySample, limit: Int) {
        bound = min(bound, newer.bound)
        var merged: [Entry] = []
        merged.reserveCapacity(entries.count + newer.entries.count)
        var old = 0
        for entry in newer.entries {
            while old < entries.count, entries[old].hash < entry.hash {
                merged.append(entries[old])
                old += 1
            }
            if old < entries.count, entries[old].hash == entry.hash { old += 1 }
            merged.append(entry)
        }
        merged += entries[old...]
        if merged.count > limit { bound = min(bound, merged[limit - 1].hash) }
        let bound = bound
        while let last = merged.last, last.hash > bound { merged.removeLast() }
        entries = merged
    }

    /// The sum of `bytes` over all keys that the sample stands for, those of `isCounted` tables only.
    package func estimatedBytes(_ isCounted: (UInt64) -> Bool) -> Double {
        scaled(entries.reduce(0.0) { $0 + (isCounted($1.table) ? Double($1.bytes) : 0) })
    }

    /// The same for what has expired at `now`: is part of that.
    package func estimatedExpiredBytes(at now: Int64, _ isCounted: (UInt64) -> Bool) -> Double {
        scaled(entries.reduce(0.0) { $0 + ($1.expires <= now && isCounted($1.table) ? Double($1.bytes) : 0) })
    }

    /// How many keys the sample stands for, deleted ones included.
    package var estimatedKeys: Double { scaled(Double(entries.count)) }

    private func scaled(_ sum: Double) -> Double { bound == .max ? sum : sum * 0x1p64 / (Double(bound) + 1) }

    // MARK: - Bytes

    func append(to buffer: inout ByteBuffer) {
        buffer.append(bound == .max ? 1 : 0 as UInt8)
        buffer.append(varint: entries.count)
        var last: UInt64 = 0
        for entry in entries {
            buffer.append(varint: entry.hash - last)
            buffer.append(varint: entry.table)
            buffer.append(varint: entry.bytes)
            last = entry.hash
        }
    }

    /// When which of the entries expire: their places, and the times. Only where some do.
    func appendExpiries(to buffer: inout ByteBuffer) {
        let expiring = entries.indices.filter { entries[$0].expires < .max }
        buffer.append(varint: expiring.count)
        var last = 0
        for place in expiring {
            buffer.append(varint: place - last)
            buffer.append(varint: UInt64(entries[place].expires))
            last = place
        }
    }

    mutating func readExpiries(_ reader: inout ByteReader) throws(FormatError) {
        let start = reader.position
        var place = 0
        for index in 0..<(try reader.count(limit: entries.count, of: "the number of sampled keys that expire")) {
            let step = try reader.count(limit: entries.count, of: "a place in the key sample")
            place += step
            let time = try reader.varint()
            guard index == 0 || step > 0, place < entries.count, time <= UInt64(Expiry.range.upperBound) else {
                throw FormatError(.corrupted, "the expiries of a key sample make no sense", at: start)
            }
            entries[place].expires = Int64(time)
        }
    }

    init(_ reader: inout ByteReader) throws(FormatError) {
        let start = reader.position
        let flag = try reader.u8()
        let count = try reader.count(limit: reader.remaining / 3, of: "a key sample's length")
        var hash: UInt64 = 0
        entries.reserveCapacity(count)
        for index in 0..<count {
            let (next, overflow) = hash.addingReportingOverflow(try reader.varint())
            guard !overflow, index == 0 || next > hash else { throw FormatError(.corrupted, "a key sample is out of order", at: start) }
            hash = next
            entries.append(Entry(hash: hash, table: try reader.varint(), bytes: try reader.varint()))
        }
        guard flag <= 1, flag == 1 || count > 0 else { throw FormatError(.corrupted, "a key sample has no bound", at: start) }
        if flag == 0 { bound = hash }
    }
}
