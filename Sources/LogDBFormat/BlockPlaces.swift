//===--- BlockPlaces.swift - where in an unpacked block its records are ----===//
//
// A cursor stops between records, goes backwards, looks for one key: for that it needs places rather than a walk. Forty bytes a
// record, beside the unpacked block, whose columns the records' keys and documents stay in.
//===-----------------------------------------------------------------------===//

package struct RecordPlace: Sendable {
    package var sequence: UInt64
    package var milliseconds: Int64
    package var tag: UInt64
    package var key: Int32
    package var keyLength: Int32
    package var document: Int32
    package var documentLength: Int32
}

package struct BlockPlaces: Sendable {
    package private(set) var places: [RecordPlace] = []

    package init() {}

    @inline(__always)
    package var count: Int { places.count }

    /// Proves that `raw` is a whole block of the records that `entry` names, and notes where each is.
    package mutating func read(_ raw: Span<UInt8>, entry: BlockEntry) throws(FormatError) {
        places.removeAll(keepingCapacity: true)
        // Room for more is made only once they are there: their number comes from a file.
        places.reserveCapacity(min(entry.recordCount, 1 << 18))
        var reader = try BlockReader(raw, entry: entry)
        var (key, document) = reader.origins
        while try reader.hasNext() {
            let record = try reader.next()
            places.append(
                RecordPlace(
                    sequence: reader.sequence, milliseconds: reader.milliseconds, tag: record.tag, key: Int32(key),
                    keyLength: Int32(record.key.count), document: Int32(document), documentLength: Int32(record.document.count)))
            key += record.key.count
            document += record.document.count
        }
    }

    /// As above. (A class's buffer can be lent, its span cannot.)
    package mutating func read(_ raw: borrowing ByteBuffer, entry: BlockEntry) throws(FormatError) { try read(raw.span, entry: entry) }

    /// The document of `key` in a key-ordered block, by binary search.
    package func document(of key: FullKey, in raw: borrowing ByteBuffer) -> [UInt8]? {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            let record = record(middle, in: raw.span)
            let order = compare(record.table, record.key, key.table, key.key.span)
            if order == 0 { return Array(record.document) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    package mutating func removeAll() { places.removeAll(keepingCapacity: true) }

    /// The record at `index` of the block that was read last, which `raw` must still hold.
    @inline(__always)
    @_lifetime(copy raw)
    package func record(_ index: Int, in raw: Span<UInt8>) -> Record {
        let place = places[index]
        return Record(
            table: place.tag >> 1, key: raw.extracting(Int(place.key)..<Int(place.key + place.keyLength)), isDelete: place.tag & 1 == 1,
            document: raw.extracting(Int(place.document)..<(Int(place.document) + Int(place.documentLength))))
    }
}
