//===--- FuzzRecord.swift - the payload of a frame -------------------------===//
//
//      input    records, one after the other
//
//   * numbers have one spelling, so what was decoded, encoded again, is the very bytes that were read.
//   * a key that decodes is encoded again to the same bytes, and keys sort as their bytes do.
//   * a record never reaches beyond the bytes, and always takes some.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzRecords(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzRecords(_ bytes: Span<UInt8>) {
    var reader = ByteReader(bytes)
    var again = ByteBuffer(capacity: bytes.count)
    var keys = ByteBuffer()
    var integers: [(Int64, Range<Int>)] = []
    do throws(FormatError) {
        while !reader.isAtEnd {
            let start = reader.position
            let record = try reader.record()
            require(reader.position > start + 2, "a record takes at least three bytes")
            require(record.key.count > 0 && record.key.count <= Record.maximumKeyLength, "a key is bounded")
            require(!record.isDelete || record.document.count == 0, "a delete has no document")
            again.removeAll()
            record.append(to: &again)
            requireEqual(again.span, bytes.extracting(start..<reader.position), "a record, encoded again")
            require(
                again.count <= Record.encodedBound(keyLength: record.key.count, documentLength: record.document.count),
                "a record is no longer than its bound")
            guard let key = checkKey(record.key) else { continue }
            if case .integer(let value) = key, integers.count < 16 {
                integers.append((value, keys.count..<(keys.count + record.key.count)))
                keys.append(record.key)
            }
        }
    } catch { require(error.offset <= bytes.count, "the fault lies within the bytes") }
    for (a, aBytes) in integers {
        for (b, bBytes) in integers {
            require(
                (a < b) == precedes(keys.span.extracting(aBytes), keys.span.extracting(bBytes)), "keys \(a) and \(b) sort as their bytes")
        }
    }
}

private func checkKey(_ bytes: Span<UInt8>) -> KeyCoding.Decoded? {
    guard let key = try? KeyCoding.decode(bytes) else { return nil }
    var again = ByteBuffer(capacity: bytes.count)
    switch key {
    case .integer(let value): KeyCoding.append(value, to: &again)
    case .string(let text): KeyCoding.append(text, to: &again)
    }
    requireEqual(again.span, bytes, "a key, encoded again")
    return key
}
