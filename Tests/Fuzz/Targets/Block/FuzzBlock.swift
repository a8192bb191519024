//===--- FuzzBlock.swift - the columns of an unpacked block ----------------===//
//
//      input    records u16 · first sequence u64 · first time u64 · the unpacked block
//
//   * as many records as the index names, or an error; never one more, and nothing left over.
//   * records that were decoded, put into a block again, are the same records, and that block's bytes are its only spelling.
//   * the places that a cursor jumps to hold the records that a walk meets.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzBlock(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzBlock(_ bytes: Span<UInt8>) {
    var input = FuzzInput(bytes)
    let records = Int(input.number(2))
    let sequence = input.number(8)
    let time = Int64(bitPattern: input.number(8))
    let raw = input.rest()
    var builder = BlockBuilder()
    guard read(raw, entry(raw, records, sequence, time), into: &builder) else { return }
    guard records > 0 else { return }

    var again = ByteBuffer(capacity: raw.count)
    builder.finish(into: &again)
    var second = BlockBuilder()
    let isWhole = read(again.span, entry(again.span, records, builder.firstSequence, builder.firstMilliseconds), into: &second)
    require(isWhole, "a block that was built can be read")
    require(second.recordCount == records && second.holdsCatalog == builder.holdsCatalog, "as many records as before")
    require(second.firstSequence == builder.firstSequence, "the same records as before")
    var third = ByteBuffer(capacity: raw.count)
    second.finish(into: &third)
    requireEqual(again.span, third.span, "a block, built again")
    if builder.firstSequence == sequence, builder.firstMilliseconds == time { requireEqual(again.span, raw, "a block, built from itself") }
    checkPlaces(raw, entry(raw, records, sequence, time))
}

private func checkPlaces(_ raw: Span<UInt8>, _ entry: BlockEntry) {
    var places = BlockPlaces()
    do throws(FormatError) {
        try places.read(raw, entry: entry)
        require(places.count == entry.recordCount, "a place for each record")
        var reader = try BlockReader(raw, entry: entry)
        for index in 0..<places.count {
            guard try reader.hasNext() else { return require(false, "more places than records") }
            let record = try reader.next()
            let placed = places.record(index, in: raw)
            require(placed.table == record.table && placed.isDelete == record.isDelete, "a record in its place")
            require(places.places[index].sequence == reader.sequence, "a number in its place")
            requireEqual(placed.key, record.key, "a key in its place")
            requireEqual(placed.document, record.document, "a document in its place")
        }
    } catch { require(false, "a block that was read can be read again: \(error.reason)") }
}

private func entry(_ raw: Span<UInt8>, _ records: Int, _ sequence: UInt64, _ time: Int64) -> BlockEntry {
    BlockEntry(
        offset: 0, storedLength: raw.count, rawLength: raw.count, recordCount: records, checksum: 0, firstSequence: sequence,
        firstMilliseconds: time, holdsCatalog: false)
}

/// Reads all records into `builder`; false where the block is damaged.
private func read(_ raw: Span<UInt8>, _ entry: BlockEntry, into builder: inout BlockBuilder) -> Bool {
    do throws(FormatError) {
        var reader = try BlockReader(raw, entry: entry)
        var count = 0
        while try reader.hasNext() {
            let record = try reader.next()
            require(record.key.count > 0 && record.key.count <= raw.count, "a key lies within the block")
            builder.append(record, sequence: reader.sequence, milliseconds: reader.milliseconds)
            count += 1
        }
        require(count == entry.recordCount, "\(count) records of \(entry.recordCount)")
        return true
    } catch { return false }
}
